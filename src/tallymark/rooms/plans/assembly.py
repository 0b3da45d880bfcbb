"""Plans put together from their rows: charges, metrics and taxes in a constant number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.rating import ChargeModel
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.plans import repository
from tallymark.rooms.plans.model import Charge, Plan
from tallymark.rooms.plans.repository import PlanRow
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner


async def assemble(tx: Tx, rows: Sequence[PlanRow]) -> dict[UUID, Plan]:
    """Plans of their rows, by id."""
    plan_ids = {row.id for row in rows}
    charge_rows = await repository.charges_of(tx, plan_ids) if plan_ids else []
    metrics = await billable_metrics.get_metrics(tx, {row.billable_metric_id for row in charge_rows})
    charge_taxes = await taxes.taxes_of(tx, Owner.CHARGE, {row.id for row in charge_rows})
    plan_taxes = await taxes.taxes_of(tx, Owner.PLAN, plan_ids)
    of_plan: dict[UUID, list[Charge]] = {}
    for row in charge_rows:
        charge = Charge(
            id=row.id,
            plan_id=row.plan_id,
            code=row.code,
            billable_metric=metrics[row.billable_metric_id],
            charge_model=ChargeModel(row.charge_model),
            properties=row.properties,
            pay_in_advance=row.pay_in_advance,
            invoiceable=row.invoiceable,
            prorated=row.prorated,
            min_amount_cents=row.min_amount_cents,
            invoice_display_name=row.invoice_display_name,
            taxes=charge_taxes.get(row.id, ()),
            created_at=row.created_at,
        )
        of_plan.setdefault(row.plan_id, []).append(charge)
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
            charges=tuple(of_plan.get(row.id, ())),
            taxes=plan_taxes.get(row.id, ()),
        )
        for row in rows
    }
