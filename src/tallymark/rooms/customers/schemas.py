"""How customers look on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tallymark.api.pagination import Meta
from tallymark.api.validation import Country, CurrencyCode, Emails, Locale, Timezone
from tallymark.api.wire import (
    Input,
    Instant,
    Integer,
    Name,
    NotEmpty,
    NotOffered,
    OptionalText,
    Text,
    at_most,
    one_of,
)
from tallymark.rooms.customers.model import ADDRESS, Customer, Metadata
from tallymark.rooms.customers.service import CustomerInput, MetadataInput
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.taxes.model import Tax
from tallymark.rooms.taxes.schemas import TaxOutput

Days = Annotated[Integer, Field(ge=0, le=100_000)]
Short = Annotated[OptionalText, at_most(255)]


def _zero_amount(value: Any) -> Any:
    if value is None:
        return "inherit"
    if value not in ("inherit", "skip", "finalize"):
        raise PydanticCustomError("invalid_value", "not in the list")
    return value


def _account_type(value: Any) -> Any:
    if value == "partner":
        raise PydanticCustomError("unsupported_value", "not offered by this release")
    if value not in (None, "customer"):
        raise PydanticCustomError("value_is_invalid", "not in the list")
    return "customer"


class AddressInput(Input):
    address_line1: OptionalText = None
    address_line2: OptionalText = None
    city: OptionalText = None
    zipcode: OptionalText = None
    state: OptionalText = None
    country: Country = None


class BillingConfigurationInput(Input):
    invoice_grace_period: Days | None = None
    subscription_invoice_issuing_date_anchor: Annotated[
        str | None, one_of("current_period_end", "next_period_start", None)
    ] = None
    subscription_invoice_issuing_date_adjustment: Annotated[
        str | None, one_of("keep_anchor", "align_with_finalization_date", None)
    ] = None
    document_locale: Locale | None = None
    payment_provider: NotOffered = None
    payment_provider_code: NotOffered = None
    provider_customer_id: NotOffered = None
    sync: NotOffered = None
    sync_with_provider: NotOffered = None
    provider_payment_methods: NotOffered = None

    def to_values(self) -> dict[str, Any]:
        """The columns that the request names."""
        columns = (
            "invoice_grace_period", "document_locale",
            "subscription_invoice_issuing_date_anchor", "subscription_invoice_issuing_date_adjustment",
        )  # fmt: skip
        return {name: value for name, value in self.sent.items() if name in columns}


class MetadataFields(Input):
    id: UUID | None = None
    key: Annotated[Name, at_most(20)]
    value: Annotated[Name, at_most(100)]
    display_in_invoice: bool = False

    def to_value(self) -> MetadataInput:
        """What is asked for."""
        return MetadataInput(
            id=self.id, key=self.key, value=self.value, display_in_invoice=self.display_in_invoice
        )


class CustomerFields(AddressInput):
    external_id: Name
    name: Short = None
    firstname: Short = None
    lastname: Short = None
    legal_name: Short = None
    legal_number: Short = None
    url: OptionalText = None
    logo_url: OptionalText = None
    phone: Short = None
    email: Emails = None
    tax_identification_number: Short = None
    external_salesforce_id: Short = None
    customer_type: Annotated[str | None, one_of("company", "individual", None)] = None
    account_type: Annotated[str, BeforeValidator(_account_type)] = "customer"
    shipping_address: AddressInput | None = None
    currency: CurrencyCode | None = None
    timezone: Timezone | None = None
    net_payment_term: Days | None = None
    finalize_zero_amount_invoice: Annotated[str, BeforeValidator(_zero_amount)] = "inherit"
    billing_entity_code: Text | None = None
    billing_configuration: BillingConfigurationInput | None = None
    tax_codes: list[str] | None = None
    metadata: list[MetadataFields] | None = None
    integration_customers: NotOffered = None
    skip_invoice_custom_sections: NotOffered = None
    invoice_custom_section_codes: NotOffered = None

    def to_value(self) -> CustomerInput:
        """What is asked for: the columns named, and the rest."""
        apart = {
            "external_id", "account_type", "shipping_address", "billing_entity_code", "billing_configuration",
            "tax_codes", "metadata", "integration_customers", "skip_invoice_custom_sections",
            "invoice_custom_section_codes",
        }  # fmt: skip
        values = {name: value for name, value in self.sent.items() if name not in apart}
        if self.shipping_address is not None:
            values |= {f"shipping_{name}": value for name, value in self.shipping_address.sent.items()}
        if self.billing_configuration is not None:
            values |= self.billing_configuration.to_values()
        return CustomerInput(
            external_id=self.external_id,
            values=values,
            billing_entity_code=self.billing_entity_code,
            moves_entity=self.billing_entity_code is not None,
            tax_codes=self.tax_codes,
            metadata=None if self.metadata is None else [note.to_value() for note in self.metadata],
        )


class CustomerRequest(BaseModel):
    customer: Annotated[CustomerFields, NotEmpty]


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
    integration_customers: list[dict[str, Any]]

    @classmethod
    def of(cls, customer: Customer, entity: BillingEntity) -> CustomerOutput:
        """Show a customer."""
        return cls(**customer_fields(customer, entity))


class DetailedCustomerOutput(CustomerOutput):
    taxes: list[TaxOutput]
    error_details: list[dict[str, Any]]
    applicable_invoice_custom_sections: list[dict[str, Any]]

    @classmethod
    def with_taxes(
        cls, customer: Customer, entity: BillingEntity, taxes: tuple[Tax, ...]
    ) -> DetailedCustomerOutput:
        """The same with the taxes that the customer carries."""
        return cls(
            **customer_fields(customer, entity),
            taxes=[TaxOutput.of(tax) for tax in taxes],
            error_details=[],
            applicable_invoice_custom_sections=[],
        )


def customer_fields(customer: Customer, entity: BillingEntity) -> dict[str, Any]:
    """The wire's names for a customer's values."""
    same = (
        "sequential_id", "slug", "external_id", "account_type", "created_at", "updated_at", "currency",
        "customer_type", "email", "external_salesforce_id", "finalize_zero_amount_invoice", "firstname", "lastname",
        "legal_name", "legal_number", "logo_url", "name", "net_payment_term", "phone", "tax_identification_number",
        "timezone", "url",
    )  # fmt: skip
    configuration = BillingConfigurationOutput(
        invoice_grace_period=customer.invoice_grace_period,
        subscription_invoice_issuing_date_anchor=customer.subscription_invoice_issuing_date_anchor,
        subscription_invoice_issuing_date_adjustment=customer.subscription_invoice_issuing_date_adjustment,
        document_locale=customer.document_locale,
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
        "skip_invoice_custom_sections": False,
        "integration_customers": [],
    }


class CustomerResponse(BaseModel):
    customer: DetailedCustomerOutput


class ListedCustomerOutput(CustomerOutput):
    taxes: list[TaxOutput]


class CustomersResponse(BaseModel):
    customers: list[ListedCustomerOutput]
    meta: Meta
