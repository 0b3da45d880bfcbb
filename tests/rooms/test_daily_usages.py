"""Daily usage: what had been used of a period by the end of a day, and since the day before (metering §10)."""

import asyncio
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from tests import kit

from tallymark.db.tables import agenda, daily_usages, subscriptions
from tallymark.jobs import usage_days
from tallymark.jobs.agenda import Kind
from tallymark.rooms.daily_usages import service
from tallymark.rooms.daily_usages.differences import difference


@pytest.fixture
def days(database):
    """The days kept of an organization, in order: (usage_date, usage, usage_diff)."""

    async def read(organization, of=None):
        statement = select(daily_usages).order_by(daily_usages.c.usage_date)
        if of is not None:
            statement = statement.where(daily_usages.c.subscription_id == of["lago_id"])
        async with database.tenant(organization.id) as tx:
            return [row for row in await tx.execute(statement) if row.usage is not None]

    return read


@pytest.fixture
def waiting(database):
    """How many days of an organization wait for their end."""

    async def count(organization):
        async with database.tenant(organization.id) as tx:
            items = select(func.count()).where(agenda.c.kind == int(Kind.STORE_DAILY_USAGE))
            unused = select(func.count()).where(daily_usages.c.usage.is_(None))
            found = (await tx.execute(items)).scalar_one()
            assert found == (await tx.execute(unused)).scalar_one()
            return found

    return count


async def seller(make_organization, *metrics, start="2026-01-01T00:00:00Z", **plan):
    """A subscription whose charges cost 1.00 for each unit of the metrics; (organization, subscription, metrics)."""
    organization = await make_organization(start)
    made = [await kit.metric(organization.client, **one) for one in metrics or ({},)]
    charges = [kit.charge(one) for one in made]
    for charge in charges:
        charge.update(plan.pop("terms", {}))
    sold = await kit.plan(organization.client, *charges, **plan)
    who = await kit.customer(organization.client)
    return organization, await kit.subscribe(organization.client, who, sold), made


def numbers(rows):
    """(day, units so far, cents so far, units of the day, cents of the day, lago_invoice_id is there)."""
    return [
        (
            row.usage_date.isoformat(),
            row.usage["charges_usage"][0]["units"],
            row.usage["amount_cents"],
            row.usage_diff["charges_usage"][0]["units"],
            row.usage_diff["amount_cents"],
        )
        for row in rows
    ]


class TestDays:
    async def test_a_day_with_events_is_kept_when_it_is_over(self, make_organization, days, waiting):
        """3 units on 1 January, 2 on the 4th: 3.00, then 5.00; nothing of the idle days between."""
        organization, subscription, (metric,) = await seller(make_organization)
        client = organization.client
        await kit.send(client, subscription, metric, 1, 2)
        assert await days(organization) == []
        await kit.advance(client, "2026-01-04T12:00")
        await kit.send(client, subscription, metric, 2)
        await kit.advance(client, "2026-01-06")
        rows = await days(organization)
        assert numbers(rows) == [
            ("2026-01-01", "3.0", 300, "3.0", 300),
            ("2026-01-04", "5.0", 500, "2.0", 200),
        ]
        assert rows[0].refreshed_at == datetime(2026, 1, 2, 0, 10, tzinfo=UTC)
        assert (rows[1].from_at, rows[1].to_at) == (
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 2, 1, tzinfo=UTC),
        )
        assert await waiting(organization) == 0

    async def test_the_last_day_comes_from_the_invoice(self, make_organization, days, waiting):
        """5 units by 30 January, 1 on the 31st: the invoice bills 6.00, the day's own are 1.00, taxes off."""
        organization, subscription, (metric,) = await seller(make_organization)
        client = organization.client
        await kit.tax(client)
        await kit.advance(client, "2026-01-30T10:00")
        await kit.send(client, subscription, metric, 5)
        await kit.advance(client, "2026-01-31T10:00")
        await kit.send(client, subscription, metric, 1)
        await kit.advance(client, "2026-02-01T09:00")
        rows = await days(organization)
        assert numbers(rows) == [
            ("2026-01-30", "5.0", 500, "5.0", 500),
            ("2026-01-31", "6.0", 600, "1.0", 100),
        ]
        (invoice,) = (await kit.get(client, "/invoices"))["invoices"]
        assert rows[0].usage["lago_invoice_id"] is None
        assert rows[1].usage["lago_invoice_id"] == invoice["lago_id"]
        assert rows[1].usage["to_datetime"] == "2026-01-31T23:59:59Z"
        amounts = ("taxes_amount_cents", "total_amount_cents")
        assert [tuple(row.usage[name] for name in amounts) for row in rows] == [(0, 500), (0, 600)]
        assert await waiting(organization) == 0

    async def test_a_day_differs_from_the_last_kept_of_its_own_period(self, make_organization, days):
        """January ends at 4; February's first day of 1 is compared with nothing."""
        organization, subscription, (metric,) = await seller(make_organization)
        client = organization.client
        await kit.send(client, subscription, metric, 4)
        await kit.advance(client, "2026-02-01T09:00")
        await kit.send(client, subscription, metric, 1)
        await kit.advance(client, "2026-02-03")
        assert numbers(await days(organization)) == [
            ("2026-01-01", "4.0", 400, "4.0", 400),
            ("2026-01-31", "4.0", 400, "0.0", 0),
            ("2026-02-01", "1.0", 100, "1.0", 100),
        ]

    async def test_nothing_is_kept_where_every_fee_is_zero(self, make_organization, days, waiting):
        """An event of 0 units counts as an event; one that no charge counts does not."""
        organization, subscription, _ = await seller(make_organization)
        client = organization.client
        await kit.send(client, subscription, {"code": "unknown"}, 1)
        assert await waiting(organization) == 1
        await kit.advance(client, "2026-02-02")
        assert await days(organization) == []
        assert await waiting(organization) == 0

    async def test_days_are_the_customers(self, make_organization, days):
        """20:00 UTC on 1 January is the 2nd in Tokyo, which is over at 15:00 UTC on the 2nd."""
        organization = await make_organization("2026-01-01T00:00:00Z")
        client = organization.client
        metric = await kit.metric(client)
        who = await kit.customer(client, timezone="Asia/Tokyo")
        subscription = await kit.subscribe(client, who, await kit.plan(client, kit.charge(metric)))
        await kit.advance(client, "2026-01-01T20:00")
        await kit.send(client, subscription, metric, 2)
        await kit.advance(client, "2026-01-02T15:09")
        assert await days(organization) == []
        await kit.advance(client, "2026-01-02T15:10")
        assert numbers(await days(organization)) == [("2026-01-02", "2.0", 200, "2.0", 200)]

    async def test_a_customer_who_moved_west_has_the_day_end_later(self, make_organization, days):
        organization = await make_organization("2026-01-01T00:00:00Z")
        client = organization.client
        metric = await kit.metric(client)
        who = await kit.customer(client, timezone="UTC")
        subscription = await kit.subscribe(client, who, await kit.plan(client, kit.charge(metric)))
        await kit.advance(client, "2026-01-05T12:00")
        await kit.send(client, subscription, metric, 2)
        await kit.customer(client, external_id=who["external_id"], timezone="America/New_York")
        await kit.advance(client, "2026-01-06T05:09")
        assert await days(organization) == []
        await kit.advance(client, "2026-01-06T05:10")
        assert numbers(await days(organization)) == [("2026-01-05", "2.0", 200, "2.0", 200)]

    async def test_an_event_of_the_next_day_is_not_in_it(self, make_organization, days):
        """Whatever comes until the day is looked at, and were it days later, lies in the days after it."""
        organization, subscription, (metric,) = await seller(make_organization)
        client = organization.client
        await kit.send(client, subscription, metric, 1)
        await kit.advance(client, "2026-01-02T00:05")
        await kit.send(client, subscription, metric, 10)
        await kit.advance(client, "2026-01-03T01:00")
        assert numbers(await days(organization)) == [
            ("2026-01-01", "1.0", 100, "1.0", 100),
            ("2026-01-02", "11.0", 1100, "10.0", 1000),
        ]

    async def test_what_ended_has_no_further_days(self, make_organization, days, waiting):
        """2 units, ended at noon: the last invoice has the day."""
        organization, subscription, (metric,) = await seller(make_organization)
        client = organization.client
        await kit.advance(client, "2026-01-05T10:00")
        await kit.send(client, subscription, metric, 2)
        await kit.advance(client, "2026-01-05T12:00")
        await kit.call(client, "DELETE", f"/subscriptions/{subscription['external_id']}")
        await kit.advance(client, "2026-01-07")
        assert numbers(await days(organization)) == [("2026-01-05", "2.0", 200, "2.0", 200)]
        assert await waiting(organization) == 0


class TestWithoutEvents:
    async def test_a_recurring_charge_has_the_first_day_of_each_period(
        self, make_organization, days, waiting
    ):
        """3 units carried over: kept of 1 February and 1 March, and by each invoice."""
        recurring = {"recurring": True}
        organization, subscription, (metric,) = await seller(make_organization, recurring)
        client = organization.client
        await kit.advance(client, "2026-01-20")
        await kit.send(client, subscription, metric, 3)
        await kit.advance(client, "2026-03-05")
        assert numbers(await days(organization)) == [
            ("2026-01-20", "3.0", 300, "3.0", 300),
            ("2026-01-31", "3.0", 300, "0.0", 0),
            ("2026-02-01", "3.0", 300, "3.0", 300),
            ("2026-02-28", "3.0", 300, "0.0", 0),
            ("2026-03-01", "3.0", 300, "3.0", 300),
        ]
        assert await waiting(organization) == 0

    async def test_a_weighted_sum_has_every_day(self, make_organization, days, waiting):
        """Level 31 on 30 January at 00:00: held for 2 of 31 days, 2 units; the days differ by nothing."""
        weighted = {"aggregation_type": "weighted_sum_agg", "recurring": True, "weighted_interval": "seconds"}
        organization, subscription, (metric,) = await seller(make_organization, weighted)
        client = organization.client
        await kit.advance(client, "2026-01-30")
        await kit.send(client, subscription, metric, 31)
        await kit.advance(client, "2026-02-03T01:00")
        assert [(day, cents, diff) for day, _, cents, _, diff in numbers(await days(organization))] == [
            ("2026-01-30", 200, 200),
            ("2026-01-31", 200, 0),
            ("2026-02-01", 3100, 3100),
            ("2026-02-02", 3100, 0),
        ]
        assert await waiting(organization) == 1

    async def test_a_charge_by_the_day_has_every_day_once_it_is_on_the_plan(
        self, make_organization, days, waiting
    ):
        organization, subscription, (metric,) = await seller(make_organization, {"recurring": True})
        client = organization.client
        await kit.advance(client, "2026-01-03")
        assert await waiting(organization) == 0
        plan = subscription["plan_code"]
        body = {**kit.charge(metric), "prorated": True, "code": "by_the_day"}
        await kit.post(client, f"/plans/{plan}/charges", {"charge": body})
        assert await waiting(organization) == 1
        await kit.advance(client, "2026-01-06")
        assert await waiting(organization) == 1
        assert await days(organization) == []


class TestPaidInAdvance:
    async def test_days_and_the_last_of_them_have_what_was_billed_of_each_event(
        self, make_organization, days
    ):
        """2 events of 1.00 on the 3rd, 1 on the 31st; each has an invoice of its own, the period's has none of them."""
        terms = {"pay_in_advance": True, "invoiceable": True}
        organization, subscription, (metric,) = await seller(
            make_organization, {"aggregation_type": "count_agg"}, terms=terms, amount_cents=1000
        )
        client = organization.client
        await kit.advance(client, "2026-01-03")
        await kit.send(client, subscription, metric, 1, 1)
        await kit.advance(client, "2026-01-31T12:00")
        await kit.send(client, subscription, metric, 1)
        await kit.advance(client, "2026-02-02")
        assert numbers(await days(organization)) == [
            ("2026-01-03", "2.0", 200, "2.0", 200),
            ("2026-01-31", "3.0", 300, "1.0", 100),
        ]

    async def test_what_an_invoice_renews_is_of_the_next_period(self, make_organization, days):
        """2 seats at 1.00 on 10 January; the invoice of 1 February renews both for February."""
        terms = {"pay_in_advance": True, "invoiceable": True}
        metric = {"aggregation_type": "unique_count_agg", "recurring": True}
        organization, subscription, (seats,) = await seller(make_organization, metric, terms=terms)
        client = organization.client
        await kit.advance(client, "2026-01-10")
        await kit.send(client, subscription, seats, "a", "b")
        await kit.advance(client, "2026-02-03")
        assert numbers(await days(organization)) == [
            ("2026-01-10", "2.0", 200, "2.0", 200),
            ("2026-01-31", "2.0", 200, "0.0", 0),
            ("2026-02-01", "2.0", 200, "2.0", 200),
        ]


class TestWithTheInvoice:
    async def test_the_last_day_is_as_it_is_read_from_the_invoice_afterwards(
        self, make_organization, days, database
    ):
        """4 units at 2.00 of team a in the EU, 3 at 1.00 of team b: 11.00 less than the minimum of 50.00, and 50.00 in the end."""
        organization = await make_organization("2026-01-01T00:00:00Z")
        client = organization.client
        await kit.tax(client)
        metric = await kit.metric(client, filters=[{"key": "region", "values": ["eu"]}])
        sold = kit.charge(metric, pricing_group_keys=["team"])
        in_eu = {"amount": "2", "pricing_group_keys": ["team"]}
        sold |= {
            "min_amount_cents": 5000,
            "filters": [
                {"values": {"region": ["eu"]}, "properties": in_eu, "invoice_display_name": "Europe"}
            ],
        }
        subscription = await kit.subscribe(client, await kit.customer(client), await kit.plan(client, sold))
        for team, units, more in (("a", 4, {"region": "eu"}), ("b", 3, {})):
            await kit.send(
                client, subscription, metric, units, properties={"value": units, "team": team, **more}
            )
        await kit.advance(client, "2026-02-01T00:10")
        (_, kept) = await days(organization)
        assert (kept.usage["amount_cents"], kept.usage["taxes_amount_cents"]) == (5000, 0)
        assert kept.usage_diff["amount_cents"] == 5000 - 1100
        invoice_id = UUID(kept.usage["lago_invoice_id"])
        async with database.tenant(organization.id) as tx:
            await tx.execute(daily_usages.delete().where(daily_usages.c.id == kept.id))
            await service.store_last_days(tx, [invoice_id], now=kept.refreshed_at)
        (_, again) = await days(organization)
        assert {**again._mapping, "id": kept.id} == dict(kept._mapping)

    async def test_a_day_that_cannot_be_kept_holds_up_no_bill(self, make_organization, days, monkeypatch):
        organization, subscription, (metric,) = await seller(make_organization)
        client = organization.client
        await kit.advance(client, "2026-01-31T12:00")
        await kit.send(client, subscription, metric, 3)

        def broken(*_):
            raise RuntimeError("no day today")

        monkeypatch.setattr(service, "_last_day", broken)
        moved = await kit.advance(client, "2026-02-01T00:10", fails=True)
        assert [error["work"] for error in moved["errors"]] == ["store_last_day"]
        (invoice,) = (await kit.get(client, "/invoices"))["invoices"]
        assert (invoice["status"], invoice["total_amount_cents"]) == ("finalized", 300)
        assert await days(organization) == []
        monkeypatch.undo()
        await kit.advance(client, "2026-02-01T00:11")
        assert numbers(await days(organization)) == [("2026-01-31", "3.0", 300, "3.0", 300)]


async def test_a_missed_day_is_the_same_as_one_kept_in_time(make_organization, days, waiting, database):
    """2 January is kept on the 5th, after the 4th: as of its own end, and the 4th differs from it then."""
    organization, subscription, (metric,) = await seller(make_organization)
    client = organization.client
    await kit.send(client, subscription, metric, 1)
    await kit.advance(client, "2026-01-02T12:00")
    await kit.send(client, subscription, metric, 2)
    async with database.tenant(organization.id) as tx:
        await tx.execute(
            agenda.update()
            .where(agenda.c.kind == int(Kind.STORE_DAILY_USAGE))
            .values(run_at=datetime(2026, 1, 5, 9, tzinfo=UTC))
        )
    await kit.advance(client, "2026-01-04T12:00")
    await kit.send(client, subscription, metric, 4)
    await kit.advance(client, "2026-01-05T09:00")
    rows = await days(organization)
    assert numbers(rows) == [
        ("2026-01-01", "1.0", 100, "1.0", 100),
        ("2026-01-02", "3.0", 300, "2.0", 200),
        ("2026-01-04", "7.0", 700, "4.0", 400),
    ]
    assert rows[1].refreshed_at == datetime(2026, 1, 5, 9, tzinfo=UTC)


async def test_live_organizations_are_followed_by_the_time_of_reception(make_organization, database):
    """The day on which events came in is noted once, to be looked at when it is over."""
    organization = await make_organization()
    client = organization.client
    metric = await kit.metric(client)
    who = await kit.customer(client, timezone="Europe/Paris")
    subscription = await kit.subscribe(client, who, await kit.plan(client, kit.charge(metric)))
    await kit.send(client, subscription, metric, 1, 2, timestamp=datetime.now(UTC).timestamp() // 1)
    since, until = datetime.now(UTC) - timedelta(minutes=5), datetime.now(UTC) + timedelta(minutes=1)
    for _ in range(2):
        async with database.system() as connection:
            await usage_days.note_received(connection, database, since=since, until=until)
    async with database.tenant(organization.id) as tx:
        (row,) = (await tx.execute(select(daily_usages))).all()
        (item,) = (await tx.execute(select(agenda).where(agenda.c.kind == int(Kind.STORE_DAILY_USAGE)))).all()
        ends = await tx.execute(
            text("SELECT CAST(:day AS timestamp) AT TIME ZONE 'Europe/Paris'"),
            {"day": row.usage_date + timedelta(days=1)},
        )
    assert item.subject_id == row.id
    assert item.due_at == ends.scalar_one()
    assert item.run_at - item.due_at == database.settling_time
    assert item.owner_id.hex == who["lago_id"].replace("-", "")
    assert not item.is_simulated


async def test_days_of_many_are_kept_with_the_statements_of_one(
    make_organization, database, count_statements
):
    async def statements(customers):
        organization = await make_organization("2026-01-01T00:00:00Z")
        client = organization.client
        metric = await kit.metric(client)
        plan = await kit.plan(client, kit.charge(metric))
        for _ in range(customers):
            subscription = await kit.subscribe(client, await kit.customer(client), plan)
            await kit.send(client, subscription, metric, 1)
        with count_statements() as found:
            await kit.advance(client, "2026-01-02T01:00")
        async with database.tenant(organization.id) as tx:
            kept = select(func.count()).where(daily_usages.c.usage.is_not(None))
            assert (await tx.execute(kept)).scalar_one() == customers
        return len(found)

    assert await statements(6) == await statements(2)


async def test_an_idle_subscription_has_nothing_on_the_agenda(make_organization, waiting, database):
    organization, *_ = await seller(make_organization)
    await kit.advance(organization.client, "2026-06-01")
    assert await waiting(organization) == 0
    async with database.tenant(organization.id) as tx:
        assert (await tx.execute(select(func.count()).select_from(daily_usages))).scalar_one() == 0
        assert (await tx.execute(select(subscriptions.c.status))).scalar_one() == "active"


def number(**more):
    return {
        "units": "0.0",
        "total_aggregated_units": "0.0",
        "events_count": 0,
        "amount_cents": 0,
        "pricing_unit_details": None,
        "presentation_breakdowns": [],
        **more,
    }


def charge(name, **more):
    return {"charge": {"lago_id": name}, "filters": [], "grouped_usage": [], **number(**more)}


def used(*charges, taxes=0):
    amount = sum(item["amount_cents"] for item in charges)
    return {
        "amount_cents": amount,
        "taxes_amount_cents": taxes,
        "total_amount_cents": amount + taxes,
        "charges_usage": list(charges),
    }


class TestDifference:
    def test_is_all_of_it_on_the_first_day(self):
        usage = used(charge("a", units="2.0", amount_cents=5))
        assert difference(usage, None, {"a"}) == usage

    def test_is_taken_field_by_field(self):
        def filtered(units, cents):
            return {"values": {"region": ["eu"]}, **number(units=units, amount_cents=cents)}

        def grouped(units, cents, *filters):
            return {
                "grouped_by": {"cloud": "aws"},
                "filters": list(filters),
                **number(units=units, amount_cents=cents),
            }

        def shown(units):
            return {"presentation_by": {"team": "x"}, "units": units}

        before = used(
            charge("a", units="5.0", total_aggregated_units="5.0", events_count=3, amount_cents=500)
            | {
                "filters": [filtered("2.0", 200)],
                "grouped_usage": [grouped("5.0", 500, filtered("2.0", 200))],
                "presentation_breakdowns": [shown("5.0")],
            }
        )
        after = used(
            charge("a", units="7.5", total_aggregated_units="8.0", events_count=4, amount_cents=750)
            | {
                "filters": [filtered("3.0", 300)],
                "grouped_usage": [grouped("7.5", 750, filtered("3.0", 300))],
                "presentation_breakdowns": [shown("7.5")],
            }
        )
        (found,) = difference(after, before, {"a"})["charges_usage"]
        assert found == charge(
            "a", units="2.5", total_aggregated_units="3.0", events_count=1, amount_cents=250
        ) | {
            "filters": [filtered("1.0", 100) | {"total_aggregated_units": "0.0"}],
            "grouped_usage": [grouped("2.5", 250, filtered("1.0", 100))],
            "presentation_breakdowns": [shown("2.5")],
        }

    def test_what_is_used_no_more_is_taken_back(self):
        """5.00 of a on the day before, nothing now: -5.00; b has grown by 1.00."""
        before = used(charge("a", units="5.0", amount_cents=500), charge("b", amount_cents=100))
        after = used(charge("b", amount_cents=200))
        found = difference(after, before, {"a", "b"})
        assert found["amount_cents"] == -400
        by_charge = {item["charge"]["lago_id"]: item for item in found["charges_usage"]}
        assert (by_charge["a"]["units"], by_charge["a"]["amount_cents"]) == ("-5.0", -500)
        assert by_charge["b"]["amount_cents"] == 100

    def test_a_charge_that_is_no_more_keeps_what_it_came_to(self):
        """Of 600 before with taxes of 121, 100 are of what is there: 121/6 = 20.17, so 20 are deducted."""
        before = used(charge("gone", amount_cents=500), charge("b", amount_cents=100), taxes=121)
        after = used(charge("b", amount_cents=300), taxes=60)
        found = difference(after, before, {"b"})
        assert (found["amount_cents"], found["taxes_amount_cents"], found["total_amount_cents"]) == (
            200,
            40,
            240,
        )
        assert [item["charge"]["lago_id"] for item in found["charges_usage"]] == ["b"]

    @given(
        st.lists(
            st.dictionaries(st.sampled_from("abc"), st.tuples(st.integers(0, 99), st.integers(0, 9999))),
            min_size=1,
        )
    )
    def test_the_days_of_a_period_add_up_to_it(self, days):
        """Whatever comes and goes, by charge and in all."""
        before, amount = None, 0
        units: dict[str, Decimal] = defaultdict(Decimal)
        for day in days:
            usage = used(
                *(charge(name, units=f"{n}.0", amount_cents=cents) for name, (n, cents) in day.items())
            )
            found = difference(usage, before, {"a", "b", "c"})
            amount += found["amount_cents"]
            for item in found["charges_usage"]:
                units[item["charge"]["lago_id"]] += Decimal(item["units"])
            before = usage
        assert amount == sum(cents for _, cents in days[-1].values())
        assert {name: n for name, n in units.items() if n} == {
            name: n for name, (n, _) in days[-1].items() if n
        }

    def test_amounts_in_pricing_units_differ_too(self):
        unit = {"short_name": "CR", "conversion_rate": "2.0"}
        before = used(charge("a", pricing_unit_details={**unit, "amount_cents": 30}))
        after = used(charge("a", pricing_unit_details={**unit, "amount_cents": 45}))
        (found,) = difference(after, before, {"a"})["charges_usage"]
        assert found["pricing_unit_details"] == {**unit, "amount_cents": 15}


async def test_whoever_notes_the_same_days_at_once_waits_for_nobody_in_a_circle(make_organization, database):
    """Many at once, in any order: each day is noted once, and nobody is turned away."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    plan = await kit.plan(client)
    made = [await kit.subscribe(client, await kit.customer(client), plan) for _ in range(12)]
    ids = [UUID(one["lago_id"]) for one in made]

    async def note(number):
        mixed = random.Random(number).sample(ids, len(ids))
        async with database.tenant(organization.id, is_simulated=True) as tx:
            await usage_days.note(tx, mixed, at=datetime(2026, 1, 1, 12, tzinfo=UTC))

    await asyncio.gather(*(note(number) for number in range(8)))
    async with database.tenant(organization.id) as tx:
        noted = select(daily_usages.c.subscription_id)
        assert sorted((await tx.execute(noted)).scalars()) == sorted(ids)
