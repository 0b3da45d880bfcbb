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


def hear(provider, outcome):
    """The provider tells of the payment that a world has asked for, and what follows is done."""

    async def step(world):
        async with world.database.tenant(world.organization_id) as tx:
            statement = text("SELECT id FROM payments WHERE payment_type = 'provider'")
            payment_id = (await tx.execute(statement)).scalar_one()
        told = replace(outcome, provider_payment_id=f"pi_{payment_id}")
        body = str(payment_id).encode()
        provider.told[body] = [PaymentTold(outcome=told)]
        connection_id = await connect(world.database, world.organization_id)
        async with world.database.tenant(world.organization_id, is_simulated=True) as tx:
            await payment_providers.keep_event(tx, connection_id, body, now=NOW)
        await world.settle()

    return step


class TestCollecting:
    @pytest.mark.cuts(
        "POST /invoices", "POST /payments", Kind.ASK_FOR_PAYMENT, Kind.COLLECT_PAYMENT, Kind.HEAR_PROVIDER,
        Kind.CANCEL_PAYMENT,
    )  # fmt: skip
    async def test_paid_in_part_by_hand_while_it_is_collected(self, lives, provider):
        """Of the 10.00 that come in 7.00 are kept, and 3.00 go back."""
        await lives.live(shop)
        await lives.cut(sell("c"), pay("c", 300), hear(provider, SUCCEEDED))
        assert [order.amount_cents for order in provider.refunds] == [300, 300]

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
        for world in (lives.calm, lives.stormy):
            async with world.database.tenant(world.organization_id) as tx:
                paid = await tx.execute(
                    text("SELECT count(*) FROM payments WHERE payment_status = 'succeeded'")
                )
                assert paid.scalar_one() == 1
