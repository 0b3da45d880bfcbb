"""Usage that was billed, period by period (metering §9.3)."""

from tests import kit
from tests.kit import get, post


async def billed(make_organization):
    """Two months: 3 calls of eu and 1 of mars in January, 2 of eu in February; 5 hours in January. 20 % tax."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    await kit.tax(client)
    calls = await kit.metric(client, "count_agg", code="calls", filters=[{"key": "region", "values": ["eu"]}])
    hours = await kit.metric(client, code="hours")
    charge = {
        **kit.charge(calls, amount="5"),
        "filters": [
            {"values": {"region": ["eu"]}, "properties": {"amount": "1"}, "invoice_display_name": "EU"}
        ],
    }
    plan = await kit.plan(client, charge, kit.charge(hours, amount="2"), amount_cents=1000)
    body = {"external_customer_id": "c", "plan_code": plan["code"], "external_id": "s"}
    await post(client, "/subscriptions", {"subscription": body})
    await send(client, "calls", ["eu", "eu", "eu", "mars"], "a")
    event = {
        "transaction_id": "h",
        "external_subscription_id": "s",
        "code": "hours",
        "properties": {"value": 5},
    }
    await post(client, "/events", {"event": event})
    await kit.advance(client, "2026-02-10")
    await send(client, "calls", ["eu", "eu"], "b")
    await kit.advance(client, "2026-03-02")
    return client


async def send(client, code, regions, prefix):
    events = [
        {
            "transaction_id": f"{prefix}{n}",
            "external_subscription_id": "s",
            "code": code,
            "properties": {"region": r},
        }
        for n, r in enumerate(regions)
    ]
    await post(client, "/events/batch", {"events": events})


async def past(client, customer="c", **query):
    return await get(
        client, f"/customers/{customer}/past_usage", **{"external_subscription_id": "s", **query}
    )


async def test_each_invoice_is_a_period_the_newest_first(make_organization):
    """January: 3 x 1 + 1 x 5 + 5 x 2 = 18.00 and 3.60 tax, base fee left out; February: 2.00 and 0.40."""
    found = await past(await billed(make_organization))
    february, january = found["usage_periods"]
    assert (february["from_datetime"], february["to_datetime"]) == (
        "2026-02-01T00:00:00Z",
        "2026-02-28T23:59:59Z",
    )
    amounts = ("amount_cents", "taxes_amount_cents", "total_amount_cents")
    assert tuple(january[name] for name in amounts) == (1800, 360, 2160)
    assert tuple(february[name] for name in amounts) == (200, 40, 240)
    assert january["lago_invoice_id"] != february["lago_invoice_id"]
    calls, hours = january["charges_usage"]
    assert (calls["units"], calls["events_count"], calls["amount_cents"]) == ("4.0", 4, 800)
    assert (hours["units"], hours["filters"], hours["grouped_usage"]) == ("5.0", [], [])
    assert [(item["values"], item["units"], item["amount_cents"]) for item in calls["filters"]] == [
        ({"region": ["eu"]}, "3.0", 300),
        (None, "1.0", 500),
    ]
    assert [item["billable_metric"]["code"] for item in february["charges_usage"]] == ["calls"]
    assert found["meta"]["total_count"] == 2


async def test_periods_count_is_the_size_of_a_page_and_a_metric_narrows(make_organization):
    client = await billed(make_organization)
    latest = await past(client, periods_count=1)
    assert len(latest["usage_periods"]) == 1
    assert latest["meta"]["total_pages"] == 2
    _, january = (await past(client, billable_metric_code="hours"))["usage_periods"]
    assert (january["amount_cents"], len(january["charges_usage"])) == (1000, 1)


async def test_what_is_unknown_is_empty_or_told(make_organization, other_client):
    client = await billed(make_organization)
    assert (await past(client, external_subscription_id="none"))["usage_periods"] == []
    assert (await past(client, customer="none"))["usage_periods"] == []
    assert (await past(other_client))["usage_periods"] == []
    answer = await get(client, "/customers/c/past_usage", expect=422)
    assert answer["error_details"] == {"external_subscription_id": ["value_is_mandatory"]}
    answer = await get(
        client,
        "/customers/c/past_usage",
        expect=404,
        external_subscription_id="s",
        billable_metric_code="none",
    )
    assert answer["code"] == "billable_metric_not_found"
