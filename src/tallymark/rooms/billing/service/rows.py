"""A computed invoice as rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from tallymark.db.ids import new_id
from tallymark.domain.fees.commitment import commitment_name
from tallymark.domain.invoicing import InvoicedFee, InvoiceDraft
from tallymark.domain.money import decimal_text, fixed
from tallymark.rooms.billing.model import Computed, Line, Subject
from tallymark.rooms.billing.service.terms import Terms
from tallymark.rooms.plans.model import Commitment, FixedCharge
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.taxes.model import Tax
from tallymark.rooms.usage.model import shown_breakdowns

Row = dict[str, Any]


def total_columns(totals: InvoiceDraft) -> Row:
    """The invoice's amounts, in minor units."""
    names = (
        "fees_amount_cents", "progressive_billing_credit_amount_cents", "coupons_amount_cents",
        "sub_total_excluding_taxes_amount_cents", "taxes_amount_cents", "sub_total_including_taxes_amount_cents",
        "credit_notes_amount_cents", "prepaid_credit_amount_cents", "total_amount_cents",
    )  # fmt: skip
    return {**{name: getattr(totals, name) for name in names}, "taxes_rate": fixed(totals.taxes_rate, 5)}


def record_rows(
    computed: Computed,
    *,
    invoice_id: UUID,
    organization_id: UUID,
    now: datetime,
    terms: Terms | None = None,
) -> list[Row]:
    """What the invoice bills of each subscription; with `terms`, by which ones that may be rated again."""
    return [
        {
            "id": new_id(),
            "organization_id": organization_id,
            "invoice_id": invoice_id,
            "subscription_id": subject.contract.subscription.id,
            "invoicing_reason": subject.reason,
            "is_recurring": subject.is_recurring,
            "billing_day": subject.day,
            "billed_at": subject.at,
            **_windows(subject),
            "billed_terms_id": terms.of(computed, subject) if terms else None,
            "commitment_terms": _commitment_terms(computed, subject),
            "created_at": now,
        }
        for subject in computed.subjects
    ]


def _commitment_terms(computed: Computed, subject: Subject) -> Row | None:
    held = computed.commitments.get(subject.contract.subscription.id)
    return None if held is None else msgspec.to_builtins(held)


def _windows(subject: Subject) -> Row:
    boundaries = subject.boundaries
    fee, charges, fixed_charges = boundaries.subscription, boundaries.charges, boundaries.fixed_charges
    return {
        "from_at": fee.period.start,
        "to_at": fee.period.end,
        "wire_to_at": fee.wire_to,
        "charges_from_at": charges.period.start if charges else None,
        "charges_to_at": charges.period.end if charges else None,
        "wire_charges_to_at": charges.wire_to if charges else None,
        "charges_full_from_at": charges.full_period.start if charges else None,
        "charges_full_to_at": charges.full_period.end if charges else None,
        "fixed_charges_from_at": fixed_charges.period.start if fixed_charges else None,
        "fixed_charges_to_at": fixed_charges.period.end if fixed_charges else None,
        "wire_fixed_charges_to_at": fixed_charges.wire_to if fixed_charges else None,
    }


def fee_rows(
    computed: Computed, *, invoice_id: UUID | None, organization_id: UUID, now: datetime
) -> tuple[list[Row], list[Row]]:
    """The fees and their taxes, in the order of the lines; without an invoice they stand alone."""
    fees: list[Row] = []
    taxes: list[Row] = []
    for position, (line, invoiced) in enumerate(zip(computed.lines, computed.totals.fees, strict=True)):
        fee_id = new_id()
        fees.append(
            {
                "id": fee_id,
                "organization_id": organization_id,
                "invoice_id": invoice_id,
                "position": position,
                "true_up_parent_fee_id": fees[-1]["id"] if line.is_true_up else None,
                **amount_columns(invoiced, line.contract.plan.amount_currency),
                **_subject(line),
                **({"invoice_display_name": line.display_name} if line.display_name else {}),
                **_usage(line),
                **_advance(line, stands_alone=invoice_id is None),
                "created_at": now,
                "updated_at": now,
            }
        )
        currency = line.contract.plan.amount_currency
        keys: Row = {"fee_id": fee_id, "organization_id": organization_id, "created_at": now}
        taxes += list(fee_tax_rows(line.taxes, invoiced, currency, keys))
    return fees, taxes


def amount_columns(invoiced: InvoicedFee, currency: str) -> Row:
    """What a fee comes to, and how."""
    fee = invoiced.fee
    return {
        "fee_type": fee.fee_type,
        "currency": currency,
        "amount_cents": fee.amount_cents,
        "precise_amount_cents": fixed(fee.precise_amount_cents, 15),
        "precise_coupons_amount_cents": fixed(invoiced.precise_coupons_amount_cents, 5),
        "taxes_amount_cents": invoiced.taxes_amount_cents,
        "taxes_precise_amount_cents": fixed(invoiced.taxes_precise_amount_cents, 15),
        "taxes_rate": fixed(invoiced.taxes_rate, 10),
        "units": fixed(fee.units, 10),
        "total_aggregated_units": fixed(fee.total_aggregated_units, 10),
        "unit_amount_cents": fee.unit_amount_cents,
        "precise_unit_amount": fixed(fee.precise_unit_amount, 15),
        "events_count": fee.events_count,
        "amount_details": dict(fee.amount_details),
        "explanation": [dict(step) for step in fee.explanation],
    }


def _subject(line: Line) -> Row:
    contract, charge = line.contract, line.charge
    common = {
        "customer_id": contract.customer.id,
        "subscription_id": contract.subscription.id,
        "plan_id": contract.plan.id,
        "from_at": line.period.start,
        "to_at": max(line.period.end, line.period.start),
    }
    common |= {"charge_id": None, "billable_metric_id": None, "fixed_charge_id": None, "add_on_id": None}
    if line.fixed_charge is not None:
        return {**common, **_fixed_charge(line.fixed_charge)}
    if line.commitment is not None:
        return {**common, **_commitment(contract, line.commitment)}
    if charge is None:
        assert line.is_base_fee
        return {
            **common,
            "item_code": contract.plan.code,
            "item_name": contract.plan.name,
            "item_description": contract.plan.description,
            "invoice_display_name": contract.subscription.name or contract.plan.invoice_name,
            "pay_in_advance": contract.plan.pay_in_advance,
        }
    metric = charge.billable_metric
    return {
        **common,
        "charge_id": charge.id,
        "billable_metric_id": metric.id,
        "item_code": metric.code,
        "item_name": metric.name,
        "item_description": metric.description,
        "invoice_display_name": charge.invoice_display_name or metric.name,
        "pay_in_advance": charge.pay_in_advance,
    }


def _fixed_charge(charge: FixedCharge) -> Row:
    return {
        "fixed_charge_id": charge.id,
        "add_on_id": charge.add_on.id,
        "item_code": charge.add_on.code,
        "item_name": charge.add_on.name,
        "item_description": charge.add_on.description,
        "invoice_display_name": charge.invoice_name,
        "pay_in_advance": charge.pay_in_advance,
    }


def _commitment(contract: Contract, commitment: Commitment) -> Row:
    plan = contract.plan
    locale = contract.customer.document_locale or contract.customer_entity.document_locale
    return {
        "item_code": plan.code,
        "item_name": plan.name,
        "item_description": plan.description,
        "invoice_display_name": commitment.invoice_display_name or commitment_name(locale),
        "pay_in_advance": False,
    }


def _usage(line: Line) -> Row:
    """Which filter and group a fee is for; a true-up shares its parent's group."""
    usage = line.usage
    own = None if usage is None or line.is_true_up else usage
    return {
        "charge_filter_id": usage.filter.id if usage and usage.filter else None,
        "filter_display_name": usage.filter.display_name if usage and usage.filter else None,
        "grouped_by": dict(usage.grouped_by) if usage else {},
        "presentation_breakdowns": shown_breakdowns(own) if own else [],
        "pricing_unit_details": _pricing_unit(line),
    }


def _advance(line: Line, *, stands_alone: bool) -> Row:
    """Whether a fee was paid in advance, and for which event. A renewal that an invoice bills is not marked so (quirk)."""
    found: Row = {
        "invoiceable": line.charge.invoiceable if line.charge else True,
        "event_id": line.event.id if line.event else None,
        "event_transaction_id": line.event.transaction_id if line.event else None,
    }
    if line.charge is not None:
        found["pay_in_advance"] = line.charge.pay_in_advance and (stands_alone or line.event is not None)
    return found


def _pricing_unit(line: Line) -> Row | None:
    amounts = line.fee.pricing_unit
    applied = line.charge.applied_pricing_unit if line.charge else None
    if amounts is None or applied is None:
        return None
    return {
        "lago_pricing_unit_id": str(applied.pricing_unit.id),
        "pricing_unit_code": applied.pricing_unit.code,
        "short_name": amounts.short_name,
        "amount_cents": amounts.amount_cents,
        "precise_amount_cents": decimal_text(amounts.precise_amount_cents),
        "unit_amount_cents": amounts.unit_amount_cents,
        "precise_unit_amount": decimal_text(amounts.precise_unit_amount),
        "conversion_rate": decimal_text(amounts.conversion_rate),
    }


def fee_tax_rows(taxes: Sequence[Tax], invoiced: InvoicedFee, currency: str, keys: Row) -> Iterator[Row]:
    """The taxes of one fee, each with the columns of `keys`."""
    for tax, applied in zip(taxes, invoiced.applied_taxes, strict=True):
        yield {
            "id": new_id(),
            **keys,
            **_tax_columns(tax, currency),
            "amount_cents": applied.amount_cents,
            "fees_amount_cents": applied.base_cents,
        }


def tax_rows(taxes: Iterable[Tax], totals: InvoiceDraft, currency: str, keys: Row) -> list[Row]:
    """An invoice's own taxes, of those that its fees have, each with the columns of `keys`."""
    by_rate = {tax.as_rate: tax for tax in taxes}
    return [
        {
            "id": new_id(),
            **keys,
            **_tax_columns(by_rate[applied.tax], currency),
            "amount_cents": applied.amount_cents,
            "fees_amount_cents": applied.base_cents,
        }
        for applied in totals.applied_taxes
    ]


def _tax_columns(tax: Tax, currency: str) -> Row:
    return {
        "tax_id": tax.id,
        "tax_code": tax.code,
        "tax_name": tax.name,
        "tax_description": tax.description,
        "tax_rate": tax.rate,
        "currency": currency,
    }
