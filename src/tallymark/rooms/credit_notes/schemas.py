"""How credit notes look on the wire (invoicing §11.1)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.pagination import Meta
from tallymark.api.wire import DecimalText, Instant, Percent
from tallymark.domain.money import fixed
from tallymark.rooms.credit_notes.model import CreditNoteView, Item, NoteTaxRecord
from tallymark.rooms.customers.schemas import CustomerOutput
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.fees.schemas import FeeOutput


class ItemOutput(BaseModel):
    lago_id: UUID
    amount_cents: int
    precise_amount_cents: DecimalText
    amount_currency: str
    fee: FeeOutput

    @classmethod
    def of(cls, item: Item, fee: FeeRecord) -> ItemOutput:
        """Show what a note gives back of one fee."""
        return cls(
            lago_id=item.id,
            amount_cents=item.amount_cents,
            precise_amount_cents=item.precise_amount_cents,
            amount_currency=item.currency,
            fee=FeeOutput.of(fee),
        )


class NoteTaxOutput(BaseModel):
    lago_id: UUID
    lago_credit_note_id: UUID
    lago_tax_id: UUID
    tax_name: str
    tax_code: str
    tax_rate: Percent
    tax_description: str | None
    base_amount_cents: int
    amount_cents: int
    amount_currency: str
    created_at: Instant

    @classmethod
    def of(cls, tax: NoteTaxRecord) -> NoteTaxOutput:
        """Show a tax that is given back."""
        same = ("tax_name", "tax_code", "tax_rate", "tax_description", "base_amount_cents", "amount_cents",
                "created_at")  # fmt: skip
        return cls(
            **{name: getattr(tax, name) for name in same},
            lago_id=tax.id,
            lago_credit_note_id=tax.credit_note_id,
            lago_tax_id=tax.tax_id,
            amount_currency=tax.currency,
        )


class CreditNoteOutput(BaseModel):
    lago_id: UUID
    billing_entity_code: str
    sequential_id: int
    number: str
    lago_invoice_id: UUID
    invoice_number: str
    issuing_date: date
    credit_status: str | None
    refund_status: str | None
    reason: str
    description: str | None
    currency: str
    total_amount_cents: int
    precise_total_amount_cents: DecimalText
    taxes_amount_cents: int
    precise_taxes_amount_cents: DecimalText
    taxes_rate: Percent
    sub_total_excluding_taxes_amount_cents: int
    balance_amount_cents: int
    credit_amount_cents: int
    refund_amount_cents: int
    offset_amount_cents: int
    coupons_adjustment_amount_cents: int
    created_at: Instant
    updated_at: Instant
    file_url: str | None
    self_billed: bool
    customer: CustomerOutput
    items: list[ItemOutput]
    applied_taxes: list[NoteTaxOutput]
    error_details: list[dict[str, Any]]

    @classmethod
    def of(cls, view: CreditNoteView) -> CreditNoteOutput:
        """Show a note with its items and taxes."""
        note = view.note
        same = (
            "sequential_id", "number", "issuing_date", "credit_status", "refund_status", "reason", "description",
            "currency", "total_amount_cents", "precise_total_amount_cents", "taxes_amount_cents",
            "precise_taxes_amount_cents", "taxes_rate", "sub_total_excluding_taxes_amount_cents",
            "balance_amount_cents", "credit_amount_cents", "refund_amount_cents", "created_at", "updated_at",
        )  # fmt: skip
        return cls(
            **{name: getattr(note, name) for name in same},
            lago_id=note.id,
            billing_entity_code=view.billing_entity.code,
            lago_invoice_id=view.invoice.id,
            invoice_number=view.invoice.number,
            offset_amount_cents=0,
            coupons_adjustment_amount_cents=_cents(note.precise_coupons_adjustment_amount_cents),
            file_url=None,
            self_billed=view.invoice.self_billed,
            customer=CustomerOutput.of(view.customer, view.customer_entity),
            items=[ItemOutput.of(item, fee) for item, fee in view.items],
            applied_taxes=[NoteTaxOutput.of(tax) for tax in view.applied_taxes],
            error_details=[],
        )


def _cents(precise: Decimal) -> int:
    return int(fixed(precise, 0))


class CreditNoteResponse(BaseModel):
    credit_note: CreditNoteOutput


class CreditNotesResponse(BaseModel):
    credit_notes: list[CreditNoteOutput]
    meta: Meta
