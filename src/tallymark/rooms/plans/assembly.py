"""Plans put together from their rows: all that they charge, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.rating import ChargeModel
from tallymark.rooms.add_ons import service as add_ons
from tallymark.rooms.add_ons.model import AddOn
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.billable_metrics.model import BillableMetric
from tallymark.rooms.plans.model import (
    AppliedPricingUnit,
    Charge,
    ChargeFilter,
    Commitment,
    FixedCharge,
    Plan,
    PricingUnit,
    UsageThreshold,
)
from tallymark.rooms.plans.pricing_units import get_pricing_units
from tallymark.rooms.plans.repository import PlanRow
from tallymark.rooms.plans.repository import charges as charge_rows
from tallymark.rooms.plans.repository import fixed as fixed_rows
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner, Tax

TaxesOf = Mapping[UUID, tuple[Tax, ...]]


async def assemble(tx: Tx, rows: Sequence[PlanRow]) -> dict[UUID, Plan]:
    """Plans of their rows, by id."""
    plan_ids = {row.id for row in rows}
    charges = await _charges(tx, plan_ids)
    fixed_charges = await _fixed_charges(tx, plan_ids)
    commitments = await _commitments(tx, plan_ids)
    thresholds = await _thresholds(tx, {*plan_ids, *(row.parent_id for row in rows if row.parent_id)})
    plan_taxes = await taxes.taxes_of(tx, Owner.PLAN, plan_ids)
    return {
        row.id: Plan(
            id=row.id,
            parent_id=row.parent_id,
            code=row.code,
            name=row.name,
            invoice_display_name=row.invoice_display_name,
            description=row.description,
            interval=row.interval,
            amount_cents=row.amount_cents,
            amount_currency=row.amount_currency,
            pay_in_advance=row.pay_in_advance,
            trial_period=row.trial_period,
            bill_charges_monthly=row.bill_charges_monthly,
            bill_fixed_charges_monthly=row.bill_fixed_charges_monthly,
            pending_deletion=row.pending_deletion,
            created_at=row.created_at,
            charges=tuple(charges.get(row.id, ())),
            fixed_charges=tuple(fixed_charges.get(row.id, ())),
            minimum_commitment=commitments.get(row.id),
            usage_thresholds=tuple(thresholds.get(row.id, ())),
            applicable_usage_thresholds=tuple(thresholds.get(row.parent_id or row.id, ())),
            taxes=plan_taxes.get(row.id, ()),
            metadata=row.metadata,
        )
        for row in rows
    }


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the charges of some plans are made of, by the ids that their rows name."""

    metrics: Mapping[UUID, BillableMetric]
    filters: Mapping[UUID, Sequence[ChargeFilter]]
    pricing_units: Mapping[UUID, PricingUnit]
    taxes: TaxesOf


async def _charges(tx: Tx, plan_ids: Collection[UUID]) -> dict[UUID, list[Charge]]:
    rows = await charge_rows.charges_of(tx, plan_ids) if plan_ids else []
    if not rows:
        return {}
    charge_ids = {row.id for row in rows}
    parts = _Parts(
        metrics=await billable_metrics.get_metrics(tx, {row.billable_metric_id for row in rows}),
        filters=await _filters(tx, charge_ids),
        pricing_units=await get_pricing_units(
            tx, {row.pricing_unit_id for row in rows if row.pricing_unit_id}
        ),
        taxes=await taxes.taxes_of(tx, Owner.CHARGE, charge_ids),
    )
    found: dict[UUID, list[Charge]] = defaultdict(list)
    for row in rows:
        found[row.plan_id].append(_charge(row, parts))
    return found


def _charge(row: PlanRow, parts: _Parts) -> Charge:
    unit = parts.pricing_units.get(row.pricing_unit_id)
    return Charge(
        id=row.id,
        plan_id=row.plan_id,
        parent_id=row.parent_id,
        code=row.code,
        billable_metric=parts.metrics[row.billable_metric_id],
        charge_model=ChargeModel(row.charge_model),
        properties=row.properties,
        pay_in_advance=row.pay_in_advance,
        invoiceable=row.invoiceable,
        prorated=row.prorated,
        regroup_paid_fees=row.regroup_paid_fees,
        accepts_target_wallet=row.accepts_target_wallet,
        min_amount_cents=row.min_amount_cents,
        applied_pricing_unit=AppliedPricingUnit(pricing_unit=unit, conversion_rate=row.conversion_rate)
        if unit
        else None,
        invoice_display_name=row.invoice_display_name,
        filters=tuple(parts.filters.get(row.id, ())),
        taxes=parts.taxes.get(row.id, ()),
        created_at=row.created_at,
    )


async def _filters(tx: Tx, charge_ids: Collection[UUID]) -> dict[UUID, list[ChargeFilter]]:
    found: dict[UUID, list[ChargeFilter]] = defaultdict(list)
    for row in await charge_rows.filters_of(tx, charge_ids):
        found[row.charge_id].append(
            ChargeFilter(
                id=row.id,
                values={key: tuple(values) for key, values in row._mapping["values"].items()},
                properties=row.properties,
                invoice_display_name=row.invoice_display_name,
                position=row.position,
                created_at=row.created_at,
            )
        )
    return found


async def _fixed_charges(tx: Tx, plan_ids: Collection[UUID]) -> dict[UUID, list[FixedCharge]]:
    rows = await fixed_rows.fixed_charges_of(tx, plan_ids)
    if not rows:
        return {}
    sold = await add_ons.get_add_ons(tx, {row.add_on_id for row in rows})
    carried = await taxes.taxes_of(tx, Owner.FIXED_CHARGE, {row.id for row in rows})
    found: dict[UUID, list[FixedCharge]] = defaultdict(list)
    for row in rows:
        found[row.plan_id].append(_fixed_charge(row, sold[row.add_on_id], carried))
    return found


def _fixed_charge(row: PlanRow, add_on: AddOn, carried: TaxesOf) -> FixedCharge:
    return FixedCharge(
        id=row.id,
        plan_id=row.plan_id,
        parent_id=row.parent_id,
        add_on=add_on,
        code=row.code,
        charge_model=ChargeModel(row.charge_model),
        properties=row.properties,
        units=row.units,
        apply_units_immediately=row.apply_units_immediately,
        pay_in_advance=row.pay_in_advance,
        prorated=row.prorated,
        invoice_display_name=row.invoice_display_name,
        taxes=carried.get(row.id, ()),
        created_at=row.created_at,
    )


async def _commitments(tx: Tx, plan_ids: Collection[UUID]) -> dict[UUID, Commitment]:
    rows = await fixed_rows.commitments_of(tx, plan_ids)
    if not rows:
        return {}
    carried = await taxes.taxes_of(tx, Owner.COMMITMENT, {row.id for row in rows})
    return {
        row.plan_id: Commitment(
            id=row.id,
            plan_id=row.plan_id,
            amount_cents=row.amount_cents,
            invoice_display_name=row.invoice_display_name,
            taxes=carried.get(row.id, ()),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    }


async def _thresholds(tx: Tx, plan_ids: Collection[UUID]) -> dict[UUID, list[UsageThreshold]]:
    found: dict[UUID, list[UsageThreshold]] = defaultdict(list)
    for row in await fixed_rows.thresholds_of(tx, plan_ids):
        found[row.plan_id].append(
            UsageThreshold(
                id=row.id,
                amount_cents=row.amount_cents,
                threshold_display_name=row.threshold_display_name,
                recurring=row.recurring,
                created_at=row.created_at,
                updated_at=row.updated_at,
            )
        )
    return found
