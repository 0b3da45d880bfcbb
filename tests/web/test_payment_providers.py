"""Stripe connected, a customer linked to it, charged and paid back, by clicking (ui §3, §6)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from tests import kit
from tests.stripe_server import StripeServer, serving
from tests.web.browser import Watch, breaches_of_wcag, come_to_rest, photograph
from tests.web.conftest import Site, Tenant, served, sign_in

ADMIN = "ada@paid.test"


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


@dataclass
class Shop:
    """An organization of January 2026, and where its pages are."""

    tenant: Tenant
    slug: str


@pytest.fixture(scope="module")
async def shop(site: Site) -> Shop:
    """A shop with one customer, Ada."""
    made = await site.make_organization("Paid", "2026-01-01T00:00:00Z")
    slug = await made.add_admin(ADMIN)
    async with site.api(made.api_key) as client:
        await kit.customer(
            client, external_id="ada", name="Ada", currency="EUR", email="ada@ada.test", country="DE"
        )
    return Shop(made, slug)


async def looked_at(page: Page, name: str) -> None:
    """A page as it stands: everybody can use it, and there are pictures of it."""
    await come_to_rest(page)
    assert await breaches_of_wcag(page) == []
    await photograph(page, name)


async def test_a_connection_is_made_changed_and_hidden_from_whom_it_does_not_concern(
    site, shop, page, stripe
):
    watch = Watch(page)
    await sign_in(page, ADMIN)
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
    await page.goto(f"/{shop.slug}/create/customer")
    await looked_at(page, "provider-customer-none")
    await page.get_by_role("combobox", name="Account").click()
    await page.get_by_role("option", name="Stripe Europe").click()
    await page.get_by_role("button", name="Exists already").click()
    await page.get_by_label("ID at Stripe").scroll_into_view_if_needed()
    await looked_at(page, "provider-customer-form")
    await page.goto(f"/{shop.slug}/customer/ada/information")
    await looked_at(page, "provider-information")
    await page.goto(f"/{shop.slug}/customers")
    await looked_at(page, "provider-customers")
