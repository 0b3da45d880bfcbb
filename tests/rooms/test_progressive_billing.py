"""Usage billed when it passes a threshold, and credited where its period is billed (pricing §14, invoicing §5.1, §9)."""

import asyncio

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from tests import kit
from tests.kit import Json, call, get
from tests.rooms.test_coupons import coupon, give

from tallymark.db.ids import new_id
from tallymark.db.tables import applied_usage_thresholds, outbox
from tallymark.rooms.billing import jobs
from tallymark.rooms.invoices import progressive

STANDING = "2025-01-01T00:00:00Z"


def marks(*amounts, recurring=None):
    found = [{"amount_cents": cents, "threshold_display_name": f"level {cents}"} for cents in amounts]
    return found + ([{"amount_cents": recurring, "recurring": True}] if recurring else [])


class World:
    """A customer on a monthly plan of 30.00, with calls at 0.01 each, and usage thresholds."""

    calls: Json
    plan: Json
    customer: Json
    subscription: Json

    def __init__(self, organization):
        self.organization, self.client = organization, organization.client

    @classmethod
    async def make(cls, organization, *thresholds, recurring=None, tax=None, grace=0, **plan):
        world = cls(organization)
        client = world.client
        if tax:
            await kit.tax(client, tax)
        world.calls = await kit.metric(client, "sum_agg", field_name="value")
        world.plan = await kit.plan(
            client,
            kit.charge(world.calls, amount="0.01"),
            amount_cents=plan.pop("amount_cents", 3000),
            usage_thresholds=marks(*thresholds, recurring=recurring),
            **plan,
        )
        world.customer = await kit.customer(
            client, currency="EUR", billing_configuration={"invoice_grace_period": grace}
        )
        world.subscription = await kit.subscribe(client, world.customer, world.plan)
        return world

    @property
    def path(self):
        return f"/subscriptions/{self.subscription['external_id']}"

    async def use(self, *units, of=None, **more):
        await kit.send(self.client, self.subscription, of or self.calls, *units, **more)
        await self.look()

    async def look(self):
        """Have usage held against the thresholds: what was used elsewhere is said to be what it was."""
        body = {"lifetime_usage": {"external_historical_usage_amount_cents": 0}}
        await call(self.client, "PUT", f"{self.path}/lifetime_usage", body)

    async def invoices(self, kind=None):
        found = await kit.invoices(self.client, self.customer)
        numbered = sorted(found, key=lambda one: (one["created_at"], one["sequential_id"] or 0))
        return [one for one in numbered if kind is None or one["invoice_type"] == kind]

    async def progressive(self):
        return await self.invoices("progressive_billing")

    async def notes(self):
        listed = await get(self.client, "/credit_notes", external_customer_id=self.customer["external_id"])
        return listed["credit_notes"]


@pytest.fixture
def messages(database):
    async def read(organization):
        async with database.tenant(organization.id) as tx:
            return (await tx.execute(select(outbox.c.webhook_type).order_by(outbox.c.id))).scalars().all()

    return read


@pytest.fixture
def world(make_organization):
    async def make(*thresholds, start=STANDING, **more):
        return await World.make(await make_organization(start), *thresholds, **more)

    return make


def amounts(invoice):
    names = ("fees", "progressive_billing_credit", "sub_total_excluding_taxes", "taxes", "total")
    return tuple(invoice[f"{name}_amount_cents"] for name in names)


class TestThePeriod:
    async def test_is_billed_as_it_is_used(self, world):
        """invoicing §17.5: 5200, 11000 and 12500 at 20 %, and a base price of 3000."""
        w = await world(5000, 10000, tax="20")
        await kit.advance(w.client, "2025-01-10")
        await w.use(4999)
        assert await w.invoices() == []
        await w.use(201)
        (first,) = await w.progressive()
        assert amounts(first) == (5200, 0, 5200, 1040, 6240)
        assert (first["status"], first["issuing_date"]) == ("finalized", "2025-01-10")
        (period,) = first["billing_periods"]
        assert period["invoicing_reason"] == "progressive_billing"
        assert (period["charges_from_datetime"], period["charges_to_datetime"]) == (
            "2025-01-01T00:00:00Z",
            "2025-01-31T23:59:59Z",
        )
        (applied,) = first["applied_usage_thresholds"]
        assert applied["lifetime_usage_amount_cents"] == 5200
        assert applied["usage_threshold"]["amount_cents"] == 5000
        assert applied["usage_threshold"]["threshold_display_name"] == "level 5000"
        await w.use(5800)
        second = (await w.progressive())[1]
        assert amounts(second) == (11000, 5200, 5800, 1160, 6960)
        (credit,) = second["credits"]
        assert (credit["amount_cents"], credit["before_taxes"]) == (5200, True)
        assert credit["item"] == {
            "lago_item_id": first["lago_id"],
            "type": "invoice",
            "code": first["number"],
            "name": first["number"],
            "description": None,
        }
        await w.use(1500)
        assert len(await w.progressive()) == 2
        await kit.advance(w.client, "2025-02-01T01:00")
        (last,) = await w.invoices("subscription")
        assert amounts(last) == (15500, 11000, 4500, 900, 5400)
        assert [fee["precise_coupons_amount_cents"] for fee in last["fees"]] == ["0.0", "11000.0"]
        assert await w.notes() == []

    async def test_that_follows_starts_from_what_was_invoiced(self, world):
        """pricing §17.12, from 15500: 19500 is below 20000, and 20100 beyond."""
        w = await world(2000, 10000, recurring=5000, amount_cents=0)
        await kit.advance(w.client, "2025-01-05")
        await w.use(2500)
        await w.use(13000)
        assert [amounts(one)[0] for one in await w.progressive()] == [2500, 15500]
        passed = (await w.progressive())[1]["applied_usage_thresholds"]
        assert [item["usage_threshold"]["amount_cents"] for item in passed] == [10000, 5000]
        await kit.advance(w.client, "2025-02-05")
        await w.use(4000)
        assert len(await w.progressive()) == 2
        await w.use(600)
        assert amounts((await w.progressive())[2])[:3] == (4600, 0, 4600)

    async def test_that_has_ended_unbilled_holds_the_next_back(self, world):
        """At 00:05 January is not invoiced yet: its usage, that passed 5000, is not forgotten meanwhile."""
        w = await world(5000, amount_cents=0)
        await kit.advance(w.client, "2025-01-31")
        await w.use(6000)
        await kit.advance(w.client, "2025-02-01T00:05")
        await w.use(5500)
        assert len(await w.progressive()) == 1
        await kit.advance(w.client, "2025-02-01T00:10")
        assert [one["invoice_type"] for one in await w.invoices()] == ["progressive_billing", "subscription"]


class TestTheInvoice:
    async def test_has_charges_in_arrears_alone(self, world, make_organization):
        """No base price, no fixed charge, no minimum, no commitment; the call of each kind costs 1.00 and 0.50."""
        client = (await make_organization(STANDING)).client
        sold, at_once = await kit.metric(client), await kit.metric(client)
        add_on = (
            await kit.post(
                client,
                "/add_ons",
                {"add_on": {"name": "a", "code": "a", "amount_cents": 100, "amount_currency": "EUR"}},
            )
        )["add_on"]
        plan = await kit.plan(
            client,
            {**kit.charge(sold), "min_amount_cents": 50_000},
            {**kit.charge(at_once, amount="0.5"), "pay_in_advance": True},
            amount_cents=1000,
            fixed_charges=[
                {
                    "add_on_id": add_on["lago_id"],
                    "charge_model": "standard",
                    "properties": {"amount": "7"},
                    "units": 3,
                }
            ],
            minimum_commitment={"amount_cents": 90_000},
            usage_thresholds=marks(2000),
        )
        customer = await kit.customer(client)
        subscription = await kit.subscribe(client, customer, plan)
        await kit.send(client, subscription, at_once, 10)
        await kit.send(client, subscription, sold, 15)
        path = f"/subscriptions/{subscription['external_id']}/lifetime_usage"
        body = {"lifetime_usage": {"external_historical_usage_amount_cents": 0}}
        await call(client, "PUT", path, body)
        found = await kit.invoices(client, customer)
        (made,) = [one for one in found if one["invoice_type"] == "progressive_billing"]
        assert [(fee["item"]["code"], fee["amount_cents"]) for fee in made["fees"]] == [(sold["code"], 1500)]
        assert made["applied_usage_thresholds"][0]["lifetime_usage_amount_cents"] == 2000
        await call(client, "PUT", path, body)
        assert len(await kit.invoices(client, customer)) == len(found)

    async def test_is_issued_even_when_it_is_empty(self, make_organization):
        """All usage is paid in advance: the threshold is passed, and there is nothing to bill."""
        client = (await make_organization(STANDING)).client
        (entity,) = (await get(client, "/billing_entities"))["billing_entities"]
        skips = {"billing_entity": {"finalize_zero_amount_invoice": False}}
        await call(client, "PUT", f"/billing_entities/{entity['code']}", skips)
        sold = await kit.metric(client)
        plan = await kit.plan(
            client, {**kit.charge(sold), "pay_in_advance": True}, usage_thresholds=marks(500)
        )
        customer = await kit.customer(client)
        subscription = await kit.subscribe(client, customer, plan)
        await kit.send(client, subscription, sold, 6)
        path = f"/subscriptions/{subscription['external_id']}/lifetime_usage"
        body = {"lifetime_usage": {"external_historical_usage_amount_cents": 0}}
        for _ in range(2):
            await call(client, "PUT", path, body)
        found = await kit.invoices(client, customer)
        (made,) = [one for one in found if one["invoice_type"] == "progressive_billing"]
        assert (made["status"], made["total_amount_cents"], made["fees"]) == ("finalized", 0, [])

    async def test_is_never_a_draft(self, world):
        w = await world(5000, grace=10)
        await w.use(5000)
        (made,) = await w.progressive()
        assert (made["status"], made["issuing_date"]) == ("finalized", "2025-01-01")

    async def test_uses_coupons_and_what_it_bills_is_credited_without_them(self, world):
        """10 % off: 5200 − 520; then 11000 − 4680 = 6320 − 632; then 15500 − 10368 = 5132 − 513."""
        w = await world(5000, 10000)
        coupon = {
            "name": "c", "code": "c", "coupon_type": "percentage", "percentage_rate": "10", "frequency": "forever",
            "expiration": "no_expiration",
        }  # fmt: skip
        await kit.post(w.client, "/coupons", {"coupon": coupon})
        given = {"external_customer_id": w.customer["external_id"], "coupon_code": "c"}
        await kit.post(w.client, "/applied_coupons", {"applied_coupon": given})
        await w.use(5200)
        await w.use(5800)
        await w.use(1500)
        await kit.advance(w.client, "2025-02-01T01:00")
        found = await w.invoices()
        taken = [
            (one["progressive_billing_credit_amount_cents"], one["coupons_amount_cents"]) for one in found
        ]
        assert taken == [(0, 520), (4680, 632), (10368, 513)]
        assert [one["total_amount_cents"] for one in found] == [4680, 5688, 4619]

    async def test_tells_of_each_threshold_before_it_is_there(self, world, messages):
        w = await world(1000, 2000)
        await w.use(2500)
        types = [kind for kind in await messages(w.organization) if "threshold" in kind or "invoice" in kind]
        reached = "subscription.usage_threshold_reached"
        assert types == [reached, reached, "invoice.created"]


class TestLessUsageInTheEnd:
    async def test_is_credited_by_a_note_that_the_period_uses(self, world):
        """invoicing §17.6: 8000 were billed of 7400; 600 and 120 of taxes come back, and off the 3600 of the period."""
        w = await world(5000, tax="20")
        await w.use(8000)
        await w.use(-600)
        await kit.advance(w.client, "2025-02-01T01:00")
        (last,) = await w.invoices("subscription")
        assert amounts(last) == (10400, 7400, 3000, 600, 2880)
        assert last["credit_notes_amount_cents"] == 720
        (note,) = await w.notes()
        assert (note["reason"], note["credit_amount_cents"], note["balance_amount_cents"]) == (
            "other",
            720,
            0,
        )
        assert note["invoice_number"] == (await w.progressive())[0]["number"]

    async def test_comes_back_of_what_each_invoice_billed_itself(self, world):
        """5200 and 5800 were billed of 3000: the second gives its 5800 back, the first 2200 of its 5200."""
        w = await world(5000, 10000)
        await w.use(5200)
        await w.use(5800)
        await w.use(-8000)
        await kit.advance(w.client, "2025-02-01T01:00")
        (last,) = await w.invoices("subscription")
        assert amounts(last) == (6000, 3000, 3000, 0, 0)
        notes = sorted(note["total_amount_cents"] for note in await w.notes())
        assert notes == [2200, 5800]
        assert sum(note["balance_amount_cents"] for note in await w.notes()) == 5000

    async def test_is_given_back_once_though_a_draft_is_computed_again(self, world):
        w = await world(5000, grace=5)
        await w.use(8000)
        await w.use(-600)
        await kit.advance(w.client, "2025-02-01T01:00")
        (draft,) = await w.invoices("subscription")
        assert amounts(draft)[:3] == (10400, 7400, 3000)
        await call(w.client, "PUT", f"/invoices/{draft['lago_id']}/refresh")
        assert [note["balance_amount_cents"] for note in await w.notes()] == [600]
        await kit.advance(w.client, "2025-02-06T01:00")
        (final,) = await w.invoices("subscription")
        assert (final["status"], *amounts(final)[1:3]) == ("finalized", 7400, 3000)
        assert final["total_amount_cents"] == 2400
        assert [note["balance_amount_cents"] for note in await w.notes()] == [0]


class TestAnEnd:
    async def test_credits_what_was_billed(self, world):
        """Ended on the 10th: 10 of 31 days of 3100 are 1000, and 6000 of usage of which 5500 were billed."""
        w = await world(5000, amount_cents=3100)
        await w.use(5500)
        await w.use(500)
        await kit.advance(w.client, "2025-01-10T10:00")
        await call(w.client, "DELETE", w.path)
        (last,) = await w.invoices("subscription")
        assert amounts(last)[:3] == (7000, 5500, 1500)

    async def test_by_an_upgrade_credits_it_too_and_the_threshold_stays_passed(self, world):
        w = await world(5000, amount_cents=3100)
        await w.use(5500)
        dearer = await kit.plan(
            w.client, kit.charge(w.calls, amount="0.01"), amount_cents=6200, usage_thresholds=marks(5000)
        )
        await kit.advance(w.client, "2025-01-11T10:00")
        body = {
            "external_customer_id": w.customer["external_id"],
            "plan_code": dearer["code"],
            "external_id": w.subscription["external_id"],
        }
        await kit.post(w.client, "/subscriptions", {"subscription": body})
        (last,) = await w.invoices("subscription")
        assert amounts(last)[:3] == (1000 + 5500, 5500, 1000)
        await w.use(6000)
        assert len(await w.progressive()) == 1


class TestThresholds:
    async def test_that_a_plan_gets_later_bill_what_was_used(self, world):
        w = await world()
        await w.use(6000)
        assert await w.progressive() == []
        body = {"plan": {"usage_thresholds": marks(5000)}}
        await call(w.client, "PUT", f"/plans/{w.plan['code']}", body)
        assert [amounts(one)[0] for one in await w.progressive()] == [6000]

    async def test_that_a_subscription_gets_later_do_too(self, world):
        w = await world()
        await w.use(6000)
        body = {"subscription": {"usage_thresholds": marks(5000)}}
        await call(w.client, "PUT", w.path, body)
        assert [amounts(one)[0] for one in await w.progressive()] == [6000]

    async def test_that_are_switched_off_bill_nothing_until_they_are_on(self, world):
        w = await world(5000)
        await call(w.client, "PUT", w.path, {"subscription": {"progressive_billing_disabled": True}})
        await w.use(6000)
        assert await w.progressive() == []
        await call(w.client, "PUT", w.path, {"subscription": {"progressive_billing_disabled": False}})
        assert [amounts(one)[0] for one in await w.progressive()] == [6000]

    async def test_recur_by_steps_and_once_for_each(self, world):
        """1000, 2000 and 4500 above nothing: two steps of 1000, then two more that are one invoice."""
        w = await world(recurring=1000)
        for units in (1000, 999, 1, 0, 2500):
            await w.use(units)
        assert [amounts(one)[0] for one in await w.progressive()] == [1000, 2000, 4500]


class TestAVoidedInvoice:
    async def test_is_not_made_again_and_not_credited(self, world):
        w = await world(5000, 10000)
        await w.use(5200)
        (first,) = await w.progressive()
        await kit.post(w.client, f"/invoices/{first['lago_id']}/void", {})
        await w.look()
        assert len(await w.progressive()) == 1
        await w.use(5800)
        second = (await w.progressive())[1]
        assert amounts(second)[:3] == (11000, 0, 11000)
        assert [i["usage_threshold"]["amount_cents"] for i in second["applied_usage_thresholds"]] == [10000]
        await kit.advance(w.client, "2025-02-01T01:00")
        (last,) = await w.invoices("subscription")
        assert amounts(last)[:3] == (14000, 11000, 3000)

    async def test_that_another_built_on_is_billed_with_the_period(self, world):
        """5200 of the 11000 were given back: the period credits the 5800 that the second one billed itself."""
        w = await world(5000, 10000)
        await w.use(5200)
        await w.use(5800)
        first = (await w.progressive())[0]
        await kit.post(w.client, f"/invoices/{first['lago_id']}/void", {})
        await kit.advance(w.client, "2025-02-01T01:00")
        (last,) = await w.invoices("subscription")
        assert amounts(last)[:3] == (14000, 5800, 8200)
        assert await w.notes() == []


class TestLifetimeUsage:
    async def test_shows_how_far_it_is_to_each_threshold(self, world):
        w = await world(1000, 4000, recurring=500)
        await kit.advance(w.client, "2025-01-02T10:00")
        await w.use(1500)
        await kit.advance(w.client, "2025-01-03T10:00")
        await w.use(1000)
        shown = (await get(w.client, f"{w.path}/lifetime_usage"))["lifetime_usage"]["usage_thresholds"]
        assert shown == [
            {"amount_cents": 1000, "completion_ratio": 1.0, "reached_at": "2025-01-02T10:00:00Z"},
            {"amount_cents": 4000, "completion_ratio": 0.5, "reached_at": None},
            {"amount_cents": 4500, "completion_ratio": 0.0, "reached_at": None},
        ]

    async def test_skipped_steps_were_reached_with_the_one_that_was_billed(self, world):
        """2500 at once pass 2000: the step of 1000 was reached then, too."""
        w = await world(recurring=1000)
        await kit.advance(w.client, "2025-01-02T10:00")
        await w.use(2500)
        await kit.advance(w.client, "2025-01-03T10:00")
        shown = (await get(w.client, f"{w.path}/lifetime_usage"))["lifetime_usage"]["usage_thresholds"]
        assert shown == [
            {"amount_cents": 1000, "completion_ratio": 1.0, "reached_at": "2025-01-02T10:00:00Z"},
            {"amount_cents": 2000, "completion_ratio": 1.0, "reached_at": "2025-01-02T10:00:00Z"},
            {"amount_cents": 3000, "completion_ratio": 0.5, "reached_at": None},
        ]

    async def test_shows_none_where_none_apply(self, world):
        w = await world()
        shown = (await get(w.client, f"{w.path}/lifetime_usage"))["lifetime_usage"]
        assert "usage_thresholds" not in shown


class TestOnce:
    """Workers side by side, or dying on the way, make one invoice of one crossing."""

    @pytest.fixture
    async def waiting(self, organization):
        """A live organization's usage of 60.00 beyond a threshold, which nobody has looked at yet."""
        w = await World.make(organization, 5000)
        await w.use(6000)
        return w

    async def test_whoever_looks_first(self, waiting, database):
        run = [jobs.run_due_work(database, waiting.organization.id, None) for _ in range(4)]
        await asyncio.gather(*run)
        assert [amounts(one)[0] for one in await waiting.progressive()] == [6000]

    async def test_when_a_worker_dies_on_the_way(self, waiting, database, monkeypatch):
        """The invoice is made and its threshold is not noted yet: neither is kept, and the next worker does both."""

        async def dies(*_):
            raise asyncio.CancelledError

        with monkeypatch.context() as patched:
            patched.setattr(progressive, "save_applied", dies)
            with pytest.raises(asyncio.CancelledError):
                await jobs.run_due_work(database, waiting.organization.id, None)
        assert await waiting.progressive() == []
        await jobs.run_due_work(database, waiting.organization.id, None)
        assert [amounts(one)[0] for one in await waiting.progressive()] == [6000]

    async def test_the_database_refuses_a_second_one(self, waiting, database):
        await jobs.run_due_work(database, waiting.organization.id, None)
        async with database.tenant(waiting.organization.id) as tx:
            (row,) = (await tx.execute(select(applied_usage_thresholds))).mappings().all()
        with pytest.raises(IntegrityError, match="applied_usage_thresholds_level_key"):
            async with database.tenant(waiting.organization.id) as tx:
                await tx.execute(insert(applied_usage_thresholds), [{**row, "id": new_id()}])

    async def test_many_are_looked_at_with_the_statements_of_two(self, make_organization, count_statements):
        counts = []
        for customers in (2, 8):
            organization = await make_organization(STANDING)
            client = organization.client
            calls = await kit.metric(client)
            plan = await kit.plan(client, kit.charge(calls), usage_thresholds=marks(500))
            owners = []
            for _ in range(customers):
                owners.append(await kit.customer(client))
                subscription = await kit.subscribe(client, owners[-1], plan)
                await kit.send(client, subscription, calls, 3)
            with count_statements() as statements:
                body = {"plan": {"usage_thresholds": marks(200)}}
                await call(client, "PUT", f"/plans/{plan['code']}", body)
            counts.append(len(statements))
            assert [len(await kit.invoices(client, owner)) for owner in owners] == [1] * customers
        assert counts[0] == counts[1]

    async def test_many_are_given_back_with_the_statements_of_two(self, make_organization, count_statements):
        """10.00 and then 4.00 more are billed of each, and 2.00 used: notes of 4.00 and 8.00, all at once."""
        counts = []
        for customers in (2, 6):
            client = (await make_organization(STANDING)).client
            calls = await kit.metric(client)
            plan = await kit.plan(client, kit.charge(calls), usage_thresholds=marks(1000, 1400))
            owners = []
            for _ in range(customers):
                owners.append(await kit.customer(client))
                subscription = await kit.subscribe(client, owners[-1], plan)
                for value in (10, 4, -12):
                    await kit.send(client, subscription, calls, value)
            with count_statements() as statements:
                await kit.advance(client, "2025-02-01T01:00")
            counts.append(len(statements))
            found = (await kit.get(client, "/credit_notes", per_page=100))["credit_notes"]
            assert (
                sorted(note["total_amount_cents"] for note in found) == [400] * customers + [800] * customers
            )
        assert counts[0] == counts[1]


class TestShares:
    async def test_fall_on_the_same_filter_and_group(self, make_organization):
        """Billed: 4.00 for eu/a, 6.00 for eu/b, 2.00 for the rest; then 1.00 more of each and a group of its own."""
        client = (await make_organization(STANDING)).client
        calls = await kit.metric(client, filters=[{"key": "region", "values": ["eu", "us"]}])
        sold = {
            **kit.charge(calls, amount="2", pricing_group_keys=["who"]),
            "filters": [
                {
                    "values": {"region": ["eu"]},
                    "properties": {"amount": "1", "pricing_group_keys": ["who"]},
                }
            ],
        }
        plan = await kit.plan(client, sold, usage_thresholds=marks(1200))
        customer = await kit.customer(client)
        subscription = await kit.subscribe(client, customer, plan)

        async def use(number, region, who):
            for _ in range(number):
                properties = {"value": 1, "region": region, "who": who}
                await kit.send(client, subscription, calls, 1, properties=properties)

        await use(4, "eu", "a")
        await use(6, "eu", "b")
        await use(1, "us", "a")
        path = f"/subscriptions/{subscription['external_id']}/lifetime_usage"
        look = {"lifetime_usage": {"external_historical_usage_amount_cents": 0}}
        await call(client, "PUT", path, look)
        for region, who in (("eu", "a"), ("eu", "b"), ("us", "a"), ("us", "c")):
            await use(1, region, who)
        await kit.advance(client, "2025-02-01T01:00")
        (last,) = [i for i in await kit.invoices(client, customer) if i["invoice_type"] == "subscription"]
        shares = {
            (fee["item"]["filters"] and "eu", fee["item"]["grouped_by"]["who"]): (
                fee["amount_cents"],
                fee["precise_coupons_amount_cents"],
            )
            for fee in last["fees"]
            if fee["item"]["type"] == "charge"
        }
        assert shares == {
            ("eu", "a"): (500, "400.0"),
            ("eu", "b"): (700, "600.0"),
            (None, "a"): (400, "200.0"),
            (None, "c"): (200, "0.0"),
        }

    async def test_of_two_subscriptions_fall_on_their_own_fees(self, world):
        """They share the invoice of the period: 6000 and 7000 were billed of 6500 and 7000."""
        w = await world(5000, amount_cents=0)
        other = await kit.subscribe(w.client, w.customer, w.plan)
        await w.use(6000)
        await kit.send(w.client, other, w.calls, 7000)
        path = f"/subscriptions/{other['external_id']}/lifetime_usage"
        await call(w.client, "PUT", path, {"lifetime_usage": {"external_historical_usage_amount_cents": 0}})
        await w.use(500)
        await kit.advance(w.client, "2025-02-01T01:00")
        (last,) = await w.invoices("subscription")
        assert amounts(last)[:3] == (13_500, 13_000, 500)
        assert sorted(credit["amount_cents"] for credit in last["credits"]) == [6000, 7000]
        shares = {
            fee["external_subscription_id"]: fee["precise_coupons_amount_cents"]
            for fee in last["fees"]
            if fee["item"]["type"] == "charge"
        }
        assert shares == {w.subscription["external_id"]: "6000.0", other["external_id"]: "7000.0"}

    async def test_are_found_again_on_a_plan_of_ones_own(self, world):
        """The price falls to half in the middle of the period: 6000 were billed of what is 3500 in the end."""
        w = await world(5000, amount_cents=0)
        await w.use(6000)
        (sold,) = w.plan["charges"]
        overrides = {"charges": [{"id": sold["lago_id"], "properties": {"amount": "0.005"}}]}
        await call(w.client, "PUT", w.path, {"subscription": {"plan_overrides": overrides}})
        await w.use(1000)
        await kit.advance(w.client, "2025-02-01T01:00")
        (last,) = await w.invoices("subscription")
        assert amounts(last) == (3500, 3500, 0, 0, 0)
        assert [note["credit_amount_cents"] for note in await w.notes()] == [2500]


class TestAnInvoiceMadeAnew:
    async def test_credits_what_the_void_one_did(self, world):
        """5500 of 6500 were billed before; the invoice that takes the void one's place leaves 1000 and the base price."""
        w = await world(5000)
        await w.use(5500)
        await w.use(1000)
        await kit.advance(w.client, "2025-02-01T01:00")
        (first,) = await w.invoices("subscription")
        assert amounts(first)[:3] == (9500, 5500, 4000)
        path = f"/invoices/{first['lago_id']}"
        await kit.post(w.client, f"{path}/void", {})
        asked = {"invoice": {"fees": [{"id": fee["lago_id"]} for fee in first["fees"]]}}
        made = (await kit.post(w.client, f"{path}/regenerate", asked))["invoice"]
        assert amounts(made)[:3] == (9500, 5500, 4000)
        assert [credit["amount_cents"] for credit in made["credits"]] == [5500]
        assert sorted(fee["precise_coupons_amount_cents"] for fee in made["fees"]) == ["0.0", "5500.0"]
        assert await w.notes() == []

    async def test_credits_it_on_a_plan_of_ones_own_too(self, make_organization):
        """25.00 and 40.00 were billed at 1.00; at 2.00 these are 130.00: 65.00 are left, less 10 %, void or made anew."""
        client = (await make_organization(STANDING)).client
        regions = [{"key": "region", "values": ["eu"]}]
        calls = await kit.metric(client, "sum_agg", field_name="value", filters=regions)
        charge = kit.charge(calls, amount="1") | {
            "filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "1"}}]
        }
        plan = await kit.plan(client, charge, usage_thresholds=marks(5000))
        customer = await kit.customer(client, currency="EUR")
        one = await kit.subscribe(client, customer, plan)
        for region, units in ("eu", 25), ("us", 40):
            await kit.send(client, one, calls, units, properties={"value": units, "region": region})
        dearer = {"amount": "2"}
        own = {
            "id": plan["charges"][0]["lago_id"],
            "properties": dearer,
            "filters": [{"values": {"region": ["eu"]}, "properties": dearer}],
        }
        prices = {"subscription": {"plan_overrides": {"charges": [own]}}}
        await call(client, "PUT", f"/subscriptions/{one['external_id']}", prices)
        await give(client, customer, await coupon(client, coupon_type="percentage", percentage_rate="10"))
        await kit.advance(client, "2025-02-01T01:00")
        (first,) = [i for i in await kit.invoices(client, customer) if i["invoice_type"] == "subscription"]
        path = f"/invoices/{first['lago_id']}"
        await kit.post(client, f"{path}/void", {})
        asked = {"invoice": {"fees": [{"id": fee["lago_id"]} for fee in first["fees"]]}}
        made = (await kit.post(client, f"{path}/regenerate", asked))["invoice"]
        for invoice in first, made:
            assert amounts(invoice)[:2] == (13_000, 6500)
            assert (invoice["coupons_amount_cents"], invoice["total_amount_cents"]) == (650, 5850)
            used = [fee for fee in invoice["fees"] if fee["item"]["type"] == "charge"]
            shares = {fee["amount_cents"]: fee["precise_coupons_amount_cents"] for fee in used}
            assert shares == {5000: "2750.0", 8000: "4400.0"}
        assert (await get(client, "/credit_notes"))["credit_notes"] == []


class TestAnEvent:
    async def test_has_its_subscription_looked_at(self, world):
        """Nothing is asked for but the event: the threshold is passed when its call returns, and not again."""
        w = await world(5000, recurring=1000)
        for units in (4999, 1, 999):
            await kit.send(w.client, w.subscription, w.calls, units)
        assert [amounts(one)[0] for one in await w.progressive()] == [5000]
        await kit.send(w.client, w.subscription, w.calls, 1)
        assert [amounts(one)[0] for one in await w.progressive()] == [5000, 6000]
