"""Power cuts at every write of the payment that a subscription waits for: charged once, activated once, all given back once."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from tests import kit
from tests.collecting import (
    PENDING,
    REFUSED,
    RULES,
    SUCCEEDED,
    Provider,
    collection_of,
    linked,
    open_application,
)
from tests.faults.words import advance, charge, coupon, give, plan, subscribe, wallet

from tallymark.jobs.agenda import Kind

IN_ADVANCE = {"pay_in_advance": True}


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
    """20 % tax, a metric, a customer who can be collected from, plans in advance at 31.00 and 62.00; 5.00 off, 3.00 in a wallet."""
    await kit.tax(world.client, "20", code="t", name="t")
    world.kept["m"] = (await kit.metric(world.client, code="m"))["lago_id"]
    await linked(world.client, world.database, world.organization_id, external_id="c", currency="EUR")
    for step in (
        plan("first", charge(), amount_cents=3100, **IN_ADVANCE),
        plan("second", amount_cents=6200, **IN_ADVANCE),
        coupon(500),
        give(),
        wallet(granted_credits="3"),
    ):
        await step(world)


def ask(to):
    """Subscribe by a rule: the payment is asked for."""
    return subscribe(to, activation_rules=RULES)


def hear(provider, outcome):
    """The provider tells of the payment that was asked for last in a world, and what follows is done."""

    async def step(world):
        if "payment" not in world.kept:
            async with world.database.tenant(world.organization_id) as tx:
                found = await tx.execute(text("SELECT id FROM payments ORDER BY id DESC LIMIT 1"))
                world.kept["payment"] = str(found.scalar_one())
        collection = await collection_of(world.database, provider)
        now = datetime(2026, 1, 1, tzinfo=UTC)
        payment_id = UUID(world.kept["payment"])
        await collection.hear(world.organization_id, payment_id, outcome, now=now, is_simulated=True)
        await world.settle()

    return step


class TestFirstPayments:
    @pytest.mark.cuts("POST /subscriptions", Kind.COLLECT_PAYMENT)
    async def test_asked_for_and_refused(self, lives, provider):
        """What the coupon and the wallet gave is given back."""
        await lives.live(shop)
        await lives.cut(ask("first"), hear(provider, REFUSED))

    @pytest.mark.cuts("POST /subscriptions", Kind.COLLECT_PAYMENT)
    async def test_of_an_upgrade_that_succeed(self, lives, provider):
        await lives.live(shop, subscribe("first"))
        await lives.cut(ask("second"), hear(provider, SUCCEEDED))

    @pytest.mark.cuts("POST /subscriptions", Kind.COLLECT_PAYMENT)
    async def test_that_succeed_at_once(self, lives, provider):
        """Whenever the power goes, before the provider is asked, meanwhile and after: each customer is charged once."""
        provider.answer = SUCCEEDED
        await lives.live(shop)
        await lives.cut(ask("first"))
        for world in (lives.calm, lives.stormy):
            async with world.database.tenant(world.organization_id) as tx:
                paid = await tx.execute(
                    text("SELECT count(*) FROM payments WHERE payment_status = 'succeeded'")
                )
                assert paid.scalar_one() == 1
        assert len(provider.charged) == 2

    @pytest.mark.cuts("POST /test_clock/advance", Kind.EXPIRE_ACTIVATION, Kind.CANCEL_PAYMENT)
    async def test_called_off_when_the_wait_is_over(self, lives, provider):
        """After two days all is given back."""
        await lives.live(shop, ask("first"))
        await lives.cut(advance("2026-01-03T01:00"))
        assert set(provider.canceled) == {order.idempotency_key for order in provider.orders}
