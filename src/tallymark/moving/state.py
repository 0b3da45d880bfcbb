"""What a customer has elsewhere at this moment, and why it can't be moved yet where it can't."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tallymark.domain.periods import local_date
from tallymark.integrations.lago import LagoApi, path_of, together

Json = dict[str, Any]
ONE_DAY = timedelta(days=1)
UNFINISHED = ("draft", "pending", "failed")
"""Statuses of invoices that will still draw on coupons, credit notes and wallets where they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All that hangs on a customer. Subscriptions are whole answers; wallets come with the transactions that came in."""

    customer: Json
    subscriptions: list[Json]
    waiting: list[Json]
    ended: list[Json]
    incomplete: int
    wallets: list[tuple[Json, list[Json]]]
    coupons: list[Json]
    notes: list[Json]
    unfinished: int
    progressive: list[Json]
    recent: list[Json]
    """Invoices of the last days."""

    def reasons_to_wait(self, now: datetime) -> Iterator[str]:
        """Why the customer stays where they are: something is under way there that would be billed, or spent, twice."""
        if self.unfinished:
            yield f"{self.unfinished} of their invoices are not final yet: they will still draw on what would have moved"
        if self.incomplete:
            yield f"{self.incomplete} of their subscriptions wait for a payment"
        pending = sum(one["status"] == "pending" for _, inbound in self.wallets for one in inbound)
        if pending:
            yield f"{pending} purchases of credits are not paid yet"
        for found in self.subscriptions:
            yield from self._reasons_of(found, now)

    def _reasons_of(self, found: Json, now: datetime) -> Iterator[str]:
        begun = instant(found["current_billing_period_started_at"])
        if begun is None:
            return
        first_day = local_date(begun, ZoneInfo(self.customer.get("applicable_timezone") or "UTC"))
        if any(date.fromisoformat(one["issuing_date"]) >= first_day for one in self.progressive):
            until = found["current_billing_period_ending_at"]
            yield f"usage of {found['external_id']} was billed progressively in the period that runs until {until}"
        is_new = begun > (instant(found["started_at"]) or begun)
        if is_new and now - begun < ONE_DAY and not any(made_at(one) >= begun for one in self.recent):
            yield f"{found['external_id']} has a billing day today that has not been invoiced"


def instant(text: str | None) -> datetime | None:
    """An instant of an answer."""
    return datetime.fromisoformat(text) if text else None


def made_at(wire: Json) -> datetime:
    """When an object was made."""
    return datetime.fromisoformat(wire["created_at"])


STATUSES = ("active", "pending", "incomplete", "terminated")


async def read_state(api: LagoApi, external_id: str, *, now: datetime) -> State:
    """Read all that a customer has: who and what first, then what was made of it, so that nothing of it is younger than its cause."""
    who = {"external_customer_id": external_id}
    subscriptions = (_all(api, "subscriptions", **who, **{"status[]": status}) for status in STATUSES)
    (customer,), active, pending, incomplete, ended = await together(_one(api, external_id), *subscriptions)
    whole = await together(
        *(_whole(api, row, "active") for row in active), *(_whole(api, row, "pending") for row in pending)
    )
    running, waiting = whole[: len(active)], whole[len(active) :]
    begun = [instant(one["current_billing_period_started_at"]) or now for one in running]
    since = (min([now, *begun]) - 2 * ONE_DAY).date().isoformat()
    lately = (now - 3 * ONE_DAY).date().isoformat()
    progressive = {"invoice_type": "progressive_billing", "issuing_date_from": since}
    recent, billed, notes, coupons = await together(
        _newest(api, "invoices", **who, issuing_date_from=lately),
        _newest(api, "invoices", **who, **progressive),
        api.any_of("credit_notes", "credit_notes", **who),
        api.any_of("applied_coupons", "applied_coupons", **who),
    )
    unfinished = await together(
        *(api.count("invoices", "invoices", **who, status=status) for status in UNFINISHED)
    )
    return State(
        customer=customer,
        subscriptions=running,
        waiting=waiting,
        ended=ended,
        incomplete=len(incomplete),
        wallets=await _wallets(api, who),
        coupons=coupons,
        notes=[row for row in notes if _is_open(row)],
        unfinished=sum(unfinished),
        progressive=[row for row in billed if row["status"] != "voided"],
        recent=recent,
    )


async def _one(api: LagoApi, external_id: str) -> list[Json]:
    return [(await api.get(path_of("customers", external_id)))["customer"]]


async def _all(api: LagoApi, root: str, **query: str) -> list[Json]:
    return [row async for row in api.oldest_first(root, root, **query)]


async def _newest(api: LagoApi, root: str, **query: str) -> list[Json]:
    return [row async for row in api.newest_first(root, root, **query)]


async def _wallets(api: LagoApi, who: dict[str, str]) -> list[tuple[Json, list[Json]]]:
    """Those that can be spent, each with what came in."""
    found = [row for row in await _all(api, "wallets", **who) if row["status"] == "active"]
    return list(zip(found, await together(*(_inbound(api, wallet) for wallet in found)), strict=True))


async def _whole(api: LagoApi, row: Json, status: str) -> Json:
    found: Json = (await api.get(path_of("subscriptions", row["external_id"]), status=status))["subscription"]
    return found


async def _inbound(api: LagoApi, wallet: Json) -> list[Json]:
    path = path_of("wallets", wallet["lago_id"], "wallet_transactions")
    return [
        row
        async for row in api.oldest_first(path, "wallet_transactions")
        if row["transaction_type"] == "inbound"
    ]


def _is_open(note: Json) -> bool:
    """Whether there is something left of a credit note."""
    return note.get("credit_status") == "available" and int(note.get("balance_amount_cents") or 0) > 0
