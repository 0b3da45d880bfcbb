"""What people do by clicking, and what it comes to: from nothing to a bill; upgrade, credit note and void, wallet, dunning (ui §3 to §6)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.async_api import Page, expect
from tests import kit
from tests.web.browser import Watch, come_to_rest
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


async def rotate_at_ten(site, page, slug, old):
    """Have a key end in 24 hours, at ten: that is tomorrow at ten, and until then both of them are good (ui §11.7)."""
    ten = (datetime.now(UTC) + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0)
    ends = ten + timedelta(days=1)
    await page.clock.set_fixed_time(ten)
    await page.goto(f"/{slug}/developers/api-keys")
    await page.get_by_role("button", name="Actions for Meter").click()
    await page.get_by_role("menuitem", name="Rotate").click()
    question = page.get_by_role("dialog", name="Rotate Meter")
    await expect(question.get_by_label("The old key ends")).to_have_text("In 24 hours")
    await question.get_by_role("button", name="Rotate", exact=True).click()
    shown = page.get_by_role("button", name=re.compile("^Copy API key "))
    new = (await shown.get_attribute("aria-label") or "").removeprefix("Copy API key ")
    keys = page.get_by_role("table", name="API keys").get_by_role("row").filter(has_text="Meter")
    await expect(keys).to_have_count(2)
    noted = re.compile(rf"{ends.day} \w+ {ends.year}, 10:00")
    await expect(keys.filter(has_text=noted)).to_have_count(1)
    assert new != old
    for value in (old, new):
        async with site.api(value) as client:
            await kit.get(client, "/invoices")


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
    await expect(page.get_by_label("Currency", exact=True)).to_have_text("USD, US Dollar")
    await form.choose("Currency", "EUR, Euro")
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

    await page.goto(bill["web_url"])
    await expect(page).to_have_url(re.compile(f"/{slug}/customer/[^/]+/invoice/{bill['lago_id']}/overview$"))
    lines = page.get_by_role("table", name="Lines")
    await lines.get_by_role("button", name="€2.00").click()
    panel = page.get_by_role("complementary", name="Why €2.00?")
    await expect(panel).to_contain_text("€2.00")
    await expect(panel).to_contain_text("8")
    await expect(page.get_by_text("€32.00").first).to_be_visible()

    async with page.context.expect_page() as opened:
        await page.get_by_role("button", name="Download PDF").click()
    await (await opened.value).close()
    await rotate_at_ten(site, page, slug, value)
    async with site.api(value) as client:
        invoice = (await kit.post(client, f"/invoices/{bill['lago_id']}/download", None))["invoice"]
        document = await client.get(invoice["file_url"])
    assert document.content.startswith(b"%PDF")
    assert watch.faults == []


@dataclass
class Shop:
    """A shop of January 2026 that takes 20 % of tax: calls at 0.50 each, by Basic for 31.00 and Pro for 62.00 a month in advance, and by use alone."""

    client: httpx.AsyncClient
    slug: str
    calls: kit.Json
    basic: kit.Json
    by_use: kit.Json

    async def subscriber(self, name: str, plan: kit.Json) -> tuple[kit.Json, kit.Json]:
        """Somebody on a plan since New Year, who made four calls on the fifth of January."""
        who = await kit.customer(self.client, external_id=name.lower(), name=name, currency="EUR")
        subscription = await kit.subscribe(self.client, who, plan)
        await kit.send(self.client, subscription, self.calls, 1, 2, 3, 4, timestamp=kit.epoch("2026-01-05"))
        return who, subscription

    def page_of(self, invoice: kit.Json, tab: str = "overview") -> str:
        owner = invoice["customer"]["external_id"]
        return f"/{self.slug}/customer/{owner}/invoice/{invoice['lago_id']}/{tab}"


@pytest.fixture
async def shop(site, page, request) -> AsyncIterator[Shop]:
    """The shop, with its admin signed in."""
    tenant = await site.make_organization("Shop", "2026-01-01T00:00:00Z")
    admin = f"{request.node.name[:30].strip('_')}@shop.test"
    slug = await tenant.add_admin(admin)
    async with site.api(tenant.api_key) as client:
        await kit.tax(client, name="VAT")
        calls = await kit.metric(client, "count_agg", code="calls", name="Calls")
        charge = kit.charge(calls, amount="0.5")
        basic = await kit.plan(
            client, charge, amount_cents=3100, pay_in_advance=True, code="basic", name="Basic"
        )
        await kit.plan(client, charge, amount_cents=6200, pay_in_advance=True, code="pro", name="Pro")
        by_use = await kit.plan(client, charge, code="by_use", name="By use")
        await sign_in(page, admin)
        yield Shop(client, slug, calls, basic, by_use)


async def rows_of(page: Page, list_of_names: str) -> dict[str, str]:
    """The values of a list by their names."""
    await come_to_rest(page)
    names = await page.locator(f"{list_of_names} dt").all_inner_texts()
    values = await page.locator(f"{list_of_names} dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


async def test_an_upgrade_is_told_beforehand_and_billed_so(shop, page):
    """On 11 January: 21 of 31 days of Basic go back, 21.00 and 4.20 of tax; 21 days of Pro are 42.00, four calls 2.00.

    44.00 and 8.80 of tax are 52.80; less the 25.20 they are 27.60.
    """
    watch, form = Watch(page), Form(page)
    who, subscription = await shop.subscriber("Uma", shop.basic)
    (first,) = await kit.invoices(shop.client, who)
    assert first["total_amount_cents"] == 3720
    await kit.advance(shop.client, "2026-01-11T09:00")

    await page.goto(f"/{shop.slug}/change/subscription/{subscription['external_id']}")
    await form.choose("New plan", "Pro")
    await expect(page.locator(".estimate")).to_contain_text("Total")
    assert await rows_of(page, ".estimate") == {
        "Calls": "€2.00",
        "Pro": "€42.00",
        "Tax": "€8.80",
        "Credit notes": "−€25.20",
        "Total": "€27.60",
    }
    await form.save("Change plan", "Plan changed")

    bill = (await kit.invoices(shop.client, who))[-1]
    await page.goto(shop.page_of(bill))
    assert await rows_of(page, ".totals") == {
        "Subtotal": "€44.00",
        "VAT, 20%": "€8.80",
        "Total with tax": "€52.80",
        "Credit notes": "−€25.20",
        "Total": "€27.60",
    }
    assert watch.faults == []


async def test_a_dearer_plan_at_a_price_below_is_a_downgrade(shop, page):
    """Pro is 62.00 a month, for this subscription 20.00, less than the 31.00 of Basic: it waits for the 1st of February."""
    watch, form = Watch(page), Form(page)
    _, subscription = await shop.subscriber("Ted", shop.basic)

    await page.goto(f"/{shop.slug}/change/subscription/{subscription['external_id']}")
    await form.choose("New plan", "Pro")
    await expect(page.get_by_text("An upgrade: Pro takes over now.").first).to_be_visible()
    await page.get_by_label("Prices of its own").check(force=True)
    await page.get_by_label("Amount", exact=True).fill("20")
    await expect(page.get_by_text("A downgrade: Pro takes over on 1 Feb 2026.").first).to_be_visible()
    await page.get_by_role("textbox", name="Name optional", exact=True).fill("Deal")
    await form.save("Change plan", "Plan will change at the end of the period")

    pending = {"external_id": subscription["external_id"], "status[]": "pending"}
    (next_one,) = (await kit.get(shop.client, "/subscriptions", **pending))["subscriptions"]
    assert (next_one["name"], next_one["plan_code"], next_one["plan_amount_cents"]) == ("Deal", "pro", 2000)
    await page.goto(f"/{shop.slug}/plan/pro/subscriptions")
    await expect(page.get_by_role("row").filter(has_text="Deal")).to_contain_text("Its own")
    await page.goto(f"/{shop.slug}/customer/ted/overview")
    table = page.get_by_role("table", name="Subscriptions")
    await expect(table.get_by_role("row").filter(has_text="Basic")).to_contain_text("since 1 Jan 2026")
    await expect(table.get_by_role("row").filter(has_text="Deal")).to_contain_text("prices of its own")
    # What something was sold in stays.
    await page.goto(f"/{shop.slug}/update/customer/ted")
    await expect(page.get_by_role("button", name="Currency")).to_be_disabled()

    # Deal follows Pro where it is asked for, and then keeps what it has.
    for hour, price, answer, kept in ((1, "0.75", "Change it too", "0.75"), (2, "1", "Leave it", "0.75")):
        await page.goto(f"/{shop.slug}/update/plan/pro")
        await form.fill(Price_per_unit=price)
        await page.get_by_role("button", name="Save plan").click()
        question = page.get_by_role("dialog")
        await expect(question).to_contain_text("1 subscription on this plan has a price of its own.")
        await question.get_by_role("button", name=answer).click()
        await expect(page.get_by_text("Plan saved")).to_be_visible()
        await kit.advance(shop.client, f"2026-01-01T0{hour}:00")
        changed = (await kit.get(shop.client, "/plans/pro"))["plan"]["charges"][0]
        (own,) = (await kit.get(shop.client, "/subscriptions", **pending))["subscriptions"]
        path = f"/subscriptions/{own['external_id']}/charges"
        (charge,) = (await kit.get(shop.client, path, subscription_status="pending"))["charges"]
        assert (changed["properties"]["amount"], charge["properties"]["amount"]) == (price, kept)
    assert watch.faults == []


async def test_a_credit_note_takes_off_what_is_due(shop, page):
    """10.00 of the 31.00 of Basic go back, 12.00 with tax: of 37.20 that are due 25.20 stay."""
    watch, form = Watch(page), Form(page)
    who, _ = await shop.subscriber("Vic", shop.basic)
    (bill,) = await kit.invoices(shop.client, who)

    await page.goto(f"/{shop.slug}/create/credit-note?invoice={bill['lago_id']}")
    assert (await rows_of(page, ".form-body .kv"))["Refundable"] == "€0.00"
    await page.get_by_label("Amount of Basic").fill("10")
    await expect(page.locator(".estimate")).to_contain_text("€12.00")
    assert await rows_of(page, ".estimate") == {"Subtotal": "€10.00", "VAT": "€2.00", "Total": "€12.00"}
    assert await page.get_by_label("Set off").input_value() == "12.00"
    await form.choose("Reason", "Order changed")
    await page.get_by_role("button", name="Issue credit note").click()
    await expect(page.get_by_text(re.compile(r"Credit note .* issued")).first).to_be_visible()

    (note,) = (await kit.get(shop.client, "/credit_notes"))["credit_notes"]
    assert (note["total_amount_cents"], note["taxes_amount_cents"]) == (1200, 200)
    assert (note["credit_amount_cents"], note["refund_amount_cents"], note["offset_amount_cents"]) == (
        0,
        0,
        1200,
    )
    await page.goto(shop.page_of(bill))
    totals = await rows_of(page, ".totals")
    assert totals["Total"] == "€37.20"
    assert totals["Set off by credit notes"] == "−€12.00"
    assert totals["Amount due"] == "€25.20"
    await page.goto(f"/{shop.slug}/credit-notes")
    (entity,) = (await kit.get(shop.client, "/billing_entities"))["billing_entities"]
    await expect(page.get_by_role("row").filter(has_text=note["number"])).to_contain_text(entity["name"])
    assert watch.faults == []


async def test_a_paid_invoice_is_voided_and_given_back(shop, page):
    """37.20 were paid: 7.20 are credited and 30.00 refunded, of which 6.20 are tax; more than 37.20 is not taken."""
    watch, form = Watch(page), Form(page)
    who, _ = await shop.subscriber("Val", shop.basic)
    (bill,) = await kit.invoices(shop.client, who)
    paid = {
        "invoice_id": bill["lago_id"],
        "amount_cents": 3720,
        "reference": "by hand",
        "paid_at": "2026-01-01",
    }
    await kit.post(shop.client, "/payments", {"payment": paid})

    await page.goto(f"/{shop.slug}/void/invoice/{bill['lago_id']}")
    await page.get_by_role("button", name="Give back by credit note").click()
    await form.fill(As_credit="7.20", As_refund="37.21")
    await expect(page.get_by_text("At most €37.20.")).to_be_visible()
    await form.fill(As_refund="30")
    await form.save("Void invoice", f"Invoice {bill['number']} voided")

    await page.goto(shop.page_of(bill, "credit-notes"))
    await expect(page.get_by_role("main")).to_contain_text("Voided")
    await expect(page.get_by_role("table")).to_contain_text("€37.20")
    (note,) = (await kit.get(shop.client, "/credit_notes"))["credit_notes"]
    assert (note["total_amount_cents"], note["taxes_amount_cents"]) == (3720, 620)
    assert (note["credit_amount_cents"], note["refund_amount_cents"]) == (720, 3000)
    voided = (await kit.get(shop.client, f"/invoices/{bill['lago_id']}"))["invoice"]
    assert voided["status"] == "voided"

    # Another may be issued in its place, once.
    acts = page.get_by_role("button", name=f"Actions of {bill['number']}")
    await page.goto(f"/{shop.slug}/invoices?status=voided")
    await acts.click()
    await expect(page.get_by_role("menuitem", name="Regenerate invoice")).to_be_visible()
    kept = {"invoice": {"fees": [{"id": bill["fees"][0]["lago_id"]}]}}
    await kit.post(shop.client, f"/invoices/{bill['lago_id']}/regenerate", kept)
    await page.reload()
    await come_to_rest(page)
    await expect(page.get_by_role("row").filter(has_text=bill["number"])).to_be_visible()
    await expect(acts).to_have_count(0)
    assert watch.faults == []


async def test_a_wallet_is_filled_and_pays_a_bill(shop, page):
    """5 credits are free and 10 bought; 40 calls of January are 20.00, 24.00 with tax, of which the wallet pays 15.00.

    What was bought at first were 4: their invoice is voided, and one of 10 is issued in its place.
    """
    watch, form = Watch(page), Form(page)
    who, subscription = await shop.subscriber("Wim", shop.by_use)
    more = range(36)
    await kit.send(shop.client, subscription, shop.calls, *more, timestamp=kit.epoch("2026-01-20"))

    await page.goto(f"/{shop.slug}/create/wallet?customer=wim")
    await form.fill(Name="Prepaid", Free="5")
    await form.save("Create wallet", "Wallet created")
    await expect(page.get_by_role("heading", name="Prepaid", level=1)).to_be_visible()
    await expect(page.get_by_role("main")).to_contain_text("€5.00")

    (made,) = (await kit.get(shop.client, "/wallets", external_customer_id="wim"))["wallets"]
    rule = {
        "trigger": "threshold", "method": "target", "threshold_credits": "1", "target_ongoing_balance": "5",
        "transaction_name": "Refill", "transaction_metadata": [{"key": "team", "value": "ops"}],
    }  # fmt: skip
    rules = {"wallet": {"recurring_transaction_rules": [rule]}}
    await kit.call(shop.client, "PUT", f"/wallets/{made['lago_id']}", rules)
    await page.reload()
    await page.get_by_role("link", name="Recurring top-ups").click()
    await expect(page.get_by_role("heading", name="Tops up to 5 credits below 1")).to_be_visible()
    terms = await rows_of(page, ".tab-body .kv")
    assert (terms["What is missing"], terms["Name of each top-up"], terms["team"]) == (
        "Is bought", "Refill", "ops",
    )  # fmt: skip
    rules = {"wallet": {"recurring_transaction_rules": []}}
    await kit.call(shop.client, "PUT", f"/wallets/{made['lago_id']}", rules)

    await page.get_by_role("link", name="Top up").click()
    await form.fill(To_be_paid="4")
    await form.save("Bill €4.00", "Wallet topped up")
    (wrong,) = await kit.invoices(shop.client, who)
    assert (wrong["invoice_type"], wrong["total_amount_cents"]) == ("credit", 400)

    await page.goto(f"/{shop.slug}/void/invoice/{wrong['lago_id']}")
    await page.get_by_label("Regenerate it").click()
    await form.save("Void and regenerate", f"Invoice {wrong['number']} voided")
    await expect(page.locator(".estimate")).to_contain_text("€4.00")
    await expect(page.get_by_label("Unit price")).to_have_count(0)
    await form.fill(Credits="10")
    await expect(page.locator(".estimate")).to_contain_text("€10.00")
    assert await rows_of(page, ".estimate") == {
        "Wallet": "Prepaid", "Credits": "10", "Each": "€1.00", "Total": "€10.00",
    }  # fmt: skip
    await page.get_by_role("button", name="Issue invoice").click()
    await expect(page.get_by_role("main")).to_contain_text("in place of")
    (purchase,) = [one for one in await kit.invoices(shop.client, who) if one["status"] == "finalized"]
    assert (purchase["invoice_type"], purchase["total_amount_cents"]) == ("credit", 1000)
    paid = {
        "invoice_id": purchase["lago_id"],
        "amount_cents": 1000,
        "reference": "by hand",
        "paid_at": "2026-01-01",
    }
    await kit.post(shop.client, "/payments", {"payment": paid})
    await page.goto(f"/{shop.slug}/customer/wim/wallet/{made['lago_id']}/overview")
    await expect(page.get_by_role("main")).to_contain_text("€15.00")

    await kit.advance(shop.client, "2026-02-02")
    bill = (await kit.invoices(shop.client, who))[-1]
    await page.goto(shop.page_of(bill))
    assert await rows_of(page, ".totals") == {
        "Subtotal": "€20.00",
        "VAT, 20%": "€4.00",
        "Total with tax": "€24.00",
        "Prepaid credits": "−€15.00",
        "Total": "€9.00",
    }
    wallet = (await kit.get(shop.client, "/wallets", external_customer_id="wim"))["wallets"][0]
    await page.goto(f"/{shop.slug}/customer/wim/wallet/{wallet['lago_id']}/transactions")
    used = page.get_by_role("row").filter(has_text="Used on an invoice")
    await expect(used).to_contain_text("−15")
    await expect(used).to_contain_text("€15.00")
    assert watch.faults == []


async def test_taxes_are_made_and_chosen_and_a_metric_deleted_after_its_charges_are_counted(shop, page):
    """Each of the shop's three plans has one charge on calls; customers of the shop in France may have European taxes."""
    watch, form = Watch(page), Form(page)
    await page.goto(f"/{shop.slug}/settings/taxes")
    await page.get_by_role("button", name="New tax").click()
    await form.fill(Name="Reduced rate", Rate="7")
    await expect(page.get_by_label("Code")).to_have_value("reduced_rate")
    await form.save("Create tax", "Tax created")
    made = (await kit.get(shop.client, "/taxes/reduced_rate"))["tax"]
    assert (made["name"], made["rate"], made["applied_to_organization"]) == ("Reduced rate", 7.0, False)

    (entity,) = (await kit.get(shop.client, "/billing_entities"))["billing_entities"]
    where = f"/billing_entities/{entity['code']}"
    await kit.call(shop.client, "PUT", where, {"billing_entity": {"country": "FR"}})
    await page.goto(f"/{shop.slug}/settings/integrations")
    await page.get_by_role("main").get_by_role("link", name="European VAT").click()
    for verb, is_on in (("Connect", True), ("Disconnect", False)):
        await page.get_by_role("button", name=re.compile(f"^{verb} European VAT")).click()
        await page.get_by_role("alertdialog").get_by_role("button", name=verb).click()
        await expect(page.get_by_text(f"European VAT {verb.lower()}ed")).to_be_visible()
        found = (await kit.get(shop.client, where))["billing_entity"]
        assert found["eu_tax_management"] is is_on

    await page.goto(f"/{shop.slug}/billable-metrics")
    await page.get_by_role("button", name="Actions of Calls").click()
    await page.get_by_role("menuitem", name="Delete metric").click()
    question = page.get_by_role("alertdialog", name="Delete the metric “Calls”?")
    await expect(question).to_contain_text("3 charges on 3 plans")
    await question.get_by_role("button", name="Delete metric").click()
    await expect(page.get_by_text("Metric deleted")).to_be_visible()
    assert (await kit.get(shop.client, "/billable_metrics"))["billable_metrics"] == []
    assert watch.faults == []


async def test_a_billing_entity_has_parts_and_asks_before_what_is_entered_is_left(shop, page):
    """Invoicing of the default entity: the number follows the prefix, the old address leads to the first part."""
    watch, form = Watch(page), Form(page)
    (entity,) = (await kit.get(shop.client, "/billing_entities"))["billing_entities"]
    where = f"/{shop.slug}/settings/entities/{entity['code']}"
    await page.goto(where)
    await expect(page).to_have_url(re.compile(f"{where}/general$"))
    parts = page.get_by_role("navigation", name="Billing entity")
    await parts.get_by_role("link", name="Invoicing").click()
    await expect(page).to_have_title(f"Invoicing · {entity['name']} · Tallymark")
    await form.fill(Prefix="hoo-4f2a")
    await expect(page.get_by_text("HOO-4F2A-001-001")).to_be_visible()
    await form.choose("Numbering", "One sequence for the entity")
    await expect(page.get_by_text("HOO-4F2A-202601-001")).to_be_visible()
    await parts.get_by_role("link", name="Taxes").click()
    await (
        page.get_by_role("alertdialog", name="Leave without saving?")
        .get_by_role("button", name="Stay")
        .click()
    )
    await form.save("Save invoicing", "Invoicing saved")
    saved = (await kit.get(shop.client, f"/billing_entities/{entity['code']}"))["billing_entity"]
    assert (saved["document_number_prefix"], saved["document_numbering"]) == (
        "HOO-4F2A",
        "per_billing_entity",
    )
    await parts.get_by_role("link", name="E-mail scenarios").click()
    await page.get_by_role("button", name="See the e-mail: A payment is received").click()
    letter = page.get_by_role("dialog", name="A payment is received")
    await expect(letter).to_contain_text("An example, of an imagined customer.")
    await expect(letter).to_contain_text("Payment receipt HOO-4F2A-001-RCPT-000001")

    # Once there is a receipt, it is the one that is shown.
    who = await kit.customer(shop.client, external_id="real", name="Real Ltd", currency="EUR")
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 100, "amount_currency": "EUR"}
    await kit.post(shop.client, "/add_ons", {"add_on": add_on})
    bill = {
        "external_customer_id": who["external_id"],
        "currency": "EUR",
        "fees": [{"add_on_code": "setup"}],
    }
    bill = (await kit.post(shop.client, "/invoices", {"invoice": bill}))["invoice"]
    paid = {
        "invoice_id": bill["lago_id"],
        "amount_cents": bill["total_amount_cents"],
        "reference": "wire",
    }
    await kit.post(shop.client, "/payments", {"payment": paid})
    await page.reload()
    await expect(letter.get_by_text(f"{bill['number']}.pdf")).to_be_visible()
    await expect(letter).not_to_contain_text("An example")
    assert watch.faults == []


async def test_who_owes_is_asked_again_until_they_are_to_be_left_alone(shop, page):
    """31.00 of Basic and 6.20 of tax are due on New Year's Day, and overdue on the second: above 30.00, they are asked for."""
    watch, form = Watch(page), Form(page)
    await shop.subscriber("Dee", shop.basic)
    await page.goto(f"/{shop.slug}/settings/dunning")
    await page.get_by_role("button", name="New campaign").first.click()
    await form.fill(Name="Reminders", Days_between_attempts="3", Attempts_at_the_most="2")
    await form.choose("Currency of threshold 1", "EUR, Euro")
    await form.fill(Overdue_balance_from_which_on_it_asks="30")
    await page.get_by_label("Default billing entity").click()
    await form.save("Create campaign", "Campaign created")
    await expect(page.get_by_role("row").filter(has_text="reminders")).to_contain_text("€30.00")

    await kit.advance(shop.client, "2026-01-02T12:00")
    (asked,) = (await kit.get(shop.client, "/payment_requests"))["payment_requests"]
    assert (asked["amount_cents"], asked["customer"]["external_id"]) == (3720, "dee")
    await page.goto(f"/{shop.slug}/customer/dee/settings")
    main = page.get_by_role("main")
    await expect(main).to_contain_text("Reminders. 2 times, every 3 days.")
    await expect(main).to_contain_text("Asked 1 of 2 in EUR")
    await page.get_by_role("button", name="Change Dunning").click()
    await form.choose("Campaign", "Never")
    await form.save("Save setting", "Dunning saved")
    await expect(main).not_to_contain_text("Reminders")
    await kit.advance(shop.client, "2026-02-02")
    assert len((await kit.get(shop.client, "/payment_requests"))["payment_requests"]) == 1
    assert watch.faults == []
