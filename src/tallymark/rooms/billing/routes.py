"""The doors through which an invoice is computed anew or issued by hand."""

from __future__ import annotations

from uuid import UUID

from fastapi import Request, Response

from tallymark.api.context import Context, InContext
from tallymark.api.errors import error_body
from tallymark.api.idempotency import in_parts
from tallymark.api.permissions import guarded_by, permitted
from tallymark.api.routing import member_router, tenant_router
from tallymark.api.wire import read_id
from tallymark.db.engine import Tx
from tallymark.domain.errors import TallymarkError
from tallymark.rooms.billing.paging import Pages
from tallymark.rooms.billing.schemas import (
    AdjustedAmountOutput,
    AdjustedFeeOutput,
    AdjustedFeeResponse,
    AdjustedFeesResponse,
    AdjustmentPreviewOutput,
    AdjustmentPreviewResponse,
    AdjustmentRequest,
    FinalizationOutput,
    FinalizationsRequest,
    FinalizationsResponse,
    OneOffRequest,
    PaymentDetails,
    PaymentUrlResponse,
    PurchaseDetails,
    PurchaseUrlResponse,
    RegenerateRequest,
    RegenerationPreviewOutput,
    RegenerationPreviewResponse,
    RetryPaymentRequest,
    read_method,
)
from tallymark.rooms.billing.service import adjust, collect, life, one_off
from tallymark.rooms.billing.service.regenerate import foresee, regenerate
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.routes import answer
from tallymark.rooms.invoices.schemas import InvoiceOutput, InvoiceResponse, InvoiceUpdateRequest, VoidRequest
from tallymark.rooms.organizations.access import after_waiting

router = tenant_router("invoices", resource="invoice")
app_router = member_router("app: invoices")


@router.post("/invoices")
async def create_one_off(body: OneOffRequest, context: InContext) -> InvoiceResponse:
    """Invoice add-ons at once."""
    async with context.transaction() as tx:
        invoice = await one_off.create(tx, body.invoice.to_value(), now=context.now)
        (view,) = await invoices.get_views(tx, [invoice], now=context.now)
    return InvoiceResponse(invoice=InvoiceOutput.of(view, context.links))


@router.put("/invoices/{lago_id}/refresh")
async def refresh_invoice(lago_id: str, context: InContext) -> InvoiceResponse:
    """Compute a draft anew; any other invoice is answered as it is."""
    async with context.transaction() as tx:
        invoice_id = read_id(lago_id, "invoice")
        await life.refresh(tx, invoice_id, now=context.now)
        return await answer(tx, invoice_id, context)


@router.put("/invoices/{lago_id}/finalize")
async def finalize_invoice(lago_id: str, context: InContext) -> InvoiceResponse:
    """Issue a draft before its grace period is over."""
    invoice_id = read_id(lago_id, "invoice")
    async with context.transaction() as tx:
        await _issue(tx, invoice_id, context)
        return await _as_left(tx, invoice_id, context)


@app_router.post("/invoices/finalize")
@permitted("invoices:update")
@in_parts
async def finalize_invoices(body: FinalizationsRequest, context: InContext) -> FinalizationsResponse:
    """Issue drafts, each by itself: one that is none, or can't be issued, holds up no other."""
    found = [await _try_to_issue(one, context) for one in dict.fromkeys(body.lago_ids)]
    return FinalizationsResponse(finalizations=found)


async def _try_to_issue(invoice_id: UUID, context: Context) -> FinalizationOutput:
    try:
        async with context.transaction() as tx:
            await _issue(tx, invoice_id, context)
            left = await invoices.find_invoice(tx, invoice_id)
    except TallymarkError as error:
        code = error_body(error).get("code")
        return FinalizationOutput(lago_id=invoice_id, invoice_status=None, number=None, code=code)
    assert left is not None, "it was issued just now"
    return FinalizationOutput(lago_id=invoice_id, invoice_status=left.status, number=left.number, code=None)


async def _issue(tx: Tx, invoice_id: UUID, context: Context) -> None:
    invoice = await invoices.get_invoice(tx, invoice_id)
    await tx.lock("customer", invoice.customer_id)
    # The usage is read from here on: what has come by now is on the invoice, and is not told to be late.
    await life.finalize(tx, invoice.id, now=after_waiting(context))


@router.change("/invoices/{lago_id}")
async def update_invoice(lago_id: str, body: InvoiceUpdateRequest, context: InContext) -> InvoiceResponse:
    """Note whether an invoice was paid, and what is written on it."""
    invoice_id, asked = read_id(lago_id, "invoice"), body.invoice
    async with context.transaction() as tx:
        await life.update(
            tx,
            invoice_id,
            payment_status=asked.payment_status,
            metadata=None if asked.metadata is None else [note.to_value() for note in asked.metadata],
            now=context.now,
        )
        return await answer(tx, invoice_id, context)


@router.post("/invoices/{lago_id}/void")
async def void_invoice(lago_id: str, context: InContext, body: VoidRequest | None = None) -> InvoiceResponse:
    """Cancel an issued invoice: give back what it took of coupons, credit notes and wallets, or a part of it by a note."""
    invoice_id = read_id(lago_id, "invoice")
    by_note = None
    if body is not None and body.generate_credit_note:
        by_note = life.GiveBack(credit_cents=body.credit_amount or 0, refund_cents=body.refund_amount or 0)
    async with context.transaction() as tx:
        await life.void(tx, invoice_id, by_note=by_note, now=context.now)
        return await answer(tx, invoice_id, context)


@router.post("/invoices/{lago_id}/regenerate")
async def regenerate_invoice(lago_id: str, body: RegenerateRequest, context: InContext) -> InvoiceResponse:
    """Issue an invoice in place of a void one, of those of its fees that are named."""
    asked = [fee.to_value() for fee in body.invoice.fees]
    async with context.transaction() as tx:
        made = await regenerate(tx, read_id(lago_id, "invoice"), asked, now=context.now)
        return await _as_left(tx, made, context)


@app_router.post("/invoices/{lago_id}/regenerate/preview")
@permitted("invoices:create")
async def preview_regeneration(
    lago_id: str, body: RegenerateRequest, context: InContext
) -> RegenerationPreviewResponse:
    """Show what an invoice in place of a void one would come to, of those of its fees that are named."""
    asked = [fee.to_value() for fee in body.invoice.fees]
    async with context.transaction() as tx:
        found = await foresee(tx, read_id(lago_id, "invoice"), asked, now=context.now)
    return RegenerationPreviewResponse(regeneration_preview=RegenerationPreviewOutput.of(found))


@router.post("/invoices/{lago_id}/adjusted_fees")
async def adjust_fee(lago_id: str, body: AdjustmentRequest, context: InContext) -> AdjustedFeeResponse:
    """Tell a fee of a draft otherwise, or make one for what was not used."""
    asked = body.adjusted_fee.to_value()
    async with context.transaction() as tx:
        made = await adjust.adjust_fee(tx, read_id(lago_id, "invoice"), asked, now=context.now)
    return AdjustedFeeResponse(adjusted_fee=AdjustedFeeOutput.of(made))


@app_router.post("/invoices/{lago_id}/adjusted_fees/preview")
@permitted("invoices:update")
async def preview_adjusted_fee(
    lago_id: str, body: AdjustmentRequest, context: InContext
) -> AdjustmentPreviewResponse:
    """Show what a fee of a draft would come to if it were told otherwise."""
    asked = body.adjusted_fee.to_value()
    async with context.transaction() as tx:
        before, after = await adjust.preview_adjustment(
            tx, read_id(lago_id, "invoice"), asked, now=context.now
        )
    shown = AdjustmentPreviewOutput(
        current=AdjustedAmountOutput.of(before),
        adjusted=AdjustedAmountOutput.of(after),
        difference_amount_cents=after.amount_cents - before.amount_cents,
    )
    return AdjustmentPreviewResponse(adjustment_preview=shown)


@router.get("/invoices/{lago_id}/adjusted_fees")
async def list_adjusted_fees(lago_id: str, context: InContext) -> AdjustedFeesResponse:
    """What was told otherwise of an invoice's fees."""
    async with context.transaction() as tx:
        found = await adjust.list_adjusted(tx, read_id(lago_id, "invoice"))
    return AdjustedFeesResponse(adjusted_fees=[AdjustedFeeOutput.of(one) for one in found])


@router.delete("/invoices/{lago_id}/adjusted_fees/{adjusted_id}")
async def drop_adjusted_fee(lago_id: str, adjusted_id: str, context: InContext) -> InvoiceResponse:
    """Let a fee of a draft be what it was."""
    invoice_id = read_id(lago_id, "invoice")
    async with context.transaction() as tx:
        await adjust.take_back(tx, invoice_id, read_id(adjusted_id, "adjusted_fee"), now=context.now)
        return await answer(tx, invoice_id, context)


@router.delete("/invoices/{lago_id}")
async def delete_invoice(lago_id: str, context: InContext) -> InvoiceResponse:
    """Take a draft away."""
    async with context.transaction() as tx:
        deleted = await life.delete_draft(tx, read_id(lago_id, "invoice"), now=context.now)
        return await _as_left(tx, deleted.id, context)


@router.post("/invoices/{lago_id}/retry")
async def retry_invoice(lago_id: str, context: InContext) -> InvoiceResponse:
    """Ask again for the taxes of an invoice that failed for want of them."""
    invoice_id = read_id(lago_id, "invoice")
    async with context.transaction() as tx:
        await life.retry(tx, invoice_id, now=context.now)
        return await answer(tx, invoice_id, context)


@router.post("/invoices/{lago_id}/retry_payment", response_class=Response)
async def retry_payment(
    lago_id: str, context: InContext, body: RetryPaymentRequest | None = None
) -> Response:
    """Try to collect an invoice again."""
    invoice_id = read_id(lago_id, "invoice")
    paid_by = None if body is None else read_method(body.payment_method)
    async with context.transaction() as tx:
        await collect.retry_payment(tx, invoice_id, paid_by=paid_by, now=context.now)
    return Response()


@router.post("/invoices/{lago_id}/payment_url")
@in_parts
async def make_payment_url(lago_id: str, request: Request, context: InContext) -> PaymentUrlResponse:
    """A page to pay an invoice on: the one that it has for a day, else a new one."""
    pages: Pages = request.app.state.pages
    page = await pages.of_invoice(context, read_id(lago_id, "invoice"))
    return PaymentUrlResponse(invoice_payment_details=PaymentDetails.of(page))


@router.post("/wallet_transactions/{lago_id}/payment_url", tags=["wallets"])
@guarded_by("wallet_transaction")
@in_parts
async def make_purchase_url(lago_id: str, request: Request, context: InContext) -> PurchaseUrlResponse:
    """A page to pay credits on that are being bought."""
    pages: Pages = request.app.state.pages
    transaction_id = read_id(lago_id, "wallet_transaction")
    page = await pages.of_purchase(context, transaction_id)
    details = PurchaseDetails.of_purchase(page, transaction_id)
    return PurchaseUrlResponse(wallet_transaction_payment_details=details)


@router.post("/invoices/{lago_id}/lose_dispute")
@router.put("/invoices/{lago_id}/lose_dispute", include_in_schema=False)
async def lose_dispute(lago_id: str, context: InContext) -> InvoiceResponse:
    """Note that a dispute about an invoice was lost."""
    invoice_id = read_id(lago_id, "invoice")
    async with context.transaction() as tx:
        await life.lose_dispute(tx, invoice_id, now=context.now)
        return await answer(tx, invoice_id, context)


async def _as_left(tx: Tx, invoice_id: UUID, context: Context) -> InvoiceResponse:
    """An invoice as a call leaves it: closed for want of fees it is seen here, and nowhere else (invoicing §2.2)."""
    invoice = await invoices.find_invoice(tx, invoice_id)
    assert invoice is not None, "it was written just now"
    (view,) = await invoices.get_views(tx, [invoice], now=context.now)
    return InvoiceResponse(invoice=InvoiceOutput.of(view, context.links))
