"""How consequences look on the wire."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from tallymark.api.wire import DecimalText, Output
from tallymark.domain.money import fixed
from tallymark.rooms.consequences.model import Outcome, Taken, Termination, Void, Waiting
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices.model import InvoiceView

CreditNoteOption = Literal["credit", "refund", "offset", "skip"]


class MetricDeletionOutput(Output):
    plans_count: int
    charges_count: int
    """Of plans; those of their overrides go with them."""
    active_subscriptions_count: int
    draft_invoices_count: int
    alerts_count: int


class PlanDeletionOutput(Output):
    active_subscriptions_count: int
    pending_subscriptions_count: int
    customers_count: int
    draft_invoices_count: int
    """Drafts that are issued at once."""
    overridden_plans_count: int


class TaxDeletionOutput(Output):
    customers_count: int
    """Who pays it: by themselves, or for their billing entity does."""
    billing_entities_count: int
    plans_count: int
    charges_count: int
    fixed_charges_count: int
    add_ons_count: int
    commitments_count: int
    draft_invoices_count: int


class AddOnDeletionOutput(Output):
    plans_count: int
    fixed_charges_count: int
    active_subscriptions_count: int


class CouponDeletionOutput(Output):
    applied_coupons_count: int
    customers_count: int


class LastFeeOutput(BaseModel):
    fee_type: str
    name: str
    units: DecimalText
    amount_cents: int

    @classmethod
    def of(cls, fee: FeeRecord) -> LastFeeOutput:
        """Show a line of the last invoice."""
        name = fee.invoice_display_name or fee.item_name
        return cls(fee_type=fee.fee_type, name=name, units=fee.units, amount_cents=fee.amount_cents)


class LastInvoiceOutput(BaseModel):
    currency: str
    fees_amount_cents: int
    progressive_billing_credit_amount_cents: int
    coupons_amount_cents: int
    taxes_amount_cents: int
    credit_notes_amount_cents: int
    prepaid_credit_amount_cents: int
    total_amount_cents: int
    fees: list[LastFeeOutput]

    @classmethod
    def of(cls, view: InvoiceView) -> LastInvoiceOutput:
        """Show the totals of an invoice with its lines."""
        totals = {name: getattr(view.invoice, name) for name in cls.model_fields if name != "fees"}
        return cls(**totals, fees=[LastFeeOutput.of(fee) for fee in view.fees])


class WaitingInvoiceOutput(BaseModel):
    """What corrected events of billed periods cost more, on an invoice of its own."""

    currency: str
    fees_amount_cents: int
    taxes_amount_cents: int
    total_amount_cents: int
    fees: list[LastFeeOutput]

    @classmethod
    def of(cls, waiting: Waiting, currency: str) -> WaitingInvoiceOutput:
        """Show the totals of what waits with its lines."""
        totals = waiting.totals
        fees = [
            LastFeeOutput(
                fee_type=line.fee.fee_type,
                name=line.columns["invoice_display_name"],
                units=fixed(line.fee.units, 10),
                amount_cents=line.fee.amount_cents,
            )
            for line in waiting.lines
        ]
        return cls(
            currency=currency,
            fees_amount_cents=totals.fees_amount_cents,
            taxes_amount_cents=totals.taxes_amount_cents,
            total_amount_cents=totals.total_amount_cents,
            fees=fees,
        )


class NoteToBeOutput(Output):
    reason: str
    """`order_cancellation` of unused time; another of usage that was billed too much, which needs the last invoice."""
    currency: str
    total_amount_cents: int
    taxes_amount_cents: int
    credit_amount_cents: int
    refund_amount_cents: int
    offset_amount_cents: int


class OutcomeOutput(BaseModel):
    on_termination_credit_note: CreditNoteOption | None
    """Null for a plan that is paid in arrears: it has no unused time to give back."""
    credit_notes: list[NoteToBeOutput]
    invoice: LastInvoiceOutput
    """With `on_termination_invoice=generate`; with `skip` there is none, and what it has is not billed."""

    @classmethod
    def of(cls, outcome: Outcome) -> OutcomeOutput:
        """Show one way to end."""
        return cls.model_validate(
            {
                "on_termination_credit_note": outcome.credit_note_option,
                "credit_notes": [_note(note) for note in outcome.given_back],
                "invoice": LastInvoiceOutput.of(outcome.view),
            }
        )


def _note(note: CreditNote) -> NoteToBeOutput:
    return NoteToBeOutput.model_validate(note)


class TerminationOutput(BaseModel):
    external_id: str
    plan_code: str
    on_termination_credit_note: CreditNoteOption | None
    """What the subscription says."""
    on_termination_invoice: Literal["generate", "skip"]
    canceled_plan_code: str | None
    """The cheaper plan that waits for the end of the period, and would be called off."""
    outcomes: list[OutcomeOutput]
    waiting_invoice: WaitingInvoiceOutput | None
    """With `on_termination_invoice=skip`: what corrected events of periods that are billed cost more. With `generate` the last
    invoice has it."""

    @classmethod
    def of(cls, termination: Termination) -> TerminationOutput:
        """Show every way to end."""
        contract = termination.contract
        subscription = contract.subscription
        return cls.model_validate(
            {
                "external_id": subscription.external_id,
                "plan_code": contract.plan.code,
                "on_termination_credit_note": subscription.on_termination_credit_note,
                "on_termination_invoice": subscription.on_termination_invoice,
                "canceled_plan_code": termination.calls_off,
                "outcomes": [OutcomeOutput.of(outcome) for outcome in termination.outcomes],
                "waiting_invoice": termination.waiting
                and WaitingInvoiceOutput.of(termination.waiting, contract.plan.amount_currency),
            }
        )


class ReleaseOutput(BaseModel):
    kind: Taken
    lago_id: UUID
    """Of the applied coupon, the credit note or the wallet."""
    code: str
    """A coupon's or a wallet's; of a credit note its number."""
    name: str | None
    amount_cents: int
    is_given_back: bool


class VoidOutput(BaseModel):
    lago_id: UUID
    number: str
    currency: str
    total_amount_cents: int
    total_paid_amount_cents: int
    total_due_amount_cents: int
    releases: list[ReleaseOutput]
    """What the invoice took. Wallets and credit notes get theirs back only without `generate_credit_note`."""
    creditable_amount_cents: int
    """The most that `credit_amount` and `refund_amount` may come to with `generate_credit_note`."""
    refundable_amount_cents: int
    is_regenerable: bool
    """Whether another may be issued in its place then."""

    @classmethod
    def of(cls, void: Void) -> VoidOutput:
        """Show what comes back."""
        names = (
            "number",
            "currency",
            "total_amount_cents",
            "total_paid_amount_cents",
            "total_due_amount_cents",
        )
        shared = ("kind", "code", "name", "amount_cents", "is_given_back")
        return cls(
            lago_id=void.invoice.id,
            **{name: getattr(void.invoice, name) for name in names},
            releases=[
                ReleaseOutput(lago_id=one.id, **{name: getattr(one, name) for name in shared})
                for one in void.releases
            ],
            creditable_amount_cents=void.most_by_note.credit_cents,
            refundable_amount_cents=void.most_by_note.refund_cents,
            is_regenerable=void.is_regenerable,
        )


class UsesRequest(BaseModel):
    codes: Annotated[list[str], Field(min_length=1, max_length=1000)]
    """Of what a page of a list shows."""


class UseOutput(BaseModel):
    code: str
    count: int


class UsesResponse(BaseModel):
    uses: list[UseOutput]
    """In the order of the codes."""


Told = TypeVar("Told", bound=BaseModel)


class ConsequencesResponse(BaseModel, Generic[Told]):
    consequences: Told
