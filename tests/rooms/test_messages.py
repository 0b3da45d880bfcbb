"""What is told of plans, customers and subscriptions, and when (pricing §4.2, subscriptions §1.3, §2.6, §2.9, §2.12)."""

import pytest
from sqlalchemy import select
from tests import kit
from tests.kit import call, post

from tallymark.db.tables import outbox


@pytest.fixture
async def seller(make_organization, database):
    """A client; `told` are the types of the messages that were left since it was asked last."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client, seen = organization.client, 0

    async def told(*about):
        nonlocal seen
        async with database.tenant(organization.id) as tx:
            rows = (await tx.execute(select(outbox.c.webhook_type).order_by(outbox.c.id))).scalars().all()
        fresh, seen = rows[seen:], len(rows)
        return [name for name in fresh if name.split(".")[0] in about]

    client.told = told
    await kit.plan(client, code="basic", amount_cents=1000)
    await kit.plan(client, code="dear", amount_cents=2000)
    await kit.customer(client, external_id="c")
    await told()
    return client


async def subscribe(seller, plan_code="basic", **more):
    return await kit.subscribe(seller, {"external_id": "c"}, {"code": plan_code}, external_id="s", **more)


async def test_of_a_plan(seller):
    await kit.plan(seller, code="p")
    await call(seller, "PUT", "/plans/p", {"plan": {"name": "New"}})
    await post(seller, "/plans/p/metadata", {"metadata": {"a": "b"}})
    await call(seller, "DELETE", "/plans/p/metadata/a")
    await call(seller, "DELETE", "/plans/p")
    assert await seller.told("plan") == ["plan.created", *["plan.updated"] * 3, "plan.deleted"]


async def test_of_a_customer(seller):
    await kit.customer(seller, external_id="d")
    await kit.customer(seller, external_id="d")
    await kit.subscribe(seller, {"external_id": "e"}, {"code": "basic"})
    await call(seller, "DELETE", "/customers/d")
    assert await seller.told("customer") == ["customer.created", "customer.updated", "customer.created"]


async def test_of_a_subscription_that_begins_changes_and_ends(seller):
    await subscribe(seller)
    await subscribe(seller)
    await call(seller, "PUT", "/subscriptions/s", {"subscription": {"name": "N"}})
    await call(seller, "DELETE", "/subscriptions/s")
    names = ["started", "updated", "terminated", "updated"]
    assert await seller.told("subscription") == [f"subscription.{name}" for name in names]


async def test_of_one_that_waits(seller):
    await subscribe(seller, subscription_at="2026-01-03")
    assert await seller.told("subscription") == []
    await call(seller, "DELETE", "/subscriptions/s", status="pending")
    assert await seller.told("subscription") == ["subscription.terminated"]
    await subscribe(seller, subscription_at="2026-01-03")
    await kit.advance(seller, "2026-01-03")
    assert await seller.told("subscription") == ["subscription.started"]
    await subscribe(seller, "dear", ending_at="2026-01-10")
    await seller.told()
    await kit.advance(seller, "2026-01-10")
    assert "subscription.terminated" in await seller.told("subscription")


async def test_of_one_whose_start_is_moved_to_the_past(seller):
    """§2.8."""
    await subscribe(seller, subscription_at="2026-01-03")
    await seller.told()
    body = {"subscription": {"subscription_at": "2025-12-20"}}
    await call(seller, "PUT", "/subscriptions/s", body)
    assert sorted(await seller.told("subscription")) == ["subscription.started", "subscription.updated"]


async def test_of_an_upgrade(seller):
    await subscribe(seller)
    await seller.told()
    await subscribe(seller, "dear")
    assert sorted(await seller.told("subscription")) == ["subscription.started", "subscription.terminated"]


async def test_of_a_downgrade(seller):
    await subscribe(seller, "dear")
    await seller.told()
    await subscribe(seller)
    assert await seller.told("subscription") == ["subscription.updated"]
    await kit.advance(seller, "2026-02-01T00:10")
    assert sorted(await seller.told("subscription")) == ["subscription.started", "subscription.terminated"]


async def test_of_a_downgrade_that_is_called_off(seller):
    await subscribe(seller, "dear")
    await subscribe(seller)
    await seller.told()
    await call(seller, "DELETE", "/subscriptions/s", status="pending")
    assert await seller.told("subscription") == ["subscription.terminated", "subscription.updated"]


async def test_of_a_trial(seller):
    await kit.plan(seller, code="trial", amount_cents=3000, trial_period=4)
    await subscribe(seller, "trial")
    await seller.told()
    await kit.advance(seller, "2026-01-04T23:59")
    assert await seller.told("subscription") == []
    await kit.advance(seller, "2026-01-05T00:01")
    assert await seller.told("subscription") == ["subscription.trial_ended"]


async def test_of_a_metric(seller):
    await kit.metric(seller, code="m")
    await call(seller, "PUT", "/billable_metrics/m", {"billable_metric": {"name": "New"}})
    await call(seller, "DELETE", "/billable_metrics/m")
    assert await seller.told("billable_metric") == [
        f"billable_metric.{what}" for what in ("created", "updated", "deleted")
    ]


async def test_of_a_draft(seller):
    """With days of grace an invoice is drafted first, and issued when they are over."""
    grace = {"invoice_grace_period": 3}
    await kit.customer(seller, external_id="c", billing_configuration=grace)
    await subscribe(seller)
    await seller.told()
    await kit.advance(seller, "2026-02-01T01:00")
    assert await seller.told("invoice") == ["invoice.drafted", "invoice.ready_to_finalize"]
    await kit.advance(seller, "2026-02-04T01:00")
    assert await seller.told("invoice") == ["invoice.created"]
