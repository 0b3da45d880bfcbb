"""Refunds of credit notes by whoever collected the money, and disputes that customers won (wallets §14)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.paying_back import BOUNCED, ON_ITS_WAY, PAID_BACK, Bank, Till, collect, named
from tests.people import join
from tests.rooms.test_payment_requests import ask
from tests.rooms.test_payments import credit, invoice, pay, sell

from tallymark.app import running
from tallymark.db.ids import new_id
from tallymark.db.tables import outbox, payments, refunds
from tallymark.rooms.billing.service import refunds as service
from tallymark.rooms.payment_providers.model import DisputeLost, RefundTold
from tallymark.rooms.payment_providers.ports import ProviderRefused, ProviderUnavailable
from tallymark.settings import Settings


@pytest.fixture(scope="module")
def bank():
    return Bank()


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, bank):
    options = Settings(
        admin_api_key=ADMIN_KEY, public_url="http://test", data_dir=tmp_path_factory.mktemp("data")
    )
    adapters: Any = {"stripe": bank, "cashfree": Till()}
    async with running(options, database_url, adapters) as parts:
        yield parts


@pytest.fixture
async def seller(make_organization, database, bank):
    """An organization that is due 100.00 on an invoice of 5 June."""
    bank.reset()
    organization = await make_organization("2025-06-05T12:00:00Z")
    client = organization.client
    client.organization_id, client.database = organization.id, database
    client.who = await kit.customer(client, currency="EUR")
    client.invoice = await sell(client)
    return client


async def collected(client, amount, *, of=None, **more):
    """Money that a provider brought for an invoice or a payment request; the connection's id."""
    # What calls have noted at the same instant of the clock came before.
    at = await clock(client) + timedelta(milliseconds=1)
    return await collect(client.database, client.organization_id, of or client.invoice, amount, at=at, **more)


async def clock(client):
    return datetime.fromisoformat((await kit.get(client, "/test_clock"))["test_clock"]["frozen_time"])


def name_of(note):
    """How the provider calls a note's refund."""
    return f"re_{note['lago_id']}"


async def status(client, note):
    return (await kit.get(client, f"/credit_notes/{note['lago_id']}"))["credit_note"]["refund_status"]


async def by_hand(client, note, refund_status):
    body = {"credit_note": {"refund_status": refund_status}}
    await kit.call(client, "PUT", f"/credit_notes/{note['lago_id']}", body)


async def hear(client, connection_id, outcome, **known_by):
    """The provider tells what became of a refund."""
    at = await clock(client)
    async with client.database.tenant(client.organization_id, is_simulated=True) as tx:
        await service.hear_refund(tx, connection_id, RefundTold(outcome=outcome, **known_by), now=at)


async def hear_dispute(client, connection_id, name, reason=None):
    at = await clock(client)
    async with client.database.tenant(client.organization_id, is_simulated=True) as tx:
        lost = DisputeLost(provider_payment_id=name, reason=reason)
        await service.hear_dispute(tx, connection_id, lost, now=at)


async def failures(client):
    """What was told of refunds that failed."""
    async with client.database.tenant(client.organization_id) as tx:
        told = select(outbox.c.payload).where(outbox.c.webhook_type == "credit_note.refund_failure")
        rows = (await tx.execute(told.order_by(outbox.c.id))).scalars()
        return [row["credit_note_payment_provider_refund_error"] for row in rows]


async def kept(client):
    """What is kept of each refund: its amount, our word, the provider's word and name."""
    column = refunds.c
    names = (column.amount_cents, column.refund_status, column.status, column.provider_refund_id)
    async with client.database.tenant(client.organization_id) as tx:
        return [tuple(row) for row in await tx.execute(select(*names).order_by(column.id))]


class TestOfWhichPayment:
    async def test_of_the_latest_which_its_provider_pays_back(self, seller, bank):
        """60.00 by hand, then 40.00 by Stripe: 30.00 and 10.00 are of these. Of the 5.00 that follow nothing is left there."""
        await pay(seller, 6_000)
        await collected(seller, 4_000, name="pi_1")
        note = await credit(seller, refund=3_000)
        (order,) = bank.orders
        assert (order.idempotency_key, order.amount_cents, order.currency) == (note["lago_id"], 3_000, "EUR")
        assert (order.provider_payment_id, order.reason) == (
            "pi_1",
            "other",
        )
        assert order.metadata == {
            "lago_credit_note_id": note["lago_id"], "lago_customer_id": seller.who["lago_id"],
            "lago_invoice_id": seller.invoice["lago_id"],
        }  # fmt: skip
        assert await status(seller, note) == "succeeded"
        rest = await credit(seller, refund=1_000)
        assert (await status(seller, rest), len(bank.orders)) == ("succeeded", 2)
        over = await credit(seller, refund=500)
        assert (await status(seller, over), len(bank.orders), await failures(seller)) == (
            "failed", 2,
            [{
                "lago_credit_note_id": over["lago_id"], "lago_customer_id": seller.who["lago_id"],
                "external_customer_id": seller.who["external_id"], "provider_customer_id": "cus_1",
                "payment_provider": "stripe", "payment_provider_code": "stripe",
                "provider_error": {
                    "message": "The latest payment has 0 left to pay back, and the refund is 500, in minor units.",
                    "error_code": "refund_exceeds_payment",
                },
            }],
        )  # fmt: skip
        await by_hand(seller, over, "succeeded")
        assert await status(seller, over) == "succeeded"

    async def test_of_one_that_is_larger_than_the_latest_nothing_goes_back(self, seller, bank):
        """60.00 and 40.00 by Stripe: 40.01 are more than the second payment was, and two notes never take more than it together."""
        await collected(seller, 6_000, name="pi_1")
        await kit.advance(seller, "2025-06-05T13:00")
        await collected(seller, 4_000, name="pi_2")
        note = await credit(seller, refund=4_001)
        assert (bank.orders, await status(seller, note)) == ([], "failed")
        bank.answer = ON_ITS_WAY
        first, second = [await credit(seller, refund=cents) for cents in (2_500, 1_600)]
        assert [await status(seller, one) for one in (first, second)] == ["pending", "failed"]
        assert [order.provider_payment_id for order in bank.orders] == ["pi_2"]

    @pytest.mark.parametrize("kind", [None, "cashfree"])
    async def test_what_nobody_pays_back_waits_for_a_person(self, seller, bank, kind):
        """The latest payment is by hand, or of a provider that pays nothing back: whatever came before it."""
        await collected(seller, 4_000, name="pi_1")
        await kit.advance(seller, "2025-06-05T13:00")
        if kind is None:
            await pay(seller, 6_000)
        else:
            await collected(seller, 6_000, name="cf_1", kind=kind)
        note = await credit(seller, refund=1_000)
        assert (bank.orders, await status(seller, note), await failures(seller)) == ([], "pending", [])
        await by_hand(seller, note, "succeeded")
        assert (await kept(seller), await status(seller, note)) == ([], "succeeded")

    async def test_what_is_not_paid_in_full_waits_for_a_person(self, seller, bank):
        await collected(seller, 4_000, name="pi_1")
        note = await credit(seller, refund=1_000)
        assert (bank.orders, await status(seller, note)) == ([], "pending")

    async def test_of_one_for_several_invoices(self, seller, bank):
        """100.00 and 40.00 paid as one: both invoices are paid back of it, each by its own part."""
        second = await sell(seller, 4_000)
        await kit.advance(seller, "2025-06-08T12:00")
        connection_id = await collected(
            seller, 14_000, name="pi_1", of=await ask(seller, seller.invoice, second)
        )
        await credit(seller, refund=10_000)
        await credit(seller, of=second, refund=1_500)
        told = [(one.amount_cents, one.provider_payment_id) for one in bank.orders]
        assert told == [(10_000, "pi_1"), (1_500, "pi_1")]
        await hear_dispute(seller, connection_id, "pi_1", "fraudulent")
        for of in (seller.invoice, second):
            assert (await invoice(seller, of))["payment_dispute_lost_at"] == "2025-06-08T12:00:00.000Z"

    async def test_of_an_invoice_that_is_voided(self, seller, bank):
        await collected(seller, 10_000, name="pi_1")
        body = {"generate_credit_note": True, "refund_amount": 7_001, "credit_amount": 1_000}
        await kit.post(seller, f"/invoices/{seller.invoice['lago_id']}/void", body)
        assert [order.amount_cents for order in bank.orders] == [7_001]


class TestWhatBecomesOfIt:
    async def test_told_later(self, seller, bank):
        """On its way, then paid back, and after weeks it bounces: the last word stays."""
        connection_id = await collected(seller, 10_000, name="pi_1")
        bank.answer = ON_ITS_WAY
        note = await credit(seller, refund=2_000)
        assert await kept(seller) == [(2_000, "pending", "submitted", name_of(note))]
        await hear(seller, connection_id, named(PAID_BACK, name_of(note)))
        assert await status(seller, note) == "succeeded"
        await kit.advance(seller, "2025-06-20T12:00")
        for _ in range(2):
            await hear(seller, connection_id, named(BOUNCED, name_of(note)))
        assert await status(seller, note) == "failed"
        assert [one["provider_error"] for one in await failures(seller)] == [
            {"message": "No account.", "error_code": "closed"}
        ]
        await hear(seller, connection_id, named(PAID_BACK, name_of(note)))
        assert await kept(seller) == [(2_000, "failed", "bounced", name_of(note))]
        assert (await status(seller, note), len(bank.orders)) == ("failed", 1)
        again = await credit(seller, refund=8_000)
        assert (len(bank.orders), await status(seller, again)) == (2, "pending")

    @pytest.mark.parametrize("by", ["its note", "its payment"])
    async def test_told_before_the_answer_is_there(self, seller, bank, by):
        connection_id = await collected(seller, 10_000, name="pi_1")
        bank.answer = ON_ITS_WAY

        async def tell(known):
            told = named(PAID_BACK, known.provider_refund_id)
            key = {"lago_credit_note_id": bank.orders[-1].idempotency_key}
            more = {"metadata": key} if by == "its note" else {"provider_payment_id": "pi_1"}
            await hear(seller, connection_id, told, **more)

        bank.meanwhile = tell
        note = await credit(seller, refund=2_000)
        assert await status(seller, note) == "succeeded"
        assert await kept(seller) == [(2_000, "succeeded", "done", name_of(note))]

    async def test_what_was_not_asked_for_is_nobodys(self, seller, bank):
        connection_id = await collected(seller, 10_000, name="pi_1")
        bank.answer = ON_ITS_WAY
        note = await credit(seller, refund=2_000)
        elsewhere = new_id()
        for told in (
            {"provider_payment_id": "pi_1"}, {"provider_payment_id": "pi_2"},
            {"metadata": {"lago_credit_note_id": "x"}}, {"metadata": {"lago_credit_note_id": str(elsewhere)}},
        ):  # fmt: skip
            await hear(seller, connection_id, named(PAID_BACK, "re_9"), **told)
        await hear(seller, elsewhere, named(PAID_BACK, name_of(note)))
        assert await status(seller, note) == "pending"

    async def test_refused_at_once(self, seller, bank):
        await collected(seller, 10_000, name="pi_1")
        bank.answer = ProviderRefused("This charge has been charged back.", code="charge_disputed")
        note = await credit(seller, refund=2_000)
        assert (await status(seller, note), await kept(seller)) == (
            "failed",
            [(2_000, "failed", "refused", None)],
        )
        assert (await failures(seller))[0]["provider_error"]["error_code"] == "charge_disputed"


class TestTryingAgain:
    async def test_an_outage_and_a_bad_key_are_waited_for(self, seller, bank):
        await collected(seller, 10_000, name="pi_1")
        bank.answer = ProviderUnavailable("nobody there")
        note = await credit(seller, refund=2_000)
        bank.answer = ProviderRefused("Bad key.", is_unauthorized=True)
        await kit.advance(seller, "2025-06-05T12:00:30", fails=True)
        bank.answer = PAID_BACK
        await kit.advance(seller, "2025-06-05T12:10")
        assert await status(seller, note) == "succeeded"
        assert [order.idempotency_key for order in bank.orders] == [note["lago_id"]] * 3

    async def test_a_person_who_settles_it_meanwhile_stops_it(self, seller, bank):
        """It may have been sent nevertheless: should the provider tell so, that is true."""
        connection_id = await collected(seller, 10_000, name="pi_1")
        bank.answer = ProviderUnavailable("nobody there")
        note = await credit(seller, refund=2_000)
        await by_hand(seller, note, "failed")
        bank.answer = PAID_BACK
        await kit.advance(seller, "2025-06-05T12:10")
        assert (len(bank.orders), await kept(seller)) == (1, [(2_000, "failed", "called_off", None)])
        assert (await status(seller, note), await failures(seller)) == ("failed", [])
        told = {"metadata": {"lago_credit_note_id": note["lago_id"]}}
        await hear(seller, connection_id, named(PAID_BACK, name_of(note)), **told)
        assert await status(seller, note) == "succeeded"

    async def test_a_provider_has_the_last_word_on_what_is_under_way(self, seller, bank):
        connection_id = await collected(seller, 10_000, name="pi_1")
        bank.answer = ON_ITS_WAY
        note = await credit(seller, refund=2_000)
        await by_hand(seller, note, "succeeded")
        await hear(seller, connection_id, named(BOUNCED, name_of(note)))
        assert (await status(seller, note), len(await failures(seller))) == ("failed", 1)


class TestDisputes:
    async def test_a_lost_one_is_told_with_its_reason_and_once(self, seller, bank):
        connection_id = await collected(seller, 10_000, name="pi_1")
        await hear_dispute(seller, connection_id, "pi_2")
        assert (await invoice(seller))["payment_dispute_lost_at"] is None
        for reason in ("fraudulent", "duplicate"):
            await hear_dispute(seller, connection_id, "pi_1", reason)
        assert (await invoice(seller))["payment_dispute_lost_at"] == "2025-06-05T12:00:00.000Z"
        async with seller.database.tenant(seller.organization_id) as tx:
            told = select(outbox.c.payload).where(outbox.c.webhook_type == "invoice.payment_dispute_lost")
            assert (await tx.execute(told)).scalars().all() == [{"provider_error": "fraudulent"}]
        note = await credit(seller, refund=2_000)
        assert (bank.orders, await status(seller, note)) == ([], "pending")

    async def test_of_a_payment_that_went_back_is_nobodys(self, seller):
        connection_id = await collected(seller, 10_000, name="pi_1")
        async with seller.database.tenant(seller.organization_id) as tx:
            await tx.execute(update(payments).values(payment_status="failed"))
        await hear_dispute(seller, connection_id, "pi_1")
        async with seller.database.tenant(seller.organization_id) as tx:
            await tx.execute(update(payments).values(payment_status="succeeded"))
        assert (await invoice(seller))["payment_dispute_lost_at"] is None


async def test_the_app_shows_who_collected_and_why_nothing_went_back(seller, application, bank):
    """100.00 by Stripe, of which 30.00 bounce; of 10.00 that are credited nobody is asked."""
    await collected(seller, 10_000, name="pi_1")
    bank.answer = BOUNCED
    note = await credit(seller, refund=3_000)
    (payment,) = (await kit.get(seller, "/payments"))["payments"]
    person = await join(application, seller.organization_id, ADMIN_KEY)
    found = await kit.get(person.browser, f"/payments/{payment['lago_id']}/collection")
    assert found["collection"] == {
        "payment_provider_name": "stripe",
        "payment_method": None,
        "error_code": None,
        "error_message": None,
    }
    found = await kit.get(person.browser, f"/credit_notes/{note['lago_id']}/refund")
    assert found["refund"] == {
        "lago_payment_id": payment["lago_id"], "payment_provider": "stripe", "amount_cents": 3_000, "currency": "EUR",
        "status": "bounced", "refund_status": "failed", "provider_refund_id": name_of(note),
        "error_code": "closed", "error_message": "No account.",
    }  # fmt: skip
    credited = await credit(seller, credit=1_000)
    assert await kit.get(person.browser, f"/credit_notes/{credited['lago_id']}/refund") == {"refund": None}
    await person.browser.aclose()
