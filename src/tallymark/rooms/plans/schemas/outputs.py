"""How plans and what they charge look on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    BaseModel,
    WithJsonSchema,
)

from tallymark.api.pagination import Meta
from tallymark.api.wire import (
    DecimalText,
    Described,
    Instant,
    Percent,
)
from tallymark.domain.rating import ChargeModel
from tallymark.rooms.entitlements.model import Grant
from tallymark.rooms.entitlements.schemas import GrantOutput
from tallymark.rooms.plans.model import (
    Charge,
    ChargeFilter,
    Commitment,
    FixedCharge,
    Plan,
    PricingUnit,
    UsageThreshold,
)
from tallymark.rooms.plans.schemas.described import CHARGE_PROPERTIES, FILTER_PROPERTIES, FIXED_PROPERTIES
from tallymark.rooms.taxes.schemas import TaxOutput


class MetadataResponse(BaseModel):
    metadata: dict[str, str | None] | None


def shown_properties(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties as stored; the group keys under both of their names (pricing §5.1)."""
    shown = dict(properties)
    if "pricing_group_keys" in shown:
        shown["grouped_by"] = shown["pricing_group_keys"]
    return shown


class FilterOutput(BaseModel):
    lago_id: UUID
    invoice_display_name: str | None
    properties: Annotated[dict[str, Any], WithJsonSchema(FILTER_PROPERTIES)]
    values: dict[str, list[str]]

    @classmethod
    def of(cls, item: ChargeFilter) -> FilterOutput:
        """Show a charge filter."""
        return cls(
            lago_id=item.id,
            invoice_display_name=item.invoice_display_name,
            properties=shown_properties(item.properties),
            values={key: list(listed) for key, listed in item.values.items()},
        )


class ChargeFilterOutput(FilterOutput):
    """A filter shown by itself: with the charge that it is of."""

    charge_code: str

    @classmethod
    def of_charge(cls, item: ChargeFilter, charge_code: str) -> ChargeFilterOutput:
        """Show a filter of a charge."""
        return cls(**dict(FilterOutput.of(item)), charge_code=charge_code)


class AppliedPricingUnitOutput(BaseModel):
    code: str
    conversion_rate: DecimalText


class ChargeOutput(BaseModel):
    lago_id: UUID
    lago_billable_metric_id: UUID
    billable_metric_code: str
    code: str
    invoice_display_name: str | None
    created_at: Instant
    charge_model: ChargeModel
    invoiceable: bool
    regroup_paid_fees: str | None
    pay_in_advance: bool
    prorated: bool
    min_amount_cents: int
    accepts_target_wallet: bool
    properties: Annotated[dict[str, Any], WithJsonSchema(CHARGE_PROPERTIES)]
    filters: list[FilterOutput]
    taxes: list[TaxOutput]
    applied_pricing_unit: AppliedPricingUnitOutput | None
    lago_parent_id: UUID | None

    @classmethod
    def of(cls, charge: Charge) -> ChargeOutput:
        """Show a charge."""
        same = ("code", "invoice_display_name", "created_at", "charge_model", "invoiceable", "pay_in_advance",
                "prorated", "min_amount_cents", "regroup_paid_fees", "accepts_target_wallet")  # fmt: skip
        applied = charge.applied_pricing_unit
        return cls(
            **{name: getattr(charge, name) for name in same},
            lago_id=charge.id,
            lago_billable_metric_id=charge.billable_metric.id,
            billable_metric_code=charge.billable_metric.code,
            properties=shown_properties(charge.properties),
            filters=[FilterOutput.of(item) for item in charge.filters],
            taxes=[TaxOutput.of(tax) for tax in charge.taxes],
            applied_pricing_unit=AppliedPricingUnitOutput(
                code=applied.pricing_unit.code, conversion_rate=applied.conversion_rate
            )
            if applied
            else None,
            lago_parent_id=charge.parent_id,
        )


class FixedChargeOutput(BaseModel):
    lago_id: UUID
    lago_add_on_id: UUID
    add_on_code: str
    code: str
    invoice_display_name: str
    created_at: Instant
    charge_model: ChargeModel
    pay_in_advance: bool
    prorated: bool
    properties: Annotated[dict[str, Any], WithJsonSchema(FIXED_PROPERTIES)]
    units: DecimalText
    lago_parent_id: UUID | None
    taxes: list[TaxOutput]

    @classmethod
    def of(cls, charge: FixedCharge, units: Decimal | None = None) -> FixedChargeOutput:
        """Show a fixed charge, with a subscription's own units if it has any."""
        same = ("code", "created_at", "charge_model", "pay_in_advance", "prorated")
        return cls(
            **{name: getattr(charge, name) for name in same},
            lago_id=charge.id,
            lago_add_on_id=charge.add_on.id,
            add_on_code=charge.add_on.code,
            invoice_display_name=charge.invoice_name,
            properties=dict(charge.properties),
            units=charge.units if units is None else units,
            lago_parent_id=charge.parent_id,
            taxes=[TaxOutput.of(tax) for tax in charge.taxes],
        )


class CommitmentOutput(BaseModel):
    lago_id: UUID
    plan_code: str
    amount_cents: int
    invoice_display_name: str | None
    interval: str
    created_at: Instant
    updated_at: Instant
    taxes: list[TaxOutput]

    @classmethod
    def of(cls, plan: Plan, commitment: Commitment) -> CommitmentOutput:
        """Show a plan's commitment."""
        same = ("amount_cents", "invoice_display_name", "created_at", "updated_at")
        return cls(
            **{name: getattr(commitment, name) for name in same},
            lago_id=commitment.id,
            plan_code=plan.code,
            interval=plan.interval,
            taxes=[TaxOutput.of(tax) for tax in commitment.taxes],
        )


class ThresholdOutput(BaseModel):
    lago_id: UUID
    amount_cents: int
    threshold_display_name: str | None
    recurring: bool
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, threshold: UsageThreshold) -> ThresholdOutput:
        """Show a usage threshold."""
        same = ("amount_cents", "threshold_display_name", "recurring", "created_at", "updated_at")
        return cls(lago_id=threshold.id, **{name: getattr(threshold, name) for name in same})


class PlanListOutput(Described):
    # Shown where they are set (pricing §4.1).
    left_out = ("minimum_commitment", "metadata")

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
    entitlements: list[GrantOutput]
    charges: list[ChargeOutput]
    taxes: list[TaxOutput]
    usage_thresholds: list[ThresholdOutput]
    applicable_usage_thresholds: list[ThresholdOutput]
    minimum_commitment: CommitmentOutput | None = None
    metadata: dict[str, str | None] | None = None

    @classmethod
    def of(cls, plan: Plan, grants: Sequence[Grant]) -> PlanListOutput:
        """Show a plan in a list, with what it grants."""
        return cls(**_plan_fields(plan, grants))


class PlanOutput(PlanListOutput):
    fixed_charges: list[FixedChargeOutput]

    @classmethod
    def of(cls, plan: Plan, grants: Sequence[Grant]) -> PlanOutput:
        """Show a plan, with what it grants."""
        shown = [FixedChargeOutput.of(charge) for charge in plan.fixed_charges]
        return cls(**_plan_fields(plan, grants), fixed_charges=shown)


def _plan_fields(plan: Plan, grants: Sequence[Grant]) -> dict[str, Any]:
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
        "entitlements": [GrantOutput.of(grant) for grant in grants],
        "usage_thresholds": [ThresholdOutput.of(item) for item in plan.usage_thresholds],
        "applicable_usage_thresholds": [
            ThresholdOutput.of(item) for item in plan.applicable_usage_thresholds
        ],
        "minimum_commitment": CommitmentOutput.of(plan, plan.minimum_commitment)
        if plan.minimum_commitment
        else None,
        "metadata": None if plan.metadata is None else dict(plan.metadata),
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


class FilterResponse(BaseModel):
    filter: ChargeFilterOutput


class FiltersResponse(BaseModel):
    filters: list[ChargeFilterOutput]
    meta: Meta


class FixedChargeResponse(BaseModel):
    fixed_charge: FixedChargeOutput


class FixedChargesResponse(BaseModel):
    fixed_charges: list[FixedChargeOutput]
    meta: Meta


class PricingUnitOutput(BaseModel):
    lago_id: UUID
    code: str
    name: str
    short_name: str
    description: str | None
    created_at: Instant

    @classmethod
    def of(cls, unit: PricingUnit) -> PricingUnitOutput:
        """Show a pricing unit."""
        same = ("code", "name", "short_name", "description", "created_at")
        return cls(lago_id=unit.id, **{name: getattr(unit, name) for name in same})


class PricingUnitResponse(BaseModel):
    pricing_unit: PricingUnitOutput


class PricingUnitsResponse(BaseModel):
    pricing_units: list[PricingUnitOutput]
    meta: Meta
