"""Child plans: a subscription's own copy of a plan, with prices of its own (pricing §12.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound, Problems
from tallymark.jobs import usage_days
from tallymark.rooms.plans import charges, commitments, fixed_charges, repository
from tallymark.rooms.plans.assembly import assemble
from tallymark.rooms.plans.inputs import (
    ChargeInput,
    CommitmentInput,
    Editing,
    FixedChargeInput,
    PlanInput,
)
from tallymark.rooms.plans.model import (
    CHARGE_FIXED_WHEN_ATTACHED,
    FIXED_CHARGE_FIXED,
    Charge,
    FixedCharge,
    Plan,
)
from tallymark.rooms.plans.repository import charges as charge_rows
from tallymark.rooms.plans.repository import fixed as fixed_rows
from tallymark.rooms.plans.waiting import review_waiting
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner, Tax

COPIED = ("code", "name", "invoice_display_name", "description", "interval", "amount_cents", "amount_currency",
          "pay_in_advance", "trial_period", "bill_charges_monthly", "bill_fixed_charges_monthly")  # fmt: skip
OVERRIDDEN = (
    "name",
    "invoice_display_name",
    "description",
    "amount_cents",
    "amount_currency",
    "trial_period",
    "metadata",
)
CHARGE_COPIED = ("code", "charge_model", "properties", "pay_in_advance", "invoiceable", "prorated",
                 "regroup_paid_fees", "accepts_target_wallet", "min_amount_cents", "invoice_display_name")  # fmt: skip
CHARGE_OVERRIDDEN = ("properties", "min_amount_cents", "invoice_display_name")
FIXED_COPIED = (
    "code",
    "charge_model",
    "properties",
    "units",
    "pay_in_advance",
    "prorated",
    "invoice_display_name",
)
FIXED_OVERRIDDEN = ("properties", "units", "invoice_display_name")


class Copied(Protocol):
    """A charge or fixed charge of a child, which knows what it was copied from."""

    @property
    def id(self) -> UUID: ...

    @property
    def parent_id(self) -> UUID | None: ...


Part = TypeVar("Part", bound=Copied)


async def make_child(tx: Tx, plan: Plan, asked: PlanInput, *, now: datetime) -> Plan:
    """Copy a top-level plan with what is asked of the copy; charges are named by the ids of the plan's own.

    Thresholds, metadata and entitlements are not copied: those of the parent apply. Raises `Invalid`,
    `NotFound("charge")` and `NotFound("fixed_charge")`; nothing is kept then.
    """
    child = await _copy(tx, plan, asked, now=now)
    editing = Editing(plan=child, now=now)
    for item in asked.charges or ():
        known = _copy_of(child.charges, item.id, "charge")
        await charges.change_charge(tx, editing, known, only_prices(item, known))
    for fixed in asked.fixed_charges or ():
        known_fixed = _copy_of(child.fixed_charges, fixed.id, "fixed_charge")
        await fixed_charges.update_fixed_charge(
            tx, editing, known_fixed, _only_fixed_prices(fixed, known_fixed)
        )
    return await _read(tx, child.id)


async def update_child(tx: Tx, child: Plan, asked: PlanInput, *, now: datetime) -> Plan:
    """Change a child plan (§12.1): `charges`, by the child's own ids, is the full list; fixed charges not named are kept.

    Raises `Invalid`, `NotFound("charge")` and `NotFound("fixed_charge")`.
    """
    editing = Editing(plan=child, now=now, is_attached=True)
    values = {name: value for name, value in asked.values.items() if name in OVERRIDDEN}
    for name in ("trial_period", "amount_currency"):
        # No trial and a trial of 0 days are the same.
        if name in values and (values.pop(name) or None) != (getattr(child, name) or None):
            raise Invalid({name: ["modification_not_allowed"]})
    await repository.update_plan(tx, child.id, {**values, "updated_at": now})
    if values.get("amount_cents", child.amount_cents) != child.amount_cents:
        await review_waiting(tx, child, values["amount_cents"], now=now)
    if asked.tax_codes is not None:
        await taxes.replace_taxes(tx, Owner.PLAN, child.id, asked.tax_codes)
    if asked.charges is not None:
        await charges.replace_charges(tx, editing, asked.charges)
    for fixed in asked.fixed_charges or ():
        known = _named(child.fixed_charges, fixed.id, "fixed_charge")
        await fixed_charges.update_fixed_charge(tx, editing, known, _only_fixed_prices(fixed, known))
    if asked.minimum_commitment is not None:
        await commitments.change_commitment(tx, editing, asked.minimum_commitment)
    if asked.usage_thresholds is not None:
        await commitments.replace_thresholds(tx, editing, asked.usage_thresholds)
    return await _read(tx, child.id)


async def _copy(tx: Tx, plan: Plan, asked: PlanInput, *, now: datetime) -> Plan:
    child_id = new_id()
    stamps = {"created_at": now, "updated_at": now}
    common = {"organization_id": tx.organization_id, **stamps}
    values = {name: getattr(plan, name) for name in COPIED}
    values |= {
        name: value for name, value in asked.values.items() if name in OVERRIDDEN and value is not None
    }
    await repository.insert_plan(tx, {"id": child_id, "parent_id": plan.id, **values, **common})
    codes = _codes(plan.taxes) if asked.tax_codes is None else asked.tax_codes
    await taxes.replace_taxes(tx, Owner.PLAN, child_id, codes)
    await copy_charges(tx, plan.charges, child_id, now=now)
    await copy_fixed_charges(tx, plan.fixed_charges, child_id, now=now)
    bare = await _read(tx, child_id)
    await _copy_terms(tx, plan, Editing(plan=bare, now=now), asked)
    return bare


async def _copy_terms(tx: Tx, plan: Plan, editing: Editing, asked: PlanInput) -> None:
    commitment = _commitment(plan, asked.minimum_commitment)
    if commitment is not None:
        await commitments.change_commitment(tx, editing, commitment)
    if asked.usage_thresholds is not None:
        await commitments.replace_thresholds(tx, editing, asked.usage_thresholds)


def _commitment(plan: Plan, asked: CommitmentInput | None) -> CommitmentInput | None:
    """The parent's commitment with what is asked; None for no commitment, `{}` asks for none."""
    known = plan.minimum_commitment
    if known is None:
        return asked if asked is not None and not asked.is_empty else None
    own = {"amount_cents": known.amount_cents, "invoice_display_name": known.invoice_display_name}
    if asked is None:
        return CommitmentInput(values=own, tax_codes=_codes(known.taxes))
    if asked.is_empty:
        return None
    codes = _codes(known.taxes) if asked.tax_codes is None else asked.tax_codes
    return CommitmentInput(values={**own, **asked.values}, tax_codes=codes)


async def copy_charges(tx: Tx, parents: Sequence[Charge], child_id: UUID, *, now: datetime) -> None:
    """Give a child plan copies of charges, with their filters and taxes."""
    common = {"organization_id": tx.organization_id, "created_at": now, "updated_at": now}
    rows, filters = [], []
    for charge in parents:
        applied = charge.applied_pricing_unit
        row = {
            "id": new_id(),
            "plan_id": child_id,
            "parent_id": charge.id,
            "billable_metric_id": charge.billable_metric.id,
            **{name: getattr(charge, name) for name in CHARGE_COPIED},
            "pricing_unit_id": applied.pricing_unit.id if applied else None,
            "conversion_rate": applied.conversion_rate if applied else None,
            **common,
        }
        rows.append(row)
        filters += [
            {
                "id": new_id(),
                "charge_id": row["id"],
                "values": {key: list(values) for key, values in item.values.items()},
                "properties": dict(item.properties),
                "invoice_display_name": item.invoice_display_name,
                "position": item.position,
                **common,
            }
            for item in charge.filters
        ]
    await charge_rows.insert_charges(tx, rows)
    await charge_rows.insert_filters(tx, filters)
    if any(charge.changes_by_day or charge.billable_metric.recurring for charge in parents):
        await usage_days.note_on_plan(tx, child_id, at=now)
    for row, charge in zip(rows, parents, strict=True):
        if charge.taxes:
            await taxes.replace_taxes(tx, Owner.CHARGE, row["id"], _codes(charge.taxes))


async def copy_fixed_charges(
    tx: Tx, parents: Sequence[FixedCharge], child_id: UUID, *, now: datetime
) -> None:
    """Give a child plan copies of fixed charges, with their taxes."""
    common = {"organization_id": tx.organization_id, "created_at": now, "updated_at": now}
    rows = [
        {
            "id": new_id(),
            "plan_id": child_id,
            "parent_id": charge.id,
            "add_on_id": charge.add_on.id,
            **{name: getattr(charge, name) for name in FIXED_COPIED},
            "apply_units_immediately": charge.apply_units_immediately,
            **common,
        }
        for charge in parents
    ]
    await fixed_rows.insert_fixed_charges(tx, rows)
    for row, charge in zip(rows, parents, strict=True):
        if charge.taxes:
            await taxes.replace_taxes(tx, Owner.FIXED_CHARGE, row["id"], _codes(charge.taxes))


def _codes(carried: Sequence[Tax]) -> list[str]:
    return [tax.code for tax in carried]


def _copy_of(parts: Sequence[Part], parent_id: UUID | None, resource: str) -> Part:
    for part in parts:
        if parent_id is not None and part.parent_id == parent_id:
            return part
    raise NotFound(resource)


def _named(parts: Sequence[Part], part_id: UUID | None, resource: str) -> Part:
    for part in parts:
        if part_id is not None and part_id in (part.id, part.parent_id):
            return part
    raise NotFound(resource)


def only_prices(item: ChargeInput, known: Charge) -> ChargeInput:
    """What may be changed of one subscription's charge: its price, not its shape (§12.1). Raises `Invalid`."""
    _refuse_other_shape(item.values, known, CHARGE_FIXED_WHEN_ATTACHED, CHARGE_OVERRIDDEN)
    if item.metric_id not in (None, known.billable_metric.id):
        raise Invalid({"billable_metric_id": ["modification_not_allowed"]})
    return replace(
        item,
        id=known.id,
        metric_id=None,
        values={name: value for name, value in item.values.items() if name in CHARGE_OVERRIDDEN},
    )


def _only_fixed_prices(item: FixedChargeInput, known: FixedCharge) -> FixedChargeInput:
    """What may be changed of one subscription's fixed charge. Raises `Invalid`."""
    _refuse_other_shape(
        item.values, known, (*FIXED_CHARGE_FIXED, *fixed_charges.FIXED_WHEN_ATTACHED), FIXED_OVERRIDDEN
    )
    values = {name: value for name, value in item.values.items() if name in FIXED_OVERRIDDEN}
    return replace(item, id=known.id, values=values)


def _refuse_other_shape(
    values: Mapping[str, object], known: Charge | FixedCharge, shape: Sequence[str], prices: Sequence[str]
) -> None:
    problems = Problems()
    for name in shape:
        if name not in prices and values.get(name) not in (None, "", getattr(known, name, None)):
            problems.add(name, "modification_not_allowed")
    problems.raise_any()


async def _read(tx: Tx, plan_id: UUID) -> Plan:
    return (await assemble(tx, await repository.get_plans(tx, {plan_id})))[plan_id]
