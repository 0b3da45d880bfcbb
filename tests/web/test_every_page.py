"""Every page of the app: nothing goes wrong on it, it asks little of the server, and everybody can use it (ui §1, §10)."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Locator, ViewportSize, expect
from tests import kit
from tests.web.browser import DATA, WIDE, Watch, breaches_of_wcag, come_to_rest, photographed, refusing, show
from tests.web.conftest import ADMIN, PASSWORD, sign_in

# What lies below a form's foot can be scrolled out from there: it is judged on a phone as long as the page.
LONG: ViewportSize = {"width": 360, "height": 4000}

# A small laptop, on which nothing folds and no column is left out, and the largest screens.
SMALL: ViewportSize = {"width": 1100, "height": 800}
LAPTOP: ViewportSize = {"width": 1280, "height": 800}
HUGE: ViewportSize = {"width": 3840, "height": 2160}

# By how much a page is wider than its window, which then scrolls sideways.
OVERHANG = "Math.max(0, document.documentElement.scrollWidth - innerWidth)"

# What is named and cannot be read to its end: labels are short, and what people name may be long.
CUT = """() => [...document.querySelectorAll('th, h1, h2, h3, dt, .btn, .tag, .stat .k')]
    .filter(one => one.checkVisibility() && getComputedStyle(one).overflow === 'hidden' && one.scrollWidth > one.clientWidth)
    .map(one => `cut: ${one.innerText}`)"""

# What can be done with a row and has no place that a finger finds.
OUT_OF_REACH = """() => [...document.querySelectorAll('td.acts button')]
    .filter(one => Math.min(one.offsetWidth, one.offsetHeight) < 44)
    .map(one => `out of reach: ${one.ariaLabel}`)"""

# What a page says that has nothing to show; one of several answers that come together is no failed request.
AT_A_LOSS = re.compile("There is no such page|not found$|could not be loaded$|Your role does not show this")

# Questions for data that a page may ask of the server when somebody comes to its address.
MOST_QUESTIONS = 2

# Pages of forms that ask for nothing, and one on which only the names of the navigation are missing.
SILENT = {"metric-form", "feature-form", "account"}

# To an address without a load of the whole app, and what is shown there once it tells what failed, or has nothing to tell.
SHOWN_AT = """async ([path, isSilent]) => {
    const rendered = new Promise(done => {
        const stop = __TSR_ROUTER__.subscribe('onRendered', () => { stop(); done() })
    })
    await __TSR_ROUTER__.navigate({ href: path })
    await rendered
    const isBusy = () => document.querySelector('[aria-busy=true], .sk') !== null
    const page = () => document.querySelector('main, form.form-page')
    const alerts = () => [...page().querySelectorAll('[role=alert]')].filter(one => one.checkVisibility())
    for (let turn = 0; turn < 500 && (isBusy() || (!isSilent && alerts().length === 0)); turn++)
        await new Promise(resume => setTimeout(resume, 10))
    return {
        isBusy: isBusy(),
        text: page().innerText,
        alerts: alerts().map(one => [one.innerText, one.querySelectorAll('button').length]),
    }
}"""

# What is no sentence: an exception, or what became of a value that is not there.
RAW = re.compile(r"\b\w*(Error|Exception)\b|\bundefined\b|\bNaN\b|\[object|HTTP \d")

# Below the organization's slug; names in braces are of the world that the page is shown of.
PAGES = {
    "analytics": "analytics/overview",
    "clock": "clock",
    "analytics-revenue": "analytics/revenue",
    "analytics-mrr": "analytics/mrr?by=weekly",
    "analytics-usage": "analytics/usage",
    "analytics-prepaid": "analytics/prepaid",
    "receivables": "analytics/receivables",
    "api-keys": "developers/api-keys",
    "webhooks": "developers/webhooks",
    "events": "developers/events",
    "unmatched": "developers/unmatched",
    "api-logs": "developers/logs",
    "activity-logs": "developers/activity",
    "security-logs": "developers/security",
    "metrics": "billable-metrics",
    "metric": "billable-metric/{metric}/overview",
    "metric-form": "create/billable-metric",
    "plans": "plans",
    "plan": "plan/{plan}/overview",
    "plan-editor": "update/plan/{plan}",
    "features": "features",
    "feature": "feature/{feature}/overview",
    "feature-activity": "feature/{feature}/activity",
    "feature-form": "create/feature",
    "add-ons": "add-ons",
    "add-on": "add-on/{add_on}/overview",
    "add-on-form": "create/add-on",
    "coupons": "coupons",
    "coupon": "coupon/{coupon}/overview",
    "coupon-form": "create/coupon",
    "customers": "customers",
    "customer": "customer/{customer}/overview",
    "customer-usage": "customer/{customer}/usage",
    "customer-credit-notes": "customer/{customer}/credit-notes",
    "customer-information": "customer/{customer}/information",
    "customer-settings": "customer/{customer}/settings",
    "customer-form": "create/customer",
    "subscriptions": "subscriptions",
    "subscription": "customer/{customer}/subscription/{subscription}/overview",
    "subscription-plan": "customer/{customer}/subscription/{subscription}/plan",
    "subscription-form": "create/subscription",
    "subscription-update": "update/subscription/{subscription}",
    "plan-change": "change/subscription/{subscription}",
    "invoices": "invoices",
    "invoice": "customer/{customer}/invoice/{invoice}/overview",
    "draft": "customer/{drafted}/invoice/{draft}/overview",
    "invoice-void": "void/invoice/{invoice}",
    "invoice-form": "create/invoice",
    "payments": "payments",
    "payment": "payment/{payment}",
    "payment-form": "create/payment?invoice={invoice}",
    "payment-request": "create/payment-request?customer={customer}",
    "credit-notes": "credit-notes",
    "credit-note-form": "create/credit-note?invoice={invoice}",
    "wallet": "customer/{customer}/wallet/{wallet}/overview",
    "wallet-form": "create/wallet?customer={customer}",
    "top-up": "top-up/wallet/{wallet}?customer={customer}",
    "settings": "settings/organization",
    "members": "settings/members",
    "invitations": "settings/invitations",
    "roles": "settings/roles",
    "authentication": "settings/authentication",
    "integrations": "settings/integrations",
    "european-vat": "settings/integrations/european-vat",
    "payment-provider": "settings/integrations/payment/gocardless",
    "entities": "settings/entities",
    "entity": "settings/entities/cloudy/general",
    "entity-emails": "settings/entities/cloudy/emails",
    "entity-invoicing": "settings/entities/cloudy/invoicing",
    "taxes": "settings/taxes",
    "sections": "settings/sections",
    "dunning": "settings/dunning",
    "pricing-units": "settings/pricing-units",
    "account": "settings/account",
}

# Pages of the same kinds, at which only what fails is looked.
OTHERS = {
    "limits": "settings/limits",
    "entity-sections": "settings/entities/cloudy/sections",
    "entity-dunning": "settings/entities/cloudy/dunning",
    "entity-taxes": "settings/entities/cloudy/taxes",
    "endpoint": "developers/webhooks/nothing",
    "plan-form": "create/plan",
    "customer-update": "update/customer/{customer}",
    "wallet-update": "update/wallet/{wallet}?customer={customer}",
    "regenerate": "regenerate/invoice/{invoice}",
    "credit-note": "customer/{customer}/credit-note/nothing/overview",
}


def path_of(world, address: str) -> str:
    """An address with the world's objects in it."""
    names = {
        "metric": world.metric["code"], "plan": world.plan["code"], "feature": world.feature["code"],
        "add_on": world.add_on["code"], "coupon": world.coupon["code"],
        "customer": world.customers[0]["external_id"], "drafted": world.customers[1]["external_id"],
        "subscription": world.subscriptions[0]["external_id"], "wallet": world.wallet["lago_id"],
        "invoice": world.invoice["lago_id"], "payment": world.payment["lago_id"], "draft": world.draft["lago_id"],
    }  # fmt: skip
    return f"/{world.slug}/{address.format(**names)}"


@pytest.fixture(scope="module")
async def state(chromium, site, world) -> dict:
    """The cookies of an admin who came in by the door, once for all pages."""
    context = await chromium.new_context(base_url=site.url)
    await sign_in(await context.new_page(), ADMIN)
    kept = await context.storage_state()
    await context.close()
    return kept


@pytest.fixture(scope="module")
async def window(chromium, site, state):
    """One window for all pages, so that scripts are compiled once."""
    context = await chromium.new_context(
        base_url=site.url, storage_state=state, viewport=WIDE, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(15_000)
    page = await context.new_page()
    yield page, Watch(page)
    await context.close()


@pytest.mark.parametrize("name", PAGES)
async def test_is_sound_in_light_and_dark_and_on_phones(window, world, name):
    page, watch = window
    watch.begin()
    await page.set_viewport_size(WIDE)
    await page.goto(path_of(world, PAGES[name]))
    await come_to_rest(page)
    assert await page.locator("main, form.form-page").count() == 1
    assert await page.get_by_role("heading", name=AT_A_LOSS).all_inner_texts() == []
    questions = list(watch.asked)
    found = {}
    async for look in photographed(page, name):
        told = await page.evaluate(CUT)
        if look == "phone":
            told += await page.evaluate(OUT_OF_REACH)
            await show(page, "light", LONG)
        if told := [*told, *await breaches_of_wcag(page)]:
            found[look] = told
        headings = await page.locator("h1:visible").all_inner_texts()
        if len(headings) != 1:
            found.setdefault(look, []).append(f"headings of the first level: {headings}")
        if overhang := await page.evaluate(OVERHANG):
            found.setdefault(look, []).append(f"wider than the window by {overhang} px")
    for size in (SMALL, LAPTOP, HUGE):
        await page.set_viewport_size(size)
        if overhang := await page.evaluate(OVERHANG):
            found[str(size["width"])] = [f"wider than the window by {overhang} px"]
    assert watch.faults == []
    assert found == {}
    assert len(questions) <= MOST_QUESTIONS, questions


async def test_a_table_of_ten_thousand_rows_draws_and_asks_for_those_in_sight(window, site, world):
    """All events on one page: some dozens are drawn, and of 51 stretches those are asked for that are scrolled to."""
    async with site.api(world.tenant.api_key) as client:
        at = kit.epoch("2026-02-01T13:00")
        await kit.send(client, world.subscriptions[0], world.metric, *range(10_000), timestamp=at)
        count = (await kit.get(client, "/events", per_page=1))["meta"]["total_count"]
    assert count > 10_000
    page, watch = window
    watch.begin()
    await page.set_viewport_size(WIDE)
    await page.goto(path_of(world, "developers/events?per_page=all"))
    await come_to_rest(page)
    table = page.get_by_role("table", name="Events")
    drawn = table.locator("tbody tr:not(.row-gap)")
    assert await table.get_attribute("aria-rowcount") == str(count + 1)
    assert 20 < await drawn.count() < 100
    for share, row in ((0.5, f"tr[aria-rowindex='{count // 2}']"), (1, f"tr[aria-rowindex='{count + 1}']")):
        await page.evaluate("share => scrollTo(0, document.documentElement.scrollHeight * share)", share)
        await expect(table.locator(row)).to_be_in_viewport()
        await expect(table.locator(".sk")).to_have_count(0)
        assert await drawn.count() < 100
    assert len(watch.asked) <= 6, watch.asked
    assert watch.faults == []


async def test_the_developers_panel_stands_over_any_page_and_its_link_reopens_it(
    chromium, site, state, world
):
    """Opened by the navigation, made higher by keys, narrowed and looked into, linked to, closed; the page below stays."""
    context = await chromium.new_context(
        base_url=site.url,
        storage_state=state,
        viewport=WIDE,
        permissions=["clipboard-read", "clipboard-write"],
    )
    page = await context.new_page()
    watch = Watch(page)
    await page.goto(path_of(world, "plans"))
    await come_to_rest(page)
    await page.get_by_role("link", name="Developers", exact=True).click()
    panel = page.get_by_role("region", name="Developers")
    # The event of no metric, which others may have buried below thousands.
    await panel.get_by_role("link", name="Unmatched", exact=True).click()
    await panel.get_by_role("link", name="nothing").click()
    grip = panel.get_by_role("separator", name="Height of the panel")
    await grip.press("ArrowUp")
    assert await grip.get_attribute("aria-valuenow") == "50"
    await panel.get_by_role("table", name="Events").get_by_role("button", name="nothing").click()
    detail = panel.get_by_role("complementary", name="nothing")
    await expect(detail.get_by_text("No billable metric has the code")).to_be_visible()
    # From where it came: the test's own client.
    await expect(detail.get_by_role("button", name="Copy IP address 127.0.0.1")).to_be_visible()
    await expect(detail.get_by_text("python-httpx/")).to_be_visible()
    await come_to_rest(page)
    assert await breaches_of_wcag(page) == []
    await panel.get_by_role("button", name="Copy link").click()
    link = await page.evaluate("navigator.clipboard.readText()")
    assert f"/{world.slug}/plans?devtool=events" in link
    await page.keyboard.press("Escape")
    await expect(detail).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    await page.goto(link)
    await expect(page).to_have_url(re.compile("/plans$"))
    await expect(detail.get_by_text("No billable metric has the code")).to_be_visible()
    await expect(page.get_by_role("heading", name="Plans", level=1)).to_be_visible()
    await panel.get_by_role("button", name="Show on the whole page").click()
    await expect(page).to_have_url(re.compile(r"/developers/events\?.*open="))
    await expect(panel).to_have_count(0)
    # Of an event of no metric the server knows none, and says so.
    assert [one for one in watch.faults if "404" not in one] == []
    await context.close()


async def test_an_address_without_the_organization_leads_into_it(window, world):
    page, _ = window
    await page.goto("/customer/ada/overview?why=total")
    await expect(page).to_have_url(re.compile(r"/[^/]+/customer/ada/overview\?why=total$"))
    await expect(page.get_by_role("heading", name="Ada", level=1)).to_be_visible()


async def test_whoever_is_signed_out_comes_back_to_the_same_page(chromium, site, state, world):
    context = await chromium.new_context(base_url=site.url, storage_state=state, viewport=WIDE)
    page = await context.new_page()
    await page.goto(path_of(world, "plans"))
    await expect(page.get_by_role("link", name="Team")).to_be_visible()
    await context.clear_cookies()
    await page.get_by_role("link", name="Coupons", exact=True).click()
    await expect(page).to_have_url(re.compile(r"/sign-in\?back="))
    await page.get_by_label("E-mail").fill(ADMIN)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("heading", name="Coupons", level=1)).to_be_visible()
    await context.close()


async def test_what_lies_above_a_page_opens_by_its_link_and_closes_by_the_way_back(window, site, world):
    """A proof, a drawer and a question that ends a wallet; a link to the question asks, and does nothing by itself."""
    page, watch = window
    watch.begin()
    await page.set_viewport_size(WIDE)

    async def leads_back_and_again(opened: Locator, named: str) -> None:
        """What is open now is in the address: the way back closes it, and its link opens it."""
        await expect(opened).to_be_visible()
        link = page.url
        assert named in link
        await page.go_back()
        await expect(opened).to_have_count(0)
        assert named not in page.url
        await page.goto(link)
        await expect(opened).to_be_visible()

    await page.goto(path_of(world, PAGES["customer-usage"]))
    # How much it is depends on the events of tests before.
    usage = page.get_by_role("table", name="Usage by charge")
    amount = usage.get_by_role("button", name=re.compile(r"^€\d")).first
    proof = page.get_by_role("complementary", name=f"Why {await amount.inner_text()}?")
    await amount.click()
    await leads_back_and_again(proof, "why=")

    await page.goto(path_of(world, PAGES["draft"]))
    await page.get_by_role("button", name="Actions of Storage").click()
    await page.get_by_role("menuitem", name="Adjust fee").click()
    await leads_back_and_again(page.get_by_role("dialog", name="Adjust Storage"), "dialog=adjust-fee")

    await page.goto(path_of(world, PAGES["wallet"]))
    await page.get_by_role("button", name="More for this wallet").click()
    await page.get_by_role("menuitem", name="Terminate wallet").click()
    asks = page.get_by_role("alertdialog", name="Terminate the wallet “Prepaid”?")
    await leads_back_and_again(asks, "dialog=terminate")
    await come_to_rest(page)
    assert await breaches_of_wcag(page) == []
    await asks.get_by_role("button", name="Keep it").click()
    await expect(asks).to_have_count(0)
    assert "dialog=" not in page.url

    # What is opened and closed on a page leaves nothing between it and the page before.
    await page.goto(path_of(world, PAGES["customer-usage"]))
    await page.goto(path_of(world, PAGES["events"]))
    await page.get_by_role("table", name="Events").get_by_role("button").first.click()
    detail = page.locator(".dev-detail")
    await expect(detail).to_be_visible()
    await detail.get_by_role("button", name="Close details").click()
    await expect(detail).to_have_count(0)
    while await page.evaluate("history.state.above"):
        await asyncio.sleep(0.01)  # browsers take their time to step back
    await page.go_back()
    await expect(page).to_have_url(re.compile("/usage$"))
    async with site.api(world.tenant.api_key) as client:
        wallet = (await kit.get(client, f"/wallets/{world.wallet['lago_id']}"))["wallet"]
    assert wallet["status"] == "active"
    assert watch.faults == []


async def test_a_report_whose_reading_fails_says_so_where_it_stands(window, world):
    """One answer is a refusal: its section says so and asks again, the others stand, and so does what narrows the report."""
    page, _ = window
    await page.set_viewport_size(WIDE)
    for address, read, failed, stands in (
        ("analytics/overview", "/analytics/mrr_movements", "Monthly recurring revenue", ["Gross revenue"]),
        ("analytics/revenue", "/analytics/revenue_streams", "Revenue by stream", ["By plan", "By customer"]),
        ("analytics/revenue", "/analytics/revenue_by_plan", "Revenue by plan", ["Revenue by stream"]),
        ("analytics/revenue", "/analytics/revenue_by_customer", "Revenue by customer", ["By plan"]),
        ("analytics/mrr", "/analytics/mrr_movements", "MRR movements", ["By plan"]),
        ("analytics/mrr", "/analytics/mrr_by_plan", "MRR by plan", ["MRR movements"]),
        ("analytics/prepaid", "/analytics/prepaid_credits", "Prepaid credits", []),
        ("analytics/usage", "/analytics/usage", "Usage", []),
    ):
        await page.route(re.compile(rf"/v1(/batch|{read})(\?|$)"), refusing(f"{read}$"))
        await page.goto(path_of(world, address))
        block = page.get_by_role("alert").filter(has_text=f"{failed} could not be loaded")
        await expect(block).to_be_visible()
        await expect(page.get_by_role("navigation", name="Reports")).to_be_visible()
        await expect(page.get_by_label("Currency")).to_be_visible()
        await expect(page.get_by_role("alert")).to_have_count(1)
        for heading in stands:
            await expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        await page.unroute_all()
        await block.get_by_role("button", name="Try again").click()
        await expect(block).to_have_count(0)

    # Of all that is used one metric, by period: its units and its amount, at an address of its own.
    table = page.get_by_role("table", name="Usage by metric")
    await page.get_by_role("group", name="Measure").get_by_role("button", name="Units").click()
    await expect(table.get_by_role("columnheader", name="Units over time")).to_be_visible()
    await table.get_by_role("button", name="Storage").click()
    await expect(page).to_have_url(re.compile(f"billable_metric_code={world.metric['code']}"))
    await expect(page.get_by_role("heading", name="Storage", exact=True)).to_be_visible()
    by_period = page.get_by_role("region", name="By month")
    await expect(by_period.get_by_role("rowheader")).to_have_text(["Units", "Amount"])


async def test_every_page_says_what_failed_and_asks_again(chromium, site, state, world):
    context = await chromium.new_context(base_url=site.url, storage_state=state, viewport=WIDE)
    page = await context.new_page()
    watch = Watch(page)
    await page.route(DATA, refusing())
    await page.goto(path_of(world, "settings/account"))
    found = {}
    for name, address in {**PAGES, **OTHERS}.items():
        shown = await page.evaluate(SHOWN_AT, [path_of(world, address), name in SILENT])
        faults = []
        if shown["isBusy"]:
            faults.append("loads for ever")
        if not shown["alerts"] and name not in SILENT:
            faults.append("says nothing")
        faults += [f"no way on: {text}" for text, buttons in shown["alerts"] if buttons == 0]
        faults += [f"raw: {word[0]}" for word in RAW.finditer(shown["text"])]
        if faults:
            found[name] = faults
    assert found == {}
    assert [fault for fault in watch.faults if not fault.startswith(("400", "console: Failed to load"))] == []

    await page.evaluate(SHOWN_AT, [path_of(world, PAGES["customer"]), False])
    assert await breaches_of_wcag(page) == []
    await page.unroute_all()
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("heading", name="Ada", level=1)).to_be_visible()

    # What is known of an object alone tells nothing of what is not: no nought, and no count of whom a change touches.
    for kind, code, name in (
        ("customers", "ada", "customer"),
        ("billable_metrics", "storage_gb", "metric"),
        ("plans", "team", "plan-editor"),
        ("customers", "ada", "customer-credit-notes"),
    ):
        await page.route(DATA, refusing(f"(?<!/{kind}/{code})$"))
        await page.goto(path_of(world, PAGES[name]))
        await expect(page.get_by_role("alert").first).to_be_visible()
        await expect(page.locator(".sk, [aria-busy=true]")).to_have_count(0)
        assert re.search(r"\b0\b", await page.locator("main").inner_text()) is None
        await page.unroute_all()
    await context.close()
