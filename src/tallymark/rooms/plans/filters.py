"""What can be done with the filters of a charge (pricing §6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound, Problems
from tallymark.domain.rating import ChargeModel
from tallymark.rooms.billable_metrics.model import BillableMetric
from tallymark.rooms.plans.checks import (
    check_filter_values,
    check_properties,
    filter_properties,
    same_values,
)
from tallymark.rooms.plans.inputs import Editing, FilterInput
from tallymark.rooms.plans.model import Charge, ChargeFilter
from tallymark.rooms.plans.repository import charges as repository

KEEPS_ORDER = 100
"""Lists this long keep the earlier order of what does not change (pricing §6)."""


def find_filter(charge: Charge, filter_id: UUID) -> ChargeFilter:
    """A live filter of a charge. Raises `NotFound("charge_filter")`."""
    for item in charge.filters:
        if item.id == filter_id:
            return item
    raise NotFound("charge_filter")


def check_filters(
    items: Sequence[FilterInput], model: ChargeModel, metric: BillableMetric, problems: Problems
) -> None:
    """Note every fault of new filters."""
    for place, item in enumerate(items):
        with problems.element("filters", place):
            check_filter_values(item.values, metric, problems)
            check_properties(model, filter_properties(model, item.sent.get("properties")), metric, problems)


async def add_filter(tx: Tx, editing: Editing, charge: Charge, item: FilterInput) -> UUID:
    """Add a filter behind the others; one with the same values may be there (quirk). Raises `Invalid`."""
    problems = Problems()
    check_filters([item], charge.charge_model, charge.billable_metric, problems)
    problems.raise_any()
    row = filter_row(tx, editing, charge.id, charge.charge_model, item)
    row["position"] = 1 + max((known.position for known in charge.filters), default=-1)
    await repository.insert_filters(tx, [row])
    made: UUID = row["id"]
    return made


async def update_filter(
    tx: Tx, editing: Editing, charge: Charge, known: ChargeFilter, sent: Mapping[str, Any]
) -> None:
    """Change a filter's price or name, when sent; its values are what it is. Raises `Invalid`."""
    changed = _changed(charge.charge_model, known, sent)
    problems = Problems()
    check_properties(charge.charge_model, changed["properties"], charge.billable_metric, problems)
    problems.raise_any()
    await repository.update_filters(tx, [{"id": known.id, **changed, "updated_at": editing.now}])


async def delete_filter(tx: Tx, editing: Editing, known: ChargeFilter) -> None:
    """Delete a filter; its events fall to what else matches."""
    await repository.delete_filters(tx, [known.id], at=editing.now)


async def replace_filters(
    tx: Tx,
    editing: Editing,
    charge: Charge,
    items: Sequence[FilterInput],
    *,
    model: ChargeModel,
    metric: BillableMetric,
) -> None:
    """Make the list what is sent: the same values are changed, others added, the rest deleted. Raises `Invalid`."""
    pool: dict[object, list[ChargeFilter]] = defaultdict(list)
    for known in charge.filters:
        pool[same_values(known.values)].append(known)
    rows: list[dict[str, Any]] = []
    problems = Problems()
    for place, item in enumerate(items):
        with problems.element("filters", place):
            check_filter_values(item.values, metric, problems)
        same = pool[same_values(item.values)]
        known_one = same.pop(0) if same else None
        row = filter_row(tx, editing, charge.id, model, item)
        if known_one is not None:
            row |= {"id": known_one.id, **_changed(model, known_one, item.sent)}
        with problems.element("filters", place):
            check_properties(model, row["properties"], metric, problems)
        rows.append(row)
    problems.raise_any()
    _place(rows, charge)
    before = {known.id for known in charge.filters}
    await repository.delete_filters(tx, before - {row["id"] for row in rows}, at=editing.now)
    await repository.insert_filters(tx, [row for row in rows if row["id"] not in before])
    kept = ("id", "properties", "invoice_display_name", "position", "updated_at")
    await repository.update_filters(
        tx, [{name: row[name] for name in kept} for row in rows if row["id"] in before]
    )


def recheck_filters(
    charge: Charge, *, model: ChargeModel, metric: BillableMetric, problems: Problems
) -> None:
    """Note why filters that stay can't: a charge of another model or metric has other prices and values."""
    for known in charge.filters:
        check_filter_values(known.values, metric, problems)
        check_properties(model, filter_properties(model, known.properties), metric, problems)


def filter_row(
    tx: Tx, editing: Editing, charge_id: UUID, model: ChargeModel, item: FilterInput
) -> dict[str, Any]:
    """The row of a new filter, at the first place."""
    return {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "charge_id": charge_id,
        "values": {key: list(values) for key, values in item.values.items()},
        "properties": filter_properties(model, item.sent.get("properties")),
        "invoice_display_name": item.sent.get("invoice_display_name"),
        "position": 0,
        "created_at": editing.now,
        "updated_at": editing.now,
    }


def _changed(model: ChargeModel, known: ChargeFilter, sent: Mapping[str, Any]) -> dict[str, Any]:
    properties = sent["properties"] if sent.get("properties") is not None else known.properties
    return {
        "properties": filter_properties(model, properties),
        "invoice_display_name": sent.get("invoice_display_name", known.invoice_display_name),
    }


def _place(rows: list[dict[str, Any]], charge: Charge) -> None:
    if len(rows) >= KEEPS_ORDER:
        known = {item.id: item for item in charge.filters}

        def place(row: dict[str, Any]) -> tuple[bool, int]:
            item = known.get(row["id"])
            is_unchanged = item is not None and (
                (item.properties, item.invoice_display_name)
                == (row["properties"], row["invoice_display_name"])
            )
            return not is_unchanged, item.position if item is not None and is_unchanged else 0

        rows.sort(key=place)
    for position, row in enumerate(rows):
        row["position"] = position


def duplicates(charge: Charge, item: FilterInput) -> bool:
    """Whether the charge has a filter with the same values."""
    return same_values(item.values) in {same_values(known.values) for known in charge.filters}


def refuse_duplicate(charge: Charge, item: FilterInput) -> None:
    """Raises `Invalid` if the charge has a filter with the same values (pricing §6)."""
    if duplicates(charge, item):
        raise Invalid({"values": ["value_already_exists"]})
