"""How tenants look on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.validation import Emails
from tallymark.api.wire import Input, Instant, InstantInput, Name
from tallymark.rooms.organizations.model import (
    EventCorrectionPolicy,
    LateEventPolicy,
    Metering,
    Organization,
    TestClock,
)


class BillingConfigurationOutput(BaseModel):
    invoice_footer: str | None
    invoice_grace_period: int
    document_locale: str


class MeteringOutput(BaseModel):
    """How late events are treated, and corrections of what is billed (beyond.md §3)."""

    late_event_window_days: int | None
    late_event_policy: LateEventPolicy
    event_correction_policy: EventCorrectionPolicy

    @classmethod
    def of(cls, metering: Metering) -> MeteringOutput:
        """Show the settings."""
        return cls(
            late_event_window_days=metering.late_event_window_days,
            late_event_policy=metering.late_event_policy,
            event_correction_policy=metering.event_correction_policy,
        )


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
    metering: MeteringOutput

    @classmethod
    def of(cls, organization: Organization, webhook_urls: Sequence[str]) -> OrganizationOutput:
        """Show an organization with its default entity's settings, and where it hears of what happens."""
        entity = organization.billing_entity
        shared = {name: getattr(entity, name) for name in cls.model_fields if hasattr(entity, name)}
        numbering = entity.document_numbering
        return cls(
            **{
                **shared,
                "lago_id": organization.id,
                "name": organization.name,
                "document_number_prefix": organization.document_number_prefix,
                "slug": organization.slug,
                "created_at": organization.created_at,
                "webhook_url": webhook_urls[0] if webhook_urls else "",
                "webhook_urls": [*webhook_urls],
                "email_settings": list(entity.email_settings),
                "document_numbering": "per_organization" if numbering == "per_billing_entity" else numbering,
                "billing_configuration": BillingConfigurationOutput(
                    invoice_footer=entity.invoice_footer,
                    invoice_grace_period=entity.invoice_grace_period,
                    document_locale=entity.document_locale,
                ),
                "events_store": "postgres",
                "metering": MeteringOutput.of(organization.metering),
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


class RenameRequest(Input):
    """`PUT /admin/organizations/{id}`: flat, as what makes one."""

    name: Name


class CreatedOrganizationOutput(OrganizationOutput):
    test_clock: dict[str, str] | None


class NewOrganizationResponse(BaseModel):
    organization: CreatedOrganizationOutput
    api_key: str
    invite_url: str | None = None
    """Where whoever has the e-mail address joins as the first admin; null without one."""
