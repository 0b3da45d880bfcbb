"""What a credit note is (invoicing §11.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from tallymark.domain.exact import Fraction
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.organizations.model import BillingEntity

CREDIT_STATUSES = ("available", "consumed", "voided")
REFUND_STATUSES = ("pending", "succeeded", "failed")
TYPES = ("credit", "refund", "offset")
REASONS = ("duplicated_charge", "product_unsatisfactory", "order_change", "order_cancellation", "fraudulent_charge",
           "other")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """Money given back; all amounts in the currency's minor unit, `precise_*` exact."""

    id: UUID
    customer_id: UUID
    invoice_id: UUID
    sequential_id: int
    number: str
    credit_status: str
    refund_status: str | None
    reason: str
    description: str | None
    currency: str
    issuing_date: date
    total_amount_cents: int
    credit_amount_cents: int
    refund_amount_cents: int
    offset_amount_cents: int
    balance_amount_cents: int
    taxes_amount_cents: int
    sub_total_excluding_taxes_amount_cents: int
    precise_coupons_adjustment_amount_cents: Decimal
    precise_taxes_amount_cents: Decimal
    precise_total_amount_cents: Decimal
    taxes_rate: Decimal
    metadata: Mapping[str, str | None] | None
    refunded_at: datetime | None
    file_key: str | None
    xml_key: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemInput:
    """What is asked back of a fee, before coupons and taxes; a fee that is none has no id."""

    fee_id: UUID | None
    amount_cents: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """What of a fee had been billed progressively, so that its own invoice did not bill it; minor units before taxes.

    `sources` are the invoices that billed it, the latest first, each with what is left of what it billed itself.
    """

    share_cents: Fraction
    sources: Sequence[tuple[Invoice, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An amount to be given back of some fees on invoices, before coupons and taxes: of the first as far as it goes, and so on."""

    amount_cents: int
    fees: Sequence[FeeRecord]
    name: str
    """What the note says that it is."""

    taken_over: Mapping[UUID, TakenOver] = field(default_factory=dict)
    """By fee: a part of what is given back of it is given back by notes on other invoices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """What a note gave back of a fee, before coupons and taxes."""

    fee_id: UUID
    amount_cents: int
    credit_note_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What a note gives back of one fee."""

    id: UUID
    credit_note_id: UUID
    fee_id: UUID
    amount_cents: int
    precise_amount_cents: Decimal
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftItem:
    """What was asked back of a fee of a draft, and what that fee came to then; `place` tells the fee again."""

    place: str
    amount_cents: int
    fee_amount_cents: int

    @property
    def share(self) -> Fraction:
        """The part of the fee."""
        return Fraction(self.amount_cents, self.fee_amount_cents) if self.fee_amount_cents else Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftNote:
    """A note that was asked for on a draft: it is made, with this id, when that is issued (invoicing §6)."""

    id: UUID
    invoice_id: UUID
    reason: str
    description: str | None
    metadata: Mapping[str, str | None] | None
    credit_amount_cents: int
    offset_amount_cents: int
    items: tuple[DraftItem, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteTaxRecord:
    """A tax given back; `base_amount_cents` is the base it was taken of."""

    id: UUID
    credit_note_id: UUID
    tax_id: UUID
    tax_code: str
    tax_name: str
    tax_description: str | None
    tax_rate: Decimal
    currency: str
    amount_cents: int
    base_amount_cents: int
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteView:
    """A note with what hangs on it."""

    note: CreditNote
    invoice: Invoice
    customer: Customer
    billing_entity: BillingEntity
    customer_entity: BillingEntity
    items: tuple[tuple[Item, FeeRecord], ...]
    applied_taxes: tuple[NoteTaxRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which notes a list shows; None means any. Bounds are inclusive."""

    external_customer_id: str | None = None
    customer_id: UUID | None = None
    """One customer, and no other one who had the same external id before."""
    currency: str | None = None
    reason: str | None = None
    credit_status: str | None = None
    refund_status: str | None = None
    types: tuple[str, ...] = ()
    """Kinds of parts that a note has any of."""
    search_term: str | None = None
    purchase_order_number: str | None = None
    self_billed: bool | None = None
    invoice_number: str | None = None
    issuing_date_from: date | None = None
    issuing_date_to: date | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    billing_entity_codes: tuple[str, ...] = ()
