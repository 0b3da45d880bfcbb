"""What an act would touch; amounts in the currency's minor unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from tallymark.domain.invoicing import InvoiceDraft
from tallymark.domain.invoicing.creditable import Parts
from tallymark.rooms.billing.service.one_off import OneOffLine
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.invoices.model import Invoice, InvoiceView
from tallymark.rooms.subscriptions.model import Contract


class Used(StrEnum):
    """What lists say of how much it is used: by subscriptions that run, and by customers who have a coupon or an add-on."""

    PLAN = "plans"
    FEATURE = "features"
    ADD_ON = "add_ons"
    COUPON = "coupons"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricDeletion:
    """A metric takes its charges along, in all plans, and its alerts; drafts are computed anew without them."""

    plans_count: int
    charges_count: int
    active_subscriptions_count: int
    draft_invoices_count: int
    alerts_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDeletion:
    """A plan ends every subscription on it or on a child of it, and issues their drafts."""

    active_subscriptions_count: int
    pending_subscriptions_count: int
    customers_count: int
    draft_invoices_count: int
    overridden_plans_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxDeletion:
    """A tax is taken off all that carries it; `customers_count` has those too who pay it for their billing entity does."""

    customers_count: int
    billing_entities_count: int
    plans_count: int
    charges_count: int
    fixed_charges_count: int
    add_ons_count: int
    commitments_count: int
    draft_invoices_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOnDeletion:
    """An add-on takes the fixed charges along that are built on it."""

    plans_count: int
    fixed_charges_count: int
    active_subscriptions_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponDeletion:
    """A coupon is taken from everybody who has it."""

    applied_coupons_count: int
    customers_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a subscription would end with one way of giving unused time back; None where its plan has none to give back."""

    credit_note_option: str | None
    view: InvoiceView
    given_back: Sequence[CreditNote]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An invoice of fees that wait for the next one, and what it comes to."""

    lines: Sequence[OneOffLine]
    totals: InvoiceDraft


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """A subscription that would end now, by each way of giving unused time back."""

    contract: Contract
    calls_off: str | None
    """The code of the cheaper plan that waits and would be called off."""
    outcomes: Sequence[Outcome]
    waiting: Waiting | None
    """The invoice that an end without a last one has: of what corrected events of billed periods cost more."""


class Taken(StrEnum):
    """What an invoice took something of."""

    COUPON = "coupon"
    CREDIT_NOTE = "credit_note"
    WALLET = "wallet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What an invoice took, and whether a void gives it back: not to a wallet that has ended."""

    kind: Taken
    id: UUID
    code: str
    name: str | None
    amount_cents: int
    is_given_back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Void:
    """An invoice that would be voided: what it gives back, or the most of it that a credit note could give instead."""

    invoice: Invoice
    releases: Sequence[Release]
    most_by_note: Parts
    is_regenerable: bool
    """Whether another may be issued in its place then."""
