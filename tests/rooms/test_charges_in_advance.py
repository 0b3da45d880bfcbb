"""Events of charges in advance become fees: once each, in order, whatever dies on the way (metering §8)."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from tests import kit

from tallymark.db.tables import charges, events_to_price, outbox, priced_events
from tallymark.jobs.schedule import enqueue_what_is_due
from tallymark.rooms.billing import event_run, jobs
from tallymark.rooms.billing.service.advance import bill_events


@pytest.fixture
def world(database):
    """Makes a subscription to a plan with one charge in advance; `columns` are those of the charge."""

    async def make(organization, metric=("sum_agg", {}), charge=("standard", {"amount": "2"}), **columns):
        client = organization.client
        of = await kit.metric(client, metric[0], **metric[1])
        plan = await kit.plan(client, kit.charge(of, charge[0], **charge[1]))
        await pay_in_advance(database, plan, **columns)
        customer = await kit.customer(client)
        return of, plan, customer, await kit.subscribe(client, customer, plan)

    return make


async def pay_in_advance(database, plan, **columns):
    async with database.system() as connection:
        await connection.execute(
            update(charges)
            .where(charges.c.plan_id == UUID(plan["lago_id"]))
            .values(pay_in_advance=True, **columns)
        )


async def fees_of(client, subscription):
    listed = await kit.get(
        client,
        "/fees",
        external_subscription_id=subscription["external_id"],
        fee_type="charge",
        per_page=1000,
    )
    return listed["fees"]


@pytest.fixture
async def simulated(make_organization):
    return await make_organization("2026-05-01T00:00:00Z")


class TestFees:
    async def test_e7_fees_of_a_sum_and_the_usage_beside_them(self, world, simulated):
        metric, _, customer, subscription = await world(simulated, invoiceable=False)
        client = simulated.client
        for value in (10, -4, 3):
            await kit.send(client, subscription, metric, value)
        usage = await kit.usage(client, customer, subscription)
        assert (usage["charges_usage"][0]["units"], usage["amount_cents"]) == ("9.0", 2000)
        await kit.send(client, subscription, metric, 5)
        fees = await fees_of(client, subscription)
        assert [(fee["units"], fee["amount_cents"]) for fee in fees] == [
            ("10.0", 2000), ("0.0", 0), ("3.0", 0), ("4.0", 800)]  # fmt: skip
        assert {fee["lago_invoice_id"] for fee in fees} == {None}
        assert {fee["payment_status"] for fee in fees} == {"pending"}

    async def test_prices_of_ones_own_go_on_where_the_plans_stood(self, simulated, database):
        """10.00 flat and 1.00 a call, 2.00 in the east beyond its first; seats at 5.00; 3.00 for ten units beyond two.

        What is sent again after the subscription was given prices of its own pays no flat amount, no seat and no package again.
        """
        client = simulated.client
        calls = await kit.metric(client, "count_agg", filters=[{"key": "side", "values": ["east", "west"]}])
        seats, units = await kit.metric(client, "unique_count_agg"), await kit.metric(client)
        tiers = [{"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "10"}]
        east = [
            {"from_value": 0, "to_value": 1, "per_unit_amount": "0", "flat_amount": "0"},
            {"from_value": 1, "to_value": None, "per_unit_amount": "2", "flat_amount": "0"},
        ]
        offered = (
            kit.charge(calls, "graduated", graduated_ranges=tiers)
            | {"filters": [{"values": {"side": ["east"]}, "properties": {"graduated_ranges": east}}]},
            kit.charge(seats, amount="5"),
            kit.charge(units, "package", amount="3", package_size=10, free_units=2),
        )
        plan = await kit.plan(client, *(charge | {"pay_in_advance": True} for charge in offered))
        customer = await kit.customer(client)
        subscription = await kit.subscribe(client, customer, plan)

        async def use():
            before = len(await fees_of(client, subscription))
            for of, properties in (
                (calls, {"side": "east"}), (calls, {}), (seats, {"value": "ann"}), (units, {"value": 4}),
            ):  # fmt: skip
                await kit.send(client, subscription, of, 0, properties=properties)
            return [fee["amount_cents"] for fee in (await fees_of(client, subscription))[before:]]

        assert await use() == [0, 1100, 500, 300]
        path = f"/subscriptions/{subscription['external_id']}"
        await kit.call(client, "PUT", path, {"subscription": {"plan_overrides": {"name": "Own"}}})
        assert (await kit.usage(client, customer, subscription))["amount_cents"] == 1900
        assert await use() == [200, 100, 0, 0]
        assert (await kit.usage(client, customer, subscription))["amount_cents"] == 2200
        await kit.assert_audit_clean(database, simulated.id)

    async def test_an_invoice_for_each_event_as_of_its_time(self, world, simulated):
        """§8.1, invoicing §7.3: dated at the event, numbered, told after its fee."""
        client = simulated.client
        await kit.tax(client, "20")
        metric, _, customer, subscription = await world(simulated)
        await kit.advance(client, "2026-05-20T10:00")
        await kit.send(client, subscription, metric, 3, timestamp=kit.epoch("2026-05-18T14:00"))
        (invoice,) = await kit.invoices(client, customer)
        assert (invoice["status"], invoice["invoice_type"], invoice["issuing_date"]) == (
            "finalized", "subscription", "2026-05-18")  # fmt: skip
        assert (invoice["fees_amount_cents"], invoice["taxes_amount_cents"]) == (600, 120)
        (period,) = invoice["billing_periods"]
        assert period["invoicing_reason"] == "in_advance_charge"
        (fee,) = invoice["fees"]
        assert (fee["pay_in_advance"], fee["events_count"], fee["invoiceable"]) == (True, 1, True)

    async def test_webhooks_tell_the_fee_before_the_invoice(self, world, simulated, database):
        metric, _, _, subscription = await world(simulated)
        await kit.send(simulated.client, subscription, metric, 3)
        async with database.tenant(simulated.id) as tx:
            told = (await tx.execute(select(outbox.c.webhook_type).order_by(outbox.c.id))).scalars().all()
        assert [kind for kind in told if kind.startswith(("fee.", "invoice."))] == [
            "fee.created",
            "invoice.created",
        ]

    async def test_a_late_event_is_priced_on_top_of_what_was_sold(self, world, simulated):
        """§8.2: in the order of processing, wherever in the window it is dated; an earlier window has its own count."""
        client = simulated.client
        graduated = {"graduated_ranges": [
            {"from_value": 0, "to_value": 5, "per_unit_amount": "2", "flat_amount": "0"},
            {"from_value": 6, "to_value": None, "per_unit_amount": "1", "flat_amount": "0"}]}  # fmt: skip
        metric, _, _, subscription = await world(
            simulated, charge=("graduated", graduated), invoiceable=False
        )
        await kit.advance(client, "2026-05-20")
        await kit.send(client, subscription, metric, 5)
        await kit.send(client, subscription, metric, 2, timestamp=kit.epoch("2026-05-03"))
        await kit.advance(client, "2026-06-02")
        await kit.send(client, subscription, metric, 1)
        await kit.send(client, subscription, metric, 1, timestamp=kit.epoch("2026-05-31"))
        assert [fee["amount_cents"] for fee in await fees_of(client, subscription)] == [1000, 200, 200, 100]

    async def test_a_late_event_goes_on_where_its_own_window_stood(self, world, simulated):
        """7 of May, 2 of June, then 4 less and 6 more of May: the mark of May was 7, so 2 of them are billed."""
        metric, _, _, subscription = await world(simulated)
        client = simulated.client
        for day, value in (("2026-05-02", 7), ("2026-06-01", 2), ("2026-05-03", -4), ("2026-05-04", 6)):
            if day == "2026-06-01":
                await kit.advance(client, "2026-06-01T12:00")
            await kit.send(client, subscription, metric, value, timestamp=kit.epoch(f"{day}T12:00:00"))
        assert [fee["amount_cents"] for fee in await fees_of(client, subscription)] == [1400, 400, 0, 400]

    async def test_events_that_say_nothing_of_the_metric_make_no_fee(self, world, simulated):
        metric, _, _, subscription = await world(simulated, invoiceable=False)
        client = simulated.client
        await kit.send(client, subscription, metric, "1e3", "", None)
        await kit.send(client, subscription, {"code": "other"}, 5)
        assert await fees_of(client, subscription) == []

    async def test_what_came_before_the_subscription_makes_no_fee(self, simulated, database):
        client = simulated.client
        metric = await kit.metric(client)
        plan = await kit.plan(client, kit.charge(metric))
        await pay_in_advance(database, plan, invoiceable=False)
        await kit.send(client, {"external_id": "later"}, metric, 5, timestamp=kit.epoch("2026-05-10"))
        customer = await kit.customer(client)
        subscription = await kit.subscribe(client, customer, plan, external_id="later")
        assert await fees_of(client, subscription) == []
        await kit.send(client, subscription, metric, 2)
        assert [fee["amount_cents"] for fee in await fees_of(client, subscription)] == [200]
        # The running period has both: what was billed, and what the early event would cost (§9.1).
        usage = await kit.usage(client, customer, subscription)
        assert (usage["charges_usage"][0]["units"], usage["amount_cents"]) == ("7.0", 700)

    async def test_unique_values_are_compared_as_text(self, world, simulated):
        metric, _, _, subscription = await world(simulated, ("unique_count_agg", {}), invoiceable=False)
        client = simulated.client
        await kit.send(client, subscription, metric, 1, "1", True, "true")
        assert [fee["amount_cents"] for fee in await fees_of(client, subscription)] == [200, 0, 200, 0]

    async def test_e8_prorated_by_the_days_left(self, world, simulated):
        client = simulated.client
        metric, _, _, subscription = await world(
            simulated,
            ("sum_agg", {"recurring": True}),
            ("standard", {"amount": "4"}),
            prorated=True,
            invoiceable=False,
        )
        await kit.advance(client, "2026-05-20T14:00")
        await kit.send(client, subscription, metric, 9)
        (fee,) = await fees_of(client, subscription)
        assert (fee["amount_cents"], fee["units"], fee["precise_amount"]) == (1394, "9.0", "13.93552")
        assert fee["precise_unit_amount"] == "1.548888888888889"


class TestBuckets:
    """Each event counts in one filter and group, and each has a mark of its own (metering §6, §7, §8.2)."""

    async def test_e9_in_advance_the_same_filters_count(self, simulated):
        client = simulated.client
        keys = [{"key": "region", "values": ["eu", "us", "ap"]}, {"key": "tier", "values": ["gold", "std"]}]
        metric = await kit.metric(client, filters=keys)
        prices = [({"region": ["__ALL_FILTER_VALUES__"]}, "1"), ({"region": ["eu"]}, "2"),
                  ({"region": ["eu"], "tier": ["gold"]}, "3"), ({"tier": ["gold"]}, "4")]  # fmt: skip
        filters = [{"values": values, "properties": {"amount": amount}} for values, amount in prices]
        charge = {
            **kit.charge(metric, amount="10"),
            "filters": filters,
            "pay_in_advance": True,
            "invoiceable": False,
        }
        plan = await kit.plan(client, charge)
        subscription = await kit.subscribe(client, await kit.customer(client), plan)
        sent = [({"region": "eu", "tier": "gold"}, 5), ({"region": "us", "tier": "gold"}, 7),
                ({"region": "eu", "tier": "std"}, 2), ({"region": "mars", "tier": "std"}, 3), ({}, 1)]  # fmt: skip
        for properties, value in sent:
            await kit.send(client, subscription, metric, value, properties={**properties, "value": value})
        fees = await fees_of(client, subscription)
        assert [fee["amount_cents"] for fee in fees] == [1500, 2800, 400, 3000, 1000]
        ids = {
            f["properties"]["amount"]: f["lago_id"] for f in plan["charges"][0]["filters"] if "lago_id" in f
        }
        assert [fee["lago_charge_filter_id"] is None for fee in fees] == [False, False, False, True, True]
        assert not ids or fees[0]["lago_charge_filter_id"] == ids["3"]

    async def test_each_group_has_its_own_mark_and_its_values_as_text(self, simulated):
        client = simulated.client
        metric = await kit.metric(client)
        priced = kit.charge(metric, amount="1", pricing_group_keys=["team"])
        plan = await kit.plan(client, {**priced, "pay_in_advance": True, "invoiceable": False})
        customer = await kit.customer(client)
        subscription = await kit.subscribe(client, customer, plan)
        for team, value in ((12, 10), ("12", -4), ("13", 3), ("12", 5), (None, 1)):
            await kit.send(client, subscription, metric, value, properties={"team": team, "value": value})
        fees = await fees_of(client, subscription)
        assert [(fee["item"]["grouped_by"], fee["amount_cents"]) for fee in fees] == [
            ({"team": "12"}, 1000), ({"team": "12"}, 0), ({"team": "13"}, 300), ({"team": "12"}, 100),
            ({"team": None}, 100)]  # fmt: skip
        (usage,) = (await kit.usage(client, customer, subscription))["charges_usage"]
        shown = {group["grouped_by"]["team"]: group["amount_cents"] for group in usage["grouped_usage"]}
        assert (usage["amount_cents"], shown) == (1500, {"12": 1100, "13": 300, None: 100})
        merged = await kit.usage(client, customer, subscription, skip_grouping="true")
        assert merged["amount_cents"] == 1500


class TestOnce:
    """§8.5: at most one fee per event and charge; an event is never lost."""

    async def test_a_live_organizations_events_wait_for_a_worker(self, world, organization, database):
        metric, _, customer, subscription = await world(organization, invoiceable=False)
        await kit.send(organization.client, subscription, metric, 1, 2, 3)
        assert await fees_of(organization.client, subscription) == []
        async with database.system() as connection:
            await enqueue_what_is_due(connection, now=datetime.now(UTC))
            queued = await connection.execute(
                text("SELECT count(*) FROM procrastinate_jobs WHERE args ->> 'owner_id' = :id"),
                {"id": customer["lago_id"]},
            )
            assert queued.scalar_one() == 1
        await jobs.run_due_work(database, organization.id, UUID(customer["lago_id"]))
        assert [fee["amount_cents"] for fee in await fees_of(organization.client, subscription)] == [
            200,
            400,
            600,
        ]

    async def test_killed_between_ingestion_and_pricing_one_fee_is_made(
        self, world, organization, database, monkeypatch
    ):
        metric, _, customer, subscription = await world(organization)
        await kit.send(organization.client, subscription, metric, 3)
        owner = UUID(customer["lago_id"])

        class Killed(BaseException):
            """Nothing catches a kill."""

        async def die(*_args, **_more):
            raise Killed

        monkeypatch.setattr("tallymark.rooms.billing.service.advance.advance.take_off", die)
        for _ in range(3):
            with pytest.raises(Killed):
                await jobs.run_due_work(database, organization.id, owner)
            assert await fees_of(organization.client, subscription) == []
        monkeypatch.undo()
        await jobs.run_due_work(database, organization.id, owner)
        await jobs.run_due_work(database, organization.id, owner)
        assert [fee["amount_cents"] for fee in await fees_of(organization.client, subscription)] == [600]
        assert len(await kit.invoices(organization.client, customer)) == 1

    async def test_what_waits_while_prices_of_ones_own_are_given_is_billed(
        self, world, organization, database
    ):
        """The event came before the copy of its charge was there, but not before the charge."""
        metric, _, customer, subscription = await world(organization)
        await kit.send(organization.client, subscription, metric, 3)
        path = f"/subscriptions/{subscription['external_id']}"
        own = {"subscription": {"plan_overrides": {"name": "Own"}}}
        await kit.call(organization.client, "PUT", path, own)
        await jobs.run_due_work(database, organization.id, UUID(customer["lago_id"]))
        assert [fee["amount_cents"] for fee in await fees_of(organization.client, subscription)] == [600]

    async def test_two_batches_at_once_and_many_workers(self, world, organization, database):
        graduated = {"graduated_ranges": [
            {"from_value": 0, "to_value": 50, "per_unit_amount": "2", "flat_amount": "3"},
            {"from_value": 51, "to_value": None, "per_unit_amount": "1", "flat_amount": "5"}]}  # fmt: skip
        metric, _, customer, subscription = await world(
            organization, charge=("graduated", graduated), invoiceable=False
        )
        owner = UUID(customer["lago_id"])
        await asyncio.gather(
            kit.send(organization.client, subscription, metric, *range(1, 21)),
            kit.send(organization.client, subscription, metric, *range(1, 21)),
            *(jobs.run_due_work(database, organization.id, owner) for _ in range(3)),
        )
        await asyncio.gather(*(jobs.run_due_work(database, organization.id, owner) for _ in range(4)))
        fees = await fees_of(organization.client, subscription)
        assert len(fees) == 40
        # Invariant 11: 420 units cost 50 × 2 + 3 + 370 + 5, however they came.
        assert sum(fee["amount_cents"] for fee in fees) == 47_800

    async def test_a_resent_event_makes_no_second_fee(self, world, simulated):
        """Invariant 1."""
        metric, _, _, subscription = await world(simulated, invoiceable=False)
        client = simulated.client
        body = {"event": {"transaction_id": "t", "external_subscription_id": subscription["external_id"],
                          "code": metric["code"], "properties": {"value": 2}}}  # fmt: skip
        await kit.post(client, "/events", body)
        await kit.post(client, "/events", body, expect=422)
        assert len(await fees_of(client, subscription)) == 1

    async def test_an_event_that_fails_holds_up_no_other(self, world, simulated, database, monkeypatch):
        metric, _, _, subscription = await world(simulated, invoiceable=False)
        client = simulated.client
        await kit.send(client, subscription, metric, 1)
        priced, faulty = bill_events, set[int]()

        async def refuse_the_first(tx, customer_id, *, now, limit):
            if limit > 1 or (await waiting(tx))[0] in faulty:
                raise ValueError("out of order")
            return await priced(tx, customer_id, now=now, limit=limit)

        async def waiting(tx):
            found = select(events_to_price.c.id).where(events_to_price.c.retry_at.is_(None))
            return (await tx.execute(found.order_by(events_to_price.c.id))).scalars().all()

        async with database.tenant(simulated.id) as tx:
            last = (await tx.execute(select(func.max(priced_events.c.id)))).scalar_one()
            assert last is not None
        monkeypatch.setattr(event_run, "bill_events", refuse_the_first)
        async with database.system() as connection:
            last_id = await connection.execute(text("SELECT last_value FROM events_to_price_id_seq"))
            faulty.add(last_id.scalar_one() + 1)
        await kit.send(client, subscription, metric, 2, 3)
        assert [fee["amount_cents"] for fee in await fees_of(client, subscription)] == [200, 600]
        monkeypatch.undo()
        await kit.advance(client, "2026-05-02")
        assert [fee["amount_cents"] for fee in await fees_of(client, subscription)] == [200, 600, 400]


class TestTheIntakeKnows:
    async def test_a_charge_made_in_advance_is_seen_by_the_very_next_event(self, simulated, database):
        """Also where another process made it: the intake's memory is checked in the statement that stores."""
        client = simulated.client
        metric = await kit.metric(client)
        plan = await kit.plan(client, kit.charge(metric))
        subscription = await kit.subscribe(client, await kit.customer(client), plan)
        await kit.send(client, subscription, metric, 1)
        async with database.system() as connection:
            await connection.execute(
                text("UPDATE charges SET pay_in_advance = true, invoiceable = false WHERE plan_id = :id"),
                {"id": plan["lago_id"]},
            )
        await kit.send(client, subscription, metric, 2)
        assert [fee["units"] for fee in await fees_of(client, subscription)] == ["2.0"]
        async with database.system() as connection:
            await connection.execute(
                text("UPDATE charges SET deleted_at = now() WHERE plan_id = :id"), {"id": plan["lago_id"]}
            )
        await kit.send(client, subscription, metric, 3)
        assert len(await fees_of(client, subscription)) == 1

    async def test_nothing_is_left_waiting(self, world, simulated, database):
        metric, _, _, subscription = await world(simulated, invoiceable=False)
        await kit.send(simulated.client, subscription, metric, 1)
        await kit.send(simulated.client, {"external_id": "nobody"}, metric, 1)
        async with database.tenant(simulated.id) as tx:
            assert (await tx.execute(select(func.count()).select_from(events_to_price))).scalar_one() == 0
