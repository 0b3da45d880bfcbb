"""How billing entities, and the settings of an organization, look on the wire."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from tallymark.api.validation import Country, CurrencyCode, Emails, Locale, NumberPrefix, Timezone
from tallymark.api.wire import (
    Input,
    Instant,
    Integer,
    Name,
    NotEmpty,
    OptionalText,
    at_most,
    one_of,
)
from tallymark.rooms.billing_entities.model import EntityInput, Logo
from tallymark.rooms.invoice_custom_sections.model import Section
from tallymark.rooms.invoice_custom_sections.schemas import SectionOutput
from tallymark.rooms.organizations.model import (
    RESERVED_SLUGS,
    BillingEntity,
    EventCorrectionPolicy,
    LateEventPolicy,
)
from tallymark.rooms.organizations.schemas import OrganizationOutput
from tallymark.rooms.taxes.model import Tax
from tallymark.rooms.taxes.schemas import TaxOutput

Days = Annotated[Integer, Field(ge=0, le=100_000)]
Short = Annotated[OptionalText, at_most(255)]
LARGEST_LOGO = 800 * 1024
EMAIL_SETTINGS = ("invoice.finalized", "credit_note.created", "payment_receipt.created")
REQUIRED = (
    "name", "default_currency", "timezone", "net_payment_term", "document_numbering", "document_number_prefix",
    "finalize_zero_amount_invoice", "invoice_grace_period", "document_locale", "email_settings", "eu_tax_management", "einvoicing",
    "subscription_invoice_issuing_date_anchor", "subscription_invoice_issuing_date_adjustment",
)  # fmt: skip
"""Columns that always have a value: null leaves them."""

_PICTURE = re.compile(r"data:image/(png|jpe?g);base64,(.*)", re.DOTALL)
_SIGNATURES = {"png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff"}
_COLOR = re.compile(r"#[0-9a-f]{6}")
_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def _fail(code: str) -> PydanticCustomError:
    return PydanticCustomError(code, code)


def _email_settings(value: Any) -> Any:
    if value is not None and not isinstance(value, list):
        raise _fail("unsupported_value")
    if any(setting not in EMAIL_SETTINGS for setting in value or ()):
        raise _fail("unsupported_value")
    return None if value is None else list(dict.fromkeys(value))


def _logo(value: Any) -> Any:
    if value is None or value == "":
        return None
    match = _PICTURE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _fail("invalid_content_type")
    extension = "png" if match[1] == "png" else "jpg"
    try:
        content = base64.b64decode(match[2], validate=True)
    except binascii.Error:
        raise _fail("invalid_content_type") from None
    if not content.startswith(_SIGNATURES[extension]):
        raise _fail("invalid_content_type")
    if len(content) > LARGEST_LOGO:
        raise _fail("invalid_size")
    return Logo(content=content, extension=extension)


def _color(value: Any) -> Any:
    if value is None or value == "":
        return None
    color = value.strip().lower() if isinstance(value, str) else ""
    if not _COLOR.fullmatch(color):
        raise _fail("invalid_format")
    return color


def _slug(value: Any) -> Any:
    if value is None:
        return None
    slug = value.strip().lower() if isinstance(value, str) else ""
    if len(slug) < 3:
        raise _fail("value_is_too_short")
    if len(slug) > 40:
        raise _fail("value_is_too_long")
    if slug in RESERVED_SLUGS:
        raise _fail("value_is_reserved")
    if not _SLUG.fullmatch(slug):
        raise _fail("invalid_format")
    return slug


def _footer(value: str | None) -> str | None:
    if value is not None and len(value) > 600:
        raise _fail("value_is_too_long")
    return value


EmailSettings = Annotated[list[str] | None, BeforeValidator(_email_settings)]


class OrganizationConfigurationInput(Input):
    invoice_footer: Annotated[OptionalText, AfterValidator(_footer)] = None
    invoice_grace_period: Days | None = None
    document_locale: Locale | None = None


class ConfigurationInput(OrganizationConfigurationInput):
    subscription_invoice_issuing_date_anchor: Annotated[
        str | None, one_of("current_period_end", "next_period_start", None)
    ] = None
    subscription_invoice_issuing_date_adjustment: Annotated[
        str | None, one_of("keep_anchor", "align_with_finalization_date", None)
    ] = None


class SharedInput(Input):
    """What an organization and a billing entity may both change of themselves (platform §3)."""

    default_currency: CurrencyCode | None = None
    country: Country = None
    address_line1: Short = None
    address_line2: Short = None
    state: Short = None
    zipcode: Short = None
    city: Short = None
    email: Emails = None
    legal_name: Short = None
    legal_number: Short = None
    tax_identification_number: Short = None
    timezone: Timezone | None = None
    net_payment_term: Days | None = None
    document_number_prefix: NumberPrefix | None = None
    finalize_zero_amount_invoice: bool | None = None
    email_settings: EmailSettings = None
    eu_tax_management: bool | None = None

    def columns(self) -> dict[str, Any]:
        """The columns that the request names, flat; null leaves those that need a value."""
        values = self.sent
        configuration = values.pop("billing_configuration", None)
        if configuration is not None:
            values |= configuration.sent
        return {name: value for name, value in values.items() if value is not None or name not in REQUIRED}


class MeteringInput(Input):
    """How late events are treated, and corrections of what is billed (beyond.md §3); what is not sent stays."""

    late_event_window_days: Annotated[Integer, Field(ge=1, le=100_000)] | None = None
    late_event_policy: Annotated[str, one_of(*LateEventPolicy)] = LateEventPolicy.REJECT
    event_correction_policy: Annotated[str, one_of(*EventCorrectionPolicy)] = EventCorrectionPolicy.REFUSE


class OrganizationInput(SharedInput):
    """What an organization may change of itself."""

    document_numbering: Annotated[str | None, one_of("per_customer", "per_organization", None)] = None
    billing_configuration: OrganizationConfigurationInput | None = None
    slug: Annotated[str | None, BeforeValidator(_slug)] = None
    webhook_url: OptionalText = None
    metering: MeteringInput | None = None

    def own_values(self) -> dict[str, Any]:
        """The columns of the organization itself."""
        values = self.columns()
        names = [
            name for name in ("slug", "document_number_prefix") if name in values and values[name] is not None
        ]
        of_metering = self.metering.sent if self.metering else {}
        return {name: values[name] for name in names} | of_metering

    def to_value(self) -> EntityInput:
        """What changes of the default entity."""
        values = self.columns()
        for name in ("slug", "webhook_url", "metering"):
            values.pop(name, None)
        if values.get("document_numbering") == "per_organization":
            values["document_numbering"] = "per_billing_entity"
        return EntityInput(values=values)


class EntityUpdateInput(SharedInput):
    name: Name = ""
    phone: Short = None
    document_numbering: Annotated[str | None, one_of("per_customer", "per_billing_entity", None)] = None
    billing_configuration: ConfigurationInput | None = None
    einvoicing: bool | None = None
    logo: Annotated[Logo | None, BeforeValidator(_logo)] = None
    brand_color: Annotated[str | None, BeforeValidator(_color)] = None
    tax_codes: list[str] | None = None
    invoice_custom_section_codes: list[str] | None = None

    @property
    def removes_logo(self) -> bool:
        """Whether the logo was sent as null or empty."""
        return "logo" in self.model_fields_set and self.logo is None

    def to_value(self, logo_key: str | None) -> EntityInput:
        """What is asked for; `logo_key` is where a logo that was sent is kept."""
        values = self.columns()
        for name in ("logo", "tax_codes", "invoice_custom_section_codes"):
            values.pop(name, None)
        if logo_key is not None or self.removes_logo:
            values["logo_key"] = logo_key
        return EntityInput(
            values=values, tax_codes=self.tax_codes, section_codes=self.invoice_custom_section_codes
        )


class EntityCreateInput(EntityUpdateInput):
    code: Name
    name: Name


class OrganizationRequest(BaseModel):
    organization: Annotated[OrganizationInput, NotEmpty]


class EntityCreateRequest(BaseModel):
    billing_entity: Annotated[EntityCreateInput, NotEmpty]


class EntityUpdateRequest(BaseModel):
    billing_entity: Annotated[EntityUpdateInput, NotEmpty]

    @model_validator(mode="before")
    @classmethod
    def _below_a_root(cls, sent: Any) -> Any:
        """The contract's document has no root here, the pages and clients do: both are taken."""
        is_bare = isinstance(sent, dict) and "billing_entity" not in sent
        return (
            {"billing_entity": sent}
            if is_bare and sent.keys() & EntityUpdateInput.model_fields.keys()
            else sent
        )


class EntityOutput(BaseModel):
    lago_id: UUID
    code: str
    name: str
    is_default: bool
    created_at: Instant
    updated_at: Instant
    default_currency: str
    timezone: str
    country: str | None
    address_line1: str | None
    address_line2: str | None
    city: str | None
    state: str | None
    zipcode: str | None
    phone: str | None
    email: str | None
    legal_name: str | None
    legal_number: str | None
    tax_identification_number: str | None
    einvoicing: bool
    eu_tax_management: bool
    net_payment_term: int
    email_settings: list[str]
    document_numbering: Literal["per_customer", "per_billing_entity"]
    document_number_prefix: str
    finalize_zero_amount_invoice: bool
    logo_url: str | None
    brand_color: str | None
    invoice_footer: str | None
    invoice_grace_period: int
    document_locale: str
    subscription_invoice_issuing_date_anchor: str
    subscription_invoice_issuing_date_adjustment: str

    @classmethod
    def of(cls, entity: BillingEntity, *, default: BillingEntity, logo_url: str | None) -> EntityOutput:
        """Show an entity."""
        return cls(**_entity_fields(entity, default, logo_url))


class DetailedEntityOutput(EntityOutput):
    taxes: list[TaxOutput]
    selected_invoice_custom_sections: list[SectionOutput]

    @classmethod
    def with_choices(
        cls, shown: EntityOutput, taxes: Sequence[Tax], sections: Sequence[Section]
    ) -> DetailedEntityOutput:
        """The same with the taxes that the entity carries and the sections that its invoices print."""
        return cls(
            **shown.__dict__,
            taxes=[TaxOutput.of(tax) for tax in taxes],
            selected_invoice_custom_sections=[SectionOutput.of(section) for section in sections],
        )


def _entity_fields(entity: BillingEntity, default: BillingEntity, logo_url: str | None) -> dict[str, Any]:
    same = {name: getattr(entity, name) for name in EntityOutput.model_fields if hasattr(entity, name)}
    apart = {"lago_id": entity.id, "is_default": entity.id == default.id, "logo_url": logo_url}
    return {**same, **apart, "email_settings": list(entity.email_settings)}


class EntityResponse(BaseModel):
    billing_entity: EntityOutput


class DetailedEntityResponse(BaseModel):
    billing_entity: DetailedEntityOutput


class EntitiesResponse(BaseModel):
    billing_entities: list[EntityOutput]


class OrganizationWithTaxesOutput(OrganizationOutput):
    taxes: list[TaxOutput]


class OrganizationWithTaxesResponse(BaseModel):
    organization: OrganizationWithTaxesOutput
