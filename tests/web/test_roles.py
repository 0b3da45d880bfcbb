"""What somebody may not do, the app does not show (platform §6)."""

from __future__ import annotations

import pytest
from playwright.async_api import expect
from tests.web.conftest import ADMIN, sign_in

FORBIDDEN = "Your role does not show this"


@pytest.mark.parametrize(
    ("area", "label"),
    [("billable-metrics", "Billable metrics"), ("developers/api-keys", "Developers")],
)
async def test_who_keeps_the_books_sees_no_metrics_and_no_keys(site, world, page, area, label):
    await world.tenant.invite(f"fay-{area[:3]}@cloudy.test", "finance", by=ADMIN)
    await sign_in(page, f"fay-{area[:3]}@cloudy.test")
    navigation = page.get_by_role("navigation", name="Main")
    await expect(navigation.get_by_role("link", name="Invoices")).to_be_visible()
    await expect(navigation.get_by_role("link", name=label)).to_have_count(0)

    await page.goto(f"/{world.slug}/{area}")
    await expect(page.get_by_role("heading", name=FORBIDDEN).first).to_be_visible()
