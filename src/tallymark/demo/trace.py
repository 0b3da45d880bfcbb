"""Two AI products sold, a usage trace metered, and the clock walked over the months."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tallymark.app import running
from tallymark.db.engine import plain_url
from tallymark.db.errors import StartupError
from tallymark.db.migrate import migrate
from tallymark.demo.seller import OPERATOR_KEY, Seller, batches, make_organization, progress_on
from tallymark.domain.money import currency, fixed, major_units
from tallymark.settings import Settings
from tallymark.which_database import absolute, any_database

MONTHS = 4
ORGANIZATION = "Fernwick Compute"
EMAIL = "billing@fernwick.example"
TRACES = {"conversation": "conversation.csv", "code": "code.csv"}


@dataclass(frozen=True, slots=True)
class Request:
    """One inference: when, and how many tokens went in and came out."""

    at: datetime
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is sold to one customer: a plan with its prices, and the usage that is metered."""

    code: str
    name: str
    customer: str
    base_cents: int
    input_charge: dict[str, Any]
    output_charge: dict[str, Any]


PRODUCTS = (
    Product(
        code="conversation",
        name="Chat",
        customer="Halden & Rowe Logistics",
        base_cents=4900,
        input_charge={
            "charge_model": "graduated",
            "properties": {
                "graduated_ranges": [
                    {"from_value": 0, "to_value": 1_000_000, "per_unit_amount": "0.000003", "flat_amount": "0"},
                    {"from_value": 1_000_001, "to_value": 10_000_000, "per_unit_amount": "0.0000025",
                     "flat_amount": "0"},
                    {"from_value": 10_000_001, "to_value": None, "per_unit_amount": "0.000002", "flat_amount": "0"},
                ]
            },
        },
        output_charge={
            "charge_model": "package",
            "properties": {"amount": "0.75", "package_size": 50_000, "free_units": 100_000},
        },
    ),
    Product(
        code="code",
        name="Code assistant",
        customer="Lindenhof Software",
        base_cents=19_900,
        input_charge={
            "charge_model": "package",
            "properties": {"amount": "2.50", "package_size": 1_000_000, "free_units": 0},
        },
        output_charge={
            "charge_model": "graduated",
            "properties": {
                "graduated_ranges": [
                    {"from_value": 0, "to_value": 100_000, "per_unit_amount": "0.00002", "flat_amount": "1"},
                    {"from_value": 100_001, "to_value": None, "per_unit_amount": "0.000015", "flat_amount": "0"},
                ]
            },
        },
    ),
)  # fmt: skip


def read_trace(path: Path) -> list[Request]:
    """Read a CSV of `TIMESTAMP,ContextTokens,GeneratedTokens`, times in UTC. Raises `StartupError`."""
    try:
        with path.open(newline="") as file:
            return [
                Request(
                    datetime.fromisoformat(row["TIMESTAMP"][:26]).replace(tzinfo=UTC),
                    int(row["ContextTokens"]),
                    int(row["GeneratedTokens"]),
                )
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, ValueError) as error:
        raise StartupError(f"cannot read the trace {path}: {error}") from None


def run_trace(settings: Settings, *, trace: Path, console: Console) -> None:
    """Meter and bill a trace of usage in the installation's database, and leave it there to look at."""
    usage = {code: read_trace(trace / name) for code, name in TRACES.items()}
    with any_database(settings) as url:
        migrate(url)
        asyncio.run(_demonstrate(settings, plain_url(url), usage, console))


async def _demonstrate(
    settings: Settings, url: str, usage: dict[str, list[Request]], console: Console
) -> None:
    own = settings.model_copy(update={"admin_api_key": OPERATOR_KEY})
    async with running(own, url) as parts:
        transport = httpx.ASGITransport(parts.asgi)
        async with httpx.AsyncClient(transport=transport, base_url=settings.base_url, timeout=60) as http:
            start = min(requests[0].at for requests in usage.values())
            start = start.replace(microsecond=0)
            made = await make_organization(http, ORGANIZATION, EMAIL, start)
            shop = Shop(Seller(http, made["api_key"]))
            await shop.open()
            with progress_on(console) as progress:
                await shop.meter(usage, progress)
                await shop.walk(start, MONTHS, progress)
            await _show(shop.seller, settings, made["api_key"], console)


class Shop:
    """What the company sells, and what becomes of it."""

    def __init__(self, seller: Seller) -> None:
        self.seller = seller
        self._call = seller.call

    async def open(self) -> None:
        """Terms, tax, metrics, plans, customers, subscriptions."""
        await self._call("PUT", "/organizations", {"organization": SHOP})
        vat = {"name": "VAT", "code": "vat", "rate": "20", "applied_to_organization": True}
        await self._call("POST", "/taxes", {"tax": vat})
        metrics = {}
        for direction in ("input", "output"):
            body = {
                "name": f"{direction.capitalize()} tokens",
                "code": f"{direction}_tokens",
                "aggregation_type": "sum_agg",
                "field_name": "tokens",
            }
            made = await self._call("POST", "/billable_metrics", {"billable_metric": body})
            metrics[direction] = made["billable_metric"]["lago_id"]
        for product in PRODUCTS:
            await self._sell(product, metrics)

    async def _sell(self, product: Product, metrics: dict[str, str]) -> None:
        plan = {
            "name": product.name,
            "code": product.code,
            "interval": "monthly",
            "amount_cents": product.base_cents,
            "amount_currency": "EUR",
            "pay_in_advance": False,
            "charges": [
                {"billable_metric_id": metrics["input"], **product.input_charge},
                {"billable_metric_id": metrics["output"], **product.output_charge},
            ],
        }
        await self._call("POST", "/plans", {"plan": plan})
        customer = {
            "external_id": product.code,
            "name": product.customer,
            "email": f"accounts@{product.code}.example",
            "address_line1": "88 Pine Street",
            "city": "Dublin",
            "zipcode": "D02 X285",
            "country": "IE",
        }
        await self._call("POST", "/customers", {"customer": customer})
        subscription = {
            "external_customer_id": product.code,
            "plan_code": product.code,
            "external_id": product.code,
        }
        await self._call("POST", "/subscriptions", {"subscription": subscription})

    async def meter(self, usage: dict[str, list[Request]], progress: Progress) -> None:
        """Send every request as two events, in batches."""
        total = 2 * sum(len(requests) for requests in usage.values())
        task = progress.add_task("Metering events", total=total)
        for code, requests in usage.items():
            for batch in batches(list(_events(code, requests))):
                await self._call("POST", "/events/batch", {"events": batch})
                progress.advance(task, len(batch))

    async def walk(self, start: datetime, months: int, progress: Progress) -> None:
        """Move the clock from month to month: each renewal is billed on the way."""
        task = progress.add_task("Walking the clock, months", total=months)
        for month in range(1, months + 1):
            year, index = divmod(start.year * 12 + start.month - 1 + month, 12)
            await self.seller.advance(datetime(year, index + 1, 1, 1, tzinfo=UTC))
            progress.advance(task)


SHOP = {
    "legal_name": f"{ORGANIZATION}, Inc.",
    "address_line1": "1200 Harbor Way, Suite 210",
    "city": "Oakland",
    "zipcode": "94607",
    "state": "CA",
    "country": "US",
    "tax_identification_number": "94-0000000",
    "net_payment_term": 30,
    "billing_configuration": {
        "invoice_footer": f"{ORGANIZATION}, Inc.\n1200 Harbor Way, Oakland, CA 94607\n\nbilling@fernwick.example"
    },
}


def _events(subscription: str, requests: Sequence[Request]) -> Iterator[dict[str, Any]]:
    for number, request in enumerate(requests):
        timestamp = f"{int(request.at.timestamp())}.{request.at.microsecond:06d}"
        for direction, tokens in (("input", request.input_tokens), ("output", request.output_tokens)):
            yield {
                "transaction_id": f"{subscription}-{number}-{direction}",
                "external_subscription_id": subscription,
                "code": f"{direction}_tokens",
                "timestamp": timestamp,
                "properties": {"tokens": tokens},
            }


async def _show(seller: Seller, settings: Settings, key: str, console: Console) -> None:
    table = Table("Invoice", "Customer", "Issued", title=f"Invoices of {ORGANIZATION}", title_justify="left")
    for name in ("Fees", "Tax", "Total"):
        table.add_column(name, justify="right")
    found = (await seller.call("GET", "/invoices"))["invoices"]
    invoices = sorted(found, key=lambda invoice: (invoice["issuing_date"], invoice["number"]))
    for invoice in invoices:
        amounts = (invoice["fees_amount_cents"], invoice["taxes_amount_cents"], invoice["total_amount_cents"])
        table.add_row(
            invoice["number"],
            invoice["customer"]["name"],
            invoice["issuing_date"],
            *(f"{fixed(major_units(cents, currency(invoice['currency'])), 2):,}" for cents in amounts),
        )
    console.print(table)
    largest = max(invoices, key=lambda invoice: int(invoice["total_amount_cents"]))
    made = await seller.call("POST", f"/invoices/{largest['lago_id']}/download")
    console.print(f"API key of this organization: {key}")
    console.print(
        f"PDF of {largest['number']}: {_file(settings, made['invoice']['file_url'])}", soft_wrap=True
    )


def _file(settings: Settings, url: str) -> str:
    """Where the document lies: the file itself in a local folder, else the link."""
    if settings.files_address is not None:
        return url
    path = httpx.URL(url).path.removeprefix("/files/")
    return str(absolute(settings.data_dir) / "files" / path)
