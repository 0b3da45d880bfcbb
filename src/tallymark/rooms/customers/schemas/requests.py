"""What a request may say of a customer."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tallymark.api.validation import Country, CurrencyCode, Emails, Locale, Timezone
from tallymark.api.wire import (
    Input,
    Integer,
    Name,
    NotEmpty,
    OptionalText,
    Text,
    at_most,
    one_of,
)
from tallymark.rooms.customers.service import CustomerInput, MetadataInput, ProviderInput

Days = Annotated[Integer, Field(ge=0, le=100_000)]
Short = Annotated[OptionalText, at_most(255)]
Free = Annotated[OptionalText, at_most(65_535)]


def _zero_amount(value: Any) -> Any:
    if value is None:
        return "inherit"
    if value not in ("inherit", "skip", "finalize"):
        raise PydanticCustomError("invalid_value", "not in the list")
    return value


def _account_type(value: Any) -> Any:
    if value not in (None, "customer", "partner"):
        raise PydanticCustomError("value_is_invalid", "not in the list")
    return value or "customer"


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
    payment_provider: OptionalText = None
    payment_provider_code: Short = None
    provider_customer_id: Short = None
    sync: bool | None = None
    sync_with_provider: bool | None = None
    provider_payment_methods: list[str] | None = None

    def to_values(self) -> dict[str, Any]:
        """The columns that the request names."""
        columns = (
            "invoice_grace_period", "document_locale",
            "subscription_invoice_issuing_date_anchor", "subscription_invoice_issuing_date_adjustment",
        )  # fmt: skip
        return {name: value for name, value in self.sent.items() if name in columns}

    def to_provider(self) -> ProviderInput:
        """What is said of a payment provider."""
        names = (
            "payment_provider", "payment_provider_code", "provider_customer_id", "sync_with_provider",
            "provider_payment_methods",
        )  # fmt: skip
        sent = {name: value for name, value in self.sent.items() if name in names}
        return ProviderInput(sent=sent, sync=bool(self.sync))


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


class IntegrationFields(Input):
    """One at an accounting, tax or sales system: none can be connected, so that it is refused whatever it says."""

    id: Any = None
    integration_type: Text = ""
    integration_code: Any = None
    external_customer_id: Any = None
    sync_with_provider: Any = None
    subsidiary_id: Any = None


class CustomerFields(AddressInput):
    external_id: Name
    name: Short = None
    firstname: Free = None
    lastname: Free = None
    legal_name: Free = None
    legal_number: Free = None
    url: Free = None
    logo_url: Free = None
    phone: Free = None
    email: Emails = None
    tax_identification_number: Free = None
    external_salesforce_id: Free = None
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
    integration_customers: list[IntegrationFields] | None = None
    skip_invoice_custom_sections: bool | None = None
    invoice_custom_section_codes: list[str] | None = None

    def to_value(self) -> CustomerInput:
        """What is asked for: the columns named, and the rest."""
        apart = {
            "external_id", "shipping_address", "billing_entity_code", "billing_configuration",
            "tax_codes", "metadata", "integration_customers",
            "invoice_custom_section_codes",
        }  # fmt: skip
        values = {name: value for name, value in self.sent.items() if name not in apart}
        if values.get("skip_invoice_custom_sections", False) is None:
            values["skip_invoice_custom_sections"] = False
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
            provider=self.billing_configuration.to_provider() if self.billing_configuration else None,
            integration_types=[item.integration_type for item in self.integration_customers or ()],
            section_codes=self.invoice_custom_section_codes,
            metadata=None if self.metadata is None else [note.to_value() for note in self.metadata],
        )


class CustomerRequest(BaseModel):
    customer: Annotated[CustomerFields, NotEmpty]
