"""How custom sections look on the wire."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tallymark.api.wire import Instant
from tallymark.rooms.invoice_custom_sections.model import Section


class SectionOutput(BaseModel):
    lago_id: UUID
    code: str
    name: str
    description: str | None
    details: str | None
    display_name: str | None
    organization_id: UUID
    created_at: Instant

    @classmethod
    def of(cls, section: Section) -> SectionOutput:
        """Show a section."""
        return cls(
            lago_id=section.id,
            code=section.code,
            name=section.name,
            description=section.description,
            details=section.details,
            display_name=section.display_name,
            organization_id=section.organization_id,
            created_at=section.created_at,
        )
