"""What a change of a metric's filters brings to the charges on it (metering §2.2, §2.3)."""

from tests import kit
from tests.kit import call, get, post

REGIONS = [{"key": "region", "values": ["eu", "us"]}, {"key": "tier", "values": ["gold", "std"]}]


async def sold(client):
    """A metric with two keys and a plan of four filters on it."""
    metric = await kit.metric(client, filters=REGIONS)
    filters = [
        {"values": {"region": ["eu", "us"]}, "properties": {"amount": "1"}},
        {"values": {"region": ["us"]}, "properties": {"amount": "2"}},
        {"values": {"region": ["us"], "tier": ["gold"]}, "properties": {"amount": "3"}},
        {"values": {"tier": ["__ALL_FILTER_VALUES__"]}, "properties": {"amount": "4"}},
    ]
    plan = await kit.plan(client, {**kit.charge(metric), "filters": filters})
    return metric, plan


async def left(client, plan):
    (charge,) = (await get(client, f"/plans/{plan['code']}"))["plan"]["charges"]
    return [(item["properties"]["amount"], item["values"]) for item in charge["filters"]]


async def change(client, metric, filters):
    body = {"billable_metric": {"filters": filters}}
    return (await call(client, "PUT", f"/billable_metrics/{metric['code']}", body))["billable_metric"]


async def test_a_value_that_is_gone_is_taken_out_of_charge_filters(client):
    """A filter left without a value loses the key, one left without a key is gone; all values stay all values."""
    metric, plan = await sold(client)
    shown = await change(client, metric, [{"key": "region", "values": ["eu", "ap"]}, REGIONS[1]])
    assert shown["filters"] == [{"key": "region", "values": ["ap", "eu"]}, REGIONS[1]]
    assert await left(client, plan) == [
        ("1", {"region": ["eu"]}),
        ("3", {"tier": ["gold"]}),
        ("4", {"tier": ["__ALL_FILTER_VALUES__"]}),
    ]


async def test_a_key_that_is_gone_is_dropped_from_charge_filters(client):
    metric, plan = await sold(client)
    await change(client, metric, [REGIONS[0]])
    assert await left(client, plan) == [
        ("1", {"region": ["eu", "us"]}),
        ("2", {"region": ["us"]}),
        ("3", {"region": ["us"]}),
    ]


async def test_more_values_leave_charge_filters_as_they_are(client):
    metric, plan = await sold(client)
    before = await left(client, plan)
    await change(client, metric, [{"key": "region", "values": ["eu", "us", "ap"]}, REGIONS[1]])
    assert await left(client, plan) == before


async def test_a_draft_is_computed_anew_when_a_filter_goes(make_organization):
    """Three events of eu at 1 each and the default at 5: without the filter all three cost 5."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    metric = await kit.metric(client, "count_agg", filters=[{"key": "region", "values": ["eu"]}])
    charge = {
        **kit.charge(metric, amount="5"),
        "filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "1"}}],
    }
    plan = await kit.plan(client, charge)
    customer = {"external_id": "c", "billing_configuration": {"invoice_grace_period": 10}}
    await post(client, "/customers", {"customer": customer})
    body = {"external_customer_id": "c", "plan_code": plan["code"], "external_id": "s"}
    await post(client, "/subscriptions", {"subscription": body})
    for number in range(3):
        sent = {"transaction_id": f"t{number}", "external_subscription_id": "s", "code": metric["code"]}
        await post(client, "/events", {"event": {**sent, "properties": {"region": "eu"}}})
    await kit.advance(client, "2026-02-02")
    (draft,) = (await get(client, "/invoices"))["invoices"]
    assert (draft["status"], draft["fees_amount_cents"]) == ("draft", 300)
    await change(client, metric, [])
    (draft,) = (await get(client, "/invoices"))["invoices"]
    assert draft["fees_amount_cents"] == 1500
