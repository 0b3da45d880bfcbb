"""How plans and charges look on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tallymark.api.pagination import Meta
from tallymark.api.validation import CurrencyCode
from tallymark.api.wire import (
    Input,
    Instant,
    Integer,
    Name,
    NotEmpty,
    NotOffered,
    OptionalText,
    Percent,
    at_most,
    one_of,
)
from tallymark.domain.rating import ChargeModel
from tallymark.rooms.plans.charges import ChargeInput
from tallymark.rooms.plans.model import Charge, Plan
from tallymark.rooms.taxes.schemas import TaxOutput

Cents = Annotated[Integer, Field(ge=0, lt=2**63)]
PlanInterval = Annotated[str, one_of("weekly", "monthly", "quarterly", "semiannual", "yearly")]
Model = Annotated[str, one_of(*(model.value for model in ChargeModel))]
TaxCodes = list[str] | None


def _offered_properties(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise PydanticCustomError("invalid_type", "no object")
    for key in ("pricing_group_keys", "grouped_by", "presentation_group_keys"):
        if value.get(key):
            raise PydanticCustomError("unsupported_value", "not offered by this release")
    return value


def _true_only(value: Any) -> Any:
    if value not in (None, True):
        raise PydanticCustomError("unsupported_value", "not offered by this release")
    return True


def _strictly_boolean(value: Any) -> Any:
    if not isinstance(value, bool):
        raise PydanticCustomError("value_is_invalid", "no boolean")
    return value


class ChargeFields(Input):
    id: UUID | None = None
    billable_metric_id: UUID | None = None
    code: Annotated[OptionalText, at_most(255)] = None
    charge_model: Model = ""
    properties: Annotated[dict[str, Any] | None, BeforeValidator(_offered_properties)] = None
    min_amount_cents: NotOffered = None
    invoice_display_name: OptionalText = None
    tax_codes: TaxCodes = None
    pay_in_advance: NotOffered = None
    prorated: NotOffered = None
    invoiceable: Annotated[bool, BeforeValidator(_true_only)] = True
    regroup_paid_fees: NotOffered = None
    accepts_target_wallet: NotOffered = None
    filters: NotOffered = None
    applied_pricing_unit: NotOffered = None
    cascade_updates: bool | None = None

    def to_value(self) -> ChargeInput:
        """What is asked of a charge."""
        columns = ("code", "charge_model", "properties", "invoice_display_name")
        values = {name: value for name, value in self.sent.items() if name in columns}
        return ChargeInput(
            id=self.id, metric_id=self.billable_metric_id, values=values, tax_codes=self.tax_codes
        )


class NewChargeFields(ChargeFields):
    charge_model: Model


class PlanUpdateInput(Input):
    name: Name = ""
    code: Name = ""
    invoice_display_name: OptionalText = None
    description: OptionalText = None
    interval: PlanInterval = ""
    amount_cents: Cents = 0
    amount_currency: CurrencyCode = ""
    pay_in_advance: Annotated[bool, BeforeValidator(_strictly_boolean)] = False
    trial_period: NotOffered = None
    bill_charges_monthly: bool | None = None
    bill_fixed_charges_monthly: bool | None = None
    tax_codes: TaxCodes = None
    charges: list[ChargeFields] | None = None
    fixed_charges: NotOffered = None
    minimum_commitment: NotOffered = None
    usage_thresholds: NotOffered = None
    metadata: NotOffered = None
    cascade_updates: bool | None = None

    def to_values(self) -> dict[str, Any]:
        """The columns that the request names."""
        columns = (
            "name", "code", "invoice_display_name", "description", "interval", "amount_cents", "amount_currency",
            "pay_in_advance", "bill_charges_monthly", "bill_fixed_charges_monthly",
        )  # fmt: skip
        return {name: value for name, value in self.sent.items() if name in columns}


class PlanCharge(NewChargeFields):
    billable_metric_id: UUID


class PlanCreateInput(PlanUpdateInput):
    name: Name
    code: Name
    interval: PlanInterval
    amount_cents: Cents
    amount_currency: CurrencyCode
    pay_in_advance: Annotated[bool, BeforeValidator(_strictly_boolean)]
    charges: list[PlanCharge] | None = None  # type: ignore[assignment]  # a new plan's charges need their metric


class PlanCreateRequest(BaseModel):
    plan: Annotated[PlanCreateInput, NotEmpty]


class PlanUpdateRequest(BaseModel):
    plan: Annotated[PlanUpdateInput, NotEmpty]


class ChargeCreateRequest(BaseModel):
    charge: Annotated[NewChargeFields, NotEmpty]


class ChargeUpdateRequest(BaseModel):
    charge: Annotated[ChargeFields, NotEmpty]


class ChargeOutput(BaseModel):
    lago_id: UUID
    lago_billable_metric_id: UUID
    billable_metric_code: str
    code: str
    invoice_display_name: str | None
    created_at: Instant
    charge_model: ChargeModel
    invoiceable: bool
    regroup_paid_fees: Literal["invoice"] | None
    pay_in_advance: bool
    prorated: bool
    min_amount_cents: int
    accepts_target_wallet: bool
    properties: dict[str, Any]
    filters: list[dict[str, Any]]
    taxes: list[TaxOutput]
    applied_pricing_unit: dict[str, Any] | None
    lago_parent_id: UUID | None

    @classmethod
    def of(cls, charge: Charge) -> ChargeOutput:
        """Show a charge."""
        same = ("code", "invoice_display_name", "created_at", "charge_model", "invoiceable", "pay_in_advance",
                "prorated", "min_amount_cents")  # fmt: skip
        return cls(
            **{name: getattr(charge, name) for name in same},
            lago_id=charge.id,
            lago_billable_metric_id=charge.billable_metric.id,
            billable_metric_code=charge.billable_metric.code,
            regroup_paid_fees=None,
            accepts_target_wallet=False,
            properties=dict(charge.properties),
            filters=[],
            taxes=[TaxOutput.of(tax) for tax in charge.taxes],
            applied_pricing_unit=None,
            lago_parent_id=None,
        )


class PlanListOutput(BaseModel):
    lago_id: UUID
    name: str
    invoice_display_name: str | None
    created_at: Instant
    code: str
    interval: Literal["weekly", "monthly", "quarterly", "semiannual", "yearly"]
    description: str | None
    amount_cents: int
    amount_currency: str
    trial_period: Percent | None
    pay_in_advance: bool
    bill_charges_monthly: bool | None
    bill_fixed_charges_monthly: bool | None
    customers_count: int
    active_subscriptions_count: int
    draft_invoices_count: int
    parent_id: UUID | None
    pending_deletion: bool
    entitlements: list[dict[str, Any]]
    charges: list[ChargeOutput]
    taxes: list[TaxOutput]
    usage_thresholds: list[dict[str, Any]]
    applicable_usage_thresholds: list[dict[str, Any]]

    @classmethod
    def of(cls, plan: Plan) -> PlanListOutput:
        """Show a plan in a list."""
        return cls(**_plan_fields(plan))


class PlanOutput(PlanListOutput):
    fixed_charges: list[dict[str, Any]]

    @classmethod
    def of(cls, plan: Plan) -> PlanOutput:
        """Show a plan."""
        return cls(**_plan_fields(plan), fixed_charges=[])


def _plan_fields(plan: Plan) -> dict[str, Any]:
    same = (
        "name", "invoice_display_name", "created_at", "code", "interval", "description", "amount_cents",
        "amount_currency", "trial_period", "pay_in_advance", "bill_charges_monthly", "bill_fixed_charges_monthly",
        "parent_id", "pending_deletion",
    )  # fmt: skip
    return {
        **{name: getattr(plan, name) for name in same},
        "lago_id": plan.id,
        "charges": [ChargeOutput.of(charge) for charge in plan.charges],
        "taxes": [TaxOutput.of(tax) for tax in plan.taxes],
        **dict.fromkeys(("customers_count", "active_subscriptions_count", "draft_invoices_count"), 0),
        **{name: [] for name in ("entitlements", "usage_thresholds", "applicable_usage_thresholds")},
    }


class PlanResponse(BaseModel):
    plan: PlanOutput


class PlansResponse(BaseModel):
    plans: list[PlanListOutput]
    meta: Meta


class ChargeResponse(BaseModel):
    charge: ChargeOutput


class ChargesResponse(BaseModel):
    charges: list[ChargeOutput]
    meta: Meta
