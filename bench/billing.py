"""A billing run: so many customers renewed by one advance of the clock; an idle year; and the PDF of one invoice.

By itself, `python -m bench.billing 1000 10000 100000` shows what an invoice costs in runs of these sizes: seconds by the clock, which
depend on what else the machine does, and processor time, which does not (of all processes: Tallymark's and its helpers', and those of
PostgreSQL), until the advance returns and after that: activity log, webhooks and whatever else follows in the background.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import Any

import psycopg
from rich.console import Console

from bench.clones import clone
from bench.processor import Spent, spent_so_far, wait_until_quiet
from bench.server import Server, running_server

METRICS = ("calls", "tokens", "seconds", "gigabytes", "seats")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a run took: seconds by the clock, and processor time until it returned and afterwards."""

    elapsed: float
    until_returned: Spent
    afterwards: Spent


def measure(server: Server, *, customers: int) -> dict[str, Any]:
    """Invoices a second, seconds of a year, and milliseconds of a first PDF and of the next ones.

    An invoice has a base price, the fees of five metrics, a tax, and a wallet that pays a part of it.
    """
    headers, cost = run(server, customers=customers)
    listed: Any = server.call("GET", "/api/v1/invoices?per_page=10", None, **headers)
    times = [_time_pdf(server, headers, row["lago_id"]) for row in listed["invoices"]]
    year = _idle_year(server, subscriptions=max(customers // 10, 10))
    return {
        **year,
        "invoices_per_second": round(customers / cost.elapsed, 1),
        "processor_ms_per_invoice": round(1000 * cost.until_returned.total / customers, 2),
        "processor_ms_per_invoice_afterwards": round(1000 * cost.afterwards.total / customers, 2),
        "first_pdf_ms": round(times[0], 1),
        "pdf_ms": round(sorted(times[1:])[len(times) // 2 - 1], 1),
    }


def run(server: Server, *, customers: int) -> tuple[dict[str, str], Cost]:
    """Renew so many customers by one advance of the clock; the organization's headers, and what it took.

    What falls due on the days before is done before.
    """
    headers = _sell(server, customers, credits="20")
    advance(server, headers, "2026-01-31T20:00:00Z")
    before, began = wait_until_quiet(server), time.perf_counter()
    advance(server, headers, "2026-02-01T01:00:00Z")
    elapsed, returned = time.perf_counter() - began, spent_so_far(server)
    cost = Cost(
        elapsed=elapsed,
        until_returned=returned - before,
        afterwards=wait_until_quiet(server) - returned,
    )
    listed: Any = server.call("GET", "/api/v1/invoices?per_page=100", None, **headers)
    assert listed["meta"]["total_count"] == customers, listed["meta"]
    assert {row["prepaid_credit_amount_cents"] for row in listed["invoices"]} == {2000}
    return headers, cost


def advance(server: Server, headers: dict[str, str], to: str) -> None:
    """Move an organization's clock; what falls due until then has happened when this returns."""
    server.call("POST", "/api/v1/test_clock/advance", {"test_clock": {"to": to}}, **headers)


def _idle_year(server: Server, *, subscriptions: int) -> dict[str, float]:
    """The clock of an organization moved over one year in which nothing happens but invoices."""
    headers = _sell(server, subscriptions)
    began = time.perf_counter()
    advance(server, headers, "2027-01-01T01:00:00Z")
    elapsed = time.perf_counter() - began
    return {
        "idle_year_subscriptions": subscriptions,
        "idle_year_seconds": round(elapsed, 1),
        "idle_year_invoices_per_second": round(12 * subscriptions / elapsed, 1),
    }


def _sell(server: Server, customers: int, *, credits: str | None = None) -> dict[str, str]:
    """An organization with customers who have used something, each with a wallet of so many credits where any are given.

    One is sold to over the API, the others are copies. Its headers.
    """
    key = server.new_organization("2026-01-01T00:00:00Z")
    headers = {"Authorization": f"Bearer {key}"}
    server.call(
        "POST", "/api/v1/taxes",
        {"tax": {"name": "VAT", "code": "vat", "rate": "20", "applied_to_organization": True}}, **headers,
    )  # fmt: skip
    charges = []
    for code in METRICS:
        metric = {"name": code, "code": code, "aggregation_type": "sum_agg", "field_name": "n"}
        made: Any = server.call("POST", "/api/v1/billable_metrics", {"billable_metric": metric}, **headers)
        charges.append(
            {
                "billable_metric_id": made["billable_metric"]["lago_id"],
                "charge_model": "standard",
                "properties": {"amount": "0.1"},
            }
        )
    plan = {
        "name": "p", "code": "p", "interval": "monthly", "amount_cents": 4900, "amount_currency": "EUR",
        "pay_in_advance": False, "charges": charges,
    }  # fmt: skip
    server.call("POST", "/api/v1/plans", {"plan": plan}, **headers)

    subscription = {"external_customer_id": "c", "plan_code": "p", "external_id": "c"}
    made = server.call("POST", "/api/v1/subscriptions", {"subscription": subscription}, **headers)
    events = [
        {"transaction_id": code, "external_subscription_id": "c", "code": code, "properties": {"n": 7}}
        for code in METRICS
    ]
    server.call("POST", "/api/v1/events/batch", {"events": events}, **headers)
    if credits is not None:
        wallet = {
            "external_customer_id": "c",
            "rate_amount": "1",
            "currency": "EUR",
            "granted_credits": credits,
        }
        server.call("POST", "/api/v1/wallets", {"wallet": wallet}, **headers)
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT organization_id FROM subscriptions WHERE id = %s", (made["subscription"]["lago_id"],)
        ).fetchone()
        assert found is not None
        clone(connection, str(found[0]), customers - 1)
        connection.execute("VACUUM ANALYZE")
    return headers


def _time_pdf(server: Server, headers: dict[str, str], invoice_id: str) -> float:
    began = time.perf_counter()
    server.call("POST", f"/api/v1/invoices/{invoice_id}/download", {}, **headers)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Print what an invoice costs in runs of several sizes, the smallest first, on one server."""
    console = Console()
    sizes = sorted(int(size) for size in sys.argv[1:]) or [1_000, 10_000]
    with running_server() as server:
        run(server, customers=200)  # what is compiled and cached once is, from here on
        for customers in sizes:
            with console.status(f"{customers:,} customers ..."):
                _, cost = run(server, customers=customers)
            console.print(
                f"{customers:,} invoices: {customers / cost.elapsed:.0f} a second; processor time of each "
                f"{cost.until_returned.each(customers)}, afterwards {cost.afterwards.each(customers)}"
            )


if __name__ == "__main__":
    main()
