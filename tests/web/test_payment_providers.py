"""Stripe connected, a customer linked to it, charged and paid back, by clicking (ui §3, §6)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests import kit
from tests.stripe_server import StripeServer, serving
from tests.web.browser import Watch
from tests.web.conftest import Site, served, sign_in
from tests.web.shop import Shop, looked_at, opened


@pytest.fixture(scope="module")
def stripe() -> Iterator[StripeServer]:
    with serving(delivers=True) as server:
        yield server


@pytest.fixture(scope="module")
async def site(
    dist: Path, database_url: str, tmp_path_factory: pytest.TempPathFactory, stripe: StripeServer
) -> AsyncIterator[Site]:
    """A server that speaks to a Stripe of this machine."""
    folder = tmp_path_factory.mktemp("data")
    async with served(database_url, folder, payment_provider_urls={"stripe": stripe.url}) as made:
        yield made


@pytest.fixture
async def shop(site: Site, page: Page, request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    async with opened(site, page, request.node.name) as made:
        yield made


async def test_a_connection_is_made_changed_and_hidden_from_whom_it_does_not_concern(
    site, shop, page, stripe
):
    watch = Watch(page)
    await page.goto(f"/{shop.slug}/settings/integrations")
    await looked_at(page, "provider-cards")
    await page.get_by_role("main").get_by_role("link", name="Stripe", exact=True).click()
    await expect(page.get_by_role("heading", name="No connection yet")).to_be_visible()
    await looked_at(page, "provider-none")
    await page.get_by_role("button", name="Add connection").click()
    drawer = page.get_by_role("dialog", name="Connect Stripe")
    await drawer.get_by_label("Name").fill("Stripe Europe")
    await expect(drawer.get_by_label("Code")).to_have_value("stripe_europe")
    await drawer.get_by_label("Secret key").fill("sk_test_of_somebody_else")
    await drawer.get_by_label("Let customers pay on a page first").check(force=True)
    await looked_at(page, "provider-editor")
    await drawer.get_by_role("button", name="Connect").click()
    await expect(drawer.get_by_text("This is not valid.")).to_be_visible()
    assert [fault for fault in watch.faults if "422" not in fault] == []
    watch.begin()
    await drawer.get_by_label("Secret key").fill(stripe.key)
    await drawer.get_by_role("button", name="Connect").click()
    await expect(page.get_by_text("Stripe connected")).to_be_visible()
    card = page.get_by_role("article").filter(has_text="Stripe Europe")
    await expect(card).to_contain_text(f"{site.url}/webhooks/stripe/{shop.tenant.id}?code=stripe_europe")
    await expect(card).to_contain_text("…mark")
    await expect(card).to_contain_text("10 minutes after the invoice")
    await looked_at(page, "provider")

    await page.get_by_role("button", name="Actions of Stripe Europe").click()
    await page.get_by_role("menuitem", name="Edit connection").click()
    drawer = page.get_by_role("dialog", name="Edit Stripe Europe")
    await expect(drawer.get_by_label("Secret key")).to_be_disabled()
    await drawer.get_by_label("3-D Secure").check(force=True)
    await drawer.get_by_role("button", name="Save connection").click()
    await expect(page.get_by_text("Connection saved")).to_be_visible()
    await expect(card).to_contain_text("Customers confirm where it is asked for")
    await shop.invite_onlooker("lou@paid.test")
    lous = await (await page.context.browser.new_context(base_url=site.url)).new_page()
    await sign_in(lous, "lou@paid.test")
    await lous.goto(f"/{shop.slug}/settings/integrations/payment/stripe")
    await expect(lous.get_by_role("article").filter(has_text="Stripe Europe")).to_contain_text("…mark")
    await expect(lous.get_by_role("main").get_by_role("button").filter(has_text="Add")).to_have_count(0)
    await expect(lous.get_by_role("button", name="Actions of Stripe Europe")).to_have_count(0)
    await lous.goto(f"/{shop.slug}/settings/integrations/payment/stripe?dialog=new")
    await expect(lous.get_by_role("article").filter(has_text="Stripe Europe")).to_be_visible()
    await expect(lous.get_by_role("dialog")).to_have_count(0)
    await lous.context.close()

    await page.get_by_role("button", name="Actions of Stripe Europe").click()
    await page.get_by_role("menuitem", name="Delete connection").click()
    question = page.get_by_role("alertdialog", name="Delete the connection “Stripe Europe”?")
    await expect(question).to_contain_text("No customer is linked to it.")
    await question.get_by_role("button", name="Delete connection").click()
    await expect(page.get_by_role("heading", name="No connection yet")).to_be_visible()
    assert watch.faults == []


async def test_a_customer_is_linked_charged_and_paid_back(site, shop, page, stripe):
    """99.00 by a card that is left on a page of Stripe's, of which 20.00 go back; 50.00 on a page that the portal leads to."""
    await shop.connect(kind="stripe", name="Stripe Europe", code="stripe_europe", secret_key=stripe.key)
    setup = {"name": "Setup", "code": "setup", "amount_cents": 9900, "amount_currency": "EUR"}
    await kit.post(shop.client, "/add_ons", {"add_on": setup})
    watch = Watch(page)
    await page.goto(f"/{shop.slug}/update/customer/ada")
    await page.get_by_label("Account", exact=True).click()
    await page.get_by_role("option", name="Stripe Europe").click()
    await page.get_by_role("button", name="Bacs direct debit").click()
    await page.get_by_role("button", name="Bacs direct debit").scroll_into_view_if_needed()
    await looked_at(page, "provider-customer-form")
    await page.get_by_role("button", name="Bacs direct debit").click()
    await page.get_by_role("button", name="Save customer").click()
    await expect(page.get_by_text("Customer saved")).to_be_visible()
    customer = (await kit.get(shop.client, "/customers/ada"))["customer"]["billing_configuration"]
    assert customer["provider_payment_methods"] == ["card"]
    known = customer["provider_customer_id"]
    assert known.startswith("cus_")

    await page.goto(f"/{shop.slug}/customer/ada/information")
    await expect(page.get_by_role("button", name=f"Copy ID at the provider {known}")).to_be_visible()
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("button", name="Make link").click()
    await looked_at(page, "provider-link")
    async with page.context.expect_page() as opened:
        await page.get_by_role("link", name="Open page").click()
    checkout = await opened.value
    await checkout.get_by_label("Method").select_option("pm_card_visa")
    await checkout.get_by_role("button", name="Go on").click()
    await asyncio.to_thread(stripe.flush)
    await checkout.close()
    await page.goto(f"/{shop.slug}/customer/ada/information")
    methods = page.get_by_role("list", name="Payment methods")
    await expect(methods).to_contain_text("Visa •••• 4242")
    await expect(methods).to_contain_text("expires 08/2032")
    await looked_at(page, "provider-information")

    await page.goto(f"/{shop.slug}/create/invoice?customer=ada")
    await page.get_by_role("button", name="Add-on").click()
    await page.get_by_role("option", name="Setup").click()
    await page.get_by_label("Paid by").click()
    await page.get_by_role("option", name="Visa •••• 4242").last.click()
    await page.get_by_label("Do not collect it").scroll_into_view_if_needed()
    await looked_at(page, "provider-invoice-form")
    await page.get_by_role("button", name="Issue invoice").click()
    await expect(page.get_by_text(re.compile("Invoice .* issued"))).to_be_visible()
    await asyncio.to_thread(stripe.flush)
    (listed,) = (await kit.get(shop.client, "/invoices"))["invoices"]
    invoice = (await kit.get(shop.client, f"/invoices/{listed['lago_id']}"))["invoice"]
    assert (invoice["payment_status"], invoice["total_paid_amount_cents"]) == ("succeeded", 9900)
    (payment,) = (await kit.get(shop.client, "/payments"))["payments"]
    await page.goto(f"/{shop.slug}/payment/{payment['lago_id']}")
    await expect(page.get_by_role("main")).to_contain_text("Visa •••• 4242, 08/2032")
    await expect(page.get_by_role("main")).to_contain_text("Stripe, Stripe Europe")
    await looked_at(page, "provider-payment")

    note = await shop.pay_back(invoice, 2000)
    await asyncio.to_thread(stripe.flush)
    await page.goto(f"/{shop.slug}/customer/ada/credit-note/{note['lago_id']}/overview")
    await expect(page.get_by_role("main")).to_contain_text("Refund paid back")
    await looked_at(page, "provider-refund")

    # What is left to the customer is paid by a link: 50.00, on the page that the portal leads to.
    await shop.sell(5000, "EUR", skip_psp=True)
    link = (await kit.get(shop.client, "/customers/ada/portal_url"))["customer"]["portal_url"]
    await page.goto(f"{link}/invoices")
    await looked_at(page, "provider-portal")
    assert watch.faults == []
    await page.get_by_role("button", name=re.compile("^Pay invoice")).click()
    await expect(page.get_by_role("heading", name=re.compile("Pay 5000 EUR"))).to_be_visible()
    await page.get_by_role("button", name="Go on").click()
    await asyncio.to_thread(stripe.flush)
    paid = (await kit.get(shop.client, "/invoices"))["invoices"]
    assert [one["payment_status"] for one in paid] == ["succeeded", "succeeded"]
    await expect(page).to_have_url(re.compile(r"/icon\.svg$"))
