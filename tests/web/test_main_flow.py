"""From nothing to a bill by clicking, and what it comes to (ui §3, §4, §5)."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect
from tests import kit
from tests.web.browser import Watch
from tests.web.conftest import sign_in


class Form:
    """A full-screen form: fields by their labels, what it is saved by at its foot."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def fill(self, **fields: str) -> None:
        """Fields by their labels, spaces as underscores."""
        for label, value in fields.items():
            named = re.compile(f"^{label.replace('_', ' ')}( ?optional)?$", re.IGNORECASE)
            await self.page.get_by_label(named).first.fill(value)

    async def choose(self, label: str, choice: str) -> None:
        """One of a list that opens."""
        await self.page.get_by_label(label, exact=True).first.click()
        await self.page.get_by_role("option", name=choice).first.click()

    async def save(self, verb: str, said: str) -> None:
        await self.page.get_by_role("button", name=verb, exact=True).click()
        await expect(self.page.get_by_text(said, exact=True).first).to_be_visible()


async def test_a_metric_a_plan_a_customer_and_a_bill(site, page):
    """January 2026 of a plan of 30.00 in arrears with 0.25 for each request: 8 requests are 2.00, the bill is 32.00."""
    tenant = await site.make_organization("Clicked", "2026-01-01T00:00:00Z")
    slug = await tenant.add_admin("ann@clicked.test")
    await sign_in(page, "ann@clicked.test")
    watch, form = Watch(page), Form(page)

    await page.goto(f"/{slug}/create/billable-metric")
    await form.fill(Name="API requests")
    await form.choose("Aggregation", "Count")
    await form.save("Create metric", "Metric created")

    await page.goto(f"/{slug}/create/plan")
    await form.fill(Name="Starter", Amount="30")
    await form.choose("Paid", "In arrears")
    await form.choose("Add a usage charge", "API requests")
    await form.fill(Price_per_unit="0.25")
    await form.save("Create plan", "Plan created")

    await page.goto(f"/{slug}/create/customer")
    await form.fill(External_ID="acme", Name="Acme")
    await form.save("Create customer", "Customer created")

    await page.goto(f"/{slug}/create/subscription")
    await form.choose("Customer", "Acme")
    await form.choose("Plan", "Starter")
    await form.save("Create subscription", "Subscription created")

    await page.goto(f"/{slug}/developers/api-keys")
    await page.get_by_role("button", name="New API key").first.click()
    await page.get_by_role("dialog").get_by_label("Name").fill("Meter")
    await page.get_by_role("dialog").get_by_role("button", name="Create API key").click()
    key = page.get_by_role("button", name=re.compile("^Copy API key "))
    value = (await key.get_attribute("aria-label") or "").removeprefix("Copy API key ")
    async with site.api(value) as client:
        to, of = {"external_id": "acme_starter"}, {"code": "api_requests"}
        await kit.send(client, to, of, *range(8), timestamp=kit.epoch("2026-01-15"))

    await page.goto(f"/{slug}/invoices")
    # A period is billed when its last events have had the time to settle.
    for step, then in (("+1 month", "1 Feb 2026"), ("+1 day", "2 Feb 2026")):
        await page.get_by_role("button", name=step).click()
        await expect(page.get_by_text(f"It is {then}").first).to_be_visible()
    async with site.api(value) as client:
        (bill,) = (await kit.get(client, "/invoices"))["invoices"]
    assert bill["total_amount_cents"] == 3200
    await expect(page.get_by_text(bill["number"]).first).to_be_visible()

    await page.goto(f"/{slug}/customer/acme/invoice/{bill['lago_id']}/overview")
    lines = page.get_by_role("table", name="Lines")
    await lines.get_by_role("button", name="€2.00").click()
    panel = page.get_by_role("complementary", name="Why €2.00?")
    await expect(panel).to_contain_text("€2.00")
    await expect(panel).to_contain_text("8")
    await expect(page.get_by_text("€32.00").first).to_be_visible()

    async with page.context.expect_page() as opened:
        await page.get_by_role("button", name="Download PDF").click()
    await (await opened.value).close()
    async with site.api(value) as client:
        invoice = (await kit.post(client, f"/invoices/{bill['lago_id']}/download", None))["invoice"]
        document = await client.get(invoice["file_url"])
    assert document.content.startswith(b"%PDF")
    assert watch.faults == []
