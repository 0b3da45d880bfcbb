"""What a browser loads of scripts before the first page of an organization is there (ui §10)."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.async_api import expect
from tests.web.browser import come_to_rest
from tests.web.conftest import ADMIN, sign_in

MOST_BYTES = 250_000


async def test_the_door_and_the_customers_weigh_little(dist, world, page):
    scripts: set[str] = set()
    page.on("request", lambda request: scripts.add(urlsplit(request.url).path))
    await sign_in(page, ADMIN)
    await come_to_rest(page)
    # Landing shows the reports; the scripts that they alone need are no part of this way.
    scripts.clear()
    await page.goto("/sign-in")
    await page.goto(f"/{world.slug}/customers")
    await expect(page.get_by_role("link", name="Ada").or_(page.get_by_text("Ada")).first).to_be_visible()
    await come_to_rest(page)
    zipped = [dist / f"{path.removeprefix('/')}.gz" for path in scripts if path.endswith(".js")]
    assert zipped
    assert sum(file.stat().st_size for file in zipped) < MOST_BYTES
