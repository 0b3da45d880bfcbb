"""The door: the first user's link, signing out and in."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.async_api import expect
from tests.web.browser import Watch, photograph
from tests.web.conftest import PASSWORD, sign_in

from tallymark.rooms.organizations.census import create_first_organization
from tallymark.rooms.users import service


async def test_the_first_user_comes_in_by_the_link_and_then_by_the_door(site, page):
    async with site.application.database.system() as connection:
        await create_first_organization(connection, now=datetime.now(UTC))
        token = await service.open_welcome(connection)
    watch = Watch(page)

    await page.goto(f"/welcome/{token}")
    await photograph(page, "welcome")
    await page.get_by_label("E-mail").fill("first@acme.test")
    await page.get_by_label("Password", exact=True).fill("short")
    begin = page.get_by_role("button", name="Begin")
    await expect(begin).to_be_disabled()
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await begin.click()
    navigation = page.get_by_role("navigation", name="Main")
    await expect(navigation.get_by_role("link", name="Customers")).to_be_visible()

    await navigation.get_by_role("button", name="first@acme.test").click()
    await page.get_by_role("menuitem", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await photograph(page, "sign-in")
    await page.goto("/")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    # A page that asks who is there is told that nobody is: the browser writes that to its console.
    assert [fault for fault in watch.faults if "401" not in fault] == []

    await page.get_by_label("E-mail").fill("first@acme.test")
    await page.get_by_label("Password").fill("Wrong-Horse-1")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_text("This address and password do not go together.")).to_be_visible()
    await expect(navigation).to_be_hidden()
    await sign_in(page, "first@acme.test")

    await page.goto(f"/welcome/{token}")
    await expect(page.get_by_role("heading", name="This link has been used")).to_be_visible()
