"""How subscriptions look on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from tallymark.api.descriptions import TEXT, record
from tallymark.api.pagination import Meta
from tallymark.api.wire import (
    Input,
    Instant,
    InstantInput,
    InstantMs,
    Name,
    NotEmpty,
    OptionalText,
    Text,
    as_integer,
    at_most,
    one_of,
)
from tallymark.domain.errors import Invalid
from tallymark.domain.periods import BillingTime
from tallymark.rooms.entitlements.schemas import EntitlementOutput
from tallymark.rooms.invoice_custom_sections.schemas import ChosenSectionOutput
from tallymark.rooms.plans.inputs import ThresholdInput
from tallymark.rooms.plans.model import UsageThreshold
from tallymark.rooms.plans.schemas.inputs import OverridesFields, ThresholdFields
from tallymark.rooms.plans.schemas.outputs import PlanOutput
from tallymark.rooms.subscriptions.model import ActivationRule, Details, PaidBy, SubscriptionView
from tallymark.rooms.subscriptions.service import NewSubscription, Overrides, SectionsInput

CreditNoteOption = Literal["credit", "refund", "offset", "skip"]
InvoiceOption = Literal["generate", "skip"]
Trimmed = Annotated[Name, AfterValidator(str.strip)]
OrderNumber = Annotated[OptionalText, at_most(255), AfterValidator(lambda text: text and text.strip())]


class ChosenMethodFields(Input):
    """How something is to be paid; whether a method is the customer's is for the service to tell."""

    payment_method_type: Any = "provider"
    payment_method_id: Any = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.payment_method_type not in ("provider", "manual"):
            raise PydanticCustomError("invalid_payment_method", "no such kind of payment method")
        if self.payment_method_type == "manual" or self.payment_method_id in (None, ""):
            self.payment_method_id = None
            return self
        try:
            self.payment_method_id = UUID(str(self.payment_method_id))
        except ValueError:
            raise PydanticCustomError("invalid_payment_method", "no such payment method") from None
        return self

    def to_value(self) -> PaidBy:
        """How it is to be paid."""
        return PaidBy(method_type=str(self.payment_method_type), method_id=self.payment_method_id)

    @property
    def columns(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "payment_method_type": str(self.payment_method_type),
            "payment_method_id": self.payment_method_id,
        }


PaymentMethodInput = ChosenMethodFields | None
"""How it is to be paid: by hand, by one of the customer's methods, or by whichever is their default."""


class CustomSectionsInput(Input):
    skip_invoice_custom_sections: bool | None = None
    invoice_custom_section_codes: list[str] | None = None

    def to_value(self) -> SectionsInput:
        """What is asked for."""
        return SectionsInput(skips=self.skip_invoice_custom_sections, codes=self.invoice_custom_section_codes)


RULES = {
    "type": ["array", "null"],
    "items": {
        "type": "object",
        "properties": {"type": {"type": "string"}, "timeout_hours": {"type": "integer"}},
    },
}
"""What activation rules look like; the service says what is wrong with them."""


def _rules(value: Any) -> Any:
    """Rules whose hours are numbers where they read as ones."""
    if not isinstance(value, list):
        return value
    return [
        {**rule, "timeout_hours": as_integer(rule["timeout_hours"])}
        if isinstance(rule, dict) and "timeout_hours" in rule
        else rule
        for rule in value
    ]


ActivationRules = Annotated[Any, BeforeValidator(_rules), WithJsonSchema(RULES)]

AUTHORIZATION = {"type": ["object", "null"], **record(amount_cents={"type": "integer"}, amount_currency=TEXT)}
"""A card's authorization, which no provider can be asked for."""


def _invalid_value(*allowed: str | None) -> BeforeValidator:
    def check(value: Any) -> Any:
        if value not in allowed:
            raise PydanticCustomError("invalid_value", "not in the list")
        return value

    return BeforeValidator(check)


class SubscriptionFields(Input):
    """What creation and update share."""

    name: Annotated[OptionalText, AfterValidator(lambda text: text and text.strip())] = None
    ending_at: InstantInput | None = None
    subscription_at: InstantInput | None = None
    purchase_order_number: OrderNumber = None
    consolidate_invoice: bool | None = None
    billing_entity_code: Text | None = None
    plan_overrides: OverridesFields | None = None
    invoice_custom_section: CustomSectionsInput | None = None
    payment_method: ChosenMethodFields | None = None
    activation_rules: ActivationRules = None
    usage_thresholds: list[ThresholdFields] | None = None
    progressive_billing_disabled: bool | None = None
    on_termination_credit_note: Annotated[
        str | None, _invalid_value("credit", "refund", "offset", "skip", None)
    ] = None
    on_termination_invoice: Annotated[str | None, _invalid_value("generate", "skip", None)] = None

    def overrides(self) -> Overrides | None:
        """What the subscription is to have of its own; None where nothing is said of it. Raises `Invalid`."""
        asked = self.plan_overrides
        if asked is None or not asked.model_fields_set:
            return None
        if asked.usage_thresholds is not None and self.usage_thresholds is not None:
            both = ("plan_overrides", "usage_thresholds")
            raise Invalid({name: ["incompatible_params"] for name in both})
        return Overrides(asked=asked.to_value(), is_units_only=asked.is_units_only)

    def thresholds(self) -> list[ThresholdInput] | None:
        """The usage thresholds asked for; None where nothing is said of them."""
        asked = self.usage_thresholds
        return None if asked is None else [item.to_value() for item in asked]

    def sections(self) -> SectionsInput | None:
        """The custom sections asked for; None where nothing is said of them."""
        return self.invoice_custom_section.to_value() if self.invoice_custom_section else None

    def options(self) -> dict[str, Any]:
        """The columns that are taken as they were sent."""
        taken = {name: value for name, value in self.sent.items() if name in OPTIONS}
        if self.payment_method is not None:
            taken["payment_method_type"] = self.payment_method.payment_method_type
            taken["payment_method_id"] = self.payment_method.payment_method_id
        return {name: value for name, value in taken.items() if value is not None or name not in FLAGS}


OPTIONS = (
    "purchase_order_number",
    "consolidate_invoice",
    "on_termination_credit_note",
    "on_termination_invoice",
    "progressive_billing_disabled",
)
FLAGS = ("consolidate_invoice", "progressive_billing_disabled", "on_termination_invoice")
"""Those that are not cleared: null is no change."""


class SubscriptionCreateInput(SubscriptionFields):
    external_customer_id: Trimmed
    plan_code: Annotated[OptionalText, AfterValidator(lambda text: text and text.strip())] = None
    external_id: Trimmed
    billing_time: Annotated[str | None, one_of("calendar", "anniversary", None)] = None

    def to_value(self) -> NewSubscription:
        """What is asked for. Raises `Invalid`."""
        return NewSubscription(
            external_customer_id=self.external_customer_id,
            plan_code=self.plan_code or "",
            external_id=self.external_id,
            name=self.name,
            billing_time=BillingTime(self.billing_time or "calendar"),
            subscription_at=self.subscription_at,
            ending_at=self.ending_at,
            billing_entity_code=self.billing_entity_code,
            overrides=self.overrides(),
            activation_rules=self.activation_rules,
            options=self.options(),
        )


class SubscriptionUpdateInput(SubscriptionFields):
    def to_changes(self) -> dict[str, Any]:
        """What the request changes: columns, and rules of activation. Raises `Invalid`."""
        own = ("name", "ending_at", "subscription_at", "billing_entity_code", "activation_rules")
        return {name: value for name, value in self.sent.items() if name in own} | self.options()


class SubscriptionCreateRequest(BaseModel):
    subscription: Annotated[SubscriptionCreateInput, NotEmpty]
    authorization: Annotated[dict[str, Any] | None, WithJsonSchema(AUTHORIZATION)] = None


class SubscriptionUpdateRequest(BaseModel):
    subscription: Annotated[SubscriptionUpdateInput, NotEmpty]
    status: str | None = None


class PaymentMethodReference(BaseModel):
    payment_method_id: UUID | None = None
    payment_method_type: Literal["provider", "manual"] = "provider"


class ActivationRuleOutput(BaseModel):
    lago_id: UUID
    type: Literal["payment"]
    timeout_hours: int
    status: Literal["inactive", "pending", "satisfied", "declined", "failed", "expired", "not_applicable"]
    expires_at: Instant | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, rule: ActivationRule) -> ActivationRuleOutput:
        """Show a rule as it stands."""
        same = ("timeout_hours", "status", "expires_at", "created_at", "updated_at")
        return cls(
            **{name: getattr(rule, name) for name in same},
            lago_id=rule.id,
            type=rule.rule_type,
        )


class SubscriptionOutput(BaseModel):
    lago_id: UUID
    external_id: str
    lago_customer_id: UUID
    external_customer_id: str
    billing_entity_code: str
    billing_time: Literal["calendar", "anniversary"]
    name: str | None
    plan_code: str
    plan_amount_cents: int
    plan_amount_currency: str
    status: Literal["active", "canceled", "incomplete", "pending", "terminated"]
    created_at: Instant
    canceled_at: Instant | None
    started_at: InstantMs | None
    ending_at: Instant | None
    subscription_at: Instant
    terminated_at: Instant | None
    previous_plan_code: str | None
    next_plan_code: str | None
    downgrade_plan_date: date | None
    trial_ended_at: Instant | None
    current_billing_period_started_at: Instant | None
    current_billing_period_ending_at: Instant | None
    on_termination_credit_note: CreditNoteOption | None
    on_termination_invoice: InvoiceOption
    payment_method: PaymentMethodReference
    consolidate_invoice: bool
    cancellation_reason: Literal["payment_failed", "timeout"] | None
    activated_at: Instant | None
    activation_rules: list[ActivationRuleOutput]
    purchase_order_number: str | None
    progressive_billing_disabled: bool

    @classmethod
    def of(cls, view: SubscriptionView) -> SubscriptionOutput:
        """Show a subscription as it stands."""
        return cls(**subscription_fields(view))


class ListedSubscriptionOutput(SubscriptionOutput):
    customer_name: str
    """What people call the customer."""
    has_own_prices: bool
    """Whether it is on a plan of its own, whose prices are not its plan's."""

    @classmethod
    def of(cls, view: SubscriptionView) -> ListedSubscriptionOutput:
        """Show a subscription in a list."""
        return cls(
            **subscription_fields(view),
            customer_name=view.contract.customer.display_name,
            has_own_prices=view.contract.plan.parent_id is not None,
        )


class ApplicableThresholdOutput(BaseModel):
    threshold_display_name: str | None
    amount_cents: int
    recurring: bool

    @classmethod
    def of(cls, threshold: UsageThreshold) -> ApplicableThresholdOutput:
        """Show a threshold that applies."""
        return cls(
            threshold_display_name=threshold.threshold_display_name,
            amount_cents=threshold.amount_cents,
            recurring=threshold.recurring,
        )


class EndedSubscriptionOutput(SubscriptionOutput):
    """With its plan, and the custom sections that it selects itself (§2.1)."""

    plan: PlanOutput
    applied_invoice_custom_sections: list[ChosenSectionOutput]

    @classmethod
    def ended(cls, details: Details) -> EndedSubscriptionOutput:
        """Show a subscription that was called off or ended."""
        return cls(**_with_plan(details))


class ChangedSubscriptionOutput(EndedSubscriptionOutput):
    """With the thresholds that apply to it, too."""

    applicable_usage_thresholds: list[ApplicableThresholdOutput]

    @classmethod
    def changed(cls, details: Details) -> ChangedSubscriptionOutput:
        """Show a subscription that was updated."""
        shown = [ApplicableThresholdOutput.of(item) for item in details.thresholds]
        return cls(**_with_plan(details), applicable_usage_thresholds=shown)


class DetailedSubscriptionOutput(ChangedSubscriptionOutput):
    """With what it is entitled to, too."""

    entitlements: list[EntitlementOutput]

    @classmethod
    def detailed(cls, details: Details) -> DetailedSubscriptionOutput:
        """Show all there is."""
        shown = [EntitlementOutput.of(one) for one in details.entitlements]
        return cls(**dict(ChangedSubscriptionOutput.changed(details)), entitlements=shown)


def _with_plan(details: Details) -> dict[str, Any]:
    contract = details.view.contract
    sections = [ChosenSectionOutput.of(contract.subscription.id, item) for item in details.sections]
    return {
        **subscription_fields(details.view),
        "plan": PlanOutput.of(contract.plan, details.plan_grants),
        "applied_invoice_custom_sections": sections,
    }


def subscription_fields(view: SubscriptionView) -> dict[str, Any]:
    """The wire's names for a view's values."""
    contract, subscription = view.contract, view.contract.subscription
    period = view.current_period
    before, after = contract.relations.predecessor, contract.relations.successor
    same = (
        "external_id", "billing_time", "name", "status", "created_at", "canceled_at", "started_at", "ending_at",
        "subscription_at", "terminated_at", "trial_ended_at", "on_termination_credit_note", "on_termination_invoice",
        "consolidate_invoice", "activated_at", "purchase_order_number", "progressive_billing_disabled",
        "cancellation_reason",
    )  # fmt: skip
    return {
        **{name: getattr(subscription, name) for name in same},
        "lago_id": subscription.id,
        "lago_customer_id": contract.customer.id,
        "external_customer_id": contract.customer.external_id,
        "billing_entity_code": contract.billing_entity.code,
        "plan_code": contract.plan.code,
        "plan_amount_cents": contract.plan.amount_cents,
        "plan_amount_currency": contract.plan.amount_currency,
        "previous_plan_code": before.plan_code if before else None,
        "next_plan_code": after.plan_code if after else None,
        "downgrade_plan_date": view.downgrade_plan_date,
        "current_billing_period_started_at": period.start if period else None,
        "current_billing_period_ending_at": last_moment(period.end) if period else None,
        "payment_method": PaymentMethodReference(
            payment_method_type="manual" if subscription.payment_method_type == "manual" else "provider",
            payment_method_id=subscription.payment_method_id,
        ),
        "activation_rules": [ActivationRuleOutput.of(rule) for rule in view.rules],
    }


def last_moment(end: datetime) -> datetime:
    """The inclusive end that the wire shows of a half-open period (subscriptions §3.9)."""
    return end - datetime.resolution


class SubscriptionResponse(BaseModel):
    subscription: DetailedSubscriptionOutput


class ChangedSubscriptionResponse(BaseModel):
    subscription: ChangedSubscriptionOutput


class EndedSubscriptionResponse(BaseModel):
    subscription: EndedSubscriptionOutput


class SubscriptionsResponse(BaseModel):
    subscriptions: list[ListedSubscriptionOutput]
    meta: Meta
