"""What can be done with the charges of a plan (pricing §5)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound, Problems
from tallymark.domain.rating import ChargeModel, InvalidProperties, clean_properties, parse_price
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.billable_metrics.model import AggregationType, BillableMetric
from tallymark.rooms.plans import repository
from tallymark.rooms.plans.model import CHARGE_FIXED_WHEN_ATTACHED, Charge, Plan
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeInput:
    """A charge as it was sent: `values` has the columns named, `id` is that of a charge to change."""

    metric_id: UUID | None
    id: UUID | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    tax_codes: Sequence[str] | None = None


async def add_charges(
    tx: Tx,
    plan_id: UUID,
    inputs: Sequence[ChargeInput],
    *,
    metrics: Mapping[UUID, BillableMetric],
    known: Collection[str],
    now: datetime,
) -> None:
    """Add charges to a plan; a code left out follows from the metric's. Raises `Invalid`."""
    taken = set(known)
    for item in inputs:
        assert item.metric_id is not None, "the schema demands a metric of a new charge"
        metric = metrics[item.metric_id]
        code = item.values.get("code") or default_code(metric.code, taken)
        if code in taken:
            raise Invalid({"code": ["value_already_exist"]})
        taken.add(code)
        checked = check_charge(item.values, metric)
        charge_id = new_id()
        await repository.insert_charge(
            tx,
            {
                "id": charge_id,
                "organization_id": tx.organization_id,
                "plan_id": plan_id,
                "billable_metric_id": metric.id,
                **checked,
                "code": code,
                "created_at": now,
                "updated_at": now,
            },
        )
        await taxes.replace_taxes(tx, Owner.CHARGE, charge_id, item.tax_codes or ())


async def replace_charges(
    tx: Tx, plan: Plan, inputs: Sequence[ChargeInput], *, is_attached: bool, now: datetime
) -> None:
    """Make the list of charges what is sent: known ids are changed, others added, the rest deleted (pricing §4.3)."""
    by_id = {charge.id: charge for charge in plan.charges}
    fresh = [item for item in inputs if item.id not in by_id]
    metric_ids = {item.metric_id for item in fresh if item.metric_id}
    if len([item for item in fresh if item.metric_id]) < len(fresh):
        raise NotFound("billable_metrics")
    metrics = await billable_metrics.get_live_metrics(tx, metric_ids)
    kept = {item.id for item in inputs if item.id in by_id}
    await repository.delete_charges(tx, by_id.keys() - kept, at=now)
    for item in inputs:
        if item.id in by_id:
            await update_charge(tx, by_id[item.id], item, is_attached=is_attached, now=now)
    codes = {by_id[charge_id].code for charge_id in by_id if charge_id in kept}
    await add_charges(tx, plan.id, fresh, metrics=metrics, known=codes, now=now)


async def update_charge(
    tx: Tx, charge: Charge, item: ChargeInput, *, is_attached: bool, now: datetime
) -> None:
    """Change what is sent of a charge; on a plan in use, little more than its price (pricing §5.2)."""
    values = dict(item.values)
    stored = {
        **{name: getattr(charge, name, None) for name in values},
        "charge_model": charge.charge_model.value,
    }
    if is_attached:
        problems = Problems()
        for name in CHARGE_FIXED_WHEN_ATTACHED:
            if name in values and values[name] is not None and values[name] != stored[name]:
                problems.add(name, "modification_not_allowed")
        if item.metric_id is not None and item.metric_id != charge.billable_metric.id:
            problems.add("billable_metric_id", "modification_not_allowed")
        problems.raise_any()
    metric = charge.billable_metric
    if item.metric_id is not None and item.metric_id != metric.id:
        metric = (await billable_metrics.get_live_metrics(tx, {item.metric_id}))[item.metric_id]
    model = values.get("charge_model") or charge.charge_model.value
    if "properties" not in values and model == charge.charge_model.value:
        values["properties"] = charge.properties
    merged = {"charge_model": model, "min_amount_cents": charge.min_amount_cents, **values}
    checked = check_charge({**merged, "charge_model": model}, metric)
    if "code" not in values or not values["code"]:
        checked.pop("code", None)
    await repository.update_charge(
        tx, charge.id, {**checked, "billable_metric_id": metric.id, "updated_at": now}
    )
    if item.tax_codes is not None:
        await taxes.replace_taxes(tx, Owner.CHARGE, charge.id, item.tax_codes)


def check_charge(values: Mapping[str, Any], metric: BillableMetric) -> dict[str, Any]:
    """The columns of a charge, its properties cleaned and known to make a price. Raises `Invalid`."""
    problems = Problems()
    model = ChargeModel(values["charge_model"])
    wanted = {ChargeModel.DYNAMIC: AggregationType.SUM, ChargeModel.CUSTOM: AggregationType.CUSTOM}.get(model)
    if wanted is not None and metric.aggregation_type is not wanted:
        problems.add("charge_model", "invalid_aggregation_type_or_charge_model")
    properties = clean_properties(model, values.get("properties"))
    try:
        if model is not ChargeModel.CUSTOM:
            parse_price(model, properties, aggregation_type=metric.aggregation_type.value)
    except InvalidProperties as error:
        problems.add("properties", *error.codes)
    problems.raise_any()
    columns = {name: value for name, value in values.items() if name in ("code", "invoice_display_name")}
    return {
        **columns,
        "charge_model": model.value,
        "properties": properties,
        "min_amount_cents": values.get("min_amount_cents") or 0,
    }


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


async def create_charge(tx: Tx, plan: Plan, item: ChargeInput, *, now: datetime) -> None:
    """Add one charge to a plan. Raises `Invalid` and `NotFound`."""
    if not item.values.get("code"):
        raise Invalid({"code": ["value_is_mandatory"]})
    if item.metric_id is None:
        raise NotFound("billable_metric")
    try:
        metrics = await billable_metrics.get_live_metrics(tx, {item.metric_id})
    except NotFound:
        raise NotFound("billable_metric") from None
    await add_charges(tx, plan.id, [item], metrics=metrics, known={c.code for c in plan.charges}, now=now)


async def delete_charge(tx: Tx, charge: Charge, *, now: datetime) -> None:
    """Delete a charge: it is not billed any more, also for the running period."""
    await repository.delete_charges(tx, [charge.id], at=now)
