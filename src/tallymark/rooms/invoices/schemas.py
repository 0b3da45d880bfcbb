"""How invoices look on the wire (invoicing §2.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.links import Links
from tallymark.api.pagination import Meta
from tallymark.api.wire import (
    Described,
    ErrorDetailOutput,
    Input,
    Instant,
    InstantMs,
    Integer,
    Name,
    NotEmpty,
    Percent,
    Text,
    at_most,
)
from tallymark.rooms.customers.schemas import CustomerOutput
from tallymark.rooms.fees.schemas import FeeOutput
from tallymark.rooms.invoices.model import (
    PROGRESSIVE_TYPE,
    VISIBLE,
    AppliedSection,
    AppliedTaxRecord,
    AppliedThreshold,
    BillingRecord,
    CreditLine,
    Invoice,
    InvoiceView,
    MetadataInput,
)
from tallymark.rooms.subscriptions.model import SubscriptionView
from tallymark.rooms.subscriptions.schemas import SubscriptionOutput

Link = Callable[[str | None], str | None]
"""Makes a link to a file of its key; None where there is no file."""

VERSION_NUMBER = 4
"""What clients read as the version of an invoice's arithmetic."""


class NoteOutput(BaseModel):
    lago_id: UUID
    key: str
    value: str
    created_at: Instant


class CreditItemOutput(BaseModel):
    lago_item_id: UUID | None
    type: str
    code: str
    name: str
    description: str | None


class CreditedInvoiceOutput(BaseModel):
    lago_id: UUID
    payment_status: str


class CreditOutput(BaseModel):
    lago_id: UUID
    amount_cents: int
    amount_currency: str
    before_taxes: bool
    item: CreditItemOutput
    invoice: CreditedInvoiceOutput

    @classmethod
    def of(cls, line: CreditLine, payment_status: str) -> CreditOutput:
        """Show what was deducted from an invoice."""
        return cls(
            lago_id=line.id,
            amount_cents=line.amount_cents,
            amount_currency=line.currency,
            before_taxes=line.before_taxes,
            item=CreditItemOutput(
                lago_item_id=line.coupon_id or line.credit_note_id or line.progressive_invoice_id,
                type=line.item_type,
                code=line.item_code,
                name=line.item_name,
                description=line.item_description,
            ),
            invoice=CreditedInvoiceOutput(lago_id=line.invoice_id, payment_status=payment_status),
        )


class ReachedThresholdOutput(BaseModel):
    lago_id: UUID
    threshold_display_name: str | None
    amount_cents: int
    recurring: bool
    created_at: Instant
    updated_at: Instant


class AppliedThresholdOutput(BaseModel):
    lifetime_usage_amount_cents: int
    created_at: Instant
    usage_threshold: ReachedThresholdOutput

    @classmethod
    def of(cls, applied: AppliedThreshold) -> AppliedThresholdOutput:
        """Show a threshold that an invoice was made for."""
        return cls(
            lifetime_usage_amount_cents=applied.lifetime_usage_amount_cents,
            created_at=applied.created_at,
            usage_threshold=ReachedThresholdOutput(
                lago_id=applied.usage_threshold_id,
                threshold_display_name=applied.threshold_display_name,
                amount_cents=applied.amount_cents,
                recurring=applied.recurring,
                created_at=applied.threshold_created_at,
                updated_at=applied.threshold_updated_at,
            ),
        )


class AppliedTaxOutput(BaseModel):
    lago_id: UUID
    lago_invoice_id: UUID
    lago_tax_id: UUID | None
    tax_name: str
    tax_code: str
    tax_rate: Percent
    tax_description: str | None
    amount_cents: int
    amount_currency: str
    fees_amount_cents: int
    created_at: Instant

    @classmethod
    def of(cls, tax: AppliedTaxRecord) -> AppliedTaxOutput:
        """Show a tax of an invoice."""
        same = (
            "tax_name",
            "tax_code",
            "tax_rate",
            "tax_description",
            "amount_cents",
            "fees_amount_cents",
            "created_at",
        )
        return cls(
            **{name: getattr(tax, name) for name in same},
            lago_id=tax.id,
            lago_invoice_id=tax.invoice_id,
            lago_tax_id=tax.tax_id,
            amount_currency=tax.currency,
        )


class BillingPeriodOutput(BaseModel):
    lago_subscription_id: UUID
    external_subscription_id: str
    lago_plan_id: UUID
    subscription_from_datetime: Instant | None
    subscription_to_datetime: Instant | None
    charges_from_datetime: Instant | None
    charges_to_datetime: Instant | None
    fixed_charges_from_datetime: Instant | None
    fixed_charges_to_datetime: Instant | None
    invoicing_reason: str

    @classmethod
    def of(cls, record: BillingRecord, view: SubscriptionView) -> BillingPeriodOutput:
        """Show what an invoice bills of a subscription."""
        return cls(
            lago_subscription_id=record.subscription_id,
            external_subscription_id=view.contract.subscription.external_id,
            lago_plan_id=view.contract.plan.id,
            subscription_from_datetime=record.from_at,
            subscription_to_datetime=record.wire_to_at,
            charges_from_datetime=record.charges_from_at,
            charges_to_datetime=record.wire_charges_to_at,
            fixed_charges_from_datetime=record.fixed_charges_from_at,
            fixed_charges_to_datetime=record.wire_fixed_charges_to_at,
            invoicing_reason=record.invoicing_reason,
        )


class InvoiceFileOutput(Described):
    # Only what was made for thresholds tells of them outside of its own call (invoicing §2.3).
    left_out = ("applied_usage_thresholds",)

    lago_id: UUID
    billing_entity_code: str
    sequential_id: int | None
    number: str
    issuing_date: date
    payment_dispute_lost_at: InstantMs | None
    payment_due_date: date
    expected_finalization_date: date
    payment_overdue: bool
    net_payment_term: int
    invoice_type: str
    status: str
    payment_status: str
    currency: str
    fees_amount_cents: int
    coupons_amount_cents: int
    credit_notes_amount_cents: int
    sub_total_excluding_taxes_amount_cents: int
    taxes_amount_cents: int
    taxes_rate: Percent
    sub_total_including_taxes_amount_cents: int
    prepaid_credit_amount_cents: int
    prepaid_granted_credit_amount_cents: int | None
    prepaid_purchased_credit_amount_cents: int | None
    progressive_billing_credit_amount_cents: int
    total_amount_cents: int
    total_paid_amount_cents: int
    total_due_amount_cents: int
    total_offsetted_credit_note_amount_cents: int
    version_number: int
    self_billed: bool
    purchase_order_number: str | None
    file_url: str | None
    xml_url: str | None
    web_url: str | None
    voided_at: Instant | None
    finalized_at: Instant | None
    created_at: Instant
    updated_at: Instant
    applied_usage_thresholds: list[AppliedThresholdOutput] | None

    @classmethod
    def of(cls, view: InvoiceView, links: Links) -> InvoiceFileOutput:
        """Show an invoice beside its files: nothing that hangs on it."""
        return cls(**_own_fields(view, links), applied_usage_thresholds=_thresholds(view))


class InvoiceListOutput(InvoiceFileOutput):
    customer: CustomerOutput
    metadata: list[NoteOutput]
    applied_taxes: list[AppliedTaxOutput]

    @classmethod
    def of(cls, view: InvoiceView, links: Links) -> InvoiceListOutput:
        """Show an invoice in a list."""
        return cls(
            **_own_fields(view, links), **_listed_fields(view), applied_usage_thresholds=_thresholds(view)
        )


class AppliedSectionOutput(BaseModel):
    lago_id: UUID
    lago_invoice_id: UUID
    code: str
    details: str | None
    display_name: str | None
    created_at: Instant

    @classmethod
    def of(cls, section: AppliedSection) -> AppliedSectionOutput:
        """Show a section as the invoice prints it."""
        return cls(
            lago_id=section.id,
            lago_invoice_id=section.invoice_id,
            code=section.code,
            details=section.details,
            display_name=section.display_name,
            created_at=section.created_at,
        )


class InvoiceOutput(InvoiceListOutput):
    billing_periods: list[BillingPeriodOutput]
    subscriptions: list[SubscriptionOutput]
    fees: list[FeeOutput]
    credits: list[CreditOutput]
    error_details: list[ErrorDetailOutput]
    applied_invoice_custom_sections: list[AppliedSectionOutput]

    @classmethod
    def of(cls, view: InvoiceView, links: Links) -> InvoiceOutput:
        """Show an invoice with its lines."""
        billed = sorted(zip(view.records, view.subscriptions, strict=True), key=lambda pair: _name(pair[1]))
        return cls(
            **_own_fields(view, links),
            **_listed_fields(view),
            billing_periods=[BillingPeriodOutput.of(record, shown) for record, shown in billed],
            subscriptions=[SubscriptionOutput.of(shown) for _, shown in billed],
            fees=[FeeOutput.of(fee) for fee in view.fees],
            credits=[CreditOutput.of(line, view.invoice.payment_status) for line in view.credits],
            error_details=[],
            applied_invoice_custom_sections=[AppliedSectionOutput.of(item) for item in view.sections],
            applied_usage_thresholds=_thresholds(view) or [],
        )


def _thresholds(view: InvoiceView) -> list[AppliedThresholdOutput] | None:
    if view.invoice.invoice_type != PROGRESSIVE_TYPE:
        return None
    return [AppliedThresholdOutput.of(item) for item in view.applied_thresholds]


def _name(view: SubscriptionView) -> str:
    return view.contract.subscription.name or view.contract.plan.invoice_name


def _own_fields(view: InvoiceView, links: Links) -> dict[str, Any]:
    """The wire's names for an invoice's values; `links` lead to its files and its page."""
    invoice = view.invoice
    same = (
        "sequential_id", "number", "issuing_date", "payment_due_date", "expected_finalization_date", "payment_overdue",
        "net_payment_term", "invoice_type", "status", "payment_status", "currency", "fees_amount_cents",
        "coupons_amount_cents", "credit_notes_amount_cents", "sub_total_excluding_taxes_amount_cents",
        "taxes_amount_cents", "taxes_rate", "sub_total_including_taxes_amount_cents", "prepaid_credit_amount_cents",
        "prepaid_granted_credit_amount_cents", "prepaid_purchased_credit_amount_cents",
        "progressive_billing_credit_amount_cents", "total_amount_cents", "total_paid_amount_cents",
        "total_due_amount_cents", "self_billed", "purchase_order_number", "voided_at", "finalized_at", "created_at",
        "updated_at", "payment_dispute_lost_at",
    )  # fmt: skip
    return {
        **{name: getattr(invoice, name) for name in same},
        "lago_id": invoice.id,
        "billing_entity_code": view.billing_entity.code,
        "total_offsetted_credit_note_amount_cents": invoice.offset_amount_cents,
        "version_number": VERSION_NUMBER,
        "file_url": links.file(invoice.file_key),
        "xml_url": links.file(invoice.xml_key),
        "web_url": _web_url(invoice, links),
    }


def _web_url(invoice: Invoice, links: Links) -> str | None:
    """The invoice's page; None for one that is not shown."""
    if invoice.status not in VISIBLE:
        return None
    return links.page("customer", invoice.customer_id, "invoice", invoice.id, "overview")


def _listed_fields(view: InvoiceView) -> dict[str, Any]:
    """What hangs on an invoice and is shown in lists too."""
    return {
        "customer": CustomerOutput.of(view.customer, view.customer_entity),
        "metadata": [
            NoteOutput(lago_id=note.id, key=note.key, value=note.value, created_at=note.created_at)
            for note in view.metadata
        ],
        "applied_taxes": [AppliedTaxOutput.of(tax) for tax in view.applied_taxes],
    }


class InvoiceMetadataInput(Input):
    id: UUID | None = None
    key: Annotated[Name, at_most(20)]
    value: Annotated[Name, at_most(140)]

    def to_value(self) -> MetadataInput:
        """A note to be written."""
        return MetadataInput(id=self.id, key=self.key, value=self.value)


class InvoiceUpdateInput(Input):
    payment_status: Text | None = None
    metadata: list[InvoiceMetadataInput] | None = None


class InvoiceUpdateRequest(BaseModel):
    invoice: Annotated[InvoiceUpdateInput, NotEmpty]


class VoidRequest(Input):
    generate_credit_note: bool | None = None
    credit_amount: Integer | None = None
    refund_amount: Integer | None = None


class InvoiceResponse(BaseModel):
    invoice: InvoiceOutput


class InvoicesResponse(BaseModel):
    invoices: list[InvoiceListOutput]
    meta: Meta


class FileResponseBody(BaseModel):
    invoice: InvoiceFileOutput


class InvoiceExplanation(BaseModel):
    lago_invoice_id: UUID
    number: str
    currency: str
    total_amount_cents: int
    steps: list[dict[str, Any]]

    @classmethod
    def of(cls, invoice: Invoice, steps: Sequence[Mapping[str, Any]]) -> InvoiceExplanation:
        """Show how an invoice's total came to be."""
        return cls(
            lago_invoice_id=invoice.id,
            number=invoice.number,
            currency=invoice.currency,
            total_amount_cents=invoice.total_amount_cents,
            steps=[dict(step) for step in steps],
        )


class InvoiceExplanationResponse(BaseModel):
    explanation: InvoiceExplanation
