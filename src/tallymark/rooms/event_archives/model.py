"""What an archive is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from tallymark.domain.values import value


class ArchiveStatus(StrEnum):
    """Where an archive stands."""

    LEAVING = "leaving"
    """Its events are out of the way, in a table of their own, and not all of its files are kept."""
    ARCHIVED = "archived"
    """Its events are in its files alone."""
    RESTORED = "restored"
    """Its events are back; its files are kept."""


@value
class ArchiveFile:
    """A file of an archive: one organization's events in order of stream and time."""

    organization_id: UUID
    key: str
    events: int
    bytes: int
    sha256: str


@value
class Archive:
    """Events of a month that left the database together; `month` is its first day."""

    id: UUID
    month: date
    status: ArchiveStatus
    events_count: int
    files: Sequence[ArchiveFile]
    created_at: datetime
    archived_at: datetime | None
    restored_at: datetime | None

    @property
    def table(self) -> str:
        """Where its events are while they leave."""
        return f"leaving_events_{self.id.hex}"


@value
class ArchivedEvent:
    """An event as it is kept: every column, and what its stream's number stands for. Below zero it was in no stream.

    What its sender's number stands for stays in the database alone, where it can be forgotten.
    """

    organization_id: UUID
    external_subscription_id: str
    code: str
    stream_id: int
    id: UUID
    transaction_id: str
    timestamp: datetime
    created_at: datetime
    occurred_at: datetime | None
    properties: str
    precise_total_amount_cents: Decimal | None
    sender_id: int | None


def first_instant(month: date) -> datetime:
    """When a month begins: months of events are those of UTC."""
    return datetime.combine(month, time(), UTC)


def next_month(month: date) -> date:
    """The first day of the month after one.

    >>> next_month(date(2025, 12, 1))
    datetime.date(2026, 1, 1)
    """
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months_before(month: date, count: int) -> date:
    """The first day of the month that lies so many before one.

    >>> months_before(date(2026, 2, 1), 14)
    datetime.date(2024, 12, 1)
    """
    number = month.year * 12 + month.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)


def size_of(files: Iterable[ArchiveFile]) -> int:
    """Bytes of some files."""
    return sum(file.bytes for file in files)
