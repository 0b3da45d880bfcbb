"""The demonstrations: a trace is billed to the cent of what its CSV holds, and a short year to what can be worked out by hand."""

import csv
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from io import StringIO
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
from rich.console import Console
from tests import kit
from tests.conftest import cloned
from tests.kit import Json

from tallymark.app import running
from tallymark.db.engine import Database
from tallymark.demo import Made, Size, run_trace, run_year
from tallymark.demo.cast import COUNTRIES, buyers
from tallymark.demo.usage import events
from tallymark.demo.year import walk
from tallymark.settings import Settings

TRACE = Path(__file__).parents[3] / "shared" / "data" / "llm-inference-trace"
CENT = Decimal("0.01")


def tokens(name: str) -> tuple[int, int]:
    """Context and generated tokens of a file, summed."""
    with (TRACE / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    return sum(int(row["ContextTokens"]) for row in rows), sum(int(row["GeneratedTokens"]) for row in rows)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def packages(tokens: int, *, free: int, size: int, price: str) -> Decimal:
    opened = (Decimal(max(tokens - free, 0)) / size).to_integral_value(ROUND_CEILING)
    return opened * Decimal(price)


def chat_usage() -> Decimal:
    """1 M at 0.000003, 9 M at 0.0000025, the rest at 0.000002; output in packages of 50,000 at 0.75, 100,000 free."""
    context, generated = tokens("conversation.csv")
    assert context > 10_000_000
    graduated = Decimal(3) + Decimal("22.5") + (context - 10_000_000) * Decimal("0.000002")
    return cents(graduated) + cents(packages(generated, free=100_000, size=50_000, price="0.75"))


def code_usage() -> Decimal:
    """Input in packages of a million at 2.50; output 100,000 at 0.00002 and 1.00 flat, the rest at 0.000015."""
    context, generated = tokens("code.csv")
    assert generated > 100_000
    graduated = Decimal(1) + Decimal(2) + (generated - 100_000) * Decimal("0.000015")
    return cents(packages(context, free=0, size=1_000_000, price="2.50")) + cents(graduated)


@pytest.mark.skipif(not TRACE.exists(), reason="the usage trace is not beside this checkout")
def test_a_real_trace_is_billed_to_the_cent(server_url, tmp_path):
    out = StringIO()
    with cloned(server_url) as url:
        run_trace(
            Settings(database_url=url, data_dir=tmp_path), trace=TRACE, console=Console(file=out, width=200)
        )
    shown = out.getvalue()
    # The trace is of 16 November 2023; the plans begin with it, so November has 15 of 30 days of base price.
    for usage, base in ((chat_usage(), Decimal("49.00")), (code_usage(), Decimal("199.00"))):
        fees = usage + cents(base * 15 / 30)
        tax = cents(fees * 20 / 100)
        assert [f"{fees:,}", f"{tax:,}", f"{fees + tax:,}"] in rows(shown), shown
    pdf = Path(shown.strip().splitlines()[-1].split(": ")[-1])
    assert pdf.read_bytes().startswith(b"%PDF")


def rows(shown: str) -> list[list[str]]:
    """The amounts of the table's rows."""
    lines = [line.split("│") for line in shown.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in cells[4:7]] for cells in lines]


def test_the_cast_is_the_same_each_time():
    cast = buyers(60, 12)
    assert cast == buyers(60, 12)
    assert len({one.name for one in cast}) == 60
    assert {one.plan for one in cast} == {"team", "ai", "prepaid", "enterprise", "annual"}
    assert len({one.country.code for one in cast}) >= 8
    since, until = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)
    used = list(events(cast[4], "enterprise", since, until))
    assert used == list(events(cast[4], "enterprise", since, until))
    assert {event["code"] for event in used} == {"ai_tokens", "compute_seconds", "egress", "storage"}
    assert all(since.timestamp() < int(event["timestamp"]) < until.timestamp() for event in used)


def test_a_months_usage_is_sent_before_the_month_is_over_for_anybody():
    """What comes later is late: its period has been billed."""
    ends = [tick.at for tick in walk(Size()) if tick.is_last]
    assert len(ends) == 12
    there = {
        end.astimezone(ZoneInfo(place.timezone)).month - end.month for end in ends for place in COUNTRIES
    }
    assert there == {0}


@dataclass
class Company:
    """The company of a demonstration that is over, as its people and its programs see it."""

    http: httpx.AsyncClient
    transport: httpx.ASGITransport
    database: Database
    made: Made
    shown: str

    async def get(self, path: str, **query: object) -> Json:
        return await kit.get(self.http, path, **query)

    async def invoices(self, number: int) -> list[Json]:
        return await kit.invoices(self.http, {"external_id": f"cus_{number:03d}"})


@pytest.fixture(scope="module")
def year(server_url, tmp_path_factory):
    """A month of six customers; who of them comes when follows from their number."""
    with cloned(server_url) as url:
        settings = Settings(
            database_url=url, public_url="http://test", data_dir=tmp_path_factory.mktemp("year")
        )
        out = StringIO()
        size = Size(customers=6, months=1, is_daily=False)
        made = run_year(settings, size=size, console=Console(file=out, width=200))
        yield settings, url, made, out.getvalue()


@pytest.fixture(scope="module")
async def company(year):
    settings, url, made, shown = year
    async with running(settings, url) as parts:
        transport = httpx.ASGITransport(parts.asgi)
        headers = {"Authorization": f"Bearer {made.api_key}"}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://test/api/v1", headers=headers
        ) as http:
            yield Company(http, transport, parts.database, made, shown)


def fees_of(invoice: Json) -> dict[str, int]:
    """Amounts by what they are for."""
    return {fee["item"]["type"] + ":" + fee["item"]["code"]: fee["amount_cents"] for fee in invoice["fees"]}


def taxed(invoice: Json, percent: int) -> int:
    """The tax of what is left of an invoice before it."""
    net = Decimal(invoice["sub_total_excluding_taxes_amount_cents"])
    return int((net * percent / 100).quantize(Decimal(1), ROUND_HALF_UP))


class TestAShortYear:
    """The clock stands at 4 January 2026, 15:00; the month was December."""

    async def test_keeps_the_laws_of_money(self, company):
        await kit.assert_audit_clean(company.database, UUID(company.made.organization_id))

    async def test_bills_a_trial_from_its_end(self, company):
        """Customer 1 comes on 8 December and pays 49.00 a month in advance, after 14 days: 10 of 31 days, 15.81."""
        first, second = await company.invoices(1)
        assert (first["currency"], first["total_amount_cents"], first["taxes_amount_cents"]) == (
            "USD",
            1581,
            0,
        )
        assert fees_of(second)["subscription:team_usd"] == 4900

    async def test_holds_a_customer_to_their_commitment(self, company):
        """Customer 5 comes on 22 December: a workshop of 1,200.00, and 10 of 31 days of 499.00 and of 1,500.00; Swedish VAT."""
        bills = await company.invoices(5)
        one_off = next(one for one in bills if one["invoice_type"] == "one_off")
        assert (one_off["fees_amount_cents"], one_off["total_amount_cents"]) == (120_000, 150_000)
        period = next(one for one in bills if one["invoice_type"] == "subscription")
        fees = fees_of(period)
        assert (fees["subscription:enterprise"], fees["fixed_charge:support"]) == (16_097, 9_000)
        assert period["fees_amount_cents"] >= 48_387
        assert period["taxes_amount_cents"] == taxed(period, 25)

    async def test_takes_a_coupon_off(self, company):
        """Customer 2 has 20 % off: of fees, before Italian VAT."""
        (bill,) = [one for one in await company.invoices(2) if one["invoice_type"] == "subscription"]
        taken = Decimal(bill["fees_amount_cents"]) * 20 / 100
        assert bill["coupons_amount_cents"] == taken.quantize(Decimal(1), ROUND_HALF_UP) > 0
        assert bill["taxes_amount_cents"] == taxed(bill, 22)

    async def test_fills_a_wallet_and_draws_on_it(self, company):
        """Customer 3 buys 40 credits for each of their size, is given 15, and all that is not drawn is there."""
        (wallet,) = (await company.get("/wallets", external_customer_id="cus_003"))["wallets"]
        moves = (await company.get(f"/wallets/{wallet['lago_id']}/wallet_transactions"))[
            "wallet_transactions"
        ]
        came = [one for one in moves if one["transaction_type"] == "inbound"]
        went = [one for one in moves if one["transaction_type"] == "outbound"]
        size = buyers(6, 1)[2].size
        bought, given = Decimal(40 * size), Decimal(15)
        assert {Decimal(one["credit_amount"]) for one in came} >= {bought, given}
        assert {one["status"] for one in moves} == {"settled"}
        assert went
        balance = sum((Decimal(one["credit_amount"]) for one in came), Decimal(0)) - sum(
            Decimal(one["credit_amount"]) for one in went
        )
        assert Decimal(wallet["balance_cents"]) / 100 == balance.quantize(CENT, ROUND_HALF_UP)

    async def test_leaves_a_draft(self, company):
        """Customer 4 has five days of grace."""
        drafts = (await company.get("/invoices", status="draft"))["invoices"]
        assert [one["customer"]["external_id"] for one in drafts] == ["cus_004"]

    async def test_leaves_what_an_operator_looks_after(self, company):
        unmatched = (await company.get("/events/unmatched_summary"))["unmatched_summary"]
        counts = {(one["code"], one["external_subscription_id"]): one["events_count"] for one in unmatched}
        assert counts == {("api_requests", "sub_999"): 4, ("gpu_minutes", "sub_001"): 3}
        voided = (await company.get("/invoices", status="voided"))["invoices"]
        taken_back = [(one["customer"]["external_id"], one["total_amount_cents"]) for one in voided]
        assert taken_back == [("cus_003", 120_000)]
        endpoints = (await company.get("/webhook_endpoints"))["webhook_endpoints"]
        assert {one["name"] for one in endpoints} == {"Ledger", "Warehouse"}

    async def test_bills_america_from_there(self, company):
        """Customer 1 is in Portland and is billed by the second entity; all others are elsewhere."""
        entities = {
            one["customer"]["external_id"]: one["billing_entity_code"]
            for one in (await company.get("/invoices", per_page="100"))["invoices"]
        }
        assert {who for who, code in entities.items() if code == "skerry_us"} == {"cus_001"}

    async def test_names_the_order_of_who_has_one(self, company):
        """Customer 5 is on a large plan: 4000 and 37 for each number. Customer 2 is not."""
        assert {one["purchase_order_number"] for one in await company.invoices(5)} == {"PO-4185"}
        assert {one["purchase_order_number"] for one in await company.invoices(2)} == {None}

    async def test_has_a_partner_bill_themselves(self, company):
        assert {one["self_billed"] for one in await company.invoices(6)} == {True}

    async def test_has_its_invoices_in_a_file(self, company):
        (export,) = (await company.get("/data_exports"))["data_exports"]
        issued = (await company.get("/invoices", status="finalized"))["meta"]["total_count"]
        assert (export["status"], export["rows_written"]) == ("completed", issued)

    async def test_lets_its_people_in(self, company):
        made = company.made
        assert made.email in company.shown
        assert made.password in company.shown
        async with httpx.AsyncClient(transport=company.transport, base_url="http://test/app/v1") as browser:
            await kit.post(browser, "/session", {"email": made.email, "password": made.password})
            browser.headers["X-Lago-Organization"] = made.organization_id
            members = (await kit.get(browser, "/members"))["members"]
            assert sorted(role for one in members for role in one["roles"]) == [
                "admin",
                "finance",
                "manager",
                "support",
            ]
            assert len((await kit.get(browser, "/invites"))["invites"]) == 1
            told = (await kit.get(browser, "/webhook_deliveries"))["webhook_deliveries"]
            assert {one["status"] for one in told} == {"succeeded", "failed"}
            (url,) = re.findall(r"http://test/customer-portal/(\S+)", company.shown)
            portal = {"Authorization": f"Bearer {url}"}
            shown = (await browser.get("http://test/portal/v1/wallets", headers=portal)).json()
            assert [one["name"] for one in shown["wallets"]] == ["Compute credits"]
