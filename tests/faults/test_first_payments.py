"""Power cuts at every write of the payment that a subscription waits for: charged once, activated once, all given back once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from tests import kit
from tests.collecting import PENDING, REFUSED, RULES, SUCCEEDED, Provider, linked, open_application
from tests.faults.one_shop import UseCase, World, cut_everywhere, open_shop, open_wallet, own, subscribe

from tallymark.rooms.billing.collection import Collection

# As many runs as there are writes.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def provider():
    return Provider()


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, provider):
    async with open_application(database_url, tmp_path_factory.mktemp("data"), provider) as parts:
        yield parts


@pytest.fixture
def wait(provider):
    """Make worlds in a shop whose subscription waits; where asked for it is to follow another one.

    A coupon of 5.00 leaves 26.00, with tax 31.20; a wallet has 3.00.
    """
    provider.reset()

    async def waiting(shop, *, is_upgrade=False):
        provider.answer = PENDING
        world = World(shop, await linked(shop.client, shop.database, shop.organization_id))
        if is_upgrade:
            await subscribe(world)
        applied = {"coupon_code": "c", "amount_cents": 500, "amount_currency": "EUR"}
        applied["external_customer_id"] = world.owner["external_id"]
        await kit.post(shop.client, "/applied_coupons", {"applied_coupon": applied})
        await open_wallet(world, granted_credits="3")
        external_id = own(world) if is_upgrade else world.owner["external_id"]
        plan = shop.better if is_upgrade else shop.plan
        await kit.subscribe(shop.client, world.owner, plan, external_id=external_id, activation_rules=RULES)
        world.made = provider.orders[-1].payment_id
        return world

    return waiting


@pytest.fixture
async def shop(make_organization, database):
    return await open_shop(make_organization, database)


@pytest.fixture
def cut(database):
    """Cut the power at every write of an act; the number of cuts."""

    async def everywhere(prepare, act, *, may_repeat=False):
        case = UseCase(
            prepare=prepare, act=act, effect=World.everything, settle=World.settle, may_repeat=may_repeat
        )
        return await cut_everywhere(database, case)

    return everywhere


async def hear(world, outcome):
    collection = Collection(world.shop.database, {})
    now = datetime(2026, 1, 1, tzinfo=UTC)
    await collection.hear(world.shop.organization_id, world.made, outcome, now=now, is_simulated=True)
    await world.settle()


async def test_a_refusal(cut, wait, shop):
    async def prepare():
        return await wait(shop)

    assert await cut(prepare, lambda world: hear(world, REFUSED), may_repeat=True) > 10


async def test_the_success_of_an_upgrade(cut, wait, shop):
    async def prepare():
        return await wait(shop, is_upgrade=True)

    assert await cut(prepare, lambda world: hear(world, SUCCEEDED), may_repeat=True) > 15


async def test_a_wait_that_is_over(cut, wait, make_organization, database, provider):
    """After two days all is given back and the payment is called off; each world has a clock of its own."""
    keys = []

    async def prepare():
        world = await wait(await open_shop(make_organization, database))
        keys.append(provider.orders[-1].idempotency_key)
        return world

    async def act(world):
        await kit.advance(world.client, "2026-01-03T01:00")

    assert await cut(prepare, act, may_repeat=True) > 15
    assert len(keys) > 2
    # The last one was made for a cut that came no more; the others were called off, some of them by two tries.
    assert set(provider.canceled) == set(keys)


async def test_asking_for_it(cut, make_organization, database, provider):
    """The power goes while it is asked for, before and after: it is charged once."""
    provider.reset()
    shop = await open_shop(make_organization, database)

    async def prepare():
        return World(shop, await linked(shop.client, database, shop.organization_id))

    async def act(world):
        external_id = world.owner["external_id"]
        await kit.subscribe(
            world.client, world.owner, shop.plan, external_id=external_id, activation_rules=RULES
        )

    assert await cut(prepare, act) > 15
    async with database.tenant(shop.organization_id) as tx:
        paid = await tx.execute(text("SELECT count(*) FROM payments WHERE payment_status = 'succeeded'"))
        assert paid.scalar_one() == len(provider.charged)
