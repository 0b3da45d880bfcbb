"""Power cuts at every write of what moves money: exactly one effect, whenever they come."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from tests import kit
from tests.faults.power import UseCase, cut_everywhere

from tallymark.db.engine import Database

_numbers = itertools.count(1)

# As many runs as there are writes.
pytestmark = pytest.mark.timeout(600)


@dataclass
class Shop:
    """One organization with a clock: a plan at 31.00 a month in advance with usage at 2.00, a better one, and a tax of 20 %."""

    client: httpx.AsyncClient
    metric: kit.Json
    plan: kit.Json
    better: kit.Json
    database: Database
    organization_id: UUID


@dataclass
class World:
    """A customer of a shop, with a coupon of 50.00 to be used once."""

    shop: Shop
    owner: kit.Json
    subscription: kit.Json = field(default_factory=dict)
    made: Any = None

    @property
    def client(self) -> httpx.AsyncClient:
        return self.shop.client

    async def settle(self) -> None:
        """What a worker does once it is back."""
        clock = (await kit.get(self.client, "/test_clock"))["test_clock"]["frozen_time"]
        await kit.post(self.client, "/test_clock/advance", {"test_clock": {"to": clock}})

    async def everything(self) -> list:
        """All that the customer has, in short and whatever its ids are: rows, due work, messages."""
        async with self.shop.database.system() as connection:
            found = await connection.execute(text(EVERYTHING), {"owner": self.owner["lago_id"]})
            return [tuple(row) for row in found]


EVERYTHING = """
WITH
  own AS (SELECT * FROM invoices WHERE customer_id = :owner),
  notes AS (SELECT * FROM credit_notes WHERE customer_id = :owner),
  subs AS (SELECT s.*, p.code FROM subscriptions s JOIN plans p ON p.id = s.plan_id WHERE s.customer_id = :owner),
  things (name, what) AS (
    SELECT 'invoice', concat_ws(' ', status, payment_status, right(number, 4), fees_amount_cents, coupons_amount_cents,
        taxes_amount_cents, credit_notes_amount_cents, prepaid_credit_amount_cents, total_amount_cents) FROM own
    UNION ALL
    SELECT 'fee', concat_ws(' ', fee_type, units, amount_cents, precise_coupons_amount_cents, taxes_amount_cents,
        invoice_id IS NULL) FROM fees WHERE customer_id = :owner
    UNION ALL
    SELECT 'credit', concat_ws(' ', amount_cents, before_taxes) FROM invoice_credits WHERE invoice_id IN (SELECT id FROM own)
    UNION ALL
    SELECT 'record', concat_ws(' ', invoicing_reason, billing_day)
      FROM billing_records WHERE invoice_id IN (SELECT id FROM own)
    UNION ALL
    SELECT 'note', concat_ws(' ', credit_status, right(number, 6), credit_amount_cents, balance_amount_cents) FROM notes
    UNION ALL
    SELECT 'item', amount_cents::text FROM credit_note_items WHERE credit_note_id IN (SELECT id FROM notes)
    UNION ALL
    SELECT 'subscription', concat_ws(' ', code, status, started_at::date, terminated_at::date) FROM subs
    UNION ALL
    SELECT 'wallet', concat_ws(' ', status, balance_cents, consumed_amount_cents, ongoing_usage_balance_cents)
      FROM wallets WHERE customer_id = :owner
    UNION ALL
    SELECT 'credits', concat_ws(' ', transaction_type, transaction_status, status, amount_cents, remaining_amount_cents)
      FROM wallet_transactions WHERE wallet_id IN (SELECT id FROM wallets WHERE customer_id = :owner)
    UNION ALL
    SELECT 'payment', concat_ws(' ', status, amount_cents) FROM payments WHERE customer_id = :owner
    UNION ALL
    SELECT 'receipt', right(number, 4) FROM payment_receipts WHERE customer_id = :owner
    UNION ALL
    SELECT 'journal', concat_ws(' ', document_type, cause, account, debit_cents, credit_cents)
      FROM journal_lines JOIN journal_entries ON journal_entries.id = entry_id WHERE customer_id = :owner
    UNION ALL
    SELECT 'coupon', concat_ws(' ', status, frequency_duration_remaining) FROM applied_coupons WHERE customer_id = :owner
    UNION ALL
    SELECT 'due', concat_ws(' ', kind, due_at::date, attempts, parked_at) FROM agenda WHERE owner_id = :owner
    UNION ALL
    SELECT 'event', concat_ws(' ', e.stream_id < 0, e.occurred_at IS NULL, e.properties ->> 'value',
        (SELECT max(version) FROM event_versions v WHERE v.event_id = e.id))
      FROM events e JOIN event_streams s ON s.id = abs(e.stream_id)
      WHERE s.external_subscription_id IN (SELECT external_id FROM subs)
    UNION ALL
    SELECT 'backfill', status FROM event_backfills WHERE external_subscription_id IN (SELECT external_id FROM subs)
    UNION ALL
    SELECT 'message', webhook_type FROM outbox WHERE object_id IN
      (SELECT id FROM own UNION ALL SELECT id FROM notes UNION ALL SELECT id FROM subs)
  )
SELECT name, what, count(*) FROM things GROUP BY name, what ORDER BY name, what
"""


async def open_shop(make_organization: Any, database: Database) -> Shop:
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    await kit.tax(client, "20")
    metric = await kit.metric(client)
    offer = {
        "name": "C", "code": "c", "coupon_type": "fixed_amount", "amount_cents": 5000, "amount_currency": "EUR",
        "frequency": "once", "expiration": "no_expiration",
    }  # fmt: skip
    await kit.post(client, "/coupons", {"coupon": offer})
    priced = kit.charge(metric, amount="2")
    plan = await kit.plan(client, priced, amount_cents=3100, pay_in_advance=True, code="first")
    better = await kit.plan(client, amount_cents=6200, pay_in_advance=True, code="second")
    add_on = {"name": "A", "code": "a", "amount_cents": 1000, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": add_on})
    return Shop(client, metric, plan, better, database, organization.id)


async def enter(shop: Shop, **customer: Any) -> World:
    owner = await kit.customer(shop.client, **customer)
    applied = {"external_customer_id": owner["external_id"], "coupon_code": "c"}
    await kit.post(shop.client, "/applied_coupons", {"applied_coupon": applied})
    return World(shop, owner)


async def subscribe(world: World) -> World:
    world.subscription = await kit.subscribe(
        world.client, world.owner, world.shop.plan, external_id=f"s{next(_numbers)}"
    )
    return world


async def use(world: World) -> World:
    await kit.send(world.client, world.subscription, world.shop.metric, 3, 4)
    return world


@pytest.fixture
def cut(database):
    """Cut the power at every write of an act; the number of cuts."""

    async def everywhere(prepare, act, *, may_repeat=False) -> int:
        worlds: list[World] = []

        async def remembered() -> World:
            worlds.append(await prepare())
            return worlds[-1]

        case = UseCase(
            prepare=remembered, act=act, effect=World.everything, settle=World.settle, may_repeat=may_repeat
        )
        cuts = await cut_everywhere(database, case)
        for organization_id in {world.shop.organization_id for world in worlds}:
            await kit.assert_audit_clean(database, organization_id)
        return cuts

    return everywhere


class TestCalls:
    """What a call does at once, and what follows before it returns."""

    async def test_a_subscription_that_pays_in_advance(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def act(world):
            await kit.subscribe(world.client, world.owner, shop.plan, external_id=world.owner["external_id"])

        assert await cut(lambda: enter(shop), act) > 5

    async def test_an_upgrade(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def prepare():
            return await use(await subscribe(await enter(shop)))

        async def act(world):
            external_id = world.subscription["external_id"]
            await kit.subscribe(world.client, world.owner, shop.better, external_id=external_id)

        assert await cut(prepare, act) > 5

    async def test_a_termination_with_a_credit_note(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def prepare():
            return await use(await subscribe(await enter(shop)))

        async def act(world):
            await kit.call(world.client, "DELETE", f"/subscriptions/{world.subscription['external_id']}")

        assert await cut(prepare, act) > 5

    async def test_a_one_off_invoice(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def act(world):
            body = {
                "external_customer_id": world.owner["external_id"],
                "currency": "EUR",
                "fees": [{"add_on_code": "a", "units": 2}],
            }
            await kit.post(world.client, "/invoices", {"invoice": body})

        assert await cut(lambda: enter(shop), act) > 5

    async def test_a_void_that_gives_a_coupon_back(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def prepare():
            world = await subscribe(await enter(shop))
            (world.made,) = await kit.invoices(world.client, world.owner)
            return world

        async def act(world):
            await kit.post(world.client, f"/invoices/{world.made['lago_id']}/void", {})

        assert await cut(prepare, act) > 5


class TestMoney:
    """What money and credits do."""

    async def test_a_payment(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def prepare():
            return await owing(await enter(shop))

        async def act(world):
            payment = {"invoice_id": world.made["lago_id"], "amount_cents": 2400, "reference": "wire"}
            await kit.post(world.client, "/payments", {"payment": payment})

        assert await cut(prepare, act) > 3

    async def test_a_credit_note(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def prepare():
            return await owing(await enter(shop))

        async def act(world):
            (fee,) = world.made["fees"]
            note = {
                "invoice_id": world.made["lago_id"],
                "credit_amount_cents": 1200,
                "items": [{"fee_id": fee["lago_id"], "amount_cents": 1000}],
            }
            await kit.post(world.client, "/credit_notes", {"credit_note": note})

        assert await cut(prepare, act) > 3

    async def test_a_purchase_of_credits_that_is_paid(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def prepare():
            world = await enter(shop)
            await open_wallet(world, paid_credits="10")
            (world.made,) = await kit.invoices(world.client, world.owner)
            return world

        async def act(world):
            payment = {"invoice_id": world.made["lago_id"], "amount_cents": 1000, "reference": "wire"}
            await kit.post(world.client, "/payments", {"payment": payment})

        assert await cut(prepare, act) > 5

    async def test_a_wallet_that_pays_an_invoice(self, cut, make_organization, database):
        """The coupon of 50.00 leaves 12.00 of an upgrade's 62.00, with tax 14.40: the wallet has 10.00 of it."""
        shop = await open_shop(make_organization, database)

        async def prepare():
            world = await enter(shop)
            await open_wallet(world, granted_credits="10")
            return world

        async def act(world):
            await kit.subscribe(
                world.client, world.owner, shop.better, external_id=world.owner["external_id"]
            )

        assert await cut(prepare, act) > 5

    async def test_a_void_that_gives_credits_back(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def prepare():
            world = await enter(shop)
            await open_wallet(world, granted_credits="10")
            await kit.subscribe(
                world.client, world.owner, shop.better, external_id=world.owner["external_id"]
            )
            (world.made,) = await kit.invoices(world.client, world.owner)
            return world

        async def act(world):
            await kit.post(world.client, f"/invoices/{world.made['lago_id']}/void", {})

        assert await cut(prepare, act) > 5


class TestEvents:
    """What corrections do, all of it or nothing."""

    async def test_an_amendment(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def act(world):
            (newest, *_) = (await kit.get(world.client, "/events", external_subscription_id=own(world)))[
                "events"
            ]
            body = {
                "event": {"external_subscription_id": own(world), "reason": "r", "properties": {"value": 9}}
            }
            await kit.post(world.client, f"/events/{newest['transaction_id']}/amend", body)

        assert await cut(lambda: used(shop), act) > 3

    @pytest.mark.parametrize("value", [9, 1])
    async def test_an_amendment_of_what_is_billed(self, cut, make_organization, database, value):
        """4 is 9, for which an invoice is due; or 1, for which a note is."""

        async def prepare():
            world = await used(await open_shop(make_organization, database))
            await kit.advance(world.client, "2026-02-02T00:00")
            policy = {"metering": {"event_correction_policy": "document_now"}}
            await kit.call(world.client, "PUT", "/organizations", {"organization": policy})
            return world

        async def act(world):
            found = (await kit.get(world.client, "/events", external_subscription_id=own(world)))["events"]
            newest = max(found, key=lambda event: float(event["properties"]["value"]))
            body = {"external_subscription_id": own(world), "reason": "r", "properties": {"value": value}}
            await kit.post(world.client, f"/events/{newest['transaction_id']}/amend", {"event": body})

        assert await cut(prepare, act) > 10

    async def test_an_increase_that_the_next_invoice_bills(self, cut, make_organization, database):
        async def prepare():
            world = await used(await open_shop(make_organization, database))
            await kit.advance(world.client, "2026-02-02T00:00")
            policy = {"metering": {"event_correction_policy": "next_invoice"}}
            await kit.call(world.client, "PUT", "/organizations", {"organization": policy})
            found = (await kit.get(world.client, "/events", external_subscription_id=own(world)))["events"]
            body = {"external_subscription_id": own(world), "reason": "r", "properties": {"value": 90}}
            path = f"/events/{found[0]['transaction_id']}/amend"
            await kit.post(world.client, path, {"event": body})
            return world

        async def act(world):
            await kit.advance(world.client, "2026-03-02T00:00")

        assert await cut(prepare, act, may_repeat=True) > 10

    async def test_a_backfill_that_is_closed(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def act(world):
            await kit.post(world.client, f"/event_backfills/{world.made['lago_id']}/close", None)

        assert await cut(lambda: backfilling(shop), act) > 5

    async def test_a_backfill_that_is_reverted(self, cut, make_organization, database):
        shop = await open_shop(make_organization, database)

        async def prepare():
            world = await backfilling(shop)
            await kit.post(world.client, f"/event_backfills/{world.made['lago_id']}/close", None)
            return world

        async def act(world):
            await kit.post(world.client, f"/event_backfills/{world.made['lago_id']}/revert", None)

        assert await cut(prepare, act) > 5

    async def test_a_late_event_that_is_judged(self, cut, make_organization, database):
        """It waits outside of its stream for what judges it; that is done when due work goes on."""
        shop = await open_shop(make_organization, database)
        await kit.advance(shop.client, "2026-01-20")
        metering = {"late_event_window_days": 5, "late_event_policy": "open_period"}
        await kit.call(shop.client, "PUT", "/organizations", {"organization": {"metering": metering}})

        async def act(world):
            await kit.send(
                world.client, world.subscription, shop.metric, 5, timestamp=kit.epoch("2026-01-12")
            )

        async def prepare():
            world = await enter(shop)
            external_id = f"s{next(_numbers)}"
            world.subscription = await kit.subscribe(
                world.client, world.owner, shop.plan, external_id=external_id, subscription_at="2026-01-10"
            )
            return world

        assert await cut(prepare, act) > 2


def own(world: World) -> str:
    external_id: str = world.subscription["external_id"]
    return external_id


async def used(shop: Shop) -> World:
    return await use(await subscribe(await enter(shop)))


async def backfilling(shop: Shop) -> World:
    """Events of 3 and 4 that are to be replaced by one of 9."""
    world = await used(shop)
    body = {
        "external_subscription_id": own(world),
        "code": shop.metric["code"],
        "from": world.subscription["started_at"],
        "to": "2026-02-01",
        "reason": "the meter was off",
    }
    world.made = (await kit.post(world.client, "/event_backfills", {"event_backfill": body}))[
        "event_backfill"
    ]
    event = {"transaction_id": "new", "properties": {"value": 9}, "timestamp": kit.epoch("2026-01-15")}
    await kit.post(world.client, f"/event_backfills/{world.made['lago_id']}/events", {"events": [event]})
    return world


async def open_wallet(world: World, **credits: str) -> None:
    wallet = {
        "external_customer_id": world.owner["external_id"],
        "rate_amount": "1",
        "currency": "EUR",
        **credits,
    }
    await kit.post(world.client, "/wallets", {"wallet": wallet})


async def owing(world: World) -> World:
    """Two add-ons at 10.00, with tax 24.00."""
    body = {
        "external_customer_id": world.owner["external_id"],
        "currency": "EUR",
        "fees": [{"add_on_code": "a", "units": 2}],
    }
    world.made = (await kit.post(world.client, "/invoices", {"invoice": body}))["invoice"]
    return world


class TestTime:
    """What falls due as the clock moves; each cut has an organization of its own."""

    async def test_a_renewal(self, cut, make_organization, database):
        async def prepare():
            return await use(await subscribe(await enter(await open_shop(make_organization, database))))

        async def act(world):
            await kit.advance(world.client, "2026-02-01T01:00")

        assert await cut(prepare, act, may_repeat=True) > 5

    async def test_a_draft_that_is_finalized(self, cut, make_organization, database):
        async def prepare():
            shop = await open_shop(make_organization, database)
            world = await use(
                await subscribe(await enter(shop, billing_configuration={"invoice_grace_period": 3}))
            )
            await kit.advance(world.client, "2026-02-01T01:00")
            return world

        async def act(world):
            await kit.advance(world.client, "2026-02-05T00:00")

        assert await cut(prepare, act, may_repeat=True) > 5
