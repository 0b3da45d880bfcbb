"""How data exports look on the wire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.pagination import Meta
from tallymark.api.wire import Input, Instant, NotEmpty, OptionalText, one_of
from tallymark.rooms.data_exports.filters import read_filters
from tallymark.rooms.data_exports.model import Asked, DataExport, Format, ResourceType, Status
from tallymark.rooms.users.model import read_address


class DataExportInput(Input):
    resource_type: Annotated[ResourceType, one_of(*ResourceType)]
    format: Annotated[Format, one_of(*Format)] = Format.CSV
    filters: dict[str, Any] | None = None
    email: OptionalText = None

    def to_value(self) -> Asked:
        """What is asked for. Raises `Invalid` for filters that the list has not, and for an address that is none."""
        filters = self.filters or {}
        read_filters(self.resource_type, filters)
        return Asked(
            resource_type=self.resource_type,
            format=self.format,
            filters=filters,
            email=read_address(self.email) if self.email is not None else None,
        )


class DataExportRequest(BaseModel):
    data_export: Annotated[DataExportInput, NotEmpty]


class DataExportOutput(BaseModel):
    lago_id: UUID
    resource_type: ResourceType
    format: Format
    filters: dict[str, Any]
    status: Status
    progress: int
    rows_written: int
    rows_total: int | None
    error: str | None
    file_name: str
    file_url: str | None
    lago_api_key_id: UUID | None
    user_email: str | None
    email: str | None
    created_at: Instant
    started_at: Instant | None
    completed_at: Instant | None
    expires_at: Instant

    @classmethod
    def of(
        cls, export: DataExport, link: Callable[[str | None], str | None], *, now: datetime
    ) -> DataExportOutput:
        """Show an export as it stands at `now`."""
        same = (
            "resource_type", "format", "status", "progress", "rows_written", "rows_total", "error", "file_name",
            "user_email", "email", "created_at", "started_at", "completed_at", "expires_at",
        )  # fmt: skip
        return cls(
            **{name: getattr(export, name) for name in same},
            lago_id=export.id,
            lago_api_key_id=export.api_key_id,
            filters=dict(export.filters),
            file_url=link(export.readable_key(now)),
        )


class DataExportResponse(BaseModel):
    data_export: DataExportOutput


class DataExportsResponse(BaseModel):
    data_exports: list[DataExportOutput]
    meta: Meta
