"""How a preview is asked for and shown (invoicing §10.5)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator

from tallymark.api.descriptions import NOTHING, like, shown_as
from tallymark.api.errors import BadRequest
from tallymark.api.links import Links
from tallymark.api.validation import Country, CurrencyCode, Timezone
from tallymark.api.wire import NOT_OFFERED, Input, InstantInput, Name, OptionalText, one_of
from tallymark.domain.periods import BillingTime
from tallymark.rooms.coupons.schemas import AFrequency, Amount, Duration, Rate
from tallymark.rooms.customers.schemas.requests import AddressInput, Short
from tallymark.rooms.invoices.model import InvoiceView
from tallymark.rooms.invoices.schemas import InvoiceOutput
from tallymark.rooms.previews.model import (
    Ending,
    GivenCoupon,
    PlanChange,
    PreviewInput,
    Projection,
    Proposal,
    Question,
)


class PreviewedIntegration(Input):
    """A tax system of the customer's: none can be connected, so that naming one is refused."""

    integration_type: Any = None
    integration_code: Any = None


class PreviewedCustomer(AddressInput):
    external_id: OptionalText = None
    name: Short = None
    currency: CurrencyCode | None = None
    country: Country = None
    shipping_address: AddressInput | None = None
    tax_identification_number: Short = None
    timezone: Timezone | None = None
    integration_customers: Annotated[list[PreviewedIntegration] | None, NOT_OFFERED] = None

    def columns(self) -> dict[str, Any]:
        """What is to differ from the customer that is kept."""
        apart = ("external_id", "shipping_address", "integration_customers")
        found = {name: value for name, value in self.sent.items() if name not in apart}
        if self.shipping_address is not None:
            found |= {f"shipping_{name}": value for name, value in self.shipping_address.sent.items()}
        return found


class PreviewedCoupon(Input):
    code: Name
    name: Short = None
    coupon_type: Annotated[str | None, one_of("fixed_amount", "percentage", None)] = None
    amount_cents: Amount | None = None
    amount_currency: CurrencyCode | None = None
    percentage_rate: Rate | None = None
    frequency: AFrequency | None = None
    frequency_duration: Duration | None = None

    def to_value(self) -> GivenCoupon:
        """A coupon as it is described."""
        described = {name: value for name, value in self.sent.items() if name != "code" and value is not None}
        return GivenCoupon(code=self.code, terms=described)


class PreviewedSubscriptions(Input):
    external_ids: list[str] | None = None
    plan_code: OptionalText = None
    terminated_at: OptionalText = None


def _list_of_coupons(value: Any) -> Any:
    if value is not None and not isinstance(value, list):
        raise BadRequest("coupons_must_be_an_array")
    return value


def _object_of_subscriptions(value: Any) -> Any:
    if value is not None and not isinstance(value, dict):
        raise BadRequest("subscriptions_must_be_an_object")
    return value


class PreviewRequest(Input):
    customer: PreviewedCustomer
    plan_code: OptionalText = None
    subscription_at: InstantInput | None = None
    billing_time: Annotated[str | None, one_of("calendar", "anniversary", None)] = None
    coupons: Annotated[list[PreviewedCoupon] | None, BeforeValidator(_list_of_coupons)] = None
    subscriptions: Annotated[PreviewedSubscriptions | None, BeforeValidator(_object_of_subscriptions)] = None
    billing_entity_code: OptionalText = None

    def to_value(self) -> PreviewInput:
        """What is asked for."""
        return PreviewInput(
            question=self._question(),
            external_customer_id=self.customer.external_id,
            customer=self.customer.columns(),
            coupons=[coupon.to_value() for coupon in self.coupons or ()],
            billing_entity_code=self.billing_entity_code,
        )

    def _question(self) -> Question:
        asked = self.subscriptions or PreviewedSubscriptions()
        external_ids = asked.external_ids or []
        if not external_ids:
            return Proposal(
                plan_code=self.plan_code,
                billing_time=BillingTime(self.billing_time or "calendar"),
                subscription_at=self.subscription_at,
            )
        if asked.terminated_at is not None:
            return Ending(external_ids=external_ids, terminated_at=asked.terminated_at)
        if asked.plan_code is not None:
            return PlanChange(external_ids=external_ids, plan_code=asked.plan_code)
        return Projection(external_ids=external_ids)


NOT_MADE = ("created_at", "updated_at", "web_url")
"""What an invoice that is not made does not have."""

_WITH_WHAT_IS_STORED = ("created_at", "external_id", "external_customer_id", "external_subscription_id")
"""What is null beside an id that is none."""


def _unstored(schema: Any, name: str = "") -> Any:
    """The schema of what is shown like something stored, and may not be: it has no ids then."""
    if isinstance(schema, list):
        return [_unstored(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "uuid" or name in _WITH_WHAT_IS_STORED:
        return {"anyOf": [schema, NOTHING]}
    found = {key: _unstored(one) for key, one in schema.items()}
    if isinstance(schema.get("properties"), dict):
        found["properties"] = {field: _unstored(one, field) for field, one in schema["properties"].items()}
    return found


_PREVIEWED = _unstored(like(InvoiceOutput, lago_id=NOTHING, **dict.fromkeys(NOT_MADE, NOTHING)))


class PreviewResponse(BaseModel):
    invoice: Annotated[dict[str, Any], shown_as(_PREVIEWED)]


def shown_preview(view: InvoiceView, imagined: frozenset[UUID], links: Links) -> dict[str, Any]:
    """An invoice as it would be shown, but that the ids of what is not stored are null."""
    shown = InvoiceOutput.of(view, links).model_dump(mode="json")
    without_ids = _without(shown, {str(one) for one in imagined})
    fees = [{**fee, "created_at": None} for fee in without_ids["fees"]]
    found: dict[str, Any] = {**without_ids, **dict.fromkeys(NOT_MADE), "fees": fees}
    return found


def _without(value: Any, ids: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(one, ids) for name, one in value.items()}
    if isinstance(value, list):
        return [_without(one, ids) for one in value]
    return None if isinstance(value, str) and value in ids else value
