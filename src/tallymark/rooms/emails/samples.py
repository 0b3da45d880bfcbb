"""What e-mails of a billing entity look like before there is a document: an imagined customer's first invoice, and what follows from it.

Nothing of it is kept, nor counted: it is 100 of the entity's currency, without taxes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import assert_never
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.domain.fees.model import FeeType
from tallymark.domain.money import currency
from tallymark.domain.periods import local_date
from tallymark.jobs.mail import MailKind, Recipients
from tallymark.rooms.credit_notes.model import CreditNote, CreditNoteView, Item
from tallymark.rooms.customers.model import Address, Customer
from tallymark.rooms.emails.model import Letter, Paper, Subject
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus, InvoiceView
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.payment_providers.model import PaymentStatus
from tallymark.rooms.payment_requests.model import PaymentRequest, RequestView
from tallymark.rooms.payments.model import Payment, Receipt, ReceiptDocument

NOBODY = UUID(int=0)
AMOUNT = 100
"""Of the currency's major unit."""


def sample_letter(kind: MailKind, entity: BillingEntity, *, locale: str | None, now: datetime) -> Letter:
    """An e-mail of a kind as an entity would send it now, in its own language where none is named."""
    customer = _customer(entity, locale=locale, now=now)
    invoice = _invoice(entity, customer, now=now)
    subject, papers = _about(kind, invoice, now=now)
    return Letter(
        email_id=NOBODY,
        kind=kind,
        document_id=NOBODY,
        is_again=False,
        asked_by=None,
        subject=subject,
        issuer=entity,
        customer=customer,
        customer_entity=entity,
        recipients=Recipients(to=(customer.email,) if customer.email else ()),
        papers=papers,
    )


def _about(kind: MailKind, view: InvoiceView, *, now: datetime) -> tuple[Subject, tuple[Paper, ...]]:
    match kind:
        case MailKind.INVOICE:
            return view, (view,)
        case MailKind.CREDIT_NOTE:
            note = _credit_note(view, now=now)
            return note, (note,)
        case MailKind.RECEIPT:
            receipt = _receipt(view, now=now)
            return receipt, (receipt, receipt.invoice)
        case MailKind.REQUEST:
            return _request(view, now=now), (view,)
        case _:
            assert_never(kind)


def _customer(entity: BillingEntity, *, locale: str | None, now: datetime) -> Customer:
    nowhere = Address(
        address_line1=None, address_line2=None, city=None, zipcode=None, state=None, country=entity.country
    )
    return Customer(
        id=NOBODY,
        billing_entity_id=entity.id,
        external_id="example",
        sequential_id=1,
        slug=f"{entity.document_number_prefix}-001",
        name="Example Ltd",
        firstname=None,
        lastname=None,
        legal_name=None,
        legal_number=None,
        url=None,
        logo_url=None,
        phone=None,
        email="accounts@example.com",
        tax_identification_number=None,
        external_salesforce_id=None,
        customer_type="company",
        account_type="customer",
        address=nowhere,
        shipping_address=nowhere,
        currency=entity.default_currency,
        timezone=None,
        net_payment_term=None,
        finalize_zero_amount_invoice="inherit",
        invoice_grace_period=None,
        subscription_invoice_issuing_date_anchor=None,
        subscription_invoice_issuing_date_adjustment=None,
        document_locale=locale,
        payment_provider=None,
        payment_provider_code=None,
        payment_provider_id=None,
        provider_customer_id=None,
        sync_with_provider=None,
        provider_payment_methods=None,
        skip_invoice_custom_sections=False,
        metadata=(),
        created_at=now,
        updated_at=now,
        deleted_at=None,
    )


def _invoice(entity: BillingEntity, customer: Customer, *, now: datetime) -> InvoiceView:
    cents = AMOUNT * currency(entity.default_currency).subunits
    today = local_date(now, ZoneInfo(entity.timezone))
    invoice = Invoice(
        id=NOBODY,
        customer_id=customer.id,
        billing_entity_id=entity.id,
        number=f"{customer.slug}-001",
        sequential_id=1,
        entity_sequential_id=None,
        invoice_type="one_off",
        status=InvoiceStatus.FINALIZED,
        payment_status="pending",
        currency=entity.default_currency,
        timezone=entity.timezone,
        billing_day=today,
        billed_at=now,
        issuing_date=today,
        expected_finalization_date=today,
        payment_due_date=today + timedelta(days=entity.net_payment_term),
        net_payment_term=entity.net_payment_term,
        payment_overdue=False,
        self_billed=False,
        is_recurring=False,
        purchase_order_number=None,
        fees_amount_cents=cents,
        progressive_billing_credit_amount_cents=0,
        coupons_amount_cents=0,
        sub_total_excluding_taxes_amount_cents=cents,
        taxes_amount_cents=0,
        sub_total_including_taxes_amount_cents=cents,
        credit_notes_amount_cents=0,
        prepaid_credit_amount_cents=0,
        prepaid_granted_credit_amount_cents=None,
        prepaid_purchased_credit_amount_cents=None,
        total_amount_cents=cents,
        total_paid_amount_cents=0,
        offset_amount_cents=0,
        taxes_rate=Decimal(0),
        file_key=None,
        xml_key=None,
        finalized_at=now,
        voided_at=None,
        payment_dispute_lost_at=None,
        payment_attempts=0,
        skip_psp=False,
        payment_method_type=None,
        payment_method_id=None,
        created_at=now,
        updated_at=now,
    )
    return InvoiceView(
        invoice=invoice,
        customer=customer,
        billing_entity=entity,
        customer_entity=entity,
        applied_taxes=(),
    )


def _credit_note(view: InvoiceView, *, now: datetime) -> CreditNoteView:
    """The whole invoice, given back as credit."""
    invoice = view.invoice
    cents = invoice.total_amount_cents
    note = CreditNote(
        id=NOBODY,
        customer_id=invoice.customer_id,
        invoice_id=invoice.id,
        sequential_id=1,
        number=f"{invoice.number}-CN001",
        credit_status="available",
        refund_status=None,
        reason="other",
        description=None,
        currency=invoice.currency,
        issuing_date=invoice.issuing_date,
        total_amount_cents=cents,
        credit_amount_cents=cents,
        refund_amount_cents=0,
        offset_amount_cents=0,
        balance_amount_cents=cents,
        taxes_amount_cents=0,
        sub_total_excluding_taxes_amount_cents=cents,
        precise_coupons_adjustment_amount_cents=Decimal(0),
        precise_taxes_amount_cents=Decimal(0),
        precise_total_amount_cents=Decimal(cents),
        taxes_rate=Decimal(0),
        metadata=None,
        refunded_at=None,
        file_key=None,
        xml_key=None,
        created_at=now,
        updated_at=now,
    )
    item = Item(
        id=NOBODY,
        credit_note_id=note.id,
        fee_id=NOBODY,
        amount_cents=cents,
        precise_amount_cents=Decimal(cents),
        currency=note.currency,
    )
    return CreditNoteView(
        note=note,
        invoice=invoice,
        customer=view.customer,
        billing_entity=view.billing_entity,
        customer_entity=view.customer_entity,
        items=((item, _fee(view, now=now)),),
        applied_taxes=(),
    )


def _fee(view: InvoiceView, *, now: datetime) -> FeeRecord:
    """The only fee of the invoice: something that was sold once."""
    cents = view.invoice.fees_amount_cents
    return FeeRecord(
        id=NOBODY,
        invoice_id=view.invoice.id,
        customer_id=view.customer.id,
        subscription_id=None,
        charge_id=None,
        charge_filter_id=None,
        fixed_charge_id=None,
        add_on_id=NOBODY,
        true_up_parent_fee_id=None,
        original_fee_id=None,
        billable_metric_id=None,
        plan_id=None,
        wallet_transaction_id=None,
        position=0,
        fee_type=FeeType.ADD_ON,
        currency=view.invoice.currency,
        amount_cents=cents,
        precise_amount_cents=Decimal(cents),
        precise_coupons_amount_cents=Decimal(0),
        taxes_amount_cents=0,
        taxes_precise_amount_cents=Decimal(0),
        taxes_rate=Decimal(0),
        units=Decimal(1),
        total_aggregated_units=Decimal(1),
        unit_amount_cents=cents,
        precise_unit_amount=Decimal(AMOUNT),
        events_count=None,
        amount_details={},
        grouped_by={},
        presentation_breakdowns=[],
        pricing_unit_details=None,
        explanation=[],
        invoice_display_name=None,
        filter_display_name=None,
        description=None,
        event_id=None,
        event_transaction_id=None,
        item_code="example",
        item_name="Example",
        item_description=None,
        pay_in_advance=False,
        invoiceable=True,
        payment_status="pending",
        from_at=None,
        to_at=None,
        succeeded_at=None,
        failed_at=None,
        refunded_at=None,
        created_at=now,
        updated_at=now,
        external_subscription_id=None,
        external_customer_id=view.customer.external_id,
        charge_model=None,
        charge_parent_id=None,
        filter_values=None,
        true_up_fee_id=None,
        self_billed=False,
    )


def _receipt(view: InvoiceView, *, now: datetime) -> ReceiptDocument:
    """The whole invoice, paid by hand."""
    cents = view.invoice.total_amount_cents
    paid = replace(view.invoice, payment_status="succeeded", total_paid_amount_cents=cents)
    receipt = Receipt(
        id=NOBODY,
        payment_id=NOBODY,
        customer_id=paid.customer_id,
        sequential_id=1,
        number=f"{view.customer.slug}-RCPT-000001",
        file_key=None,
        xml_key=None,
        created_at=now,
    )
    payment = Payment(
        id=NOBODY,
        customer_id=paid.customer_id,
        invoice_id=paid.id,
        payment_request_id=None,
        payable_type="Invoice",
        payment_type="manual",
        status="succeeded",
        payment_status=PaymentStatus.SUCCEEDED,
        amount_cents=cents,
        currency=paid.currency,
        reference=None,
        payment_provider=None,
        payment_provider_code=None,
        provider_customer_id=None,
        provider_payment_id=None,
        payment_provider_id=None,
        error_code=None,
        error_message=None,
        next_action=None,
        asked_at=None,
        surplus_cents=0,
        surplus_returned_at=None,
        payment_method_id=None,
        created_at=now,
        updated_at=now,
    )
    return ReceiptDocument(
        receipt=receipt,
        payment=payment,
        invoice=replace(view, invoice=paid),
        paid_before_cents=0,
        offsets=(),
    )


def _request(view: InvoiceView, *, now: datetime) -> RequestView:
    """For the invoice as it would be had it been due yesterday."""
    invoice = view.invoice
    due = invoice.issuing_date - timedelta(days=1)
    issued = due - timedelta(days=invoice.net_payment_term)
    overdue = replace(invoice, issuing_date=issued, payment_due_date=due, payment_overdue=True)
    request = PaymentRequest(
        id=NOBODY,
        customer_id=view.customer.id,
        billing_entity_id=view.billing_entity.id,
        dunning_campaign_id=None,
        email=view.customer.email,
        payment_method_type=None,
        payment_method_id=None,
        payment_status="pending",
        amount_cents=view.invoice.total_amount_cents,
        currency=view.invoice.currency,
        created_at=now,
        updated_at=now,
    )
    return RequestView(
        request=request,
        customer=view.customer,
        customer_entity=view.customer_entity,
        invoices=(replace(view, invoice=overdue),),
    )
