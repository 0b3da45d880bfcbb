"""Payment requests that are collected as one payment (wallets-and-payments §16, §17).

A customer owes 100.00 and 40.00, of which 10.00 were paid by hand: 130.00 are overdue.
"""

from dataclasses import replace
from uuid import UUID

import pytest
from tests import kit
from tests.collecting import (
    AWAY,
    PENDING,
    REFUSED,
    SUCCEEDED,
    Provider,
    Seller,
    connect,
    give_method,
    link,
    open_application,
)
from tests.people import join

from tallymark.db.tables import payment_receipts, payments
from tallymark.domain.dunning import Progress
from tallymark.jobs import mail
from tallymark.outside import make_vault
from tallymark.rooms.billing.request_pages import RequestPages
from tallymark.rooms.billing.service import outcomes
from tallymark.rooms.billing.service.asking import try_again
from tallymark.rooms.dunning import repository as progress_rows
from tallymark.rooms.dunning import service as dunning
from tallymark.rooms.dunning.model import CampaignInput
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.model import PaymentTold


@pytest.fixture(scope="module")
def provider():
    return Provider()


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, provider):
    async with open_application(database_url, tmp_path_factory.mktemp("data"), provider) as parts:
        yield parts


@pytest.fixture
async def seller(make_organization, database, provider):
    provider.reset()
    organization = await make_organization("2026-01-11T12:00:00Z")
    seller = Seller(organization, database, provider)
    for code, cents in (("a", 10_000), ("b", 4_000)):
        add_on = {"name": code, "code": code, "amount_cents": cents, "amount_currency": "EUR"}
        await kit.post(seller.client, "/add_ons", {"add_on": add_on})
    seller.who = await kit.customer(seller.client, currency="EUR", email="ap@acme.test")
    seller.old, seller.dear = await sell(seller, "a"), await sell(seller, "b")
    await pay(seller, 1_000, invoice_id=seller.dear["lago_id"])
    await link(database, seller.id, seller.who)
    await give_method(database, seller.id, seller.who)
    await seller.advance("2026-01-13T12:00")
    await seller.told()
    return seller


@pytest.fixture
def letters(monkeypatch):
    """The requests that were to be sent by e-mail; customers of organizations with a clock get none."""
    noted: list[str] = []

    async def note(tx, kind, *document_ids, now):
        noted.extend(str(one) for one in document_ids if kind is mail.MailKind.REQUEST)

    monkeypatch.setattr(mail, "note", note)
    return noted


async def sell(seller, code):
    body = {
        "external_customer_id": seller.who["external_id"], "currency": "EUR", "fees": [{"add_on_code": code}],
    }  # fmt: skip
    return (await kit.post(seller.client, "/invoices", {"invoice": body}))["invoice"]


async def ask(seller, *invoices, expect=200, **more):
    body = {
        "external_customer_id": seller.who["external_id"],
        "lago_invoice_ids": [one["lago_id"] for one in invoices or (seller.old, seller.dear)],
        **more,
    }
    answer = await kit.post(seller.client, "/payment_requests", {"payment_request": body}, expect=expect)
    return answer["payment_request"] if expect == 200 else answer


async def pay(seller, cents, *, expect=200, **of):
    body = {"amount_cents": cents, "reference": "wire", **of}
    await kit.post(seller.client, "/payments", {"payment": body}, expect=expect)


async def stands(seller, request):
    """The request's status, and of each of its invoices the status, what was paid and what is due."""
    found = (await kit.get(seller.client, f"/payment_requests/{request['lago_id']}"))["payment_request"]
    names = ("payment_status", "total_paid_amount_cents", "total_due_amount_cents")
    return found["payment_status"], *(tuple(one[name] for name in names) for one in found["invoices"])


UNPAID = ("pending", ("pending", 0, 10_000), ("pending", 1_000, 3_000))
PAID = ("succeeded", ("succeeded", 10_000, 0), ("succeeded", 4_000, 0))
FAILED = ("failed", ("failed", 0, 10_000), ("failed", 1_000, 3_000))


class TestWhatIsAsked:
    async def test_one_payment_for_the_whole(self, seller, letters):
        """100.00 and 30.00: each invoice is paid what is due of it, by one payment with one receipt."""
        made = await ask(seller)
        (order,) = seller.provider.orders
        assert (order.amount_cents, order.currency, order.reference) == (
            13_000,
            "EUR",
            "Acme - Overdue invoices",
        )
        told = {
            "lago_payable_id": made["lago_id"], "lago_payable_type": "PaymentRequest",
            "lago_customer_id": seller.who["lago_id"],
        }  # fmt: skip
        assert told.items() <= order.metadata.items()
        assert await stands(seller, made) == PAID
        assert await seller.payments() == [("succeeded", 1_000, "succeeded"), ("succeeded", 13_000, "paid")]
        assert len(await seller.stored(payment_receipts, "number")) == 2
        assert await seller.told("payment_request", "payment") == [
            "payment_request.created", "payment_request.payment_status_updated", "payment.succeeded",
        ]  # fmt: skip
        assert letters == []

    async def test_one_invoice_is_named(self, seller):
        await ask(seller, seller.old)
        (order,) = seller.provider.orders
        assert order.reference == f"Acme - Overdue invoices: {seller.old['number']}"

    async def test_who_can_not_be_asked_is_written_to(self, seller, letters):
        """By hand, by nobody, by a method that is gone, or by a customer whom the provider does not know."""
        by_hand = await ask(seller, payment_method={"payment_method_type": "manual"})
        assert letters == [by_hand["lago_id"]]
        who = seller.who["external_id"]
        (method,) = (await kit.get(seller.client, f"/customers/{who}/payment_methods"))["payment_methods"]
        path = f"/customers/{who}/payment_methods/{method['lago_id']}"
        await kit.call(seller.client, "DELETE", path)
        without = await ask(seller)
        await seller.advance("2026-01-13T13:00")
        assert letters[1:] == [without["lago_id"]]
        body = {"external_id": who, "billing_configuration": {"payment_provider": None}}
        await kit.post(seller.client, "/customers", {"customer": body})
        unlinked = await ask(seller)
        assert (letters[2:], seller.provider.orders) == ([unlinked["lago_id"]], [])

    async def test_by_the_method_that_is_named(self, seller):
        other = await give_method(seller.database, seller.id, seller.who, "pm_2")
        first = await kit.get(seller.client, f"/customers/{seller.who['external_id']}/payment_methods")
        (older,) = [one for one in first["payment_methods"] if one["lago_id"] != other]
        chosen = {"payment_method_type": "provider", "payment_method_id": older["lago_id"]}
        await ask(seller, payment_method=chosen)
        assert [order.provider_method_id for order in seller.provider.orders] == ["pm_1"]
        seller.provider.answer = REFUSED
        nobodys = {**chosen, "payment_method_id": "00000000-0000-0000-0000-000000000000"}
        later = await sell(seller, "a")
        await seller.advance("2026-01-15T12:00")
        answer = await ask(seller, later, payment_method=nobodys, expect=422)
        assert answer["error_details"] == {"payment_method": ["invalid_payment_method"]}


class TestWhatBecomesOfIt:
    async def test_on_its_way_and_then_there(self, seller):
        """While it is on its way, its invoices are asked for in no other way."""
        seller.provider.answer = PENDING
        made = await ask(seller)
        assert await stands(seller, made) == UNPAID
        answer = await ask(seller, seller.old, expect=405)
        assert answer["code"] == "invoices_not_ready_for_payment_processing"
        path = f"/invoices/{seller.old['lago_id']}/retry_payment"
        answer = await kit.post(seller.client, path, {}, expect=405)
        assert answer["code"] == "payment_processor_is_currently_handling_payment"
        async with seller.database.tenant(seller.id, is_simulated=True) as tx:
            await try_again(tx, [UUID(seller.who["lago_id"])], now=await seller.now())
        await seller.advance("2026-01-13T12:30")
        await seller.hear(SUCCEEDED)
        assert await stands(seller, made) == PAID
        await seller.hear(SUCCEEDED)
        assert (len(seller.provider.orders), len(await seller.payments())) == (1, 2)

    async def test_refused(self, seller, letters):
        """What is paid already stays paid; a request that failed can be followed by another one."""
        seller.provider.answer = PENDING
        made = await ask(seller)
        await pay(seller, 3_000, invoice_id=seller.dear["lago_id"])
        await seller.told()
        await seller.hear(REFUSED)
        assert await stands(seller, made) == ("failed", ("failed", 0, 10_000), ("succeeded", 4_000, 0))
        assert letters == [made["lago_id"]]
        assert await seller.told("payment_request") == [
            "payment_request.payment_status_updated", "payment_request.payment_failure",
        ]  # fmt: skip
        body = (await seller.bodies())["payment_request.payment_failure"]
        assert body["payment_provider_payment_request_payment_error"] == {
            "lago_payment_request_id": made["lago_id"],
            "lago_invoice_ids": [seller.old["lago_id"], seller.dear["lago_id"]],
            "lago_customer_id": seller.who["lago_id"],
            "external_customer_id": seller.who["external_id"],
            "provider_customer_id": "cus_1",
            "payment_provider": "stripe",
            "payment_provider_code": "stripe",
            "provider_error": {"message": "No.", "error_code": "card_declined"},
        }
        seller.provider.answer = PENDING
        again = await ask(seller, seller.old)
        assert seller.provider.orders[-1].amount_cents == 10_000
        await seller.hear(SUCCEEDED)
        assert await stands(seller, again) == ("succeeded", ("succeeded", 10_000, 0))

    async def test_refused_at_once(self, seller, letters):
        """Who asked is not told of the status again."""
        seller.provider.answer = REFUSED
        made = await ask(seller)
        assert await stands(seller, made) == FAILED
        assert await seller.told("payment_request") == [
            "payment_request.created", "payment_request.payment_failure",
        ]  # fmt: skip
        assert letters == [made["lago_id"]]


class TestMeanwhile:
    async def test_one_of_the_invoices_is_paid_by_hand(self, seller):
        """130.00 come in when 30.00 are due: 100.00 go back."""
        seller.provider.answer = PENDING
        made = await ask(seller)
        await pay(seller, 10_000, invoice_id=seller.old["lago_id"])
        await seller.hear(SUCCEEDED)
        assert await stands(seller, made) == PAID
        (back,) = seller.provider.refunds
        assert back.amount_cents == 10_000
        rows = await seller.stored(payments, "amount_cents", "surplus_cents")
        assert rows == [(1_000, 0), (3_000, 10_000), (10_000, 0)]

    @pytest.mark.parametrize("how", ["voided", "the request is paid by hand"])
    async def test_nothing_is_due_any_more(self, seller, how):
        """The payment is called off; what comes in nevertheless goes back whole."""
        seller.provider.answer = PENDING
        made = await ask(seller, seller.old)
        if how == "voided":
            await kit.post(seller.client, f"/invoices/{seller.old['lago_id']}/void", {})
        else:
            await pay(seller, 10_000, payment_request_id=made["lago_id"])
        await seller.advance("2026-01-13T13:00")
        (order,) = seller.provider.orders
        assert seller.provider.canceled == [order.idempotency_key]
        await seller.hear(SUCCEEDED)
        assert seller.provider.canceled == [order.idempotency_key] * 2
        assert (await seller.payments())[1] == ("failed", 10_000, "canceled")

    async def test_the_provider_is_away(self, seller):
        """It is asked again with the same key, for what was asked before; an invoice that is asked for alone is so no more."""
        seller.provider.answer = AWAY
        made = await ask(seller)
        seller.provider.answer = SUCCEEDED
        await seller.advance("2026-01-13T12:30")
        first, second = seller.provider.orders
        assert (first.idempotency_key, first.amount_cents) == (second.idempotency_key, 13_000)
        assert await stands(seller, made) == PAID

    async def test_an_invoice_whose_own_payment_got_no_answer(self, seller):
        """Its own is called off, and what is asked for is the whole."""
        seller.provider.answer = AWAY
        await kit.post(seller.client, f"/invoices/{seller.old['lago_id']}/retry_payment", {})
        seller.provider.answer = SUCCEEDED
        made = await ask(seller)
        assert await stands(seller, made) == PAID
        assert [order.amount_cents for order in seller.provider.orders] == [10_000, 13_000]
        assert seller.provider.canceled == [seller.provider.orders[0].idempotency_key]


class TestAlone:
    """What is collected of each invoice by itself, before and after a request."""

    async def test_a_new_method_pays_what_waits_but_for_a_lost_dispute(self, seller):
        """Of 100.00 and 30.00 the dispute about the first was lost: only a person has it collected."""
        path = f"/invoices/{seller.old['lago_id']}"
        await kit.post(seller.client, f"{path}/lose_dispute", None)
        async with seller.database.tenant(seller.id, is_simulated=True) as tx:
            await try_again(tx, [UUID(seller.who["lago_id"])], now=await seller.now())
        await seller.advance("2026-01-13T12:30")
        assert [order.amount_cents for order in seller.provider.orders] == [3_000]
        await kit.post(seller.client, f"{path}/retry_payment", None)
        assert [order.amount_cents for order in seller.provider.orders] == [3_000, 10_000]

    async def test_the_app_tells_how_an_invoice_stands(self, seller, application, make_organization):
        """Nobody is asked; then for 130.00 with another one, which is refused; then for 100.00, which the customer is to confirm."""
        person = await join(application, seller.id, "admin-key")

        async def told(invoice, expect=200):
            path = f"/invoices/{invoice['lago_id']}/collection"
            answer = await kit.get(person.browser, path, expect=expect)
            return answer["collection"] if expect == 200 else answer["code"]

        assert await told(seller.old) is None
        seller.provider.answer = REFUSED
        await ask(seller)
        (payment,) = [
            one
            for one in (await kit.get(seller.client, "/payments"))["payments"]
            if one["type"] == "provider"
        ]
        refused = {
            "lago_payment_id": payment["lago_id"], "payment_provider": "stripe", "amount_cents": 13_000, "currency": "EUR",
            "payment_status": "failed", "next_action": {}, "error_code": "card_declined", "error_message": "No.",
            "created_at": payment["created_at"],
        }  # fmt: skip
        assert await told(seller.old) == await told(seller.dear) == refused
        seller.provider.answer = replace(PENDING, next_action={"type": "redirect"})
        await kit.post(seller.client, f"/invoices/{seller.old['lago_id']}/retry_payment", None)
        latest = await told(seller.old)
        assert (latest["amount_cents"], latest["payment_status"]) == (10_000, "processing")
        assert (latest["next_action"], latest["error_code"]) == ({"type": "redirect"}, None)
        assert await told(seller.dear) == refused
        other = (await make_organization("2026-01-11T12:00:00Z")).client
        add_on = {"name": "a", "code": "a", "amount_cents": 1_000, "amount_currency": "EUR"}
        await kit.post(other, "/add_ons", {"add_on": add_on})
        who = await kit.customer(other, currency="EUR")
        body = {"external_customer_id": who["external_id"], "currency": "EUR", "fees": [{"add_on_code": "a"}]}
        theirs = (await kit.post(other, "/invoices", {"invoice": body}))["invoice"]
        assert await told(theirs, expect=404) == "invoice_not_found"
        await person.browser.aclose()


class TestPages:
    async def test_one_page_for_what_is_due_while_nobody_collects_it(self, seller):
        """Asked twice it is the same one; it is taken back where less is due, and none is made while a payment is on its way."""
        providers = {"stripe": seller.provider}
        vault = await make_vault(seller.database, "http://test")
        find = RequestPages(database=seller.database, vault=vault, adapters=providers)
        made = await ask(seller, payment_method={"payment_method_type": "manual"})
        request_id = UUID(made["lago_id"])
        first, again = [await find(seller.id, request_id, is_simulated=True) for _ in range(2)]
        assert first == again == f"https://pay.test/payment-link-{request_id}-1"
        (order,) = seller.provider.pages
        assert (order.amount_cents, order.title) == (13_000, "Overdue invoices")
        await pay(seller, 3_000, invoice_id=seller.dear["lago_id"])
        await seller.advance("2026-01-13T13:00")
        assert seller.provider.expired == [f"payment-link-{request_id}-1"]
        assert (
            await find(seller.id, request_id, is_simulated=True)
            == f"https://pay.test/payment-link-{request_id}-2"
        )
        assert seller.provider.pages[-1].amount_cents == 10_000
        seller.provider.answer = PENDING
        collected = await ask(seller, seller.old)
        for one in (made, collected):
            assert await find(seller.id, UUID(one["lago_id"]), is_simulated=True) is None
        await seller.hear(SUCCEEDED)
        assert await find(seller.id, request_id, is_simulated=True) is None

    async def test_paid_on_a_page(self, seller):
        """A refusal on a page is no payment; 130.00 that come in pay both, whatever a page asks for."""
        await link(seller.database, seller.id, seller.who, "adyen")
        connection_id = await connect(seller.database, seller.id, "adyen")
        made = await ask(seller, payment_method={"payment_method_type": "manual"})
        metadata = {
            "lago_payable_id": made["lago_id"], "lago_payable_type": "PaymentRequest", "payment_type": "one-time",
        }  # fmt: skip
        await told(seller, connection_id, REFUSED, metadata)
        assert await stands(seller, made) == FAILED
        for _ in range(2):
            await told(seller, connection_id, SUCCEEDED, metadata, amount_cents=13_000, currency="eur")
        assert await stands(seller, made) == PAID
        assert (await seller.payments())[1:] == [("succeeded", 13_000, "paid")]


async def told(seller, connection_id, outcome, metadata, **more):
    at, vault = await seller.now(), await make_vault(seller.database, "http://test")
    async with seller.database.tenant(seller.id, is_simulated=True) as tx:
        connection = await payment_providers.get_connection(tx, vault, connection_id)
        assert connection is not None
        named = replace(outcome, provider_payment_id="page_1")
        heard = PaymentTold(outcome=named, metadata=metadata, **more)
        await outcomes.hear(tx, connection, heard, now=at)


class TestDunning:
    async def test_asks_by_the_provider_and_begins_anew_once_it_is_paid(self, seller):
        """Asked for on the 13th; on the 14th the money is still on its way: that attempt counts, and nothing is asked for."""
        seller.provider.answer = PENDING
        terms = {"name": "D", "code": "d", "days_between_attempts": 1, "max_attempts": 3}
        asked = CampaignInput(values=terms, thresholds={"EUR": 13_000}, applied_to_organization=True)
        async with seller.database.tenant(seller.id, is_simulated=True) as tx:
            await dunning.create_campaign(tx, asked, now=await seller.now())
        await seller.advance("2026-01-15T12:00")
        assert [order.amount_cents for order in seller.provider.orders] == [13_000]
        assert (await progress(seller)).attempts == {"EUR": 2}
        await seller.hear(SUCCEEDED)
        assert await progress(seller) == Progress(attempts={"EUR": 0})
        (made,) = (await kit.get(seller.client, "/payment_requests"))["payment_requests"]
        assert await stands(seller, made) == PAID


async def progress(seller):
    who = UUID(seller.who["lago_id"])
    async with seller.database.tenant(seller.id) as tx:
        return (await progress_rows.progress_of(tx, {who}))[who]
