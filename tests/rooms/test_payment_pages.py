"""Pages on which invoices are paid, and what a provider tells by itself (wallets-and-payments §11.4, §12.3).

An add-on costs 100.00, without tax. Invoices are not collected as they are issued here: customers pay on a page.
"""

from dataclasses import replace
from datetime import timedelta

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
    link,
    open_application,
)
from tests.rooms.test_collecting import assert_sound, by_hand, sell, shown, stands, void

from tallymark.db.tables import payment_links, payments, provider_events
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.model import MethodSaved, PaymentTold, Unknown


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
    add_on = {"name": "A", "code": "a", "amount_cents": 10000, "amount_currency": "EUR"}
    await kit.post(organization.client, "/add_ons", {"add_on": add_on})
    seller = Seller(organization, database, provider)
    seller.who = await kit.customer(seller.client)
    await link(database, seller.id, seller.who)
    return seller


async def page(seller, invoice, *, expect=200):
    answer = await kit.post(seller.client, f"/invoices/{invoice['lago_id']}/payment_url", None, expect=expect)
    return answer["invoice_payment_details"] if expect == 200 else answer


async def pages(seller):
    """What pages there are: what is to be paid on each, and whether it is taken back."""
    rows = await seller.stored(payment_links, "amount_cents", "closed_at")
    return [(cents, closed is None) for cents, closed in rows]


async def tell(seller, *heard):
    """The provider sends an event, and what follows is done."""
    body = str(len(seller.provider.told)).encode()
    seller.provider.told[body] = heard
    connection_id = await connect(seller.database, seller.id)
    async with seller.database.tenant(seller.id, is_simulated=True) as tx:
        await payment_providers.keep_event(tx, connection_id, body, now=await seller.now())
    await settle(seller)


async def settle(seller):
    await seller.advance((await seller.now() + timedelta(seconds=1)).isoformat().removesuffix("+00:00"))


def paid(seller, outcome=SUCCEEDED, name="pi_page", **more):
    """What comes back of a payment on the last page."""
    order = seller.provider.pages[-1]
    more.setdefault("amount_cents", order.amount_cents)
    return PaymentTold(outcome=replace(outcome, provider_payment_id=name), metadata=order.metadata, **more)


class TestPages:
    async def test_one_for_a_day(self, seller):
        invoice = await sell(seller)
        first = await page(seller, invoice)
        (order,) = seller.provider.pages
        assert first == {
            "lago_customer_id": seller.who["lago_id"], "external_customer_id": seller.who["external_id"],
            "payment_provider": "stripe", "lago_invoice_id": invoice["lago_id"],
            "payment_url": f"https://pay.test/{order.idempotency_key}",
        }  # fmt: skip
        assert (order.amount_cents, order.currency, order.title) == (10000, "EUR", invoice["number"])
        assert (order.metadata["payment_type"], order.metadata["lago_invoice_id"]) == (
            "one-time",
            invoice["lago_id"],
        )
        await seller.advance("2026-01-12T11:59")
        assert await page(seller, invoice) == first
        await seller.advance("2026-01-12T12:00:30")
        assert (await page(seller, invoice))["payment_url"] != first["payment_url"]
        assert await pages(seller) == [(10000, False), (10000, True)]
        assert len(seller.provider.expired) == 1

    async def test_is_of_what_is_due(self, seller):
        """30.00 come by hand: the page for 100.00 is taken back, the next one is for 70.00, and once all is paid there is none."""
        invoice = await sell(seller)
        await page(seller, invoice)
        await by_hand(seller, invoice, 3000)
        assert (await pages(seller), len(seller.provider.expired)) == ([(10000, False)], 1)
        await page(seller, invoice)
        assert seller.provider.pages[-1].amount_cents == 7000
        await by_hand(seller, invoice, 7000)
        assert await pages(seller) == [(10000, False), (7000, False)]
        answer = await page(seller, invoice, expect=422)
        assert answer["error_details"] == {"base": ["invalid_invoice_status_or_payment_status"]}

    async def test_is_taken_back_from_a_void_invoice(self, seller):
        invoice = await sell(seller)
        await page(seller, invoice)
        await void(seller, invoice)
        assert (await pages(seller), len(seller.provider.expired)) == ([(10000, False)], 1)

    async def test_when_others_pay_while_it_is_made(self, seller):
        invoice = await sell(seller)

        async def meanwhile():
            seller.provider.meanwhile = None
            await by_hand(seller, invoice, 3000)

        seller.provider.meanwhile = meanwhile
        made = await page(seller, invoice)
        assert [order.amount_cents for order in seller.provider.pages] == [10000, 7000]
        assert made["payment_url"].endswith(seller.provider.pages[-1].idempotency_key)
        assert await pages(seller) == [(10000, False), (7000, True)]

    async def test_why_there_is_none(self, seller):
        invoice = await sell(seller)

        async def refused(who, expected):
            of = await sell(seller, who)
            assert (await page(seller, of, expect=422))["error_details"] == {"base": [expected]}

        await refused(await kit.customer(seller.client), "no_linked_payment_provider")
        debtor = await kit.customer(seller.client)
        await link(seller.database, seller.id, debtor, "gocardless")
        await refused(debtor, "invalid_payment_provider")
        named = await kit.customer(seller.client, billing_configuration={"payment_provider": "stripe"})
        await refused(named, "missing_payment_provider")
        seller.provider.answer = REFUSED
        await seller.told()
        answer = await page(seller, invoice, expect=422)
        assert answer["code"] == "third_party_error"
        assert answer["error_details"] == {"third_party": "stripe", "thirdparty_error": "No."}
        assert await seller.told("invoice") == ["invoice.payment_failure"]
        seller.provider.answer = AWAY
        assert (await page(seller, invoice, expect=422))["code"] == "third_party_error"
        assert await pages(seller) == []

    async def test_of_credits_that_are_bought(self, seller):
        """Nobody sees the invoice of a purchase that is to be paid first; it is paid on its page."""
        body = {
            "external_customer_id": seller.who["external_id"], "rate_amount": "1", "currency": "EUR",
            "paid_credits": "5", "granted_credits": "1", "invoice_requires_successful_payment": True,
        }  # fmt: skip
        own = (await kit.post(seller.client, "/wallets", {"wallet": body}))["wallet"]
        path = f"/wallets/{own['lago_id']}/wallet_transactions"
        moves = (await kit.get(seller.client, path))["wallet_transactions"]
        granted, bought = sorted(moves, key=lambda move: move["transaction_status"])
        refused = await kit.post(
            seller.client, f"/wallet_transactions/{granted['lago_id']}/payment_url", None, expect=422
        )
        assert refused["error_details"] == {"base": ["wallet_transaction_not_purchased"]}
        door = f"/wallet_transactions/{bought['lago_id']}/payment_url"
        details = (await kit.post(seller.client, door, None))["wallet_transaction_payment_details"]
        assert details["lago_wallet_transaction_id"] == bought["lago_id"]
        await tell(seller, paid(seller))
        assert (await kit.get(seller.client, f"/wallets/{own['lago_id']}"))["wallet"]["balance_cents"] == 600
        refused = await kit.post(seller.client, door, None, expect=422)
        assert refused["error_details"] == {"base": ["wallet_transaction_already_settled"]}
        await assert_sound(seller)


class TestTold:
    """What a provider tells of payments; each is told twice, and counts once."""

    async def test_a_payment_on_a_page(self, seller):
        invoice = await sell(seller)
        await page(seller, invoice)
        for _ in range(2):
            await tell(seller, paid(seller), paid(seller))
        assert stands(await shown(seller, invoice)) == ("succeeded", 10000, 0)
        assert await seller.payments() == [("succeeded", 10000, "paid")]
        assert (await pages(seller), len(seller.provider.expired)) == ([(10000, False)], 1)
        assert set(await seller.stored(provider_events, "status", "error")) == {("succeeded", None)}
        await assert_sound(seller)

    async def test_refused_on_a_page_and_tried_again(self, seller):
        invoice = await sell(seller)
        await page(seller, invoice)
        await seller.told()
        await tell(seller, paid(seller, REFUSED))
        assert stands(await shown(seller, invoice)) == ("failed", 0, 10000)
        assert await seller.told("invoice") == ["invoice.payment_status_updated", "invoice.payment_failure"]
        await tell(seller, paid(seller, PENDING))
        await tell(seller, paid(seller))
        assert stands(await shown(seller, invoice)) == ("succeeded", 10000, 0)
        assert await seller.payments() == [("succeeded", 10000, "paid")]

    async def test_more_than_is_due_any_more_goes_back(self, seller):
        """30.00 came by hand, and 100.00 on the page that was for all: 70.00 of them are kept. What comes for a void one goes back."""
        invoice, gone = await sell(seller), await sell(seller)
        await page(seller, invoice)
        late = paid(seller)
        await page(seller, gone)
        lost = paid(seller, name="pi_lost")
        await by_hand(seller, invoice, 3000)
        await void(seller, gone)
        for _ in range(2):
            await tell(seller, late, lost)
        assert stands(await shown(seller, invoice)) == ("succeeded", 10000, 0)
        assert [order.amount_cents for order in seller.provider.refunds] == [3000]
        rows = await seller.stored(
            payments, "payment_type", "payment_status", "amount_cents", "surplus_cents"
        )
        assert sorted(rows) == [
            ("manual", "succeeded", 3000, 0), ("provider", "failed", 10000, 0), ("provider", "succeeded", 7000, 3000),
        ]  # fmt: skip
        assert len(set(seller.provider.canceled)) == 1
        await assert_sound(seller)

    async def test_on_a_page_while_it_is_collected(self, seller):
        """A charge is on its way when the customer pays on the page: it is called off, and goes back if it comes."""
        seller.provider.answer = PENDING
        invoice = await sell(seller, await seller.linked())
        await page(seller, invoice)
        await tell(seller, paid(seller))
        assert stands(await shown(seller, invoice)) == ("succeeded", 10000, 0)
        charge = seller.provider.orders[0]
        assert seller.provider.canceled == [charge.idempotency_key]
        told = PaymentTold(
            outcome=replace(SUCCEEDED, provider_payment_id=f"pi_{charge.payment_id}"),
            metadata=charge.metadata,
        )
        await tell(seller, told)
        assert seller.provider.canceled == [charge.idempotency_key] * 2
        assert sorted(status for status, *_ in await seller.payments()) == ["failed", "succeeded"]
        await assert_sound(seller)

    async def test_a_new_default_is_tried_on_what_is_owed(self, seller):
        """What is pending is asked for; what failed before, is paid by hand or void is not."""
        owed = await sell(seller)
        await sell(seller, skip_psp=True)
        await void(seller, await sell(seller))
        await tell(seller, MethodSaved(provider_method_id="pm_new", provider_customer_id="cus_1"))
        (order,) = seller.provider.orders
        assert (order.provider_method_id, order.metadata["lago_invoice_id"]) == ("pm_new", owed["lago_id"])
        assert stands(await shown(seller, owed)) == ("succeeded", 10000, 0)

    async def test_what_nobody_knows(self, seller):
        """It is kept with what is wrong with it; of a payment that is not of here nothing follows."""
        strange = PaymentTold(outcome=replace(SUCCEEDED, provider_payment_id="pi_else"), metadata={"a": "b"})
        await tell(seller, strange, Unknown(event_type="odd.thing"))
        rows = await seller.stored(provider_events, "status", "error")
        assert rows == [("failed", "nothing is known of odd.thing")]
        assert await seller.payments() == []
