"""Power cuts of one customer of a shop among others, whose payments a provider has in hand: a world for each cut that left something."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text
from tests import kit
from tests.faults.power import running

from tallymark.db.engine import Database

MOST_WRITES = 600
"""No use case takes more; a loop that never ends would."""

_numbers = itertools.count(1)


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


def own(world: World) -> str:
    external_id: str = world.subscription["external_id"]
    return external_id


async def open_wallet(world: World, **credits: str) -> None:
    wallet = {
        "external_customer_id": world.owner["external_id"],
        "rate_amount": "1",
        "currency": "EUR",
        **credits,
    }
    await kit.post(world.client, "/wallets", {"wallet": wallet})


Step = Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class UseCase:
    """`prepare` makes a world, `act` does the thing, `effect` tells what came of it in words that any world shares.

    `act` is called again where the effect is still what it was before, and where it may be repeated whatever came of it;
    otherwise `settle` lets due work go on.
    """

    prepare: Callable[[], Awaitable[Any]]
    act: Step
    effect: Step
    settle: Step
    may_repeat: bool = False


async def cut_everywhere(database: Database, case: UseCase) -> int:
    """Cut after every write there is; the number of cuts. Fails where any leaves a trace.

    A world in which a cut left nothing behind is cut again, one write later: in the end it has been through all of
    them, and still the act must come out as it does undisturbed.
    """
    undisturbed = await case.prepare()
    before = await case.effect(undisturbed)
    await case.act(undisturbed)
    expected = await case.effect(undisturbed)
    assert expected != before, "the use case does something"
    world = await case.prepare()
    for after in range(1, MOST_WRITES):
        with running(database, cut_after=after) as cut:
            try:
                await case.act(world)
            except BaseException:
                if cut.cut_at is None:
                    raise
        was_cut = cut.cut_at is not None
        found = await case.effect(world)
        if was_cut and found == before:
            continue
        if was_cut:
            await (case.act if case.may_repeat else case.settle)(world)
            found = await case.effect(world)
        assert found == expected, f"after write {after}: {found} instead of {expected}"
        if not was_cut:
            return after - 1
        world = await case.prepare()
    raise AssertionError("too many writes")
