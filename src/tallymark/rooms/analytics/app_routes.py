"""The doors to the app's dashboards; none has pages (platform §12.7)."""

from __future__ import annotations

from datetime import date

from fastapi import Request
from pydantic import BaseModel

from tallymark.api.context import InContext
from tallymark.api.permissions import permitted
from tallymark.api.queries import reads
from tallymark.api.routing import member_router
from tallymark.api.wire import DecimalText
from tallymark.rooms.analytics import dashboards
from tallymark.rooms.analytics.dashboards import Credits, Revenue
from tallymark.rooms.analytics.model import CustomerRevenue, Movement, PlanRecurring, PlanRevenue
from tallymark.rooms.analytics.queries import read_dashboard_asked
from tallymark.rooms.analytics.routes import answer_to

router = member_router("app: analytics")

OF_PAYERS = (
    "time_granularity", "currency", "months", "billing_entity_code", "external_customer_id", "customer_country", "customer_type",
    "has_tax_identification_number",
)  # fmt: skip
BY_PAYER = reads(*OF_PAYERS)
BY_PAYER_AND_PLAN = reads(*OF_PAYERS, "plan_code", "external_subscription_id")


class RevenueStreamsOutput(BaseModel):
    start_of_period_dt: date
    currency: str
    subscription_fee_amount_cents: int
    usage_based_fee_amount_cents: int
    fixed_charge_fee_amount_cents: int
    commitment_fee_amount_cents: int
    one_off_fee_amount_cents: int
    gross_amount_cents: int
    """The sum of the fees, before coupons and taxes."""
    coupons_amount_cents: int
    progressive_billing_credit_amount_cents: int
    credit_notes_credits_amount_cents: int
    free_credits_amount_cents: int
    prepaid_credits_amount_cents: int
    contra_amount_cents: int
    """The sum of what was taken off."""
    net_amount_cents: int

    @classmethod
    def of(cls, revenue: Revenue) -> RevenueStreamsOutput:
        """Show a period."""
        of = revenue.streams.get
        return cls(
            start_of_period_dt=revenue.start,
            currency=revenue.currency,
            subscription_fee_amount_cents=of("subscription", 0),
            usage_based_fee_amount_cents=of("charge", 0),
            fixed_charge_fee_amount_cents=of("fixed_charge", 0),
            commitment_fee_amount_cents=of("commitment", 0),
            one_off_fee_amount_cents=of("add_on", 0),
            gross_amount_cents=revenue.gross_cents,
            coupons_amount_cents=of("coupons", 0),
            progressive_billing_credit_amount_cents=of("progressive_billing", 0),
            credit_notes_credits_amount_cents=of("credit_notes", 0),
            free_credits_amount_cents=of("free_credits", 0),
            prepaid_credits_amount_cents=of("prepaid_credits", 0),
            contra_amount_cents=revenue.contra_cents,
            net_amount_cents=revenue.net_cents,
        )


class RevenueStreamsResponse(BaseModel):
    revenue_streams: list[RevenueStreamsOutput]


class PlanRevenueOutput(BaseModel):
    plan_code: str
    plan_name: str
    is_deleted: bool
    currency: str
    gross_amount_cents: int
    net_amount_cents: int
    """Less the coupons of its fees: other credits are of whole invoices, not of a plan."""
    customers_count: int

    @classmethod
    def of(cls, found: PlanRevenue) -> PlanRevenueOutput:
        """Show what a plan brought."""
        return cls(
            plan_code=found.code,
            plan_name=found.name,
            is_deleted=found.is_deleted,
            currency=found.currency,
            gross_amount_cents=found.gross_cents,
            net_amount_cents=found.net_cents,
            customers_count=found.customers_count,
        )


class PlanRevenuesResponse(BaseModel):
    plans: list[PlanRevenueOutput]
    """Over all of the periods, by what their fees came to."""


class CustomerRevenueOutput(BaseModel):
    external_customer_id: str
    customer_name: str
    is_deleted: bool
    currency: str
    gross_amount_cents: int
    net_amount_cents: int

    @classmethod
    def of(cls, found: CustomerRevenue) -> CustomerRevenueOutput:
        """Show what a customer brought."""
        return cls(
            external_customer_id=found.external_id,
            customer_name=found.name,
            is_deleted=found.is_deleted,
            currency=found.currency,
            gross_amount_cents=found.gross_cents,
            net_amount_cents=found.net_cents,
        )


class CustomerRevenuesResponse(BaseModel):
    customers: list[CustomerRevenueOutput]
    """The twenty of each currency whose fees came to the most over all of the periods."""


class MovementOutput(BaseModel):
    start_of_period_dt: date
    currency: str
    starting_amount_cents: int
    new_amount_cents: int
    expansion_amount_cents: int
    contraction_amount_cents: int
    """Negative, as churn is."""
    churn_amount_cents: int
    change_amount_cents: int
    ending_amount_cents: int

    @classmethod
    def of(cls, movement: Movement) -> MovementOutput:
        """Show a period."""
        return cls(
            start_of_period_dt=movement.start,
            currency=movement.currency,
            starting_amount_cents=movement.starting_cents,
            new_amount_cents=movement.new_cents,
            expansion_amount_cents=movement.expansion_cents,
            contraction_amount_cents=movement.contraction_cents,
            churn_amount_cents=movement.churn_cents,
            change_amount_cents=movement.ending_cents - movement.starting_cents,
            ending_amount_cents=movement.ending_cents,
        )


class MovementsResponse(BaseModel):
    mrr_movements: list[MovementOutput]


class PlanRecurringOutput(BaseModel):
    plan_code: str
    plan_name: str
    interval: str
    is_deleted: bool
    currency: str
    amount_cents: int
    customers_count: int

    @classmethod
    def of(cls, found: PlanRecurring) -> PlanRecurringOutput:
        """Show what recurs of a plan."""
        return cls(
            plan_code=found.code,
            plan_name=found.name,
            interval=found.interval,
            is_deleted=found.is_deleted,
            currency=found.currency,
            amount_cents=found.amount_cents,
            customers_count=found.customers_count,
        )


class PlansRecurringResponse(BaseModel):
    plans: list[PlanRecurringOutput]
    """At the end of the last period, before coupons of fixed amounts."""


class CreditsOutput(BaseModel):
    start_of_period_dt: date
    currency: str
    purchased_amount_cents: int
    offered_amount_cents: int
    consumed_amount_cents: int
    voided_amount_cents: int
    purchased_credits: DecimalText
    offered_credits: DecimalText
    consumed_credits: DecimalText
    voided_credits: DecimalText

    @classmethod
    def of(cls, moved: Credits) -> CreditsOutput:
        """Show a period."""
        kinds = {"purchased": "purchased", "offered": "granted", "consumed": "invoiced", "voided": "voided"}
        return cls.model_validate(
            {
                "start_of_period_dt": moved.start,
                "currency": moved.currency,
                **{f"{name}_amount_cents": moved.cents[kind] for name, kind in kinds.items()},
                **{f"{name}_credits": moved.credits[kind] for name, kind in kinds.items()},
            }
        )


class CreditsResponse(BaseModel):
    prepaid_credits: list[CreditsOutput]


@router.get("/analytics/revenue_streams", openapi_extra=BY_PAYER_AND_PLAN)
@permitted("analytics:view")
async def list_revenue_streams(request: Request, context: InContext) -> RevenueStreamsResponse:
    """What was earned by month, or the last 30 days or 13 weeks, and kind of fee, and what was taken off."""
    found = await answer_to(request, context, dashboards.revenue, read=read_dashboard_asked)
    return RevenueStreamsResponse(revenue_streams=[RevenueStreamsOutput.of(period) for period in found])


@router.get("/analytics/revenue_by_plan", openapi_extra=BY_PAYER_AND_PLAN)
@permitted("analytics:view")
async def list_revenue_by_plan(request: Request, context: InContext) -> PlanRevenuesResponse:
    """Which plans brought what was earned in the same periods."""
    found = await answer_to(request, context, dashboards.revenue_by_plan, read=read_dashboard_asked)
    return PlanRevenuesResponse(plans=[PlanRevenueOutput.of(plan) for plan in found])


@router.get("/analytics/revenue_by_customer", openapi_extra=BY_PAYER_AND_PLAN)
@permitted("analytics:view")
async def list_revenue_by_customer(request: Request, context: InContext) -> CustomerRevenuesResponse:
    """Which customers brought the most of what was earned in the same periods."""
    found = await answer_to(request, context, dashboards.revenue_by_customer, read=read_dashboard_asked)
    return CustomerRevenuesResponse(customers=[CustomerRevenueOutput.of(customer) for customer in found])


@router.get("/analytics/mrr_movements", openapi_extra=BY_PAYER_AND_PLAN)
@permitted("analytics:view")
async def list_mrr_movements(request: Request, context: InContext) -> MovementsResponse:
    """How recurring revenue moved by month, or the last 30 days or 13 weeks: new, more, less and lost."""
    found = await answer_to(request, context, dashboards.movements, read=read_dashboard_asked)
    return MovementsResponse(mrr_movements=[MovementOutput.of(movement) for movement in found])


@router.get("/analytics/mrr_by_plan", openapi_extra=BY_PAYER_AND_PLAN)
@permitted("analytics:view")
async def list_mrr_by_plan(request: Request, context: InContext) -> PlansRecurringResponse:
    """What recurs by plan at the end of the last of these periods."""
    found = await answer_to(request, context, dashboards.recurring_by_plan, read=read_dashboard_asked)
    return PlansRecurringResponse(plans=[PlanRecurringOutput.of(plan) for plan in found])


@router.get("/analytics/prepaid_credits", openapi_extra=BY_PAYER)
@permitted("analytics:view")
async def list_prepaid_credits(request: Request, context: InContext) -> CreditsResponse:
    """Prepaid credits by month, or the last 30 days or 13 weeks: bought, given, used, voided."""
    found = await answer_to(request, context, dashboards.prepaid_credits, read=read_dashboard_asked)
    return CreditsResponse(prepaid_credits=[CreditsOutput.of(moved) for moved in found])
