"""How tenants look on the wire."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from tallymark.api.validation import Country, CurrencyCode, Emails, Locale, NumberPrefix, Timezone
from tallymark.api.wire import Input, Instant, InstantInput, Integer, Name, NotEmpty, OptionalText, one_of
from tallymark.rooms.organizations.model import Organization, TestClock

EmailSetting = Literal["invoice.finalized", "credit_note.created", "payment_receipt.created"]
Days = Annotated[Integer, Field(ge=0, le=100_000)]


class BillingConfigurationInput(Input):
    invoice_footer: Annotated[str | None, Field(max_length=600)] = None
    invoice_grace_period: Days | None = None
    document_locale: Locale | None = None


class OrganizationInput(Input):
    """What an organization may change of itself (platform §3)."""

    default_currency: CurrencyCode | None = None
    country: Country | None = None
    address_line1: OptionalText = None
    address_line2: OptionalText = None
    state: OptionalText = None
    zipcode: OptionalText = None
    city: OptionalText = None
    email: Emails | None = None
    legal_name: OptionalText = None
    legal_number: OptionalText = None
    tax_identification_number: OptionalText = None
    timezone: Timezone | None = None
    net_payment_term: Days | None = None
    document_numbering: Annotated[str | None, one_of("per_customer", "per_organization", None)] = None
    document_number_prefix: NumberPrefix | None = None
    finalize_zero_amount_invoice: bool | None = None
    billing_configuration: BillingConfigurationInput | None = None

    def entity_values(self) -> dict[str, object]:
        """The columns of the default billing entity that the request changes."""
        values = self.sent
        configuration = values.pop("billing_configuration", None)
        if configuration is not None:
            values |= configuration.sent
        if values.get("document_numbering") == "per_organization":
            values["document_numbering"] = "per_billing_entity"
        required = (
            "default_currency", "timezone", "net_payment_term", "document_numbering", "document_number_prefix",
            "finalize_zero_amount_invoice", "invoice_grace_period", "document_locale",
        )  # fmt: skip
        return {key: value for key, value in values.items() if value is not None or key not in required}


class OrganizationRequest(BaseModel):
    organization: Annotated[OrganizationInput, NotEmpty]


class BillingConfigurationOutput(BaseModel):
    invoice_footer: str | None
    invoice_grace_period: int
    document_locale: str


class OrganizationOutput(BaseModel):
    lago_id: UUID
    name: str
    slug: str
    default_currency: str
    created_at: Instant
    webhook_url: str
    webhook_urls: list[str]
    country: str | None
    address_line1: str | None
    address_line2: str | None
    state: str | None
    zipcode: str | None
    city: str | None
    email: str | None
    legal_name: str | None
    legal_number: str | None
    timezone: str
    net_payment_term: int
    email_settings: list[str]
    document_numbering: str
    document_number_prefix: str
    tax_identification_number: str | None
    finalize_zero_amount_invoice: bool
    billing_configuration: BillingConfigurationOutput
    events_store: str

    @classmethod
    def of(cls, organization: Organization) -> OrganizationOutput:
        """Show an organization with its default entity's settings."""
        entity = organization.billing_entity
        shared = {name: getattr(entity, name) for name in cls.model_fields if hasattr(entity, name)}
        numbering = entity.document_numbering
        return cls(
            **{
                **shared,
                "lago_id": organization.id,
                "name": organization.name,
                "slug": organization.slug,
                "created_at": organization.created_at,
                "webhook_url": "",
                "webhook_urls": [],
                "email_settings": list(entity.email_settings),
                "document_numbering": "per_organization" if numbering == "per_billing_entity" else numbering,
                "billing_configuration": BillingConfigurationOutput(
                    invoice_footer=entity.invoice_footer,
                    invoice_grace_period=entity.invoice_grace_period,
                    document_locale=entity.document_locale,
                ),
                "events_store": "postgres",
            }
        )


class OrganizationResponse(BaseModel):
    organization: OrganizationOutput


class TestClockInput(Input):
    frozen_time: InstantInput


class TestClockOutput(BaseModel):
    frozen_time: Instant
    status: Literal["ready", "advancing"] = "ready"

    @classmethod
    def of(cls, clock: TestClock) -> TestClockOutput:
        """Show a clock."""
        return cls(frozen_time=clock.frozen_time, status="advancing" if clock.is_advancing else "ready")


class TestClockResponse(BaseModel):
    test_clock: TestClockOutput


class NewOrganizationRequest(Input):
    """`POST /admin/organizations`: flat, without a root (test-clock.md)."""

    name: Name
    email: Emails | None = None
    test_clock: TestClockInput | None = None


class CreatedOrganizationOutput(OrganizationOutput):
    test_clock: dict[str, str] | None


class NewOrganizationResponse(BaseModel):
    organization: CreatedOrganizationOutput
    api_key: str
