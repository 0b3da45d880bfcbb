"""The customer portal by its link (ui §8)."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from tests import kit
from tests.web.browser import DATA, Watch, breaches_of_wcag, come_to_rest, photograph, refusing


@pytest.fixture
async def client(site, world):
    async with site.api(world.tenant.api_key) as client:
        yield client


@pytest.fixture
async def link(client):
    found: str = (await kit.get(client, "/customers/ada/portal_url"))["customer"]["portal_url"]
    return found


async def test_shows_invoices_and_takes_new_details(page, client, world, link):
    watch = Watch(page)
    await page.goto(link)
    await come_to_rest(page)
    assert len(watch.asked) <= 2, watch.asked
    assert await breaches_of_wcag(page) == []
    await photograph(page, "portal")

    await page.get_by_role("link", name="Invoices", exact=True).click()
    await expect(page.get_by_role("heading", name="Invoices", level=1)).to_be_visible()
    await expect(page.get_by_text(world.invoice["number"])).to_be_visible()
    await come_to_rest(page)
    assert await breaches_of_wcag(page) == []
    await photograph(page, "portal-invoices")

    await page.get_by_role("link", name="Billing details").click()
    city = page.get_by_label("City").first
    await city.fill("Turku")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="Save")).to_be_disabled()
    await come_to_rest(page)
    assert await breaches_of_wcag(page) == []
    await photograph(page, "portal-details")
    assert (await kit.get(client, "/customers/ada"))["customer"]["city"] == "Turku"
    assert watch.faults == []


async def test_is_shut_to_a_link_that_was_tampered_with(page, link):
    end = "A" if link[-1] != "A" else "B"
    await page.goto(link[:-6] + end * 6)
    await expect(page.get_by_role("heading", name="This link is over")).to_be_visible()
    await expect(page.get_by_role("navigation")).to_have_count(0)


async def test_says_what_failed_and_asks_again(page, link):
    """All of it fails; then who it is of is known and each card fails by itself; then all is well."""
    for address, cards in (("", 3), ("/invoices", 1), ("/details", 0)):
        await page.route(DATA, refusing())
        await page.goto(link + address)
        alert = page.get_by_role("alert")
        await expect(alert.get_by_role("heading", level=1)).to_be_visible()
        assert await breaches_of_wcag(page) == []
        await page.unroute_all()
        await page.route(DATA, refusing(r"(?<!/me)$"))
        await alert.get_by_role("button").click()
        await expect(page.get_by_role("navigation")).to_be_visible()
        await expect(alert).to_have_count(cards)
        await expect(page.locator("[aria-busy=true]")).to_have_count(0)
        assert await breaches_of_wcag(page) == []
        await page.unroute_all()
        for _ in range(cards):
            await alert.first.get_by_role("button").click()
            cards -= 1
            await expect(alert).to_have_count(cards)
