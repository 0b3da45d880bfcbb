"""Power cuts at every write of invoices that are collected: each is charged once, and what is too much goes back once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from tests import kit
from tests.collecting import PENDING, SUCCEEDED, Provider, connect, link, linked, open_application

from tallymark.jobs.agenda import Kind
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.model import PaymentTold

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def provider():
    return Provider()


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, provider):
    async with open_application(database_url, tmp_path_factory.mktemp("data"), provider) as parts:
        yield parts


@pytest.fixture(autouse=True)
def answers(provider):
    """Have the provider answer for one test that payments are on their way."""
    provider.reset()
    provider.answer = PENDING
    return provider


async def shop(world):
    """An add-on at 10.00, one customer who can be collected from, and one who pays on pages."""
    add_on = {"name": "A", "code": "a", "amount_cents": 1000, "amount_currency": "EUR"}
    await kit.post(world.client, "/add_ons", {"add_on": add_on})
    await linked(world.client, world.database, world.organization_id, external_id="c", currency="EUR")
    other = await kit.customer(world.client, external_id="p", currency="EUR")
    await link(world.database, world.organization_id, other)


def sell(to):
    async def step(world):
        body = {"external_customer_id": to, "fees": [{"add_on_code": "a"}]}
        found = await world.call("POST", "/invoices", {"invoice": body})
        world.kept[to] = found["invoice"]["lago_id"]

    return step


def pay(to, cents):
    async def step(world):
        body = {"invoice_id": world.kept[to], "amount_cents": cents, "reference": "wire"}
        await world.call("POST", "/payments", {"payment": body})

    return step


def page(to):
    async def step(world):
        await world.call("POST", f"/invoices/{world.kept[to]}/payment_url")

    return step


def tell(provider, to):
    """The provider sends an event of a payment on an invoice's page, and what follows is done."""

    async def step(world):
        metadata = {"payment_type": "one-time", "lago_invoice_id": world.kept[to]}
        outcome = replace(SUCCEEDED, provider_payment_id=f"pi_{world.kept[to]}")
        body = world.kept[to].encode()
        provider.told[body] = [PaymentTold(outcome=outcome, metadata=metadata, amount_cents=1000)]
        connection_id = await connect(world.database, world.organization_id)
        async with world.database.tenant(world.organization_id, is_simulated=True) as tx:
            await payment_providers.keep_event(tx, connection_id, body, now=NOW)
        await world.settle()

    return step


async def connected(world):
    await connect(world.database, world.organization_id)


async def join(world):
    """A customer who is to be made at the provider."""
    terms = {"payment_provider": "stripe", "payment_provider_code": "stripe", "sync_with_provider": True}
    body = {"external_id": "j", "currency": "EUR", "billing_configuration": terms}
    await world.call("POST", "/customers", {"customer": body})


async def offer(world):
    await connected(world)
    add_on = {"name": "A", "code": "a", "amount_cents": 1000, "amount_currency": "EUR"}
    await kit.post(world.client, "/add_ons", {"add_on": add_on})


async def join_as_sender(world):
    """A customer who is to send money by bank; in which, nobody knows yet."""
    terms = {
        "payment_provider": "stripe", "payment_provider_code": "stripe", "sync_with_provider": True,
        "provider_payment_methods": ["customer_balance"],
    }  # fmt: skip
    body = {"external_id": "s", "country": "NL", "billing_configuration": terms}
    await world.call("POST", "/customers", {"customer": body})


async def sell_to_sender(world):
    body = {"external_customer_id": "s", "currency": "EUR", "fees": [{"add_on_code": "a"}]}
    found = await world.call("POST", "/invoices", {"invoice": body})
    world.kept["s"] = found["invoice"]["lago_id"]


class TestCollecting:
    @pytest.mark.cuts(Kind.ASK_FOR_PAYMENT, Kind.COLLECT_PAYMENT)
    async def test_as_it_is_issued(self, lives, provider):
        """Whenever the power goes, each is charged once."""
        await lives.live(shop)
        await lives.cut(sell("c"))
        assert len({order.idempotency_key for order in provider.orders}) == len(provider.charged)
        assert await self.count(lives, "processing") == [1, 1]

    @pytest.mark.cuts(Kind.FOLLOW_DUE, Kind.CLOSE_PAYMENT_LINK, Kind.CANCEL_PAYMENT)
    async def test_paid_by_hand_in_place_of_the_provider(self, lives, provider):
        """The payment is called off, and the page is taken back."""
        provider.answer = PENDING
        await lives.live(shop, sell("c"), page("c"))
        await lives.cut(pay("c", 1000))
        assert set(provider.canceled) == {order.idempotency_key for order in provider.orders}
        assert len(set(provider.expired)) == 2

    @pytest.mark.cuts(Kind.HEAR_PROVIDER, Kind.CLOSE_PAYMENT_LINK)
    async def test_paid_on_a_page(self, lives, provider):
        await lives.live(shop, sell("p"), page("p"))
        await lives.cut(tell(provider, "p"))
        assert await self.count(lives, "succeeded") == [1, 1]

    @pytest.mark.cuts("POST /customers", Kind.LINK_CUSTOMER)
    async def test_of_a_customer_who_is_made_there(self, lives):
        """Their id is kept, and each step is told once."""
        await lives.live(connected)
        await lives.cut(join)
        who = (await kit.get(lives.stormy.client, "/customers/j"))["customer"]
        assert who["billing_configuration"]["provider_customer_id"] == "cus_j"

    @pytest.mark.cuts("POST /customers", "POST /invoices", Kind.LINK_CUSTOMER)
    async def test_of_a_customer_who_sends_money(self, lives):
        """Their account is on the invoice, once, though it was asked for when that was issued."""
        await lives.live(offer)
        await lives.cut(join_as_sender, sell_to_sender)
        found = await lives.stormy.get(f"/invoices/{lives.stormy.kept['s']}")
        (section,) = found["invoice"]["applied_invoice_custom_sections"]
        assert section["details"] == "IBAN: EUR of cus_s"

    async def count(self, lives, status):
        """How many payments of a status each world has."""
        found = []
        for world in (lives.calm, lives.stormy):
            async with world.database.tenant(world.organization_id) as tx:
                statement = text("SELECT count(*) FROM payments WHERE payment_status = :status")
                found.append((await tx.execute(statement, {"status": status})).scalar_one())
        return found
