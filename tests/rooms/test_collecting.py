"""Invoices that are collected through a provider as they are issued (wallets-and-payments §11).

Most tests sell an add-on at 100.00, without tax, and follow what becomes of it.
"""

from dataclasses import replace

import pytest
from sqlalchemy import select
from tests import kit
from tests.collecting import (
    AWAY,
    PENDING,
    REFUSED,
    SUCCEEDED,
    Provider,
    Seller,
    give_method,
    link,
    open_application,
)

from tallymark.db.tables import agenda, invoices, payment_providers, payments
from tallymark.jobs.agenda import Kind
from tallymark.rooms.payment_providers import service as connections
from tallymark.rooms.payment_providers.model import Outcome, PaymentStatus

TOO_SMALL = Outcome(
    payment_status=PaymentStatus.FAILED, status="failed", error_code="amount_too_small", leaves_payable=True
)
UNAUTHENTICATED = Outcome(
    payment_status=PaymentStatus.FAILED,
    status="requires_payment_method",
    error_code="authentication_required",
)
ASKS = replace(PENDING, next_action={"type": "redirect"})


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
    await kit.post(
        organization.client,
        "/add_ons",
        {"add_on": {"name": "A", "code": "a", "amount_cents": 10000, "amount_currency": "EUR"}},
    )
    seller = Seller(organization, database, provider)
    seller.who = await seller.linked()
    await seller.told()
    return seller


async def sell(seller, who=None, *, expect=200, **more):
    """An invoice of 100.00 as it is once what follows is done."""
    fees = [{"add_on_code": "a"}]
    body = {
        "external_customer_id": (who or seller.who)["external_id"], "currency": "EUR", "fees": fees, **more,
    }  # fmt: skip
    made = await kit.post(seller.client, "/invoices", {"invoice": body}, expect=expect)
    return await shown(seller, made["invoice"]) if expect == 200 else made["error_details"]


async def shown(seller, invoice):
    return (await kit.get(seller.client, f"/invoices/{invoice['lago_id']}"))["invoice"]


async def delete_connection(seller):
    """Its connection goes, and what follows is done."""
    async with seller.database.tenant(seller.id, is_simulated=True) as tx:
        (known,) = await connections.list_connections(tx)
        await connections.delete(tx, known.id, now=await seller.now())
    await seller.advance("2026-01-11T13:00")


def stands(invoice):
    """What is said of an invoice's payment: its status, what was paid, and what is due."""
    return invoice["payment_status"], invoice["total_paid_amount_cents"], invoice["total_due_amount_cents"]


async def by_hand(seller, invoice, cents, *, expect=200):
    paid = {"invoice_id": invoice["lago_id"], "amount_cents": cents, "reference": "wire"}
    return await kit.post(seller.client, "/payments", {"payment": paid}, expect=expect)


async def retry(seller, invoice, body=None, *, expect=200):
    return await kit.call(
        seller.client, "POST", f"/invoices/{invoice['lago_id']}/retry_payment", body, expect=expect
    )


async def void(seller, invoice):
    await kit.post(seller.client, f"/invoices/{invoice['lago_id']}/void", {})


def money(seller):
    """What the provider was asked for, in the order of asking."""
    return [order.amount_cents for order in seller.provider.orders]


async def assert_sound(seller):
    await kit.assert_audit_clean(seller.database, seller.id)


class TestWhatIsAsked:
    async def test_an_invoice_is_collected_as_it_is_issued(self, seller):
        invoice = await sell(seller)
        assert stands(invoice) == ("succeeded", 10000, 0)
        assert await seller.payments() == [("succeeded", 10000, "paid")]
        assert await seller.stored(invoices, "payment_attempts") == [(1,)]
        (order,) = seller.provider.orders
        assert (order.provider_customer_id, order.provider_method_id) == ("cus_1", "pm_1")
        assert order.reference == f"Acme - Invoice {invoice['number']}"
        # What they may pay by, and where they are: providers ask otherwise for some.
        assert order.person is not None
        assert str(order.person.customer_id) == seller.who["lago_id"]
        assert order.metadata == {
            "lago_invoice_id": invoice["lago_id"], "lago_customer_id": seller.who["lago_id"],
            "invoice_issuing_date": "2026-01-11", "invoice_type": "one_off",
            "lago_payment_id": str(order.payment_id), "lago_payable_id": invoice["lago_id"],
            "lago_payable_type": "Invoice", "lago_organization_id": str(seller.id),
            "lago_billing_entity_id": order.metadata["lago_billing_entity_id"],
        }  # fmt: skip
        assert await seller.told("invoice", "payment") == [
            "invoice.one_off_created", "invoice.payment_status_updated", "payment.succeeded",
        ]  # fmt: skip
        assert len((await kit.get(seller.client, "/payment_receipts"))["payment_receipts"]) == 1
        await assert_sound(seller)

    async def test_whom_nobody_asks(self, seller):
        """Who is linked to nothing, or has no method; a partner; an invoice that is to be paid by hand, or comes to nothing."""
        nobody = await kit.customer(seller.client)
        bare = await kit.customer(seller.client)
        await link(seller.database, seller.id, bare)
        partner = await seller.linked(account_type="partner")
        for who, more in (
            (nobody, {}),
            (bare, {}),
            (partner, {}),
            (seller.who, {"skip_psp": True}),
            (seller.who, {"payment_method": {"payment_method_type": "manual"}}),
        ):
            assert stands(await sell(seller, who, **more)) == ("pending", 0, 10000)
        free = [{"add_on_code": "a", "unit_amount_cents": 0}]
        await sell(seller, fees=free)
        assert (seller.provider.orders, await seller.payments()) == ([], [])
        async with seller.database.tenant(seller.id) as tx:
            kinds = (await tx.execute(select(agenda.c.kind))).scalars().all()
        assert set(kinds) == {Kind.MARK_OVERDUE}

    async def test_who_is_linked_to_a_connection_that_is_gone(self, seller):
        seller.provider.answer = AWAY
        invoice = await sell(seller)
        async with seller.database.tenant(seller.id) as tx:
            await tx.execute(payments.update().values(asked_at=None))
            await tx.execute(payment_providers.update().values(deleted_at=await seller.now()))
        await seller.advance("2026-01-11T13:00")
        assert (await seller.payments(), stands(await shown(seller, invoice))) == ([], ("pending", 0, 10000))

    async def test_what_is_under_way_when_its_connection_is_deleted(self, seller):
        """It is called off, for nothing more would be heard of it; the invoice is due as before, and money by hand pays it."""
        seller.provider.answer = PENDING
        invoice = await sell(seller)
        await delete_connection(seller)
        assert await seller.payments() == [("failed", 10000, "canceled")]
        assert seller.provider.canceled == [seller.provider.orders[0].idempotency_key]
        assert stands(await shown(seller, invoice)) == ("pending", 0, 10000)
        body = {"invoice_id": invoice["lago_id"], "amount_cents": 10000, "reference": "wire"}
        await kit.post(seller.client, "/payments", {"payment": body})
        assert stands(await shown(seller, invoice)) == ("succeeded", 10000, 0)

    async def test_what_is_to_be_paid_first_when_its_connection_is_deleted(self, seller):
        """Its subscription is called off, as where nobody can be asked."""
        seller.provider.answer = PENDING
        plan = await kit.plan(seller.client, amount_cents=3100, pay_in_advance=True)
        waiting = await seller.gate(seller.who, plan)
        assert waiting["status"] == "incomplete"
        await delete_connection(seller)
        assert (await seller.again(waiting))["status"] == "canceled"
        assert seller.provider.canceled == [seller.provider.orders[0].idempotency_key]

    async def test_bills_of_subscriptions_drafts_and_credits(self, seller):
        """31.00 a month in arrears; at 10.00, issued three days later; 5.00 of credits, at once and once they are paid."""
        await kit.subscribe(seller.client, seller.who, await kit.plan(seller.client, amount_cents=3100))
        later = await seller.linked(billing_configuration={"invoice_grace_period": 3})
        await kit.subscribe(seller.client, later, await kit.plan(seller.client, amount_cents=1000))
        wallet = {"external_customer_id": seller.who["external_id"], "rate_amount": "1", "currency": "EUR"}
        for waits in (False, True):
            body = {**wallet, "paid_credits": "5", "invoice_requires_successful_payment": waits}
            await kit.post(seller.client, "/wallets", {"wallet": body})
        assert money(seller) == [500, 500]
        await seller.advance("2026-02-01T02:00")
        assert money(seller)[2:] == [1100]  # 21 of 31 days are 21.00, of which the wallets pay 10.00
        await seller.advance("2026-02-05T00:00")
        assert money(seller)[3:] == [677]
        wallets = (await kit.get(seller.client, "/wallets"))["wallets"]
        assert [one["balance_cents"] for one in wallets] == [0, 0]
        issued = await seller.stored(invoices, "status", "payment_status")
        assert set(issued) == {("finalized", "succeeded")}
        await assert_sound(seller)

    async def test_a_page_may_win_before_the_first_try(self, seller):
        """The connection waits ten minutes; a purchase by a rule does not."""
        waiting = await kit.customer(seller.client)
        await link(seller.database, seller.id, waiting, "adyen", link_first_minutes=10)
        await give_method(seller.database, seller.id, waiting, "pm_9")
        invoice = await sell(seller, waiting)
        await seller.advance("2026-01-11T12:09:50")
        assert (money(seller), await seller.payments()) == ([], [])
        await by_hand(seller, invoice, 4000)
        await seller.advance("2026-01-11T12:11")
        assert money(seller) == [6000]
        rules = [{"trigger": "interval", "interval": "monthly", "paid_credits": "7", "granted_credits": "0"}]
        body = {
            "external_customer_id": waiting["external_id"], "rate_amount": "1", "currency": "EUR",
            "recurring_transaction_rules": rules,
        }  # fmt: skip
        await kit.post(seller.client, "/wallets", {"wallet": body})
        await seller.advance("2026-02-11T00:01")
        assert money(seller)[1:] == [700]


class TestByWhatMethod:
    """The customer has pm_1 and pm_2, which is the default as the newer one."""

    @pytest.fixture
    async def methods(self, seller):
        await give_method(seller.database, seller.id, seller.who, "pm_2")
        path = f"/customers/{seller.who['external_id']}/payment_methods"
        found = (await kit.get(seller.client, path))["payment_methods"]
        return {one["provider_method_id"]: one["lago_id"] for one in found}

    def asked(self, seller):
        return [order.provider_method_id for order in seller.provider.orders]

    def by(self, method_id=None, kind="provider"):
        chosen = {"payment_method_type": kind}
        return {"payment_method": chosen if method_id is None else {**chosen, "payment_method_id": method_id}}

    async def test_of_an_invoice(self, seller, methods):
        stranger = await seller.linked()
        await sell(seller)
        await sell(seller, **self.by(methods["pm_1"]))
        await sell(seller, **self.by())
        assert self.asked(seller) == ["pm_2", "pm_1", "pm_2"]
        wrong = {"payment_method": ["invalid_payment_method"]}
        assert await sell(seller, stranger, expect=422, **self.by(methods["pm_1"])) == wrong

    async def test_of_subscriptions(self, seller, methods):
        """The first subscription of an invoice says it; one that is paid by hand is not asked for."""
        plan = await kit.plan(seller.client, amount_cents=3100, pay_in_advance=True)
        await kit.subscribe(seller.client, seller.who, plan, **self.by(methods["pm_1"]))
        await kit.subscribe(seller.client, seller.who, plan)
        await kit.subscribe(seller.client, seller.who, plan, **self.by(kind="manual"))
        assert self.asked(seller) == ["pm_1", "pm_2"]

    async def test_a_method_that_is_no_more_is_none(self, seller, methods):
        plan = await kit.plan(seller.client, amount_cents=3100)
        await kit.subscribe(seller.client, seller.who, plan, **self.by(methods["pm_1"]))
        path = f"/customers/{seller.who['external_id']}/payment_methods/{methods['pm_1']}"
        await kit.call(seller.client, "DELETE", path)
        await seller.advance("2026-02-01T02:00")
        assert (self.asked(seller), await seller.payments()) == ([], [])

    async def test_of_credits(self, seller, methods):
        """The purchase says it, else its rule, else the wallet; the first that says by hand has nobody asked."""
        one, two = methods["pm_1"], methods["pm_2"]

        async def wallet(**more):
            body = {"external_customer_id": seller.who["external_id"], "rate_amount": "1", "currency": "EUR"}
            made = await kit.post(seller.client, "/wallets", {"wallet": {**body, **more}})
            return made["wallet"]["lago_id"]

        async def buy(wallet_id, **more):
            body = {"wallet_id": wallet_id, "paid_credits": "3", **more}
            await kit.post(seller.client, "/wallet_transactions", {"wallet_transaction": body})

        of_wallet = await wallet(**self.by(one))
        await buy(of_wallet)
        await buy(of_wallet, **self.by(two))
        await buy(of_wallet, **self.by(kind="manual"))
        assert self.asked(seller) == ["pm_1", "pm_2"]
        await buy(await wallet(**self.by(kind="manual")))
        await buy(await wallet())
        assert self.asked(seller) == ["pm_1", "pm_2", "pm_2"]
        rule = {"trigger": "interval", "interval": "monthly", "paid_credits": "4", **self.by(one)}
        await wallet(recurring_transaction_rules=[rule])
        await wallet(recurring_transaction_rules=[{**rule, **self.by(kind="manual")}], **self.by(one))
        await seller.advance("2026-02-11T00:01")
        assert self.asked(seller)[3:] == ["pm_1"]

    async def test_what_is_no_method_of_theirs(self, seller, methods):
        stranger = await seller.linked()
        body = {"external_customer_id": stranger["external_id"], "rate_amount": "1", "currency": "EUR"}
        wrong = self.by(methods["pm_1"])
        path = "/wallets"
        answer = await kit.post(seller.client, path, {"wallet": {**body, **wrong}}, expect=422)
        assert answer["error_details"] == {"payment_method": ["invalid_payment_method"]}
        rule = {"trigger": "interval", "interval": "monthly", "paid_credits": "4", **wrong}
        ruled = {**body, "recurring_transaction_rules": [rule]}
        answer = await kit.post(seller.client, path, {"wallet": ruled}, expect=422)
        assert answer["error_details"] == {"recurring_transaction_rules": ["invalid_recurring_rule"]}
        made = (await kit.post(seller.client, path, {"wallet": body}))["wallet"]
        bought = {"wallet_id": made["lago_id"], "paid_credits": "3", **wrong}
        answer = await kit.post(
            seller.client, "/wallet_transactions", {"wallet_transaction": bought}, expect=422
        )
        assert answer["error_details"] == {"payment_method": ["invalid_payment_method"]}
        changed = {"wallet": wrong}
        answer = await kit.call(seller.client, "PUT", f"{path}/{made['lago_id']}", changed, expect=422)
        assert answer["error_details"] == {"payment_method": ["invalid_payment_method"]}


class TestOutcomes:
    async def test_refused_at_once(self, seller):
        """The invoice has failed, which is told with the provider's words; its status is not told apart from that."""
        seller.provider.answer = REFUSED
        invoice = await sell(seller)
        assert stands(invoice) == ("failed", 0, 10000)
        assert await seller.payments() == [("failed", 10000, "declined")]
        assert await seller.stored(payments, "error_code", "error_message") == [("card_declined", "No.")]
        assert await seller.told("invoice", "payment") == [
            "invoice.one_off_created",
            "invoice.payment_failure",
        ]
        body = (await seller.bodies())["invoice.payment_failure"]["payment_provider_invoice_payment_error"]
        assert body == {
            "lago_invoice_id": invoice["lago_id"], "lago_customer_id": seller.who["lago_id"],
            "external_customer_id": seller.who["external_id"], "provider_customer_id": "cus_1",
            "payment_provider": "stripe", "payment_provider_code": "stripe",
            "provider_error": {"message": "No.", "error_code": "card_declined"},
            "error_details": {"code": "payment_refused"},
        }  # fmt: skip
        await seller.advance("2026-01-20T00:00")
        assert len(seller.provider.orders) == 1  # nobody asks again by themselves

    async def test_decided_later(self, seller):
        seller.provider.answer = ASKS
        invoice = await sell(seller)
        assert stands(invoice) == ("pending", 0, 10000)
        assert await seller.payments() == [("processing", 10000, "on its way")]
        (payment,) = (await kit.get(seller.client, "/payments"))["payments"]
        assert (payment["next_action"], payment["payment_provider_type"]) == ({"type": "redirect"}, "stripe")
        told = await seller.told("invoice", "payment")
        assert told == ["invoice.one_off_created", "payment.requires_action"]
        await seller.hear(ASKS)
        await seller.hear(REFUSED)
        assert stands(await shown(seller, invoice)) == ("failed", 0, 10000)
        assert await seller.told("invoice", "payment") == [
            "invoice.payment_status_updated", "invoice.payment_failure",
        ]  # fmt: skip

    async def test_refused_and_then_paid_after_all(self, seller):
        """A customer confirms what was refused for want of that: the money is owed, and taken once."""
        seller.provider.answer = UNAUTHENTICATED
        invoice = await sell(seller)
        assert stands(invoice) == ("failed", 0, 10000)
        assert await seller.told("invoice") == ["invoice.one_off_created"]
        for _ in range(2):
            await seller.hear(SUCCEEDED)
        assert stands(await shown(seller, invoice)) == ("succeeded", 10000, 0)
        assert seller.provider.canceled == []
        await assert_sound(seller)

    async def test_too_small_to_be_asked_for(self, seller):
        seller.provider.answer = TOO_SMALL
        invoice = await sell(seller)
        assert stands(invoice) == ("pending", 0, 10000)
        assert await seller.payments() == [("failed", 10000, "failed")]
        assert await seller.told("invoice", "payment") == ["invoice.one_off_created"]

    async def test_a_provider_that_is_away(self, seller):
        """Six tries with one key; then somebody asks, and it is tried again with that key."""
        seller.provider.answer = AWAY
        invoice = await sell(seller)
        await seller.advance("2026-01-13T00:00", fails=True)
        assert (len(seller.provider.orders), await seller.payments()) == (6, [("pending", 10000, "pending")])
        seller.provider.answer = SUCCEEDED
        await retry(seller, invoice)
        assert stands(await shown(seller, invoice)) == ("succeeded", 10000, 0)
        assert len({order.idempotency_key for order in seller.provider.orders}) == 1
        assert await seller.stored(invoices, "payment_attempts") == [(1,)]

    async def test_credits_that_are_not_paid(self, seller):
        """A purchase that waits for its payment is refused: it has failed, and so it is told; tried again, it is granted."""
        seller.provider.answer = REFUSED
        body = {
            "external_customer_id": seller.who["external_id"], "rate_amount": "1", "currency": "EUR",
            "paid_credits": "5", "invoice_requires_successful_payment": True,
        }  # fmt: skip
        await kit.post(seller.client, "/wallets", {"wallet": body})
        told = await seller.told("invoice", "wallet_transaction")
        assert told == [
            "wallet_transaction.created",
            "wallet_transaction.updated",
            "wallet_transaction.payment_failure",
        ]
        body = (await seller.bodies())["wallet_transaction.payment_failure"]
        assert (
            body["payment_provider_wallet_transaction_payment_error"]["provider_error"]["error_code"]
            == "card_declined"
        )
        assert (await seller.stored(invoices, "status", "payment_status")) == [("open", "failed")]
        await seller.hear(SUCCEEDED)
        (own,) = (await kit.get(seller.client, "/wallets"))["wallets"]
        assert own["balance_cents"] == 500
        await assert_sound(seller)

    async def test_credits_that_are_sold_again(self, seller):
        """A purchase is void while its 5.00 are on their way: they go back. The one in its place is charged once, and counts once."""
        seller.provider.answer = PENDING
        body = {"external_customer_id": seller.who["external_id"], "rate_amount": "1", "currency": "EUR"}
        made = (await kit.post(seller.client, "/wallets", {"wallet": {**body, "paid_credits": "5"}}))[
            "wallet"
        ]
        (voided,) = await kit.invoices(seller.client, seller.who)
        await void(seller, voided)
        kept = {"invoice": {"fees": [{"id": voided["fees"][0]["lago_id"], "units": "7"}]}}
        seller.provider.answer = SUCCEEDED
        answer = await kit.post(seller.client, f"/invoices/{voided['lago_id']}/regenerate", kept)
        assert money(seller) == [500, 700]
        await seller.hear(SUCCEEDED, 500)
        assert stands(await shown(seller, answer["invoice"])) == ("succeeded", 700, 0)
        assert (await shown(seller, voided))["status"] == "voided"
        own = (await kit.get(seller.client, f"/wallets/{made['lago_id']}"))["wallet"]
        assert own["balance_cents"] == 700
        paid = await seller.stored(payments, "payment_status", "amount_cents")
        assert paid == [("failed", 500), ("succeeded", 700)]
        await assert_sound(seller)


class TestRetrying:
    async def test_what_is_refused(self, seller):
        """Nothing is asked for that is paid or void, nor while the provider is at it, nor by what is not the customer's."""
        paid = await sell(seller)
        seller.provider.answer = PENDING
        busy = await sell(seller)
        assert (await retry(seller, paid, expect=405))["code"] == "invalid_status"
        code = "payment_processor_is_currently_handling_payment"
        assert (await retry(seller, busy, expect=405))["code"] == code
        await void(seller, busy)
        assert (await retry(seller, busy, expect=405))["code"] == "invalid_status"
        seller.provider.answer = REFUSED
        failed = await sell(seller)
        strange = {"payment_method": {"payment_method_id": str(seller.id)}}
        answer = await retry(seller, failed, strange, expect=422)
        assert answer["error_details"] == {"payment_method": ["invalid_payment_method"]}
        path = f"/invoices/{seller.id}/retry_payment"
        await kit.call(seller.client, "POST", path, expect=404)

    async def test_by_another_method(self, seller):
        seller.provider.answer = REFUSED
        invoice = await sell(seller)
        await give_method(seller.database, seller.id, seller.who, "pm_2")
        path = f"/customers/{seller.who['external_id']}/payment_methods"
        methods = (await kit.get(seller.client, path))["payment_methods"]
        first = next(one["lago_id"] for one in methods if one["provider_method_id"] == "pm_1")
        await retry(seller, invoice, {"payment_method": {"payment_method_type": "manual"}})
        assert len(seller.provider.orders) == 1
        seller.provider.answer = SUCCEEDED
        await retry(seller, invoice, {"payment_method": {"payment_method_id": first}})
        assert [order.provider_method_id for order in seller.provider.orders] == ["pm_1", "pm_1"]
        assert stands(await shown(seller, invoice)) == ("succeeded", 10000, 0)
        assert [status for status, *_ in await seller.payments()] == ["failed", "succeeded"]

    async def test_of_whom_nothing_is_linked(self, seller):
        nobody = await kit.customer(seller.client)
        invoice = await sell(seller, nobody)
        await seller.told()
        await retry(seller, invoice)
        assert await seller.told("invoice") == ["invoice.payment_failure"]
        body = (await seller.bodies())["invoice.payment_failure"]["payment_provider_invoice_payment_error"]
        assert body["error_details"] == {"code": "customer_must_have_payment_provider"}


class TestAtTheSameTime:
    """What others do while the provider is at it: money is taken for what is due, and what is too much goes back."""

    async def test_paid_by_hand_before_it_is_asked_for(self, seller):
        """It waits for the provider to be there; 40.00 come by other means, and 60.00 are asked for."""
        waiting = await kit.customer(seller.client)
        await link(seller.database, seller.id, waiting, "adyen", link_first_minutes=10)
        await give_method(seller.database, seller.id, waiting, "pm_9")
        part, whole = await sell(seller, waiting), await sell(seller, waiting)
        await by_hand(seller, part, 4000)
        await by_hand(seller, whole, 10000)
        await seller.advance("2026-01-11T12:11")
        assert money(seller) == [6000]
        assert stands(await shown(seller, part)) == ("succeeded", 10000, 0)
        await assert_sound(seller)

    async def test_paid_in_part_by_hand_meanwhile(self, seller):
        """30.00 come by hand while 100.00 are on their way: 70.00 of these are kept, and 30.00 go back."""
        seller.provider.answer = PENDING
        invoice = await sell(seller)
        await by_hand(seller, invoice, 3000)
        await seller.hear(SUCCEEDED)
        assert stands(await shown(seller, invoice)) == ("succeeded", 10000, 0)
        (refund,) = seller.provider.refunds
        assert refund.amount_cents == 3000
        rows = await seller.stored(payments, "payment_type", "amount_cents", "surplus_cents")
        assert rows == [("provider", 7000, 3000), ("manual", 3000, 0)]
        ((_, returned),) = await returned_of(seller)
        assert returned is not None
        await assert_sound(seller)

    @pytest.mark.parametrize("how", ["paid by hand", "void", "said to be paid", "offset by a note"])
    async def test_nothing_is_due_any_more(self, seller, how):
        """The payment is called off; if its money comes all the same it goes back, however often it is told."""
        seller.provider.answer = PENDING
        invoice = await sell(seller)
        if how == "paid by hand":
            await by_hand(seller, invoice, 10000)
        elif how == "void":
            await void(seller, invoice)
        elif how == "said to be paid":
            body = {"invoice": {"payment_status": "succeeded"}}
            await kit.call(seller.client, "PUT", f"/invoices/{invoice['lago_id']}", body)
        else:
            items = [{"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": 10000}]
            note = {"invoice_id": invoice["lago_id"], "offset_amount_cents": 10000, "items": items}
            await kit.post(seller.client, "/credit_notes", {"credit_note": note})
        key = seller.provider.orders[0].idempotency_key
        assert seller.provider.canceled == [key]
        before = stands(await shown(seller, invoice))
        for _ in range(2):
            await seller.hear(SUCCEEDED)
        assert (seller.provider.canceled, stands(await shown(seller, invoice))) == ([key] * 3, before)
        provider = [
            row
            for row in await seller.stored(payments, "payment_type", "payment_status")
            if row[0] == "provider"
        ]
        assert provider == [("provider", "failed")]
        await assert_sound(seller)

    async def test_paid_by_hand_while_the_provider_is_asked(self, seller):
        """Its answer comes back to an invoice that is paid: the money goes back, and nothing is paid twice."""

        async def meanwhile():
            found = await kit.get(seller.client, "/invoices")
            seller.provider.meanwhile = None
            await by_hand(seller, found["invoices"][0], 10000)

        seller.provider.answer = AWAY
        invoice = await sell(seller)
        seller.provider.answer, seller.provider.meanwhile = SUCCEEDED, meanwhile
        await pay_directly(seller)
        await seller.advance("2026-01-11T12:05")
        assert stands(await shown(seller, invoice)) == ("succeeded", 10000, 0)
        assert set(seller.provider.canceled) == {seller.provider.orders[0].idempotency_key}
        await assert_sound(seller)

    async def test_an_answer_that_was_lost_and_a_settled_invoice(self, seller):
        """The provider may know of a payment that it did not answer: paid otherwise, it is called off, and not just forgotten."""
        seller.provider.answer = AWAY
        invoice = await sell(seller)
        seller.provider.answer = SUCCEEDED
        await by_hand(seller, invoice, 10000)
        assert seller.provider.canceled == [seller.provider.orders[0].idempotency_key]
        assert [status for status, *_ in await seller.payments()] == ["failed", "succeeded"]


async def returned_of(seller):
    rows = await seller.stored(payments, "payment_type", "surplus_returned_at")
    return [row for row in rows if row[0] == "provider"]


async def pay_directly(seller):
    """Have the provider asked outside of the clock's own work, so that calls may come meanwhile."""
    from tests.collecting import collection_of

    from tallymark.jobs.agenda import Batch

    payment_id = seller.provider.orders[-1].payment_id
    now = await seller.now()
    batch = Batch(
        kind=Kind.COLLECT_PAYMENT,
        owner_ids=(payment_id,),
        due_at=now,
        run_at=now,
        attempts=0,
        subject_ids=(payment_id,),
    )
    collection = await collection_of(seller.database, seller.provider)
    await collection(seller.id, batch, now=now, until=now, is_simulated=True)
