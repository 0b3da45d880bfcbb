"""Which entries a list is asked for, read from its query (beyond.md §4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from tallymark.api.queries import reads, through
from tallymark.domain.errors import Problems
from tallymark.domain.journal import Account
from tallymark.domain.periods import parse_instant
from tallymark.rooms.journal.model import DocumentType, Filters

FILTERS = reads(
    "from", "to", "account", "currency", "external_customer_id", "document_type", "document_id",
)  # fmt: skip


def read_filters(query: Mapping[str, str]) -> Filters:
    """The filters of a list; empty ones are none. Raises `Invalid` for each that cannot be read."""
    problems = Problems()

    def read(name: str, parse: Callable[[str], Any], code: str = "value_is_invalid") -> Any:
        text = query.get(name)
        try:
            return parse(text) if text else None
        except ValueError:
            problems.add(name, code)
            return None

    filters = Filters(
        posted_from=read("from", lambda text: _instant(text, time.min), "invalid_date"),
        posted_to=read("to", lambda text: through(_instant(text, time.max)), "invalid_date"),
        accounts=read("account", _accounts),
        currency=read("currency", str.upper),
        external_customer_id=query.get("external_customer_id") or None,
        document_type=read("document_type", DocumentType),
        document_id=read("document_id", UUID),
    )
    problems.raise_any()
    return filters


def _instant(text: str, of_day: time) -> datetime:
    """An instant, or the first or last one of a day."""
    try:
        return datetime.combine(date.fromisoformat(text), of_day, UTC)
    except ValueError:
        return parse_instant(text)


def _accounts(text: str) -> frozenset[Account]:
    found = frozenset(account for account in Account if account == text or account.startswith(f"{text}."))
    if not found:
        raise ValueError(f"there is no account {text}")
    return found
