"""What can be done with stored fees (invoicing §7)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import NotAllowed, NotFound
from tallymark.domain.periods import Period
from tallymark.domain.values import names_of
from tallymark.jobs.activity import changes
from tallymark.jobs.outbox import Message, emit, log_change
from tallymark.rooms.fees import repository, spent_rows
from tallymark.rooms.fees.model import (
    AdjustedFee,
    BilledFixedFee,
    BilledWindow,
    ElsewhereFee,
    FeeRecord,
    Filters,
    PayableFee,
    SpentFee,
    UsageFee,
)

STAMPS = {"succeeded": "succeeded_at", "failed": "failed_at", "refunded": "refunded_at"}


async def get_fee(tx: Tx, fee_id: UUID) -> FeeRecord:
    """A fee of a visible invoice, or of none. Raises `NotFound("fee")`."""
    fee = await repository.find_fee(tx, fee_id)
    if fee is None:
        raise NotFound("fee")
    return fee


async def organization_of(connection: AsyncConnection, fee_id: UUID) -> UUID:
    """Whose fee it is; needs a system transaction. Raises `NotFound("fee")`."""
    found = await repository.organization_of(connection, fee_id)
    if found is None:
        raise NotFound("fee")
    return found


async def list_fees(tx: Tx, filters: Filters, page: Page) -> tuple[list[FeeRecord], int]:
    """A page of fees, oldest first, and how many there are."""
    return await repository.list_fees(tx, filters, page)


async def of_invoices(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[FeeRecord]]:
    """The fees of invoices, by invoice, in the order of their lines."""
    return await repository.of_invoices(tx, invoice_ids) if invoice_ids else {}


async def payable_of_invoices(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[PayableFee]]:
    """The fees of invoices as wallets pay them, in the order of their lines."""
    return await repository.payable_of_invoices(tx, invoice_ids) if invoice_ids else {}


async def progressive_of(
    tx: Tx, subscription_ids: Collection[UUID]
) -> dict[UUID, list[tuple[datetime, PayableFee]]]:
    """The fees of subscriptions on progressive invoices that stand, each with the start of its window."""
    return await repository.progressive_of(tx, subscription_ids) if subscription_ids else {}


async def renewals(
    tx: Tx, *, subscription_id: UUID, charge_ids: Collection[UUID], window: Period
) -> list[FeeRecord]:
    """The fees for what recurring charges in advance carried into a window (pricing §8.2)."""
    if not charge_ids:
        return []
    return await repository.renewals(
        tx, subscription_id=subscription_id, charge_ids=charge_ids, window=window
    )


async def of_windows(tx: Tx, asked: Sequence[BilledWindow]) -> dict[BilledWindow, list[UsageFee]]:
    """The charge fees of windows: those on the invoice that ends each, and those paid for in advance."""
    return await repository.of_windows(tx, asked) if asked else {}


async def paid_in_advance(tx: Tx, asked: Sequence[BilledWindow]) -> set[UUID]:
    """The invoices of those windows of which something was paid for in advance."""
    return await repository.paid_in_advance(tx, asked) if asked else set()


async def replace_taxes(
    tx: Tx, columns: Sequence[Mapping[str, Any]], tax_rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write what taxes make of fees anew; `taxed_id` names the fee."""
    await repository.replace_taxes(tx, columns, tax_rows)


async def paid_without_invoice(
    tx: Tx,
    *,
    external_subscription_ids: Collection[str],
    customer_id: UUID,
    currency: str,
    paid_by: datetime,
    ended_by: datetime | None,
) -> list[FeeRecord]:
    """The paid fees of charges in advance that are regrouped and on no invoice yet, the oldest first (invoicing §7.4).

    Paid by one instant; with the other, their charges period ended by it.
    """
    return await repository.paid_without_invoice(
        tx,
        external_subscription_ids,
        customer_id=customer_id,
        currency=currency,
        paid_by=paid_by,
        ended_by=ended_by,
    )


async def with_paid_fees(tx: Tx, external_subscription_ids: Collection[str]) -> set[str]:
    """Of external ids of subscriptions those with a paid fee on no invoice: few, and most often none."""
    return (
        await repository.with_paid_fees(tx, external_subscription_ids) if external_subscription_ids else set()
    )


async def put_on_invoice(tx: Tx, fee_ids: Sequence[UUID], invoice_id: UUID, *, now: datetime) -> None:
    """Attach fees to an invoice, in this order."""
    await repository.put_on_invoice(tx, fee_ids, invoice_id, now=now)


async def save_fees(tx: Tx, rows: Sequence[Mapping[str, Any]], tax_rows: Sequence[Mapping[str, Any]]) -> None:
    """Write fees and their taxes, all at once."""
    await repository.insert_fees(tx, rows, tax_rows)


async def billed_fixed_fees(
    tx: Tx, subscription_ids: Collection[UUID], *, except_invoice: UUID | None
) -> list[BilledFixedFee]:
    """The fixed charge fees of subscriptions on invoices that stand, but for the one that is computed anew."""
    return await repository.billed_fixed_fees(tx, subscription_ids, except_invoice=except_invoice)


async def spent_by(
    tx: Tx, subscription_ids: Collection[UUID], *, except_invoice: UUID | None
) -> dict[UUID, list[SpentFee]]:
    """What subscriptions were charged for base price, usage and fixed charges, by subscription."""
    return await spent_rows.spent_by(tx, subscription_ids, except_invoice=except_invoice)


async def note_elsewhere(tx: Tx, subscription_id: UUID, billed: Sequence[ElsewhereFee]) -> None:
    """Note what another system billed of a subscription: it counts towards a commitment (pricing §15)."""
    rows = [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "subscription_id": subscription_id,
            **{name: getattr(fee, name) for name in names_of(ElsewhereFee)},
        }
        for fee in billed
    ]
    await spent_rows.insert_elsewhere(tx, rows)


async def drop_of_invoice(tx: Tx, invoice_id: UUID) -> None:
    """Delete the fees of a draft that is computed anew."""
    await repository.delete_of_invoice(tx, invoice_id)


async def set_payment_status(tx: Tx, fee_id: UUID, status: str | None, *, now: datetime) -> FeeRecord:
    """Note that a fee without invoice was paid, or was not. Raises `NotAllowed("invoiced_fee")`."""
    fee = await get_fee(tx, fee_id)
    if fee.invoice_id is not None:
        raise NotAllowed("invoiced_fee")
    if status is not None:
        stamps: dict[str, datetime | None] = dict.fromkeys(STAMPS.values())
        if status in STAMPS:
            stamps[STAMPS[status]] = now
        await repository.update_fee(tx, fee_id, {"payment_status": status, "updated_at": now, **stamps})
    changed = await get_fee(tx, fee_id)
    await log_change(tx, "fee.updated", fee_id, changes(fee, changed), now=now)
    return changed


async def set_payment_status_of_invoice(tx: Tx, invoice_id: UUID, status: str, *, now: datetime) -> None:
    """Note on all fees of an invoice whether it was paid; when that was, the invoice's payments tell (invoicing §7.2)."""
    await repository.update_of_invoice(tx, invoice_id, {"payment_status": status, "updated_at": now})


async def delete_fee(
    tx: Tx, fee_id: UUID, *, show: Callable[[FeeRecord], Mapping[str, Any]], now: datetime
) -> FeeRecord:
    """Delete a fee that is on no invoice; the log `show`s it, for no row does any more. Raises `NotAllowed("invoiced_fee")`."""
    fee = await get_fee(tx, fee_id)
    if fee.invoice_id is not None:
        raise NotAllowed("invoiced_fee")
    gone = Message(activity_type="fee.deleted", object_type="fee", object_id=fee_id, payload=show(fee))
    await emit(tx, gone, now=now)
    await repository.delete_fee(tx, fee_id)
    return fee


async def last_base_fee(tx: Tx, subscription_id: UUID) -> FeeRecord | None:
    """The latest base price of a subscription that was billed and not voided."""
    return await repository.last_base_fee(tx, subscription_id)


async def get_fees(tx: Tx, ids: Collection[UUID]) -> dict[UUID, FeeRecord]:
    """Fees by id."""
    return await repository.get_fees(tx, ids) if ids else {}


async def adjusted_of(tx: Tx, invoice_id: UUID) -> list[AdjustedFee]:
    """What was told otherwise of a draft's fees, the oldest first."""
    return await repository.adjusted_of(tx, invoice_id)


async def save_adjusted(tx: Tx, row: Mapping[str, Any]) -> None:
    """Note what is told otherwise of a fee."""
    await repository.insert_adjusted(tx, row)


async def drop_adjusted(tx: Tx, adjusted_id: UUID) -> None:
    """Forget what was told otherwise of a fee."""
    await repository.delete_adjusted(tx, adjusted_id)
