"""How custom sections look on the wire."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID, uuid5

from pydantic import BaseModel

from tallymark.api.pagination import Meta
from tallymark.api.wire import Input, Instant, Name, NotEmpty, OptionalText, at_most
from tallymark.rooms.invoice_custom_sections.model import Section


class SectionOutput(BaseModel):
    lago_id: UUID
    code: str
    name: str
    description: str | None
    details: str | None
    display_name: str | None
    applied_to_organization: bool
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
            applied_to_organization=section.applied_to_organization,
            organization_id=section.organization_id,
            created_at=section.created_at,
        )


class SectionUpdateInput(Input):
    name: Annotated[Name, at_most(255)] = ""
    code: Annotated[Name, at_most(255)] = ""
    description: Annotated[OptionalText, at_most(600)] = None
    display_name: Annotated[OptionalText, at_most(255)] = None
    details: Annotated[OptionalText, at_most(10_000)] = None


class SectionCreateInput(SectionUpdateInput):
    name: Annotated[Name, at_most(255)]
    code: Annotated[Name, at_most(255)]


class SectionCreateRequest(BaseModel):
    invoice_custom_section: Annotated[SectionCreateInput, NotEmpty]


class SectionUpdateRequest(BaseModel):
    invoice_custom_section: Annotated[SectionUpdateInput, NotEmpty]


class SectionResponse(BaseModel):
    invoice_custom_section: SectionOutput


class SectionsResponse(BaseModel):
    invoice_custom_sections: list[SectionOutput]
    meta: Meta


class ChosenSectionOutput(BaseModel):
    """That a subscription, wallet or transaction selects a section: its own id, and the section."""

    lago_id: UUID
    created_at: Instant
    invoice_custom_section_id: UUID
    invoice_custom_section: SectionOutput

    @classmethod
    def of(cls, owner_id: UUID, section: Section) -> ChosenSectionOutput:
        """Show what an owner has selected. The id is made of both, so that it stays the same."""
        return cls(
            lago_id=uuid5(owner_id, str(section.id)),
            created_at=section.created_at,
            invoice_custom_section_id=section.id,
            invoice_custom_section=SectionOutput.of(section),
        )
