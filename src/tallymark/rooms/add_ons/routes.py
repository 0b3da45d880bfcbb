"""The doors to add-ons."""

from __future__ import annotations

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.rooms.add_ons import service
from tallymark.rooms.add_ons.schemas import (
    AddOnCreateRequest,
    AddOnOutput,
    AddOnResponse,
    AddOnsResponse,
    AddOnUpdateRequest,
)

router = tenant_router("add_ons", resource="add_on")


@router.post("/add_ons")
async def create_add_on(body: AddOnCreateRequest, context: InContext) -> AddOnResponse:
    """Make an add-on."""
    async with context.transaction() as tx:
        made = await service.create_add_on(
            tx, body.add_on.to_values(), tax_codes=body.add_on.tax_codes, now=context.now
        )
    return AddOnResponse.of(made)


@router.get("/add_ons")
async def list_add_ons(context: InContext, page: InPage, search_term: str | None = None) -> AddOnsResponse:
    """List add-ons, newest first; `search_term` is looked for in names and codes."""
    async with context.transaction() as tx:
        found, total = await service.list_add_ons(tx, page, search_term=search_term)
    return AddOnsResponse(add_ons=[AddOnOutput.of(add_on) for add_on in found], meta=Meta.of(page, total))


@router.get("/add_ons/{code:path}")
async def get_add_on(code: str, context: InContext) -> AddOnResponse:
    """Read one add-on."""
    async with context.transaction() as tx:
        return AddOnResponse.of(await service.get_add_on(tx, code=code))


@router.change("/add_ons/{code:path}")
async def update_add_on(code: str, body: AddOnUpdateRequest, context: InContext) -> AddOnResponse:
    """Change what is sent."""
    async with context.transaction() as tx:
        changed = await service.update_add_on(
            tx, code, body.add_on.to_values(), tax_codes=body.add_on.tax_codes, now=context.now
        )
    return AddOnResponse.of(changed)


@router.delete("/add_ons/{code:path}")
async def delete_add_on(code: str, context: InContext) -> AddOnResponse:
    """Delete an add-on and the fixed charges built on it; issued documents keep it."""
    async with context.transaction() as tx:
        return AddOnResponse.of(await service.delete_add_on(tx, code, now=context.now))
