"""What follows from an event follows within a second, once, though processes die (metering §1.6, decision 7)."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, text, update
from tests import kit

from tallymark.db.ids import new_id
from tallymark.db.tables import agenda, alerts, usage_marks, watched_subscriptions
from tallymark.jobs.agenda import Kind
from tallymark.jobs.schedule import enqueue_what_is_due
from tallymark.rooms.billing import jobs
from tallymark.rooms.billing.service import follow


@pytest.fixture
def seen(monkeypatch):
    """What followers were shown: the units of each subscription's usage."""
    found = []

    async def look(tx, activity):
        for contract in activity.contracts:
            usage = await activity.usage_of(tx, contract)
            found.append(
                (contract.subscription.external_id, int(sum(line.fee.units for line in usage.lines)))
            )

    monkeypatch.setattr(follow, "FOLLOWERS", (look,))
    return found


async def world(client, **more):
    of = await kit.metric(client)
    plan = await kit.plan(client, kit.charge(of), **more)
    customer = await kit.customer(client)
    return of, customer, await kit.subscribe(client, customer, plan)


async def watch(database, organization, subscription, **more):
    """Somebody watches the usage of a subscription."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    row = {
        "id": new_id(),
        "organization_id": organization.id,
        "external_subscription_id": subscription["external_id"],
        "alert_type": "current_usage_amount",
        "code": "a",
        "thresholds": [],
        "previous_value": 0,
        "created_at": at,
        "updated_at": at,
        **more,
    }
    async with database.tenant(organization.id) as tx:
        await tx.execute(insert(alerts), row)


async def count(database, table, organization, *which):
    async with database.tenant(organization.id) as tx:
        return (await tx.execute(select(func.count()).select_from(table).where(*which))).scalar_one()


async def watched(database, organization):
    async with database.tenant(organization.id) as tx:
        found = select(watched_subscriptions.c.external_subscription_id)
        return set((await tx.execute(found)).scalars())


class TestWhoIsWatched:
    """Triggers keep it true, whoever writes."""

    async def test_while_an_alert_hangs_on_the_external_id(self, database, organization):
        _, _, subscription = await world(organization.client)
        assert await watched(database, organization) == set()
        await watch(database, organization, subscription)
        assert await watched(database, organization) == {subscription["external_id"]}
        async with database.tenant(organization.id) as tx:
            await tx.execute(update(alerts).values(deleted_at=datetime(2026, 1, 2, tzinfo=UTC)))
        assert await watched(database, organization) == set()

    async def test_a_subscription_that_begins_later_and_ends(self, database, organization):
        client = organization.client
        of, customer, _ = await world(client)
        await watch(database, organization, {"external_id": "later"})
        plan = await kit.plan(client, kit.charge(of))
        await kit.subscribe(client, customer, plan, external_id="later")
        assert await watched(database, organization) == {"later"}
        await kit.call(client, "DELETE", "/subscriptions/later")
        assert await watched(database, organization) == set()

    async def test_usage_thresholds_of_its_plan_while_there_are_some(self, database, organization):
        client = organization.client
        of = await kit.metric(client)
        plan = await kit.plan(client, kit.charge(of), usage_thresholds=[{"amount_cents": 1000}])
        subscription = await kit.subscribe(client, await kit.customer(client), plan)
        assert await watched(database, organization) == {subscription["external_id"]}
        await kit.call(client, "PUT", f"/plans/{plan['code']}", {"plan": {"usage_thresholds": []}})
        assert await watched(database, organization) == set()

    async def test_usage_thresholds_of_its_own_and_of_the_plan_that_its_own_plan_comes_from(
        self, database, organization
    ):
        client = organization.client
        of = await kit.metric(client)
        plan = await kit.plan(client, kit.charge(of))
        customer = await kit.customer(client)
        child = await kit.subscribe(client, customer, plan, plan_overrides={"amount_cents": 5})
        own = await kit.subscribe(client, customer, plan)
        sent = {"subscription": {"usage_thresholds": [{"amount_cents": 7}]}}
        await kit.call(client, "PUT", f"/subscriptions/{own['external_id']}", sent)
        assert await watched(database, organization) == {own["external_id"]}
        more = {"plan": {"usage_thresholds": [{"amount_cents": 1000}]}}
        await kit.call(client, "PUT", f"/plans/{plan['code']}", more)
        assert await watched(database, organization) == {own["external_id"], child["external_id"]}


class TestEvents:
    async def test_a_simulated_organizations_call_returns_when_it_is_followed(
        self, database, make_organization, seen
    ):
        organization = await make_organization("2026-05-01T00:00:00Z")
        of, _, subscription = await world(organization.client)
        await watch(database, organization, subscription)
        await kit.send(organization.client, subscription, of, 3, 4)
        await kit.send(organization.client, subscription, of, 5)
        assert seen == [(subscription["external_id"], 7), (subscription["external_id"], 12)]
        assert await count(database, usage_marks, organization) == 0
        following = agenda.c.kind.in_([Kind.FOLLOW_USAGE, Kind.CHECK_THRESHOLDS])
        assert await count(database, agenda, organization, following) == 0

    async def test_a_live_organizations_worker_is_told_once_for_all_that_came_in(
        self, database, organization, seen
    ):
        of, customer, subscription = await world(organization.client)
        await watch(database, organization, subscription)
        for value in (1, 2, 3):
            await kit.send(organization.client, subscription, of, value)
        async with database.system() as connection:
            await enqueue_what_is_due(connection, now=datetime.now(UTC))
            queued = await connection.execute(
                text("SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'owner_id' = :id"),
                {"id": customer["lago_id"]},
            )
            assert queued.scalar_one() == 1
        assert seen == []
        await jobs.run_due_work(database, organization.id, UUID(customer["lago_id"]))
        assert seen == [(subscription["external_id"], 6)]

    async def test_whom_nobody_watches_leaves_no_mark(self, database, organization, seen):
        client = organization.client
        of, _, subscription = await world(client)
        other = await kit.subscribe(client, await kit.customer(client), await kit.plan(client))
        await watch(database, organization, subscription)
        await kit.send(client, other, of, 1)
        await kit.send(client, {"external_id": "nobody's"}, of, 1)
        assert await count(database, usage_marks, organization) == 0

    async def test_a_duplicate_leaves_no_mark(self, database, organization):
        of, _, subscription = await world(organization.client)
        await watch(database, organization, subscription)
        sent = {
            "transaction_id": "t",
            "external_subscription_id": subscription["external_id"],
            "code": of["code"],
        }
        await kit.post(organization.client, "/events", {"event": sent})
        await kit.post(organization.client, "/events", {"event": sent}, expect=422)
        assert await count(database, usage_marks, organization) == 1

    async def test_one_price_list_and_one_mark_for_events_in_advance(self, database, make_organization, seen):
        """Both lists are written by one statement; the fee is there when usage is looked at."""
        organization = await make_organization("2026-05-01T00:00:00Z")
        client = organization.client
        of = await kit.metric(client)
        plan = await kit.plan(client, {**kit.charge(of), "pay_in_advance": True})
        customer = await kit.customer(client)
        subscription = await kit.subscribe(client, customer, plan)
        await watch(database, organization, subscription)
        await kit.send(client, subscription, of, 3)
        assert seen == [(subscription["external_id"], 3)]
        assert len(await kit.invoices(client, customer)) == 1


class TestOnce:
    async def test_killed_while_it_looks_it_looks_again(self, database, organization, monkeypatch, seen):
        of, customer, subscription = await world(organization.client)
        await watch(database, organization, subscription)
        await kit.send(organization.client, subscription, of, 3)
        owner = UUID(customer["lago_id"])

        class Killed(BaseException):
            """Nothing catches a kill."""

        async def die(*_args):
            raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(follow, "FOLLOWERS", (*follow.FOLLOWERS, die))
            with pytest.raises(Killed):
                await jobs.run_due_work(database, organization.id, owner)
        seen.clear()
        await jobs.run_due_work(database, organization.id, owner)
        await jobs.run_due_work(database, organization.id, owner)
        assert seen == [(subscription["external_id"], 3)]

    async def test_what_fails_waits_and_the_next_event_has_it_tried_again(
        self, database, organization, monkeypatch, seen
    ):
        of, customer, subscription = await world(organization.client)
        await watch(database, organization, subscription)
        owner = UUID(customer["lago_id"])

        async def fail(*_args):
            raise ValueError("no")

        with monkeypatch.context() as patch:
            patch.setattr(follow, "FOLLOWERS", (fail,))
            await kit.send(organization.client, subscription, of, 3)
            await jobs.run_due_work(database, organization.id, owner)
        async with database.tenant(organization.id) as tx:
            row = (await tx.execute(select(agenda).where(agenda.c.kind == int(Kind.FOLLOW_USAGE)))).one()
        assert (row.attempts, row.last_error) == (1, "ValueError: no")
        await kit.send(organization.client, subscription, of, 4)
        await jobs.run_due_work(database, organization.id, owner)
        assert seen == [(subscription["external_id"], 7)]

    async def test_events_and_workers_side_by_side_end_with_all_seen(self, database, organization, seen):
        of, customer, subscription = await world(organization.client)
        await watch(database, organization, subscription)
        owner = UUID(customer["lago_id"])

        async def work():
            for _ in range(5):
                await jobs.run_due_work(database, organization.id, owner)

        await asyncio.gather(
            *(kit.send(organization.client, subscription, of, 1) for _ in range(40)), work(), work()
        )
        await jobs.run_due_work(database, organization.id, owner)
        assert seen[-1] == (subscription["external_id"], 40)
        assert await count(database, usage_marks, organization) == 0

    async def test_the_first_watch_of_an_organization_is_known_to_the_very_next_event(
        self, database, organization, seen
    ):
        """Also where another process made it: the intake's memory is checked in the statement that stores."""
        of, _, subscription = await world(organization.client)
        await kit.send(organization.client, subscription, of, 1)
        assert await count(database, usage_marks, organization) == 0
        await watch(database, organization, subscription)
        await kit.send(organization.client, subscription, of, 1)
        assert await count(database, usage_marks, organization) == 1
