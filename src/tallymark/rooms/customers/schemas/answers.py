"""What an answer shows of a customer."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.pagination import Meta
from tallymark.api.wire import ErrorDetailOutput, Instant
from tallymark.rooms.customers.model import ADDRESS, Customer, Metadata, PaymentMethod
from tallymark.rooms.invoice_custom_sections.model import Section
from tallymark.rooms.invoice_custom_sections.schemas import SectionOutput
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.taxes.model import Tax
from tallymark.rooms.taxes.schemas import TaxOutput


class AddressOutput(BaseModel):
    address_line1: str | None
    address_line2: str | None
    city: str | None
    zipcode: str | None
    state: str | None
    country: str | None


class BillingConfigurationOutput(BaseModel):
    invoice_grace_period: int | None
    subscription_invoice_issuing_date_anchor: str | None
    subscription_invoice_issuing_date_adjustment: str | None
    payment_provider: str | None = None
    payment_provider_code: str | None = None
    document_locale: str | None
    provider_customer_id: str | None = None
    sync: bool | None = None
    sync_with_provider: bool | None = None
    provider_payment_methods: list[str] | None = None


class MetadataOutput(BaseModel):
    lago_id: UUID
    key: str
    value: str
    display_in_invoice: bool
    created_at: Instant

    @classmethod
    def of(cls, note: Metadata) -> MetadataOutput:
        """Show a note."""
        return cls(
            lago_id=note.id,
            key=note.key,
            value=note.value,
            display_in_invoice=note.display_in_invoice,
            created_at=note.created_at,
        )


class IntegrationCustomerOutput(BaseModel):
    """A customer's account in a tax, accounting or CRM system."""

    lago_id: UUID
    type: Literal["netsuite", "anrok", "xero", "hubspot", "salesforce"]
    integration_code: str
    external_customer_id: str
    sync_with_provider: bool | None
    subsidiary_id: str | None
    targeted_object: str | None
    email: str | None


class CustomerOutput(AddressOutput):
    lago_id: UUID
    billing_entity_code: str
    sequential_id: int
    slug: str
    external_id: str
    account_type: Literal["customer", "partner"]
    applicable_timezone: str
    created_at: Instant
    updated_at: Instant
    currency: str | None
    customer_type: Literal["company", "individual"] | None
    email: str | None
    external_salesforce_id: str | None
    finalize_zero_amount_invoice: Literal["inherit", "skip", "finalize"]
    firstname: str | None
    lastname: str | None
    legal_name: str | None
    legal_number: str | None
    logo_url: str | None
    name: str | None
    net_payment_term: int | None
    phone: str | None
    skip_invoice_custom_sections: bool
    tax_identification_number: str | None
    timezone: str | None
    url: str | None
    shipping_address: AddressOutput
    billing_configuration: BillingConfigurationOutput
    metadata: list[MetadataOutput]
    integration_customers: list[IntegrationCustomerOutput]

    @classmethod
    def of(cls, customer: Customer, entity: BillingEntity) -> CustomerOutput:
        """Show a customer."""
        return cls(**customer_fields(customer, entity))


class DetailedCustomerOutput(CustomerOutput):
    taxes: list[TaxOutput]
    error_details: list[ErrorDetailOutput]
    applicable_invoice_custom_sections: list[SectionOutput]

    @classmethod
    def with_taxes(
        cls,
        customer: Customer,
        entity: BillingEntity,
        taxes: tuple[Tax, ...],
        sections: tuple[Section, ...],
    ) -> DetailedCustomerOutput:
        """The same with the taxes that the customer carries, and the sections that their invoices print."""
        return cls(
            **customer_fields(customer, entity),
            taxes=[TaxOutput.of(tax) for tax in taxes],
            error_details=[],
            applicable_invoice_custom_sections=[SectionOutput.of(section) for section in sections],
        )


def customer_fields(customer: Customer, entity: BillingEntity) -> dict[str, Any]:
    """The wire's names for a customer's values."""
    same = (
        "sequential_id", "slug", "external_id", "account_type", "created_at", "updated_at", "currency",
        "customer_type", "email", "external_salesforce_id", "finalize_zero_amount_invoice", "firstname", "lastname",
        "legal_name", "legal_number", "logo_url", "name", "net_payment_term", "phone", "tax_identification_number",
        "timezone", "url", "skip_invoice_custom_sections",
    )  # fmt: skip
    configuration = BillingConfigurationOutput(
        invoice_grace_period=customer.invoice_grace_period,
        subscription_invoice_issuing_date_anchor=customer.subscription_invoice_issuing_date_anchor,
        subscription_invoice_issuing_date_adjustment=customer.subscription_invoice_issuing_date_adjustment,
        document_locale=customer.document_locale,
        payment_provider=customer.payment_provider,
        payment_provider_code=customer.payment_provider_code,
        provider_customer_id=customer.provider_customer_id,
        sync_with_provider=customer.sync_with_provider,
        provider_payment_methods=customer.provider_payment_methods,
    )
    return {
        **{name: getattr(customer, name) for name in same},
        **{name: getattr(customer.address, name) for name in ADDRESS},
        "lago_id": customer.id,
        "billing_entity_code": entity.code,
        "applicable_timezone": customer.applicable_timezone(entity),
        "shipping_address": AddressOutput(
            **{name: getattr(customer.shipping_address, name) for name in ADDRESS}
        ),
        "billing_configuration": configuration,
        "metadata": [MetadataOutput.of(note) for note in customer.metadata],
        "integration_customers": [],
    }


class CustomerResponse(BaseModel):
    customer: DetailedCustomerOutput


class ListedCustomerOutput(CustomerOutput):
    taxes: list[TaxOutput]


class CustomersResponse(BaseModel):
    customers: list[ListedCustomerOutput]
    meta: Meta


class CheckoutUrlOutput(BaseModel):
    lago_customer_id: UUID
    external_customer_id: str
    payment_provider: str | None
    payment_provider_code: str | None
    checkout_url: str


class CheckoutUrlResponse(BaseModel):
    customer: CheckoutUrlOutput


class PaymentMethodOutput(BaseModel):
    """A way in which a customer pays through a provider."""

    lago_id: UUID
    is_default: bool
    payment_provider_code: str | None
    payment_provider_name: str | None
    payment_provider_type: Literal["adyen", "cashfree", "gocardless", "stripe", "flutterwave", "moneyhash"]
    provider_method_id: str
    details: dict[str, str]
    """What may be shown of it: `type`, `brand`, `last4`, `expires`; what the provider has not told is left out."""
    created_at: Instant

    @classmethod
    def of(cls, method: PaymentMethod) -> PaymentMethodOutput:
        """Show a method."""
        same = (
            "is_default", "payment_provider_code", "payment_provider_name", "provider_method_id", "created_at",
        )  # fmt: skip
        return cls(
            **{name: getattr(method, name) for name in same},
            lago_id=method.id,
            details=dict(method.details),
            payment_provider_type=method.payment_provider,
        )


class PaymentMethodResponse(BaseModel):
    payment_method: PaymentMethodOutput


class PaymentMethodsResponse(BaseModel):
    payment_methods: list[PaymentMethodOutput]
    meta: Meta
