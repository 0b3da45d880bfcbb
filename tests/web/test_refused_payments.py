"""What goes wrong in collecting, as people see it: refused, left to the customer, on its way, not paid back, disputed (ui §3.3 to §3.5, §8).

Stripe is the one of the tests, with cards that behave as those of its test mode.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect
from tests import kit
from tests.stripe_server import StripeServer, serving
from tests.web.browser import Watch
from tests.web.conftest import Site, served, sign_in
from tests.web.shop import Shop, looked_at, opened

GOOD, POOR, CAUTIOUS, SLOW = (
    "pm_card_visa",
    "pm_card_chargeDeclinedInsufficientFunds",
    "pm_card_authenticationRequired",
    "pm_sepa_debit",
)
"""Cards that pay, that are refused, and that wait for their owner; and an account whose bank takes days."""


@pytest.fixture(scope="module")
def stripe() -> Iterator[StripeServer]:
    with serving(delivers=True) as server:
        yield server


@pytest.fixture(scope="module")
async def site(
    dist: Path, database_url: str, tmp_path_factory: pytest.TempPathFactory, stripe: StripeServer
) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("data")
    async with served(database_url, folder, payment_provider_urls={"stripe": stripe.url}) as made:
        yield made


@dataclass
class Till:
    """A shop whose customers pay through Stripe, and the page on which it is looked at."""

    shop: Shop
    stripe: StripeServer
    page: Page

    @property
    def main(self) -> Locator:
        return self.page.get_by_role("main")

    async def settle(self) -> None:
        """Until all that Stripe tells is heard."""
        await asyncio.to_thread(self.stripe.flush)

    async def know(self, who: str, *methods: str, **more: Any) -> None:
        """A customer of Stripe's, who leaves these methods: the last one is their default."""
        linked = {"payment_provider": "stripe", "payment_provider_code": "eu", "sync_with_provider": True}
        name = who.capitalize()
        await kit.customer(
            self.shop.client, external_id=who, name=name, email=f"{who}@paid.test", currency="EUR", country="DE",
            billing_configuration={**linked, **more},
        )  # fmt: skip
        for method in methods:
            await self.leave(who, method)

    async def leave(self, who: str, method: str) -> None:
        """A customer leaves a method on a page of Stripe's."""
        asked = await kit.post(self.shop.client, f"/customers/{who}/checkout_url", {})
        self.stripe.fill(asked["customer"]["checkout_url"], method)
        await self.settle()

    async def sell(self, cents: int, who: str = "ada", **more: Any) -> kit.Json:
        """An invoice as it is once it is collected, or refused."""
        made = await self.shop.sell(cents, "EUR", external_customer_id=who, **more)
        await self.settle()
        return await self.shop.invoice(made)

    async def payments(self, invoice: kit.Json) -> list[tuple[str, int]]:
        """The payments of an invoice, as they stand."""
        found = await kit.get(self.shop.client, "/payments", invoice_id=invoice["lago_id"])
        return sorted((one["payment_status"], one["amount_cents"]) for one in found["payments"])

    def taken(self) -> int:
        """What Stripe has taken from this shop's customers in all (minor units)."""
        intents = self.stripe.all("payment_intent")
        ours = [one for one in intents if one["metadata"]["lago_organization_id"] == self.shop.tenant.id]
        return sum(one["amount_received"] for one in ours)

    async def see(self, invoice: kit.Json) -> None:
        """The page of an invoice."""
        who = invoice["customer"]["external_id"]
        await self.page.goto(f"/{self.shop.slug}/customer/{who}/invoice/{invoice['lago_id']}/overview")
        await expect(self.page.get_by_role("heading", name=invoice["number"])).to_be_visible()


@pytest.fixture
async def till(site: Site, page: Page, stripe: StripeServer, request: pytest.FixtureRequest) -> AsyncIterator[Till]:  # fmt: skip
    async with opened(site, page, request.node.name) as shop:
        async with shop.office() as browser:
            made = {
                "kind": "stripe", "name": "Stripe Europe", "code": "eu", "secret_key": stripe.key,
                "success_redirect_url": f"{site.url}/icon.svg", "supports_3ds": True,
            }  # fmt: skip
            await kit.post(browser, "/payment_providers", {"payment_provider": made})
        yield Till(shop, stripe, page)
        # What is told from now on is told to others.
        stripe.objects["webhook_endpoint"].clear()


async def test_a_refused_card_is_told_and_another_one_pays(till, site, page):
    """123.45, of which 23.45 come by hand: what is refused is 123.45, and what another card pays is 100.00."""
    await till.know("ada", GOOD, POOR)
    invoice = await till.sell(12345)
    assert await till.shop.money(invoice) == ("failed", 0, 12345)
    watch = Watch(page)
    await till.see(invoice)
    refused = till.main.locator(".banner")
    await expect(till.main.get_by_text("Payment failed", exact=True)).to_be_visible()
    await expect(refused).to_contain_text(
        "Stripe did not collect €123.45: Your card has insufficient funds. card_declined"
    )
    await looked_at(page, "refused-invoice")
    await refused.get_by_role("link", name="Open payment").click()
    await expect(page.get_by_role("heading", name="Payment of €123.45")).to_be_visible()
    await expect(till.main).to_contain_text("Refused becauseYour card has insufficient funds. card_declined")
    await expect(till.main).to_contain_text("Visa •••• 9995, 08/2032")
    await expect(till.main.get_by_text("Received on")).to_have_count(0)
    await looked_at(page, "refused-payment")

    # Whoever sees invoices, and changes none, sees why, and is offered nothing.
    async with till.shop.office() as browser:
        seen = ["invoices:view", "payments:view", "customers:view"]
        await kit.post(browser, "/roles", {"code": "reader", "name": "Reader", "permissions": seen})
    await till.shop.tenant.invite("lou@refused.test", "reader", by=till.shop.admin)
    lous = await (await page.context.browser.new_context(base_url=site.url)).new_page()
    await sign_in(lous, "lou@refused.test")
    other = Till(till.shop, till.stripe, lous)
    await other.see(invoice)
    await expect(other.main.locator(".banner")).to_contain_text("Your card has insufficient funds.")
    await expect(lous.get_by_role("button", name="Retry collection")).to_have_count(0)
    await lous.get_by_role("button", name="More actions").click()
    await expect(lous.get_by_role("menuitem", name="Download PDF")).to_be_visible()
    for name in ("Retry collection", "Open payment link", "Record payment"):
        await expect(lous.get_by_role("menuitem", name=name)).to_have_count(0)
    await lous.goto(f"/{till.shop.slug}/invoices?payment_statuses[]=failed")
    await expect(lous.get_by_text(invoice["number"])).to_be_visible()
    await expect(lous.get_by_role("button", name=re.compile("^Collect"))).to_have_count(0)
    answer = await lous.request.post(
        f"/api/v1/invoices/{invoice['lago_id']}/retry_payment",
        headers={"X-Lago-Organization": till.shop.slug, "Origin": site.url},
    )
    assert (answer.status, (await answer.json())["required_permissions"]) == (403, ["invoices:update"])
    await lous.context.close()

    wire = {"invoice_id": invoice["lago_id"], "amount_cents": 2345, "reference": "wire"}
    await kit.post(till.shop.client, "/payments", {"payment": wire})
    await till.see(invoice)
    await refused.get_by_role("button", name="Retry collection").click()
    dialog = page.get_by_role("dialog", name=f"Collect {invoice['number']} again?")
    await expect(dialog).to_contain_text("Stripe is asked for €100.00 of Ada.")
    await dialog.get_by_label("Paid by").click()
    await page.get_by_role("option", name="Visa •••• 4242").click()
    await looked_at(page, "refused-again")
    await dialog.get_by_role("button", name="Collect €100.00").click()
    await expect(page.get_by_text("Collection started again")).to_be_visible()
    await till.settle()
    await expect(till.main.get_by_text("Paid", exact=True).first).to_be_visible()
    await expect(refused).to_have_count(0)
    assert await till.shop.money(invoice) == ("succeeded", 12345, 0)
    assert await till.payments(invoice) == [("failed", 12345), ("succeeded", 2345), ("succeeded", 10000)]
    assert till.taken() == 10000
    assert watch.faults == []


async def test_several_are_collected_again_at_once(till, page):
    """Ada's 11.11 and 22.22 come in by her new card, Bob's 33.33 are refused again, and Cyd's 44.44 are on their way."""
    await till.know("ada", POOR)
    await till.know("bob", GOOD, POOR)
    await till.know("cyd", SLOW, provider_payment_methods=["card", "sepa_debit"])
    sold = [await till.sell(cents, who) for cents, who in ((1111, "ada"), (2222, "ada"), (3333, "bob"), (4444, "cyd"))]  # fmt: skip
    assert [one["payment_status"] for one in sold] == ["failed", "failed", "failed", "pending"]
    await till.leave("ada", GOOD)
    assert till.taken() == 0
    watch = Watch(page)
    await page.goto(f"/{till.shop.slug}/invoices")
    await page.get_by_role("button", name="Outstanding", exact=True).click()
    await page.get_by_role("button", name="Collect 4", exact=True).click()
    question = page.get_by_role("alertdialog", name="Collect: the 4 invoices shown here?")
    await expect(question).to_contain_text("by the method that is set for it, else by its customer’s default")
    reached, goes_on, asked = asyncio.Event(), asyncio.Event(), []

    async def hold(route: Route) -> None:
        """The second one waits, until it has been looked at."""
        asked.append(route.request.url)
        if len(asked) == 2:
            reached.set()
            await goes_on.wait()
        await route.continue_()

    await page.route("**/retry_payment", hold)
    await question.get_by_role("button", name="Collect", exact=True).click()
    await reached.wait()
    await expect(question.get_by_role("button", name="2 of 4")).to_be_visible()
    await page.screenshot(path="build/screenshots/bulk-progress.png")
    goes_on.set()
    await expect(page.get_by_text("Collection of 3 of 4 invoices started. The payment provider is at it already.")).to_be_visible()  # fmt: skip
    await till.settle()
    assert len(asked) == 4
    assert [fault for fault in watch.faults if "405" not in fault] == []
    watch.begin()
    await page.unroute_all()
    assert [await till.shop.money(one) for one in sold] == [
        ("succeeded", 1111, 0), ("succeeded", 2222, 0), ("failed", 0, 3333), ("pending", 0, 4444),
    ]  # fmt: skip
    assert till.taken() == 3333
    await expect(till.main.get_by_text(sold[2]["number"])).to_be_visible()
    await expect(till.main.get_by_text(sold[0]["number"])).to_have_count(0)
    await looked_at(page, "bulk-refused")

    # Bob has another card, which those who look at his alone can choose.
    await page.goto(f"/{till.shop.slug}/invoices?payment_statuses[]=failed&external_customer_id=bob")
    await page.get_by_role("button", name="Collect 1", exact=True).click()
    question = page.get_by_role("alertdialog", name="Collect: the 1 invoice shown here?")
    await question.get_by_label("Paid by").click()
    await page.get_by_role("option", name="Visa •••• 4242").click()
    await question.get_by_role("button", name="Collect", exact=True).click()
    await expect(page.get_by_text("Collection of 1 invoice started")).to_be_visible()
    await till.settle()
    await expect(till.main.get_by_text(sold[2]["number"])).to_have_count(0)
    assert await till.shop.money(sold[2]) == ("succeeded", 3333, 0)
    assert till.taken() == 6666

    await till.see(sold[3])
    await expect(till.main.locator(".banner")).to_contain_text(
        "Stripe was asked for €44.44 on 1 Jan 2026, and has not said yet"
    )
    till.stripe.bounce(next(one["id"] for one in till.stripe.all("payment_intent") if one["amount"] == 4444))
    await till.settle()
    await page.reload()
    await expect(till.main.locator(".banner")).to_contain_text("Stripe did not collect €44.44: The bank returned it.")  # fmt: skip
    assert watch.faults == []


async def test_a_bank_wants_the_customer_to_confirm(till, page):
    """77.70 are confirmed, 8.80 are not: what waits is told, with the page on which it is done."""
    await till.know("ada", CAUTIOUS)
    invoice = await till.sell(7770)
    assert await till.shop.money(invoice) == ("pending", 0, 7770)
    watch = Watch(page)
    await till.see(invoice)
    waits = till.main.locator(".banner")
    await expect(waits).to_contain_text("Stripe waits for the customer, who is to pay €77.70.")
    await looked_at(page, "confirm-invoice")
    await page.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Retry collection").click()
    dialog = page.get_by_role("dialog", name=f"Collect {invoice['number']} again?")
    await dialog.get_by_role("button", name="Collect €77.70").click()
    await expect(dialog.get_by_text("The payment provider is at it already.")).to_be_visible()
    assert [fault for fault in watch.faults if "405" not in fault] == []
    watch.begin()
    await dialog.get_by_role("button", name="Cancel").click()
    await waits.get_by_role("link", name="Open payment").click()
    await expect(till.main.get_by_text("Processing", exact=True)).to_be_visible()
    await expect(till.main).to_contain_text("To be doneThe customer has to confirm it")
    await looked_at(page, "confirm-payment")
    link = till.main.get_by_role("link", name="Open page")
    (payment,) = (await kit.get(till.shop.client, "/payments"))["payments"]
    assert await link.get_attribute("href") == payment["next_action"]["redirect_to_url"]["url"]
    async with page.context.expect_page() as opening:
        await link.click()
    bank = await opening.value
    await bank.get_by_role("button", name="Confirm").click()
    await expect(bank).to_have_url(re.compile(r"/icon\.svg$"))
    await bank.close()
    await till.settle()
    await page.reload()
    await expect(till.main.get_by_text("Paid", exact=True).first).to_be_visible()
    await expect(till.main.get_by_role("link", name="Open page")).to_have_count(0)
    assert await till.shop.money(invoice) == ("succeeded", 7770, 0)
    assert await till.payments(invoice) == [("succeeded", 7770)]

    refused = await till.sell(880)
    await till.see(refused)
    async with page.context.expect_page() as opening:
        await waits.get_by_role("link", name="Open page").click()
    bank = await opening.value
    await bank.get_by_role("button", name="Refuse").click()
    await expect(bank).to_have_url(re.compile(r"/icon\.svg$"))
    await bank.close()
    await till.settle()
    await page.reload()
    await expect(waits).to_contain_text("We are unable to authenticate your payment method.")
    assert await till.shop.money(refused) == ("failed", 0, 880)
    assert till.taken() == 7770
    assert watch.faults == []


async def test_a_refund_comes_back_and_a_dispute_is_lost(till, page):
    """20.00 of 99.00 do not reach the card and go back otherwise; then the bank takes what was paid."""
    await till.know("ada", GOOD)
    invoice = await till.sell(9900)
    note = await till.shop.pay_back(invoice, 2000)
    await till.settle()
    refund, *_ = till.stripe.all("refund")
    assert (refund["amount"], refund["status"]) == (2000, "succeeded")
    till.stripe.settle_refund(refund["id"], "failed")
    await till.settle()
    watch = Watch(page)
    await page.goto(f"/{till.shop.slug}/customer/ada/credit-note/{note['lago_id']}/overview")
    await expect(till.main.get_by_text("Refund failed", exact=True)).to_be_visible()
    await expect(till.main.get_by_role("alert")).to_contain_text("Stripe did not pay €20.00 back.")
    await expect(till.main).to_contain_text("Lost or stolen card. lost_or_stolen_card")
    await looked_at(page, "refund-failed")
    await till.main.get_by_role("button", name="Mark as paid back").click()
    question = page.get_by_role("alertdialog", name="Mark €20.00 as paid back?")
    await question.get_by_role("button", name="Mark as paid back").click()
    await expect(page.get_by_text("Marked as paid back")).to_be_visible()
    await expect(till.main.get_by_text("Refund paid back", exact=True)).to_be_visible()
    noted = (await kit.get(till.shop.client, f"/credit_notes/{note['lago_id']}"))["credit_note"]
    assert (noted["refund_status"], noted["refund_amount_cents"]) == ("succeeded", 2000)
    assert len(till.stripe.all("refund")) == 1

    (intent,) = [one for one in till.stripe.all("payment_intent") if one["id"] == refund["payment_intent"]]
    till.stripe.dispute(intent["id"])
    await till.settle()
    await till.see(invoice)
    await expect(till.main.get_by_text("Dispute lost", exact=True)).to_be_visible()
    await expect(till.main.locator(".banner")).to_contain_text("The €99.00 that were paid are gone.")
    await looked_at(page, "disputed-invoice")
    (payment,) = (await kit.get(till.shop.client, "/payments"))["payments"]
    await page.goto(f"/{till.shop.slug}/payment/{payment['lago_id']}")
    await expect(till.main.locator(".banner")).to_contain_text(
        f"The dispute about {invoice['number']} was lost"
    )
    await looked_at(page, "disputed-payment")
    await page.goto(f"/{till.shop.slug}/invoices")
    await page.get_by_role("button", name="Disputed", exact=True).click()
    await expect(till.main.get_by_text(invoice["number"])).to_be_visible()
    assert watch.faults == []


async def test_a_customer_pays_in_the_portal_after_a_refusal(till, page):
    """25 credits at 1.00 and an invoice of 50.00: each is refused on Stripe's page first; in German, and in Japanese."""
    await till.know("ada")
    wallet = {
        "external_customer_id": "ada", "name": "Prepaid", "rate_amount": "1", "currency": "EUR",
        "invoice_requires_successful_payment": True,
    }  # fmt: skip
    await kit.post(till.shop.client, "/wallets", {"wallet": wallet})
    link = (await kit.get(till.shop.client, "/customers/ada/portal_url"))["customer"]["portal_url"]
    watch = Watch(page)
    await page.goto(link)
    await page.get_by_role("combobox").select_option("de")
    await page.get_by_role("button", name="Guthaben aufladen").click()
    await page.get_by_label("Wie viele Einheiten").fill("25")
    await expect(page.get_by_role("button", name="Für 25,00 € aufladen")).to_be_enabled()
    await looked_at(page, "portal-top-up")
    await page.get_by_role("button", name="Für 25,00 € aufladen").click()
    await refused_then_paid(till, "Pay 2500 EUR")
    await page.goto(link)
    await expect(page.locator(".credits")).to_have_text("25")
    await expect(till.main.get_by_text("Bezahlt", exact=True)).to_be_visible()
    assert await balance(till) == (2500, "25.0")

    await till.leave("ada", POOR)
    invoice = await till.sell(5000)
    assert await till.shop.money(invoice) == ("failed", 0, 5000)
    await page.goto(f"{link}/invoices")
    await expect(till.main.get_by_text("Zahlung fehlgeschlagen", exact=True)).to_be_visible()
    await looked_at(page, "portal-refused-de")
    await page.get_by_role("combobox").select_option("ja")
    await expect(till.main.get_by_text("お支払い失敗", exact=True)).to_be_visible()
    await page.get_by_role("button", name=f"請求書 {invoice['number']} を支払う").click()
    await refused_then_paid(till, "Pay 5000 EUR")
    await page.goto(f"{link}/invoices")
    await expect(till.main.get_by_text("支払済み", exact=True)).to_have_count(2)
    assert await till.shop.money(invoice) == ("succeeded", 5000, 0)
    assert await balance(till) == (2500, "25.0")
    assert till.taken() == 7500
    # A picture on its own, to which payments lead back, has no icon: a browser complains of that, and of no answer.
    assert [fault for fault in watch.faults if not fault.startswith("console: Failed to load")] == []


async def refused_then_paid(till: Till, asked: str) -> None:
    """On a page of Stripe's: a card that is refused, then one that pays."""
    page = till.page
    await expect(page.get_by_role("heading", name=asked)).to_be_visible()
    await page.get_by_label("Method").select_option(POOR)
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_role("alert")).to_have_text("Your card has insufficient funds.")
    await till.settle()
    await page.get_by_label("Method").select_option(GOOD)
    await page.get_by_role("button", name="Go on").click()
    await till.settle()
    await expect(page).to_have_url(re.compile(r"/icon\.svg$"))


async def balance(till: Till) -> tuple[int, str]:
    """What is in the one wallet."""
    (wallet,) = (await kit.get(till.shop.client, "/wallets"))["wallets"]
    return wallet["balance_cents"], wallet["credits_balance"]


async def test_a_request_for_what_is_overdue_is_refused_and_asked_again(till, page):
    """30.00 and 45.50 by a campaign's request, which is refused; then by one that somebody makes, with another card."""
    await till.know("ada", GOOD, POOR)
    sold = [await till.sell(cents, skip_psp=True) for cents in (3000, 4550)]
    async with till.shop.office() as browser:
        campaign = {
            "name": "Reminders", "code": "reminders", "applied_to_organization": True,
            "thresholds": [{"currency": "EUR", "amount_cents": 100}],
        }  # fmt: skip
        await kit.post(browser, "/dunning_campaigns", {"dunning_campaign": campaign})
    await kit.advance(till.shop.client, "2026-01-02T12:00")
    await till.settle()
    (request,) = (await kit.get(till.shop.client, "/payment_requests"))["payment_requests"]
    assert (request["payment_status"], request["amount_cents"]) == ("failed", 7550)
    watch = Watch(page)
    await till.see(sold[1])
    refused = till.main.locator(".banner")
    await expect(till.main.get_by_text("Overdue", exact=True)).to_be_visible()
    await expect(refused).to_contain_text("Stripe did not collect €75.50: Your card has insufficient funds.")
    await refused.get_by_role("link", name="Open payment").click()
    await expect(page.get_by_role("heading", name="Payment of €75.50")).to_be_visible()
    await expect(till.main).to_contain_text("A request for what was overdue")
    for one in sold:
        await expect(till.main.get_by_role("table", name="Invoices")).to_contain_text(one["number"])
    await looked_at(page, "request-refused")

    await page.goto(f"/{till.shop.slug}/create/payment-request?customer=ada")
    await page.get_by_label("Collected by").click()
    await page.get_by_role("option", name="Visa •••• 4242").click()
    await looked_at(page, "request-again")
    await page.get_by_role("button", name="Request €75.50").click()
    await expect(page.get_by_text("Payment requested")).to_be_visible()
    await till.settle()
    assert [await till.shop.money(one) for one in sold] == [("succeeded", 3000, 0), ("succeeded", 4550, 0)]
    assert await till.payments(sold[0]) == [("failed", 7550), ("succeeded", 7550)]
    assert till.taken() == 7550
    await page.goto(f"/{till.shop.slug}/payments")
    await expect(till.main.get_by_text("Paid", exact=True)).to_be_visible()
    assert watch.faults == []
