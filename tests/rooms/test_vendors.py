"""Adyen and GoCardless through the whole application, from the connection to the refund, by vendors played on 127.0.0.1 (wallets-and-payments §11–§14)."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from tests import adyen_server, gocardless_server, kit
from tests.adyen_server import adyen
from tests.gocardless_server import gocardless
from tests.kit import assert_audit_clean, get, post
from tests.linking import connect
from tests.people import join

from tallymark.app import running
from tallymark.settings import Settings

STORED = {
    "recurring.recurringDetailReference": "card_1",
    "recurring.shopperReference": "gable",
    "cardSummary": "9245",
    "expiryDate": "03/2030",
}


class Seller:
    """An organization with a clock, whose customers pay by a vendor; what it was told is done when a call returns."""

    def __init__(self, application, organization, database):
        self.application, self.client, self.id = application, organization.client, organization.id
        self.database = database

    async def connect(self, **more):
        browser = (await join(self.application, self.id, "admin-key")).browser
        self.connection = await connect(browser, **more)

    async def tell(self, headers, body, *, expect=200):
        """What the vendor sends, to the address that it was given."""
        address = urlsplit(self.connection["inbound_url"])
        transport = httpx.ASGITransport(self.application.asgi, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as vendor:
            answer = await vendor.post(f"{address.path}?{address.query}", content=body, headers=headers)
        assert answer.status_code == expect, answer.text
        return answer.text

    async def link(self, **more):
        configuration = {
            "payment_provider": self.connection["kind"],
            "payment_provider_code": self.connection["code"],
            "sync_with_provider": True,
        }
        return await kit.customer(
            self.client, external_id="gable", billing_configuration=configuration, **more
        )

    async def provider_customer_id(self):
        found = await get(self.client, "/customers/gable")
        return found["customer"]["billing_configuration"]["provider_customer_id"]

    async def methods(self):
        found = await get(self.client, "/customers/gable/payment_methods")
        return [
            (one["provider_method_id"], one["is_default"], one["details"]) for one in found["payment_methods"]
        ]

    async def bill(self, cents, currency):
        """A one-off invoice, as it is once what follows is done."""
        if not hasattr(self, "add_on"):
            body = {"name": "Audit", "code": "audit", "amount_cents": cents, "amount_currency": currency}
            self.add_on = (await post(self.client, "/add_ons", {"add_on": body}))["add_on"]
        fees = [{"add_on_code": "audit", "unit_amount_cents": cents, "units": 1}]
        body = {"external_customer_id": "gable", "currency": currency, "fees": fees}
        made = (await post(self.client, "/invoices", {"invoice": body}))["invoice"]
        return await self.again(made)

    async def again(self, invoice):
        return (await get(self.client, f"/invoices/{invoice['lago_id']}"))["invoice"]

    async def refund(self, invoice, cents):
        """A credit note with money to go back."""
        item = {"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": cents}
        body = {
            "invoice_id": invoice["lago_id"],
            "reason": "other",
            "refund_amount_cents": cents,
            "credit_amount_cents": 0,
            "items": [item],
        }
        made = await post(self.client, "/credit_notes", {"credit_note": body})
        return await self.note(made["credit_note"])

    async def note(self, note):
        return (await get(self.client, f"/credit_notes/{note['lago_id']}"))["credit_note"]

    async def money(self, invoice):
        found = await self.again(invoice)
        return found["payment_status"], found["total_paid_amount_cents"], found["total_due_amount_cents"]


@pytest.fixture(scope="module")
async def vendors():
    async with adyen() as cards, gocardless() as debits:
        yield cards, debits


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, vendors):
    cards, debits = vendors
    options = Settings(
        admin_api_key="admin-key",
        public_url="http://test",
        data_dir=tmp_path_factory.mktemp("data"),
        vies_url="http://127.0.0.1:9",
        payment_provider_urls={"adyen": cards.url, "gocardless": debits.url},
    )
    async with running(options, database_url) as parts:
        yield parts


@pytest.fixture
async def seller(application, database, make_organization):
    made = Seller(application, await make_organization(frozen_time="2026-12-01T00:00:00Z"), database)
    yield made
    await assert_audit_clean(database, UUID(str(made.id)))


async def test_a_customer_leaves_a_card_at_adyen_and_is_charged(seller, vendors):
    cards = vendors[0]
    await seller.connect(
        kind="adyen",
        code="adyen_eu",
        name="Adyen EU",
        api_key=adyen_server.KEY,
        merchant_account=adyen_server.ACCOUNT,
        hmac_key=adyen_server.HMAC_KEY,
    )

    async def tell(code, **told):
        return await seller.tell({}, adyen_server.notification(adyen_server.item(code, **told)))

    # Linked by the card alone: before, nobody is charged.
    await seller.link(currency="HUF")
    (page,) = cards.links.values()
    assert (page["amount"], page["shopperReference"]) == ({"currency": "HUF", "value": 0}, "gable")
    early = await seller.bill(2500, "HUF")
    assert (await seller.money(early), cards.payments) == (("pending", 0, 2500), {})
    assert await seller.provider_customer_id() is None
    forged = adyen_server.notification(
        adyen_server.item("AUTHORISATION", key="00", amount={"value": 0, "currency": "HUF"}, extra=STORED)
    )
    await seller.tell({}, forged, expect=400)
    stored = {"amount": {"value": 0, "currency": "HUF"}, "paymentMethod": "mc", "extra": STORED}
    assert await tell("AUTHORISATION", **stored) == "[accepted]"
    assert await seller.provider_customer_id() == "gable"
    details = {"type": "card", "brand": "mc", "last4": "9245", "expires": "03/2030"}
    assert await seller.methods() == [("card_1", True, details)]

    # Charged without them, by Adyen's own measure of forints; told again, it counts once.
    cards.cards["card_1"] = {"resultCode": "Authorised"}
    paid = await seller.bill(2500, "HUF")
    assert await seller.money(paid) == ("succeeded", 2500, 0)
    ((name, asked),) = cards.payments.items()
    assert asked["amount"] == {"currency": "HUF", "value": 250_000}
    assert asked["reference"].endswith(f" - Invoice {paid['number']}")
    told = {
        "pspReference": name,
        "amount": asked["amount"],
        "extra": {f"metadata.{key}": value for key, value in asked["metadata"].items()},
    }
    await tell("AUTHORISATION", **told)
    await tell("AUTHORISATION", **told)
    assert await seller.money(paid) == ("succeeded", 2500, 0)

    # A card that is refused leaves the invoice to a page, on which it is paid.
    cards.cards["card_1"] = {"resultCode": "Refused", "refusalReason": "Expired Card"}
    refused = await seller.bill(1200, "HUF")
    assert await seller.money(refused) == ("failed", 0, 1200)
    answer = await post(seller.client, f"/invoices/{refused['lago_id']}/payment_url", {})
    page = cards.links[answer["invoice_payment_details"]["payment_url"].rsplit("/")[-1]]
    assert page["amount"] == {"currency": "HUF", "value": 120_000}
    one_time = {f"metadata.{key}": value for key, value in page["metadata"].items()}
    await tell("AUTHORISATION", pspReference="PAGE1", amount=page["amount"], extra=one_time)
    assert await seller.money(refused) == ("succeeded", 1200, 0)
    assert page["status"] in ("active", "expired"), "Adyen closes a page that is paid by itself"

    # A refund waits for its notification.
    note = await seller.refund(paid, 1000)
    assert note["refund_status"] == "pending"
    (refund,) = [body for of, what, body in cards.modifications if (of, what) == (name, "refunds")]
    assert refund["amount"] == {"currency": "HUF", "value": 100_000}
    await tell(
        "REFUND",
        originalReference=name,
        pspReference="MOD0000000000001",
        merchantReference=refund["reference"],
        amount=refund["amount"],
    )
    assert (await seller.note(note))["refund_status"] == "succeeded"


async def test_a_customer_gives_gocardless_a_mandate_and_is_debited(seller, vendors):
    bank = vendors[1]
    await seller.connect(
        kind="gocardless",
        code="gocardless_uk",
        name="GoCardless UK",
        access_token=gocardless_server.TOKEN,
    )
    secret = seller.connection["inbound_secret"]
    assert len(secret) == 50

    async def tell(kind, action, links, **details):
        event = gocardless_server.event(kind, action, links, **details)
        await seller.tell(*gocardless_server.webhook(event, secret=secret))

    await seller.link(currency="GBP", email="billing@gable.example")
    assert await seller.provider_customer_id() == "CU001"
    (request,) = bank.kept["billing_requests"].values()
    assert request["mandate_request"] == {"scheme": "bacs"}
    bank.keep("mandates", status="pending_submission", scheme="bacs", links={"customer": "CU001"})
    await tell("mandates", "created", {"mandate": "MD001"})
    assert await seller.methods() == [("MD001", True, {"type": "bacs"})]

    # On its way for days; what fails later is failed, and what comes in is paid.
    first = await seller.bill(1999, "GBP")
    assert await seller.money(first) == ("pending", 0, 1999)
    bank.kept["payments"]["PM001"]["status"] = "failed"
    await tell("payments", "failed", {"payment": "PM001"}, cause="refer_to_payer")
    assert await seller.money(first) == ("failed", 0, 1999)
    await post(seller.client, f"/invoices/{first['lago_id']}/retry_payment", {})
    assert await seller.money(first) == ("pending", 0, 1999)
    bank.kept["payments"]["PM002"]["status"] = "paid_out"
    await tell("payments", "paid_out", {"payment": "PM002"})
    assert await seller.money(first) == ("succeeded", 1999, 0)

    # A refund goes through its statuses.
    note = await seller.refund(first, 500)
    (refund,) = bank.kept["refunds"].values()
    assert (note["refund_status"], refund["amount"]) == ("pending", 500)
    refund["status"] = "paid"
    await tell("refunds", "paid", {"refund": "RF001"})
    assert (await seller.note(note))["refund_status"] == "succeeded"

    # The mandate is taken back by GoCardless: nobody is asked any more.
    bank.kept["mandates"]["MD001"]["status"] = "cancelled"
    await tell("mandates", "cancelled", {"mandate": "MD001"}, origin="api")
    assert await seller.methods() == []
    later = await seller.bill(700, "GBP")
    assert (await seller.money(later), len(bank.kept["payments"])) == (("pending", 0, 700), 2)
