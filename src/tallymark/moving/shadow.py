"""Hold the invoices of two systems against each other, to the cent: what one would have billed, and what the other did."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from tallymark.integrations.lago import LagoApi, path_of
from tallymark.moving.likeness import plain
from tallymark.moving.sides import Source, Target
from tallymark.rooms.takeovers import service as takeovers

Json = dict[str, Any]
AMOUNTS = (
    "fees_amount_cents", "coupons_amount_cents", "progressive_billing_credit_amount_cents", "taxes_amount_cents",
    "total_amount_cents",
)  # fmt: skip
CREDITS = ("credit_notes_amount_cents", "prepaid_credit_amount_cents")
"""Compared as one: what is left of a credit note moves into a wallet."""

FEE_AMOUNTS = ("amount_cents", "taxes_amount_cents", "units")
COMPARED = ("draft", "finalized", "pending", "failed")
"""Statuses of invoices that bill something, or will."""


class Key(NamedTuple):
    """What two invoices of two systems have in common: the type, and what they bill of which subscriptions."""

    invoice_type: str
    periods: tuple[tuple[str, ...], ...]
    event: str

    def __str__(self) -> str:
        parts = [" ".join(part for part in period if part) for period in self.periods]
        return ", ".join([self.invoice_type, *parts, *([self.event] if self.event else [])])


class Mismatch(NamedTuple):
    """An amount that is not the same in both; None where one has no such invoice, or no such fee."""

    customer: str
    invoice: str
    line: str
    there: Any
    here: Any


@dataclass(slots=True)
class Comparison:
    """What was compared, and what is not the same."""

    customers: int = 0
    equal: int = 0
    unequal: int = 0
    mismatches: list[Mismatch] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Customers of the source that have not moved."""

    @property
    def is_equal(self) -> bool:
        """Whether both bill the same."""
        return not self.mismatches

    def as_json(self) -> Json:
        """The same for programs."""
        return {
            "equal": self.is_equal,
            "customers": self.customers,
            "invoices": {"equal": self.equal, "different": self.unequal},
            "differences": [
                {"customer": one.customer, "invoice": one.invoice, "line": one.line, "source": one.there,
                 "target": one.here}
                for one in self.mismatches
            ],
            "customers_not_moved": self.missing,
        }  # fmt: skip

    def show(self, console: Console) -> None:
        """The same for people."""
        if self.mismatches:
            table = Table("customer", "invoice", "line", box=None, header_style="bold", padding=(0, 2, 0, 0))
            for name in ("there", "here"):
                table.add_column(name, justify="right")
            for one in self.mismatches:
                told = ("-" if value is None else str(value) for value in (one.there, one.here))
                table.add_row(one.customer, one.invoice, one.line, *told)
            console.print(table)
        compared = self.equal + self.unequal
        verdict = f"{self.unequal:,} different" if self.mismatches else "the same to the cent"
        verdict = verdict if compared else "nothing was billed since the move"
        console.print(f"{self.customers:,} customers, {self.equal + self.unequal:,} invoices: {verdict}")
        if self.missing:
            console.print(f"Not moved, and not compared: {', '.join(self.missing)}", soft_wrap=True)


@dataclass(slots=True, kw_only=True)
class Shadow:
    """Compares the customers who have moved: invoices that were made after that, or were issued in a given time."""

    source: Source
    target: Target
    since: date | None = None
    until: date | None = None
    tell: Callable[[str, int, int], None] = lambda _kind, _done, _total: None

    async def run(self) -> Comparison:
        """Read both systems. Raises `StartupError` where the source can't be reached."""
        found = Comparison()
        async with self.target.database.tenant(self.target.organization_id) as tx:
            moved = await takeovers.moved_customers(tx, self.source.name)
        everybody = [
            row["external_id"] async for row in self.source.api.oldest_first("customers", "customers")
        ]
        found.missing = [one for one in everybody if one not in moved]
        here = [one for one in everybody if one in moved]
        for done, external_id in enumerate(here, 1):
            await self._compare(found, external_id, moved[external_id].noted_at)
            self.tell("customers", done, len(here))
        return found

    async def _compare(self, found: Comparison, external_id: str, moved_at: datetime) -> None:
        there = await self._invoices(self.source.api, external_id, moved_at)
        here = await self._invoices(self.target.api, external_id, moved_at)
        found.customers += 1
        for key in dict.fromkeys((*there, *here)):
            for one, other in _pairs(there.get(key, ()), here.get(key, ())):
                mismatches = list(compare(external_id, key, one, other))
                found.mismatches += mismatches
                found.equal += not mismatches
                found.unequal += bool(mismatches)

    async def _invoices(self, api: LagoApi, external_id: str, moved_at: datetime) -> dict[Key, list[Json]]:
        """A customer's invoices that are compared, whole, by what they bill; the oldest first."""
        since = self.since or (moved_at - timedelta(days=2)).date()
        query: dict[str, str | int | list[str]] = {
            "external_customer_id": external_id,
            "issuing_date_from": since.isoformat(),
        }
        if self.until is not None:
            query["issuing_date_to"] = self.until.isoformat()
        found: dict[Key, list[Json]] = defaultdict(list)
        async for row in api.oldest_first("invoices", "invoices", **query):
            is_ours = datetime.fromisoformat(row["created_at"]) > moved_at
            if is_ours and row["status"] in COMPARED:
                whole = (await api.get(path_of("invoices", row["lago_id"])))["invoice"]
                found[key_of(whole)].append(whole)
        return found


def key_of(invoice: Json) -> Key:
    """By what an invoice is found in the other system."""
    periods = sorted(
        (
            period["external_subscription_id"],
            str(period.get("invoicing_reason") or ""),
            str(period.get("subscription_from_datetime") or ""),
            str(period.get("charges_from_datetime") or ""),
        )
        for period in invoice.get("billing_periods") or ()
    )
    events = {fee.get("event_transaction_id") or "" for fee in invoice.get("fees") or ()}
    event = events.pop() if len(events) == 1 else ""
    if not periods and not event:
        # What bills no period is of its day: one-off invoices and bought credits.
        event = str(invoice["issuing_date"])
    return Key(invoice["invoice_type"], tuple(periods), event)


def _pairs(there: Sequence[Json], here: Sequence[Json]) -> Iterator[tuple[Json | None, Json | None]]:
    for position in range(max(len(there), len(here))):
        yield (
            there[position] if position < len(there) else None,
            here[position] if position < len(here) else None,
        )


def compare(customer: str, key: Key, there: Json | None, here: Json | None) -> Iterator[Mismatch]:
    """Where two invoices differ: fee by fee, then what is taken off, taxes and the total."""
    name = str(key)
    if there is None or here is None:
        totals = (
            invoice and f"{invoice['number']}: {invoice['total_amount_cents']}" for invoice in (there, here)
        )
        yield Mismatch(customer, name, "invoice", *totals)
        return
    fees_there, fees_here = _fees(there), _fees(here)
    for line in dict.fromkeys((*fees_there, *fees_here)):
        one, other = fees_there.get(line), fees_here.get(line)
        if one is None or other is None:
            yield Mismatch(customer, name, line, one and one["amount_cents"], other and other["amount_cents"])
            continue
        for amount in FEE_AMOUNTS:
            if plain(one[amount]) != plain(other[amount]):
                yield Mismatch(customer, name, f"{line}, {amount}", one[amount], other[amount])
    for field_ in AMOUNTS:
        if plain(there.get(field_) or 0) != plain(here.get(field_) or 0):
            yield Mismatch(customer, name, field_, there.get(field_), here.get(field_))
    credits = [sum(int(invoice.get(part) or 0) for part in CREDITS) for invoice in (there, here)]
    if credits[0] != credits[1]:
        yield Mismatch(customer, name, "credit notes and prepaid credits", *credits)
    if there["currency"] != here["currency"]:
        yield Mismatch(customer, name, "currency", there["currency"], here["currency"])


def _fees(invoice: Json) -> dict[str, Json]:
    """An invoice's fees by what they are for; what has the same name is told apart by its place among them."""
    found: dict[str, Json] = {}
    for fee in sorted(invoice.get("fees") or (), key=_place):
        name = " ".join(_named(fee))
        again = sum(1 for known in found if known == name or known.startswith(f"{name} #"))
        found[f"{name} #{again + 1}" if again else name] = fee
    return found


def _place(fee: Json) -> tuple[str, ...]:
    return (*_named(fee), str(fee.get("from_date") or ""), str(fee.get("amount_cents")))


def _named(fee: Json) -> Iterable[str]:
    """Subscription, type, code, filter and group of a fee."""
    item = fee.get("item") or {}
    parts = [str(fee.get("external_subscription_id") or ""), str(item.get("type")), str(item.get("code"))]
    if fee.get("lago_true_up_parent_fee_id"):
        parts.append("true-up")
    parts.append(_told(item.get("filters")) or str(item.get("filter_invoice_display_name") or ""))
    parts.append(_told(item.get("grouped_by")))
    return [part for part in parts if part]


def _told(values: Mapping[str, Any] | None) -> str:
    return " ".join(
        f"{key}={','.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in sorted((values or {}).items())
    )
