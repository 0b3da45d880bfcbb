"""An invoice with its files, which are made when somebody first asks for them."""

from __future__ import annotations

from uuid import UUID

from tallymark.api.context import Context
from tallymark.domain.errors import NotFound
from tallymark.rooms.invoices import printing, service
from tallymark.rooms.invoices.documents import Documents
from tallymark.rooms.invoices.model import InvoiceStatus, InvoiceView


async def with_files(
    context: Context, maker: Documents, invoice_id: UUID, *, of_customer: UUID | None = None
) -> InvoiceView:
    """An issued invoice with its files, of one customer where that is asked; no transaction is open while they are made.

    Raises `NotFound("invoice")`.
    """
    async with context.transaction() as tx:
        invoice = await service.get_invoice(tx, invoice_id)
        is_foreign = of_customer is not None and invoice.customer_id != of_customer
        if is_foreign or invoice.status is not InvoiceStatus.FINALIZED:
            raise NotFound("invoice")
        (view,) = await printing.get_printed(tx, [invoice], now=context.now)
    if invoice.file_key is not None:
        return view
    files = await maker.make(context.organization_id, view)
    async with context.transaction() as tx:
        await service.set_files(tx, invoice.id, files, now=context.now)
        invoice = await service.get_invoice(tx, invoice.id)
        (view,) = await service.get_views(tx, [invoice], now=context.now, with_lines=False)
    return view
