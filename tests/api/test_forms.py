"""Form-encoded bodies are accepted on every route, the quick one of events included (platform §1.2)."""

from urllib.parse import urlencode

import pytest
from tests import kit

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def send(client, method, path, fields, *, expect=200):
    """A request as a form: names say how values nest, and all of them are texts."""
    answer = await client.request(method, path, content=urlencode(fields), headers=FORM)
    assert answer.status_code == expect, answer.text
    return answer.json()


async def test_resources_are_made_and_changed(organization):
    client = organization.client
    metric = [("name", "Calls"), ("code", "calls"), ("aggregation_type", "sum_agg"), ("field_name", "n")]
    made = await send(
        client, "POST", "/billable_metrics", [(f"billable_metric[{name}]", value) for name, value in metric]
    )
    plan = [
        ("plan[name]", "Scale"), ("plan[code]", "scale"), ("plan[interval]", "monthly"), ("plan[amount_cents]", "1900"),
        ("plan[amount_currency]", "EUR"), ("plan[pay_in_advance]", "false"), ("plan[trial_period]", "1.5"),
        ("plan[charges][][billable_metric_id]", made["billable_metric"]["lago_id"]),
        ("plan[charges][][charge_model]", "standard"), ("plan[charges][][properties][amount]", "0.5"),
    ]  # fmt: skip
    plan = (await send(client, "POST", "/plans", plan))["plan"]
    assert (plan["amount_cents"], plan["pay_in_advance"], plan["trial_period"]) == (1900, False, 1.5)
    assert plan["charges"][0]["properties"] == {"amount": "0.5"}
    customer = [
        ("customer[external_id]", "acme & söhne"), ("customer[currency]", "EUR"), ("customer[net_payment_term]", "30"),
        ("customer[metadata][][key]", "a"), ("customer[metadata][][value]", "1"),
        ("customer[metadata][][display_in_invoice]", "true"), ("customer[metadata][][key]", "b"),
        ("customer[metadata][][value]", "2"),
    ]  # fmt: skip
    customer = (await send(client, "POST", "/customers", customer))["customer"]
    assert (customer["external_id"], customer["net_payment_term"]) == ("acme & söhne", 30)
    assert [(one["key"], one["value"], one["display_in_invoice"]) for one in customer["metadata"]] == [
        ("a", "1", True),
        ("b", "2", False),
    ]
    renamed = await send(client, "PUT", "/plans/scale", {"plan[name]": "Scale up"})
    assert renamed["plan"]["name"] == "Scale up"


async def test_events_are_taken_in(organization):
    client = organization.client
    event = {"event[transaction_id]": "one", "event[code]": "calls", "event[external_subscription_id]": "sub"}
    stored = (await send(client, "POST", "/events", event | {"event[properties][n]": "3"}))["event"]
    assert stored["properties"] == {"n": "3"}
    batch = [
        (f"events[][{name}]", value)
        for number in "23"
        for name, value in (("transaction_id", number), ("code", "calls"))
    ]
    assert len((await send(client, "POST", "/events/batch", batch))["events"]) == 2


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"customer=1", 400),
        (b"customer[external_id", 400),
        (b"a[b]=1&a=2", 400),
        (b"%ff=%fe", 400),
    ],
)
async def test_what_is_no_form_is_refused(organization, body, status):
    answer = await organization.client.post("/customers", content=body, headers=FORM)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


async def test_a_form_that_is_too_large_is_refused(organization):
    answer = await organization.client.post(
        "/customers", content=b"customer[name]=" + b"x" * 11_000_000, headers=FORM
    )
    assert answer.status_code == 413


async def test_json_that_nobody_called_so_is_json(organization):
    """What `curl -d` says of a body unless it is told otherwise."""
    answer = await organization.client.post(
        "/customers", content=b'{"customer": {"external_id": "curl"}}', headers=FORM
    )
    assert answer.json()["customer"]["external_id"] == "curl"
    assert await kit.get(organization.client, "/customers/curl")
