"""Adyen, GoCardless, Cashfree, Flutterwave and MoneyHash by clicking: connected, paid by, and paid back (ui §3, §6)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from playwright.async_api import Page, Route, expect
from tests import adyen_server, cashfree_server, flutterwave_server, gocardless_server, kit, moneyhash_server
from tests.adyen_server import Adyen, adyen
from tests.gocardless_server import GoCardless, gocardless
from tests.loopback import loopback
from tests.web.browser import Watch
from tests.web.conftest import Site, served
from tests.web.shop import Shop, looked_at, opened


@dataclass
class Vendors:
    """Those that are played on this machine."""

    adyen: Adyen
    gocardless: GoCardless
    cashfree: cashfree_server.Links
    flutterwave: flutterwave_server.Pages
    moneyhash: moneyhash_server.Intents
    urls: dict[str, str]


@pytest.fixture(scope="module")
async def vendors() -> AsyncIterator[Vendors]:
    links, pages, intents = (
        cashfree_server.Links(),
        flutterwave_server.Pages(),
        moneyhash_server.Intents(),
    )
    async with (
        adyen() as cards,
        gocardless() as debits,
        loopback(links) as cashfree,
        loopback(pages) as flutterwave,
        loopback(intents) as moneyhash,
    ):
        urls = {
            "adyen": cards.url, "gocardless": debits.url, "cashfree": cashfree.url,
            "flutterwave": flutterwave.url, "moneyhash": moneyhash.url,
        }  # fmt: skip
        yield Vendors(cards, debits, links, pages, intents, urls)


@pytest.fixture(scope="module")
async def site(
    dist: Path, database_url: str, tmp_path_factory: pytest.TempPathFactory, vendors: Vendors
) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("data")
    async with served(database_url, folder, payment_provider_urls=vendors.urls) as made:
        yield made


@pytest.fixture
async def shop(site: Site, page: Page, request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    """A shop whose customers are led to pages of vendors that look all alike."""

    async def stand_in(route: Route) -> None:
        body = "<!doctype html><html lang=en><title>A vendor’s page</title><h1>A vendor’s page</h1></html>"
        await route.fulfill(content_type="text/html; charset=utf-8", body=body)

    await page.context.route(re.compile("^https://"), stand_in)
    async with opened(site, page, request.node.name) as made:
        yield made
        await kit.assert_audit_clean(site.application.database, UUID(made.tenant.id))


@pytest.fixture
async def watch(page: Page, shop: Shop) -> Watch:
    """Of the page, once somebody has signed in; made where the page's loop runs, which it needs."""
    return Watch(page)


async def connect(page: Page, shop: Shop, kind: str, **typed: str) -> None:
    """Fill the drawer of a new connection, field by field, and try it."""
    await page.goto(f"/{shop.slug}/settings/integrations/payment/{kind}")
    await page.get_by_role("button", name="Add connection").click()
    drawer = page.get_by_role("dialog")
    for label, text in typed.items():
        await drawer.get_by_label(label.replace("_", " ")).fill(text)
    await drawer.get_by_role("button", name="Connect").click()


async def connect_after_all(page: Page, watch: Watch, **typed: str) -> None:
    """Mend what a vendor has refused, and try again."""
    assert [fault for fault in watch.faults if "422" not in fault] == []
    watch.begin()
    drawer = page.get_by_role("dialog")
    for label, text in typed.items():
        await drawer.get_by_label(label.replace("_", " ")).fill(text)
    await drawer.get_by_role("button", name="Connect").click()
    await expect(drawer).to_have_count(0)


async def edit(page: Page, name: str, **typed: str) -> None:
    """Change a connection."""
    await page.get_by_role("button", name=f"Actions of {name}").click()
    await page.get_by_role("menuitem", name="Edit connection").click()
    drawer = page.get_by_role("dialog", name=f"Edit {name}")
    for label, text in typed.items():
        await drawer.get_by_label(label.replace("_", " ")).fill(text)
    await drawer.get_by_role("button", name="Save connection").click()
    await expect(page.get_by_text("Connection saved")).to_be_visible()


async def link(
    page: Page, shop: Shop, account: str, picture: str | None = None, known_as: str | None = None
) -> None:
    """Say by which account Ada pays, and see what she looks like then."""
    await page.goto(f"/{shop.slug}/update/customer/ada")
    await page.get_by_label("Account", exact=True).click()
    await page.get_by_role("option", name=account).click()
    if known_as is not None:
        await page.get_by_role("button", name="Exists already").click()
        await page.get_by_label("ID at").fill(known_as)
    if picture is not None:
        await looked_at(page, picture)
    await page.get_by_role("button", name="Save customer").click()
    await expect(page.get_by_text("Customer saved")).to_be_visible()
    await page.get_by_role("link", name="Information", exact=True).click()
    await expect(page.get_by_role("heading", name="Payment provider")).to_be_visible()


async def ask_for_method(page: Page) -> str:
    """Have a vendor make a page on which Ada leaves a method; where it is."""
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("button", name="Make link").click()
    async with page.context.expect_page() as opening:
        await page.get_by_role("link", name="Open page").click()
    await page.get_by_role("button", name="Close").last.click()
    return await seen(await opening.value)


async def choose_and_remove(page: Page, *, chosen: str, removed: str) -> None:
    """Of two methods, of which the second is the default, choose the first and remove the other."""
    methods = page.get_by_role("list", name="Payment methods").get_by_role("listitem")
    await expect(methods.filter(has_text=removed)).to_contain_text("Default")
    await page.get_by_role("button", name=f"Actions of {chosen}").click()
    await page.get_by_role("menuitem", name="Set as default").click()
    await expect(methods.filter(has_text=chosen)).to_contain_text("Default")
    await expect(methods.filter(has_text=removed)).not_to_contain_text("Default")
    await page.get_by_role("button", name=f"Actions of {removed}").click()
    await page.get_by_role("menuitem", name="Remove method").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Remove method").click()
    await expect(methods).to_have_count(1)


async def see_invoice(page: Page, shop: Shop, invoice: Mapping[str, Any]) -> None:
    """Go to an invoice, unless it is there."""
    address = f"/{shop.slug}/customer/ada/invoice/{invoice['lago_id']}/overview"
    if not page.url.endswith(address):
        await page.goto(address)


async def open_payment_link(page: Page, shop: Shop, invoice: Mapping[str, Any]) -> str:
    """Where the menu of an invoice leads to for whoever pays it."""
    await see_invoice(page, shop, invoice)
    await page.get_by_role("button", name="More actions").click()
    async with page.context.expect_page() as opening:
        await page.get_by_role("menuitem", name="Open payment link").click()
    return await seen(await opening.value)


async def seen(opened_page: Page) -> str:
    """The address of a vendor's page, which is shut again."""
    await expect(opened_page.get_by_role("heading", name="A vendor’s page")).to_be_visible()
    url = opened_page.url
    await opened_page.close()
    return url


async def see_payment(page: Page, shop: Shop, *told: str) -> None:
    """Go to the newest payment; it tells so much."""
    payment = (await kit.get(shop.client, "/payments"))["payments"][0]
    await page.goto(f"/{shop.slug}/payment/{payment['lago_id']}")
    for one in told:
        await expect(page.get_by_role("main")).to_contain_text(one)


async def see_note(page: Page, shop: Shop, note: Mapping[str, Any], *told: str) -> None:
    """Go to a credit note; it tells so much."""
    await page.goto(f"/{shop.slug}/customer/ada/credit-note/{note['lago_id']}/overview")
    for one in told:
        await expect(page.get_by_role("main")).to_contain_text(one)


async def tell(shop: Shop, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    """What the vendor of the one connection sends to the address that it was given."""
    inbound = (await shop.connection())["inbound_url"]
    async with httpx.AsyncClient() as vendor:
        answer = await vendor.post(inbound, content=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_adyen_charges_a_card_and_pays_back(shop, page, vendors, watch):
    """123.45 by a card, of which 23.45 go back; 60.01 that the card is refused for, on a page."""
    vendor = vendors.adyen
    typed = {"API_key": adyen_server.KEY, "Merchant_account": "Tallymark"}
    await connect(page, shop, "adyen", Name="Adyen", **typed)
    await expect(page.get_by_role("dialog").get_by_text("Invalid Merchant Account")).to_be_visible()
    await connect_after_all(page, watch, Merchant_account=adyen_server.ACCOUNT)
    card = page.get_by_role("article").filter(has_text="Adyen")
    await expect(card).to_contain_text(f"/webhooks/adyen/{shop.tenant.id}?code=adyen")
    await expect(card).to_contain_text("None: every event is refused")
    await edit(page, "Adyen", Name="Adyen Europe", HMAC_key=adyen_server.HMAC_KEY)
    await expect(card).to_contain_text("Adyen Europe")
    await expect(card).to_contain_text("…A056")
    await expect(card).not_to_contain_text(adyen_server.HMAC_KEY[:8])
    await looked_at(page, "adyen")

    async def hear(code, **told):
        await tell(shop, adyen_server.notification(adyen_server.item(code, **told)))

    await link(page, shop, "Adyen Europe", "adyen-customer-form")
    await expect(page.get_by_role("main")).to_contain_text("Waits for the customer to leave a method")
    await looked_at(page, "adyen-waiting")
    assert (await ask_for_method(page)).startswith("https://test.adyen.link/")
    for name, brand, summary in (("card_1", "visa", "4242"), ("card_2", "mc", "9245")):
        stored = {
            "recurring.recurringDetailReference": name, "recurring.shopperReference": "ada",
            "cardSummary": summary, "expiryDate": "08/2032",
        }  # fmt: skip
        amount = {"value": 0, "currency": "EUR"}
        await hear("AUTHORISATION", amount=amount, paymentMethod=brand, pspReference=name, extra=stored)
    await page.reload()
    await expect(page.get_by_role("main")).to_contain_text("Linked")
    await expect(page.get_by_role("main")).to_contain_text("expires 08/2032")
    await choose_and_remove(page, chosen="Visa •••• 4242", removed="Mastercard •••• 9245")

    vendor.cards["card_1"] = {"resultCode": "Authorised"}
    paid = await shop.sell(123_45, "EUR")
    assert await shop.money(paid) == ("succeeded", 123_45, 0)
    ((name, asked),) = vendor.payments.items()
    assert asked["amount"] == {"currency": "EUR", "value": 123_45}
    await see_payment(page, shop, "Visa •••• 4242, 08/2032", "Adyen, Adyen Europe", "Authorised", name)
    note = await shop.pay_back(paid, 23_45)
    await see_note(page, shop, note, "Refund pending", "received")
    await looked_at(page, "adyen-refund-pending")
    ((_, _, refund),) = vendor.modifications
    assert refund["amount"] == {"currency": "EUR", "value": 23_45}
    told = {"merchantReference": refund["reference"], "amount": refund["amount"]}
    await hear("REFUND", originalReference=name, pspReference="MOD0000000000001", **told)
    await see_note(page, shop, note, "Refund paid back", "Refunded")

    vendor.cards["card_1"] = {
        "resultCode": "Refused",
        "refusalReason": "Expired Card",
        "refusalReasonCode": "6",
    }
    open_one = await shop.sell(60_01, "EUR")
    await see_payment(page, shop, "Failed", "Expired Card")
    await looked_at(page, "adyen-payment-refused")
    url = await open_payment_link(page, shop, open_one)
    asked = vendor.links[url.rpartition("/")[2]]
    assert asked["amount"] == {"currency": "EUR", "value": 60_01}
    one_time = {f"metadata.{key}": value for key, value in asked["metadata"].items()}
    await hear("AUTHORISATION", pspReference="PAGE1", amount=asked["amount"], extra=one_time)
    assert await shop.money(open_one) == ("succeeded", 60_01, 0)
    await see_payment(page, shop, "Paid", "Authorised", "PAGE1")
    assert watch.faults == []


async def test_gocardless_debits_an_account(shop, page, vendors, watch, monkeypatch):
    """60.01 by a mandate, which are there once they are paid out; 10.00 of them go back, and 5.00 do not arrive."""
    vendor = vendors.gocardless
    await kit.customer(shop.client, external_id="ada", name="Ada", currency="GBP")
    await connect(page, shop, "gocardless", Name="GoCardless UK", Access_token="sandbox_of_nobody")
    await expect(page.get_by_role("dialog").get_by_text("This is not valid.")).to_be_visible()
    await connect_after_all(page, watch, Access_token=gocardless_server.TOKEN)
    secret = (await shop.connection())["inbound_secret"]
    card = page.get_by_role("article").filter(has_text="GoCardless UK")
    await expect(card).to_contain_text(secret)
    await looked_at(page, "gocardless")

    async def hear(kind, action, links, **details):
        event = gocardless_server.event(kind, action, links, **details)
        headers, body = gocardless_server.webhook(event, secret=secret)
        await tell(shop, body, headers)

    await link(page, shop, "GoCardless UK")
    (known,) = vendor.kept["customers"]
    await expect(page.get_by_role("button", name=f"Copy ID at the provider {known}")).to_be_visible()
    monkeypatch.setattr(gocardless_server, "TOKEN", "another")  # theirs is revoked
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("button", name="Make link").click()
    await expect(page.get_by_role("dialog")).to_contain_text("GoCardless lets nobody in")
    await looked_at(page, "gocardless-key-refused")
    await page.get_by_role("button", name="Cancel").click()
    monkeypatch.undo()
    assert [fault for fault in watch.faults if "401" not in fault] == []
    watch.begin()
    assert (await ask_for_method(page)).startswith("https://pay-sandbox.gocardless.com/")
    for bank, ending in (("BARCLAYS BANK PLC", "11"), (None, "26")):
        account = vendor.keep("customer_bank_accounts", bank_name=bank, account_number_ending=ending)
        links = {"customer": known, "customer_bank_account": account["id"]}
        mandate = vendor.keep("mandates", status="active", scheme="bacs", links=links)
        await hear("mandates", "created", {"mandate": mandate["id"]})
    await page.reload()
    await expect(page.get_by_role("list", name="Payment methods").get_by_role("listitem")).to_have_count(2)
    await looked_at(page, "gocardless-methods")
    await choose_and_remove(page, chosen="BARCLAYS BANK PLC •••• 11", removed="Bacs direct debit •••• 26")

    invoice = await shop.sell(60_01, "GBP")
    assert await shop.money(invoice) == ("pending", 0, 60_01)
    ((name, debit),) = vendor.kept["payments"].items()
    assert (debit["amount"], debit["currency"], debit["links"]) == (60_01, "GBP", {"mandate": "MD001"})
    await page.goto(f"/{shop.slug}/customer/ada/invoice/{invoice['lago_id']}/payments")
    await expect(page.get_by_role("table", name="Payments")).to_contain_text("Processing")
    await expect(page.get_by_text("GoCardless was asked for £60.01 on 1 Jan 2026")).to_be_visible()
    await page.get_by_role("button", name="More actions").click()
    await expect(page.get_by_role("menuitem", name="Record payment")).to_be_visible()
    await expect(page.get_by_role("menuitem", name="Open payment link")).to_have_count(0)
    await page.keyboard.press("Escape")
    await looked_at(page, "gocardless-invoice-pending")
    await see_payment(page, shop, "BARCLAYS BANK PLC •••• 11", "pending_submission", name)
    portal = (await kit.get(shop.client, "/customers/ada/portal_url"))["customer"]["portal_url"]
    await page.goto(f"{portal}/invoices")
    await expect(page.get_by_text(invoice["number"])).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("^Pay"))).to_have_count(0)

    debit["status"] = "paid_out"
    await hear("payments", "paid_out", {"payment": name})
    assert await shop.money(invoice) == ("succeeded", 60_01, 0)
    for cents, status, event in ((10_00, "paid", "paid"), (5_00, "bounced", "bounced")):
        note = await shop.pay_back(invoice, cents)
        (refund, made) = list(vendor.kept["refunds"].items())[-1]
        assert made["amount"] == cents
        made["status"] = status
        await hear("refunds", event, {"refund": refund}, description="The account was closed")
        known = (await kit.get(shop.client, f"/credit_notes/{note['lago_id']}"))["credit_note"]
        assert known["refund_status"] == ("succeeded" if status == "paid" else "failed")
    await see_note(page, shop, note, "Refund failed", "GoCardless did not pay £5.00 back")
    await looked_at(page, "gocardless-refund-failed")
    await mark_paid_back(page, "£5.00")
    await expect(page.get_by_role("main")).to_contain_text("it was paid back in another way")
    assert watch.faults == []


async def mark_paid_back(page: Page, amount: str) -> None:
    """Note on a credit note that somebody paid by hand."""
    await page.get_by_role("button", name="Mark as paid back").click()
    question = page.get_by_role("alertdialog", name=f"Mark {amount} as paid back?")
    await question.get_by_role("button", name="Mark as paid back").click()
    await expect(page.get_by_role("main")).to_contain_text("Refund paid back")
    await expect(page.get_by_role("button", name="Mark as paid back")).to_have_count(0)


async def test_cashfree_is_paid_by_links(shop, page, vendors, watch):
    """200.12 by the link that the app opens, 300.01 by the one that the portal leads to."""
    vendor = vendors.cashfree
    await kit.customer(shop.client, external_id="ada", name="Ada", currency="INR")
    await connect(
        page, shop, "cashfree", Name="India", Client_ID=cashfree_server.CLIENT_ID, Client_secret="no"
    )
    await expect(page.get_by_role("dialog").get_by_text("This is not valid.")).to_be_visible()
    await connect_after_all(page, watch, Client_secret=cashfree_server.SECRET)
    await edit(page, "India", Name="Cashfree India")
    card = page.get_by_role("article").filter(has_text="Cashfree India")
    await expect(card).to_contain_text("…cret")
    await expect(card).to_contain_text(cashfree_server.CLIENT_ID)
    await link(page, shop, "Cashfree India", "cashfree-customer-form")
    await expect(page.get_by_role("main")).to_contain_text("Pays on pages")
    await expect(page.get_by_role("button", name="Add", exact=True)).to_have_count(0)
    await looked_at(page, "cashfree-information")

    invoice = await shop.sell(200_12, "INR")
    await see_invoice(page, shop, invoice)
    await page.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Open payment link").click()
    await expect(page.get_by_text(re.compile("needs the customer's phone number"))).to_be_visible()
    watch.begin()
    await kit.customer(shop.client, external_id="ada", name="Ada", phone="+919000000000")
    await open_payment_link(page, shop, invoice)
    (asked,) = vendor.known.values()
    assert (asked["link_amount"], asked["link_currency"]) == (200.12, "INR")
    body = vendor.pay(asked)
    await tell(shop, body, cashfree_server.signed(body))
    await tell(shop, body, cashfree_server.signed(body))
    assert await shop.money(invoice) == ("succeeded", 200_12, 0)
    await see_payment(page, shop, "₹200.12", "PAID", asked["link_id"])

    second = await shop.sell(300_01, "INR")
    portal = (await kit.get(shop.client, "/customers/ada/portal_url"))["customer"]["portal_url"]
    await page.goto(f"{portal}/invoices")
    await page.get_by_role("button", name=f"Pay invoice {second['number']}").click()
    await expect(page.get_by_role("heading", name="A vendor’s page")).to_be_visible()
    asked = list(vendor.known.values())[-1]
    assert page.url == asked["link_url"]
    body = vendor.pay(asked)
    await tell(shop, body, cashfree_server.signed(body))
    assert await shop.money(second) == ("succeeded", 300_01, 0)
    await page.goto(f"{portal}/invoices")
    await expect(page.get_by_text(second["number"])).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("^Pay"))).to_have_count(0)

    await page.goto(f"/{shop.slug}/settings/integrations/payment/cashfree")
    await page.get_by_role("button", name="Actions of Cashfree India").click()
    await page.get_by_role("menuitem", name="Delete connection").click()
    question = page.get_by_role("alertdialog", name="Delete the connection “Cashfree India”?")
    await expect(question).to_contain_text("there are no pages for their invoices any more")
    await looked_at(page, "cashfree-delete")
    await question.get_by_role("button", name="Delete connection").click()
    await expect(page.get_by_role("heading", name="No connection yet")).to_be_visible()
    assert watch.faults == []


async def test_flutterwave_is_paid_on_pages(shop, page, vendors, watch):
    """Of 1,000.50, 0.49 came by hand: a page takes 1,000.01. What goes back, goes back by hand."""
    vendor = vendors.flutterwave
    await kit.customer(shop.client, external_id="ada", name="Ada", currency="NGN")
    await connect(page, shop, "flutterwave", Name="Flutterwave Nigeria", Secret_key=flutterwave_server.KEY)
    card = page.get_by_role("article").filter(has_text="Flutterwave Nigeria")
    await expect(card).to_contain_text("…X123")
    secret = (await shop.connection())["inbound_secret"]
    await expect(card).to_contain_text(secret)
    await link(page, shop, "Flutterwave Nigeria")
    await expect(page.get_by_role("main")).to_contain_text("Pays on pages")

    invoice = await shop.sell(1_000_50, "NGN")
    by_hand = {"invoice_id": invoice["lago_id"], "amount_cents": 49, "reference": "cash"}
    await kit.post(shop.client, "/payments", {"payment": by_hand})
    await open_payment_link(page, shop, invoice)
    ((reference, asked),) = vendor.pages.items()
    assert (asked["amount"], asked["currency"]) == (1000.01, "NGN")
    await tell(shop, vendor.pay(reference), {"verif-hash": secret})
    assert await shop.money(invoice) == ("succeeded", 1_000_50, 0)
    await see_payment(page, shop, "₦1,000.01", "Flutterwave, Flutterwave Nigeria", "successful")

    note = await shop.pay_back(invoice, 500_25)
    await see_note(page, shop, note, "Refund pending", "Flutterwave is not asked to pay it back.")
    await looked_at(page, "flutterwave-refund-by-hand")
    await mark_paid_back(page, "₦500.25")
    assert watch.faults == []


async def test_moneyhash_charges_a_card_and_has_pages(shop, page, vendors, watch):
    """1,234.56 by a card of somebody who was known there, 500.05 on a page."""
    vendor = vendors.moneyhash
    await kit.customer(shop.client, external_id="ada", name="Ada", currency="EGP")
    typed = {"API_key": moneyhash_server.KEY, "Flow_ID": "VglRW9x"}
    await connect(page, shop, "moneyhash", Name="MoneyHash Egypt", **typed)
    card = page.get_by_role("article").filter(has_text="MoneyHash Egypt")
    await expect(card).to_contain_text("VglRW9x")
    await link(page, shop, "MoneyHash Egypt", "moneyhash-customer-form", known_as="cus-7")
    await expect(page.get_by_role("button", name="Copy ID at the provider cus-7")).to_be_visible()

    async def hear(body):
        await tell(shop, body, moneyhash_server.signed(body))

    assert (await ask_for_method(page)).startswith("https://web.moneyhash.io/payments/embed/")
    (setup,) = vendor.known
    assert (vendor.known[setup]["customer"], vendor.known[setup]["amount"]) == ("cus-7", "5.00")
    await hear(vendor.pay(setup))
    for name, brand, last in (("tok-1", "Visa", "4242"), ("tok-2", "Mastercard", "9245")):
        more = {"brand": brand, "last_4": last, "expiry_month": "08", "expiry_year": "2032"}
        await hear(moneyhash_server.of_card("card_token.created", id=name, customer="cus-7", **more))
    await page.reload()
    await expect(page.get_by_role("list", name="Payment methods").get_by_role("listitem")).to_have_count(2)
    await choose_and_remove(page, chosen="Visa •••• 4242", removed="Mastercard •••• 9245")

    invoice = await shop.sell(1_234_56, "EGP")
    assert await shop.money(invoice) == ("succeeded", 1_234_56, 0)
    charged = list(vendor.known.values())[-1]
    assert (charged["amount"], charged["card_token"]) == ("1234.56", "tok-1")
    await see_payment(page, shop, "Visa •••• 4242, 08/2032", "PROCESSED", charged["id"])

    open_one = await shop.sell(500_05, "EGP", skip_psp=True)
    url = await open_payment_link(page, shop, open_one)
    asked = vendor.known[url.rstrip("/").rpartition("/")[2]]
    assert asked["amount"] == "500.05"
    await hear(vendor.pay(asked["id"]))
    assert await shop.money(open_one) == ("succeeded", 500_05, 0)
    await page.reload()
    await expect(page.get_by_role("main")).to_contain_text("nothing is open")
    note = await shop.pay_back(open_one, 5)
    await see_note(page, shop, note, "MoneyHash is not asked to pay it back.")
    assert watch.faults == []
