"""Due work on live organizations: done once however often it is tried, and a failure stops nobody else."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from tests import kit

from tallymark.db.tables import agenda, invoices, subscriptions
from tallymark.jobs.agenda import Kind, due_owners
from tallymark.rooms.billing import jobs


@pytest.fixture
async def due(organization, database):
    """A live customer whose billing day came two months running while nobody worked."""
    client = organization.client
    plan = await kit.plan(client, amount_cents=3100)
    customer = await kit.customer(client)
    subscription = await kit.subscribe(
        client, customer, plan, billing_time="anniversary", subscription_at="2025-01-10T00:00:00Z"
    )
    started = datetime.now(UTC) - timedelta(days=70)
    async with database.tenant(organization.id) as tx:
        await tx.execute(
            update(subscriptions)
            .where(subscriptions.c.external_id == subscription["external_id"])
            .values(started_at=started, subscription_at=started, created_at=started)
        )
        await tx.execute(
            update(agenda)
            .where(agenda.c.kind == Kind.BILL_PERIOD)
            .values(due_at=first_due(started), run_at=first_due(started))
        )
    return UUID(customer["lago_id"])


def first_due(started):
    from zoneinfo import ZoneInfo

    from tallymark.domain.calendar import Cycle
    from tallymark.domain.periods import BillingTime, Interval, start_of_day

    cycle = Cycle(Interval.MONTHLY, BillingTime.ANNIVERSARY, started.date())
    return start_of_day(cycle.next_start(started.date()), ZoneInfo("UTC"))


async def billed(database, organization):
    async with database.tenant(organization.id) as tx:
        rows = await tx.execute(
            select(invoices.c.billing_day, invoices.c.status).order_by(invoices.c.billing_day)
        )
        return [(row.billing_day, row.status) for row in rows]


async def test_missed_days_are_billed_in_order_once(database, organization, due):
    await jobs.run_due_work(database, organization.id, due)
    first = await billed(database, organization)
    assert len(first) == 2
    assert {status for _, status in first} == {"finalized"}
    await jobs.run_due_work(database, organization.id, due)
    assert await billed(database, organization) == first


async def test_workers_side_by_side_bill_once(database, organization, due):
    await asyncio.gather(*(jobs.run_due_work(database, organization.id, due) for _ in range(6)))
    assert len(await billed(database, organization)) == 2


async def test_numbers_have_no_gap_under_concurrency(database, organization, due):
    await asyncio.gather(*(jobs.run_due_work(database, organization.id, due) for _ in range(4)))
    async with database.tenant(organization.id) as tx:
        found = (
            await tx.execute(select(invoices.c.sequential_id).order_by(invoices.c.sequential_id))
        ).scalars()
        assert list(found) == [1, 2]


async def test_the_scheduler_finds_who_is_due_by_index(database, organization, due):
    async with database.system() as connection:
        owners = await due_owners(connection, now=datetime.now(UTC))
        plan = await connection.execute(
            text(
                "EXPLAIN SELECT owner_id FROM agenda WHERE run_at <= now() AND NOT is_simulated AND parked_at IS NULL"
            )
        )
        assert "Seq Scan" not in "\n".join(row[0] for row in plan)
    assert due in [owner.owner_id for owner in owners]


async def test_a_failure_leaves_nothing_and_is_tried_again_later(database, organization, due, monkeypatch):
    async def broken(*_args, **_kwargs):
        raise RuntimeError("tax tables are on fire")

    from tallymark.rooms.billing.service import invoice

    monkeypatch.setattr(invoice, "issue_all", broken)
    began = datetime.now(UTC)
    await jobs.run_due_work(database, organization.id, due)
    assert await billed(database, organization) == []
    async with database.tenant(organization.id) as tx:
        row = (await tx.execute(select(agenda).where(agenda.c.kind == Kind.BILL_PERIOD))).one()
    assert row.attempts == 1
    assert row.run_at >= began + jobs.BACK_OFF[0]
    assert "tax tables are on fire" in row.last_error
    monkeypatch.undo()
    async with database.tenant(organization.id) as tx:
        await tx.execute(update(agenda).values(run_at=row.due_at))
    await jobs.run_due_work(database, organization.id, due)
    assert len(await billed(database, organization)) == 2


async def test_what_keeps_failing_is_parked_and_told(database, organization, due, monkeypatch):
    async def broken(*_args, **_kwargs):
        raise RuntimeError("still on fire")

    from tallymark.rooms.billing.service import invoice

    monkeypatch.setattr(invoice, "issue_all", broken)
    for _ in range(len(jobs.BACK_OFF) + 1):
        async with database.tenant(organization.id) as tx:
            await tx.execute(update(agenda).values(run_at=datetime.now(UTC) - timedelta(seconds=1)))
        await jobs.run_due_work(database, organization.id, due)
    async with database.tenant(organization.id) as tx:
        row = (await tx.execute(select(agenda).where(agenda.c.kind == Kind.BILL_PERIOD))).one()
    assert row.parked_at is not None
    async with database.system() as connection:
        assert due not in [owner.owner_id for owner in await due_owners(connection, now=datetime.now(UTC))]


async def test_a_clock_tells_what_failed_and_arrives_all_the_same(make_organization, monkeypatch):
    seller = (await make_organization("2025-01-10T00:00:00Z")).client
    plan = await kit.plan(seller, amount_cents=100)
    await kit.subscribe(seller, await kit.customer(seller), plan)

    async def broken(*_args, **_kwargs):
        raise RuntimeError("no paper")

    from tallymark.rooms.billing.service import invoice

    monkeypatch.setattr(invoice, "issue_all", broken)
    moved = await kit.advance(seller, "2025-02-01T00:10", fails=True)
    assert moved["test_clock"]["frozen_time"] == "2025-02-01T00:10:00Z"
    assert [error["work"] for error in moved["errors"]] == ["bill_period"]
    monkeypatch.undo()
    assert (await kit.advance(seller, "2025-02-01T01:00"))["errors"] == []
    assert (await kit.get(seller, "/invoices"))["meta"]["total_count"] == 1


async def test_an_amount_beyond_64_bits_is_told_and_stops_nobody_else(make_organization):
    """10¹⁴ units at 1,000.00 are 10¹⁹ cents, in arrears and in advance (pricing §1.4); another customer pays 22 of 31 days."""
    seller = (await make_organization("2025-01-10T00:00:00Z")).client
    used = await kit.metric(seller)
    dear = kit.charge(used, amount="1000")
    for price in (dear, {**dear, "pay_in_advance": True}):
        customer = await kit.customer(seller)
        await kit.send(
            seller, await kit.subscribe(seller, customer, await kit.plan(seller, price)), used, 10**14
        )
    other = await kit.customer(seller)
    await kit.subscribe(seller, other, await kit.plan(seller, amount_cents=3100))
    moved = await kit.advance(seller, "2025-02-01T00:10", fails=True)
    words = "AmountTooLarge: an amount is beyond the 64 bits of minor units that are kept of it"
    assert {(error["work"], error["error"]) for error in moved["errors"]} == {
        ("bill_period", words),
        ("price_event", words),
    }
    assert [one["fees_amount_cents"] for one in await kit.invoices(seller, other)] == [2200]
