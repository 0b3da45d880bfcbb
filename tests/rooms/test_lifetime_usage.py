"""Lifetime usage: what a chain of subscriptions has ever used (metering §9.4)."""

import pytest
from tests import kit
from tests.kit import call, get, post


async def subscribed(make_organization, start="2026-01-01T00:00:00Z"):
    """A customer on a monthly plan with calls at 2.00 each; (client, metric)."""
    organization = await make_organization(start)
    client = organization.client
    metric = await kit.metric(client, "count_agg")
    plan = await kit.plan(client, kit.charge(metric, amount="2"), amount_cents=1000)
    body = {"external_customer_id": "c", "plan_code": plan["code"], "external_id": "s"}
    await post(client, "/subscriptions", {"subscription": body})
    return client, metric


async def use(client, metric, *ids):
    events = [{"transaction_id": i, "external_subscription_id": "s", "code": metric["code"]} for i in ids]
    await post(client, "/events/batch", {"events": events})


async def lifetime(client, **query):
    return (await get(client, "/subscriptions/s/lifetime_usage", **query))["lifetime_usage"]


async def test_the_parts_are_history_invoices_and_the_running_period(make_organization):
    """Three calls in January, two in February: 600 invoiced (not the base fee), 400 running, 5000 from before."""
    client, metric = await subscribed(make_organization)
    await use(client, metric, "a", "b", "c")
    assert (await lifetime(client))["current_usage_amount_cents"] == 600
    await kit.advance(client, "2026-02-10")
    await use(client, metric, "d", "e")
    body = {"lifetime_usage": {"external_historical_usage_amount_cents": 5000}}
    changed = (await call(client, "PUT", "/subscriptions/s/lifetime_usage", body))["lifetime_usage"]
    assert changed["external_historical_usage_amount_cents"] == 5000
    assert changed["invoiced_usage_amount_cents"] == 600
    assert changed["current_usage_amount_cents"] == 400
    assert (changed["from_datetime"], changed["to_datetime"]) == (
        "2026-01-01T00:00:00Z",
        "2026-02-10T00:00:00Z",
    )
    assert await lifetime(client) == changed


async def test_an_ended_subscription_is_shown_when_asked_for(make_organization):
    client, metric = await subscribed(make_organization)
    await use(client, metric, "a")
    first = await lifetime(client)
    await call(client, "DELETE", "/subscriptions/s")
    await get(client, "/subscriptions/s/lifetime_usage", expect=404)
    ended = await lifetime(client, subscription_status="terminated")
    assert (ended["lago_id"], ended["invoiced_usage_amount_cents"], ended["current_usage_amount_cents"]) == (
        first["lago_id"],
        200,
        0,
    )


@pytest.mark.parametrize(
    ("amount", "details"),
    [
        (-1, {"historical_usage_amount_cents": ["value_is_out_of_range"]}),
        ("many", {"external_historical_usage_amount_cents": ["value_is_invalid"]}),
        (None, {"external_historical_usage_amount_cents": ["value_is_mandatory"]}),
    ],
)
async def test_a_bad_amount_is_refused_and_nothing_kept(make_organization, amount, details):
    client, _ = await subscribed(make_organization)
    body = {"lifetime_usage": {"external_historical_usage_amount_cents": amount}}
    answer = await call(client, "PUT", "/subscriptions/s/lifetime_usage", body, expect=422)
    assert answer["error_details"] == details
    assert (await lifetime(client))["external_historical_usage_amount_cents"] == 0


async def test_unknown_and_foreign_subscriptions_are_not_found(make_organization, other_client):
    await subscribed(make_organization)
    answer = await get(other_client, "/subscriptions/s/lifetime_usage", expect=404)
    assert answer["code"] == "subscription_not_found"


async def test_what_never_started_has_none(make_organization):
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    plan = await kit.plan(client)
    body = {
        "external_customer_id": "c",
        "plan_code": plan["code"],
        "external_id": "s",
        "subscription_at": "2026-06-01T00:00:00Z",
    }
    await post(client, "/subscriptions", {"subscription": body})
    answer = await get(client, "/subscriptions/s/lifetime_usage", expect=404, status="pending")
    assert answer["code"] == "lifetime_usage_not_found"
