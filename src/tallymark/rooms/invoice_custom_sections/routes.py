"""The doors to custom sections. The contract leaves making them to the web app; here keys may, too (platform §5, §13)."""

from __future__ import annotations

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.rooms.invoice_custom_sections import service
from tallymark.rooms.invoice_custom_sections.model import Section
from tallymark.rooms.invoice_custom_sections.schemas import (
    SectionCreateRequest,
    SectionOutput,
    SectionResponse,
    SectionsResponse,
    SectionUpdateRequest,
)

router = tenant_router("invoice custom sections", resource="invoice_custom_section")


@router.post("/invoice_custom_sections")
async def create_section(body: SectionCreateRequest, context: InContext) -> SectionResponse:
    """Make a block of text; billing entities, customers, subscriptions and wallets select it by its code."""
    async with context.transaction() as tx:
        return _answer(await service.create_section(tx, body.invoice_custom_section.sent, now=context.now))


@router.get("/invoice_custom_sections")
async def list_sections(context: InContext, page: InPage) -> SectionsResponse:
    """List sections by name."""
    async with context.transaction() as tx:
        found, total = await service.list_sections(tx, page)
    shown = [SectionOutput.of(section) for section in found]
    return SectionsResponse(invoice_custom_sections=shown, meta=Meta.of(page, total))


@router.get("/invoice_custom_sections/{code:path}")
async def get_section(code: str, context: InContext) -> SectionResponse:
    """Read one section."""
    async with context.transaction() as tx:
        return _answer(await service.get_section(tx, code=code))


@router.change("/invoice_custom_sections/{code:path}")
async def update_section(code: str, body: SectionUpdateRequest, context: InContext) -> SectionResponse:
    """Change what is sent; invoices that are issued keep their copies."""
    async with context.transaction() as tx:
        changed = await service.update_section(tx, code, body.invoice_custom_section.sent, now=context.now)
        return _answer(changed)


@router.delete("/invoice_custom_sections/{code:path}")
async def delete_section(code: str, context: InContext) -> SectionResponse:
    """Delete a section and deselect it everywhere."""
    async with context.transaction() as tx:
        return _answer(await service.delete_section(tx, code, now=context.now))


def _answer(section: Section) -> SectionResponse:
    return SectionResponse(invoice_custom_section=SectionOutput.of(section))
