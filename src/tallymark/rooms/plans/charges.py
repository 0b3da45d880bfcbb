"""What can be done with the charges of a plan (pricing §5)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import repeat
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound, Problems, element
from tallymark.domain.rating import ChargeModel, clean_properties
from tallymark.jobs import usage_days
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.billable_metrics.model import BillableMetric
from tallymark.rooms.plans import filters, pricing_units
from tallymark.rooms.plans.checks import Terms, check_terms
from tallymark.rooms.plans.inputs import ChargeInput, Editing, PricingUnitInput
from tallymark.rooms.plans.model import Charge, Plan, PricingUnit
from tallymark.rooms.plans.repository import charges as repository
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner

FLAGS = ("pay_in_advance", "invoiceable", "prorated", "accepts_target_wallet")
TERMS = ("pay_in_advance", "invoiceable", "prorated", "regroup_paid_fees", "min_amount_cents")


async def add_charges(
    tx: Tx,
    editing: Editing,
    inputs: Sequence[ChargeInput],
    *,
    metrics: Mapping[UUID, BillableMetric],
    known: Collection[str],
    places: Sequence[int] | None = None,
) -> list[UUID]:
    """Add charges to a plan; a code left out follows from the metric's. Raises `Invalid` and `NotFound("tax")`.

    `places` are theirs in the list that was sent, where there is one.
    """
    taken = set(known)
    units = await pricing_units.find_pricing_units(
        tx, {item.pricing_unit.code for item in inputs if item.pricing_unit and item.pricing_unit.code}
    )
    rows, filter_rows, carried = [], [], {}
    for place, item in zip(places or repeat(None), inputs, strict=False):
        assert item.metric_id is not None, "the schema demands a metric of a new charge"
        metric = metrics[item.metric_id]
        code = item.values.get("code") or default_code(metric.code, taken)
        with element("charges", place):
            if code in taken:
                raise Invalid({"code": ["value_already_exist"]})
            row = {**_new_row(tx, editing, item, metric, units), "code": code}
        taken.add(code)
        rows.append(row)
        model = ChargeModel(row["charge_model"])
        for position, each in enumerate(item.filters or ()):
            placed = {**filters.filter_row(tx, editing, row["id"], model, each), "position": position}
            filter_rows.append(placed)
        carried[row["id"]] = item.tax_codes or ()
    await repository.insert_charges(tx, rows)
    await repository.insert_filters(tx, filter_rows)
    if any(row["prorated"] or metrics[row["billable_metric_id"]].carries_or_weighs for row in rows):
        await usage_days.note_on_plan(tx, editing.plan.id, at=editing.now)
    for charge_id, codes in carried.items():
        if codes:
            await taxes.replace_taxes(tx, Owner.CHARGE, charge_id, codes)
    return list(carried)


def _new_row(
    tx: Tx, editing: Editing, item: ChargeInput, metric: BillableMetric, units: Mapping[str, PricingUnit]
) -> dict[str, Any]:
    problems = Problems()
    values = {name: value for name, value in item.values.items() if value is not None}
    model = ChargeModel(values["charge_model"])
    properties = clean_properties(model, values.get("properties"))
    terms = {name: values[name] for name in TERMS if name in values}
    check_terms(Terms(charge_model=model, properties=properties, **terms), metric, problems)
    filters.check_filters(item.filters or (), model, metric, problems)
    unit = _unit_columns(item.pricing_unit, units, problems)
    problems.raise_any()
    return {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "plan_id": editing.plan.id,
        "billable_metric_id": metric.id,
        "charge_model": model.value,
        "properties": properties,
        "pay_in_advance": values.get("pay_in_advance", False),
        "invoiceable": values.get("invoiceable", True),
        "prorated": values.get("prorated", False),
        "regroup_paid_fees": values.get("regroup_paid_fees"),
        "accepts_target_wallet": values.get("accepts_target_wallet", False),
        "min_amount_cents": values.get("min_amount_cents", 0),
        "invoice_display_name": values.get("invoice_display_name"),
        **unit,
        "created_at": editing.now,
        "updated_at": editing.now,
    }


def _unit_columns(
    asked: PricingUnitInput | None, units: Mapping[str, PricingUnit], problems: Problems
) -> dict[str, Any]:
    if asked is None:
        return {"pricing_unit_id": None, "conversion_rate": None}
    unit = units.get(asked.code or "")
    if unit is None:
        problems.add("pricing_unit", "relation_must_exist")
    check_rate(asked, problems)
    return {"pricing_unit_id": unit.id if unit else None, "conversion_rate": asked.conversion_rate}


def check_rate(asked: PricingUnitInput, problems: Problems) -> None:
    """Note why a conversion rate is none (pricing §11)."""
    if asked.conversion_rate is None:
        problems.add("conversion_rate", "value_is_mandatory", "is not a number")
    elif asked.conversion_rate <= 0:
        problems.add("conversion_rate", "value_is_out_of_range")


async def replace_charges(tx: Tx, editing: Editing, inputs: Sequence[ChargeInput]) -> None:
    """Make the list of charges what is sent: known ids are changed, others added, the rest deleted (pricing §4.3)."""
    by_id = {charge.id: charge for charge in editing.plan.charges}
    places = [place for place, item in enumerate(inputs) if item.id not in by_id]
    fresh = [inputs[place] for place in places]
    if any(item.metric_id is None for item in fresh):
        raise NotFound("billable_metrics")
    metrics = await billable_metrics.get_live_metrics(
        tx, {item.metric_id for item in fresh if item.metric_id}
    )
    kept = {item.id for item in inputs if item.id in by_id}
    await repository.delete_charges(tx, by_id.keys() - kept, at=editing.now)
    codes = {charge.id: charge.code for charge in by_id.values() if charge.id in kept}
    for place, item in enumerate(inputs):
        if item.id in by_id:
            with element("charges", place):
                codes[item.id] = await update_charge(tx, editing, by_id[item.id], item, known=codes)
    await add_charges(tx, editing, fresh, metrics=metrics, known=set(codes.values()), places=places)


async def update_charge(
    tx: Tx,
    editing: Editing,
    charge: Charge,
    item: ChargeInput,
    *,
    known: Mapping[UUID, str],
) -> str:
    """Change what is sent of a charge; on a plan in use, little more than its price (pricing §5.2).

    `known` has the codes of the plan's charges; the charge's own, as it is then, is returned. Raises `Invalid`.
    """
    problems = Problems()
    values = {
        name: value
        for name, value in item.values.items()
        if value is not None or name in ("invoice_display_name", "regroup_paid_fees")
    }
    _refuse_fixed(editing, charge, item, values, problems)
    unit = _changed_unit(charge, item, problems)
    problems.raise_any()
    metric = charge.billable_metric
    if item.metric_id is not None and item.metric_id != metric.id:
        metric = (await billable_metrics.get_live_metrics(tx, {item.metric_id}))[item.metric_id]
    model = ChargeModel(values.get("charge_model") or charge.charge_model)
    sent = values.pop("properties", charge.properties if model is charge.charge_model else None)
    properties = clean_properties(model, sent)
    terms = {name: values.get(name, getattr(charge, name)) for name in TERMS}
    check_terms(Terms(charge_model=model, properties=properties, **terms), metric, problems)
    is_other = model is not charge.charge_model or metric.id != charge.billable_metric.id
    if item.filters is None and is_other:
        filters.recheck_filters(charge, model=model, metric=metric, problems=problems)
    code: str = values.get("code") or charge.code
    if code in {known[charge_id] for charge_id in known if charge_id != charge.id}:
        problems.add("code", "value_already_exist")
    problems.raise_any()
    row = {**values, **unit, "code": code, "properties": properties, "billable_metric_id": metric.id}
    await repository.update_charge(tx, charge.id, {**row, "updated_at": editing.now})
    if item.filters is not None:
        await filters.replace_filters(tx, editing, charge, item.filters, model=model, metric=metric)
    if item.tax_codes is not None:
        await taxes.replace_taxes(tx, Owner.CHARGE, charge.id, item.tax_codes)
    return code


def _refuse_fixed(
    editing: Editing, charge: Charge, item: ChargeInput, values: Mapping[str, Any], problems: Problems
) -> None:
    if not editing.is_attached:
        return
    for name in editing.fixed:
        if name in values and values[name] != getattr(charge, name):
            problems.add(name, "modification_not_allowed")
    if item.metric_id is not None and item.metric_id != charge.billable_metric.id:
        problems.add("billable_metric_id", "modification_not_allowed")


def _changed_unit(charge: Charge, item: ChargeInput, problems: Problems) -> dict[str, Any]:
    """The rate may change; a unit is neither added nor removed (pricing §11)."""
    stored, asked = charge.applied_pricing_unit, item.pricing_unit
    if (stored and item.drops_pricing_unit) or (asked and not stored):
        problems.add("applied_pricing_unit", "modification_not_allowed")
        return {}
    if asked is None or stored is None:
        return {}
    if asked.code not in (None, stored.pricing_unit.code):
        problems.add("applied_pricing_unit", "modification_not_allowed")
    check_rate(asked, problems)
    return {"conversion_rate": asked.conversion_rate}


def default_code(metric_code: str, taken: Collection[str]) -> str:
    """The metric's code, numbered from 2 where it is taken (pricing §5.1).

    >>> default_code("api", {"api", "api_4"})
    'api_5'
    """
    if metric_code not in taken:
        return metric_code
    numbered = re.compile(rf"{re.escape(metric_code)}_(\d+)")
    numbers = [int(match[1]) for code in taken if (match := numbered.fullmatch(code))]
    return f"{metric_code}_{max([1, *numbers]) + 1}"


def find_charge(plan: Plan, code: str) -> Charge:
    """A live charge of a plan by code. Raises `NotFound("charge")`."""
    for charge in plan.charges:
        if charge.code == code:
            return charge
    raise NotFound("charge")


async def create_charge(tx: Tx, editing: Editing, item: ChargeInput) -> UUID:
    """Add one charge to a plan. Raises `Invalid` and `NotFound`."""
    if not item.values.get("code"):
        raise Invalid({"code": ["value_is_mandatory"]})
    if item.metric_id is None:
        raise NotFound("billable_metric")
    try:
        metrics = await billable_metrics.get_live_metrics(tx, {item.metric_id})
    except NotFound:
        raise NotFound("billable_metric") from None
    known = {charge.code for charge in editing.plan.charges}
    (made,) = await add_charges(tx, editing, [item], metrics=metrics, known=known)
    return made


async def change_charge(tx: Tx, editing: Editing, charge: Charge, item: ChargeInput) -> None:
    """Change one charge of a plan. Raises `Invalid` and `NotFound`."""
    await update_charge(
        tx, editing, charge, item, known={each.id: each.code for each in editing.plan.charges}
    )


async def delete_charge(tx: Tx, editing: Editing, charge: Charge) -> None:
    """Delete a charge: it is not billed any more, also for the running period."""
    await repository.delete_charges(tx, [charge.id], at=editing.now)
