"""The web app by keys alone: what has the focus is seen, a layer gives it back to what opened it, and Escape closes one of them."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect
from tests.web.browser import WIDE, come_to_rest
from tests.web.conftest import ADMIN, sign_in
from tests.web.test_every_page import path_of

# The focused element: where nothing of it is in sight, or nothing around it shows that it has the focus, what it is; else null.
UNSEEN = """() => {
    const focused = document.activeElement
    const frame = focused.closest('.input') ?? focused
    const { left, right, top, bottom } = focused.getBoundingClientRect()
    const isRinged = getComputedStyle(focused).outlineStyle !== 'none' || getComputedStyle(frame).boxShadow !== 'none'
    const isShown = [top + 1, (top + bottom) / 2, bottom - 1].some(y => {
        const hit = document.elementFromPoint((left + right) / 2, y)
        return hit && (frame.contains(hit) || hit.contains(focused) || [...focused.labels ?? []].some(one => one.contains(hit)))
    })
    return isRinged && isShown ? null : focused.outerHTML.slice(0, 200)
}"""

# The elements through which Tab has gone are marked; the start of the page and what was there before end the way.
IS_NEW = """() => {
    const focused = document.activeElement
    if (focused === document.body || focused.dataset.passed) return false
    return focused.dataset.passed = 'yes'
}"""


@pytest.fixture
async def office(page: Page, world) -> Page:
    """The page of somebody who has signed in, in a window of the usual size."""
    await page.set_viewport_size(WIDE)
    await sign_in(page, ADMIN)
    return page


async def test_what_tab_comes_to_is_seen_and_shows_that_it_has_the_focus(office, world):
    """A list, an object, and the longest form, whose head and foot stick to the window's edges."""
    for address, least in (
        ("invoices", 25),
        ("customer/{customer}/overview", 25),
        ("update/plan/{plan}", 20),
    ):
        await office.goto(path_of(world, address))
        await come_to_rest(office)
        await office.evaluate("document.activeElement.blur()")
        await office.keyboard.press("Tab")
        passed = 0
        while await office.evaluate(IS_NEW):
            assert await office.evaluate(UNSEEN) is None, address
            passed += 1
            await office.keyboard.press("Tab")
        assert passed >= least, address


async def test_a_layer_gives_the_focus_back_and_escape_closes_the_topmost(office, world):
    await office.goto(path_of(world, "plans"))
    link = office.get_by_role("link", name="Team")
    await link.focus()
    await office.keyboard.press("Control+k")
    await expect(office.get_by_role("dialog").locator(":focus")).to_be_visible()
    await office.keyboard.press("Escape")
    await expect(link).to_be_focused()

    menu = office.get_by_role("button", name="Actions of Team")
    await menu.press("Enter")
    await office.get_by_role("menuitem", name="Delete").press("Enter")
    question = office.get_by_role("alertdialog")
    await expect(question.locator(":focus")).to_be_visible()
    await office.keyboard.press("Escape")
    await expect(menu).to_be_focused()

    await office.goto(path_of(world, "developers/webhooks"))
    await come_to_rest(office)
    opener = office.get_by_role("button", name="New endpoint")
    await opener.press("Enter")
    address = office.get_by_role("dialog").get_by_role("textbox").first
    await expect(address).to_be_focused()
    await address.fill("https://hooks.acme.test/second")
    await office.keyboard.press("Escape")
    await expect(question.locator(":focus")).to_be_visible()
    await office.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await expect(address).to_be_focused()
    await office.keyboard.press("Escape")
    await question.get_by_role("button", name="Discard changes").press("Enter")
    await expect(opener).to_be_focused()


async def test_the_developers_panel_takes_the_focus_and_gives_it_back(office, world):
    await office.goto(path_of(world, "plans"))
    opener = office.get_by_role("link", name="Developers", exact=True)
    await opener.press("Enter")
    panel = office.get_by_role("region", name="Developers")
    await expect(panel).to_be_focused()
    await office.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    await expect(opener).to_be_focused()


async def test_enter_saves_and_a_deleted_row_leaves_the_focus_on_the_page(office, world):
    await office.goto(path_of(world, "settings/sections"))
    await come_to_rest(office)
    await office.get_by_role("button", name="New section").first.press("Enter")
    await office.get_by_label("Name", exact=True).fill("Bank details")
    await office.keyboard.press("Enter")
    menu = office.get_by_role("button", name="Actions for Bank details")
    await menu.press("Enter")
    await office.get_by_role("menuitem", name="Delete").press("Enter")
    await office.get_by_role("button", name="Delete section").press("Enter")
    await expect(menu).to_have_count(0)
    await expect(office.get_by_role("main")).to_be_focused()
    await expect(office.get_by_text("Section deleted")).to_be_visible()
