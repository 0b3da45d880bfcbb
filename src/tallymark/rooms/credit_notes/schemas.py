"""How credit notes look on the wire (invoicing §11.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator

from tallymark.api.key_values import KeyValues
from tallymark.api.pagination import Meta
from tallymark.api.wire import (
    DecimalText,
    Described,
    ErrorDetailOutput,
    Input,
    Instant,
    Integer,
    NotEmpty,
    OptionalText,
    Percent,
    Text,
)
from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing.creditable import Parts
from tallymark.domain.money import fixed
from tallymark.rooms.credit_notes.model import CreditNoteView, Item, ItemInput, NoteTaxRecord
from tallymark.rooms.credit_notes.service.create import Estimated
from tallymark.rooms.credit_notes.service.save import About
from tallymark.rooms.customers.schemas import CustomerOutput
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.fees.schemas import FeeOutput
from tallymark.rooms.invoices.schemas import Link


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


class CreditNoteOutput(Described):
    # Metadata is shown only where there is some (invoicing §11.1).
    left_out = ("metadata",)

    lago_id: UUID
    billing_entity_code: str
    sequential_id: int
    number: str
    lago_invoice_id: UUID
    invoice_number: str
    purchase_order_number: str | None
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
    xml_url: str | None
    self_billed: bool
    customer: CustomerOutput
    items: list[ItemOutput]
    applied_taxes: list[NoteTaxOutput]
    error_details: list[ErrorDetailOutput]
    metadata: dict[str, str | None] | None

    @classmethod
    def of(cls, view: CreditNoteView, link: Link) -> CreditNoteOutput:
        """Show a note with its items and taxes."""
        note = view.note
        same = (
            "sequential_id", "number", "issuing_date", "credit_status", "refund_status", "reason", "description",
            "currency", "total_amount_cents", "precise_total_amount_cents", "taxes_amount_cents",
            "precise_taxes_amount_cents", "taxes_rate", "sub_total_excluding_taxes_amount_cents",
            "balance_amount_cents", "credit_amount_cents", "refund_amount_cents", "offset_amount_cents", "metadata",
            "created_at", "updated_at",
        )  # fmt: skip
        return cls(
            **{name: getattr(note, name) for name in same},
            lago_id=note.id,
            billing_entity_code=view.billing_entity.code,
            lago_invoice_id=view.invoice.id,
            invoice_number=view.invoice.number,
            purchase_order_number=view.invoice.purchase_order_number,
            coupons_adjustment_amount_cents=_cents(note.precise_coupons_adjustment_amount_cents),
            file_url=link(note.file_key),
            xml_url=link(note.xml_key),
            self_billed=view.invoice.self_billed,
            customer=CustomerOutput.of(view.customer, view.customer_entity),
            items=[ItemOutput.of(item, fee) for item, fee in view.items],
            applied_taxes=[NoteTaxOutput.of(tax) for tax in view.applied_taxes],
            error_details=[],
        )


def _cents(precise: Decimal) -> int:
    return int(fixed(precise, 0))


class EstimatedItem(BaseModel):
    amount_cents: int
    lago_fee_id: UUID


class EstimatedTax(BaseModel):
    lago_tax_id: UUID
    tax_name: str
    tax_code: str
    tax_rate: Percent
    tax_description: str | None
    base_amount_cents: int
    amount_cents: int
    amount_currency: str


class EstimatedOutput(BaseModel):
    lago_invoice_id: UUID
    invoice_number: str
    currency: str
    taxes_amount_cents: int
    precise_taxes_amount_cents: DecimalText
    sub_total_excluding_taxes_amount_cents: int
    max_creditable_amount_cents: int
    max_refundable_amount_cents: int
    max_offsettable_amount_cents: int
    coupons_adjustment_amount_cents: int
    precise_coupons_adjustment_amount_cents: DecimalText
    taxes_rate: Percent
    items: list[EstimatedItem]
    applied_taxes: list[EstimatedTax]

    @classmethod
    def of(cls, estimated: Estimated) -> EstimatedOutput:
        """Show what a note would come to."""
        facts, estimate = estimated.facts, estimated.estimate
        amounts, invoice = estimate.amounts, facts.invoice
        coupons = fixed(amounts.coupons_adjustment_cents, 5)
        return cls(
            lago_invoice_id=invoice.id,
            invoice_number=invoice.number,
            currency=invoice.currency,
            taxes_amount_cents=estimate.taxes_amount_cents,
            precise_taxes_amount_cents=fixed(amounts.precise_taxes_cents, 5),
            sub_total_excluding_taxes_amount_cents=amounts.sub_total_cents,
            max_creditable_amount_cents=estimate.max_creditable_cents,
            max_refundable_amount_cents=estimate.max_refundable_cents,
            max_offsettable_amount_cents=estimate.max_offsettable_cents,
            coupons_adjustment_amount_cents=_cents(coupons),
            precise_coupons_adjustment_amount_cents=coupons,
            taxes_rate=fixed(amounts.taxes_rate, 5),
            items=[
                EstimatedItem(amount_cents=int(amount), lago_fee_id=facts.fees[position].id)
                for position, amount in amounts.items
            ],
            applied_taxes=[
                EstimatedTax(
                    lago_tax_id=applied.tax_id,
                    tax_name=applied.tax_name,
                    tax_code=applied.tax_code,
                    tax_rate=applied.tax_rate,
                    tax_description=applied.tax_description,
                    base_amount_cents=tax.base_amount_cents,
                    amount_cents=tax.amount_cents,
                    amount_currency=invoice.currency,
                )
                for tax in amounts.taxes
                for applied in [facts.taxes[tax.tax]]
            ],
        )


class EstimateResponse(BaseModel):
    estimated_credit_note: EstimatedOutput


class NoteItemInput(Input):
    fee_id: Any = None
    amount_cents: Integer

    def to_value(self) -> ItemInput:
        """What is asked back of a fee; an id that is none is no fee's."""
        try:
            fee_id = UUID(str(self.fee_id))
        except ValueError:
            fee_id = None
        return ItemInput(fee_id=fee_id, amount_cents=Fraction(self.amount_cents))


def _list_or_none(value: Any) -> Any:
    return value if isinstance(value, list) else None


class EstimateInput(Input):
    invoice_id: Any = None
    items: Annotated[list[NoteItemInput] | None, BeforeValidator(_list_or_none)] = None

    @property
    def asked_items(self) -> Sequence[ItemInput] | None:
        """What is asked back; None where it is no list."""
        return None if self.items is None else [item.to_value() for item in self.items]


class CreditNoteInput(EstimateInput):
    credit_amount_cents: Integer | None = None
    refund_amount_cents: Integer | None = None
    offset_amount_cents: Integer | None = None
    reason: Text | None = None
    description: OptionalText = None
    metadata: KeyValues | None = None

    @property
    def parts(self) -> Parts:
        """How it is to be given back."""
        return Parts(
            credit_cents=self.credit_amount_cents or 0,
            refund_cents=self.refund_amount_cents or 0,
            offset_cents=self.offset_amount_cents or 0,
        )

    @property
    def about(self) -> About:
        """Why, and what is written on it."""
        return About(
            reason=self.reason or "other", description=self.description, metadata=self.metadata or None
        )


class CreditNoteUpdateInput(Input):
    refund_status: Text | None = None
    metadata: KeyValues | None = None


class EstimateRequest(BaseModel):
    credit_note: Annotated[EstimateInput, NotEmpty]


class CreditNoteRequest(BaseModel):
    credit_note: Annotated[CreditNoteInput, NotEmpty]


class CreditNoteUpdateRequest(BaseModel):
    credit_note: Annotated[CreditNoteUpdateInput, NotEmpty]


class CreditNoteResponse(BaseModel):
    credit_note: CreditNoteOutput


class CreditNotesResponse(BaseModel):
    credit_notes: list[CreditNoteOutput]
    meta: Meta
