"""The doors to taxes."""

from __future__ import annotations

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.routing import tenant_router
from tallymark.db.engine import Tx
from tallymark.rooms.taxes import service
from tallymark.rooms.taxes.model import Tax
from tallymark.rooms.taxes.schemas import (
    TaxCreateRequest,
    TaxesResponse,
    TaxResponse,
    TaxUpdateRequest,
    TaxWithEntitiesOutput,
)

router = tenant_router("taxes", resource="tax")


@router.post("/taxes")
async def create_tax(body: TaxCreateRequest, context: InContext) -> TaxResponse:
    """Make a tax."""
    async with context.transaction() as tx:
        return await _answer(tx, await service.create_tax(tx, body.tax.to_values(), now=context.now))


@router.get("/taxes")
async def list_taxes(context: InContext, page: InPage) -> TaxesResponse:
    """List taxes by name."""
    async with context.transaction() as tx:
        taxes, total = await service.list_taxes(tx, page)
        views = await service.describe(tx, taxes)
    return TaxesResponse(
        taxes=[TaxWithEntitiesOutput.of_view(view) for view in views], meta=Meta.of(page, total)
    )


@router.get("/taxes/{code:path}")
async def get_tax(code: str, context: InContext) -> TaxResponse:
    """Read one tax."""
    async with context.transaction() as tx:
        return await _answer(tx, await service.get_tax(tx, code=code))


@router.change("/taxes/{code:path}")
async def update_tax(code: str, body: TaxUpdateRequest, context: InContext) -> TaxResponse:
    """Change what is sent."""
    async with context.transaction() as tx:
        return await _answer(tx, await service.update_tax(tx, code, body.tax.to_values(), now=context.now))


@router.delete("/taxes/{code:path}")
async def delete_tax(code: str, context: InContext) -> TaxResponse:
    """Remove a tax; documents already issued keep it."""
    async with context.transaction() as tx:
        tax = await service.get_tax(tx, code=code)
        answer = await _answer(tx, tax)
        await service.delete_tax(tx, code, now=context.now)
        return answer


async def _answer(tx: Tx, tax: Tax) -> TaxResponse:
    (view,) = await service.describe(tx, [tax])
    return TaxResponse(tax=TaxWithEntitiesOutput.of_view(view))
