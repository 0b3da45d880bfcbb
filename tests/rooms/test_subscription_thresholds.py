"""Usage thresholds of a subscription's own, and which ones apply to it (subscriptions §2.7, pricing §14)."""

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    made = await make_organization("2025-01-01T00:00:00Z")
    return made.client


def of(*amounts):
    return [{"amount_cents": amount, "threshold_display_name": f"T{amount}"} for amount in amounts]


def applying(subscription):
    return [item["amount_cents"] for item in subscription["applicable_usage_thresholds"]]


async def change(seller, subscription, expect=200, **fields):
    path = f"/subscriptions/{subscription['external_id']}"
    answer = await kit.call(seller, "PUT", path, {"subscription": fields}, expect=expect)
    return answer["subscription"] if expect == 200 else answer["error_details"]


async def test_a_subscription_is_held_to_its_own_before_its_plans(seller):
    plan = await kit.plan(seller, usage_thresholds=of(500))
    customer = await kit.customer(seller)
    subscription = await kit.subscribe(seller, customer, plan, usage_thresholds=[])
    assert applying(subscription) == [500]
    own = [*of(300, 200), {"amount_cents": 100, "recurring": True}]
    changed = await change(seller, subscription, usage_thresholds=own)
    assert applying(changed) == [200, 300, 100]
    assert changed["applicable_usage_thresholds"][0] == {
        "threshold_display_name": "T200",
        "amount_cents": 200,
        "recurring": False,
    }
    assert applying(await change(seller, subscription, name="Renamed")) == [200, 300, 100]
    assert applying(await change(seller, subscription, usage_thresholds=[])) == [500]


async def test_none_apply_where_progressive_billing_is_off(seller):
    plan = await kit.plan(seller, usage_thresholds=of(500))
    subscription = await kit.subscribe(seller, await kit.customer(seller), plan)
    changed = await change(seller, subscription, progressive_billing_disabled=True)
    assert (changed["progressive_billing_disabled"], applying(changed)) == (True, [])


async def test_a_child_plan_without_any_is_held_to_its_parents_and_loses_its_own_to_the_subscriptions(seller):
    plan = await kit.plan(seller, usage_thresholds=of(500))
    customer = await kit.customer(seller)
    subscription = await kit.subscribe(seller, customer, plan, plan_overrides={"name": "Ours"})
    assert applying(subscription) == [500]
    changed = await change(seller, subscription, plan_overrides={"usage_thresholds": of(400)})
    assert applying(changed) == [400]
    assert applying(await change(seller, subscription, usage_thresholds=of(50))) == [50]
    changed = await change(seller, subscription, usage_thresholds=[])
    assert (changed["plan"]["usage_thresholds"], applying(changed)) == ([], [500])


@pytest.mark.parametrize(
    ("wrong", "details"),
    [
        ([{"recurring": True}], {"usage_thresholds": ["missing_amount_cents"]}),
        (of(5, 5), {"usage_thresholds": ["duplicated_values"]}),
        (of(0), {"amount_cents": ["value_is_out_of_range"]}),
    ],
)
async def test_wrong_ones_are_refused_and_nothing_is_made(seller, wrong, details):
    plan, customer = await kit.plan(seller), await kit.customer(seller)
    body = {
        "external_customer_id": customer["external_id"],
        "plan_code": plan["code"],
        "external_id": "s",
        "usage_thresholds": wrong,
    }
    answer = await kit.post(seller, "/subscriptions", {"subscription": body}, expect=422)
    assert answer["error_details"] == details
    await kit.get(seller, "/subscriptions/s", expect=404)


async def test_those_of_the_plan_and_of_the_subscription_are_not_asked_for_together(seller):
    subscription = await kit.subscribe(seller, await kit.customer(seller), await kit.plan(seller))
    fields = {"usage_thresholds": of(1), "plan_overrides": {"usage_thresholds": of(2)}}
    details = await change(seller, subscription, expect=422, **fields)
    assert details == {name: ["incompatible_params"] for name in ("plan_overrides", "usage_thresholds")}


async def test_a_downgrade_gives_them_to_the_subscription_that_waits(seller):
    dear, cheap = await kit.plan(seller, amount_cents=500), await kit.plan(seller, amount_cents=100)
    customer = await kit.customer(seller)
    current = await kit.subscribe(seller, customer, dear, usage_thresholds=of(9))
    await kit.subscribe(seller, customer, cheap, external_id=current["external_id"], usage_thresholds=of(7))
    path = f"/subscriptions/{current['external_id']}"
    assert applying((await kit.get(seller, path))["subscription"]) == [9]
    assert applying((await kit.get(seller, path, status="pending"))["subscription"]) == [7]
