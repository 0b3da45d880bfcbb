"""What a data export is (platform §14)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from tallymark.api.permissions import READ, Need, Right
from tallymark.domain.values import value

KEPT = timedelta(days=7)
"""How long an export and its file are there once it is done."""

TRIES = 8
"""How often writing a file may fail before its export has failed: over some four minutes, twice as long each time."""


class ResourceType(StrEnum):
    """What the rows of a file are."""

    INVOICES = "invoices"
    INVOICE_FEES = "invoice_fees"
    CREDIT_NOTES = "credit_notes"
    CREDIT_NOTE_ITEMS = "credit_note_items"
    JOURNAL_LINES = "journal_lines"


class Format(StrEnum):
    """What a file is written in."""

    CSV = "csv"


class Status(StrEnum):
    """How far an export is: it begins anew for as long as it is neither completed nor failed."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


UNDER_WAY = (Status.PENDING, Status.PROCESSING)

_OF_INVOICES = Need((Right(READ, "invoice"),), frozenset(["invoices:export"]))
_OF_CREDIT_NOTES = Need((Right(READ, "credit_note"),), frozenset(["credit_notes:export"]))

NEEDS = {
    ResourceType.INVOICES: _OF_INVOICES,
    ResourceType.INVOICE_FEES: _OF_INVOICES,
    ResourceType.CREDIT_NOTES: _OF_CREDIT_NOTES,
    ResourceType.CREDIT_NOTE_ITEMS: _OF_CREDIT_NOTES,
    ResourceType.JOURNAL_LINES: _OF_INVOICES,
}
"""What it takes to have something exported, and to see that it was: of a key to read it, of a person to export it."""


@value
class Asked:
    """What is to be exported; `filters` are names and values of the list's own query, the link goes to `email`."""

    resource_type: ResourceType
    format: Format
    filters: Mapping[str, Any]
    email: str | None


@value
class DataExport:
    """An export, and how far it is; the total is not known before it has begun."""

    id: UUID
    resource_type: ResourceType
    format: Format
    filters: Mapping[str, Any]
    status: Status
    rows_written: int
    rows_total: int | None
    error: str | None
    file_key: str | None
    api_key_id: UUID | None
    user_email: str | None
    email: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    expires_at: datetime

    @property
    def file_name(self) -> str:
        """`<YYYYMMDDHHMMSS>_<type>.csv`, of when it was asked for in UTC."""
        return f"{self.created_at:%Y%m%d%H%M%S}_{self.resource_type}.{self.format}"

    @property
    def key(self) -> str:
        """Where its file is kept, however often it is written."""
        return f"data_exports/{self.id}/{self.file_name}"

    @property
    def progress(self) -> int:
        """Whole percents of its rows that are written; 100 only once the file is there."""
        if self.status is Status.COMPLETED:
            return 100
        return min(self.rows_written * 100 // self.rows_total, 99) if self.rows_total else 0

    def readable_key(self, now: datetime) -> str | None:
        """Where to read its file; None before it is there and once it is not to be read any more."""
        return self.file_key if now < self.expires_at else None


@value
class Expired:
    """An export that is over, and where its file may be."""

    organization_id: UUID
    export: DataExport
