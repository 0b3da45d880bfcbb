"""How the database finds what is read most: `python -m bench.plans` writes docs/query-plans.md.

The reads are run as the application runs them, on two organizations of which the one asked about has a twentieth of the
rows; each statement is then explained with the values it had.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
from rich.console import Console
from sqlalchemy import event, select

from bench.clones import CLONED, clone
from bench.server import ADMIN_KEY, Server, running_server
from tallymark.app import Running, running
from tallymark.db.engine import Tx
from tallymark.db.tables import customers
from tallymark.jobs import agenda
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.credit_notes import repository as credit_notes
from tallymark.rooms.wallets.repository import wallets
from tallymark.settings import Settings

PAGE = Path("docs/query-plans.md")
COPIES, COPIES_OF_OTHERS = 200, 4_000
MONTHS = ("2026-02-01T01:00:00Z", "2026-03-01T01:00:00Z", "2026-03-20T00:00:00Z")
NEXT_MONTH = datetime(2026, 4, 2, tzinfo=UTC)
LATER = "interval '20 years'"
FEW_ROWS = 2_000
"""A table of fewer rows is read whole with good reason."""

Statements = list[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Access:
    """One visit of a table: how, by which index, and how many rows it gave and threw away."""

    table: str
    how: str
    index: str
    rows: int
    removed: int


@dataclass(frozen=True, slots=True)
class Explained:
    """A statement's milliseconds, and the tables that it visits."""

    statement: str
    milliseconds: float
    visits: tuple[Access, ...]


def main() -> None:
    """Fill a database, explain the reads, write the page."""
    console = Console()
    with running_server() as server, console.status("filling ...") as status:
        ours, others = _fill(server, copies=COPIES), _fill(server, copies=COPIES_OF_OTHERS)
        sizes = _settle(server, others)
        status.update("explaining ...")
        found = asyncio.run(_explain_all(server, ours))
    page = _page(sizes, found)
    PAGE.write_text(page)
    for name, explained in found.items():
        for one in explained:
            for visit in one.visits:
                if visit.how == "Seq Scan" and sizes.get(visit.table, 0) > FEW_ROWS:
                    console.print(f"[red]{name} reads all of {visit.table}[/red]")
    console.print(f"Written to {PAGE}")


def _fill(server: Server, *, copies: int) -> tuple[UUID, str]:
    """An organization with one customer lived through by the API, and copies of it; its id and its key."""
    key = server.new_organization("2026-01-01T00:00:00Z")
    headers = {"Authorization": f"Bearer {key}"}

    def post(path: str, body: object) -> Any:
        return server.call("POST", f"/api/v1{path}", body, **headers)

    metric = {"name": "Tokens", "code": "tokens", "aggregation_type": "sum_agg", "field_name": "tokens"}
    made = post("/billable_metrics", {"billable_metric": metric})["billable_metric"]
    charge = {
        "billable_metric_id": made["lago_id"],
        "charge_model": "standard",
        "properties": {"amount": "1"},
    }
    plan = {
        "name": "p", "code": "p", "interval": "monthly", "amount_cents": 1000, "amount_currency": "EUR",
        "pay_in_advance": False, "charges": [charge] * 3,
    }  # fmt: skip
    post("/plans", {"plan": plan})
    customer = post("/customers", {"customer": {"external_id": "c", "name": "c", "currency": "EUR"}})[
        "customer"
    ]
    coupon = {
        "name": "c", "code": "c", "coupon_type": "fixed_amount", "amount_cents": 1, "amount_currency": "EUR",
        "frequency": "forever", "expiration": "no_expiration",
    }  # fmt: skip
    post("/coupons", {"coupon": coupon})
    post("/applied_coupons", {"applied_coupon": {"external_customer_id": "c", "coupon_code": "c"}})
    wallet = {
        "external_customer_id": "c", "name": "w", "rate_amount": "1", "currency": "EUR", "granted_credits": "100",
    }  # fmt: skip
    post("/wallets", {"wallet": wallet})
    post(
        "/subscriptions",
        {"subscription": {"external_customer_id": "c", "plan_code": "p", "external_id": "s"}},
    )
    for month, to in enumerate(MONTHS):
        events = [
            {
                "transaction_id": f"{month}-{n}",
                "external_subscription_id": "s",
                "code": "tokens" if n else "unknown",
                "properties": {"tokens": 1} if n > 1 else {},
            }
            for n in range(10)
        ]
        post("/events/batch", {"events": events})
        post("/test_clock/advance", {"test_clock": {"to": to}})
    _credit(server, headers)
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT organization_id FROM customers WHERE id = %s", (customer["lago_id"],)
        ).fetchone()
        assert found is not None
        clone(connection, str(found[0]), copies)
    return found[0], key


def _credit(server: Server, headers: dict[str, str]) -> None:
    """A credit note on an invoice that was paid by hand."""
    (last, *_) = _read(server, headers, "/invoices")["invoices"]
    invoice = _read(server, headers, f"/invoices/{last['lago_id']}")["invoice"]
    due = invoice["total_due_amount_cents"]
    if due:
        payment = {"invoice_id": invoice["lago_id"], "amount_cents": due, "reference": "wire"}
        server.call("POST", "/api/v1/payments", {"payment": payment}, **headers)
    fee = next(one for one in invoice["fees"] if one["amount_cents"] >= 100)
    note = {
        "invoice_id": invoice["lago_id"],
        "items": [{"fee_id": fee["lago_id"], "amount_cents": 10}],
        "credit_amount_cents": 10,
    }
    server.call("POST", "/api/v1/credit_notes", {"credit_note": note}, **headers)


def _read(server: Server, headers: dict[str, str], path: str) -> Any:
    return server.call("GET", f"/api/v1{path}", None, **headers)


def _settle(server: Server, others: tuple[UUID, str]) -> dict[str, int]:
    """Have the others' work look like a live organization's, far from now; rows of each table."""
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE agenda SET is_simulated = false, due_at = due_at + interval '20 years',"
            " run_at = run_at + interval '20 years' WHERE organization_id = %s", (others[0],)
        )  # fmt: skip
        connection.execute("VACUUM ANALYZE")
        counted = connection.execute(
            "SELECT relname, reltuples::bigint FROM pg_class WHERE relkind IN ('r', 'p')"
        )
        return {name: int(rows) for name, rows in counted.fetchall()}


async def _explain_all(server: Server, ours: tuple[UUID, str]) -> dict[str, list[Explained]]:
    organization_id, key = ours
    found: dict[str, list[Explained]] = {}
    with tempfile.TemporaryDirectory() as folder:
        options = Settings(admin_api_key=ADMIN_KEY, data_dir=Path(folder))
        async with running(options, server.database_url) as application:
            async with _client(application, key) as client:
                for name, path in PATHS.items():
                    with _noted(application) as statements:
                        answer = await client.get(path)
                    assert answer.status_code == 200, answer.text
                    found[name] = await _explain(application, organization_id, statements)
            for name, read in READS.items():
                async with application.database.tenant(organization_id, is_simulated=True) as tx:
                    wave = list((await tx.execute(select(customers.c.id).limit(100))).scalars())
                    with _noted(application) as statements:
                        await read(tx, wave)
                found[name] = await _explain(application, organization_id, statements)
            async with application.database.system() as connection:
                with _noted(application) as statements:
                    await agenda.due_owners(connection, now=NEXT_MONTH.replace(year=2046))
            found["due owners"] = await _explain(application, None, statements)
    return found


PATHS = {
    "current usage": "/customers/c/current_usage?external_subscription_id=s",
    "events": "/events",
    "events of a code and a subscription": "/events?code=tokens&external_subscription_id=s",
    "unmatched events": "/events?unmatched=true",
    "unmatched events of a subscription": "/events?unmatched=true&external_subscription_id=s",
    "invoices": "/invoices",
    "invoices of a customer": "/invoices?external_customer_id=c",
    "fees": "/fees",
    "fees of a customer": "/fees?external_customer_id=c",
}


async def _look_and_take(tx: Tx, wave: list[UUID]) -> None:
    (first, *_) = await agenda.look(tx, until=NEXT_MONTH)
    await agenda.take(tx, first)
    await agenda.look(tx, until=NEXT_MONTH, owner_id=wave[0])


async def _coupons(tx: Tx, wave: list[UUID]) -> None:
    assert await coupons.usable(tx, wave)


async def _wallets(tx: Tx, wave: list[UUID]) -> None:
    assert await wallets.usable_of(tx, wave, at=NEXT_MONTH)


async def _credit_notes(tx: Tx, wave: list[UUID]) -> None:
    assert await credit_notes.available(tx, wave)


READS: dict[str, Callable[[Tx, list[UUID]], Awaitable[None]]] = {
    "agenda: look and take": _look_and_take,
    "coupons of a wave": _coupons,
    "wallets of a wave": _wallets,
    "credit notes of a wave": _credit_notes,
}


@asynccontextmanager
async def _client(application: Running, key: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(application.asgi)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://bench/api/v1", headers=headers, timeout=60
    ) as client:
        yield client


@contextmanager
def _noted(application: Running) -> Iterator[Statements]:
    """The statements that run meanwhile, with their values."""
    statements: Statements = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if re.match(r"\s*(SELECT|WITH)\b", statement) and "set_config" not in statement:
            statements.append((statement, values))

    engine = application.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def _explain(
    application: Running, organization_id: UUID | None, statements: Statements
) -> list[Explained]:
    explained = []
    opened = (
        application.database.system()
        if organization_id is None
        else application.database.tenant(organization_id)
    )
    async with opened as entered:
        connection = entered.connection if isinstance(entered, Tx) else entered
        for statement, values in statements:
            answer = await connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}", values
            )
            (plan,) = answer.scalar_one()
            visits = tuple(_visits(plan["Plan"], "", ""))
            explained.append(Explained(" ".join(statement.split()), plan["Execution Time"], visits))
    return explained


def _visits(node: dict[str, Any], table: str, index: str) -> Iterator[Access]:
    table = node.get("Relation Name", table)
    if "Relation Name" in node:
        inner = [one.get("Index Name", "") for one in _below(node)]
        index = node.get("Index Name") or ", ".join(name for name in inner if name)
        loops = node["Actual Loops"]
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        yield Access(
            table, node["Node Type"], index, round(node["Actual Rows"] * loops), round(removed * loops)
        )
    for below in node.get("Plans", ()):
        if below["Node Type"] not in ("Bitmap Index Scan", "BitmapOr", "BitmapAnd"):
            yield from _visits(below, table, index)


def _below(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for below in node.get("Plans", ()):
        if below["Node Type"] in ("Bitmap Index Scan", "BitmapOr", "BitmapAnd"):
            yield below
            yield from _below(below)


def _page(sizes: dict[str, int], found: dict[str, list[Explained]]) -> str:
    rows = ", ".join(f"{table.name} {sizes[table.name]:,}" for table in CLONED if sizes[table.name] > 0)
    lines = [
        "# Query plans",
        "",
        "Made by `python -m bench.plans` (in `.venv/bin`): the reads that are run most, as PostgreSQL runs them for an organization",
        f"that has a twentieth of the rows. Rows in all: {rows}.",
        "",
        f"A table of fewer than {FEW_ROWS:,} rows is left out. *Gave* and *dropped* are rows of all rounds together.",
    ]
    for name, explained in found.items():
        spent = sum(one.milliseconds for one in explained)
        lines += [
            "",
            f"## {name[0].upper()}{name[1:]}",
            "",
            f"{len(explained)} statements, {spent:.1f} ms.",
            "",
        ]
        lines += ["| table | how | index | gave | dropped |", "|---|---|---|---|---|"]
        visits = [visit for one in explained for visit in one.visits]
        lines += [
            f"| {visit.table} | {visit.how} | {visit.index} | {visit.rows:,} | {visit.removed:,} |"
            for visit in visits
            if sizes.get(visit.table, 0) >= FEW_ROWS
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
