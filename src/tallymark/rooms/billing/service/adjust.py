"""Tell a draft's fee otherwise, or take that back (invoicing §8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Forbidden, Invalid, NotFound
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.adjusted import adjust
from tallymark.domain.fees.model import Fee, FeeType
from tallymark.domain.money import currency
from tallymark.domain.values import names_of
from tallymark.jobs.activity import changes, differences, shown
from tallymark.jobs.outbox import log_change
from tallymark.rooms.billing.service import invoice as billing
from tallymark.rooms.billing.service.adjusted import as_wanted, blank_fee, model_of
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import AdjustedFee, FeeRecord, subject_of
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract

ADJUSTABLE = (FeeType.SUBSCRIPTION, FeeType.CHARGE, FeeType.FIXED_CHARGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentInput:
    """Which fee is told otherwise, by itself or by what it is for, and how; None keeps what it has."""

    fee_id: UUID | None = None
    subscription_id: UUID | None = None
    charge_id: UUID | None = None
    charge_filter_id: UUID | None = None
    fixed_charge_id: UUID | None = None
    units: Decimal | None = None
    unit_precise_amount: Decimal | None = None
    invoice_display_name: str | None = None


async def adjust_fee(tx: Tx, invoice_id: UUID, asked: AdjustmentInput, *, now: datetime) -> AdjustedFee:
    """Tell a fee of a draft otherwise, or make one for what was not used; the draft is computed anew.

    Raises `NotFound` for invoice, fee, subscription, charge, charge filter and fixed charge,
    `Forbidden("feature_unavailable")` for what is no draft, and `Invalid`.
    """
    draft, adjusted, _ = await _prepare(tx, invoice_id, asked, now=now)
    columns = {name: getattr(adjusted, name) for name in names_of(AdjustedFee)}
    row = {**columns, "grouped_by": dict(adjusted.grouped_by)}
    known = await fees.adjusted_of(tx, draft.id)
    await fees.save_adjusted(tx, {**row, "organization_id": tx.organization_id, "updated_at": now})
    await _refresh(tx, draft, known, now=now)
    return adjusted


async def preview_adjustment(
    tx: Tx, invoice_id: UUID, asked: AdjustmentInput, *, now: datetime
) -> tuple[Fee, Fee]:
    """A fee as it is, and as it would be told otherwise; nothing is written. Raises what `adjust_fee` does."""
    draft, adjusted, contract = await _prepare(tx, invoice_id, asked, now=now)
    stored = (await fees.of_invoices(tx, [draft.id])).get(draft.id, [])
    record = next((one for one in stored if one.id == asked.fee_id), None)
    before = blank_fee(adjusted.fee_type) if record is None else _as_fee(record)
    model = model_of(contract.plan, adjusted)
    return before, adjust(before, as_wanted(adjusted), model, currency(draft.currency))


def _as_fee(record: FeeRecord) -> Fee:
    return Fee(
        fee_type=record.fee_type,
        units=Fraction(record.units),
        total_aggregated_units=Fraction(record.total_aggregated_units),
        events_count=record.events_count,
        amount_cents=record.amount_cents,
        precise_amount_cents=Fraction(record.precise_amount_cents),
        precise_unit_amount=Fraction(record.precise_unit_amount),
        unit_amount_cents=record.unit_amount_cents,
    )


async def _prepare(
    tx: Tx, invoice_id: UUID, asked: AdjustmentInput, *, now: datetime
) -> tuple[Invoice, AdjustedFee, Contract]:
    draft = await _lock(tx, invoice_id)
    if (asked.units, asked.unit_precise_amount, asked.invoice_display_name) == (None, None, None):
        raise Invalid({"units": ["value_is_mandatory"]})
    adjusted = (
        await _of_fee(tx, draft, asked, now=now) if asked.fee_id else await _new(tx, draft, asked, now=now)
    )
    known = await fees.adjusted_of(tx, draft.id)
    if any(one.subject == adjusted.subject for one in known):
        raise Invalid({"adjusted_fee": ["already_exists"]})
    (contract,) = await subscriptions.live_contracts(tx, [adjusted.subscription_id])
    _check_model(contract, adjusted)
    return draft, adjusted, contract


async def list_adjusted(tx: Tx, invoice_id: UUID) -> list[AdjustedFee]:
    """What was told otherwise of an invoice's fees. Raises `NotFound("invoice")`."""
    return await fees.adjusted_of(tx, (await invoices.get_invoice(tx, invoice_id)).id)


async def take_back(tx: Tx, invoice_id: UUID, adjusted_id: UUID, *, now: datetime) -> None:
    """Let a fee be what it was; the draft is computed anew.

    Raises `NotFound("invoice")`, `Forbidden("feature_unavailable")` and `NotFound("adjusted_fee")`.
    """
    draft = await _lock(tx, invoice_id)
    known = await fees.adjusted_of(tx, draft.id)
    if not any(one.id == adjusted_id for one in known):
        raise NotFound("adjusted_fee")
    await fees.drop_adjusted(tx, adjusted_id)
    await _refresh(tx, draft, known, now=now)


async def _refresh(tx: Tx, draft: Invoice, known: Sequence[AdjustedFee], *, now: datetime) -> None:
    """Compute a draft anew, and log what is told otherwise now, with what that makes of the draft."""
    fresh = await billing.refresh(tx, draft, now=now)
    before, after = (
        {"adjusted_fees": [shown(one, without=("invoice_id", "created_at")) for one in adjusted]}
        for adjusted in (known, await fees.adjusted_of(tx, draft.id))
    )
    changed = {**differences(before, after), **changes(draft, fresh)}
    await log_change(tx, "invoice.updated", draft.id, changed, now=now)


async def _lock(tx: Tx, invoice_id: UUID) -> Invoice:
    found = await invoices.get_invoice(tx, invoice_id)
    await tx.lock("customer", found.customer_id)
    draft = await invoices.get_invoice(tx, invoice_id)
    if draft.status is not InvoiceStatus.DRAFT:
        raise Forbidden("feature_unavailable")
    return draft


async def _of_fee(tx: Tx, draft: Invoice, asked: AdjustmentInput, *, now: datetime) -> AdjustedFee:
    found = (await fees.of_invoices(tx, [draft.id])).get(draft.id, [])
    fee = next((one for one in found if one.id == asked.fee_id), None)
    if fee is None:
        raise NotFound("fee")
    if (
        fee.is_adjustment
        or fee.fee_type not in ADJUSTABLE
        or fee.true_up_parent_fee_id is not None
        or fee.subscription_id is None
    ):
        raise Invalid({"fee": ["value_is_invalid"]})
    subject = dict(zip(SUBJECT, subject_of(fee), strict=True))
    return _adjusted(draft, asked, {**subject, "grouped_by": dict(fee.grouped_by)}, now=now)


SUBJECT = ("subscription_id", "fee_type", "charge_id", "charge_filter_id", "fixed_charge_id", "grouped_by")


async def _new(tx: Tx, draft: Invoice, asked: AdjustmentInput, *, now: datetime) -> AdjustedFee:
    """A fee for a charge or fixed charge of a subscription on the draft."""
    billed = {record.subscription_id for record in await invoices.records_of(tx, draft.id)}
    if asked.subscription_id not in billed:
        raise NotFound("subscription")
    (contract,) = await subscriptions.live_contracts(tx, [asked.subscription_id])
    kind = _find_subject(contract, asked)
    subject = {
        "subscription_id": asked.subscription_id,
        "fee_type": kind,
        "charge_id": asked.charge_id if kind is FeeType.CHARGE else None,
        "charge_filter_id": asked.charge_filter_id if kind is FeeType.CHARGE else None,
        "fixed_charge_id": asked.fixed_charge_id if kind is FeeType.FIXED_CHARGE else None,
        "grouped_by": {},
    }
    return _adjusted(draft, asked, subject, now=now)


def _find_subject(contract: Contract, asked: AdjustmentInput) -> FeeType:
    if asked.charge_id is None and asked.fixed_charge_id is not None:
        if all(one.id != asked.fixed_charge_id for one in contract.plan.fixed_charges):
            raise NotFound("fixed_charge")
        return FeeType.FIXED_CHARGE
    charge = next((one for one in contract.plan.charges if one.id == asked.charge_id), None)
    if charge is None:
        raise NotFound("charge")
    if asked.charge_filter_id is not None and all(one.id != asked.charge_filter_id for one in charge.filters):
        raise NotFound("charge_filter")
    return FeeType.CHARGE


def _adjusted(
    draft: Invoice, asked: AdjustmentInput, subject: dict[str, Any], *, now: datetime
) -> AdjustedFee:
    return AdjustedFee(
        id=new_id(),
        invoice_id=draft.id,
        **subject,
        units=asked.units,
        unit_precise_amount=asked.unit_precise_amount,
        invoice_display_name=asked.invoice_display_name,
        created_at=now,
    )


def _check_model(contract: Contract, adjusted: AdjustedFee) -> None:
    """Units alone say too little of some models. Raises `Invalid`."""
    units_alone = adjusted.units is not None and adjusted.unit_precise_amount is None
    if (
        units_alone
        and adjusted.fee_type is not FeeType.SUBSCRIPTION
        and model_of(contract.plan, adjusted) is None
    ):
        raise Invalid({"charge": ["invalid_charge_model"]})
