"""Power cuts at every write of a refund that a provider pays: whenever the power goes, it is paid back once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests import kit
from tests.collecting import connect
from tests.conftest import ADMIN_KEY
from tests.faults.words import fee_of, note, sell, shop
from tests.paying_back import BOUNCED, Bank, collect, named

from tallymark.app import running
from tallymark.jobs.agenda import Kind
from tallymark.rooms.billing.service import refunds
from tallymark.rooms.payment_providers.model import RefundTold
from tallymark.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def bank():
    return Bank()


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, bank):
    options = Settings(
        admin_api_key=ADMIN_KEY, public_url="http://test", data_dir=tmp_path_factory.mktemp("data")
    )
    adapters: Any = {"stripe": bank}
    async with running(options, database_url, adapters) as parts:
        yield parts


async def collected(world):
    """100 units are paid through Stripe."""
    invoice = (await kit.get(world.client, f"/invoices/{world.kept['sold']}"))["invoice"]
    cents, name = invoice["total_amount_cents"], f"pi_{invoice['lago_id']}"
    await collect(world.database, world.organization_id, invoice, cents, name=name, at=NOW)


async def bounce(world):
    """The provider tells that a refund came back after all."""
    told = RefundTold(outcome=named(BOUNCED, f"re_{world.kept['note']}"))
    connection_id = await connect(world.database, world.organization_id)
    async with world.database.tenant(world.organization_id, is_simulated=True) as tx:
        await refunds.hear_refund(tx, connection_id, told, now=NOW)


class TestRefunds:
    @pytest.mark.cuts("POST /credit_notes", Kind.REFUND_CREDIT_NOTE)
    async def test_paid_back_once_and_returned(self, lives, bank):
        await lives.live(shop, sell(10), fee_of("sold"), collected)
        await lives.cut(note(cents=1000, refund_amount_cents=1200), bounce)
        assert len(bank.refunded) == 2
