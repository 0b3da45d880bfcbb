"""Money that Stripe collects, from the key to the credit note: the shipped adapter, and what speaks Stripe's wire on 127.0.0.1.

An add-on is sold at 100.00, without tax. Events are handed over as Stripe would post them.
"""

from urllib.parse import urlsplit

import httpx
import pytest
from tests import kit
from tests.people import join
from tests.stripe_server import serving

from tallymark.app import running
from tallymark.settings import Settings

ADMIN_KEY = "admin-key"


@pytest.fixture(scope="module")
def stripe():
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, stripe):
    options = Settings(
        admin_api_key=ADMIN_KEY,
        public_url="http://test",
        data_dir=tmp_path_factory.mktemp("data"),
        payment_provider_urls={"stripe": stripe.url},
    )
    async with running(options, database_url) as parts:
        yield parts


@pytest.fixture
async def shop(application, make_organization, database, stripe):
    organization = await make_organization("2026-01-11T12:00:00Z")
    member = await join(application, organization.id, ADMIN_KEY)
    body = {"kind": "stripe", "code": "eu", "name": "Europe", "secret_key": stripe.key, "supports_3ds": True}
    await kit.post(member.browser, "/payment_providers", {"payment_provider": body})
    add_on = {"name": "A", "code": "a", "amount_cents": 10000, "amount_currency": "EUR"}
    await kit.post(organization.client, "/add_ons", {"add_on": add_on})
    shop = Shop(application, organization, stripe)
    yield shop
    await shop.deliver()
    stripe.objects["webhook_endpoint"].clear()
    await kit.assert_audit_clean(database, organization.id)


class Shop:
    def __init__(self, application, organization, stripe):
        self.client, self.id, self.stripe = organization.client, organization.id, stripe
        transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False)
        self.outside = httpx.AsyncClient(transport=transport, base_url="http://test")

    async def deliver(self):
        """Hand over what Stripe tells, until it tells no more; each event twice, as Stripe may."""
        while events := self.stripe.take():
            for sent in [event for event in events for _ in range(2)]:
                url = urlsplit(sent.url)
                answer = await self.outside.post(
                    f"{url.path}?{url.query}", content=sent.body, headers=sent.headers
                )
                assert answer.status_code == 200, answer.text

    async def customer(self, method=None, country=None, **more):
        """Somebody who is made at Stripe, and leaves a method there."""
        linked = {"payment_provider": "stripe", "payment_provider_code": "eu", "sync_with_provider": True}
        who = await kit.customer(
            self.client,
            currency="EUR",
            email="ada@x.test",
            country=country,
            billing_configuration=linked | more,
        )
        if method is not None:
            asked = await kit.post(self.client, f"/customers/{who['external_id']}/checkout_url", {})
            self.stripe.fill(asked["customer"]["checkout_url"], method)
            await self.deliver()
        return who

    async def sell(self, who):
        fees = [{"add_on_code": "a"}]
        body = {"external_customer_id": who["external_id"], "currency": "EUR", "fees": fees}
        made = await kit.post(self.client, "/invoices", {"invoice": body})
        return await self.again(made["invoice"])

    async def again(self, invoice):
        return (await kit.get(self.client, f"/invoices/{invoice['lago_id']}"))["invoice"]

    async def stands(self, invoice):
        now = await self.again(invoice)
        return now["payment_status"], now["total_paid_amount_cents"], now["total_due_amount_cents"]

    async def payments(self, invoice):
        found = await kit.get(self.client, "/payments", invoice_id=invoice["lago_id"])
        return [(one["payment_status"], one["amount_cents"]) for one in found["payments"]]

    async def methods(self, who):
        found = await kit.get(self.client, f"/customers/{who['external_id']}/payment_methods")
        return [(one["is_default"], one["details"]["last4"]) for one in found["payment_methods"]]

    def intents(self, invoice):
        """What Stripe has of an invoice, the latest first."""
        return [
            one
            for one in self.stripe.all("payment_intent")
            if one["metadata"].get("lago_invoice_id") == invoice["lago_id"]
        ]


async def browse(page, method):
    """Somebody chooses a method on a page."""
    async with httpx.AsyncClient() as browser:
        return await browser.post(page, data={"method": method})


async def test_a_card_that_was_left_pays_as_the_invoice_is_issued_and_some_of_it_goes_back(shop):
    ada = await shop.customer("pm_card_visa")
    assert await shop.methods(ada) == [(True, "4242")]
    invoice = await shop.sell(ada)
    assert await shop.stands(invoice) == ("succeeded", 10000, 0)
    (intent,) = shop.intents(invoice)
    assert (intent["amount"], intent["currency"], intent["status"]) == (10000, "eur", "succeeded")
    await shop.deliver()
    assert await shop.payments(invoice) == [("succeeded", 10000)]

    note = {"invoice_id": invoice["lago_id"], "reason": "duplicated_charge", "refund_amount_cents": 4000, "items": [{"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": 4000}]}  # fmt: skip
    made = (await kit.post(shop.client, "/credit_notes", {"credit_note": note}))["credit_note"]
    await shop.deliver()
    found = (await kit.get(shop.client, f"/credit_notes/{made['lago_id']}"))["credit_note"]
    assert found["refund_status"] == "succeeded"
    refunds = [one for one in shop.stripe.all("refund") if one["payment_intent"] == intent["id"]]
    assert [(one["amount"], one["reason"]) for one in refunds] == [(4000, "duplicate")]

    shop.stripe.dispute(intent["id"])
    await shop.deliver()
    assert (await shop.again(invoice))["payment_dispute_lost_at"] is not None


async def test_a_page_is_paid_on_after_a_card_was_declined(shop):
    ada = await shop.customer()
    invoice = await shop.sell(ada)
    assert await shop.stands(invoice) == ("pending", 0, 10000)
    asked = await kit.post(shop.client, f"/invoices/{invoice['lago_id']}/payment_url", {})
    page = asked["invoice_payment_details"]["payment_url"]
    declined = await browse(page, "pm_card_chargeCustomerFail")
    assert "Your card was declined." in declined.text
    await shop.deliver()
    assert (await browse(page, "pm_card_visa")).status_code == 303
    await shop.deliver()
    assert await shop.stands(invoice) == ("succeeded", 10000, 0)
    assert [one for one in await shop.payments(invoice) if one[0] == "succeeded"] == [("succeeded", 10000)]


async def test_a_bank_that_wants_the_customer_is_waited_for(shop):
    ada = await shop.customer("pm_card_authenticationRequired")
    invoice = await shop.sell(ada)
    await shop.deliver()
    assert await shop.stands(invoice) == ("pending", 0, 10000)
    waiting, _ = shop.intents(invoice)
    shop.stripe.authenticate(waiting["id"])
    await shop.deliver()
    assert await shop.stands(invoice) == ("succeeded", 10000, 0)
    assert await shop.payments(invoice) == [("succeeded", 10000)]


async def test_a_debit_is_on_its_way_for_days_and_may_bounce(shop):
    ada = await shop.customer("pm_sepa_debit", provider_payment_methods=["card", "sepa_debit"])
    paid, bounced = await shop.sell(ada), await shop.sell(ada)
    await shop.deliver()
    assert [await shop.stands(one) for one in (paid, bounced)] == [("pending", 0, 10000)] * 2
    assert await shop.payments(paid) == [("processing", 10000)]
    shop.stripe.settle(shop.intents(paid)[0]["id"])
    shop.stripe.bounce(shop.intents(bounced)[0]["id"])
    await shop.deliver()
    assert await shop.stands(paid) == ("succeeded", 10000, 0)
    assert await shop.stands(bounced) == ("failed", 0, 10000)


async def test_an_answer_that_is_lost_charges_once(shop):
    ada = await shop.customer("pm_card_visa")
    shop.stripe.goes_wrong.append("lost")
    invoice = await shop.sell(ada)
    # Stripe's event may be there before anybody asks again.
    await shop.deliver()
    await kit.advance(shop.client, "2026-01-12T12:00:00Z")
    assert await shop.stands(invoice) == ("succeeded", 10000, 0)
    assert len(shop.intents(invoice)) == 1
    assert await shop.payments(invoice) == [("succeeded", 10000)]


async def test_a_transfer_goes_to_the_account_that_the_invoice_names(shop):
    ada = await shop.customer(country="NL", provider_payment_methods=["customer_balance"])
    invoice = await shop.sell(ada)
    (section,) = invoice["applied_invoice_custom_sections"]
    own_id = (await kit.get(shop.client, f"/customers/{ada['external_id']}"))["customer"]["billing_configuration"]["provider_customer_id"]  # fmt: skip
    iban = f"NL{int(own_id.removeprefix('cus_')):020}"
    assert section["details"] == (
        f"Account holder: Stripe Technology Europe Limited\nIBAN: {iban}\nBIC: SXPYDEHH"
    )
    await shop.deliver()
    assert await shop.stands(invoice) == ("pending", 0, 10000)
    shop.stripe.settle(shop.intents(invoice)[0]["id"])
    await shop.deliver()
    assert await shop.stands(invoice) == ("succeeded", 10000, 0)
