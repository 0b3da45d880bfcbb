"""What can be done with a billable metric (metering §2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Forbidden, Invalid, NotFound, Problems
from tallymark.domain.expressions import EvaluationFailed, InvalidExpression, parse_expression
from tallymark.jobs import agenda
from tallymark.jobs.activity import Changes
from tallymark.jobs.activity import changes as changes_of
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit, log_alone
from tallymark.metering.expressions import compute
from tallymark.rooms.billable_metrics import repository
from tallymark.rooms.billable_metrics.model import (
    CARRIED_OVER,
    FREE_TO_CHANGE,
    AggregationType,
    BillableMetric,
    MetricFilter,
)
from tallymark.rooms.billable_metrics.traces import log_lost_charges, log_trimmed_filters


async def create_metric(tx: Tx, values: Mapping[str, Any], *, now: datetime) -> BillableMetric:
    """Define a metric. Raises `Invalid`, and `Forbidden` for the reserved aggregation."""
    checked = _check(values)
    await tx.lock("metric-code", tx.organization_id)
    if await repository.find_metric(tx, checked["code"]):
        raise Invalid({"code": ["value_already_exist"]})
    filters = checked.pop("filters", None) or ()
    stamps = {"created_at": now, "updated_at": now}
    metric_id = new_id()
    await repository.insert_metric(
        tx, {"id": metric_id, "organization_id": tx.organization_id, **checked, **stamps}
    )
    await repository.replace_filters(tx, metric_id, filters, now=now)
    await _look_at_events(tx, metric_id, now=now)
    await _tell(tx, "billable_metric.created", metric_id, now=now)
    return (await repository.get_metrics(tx, {metric_id}))[metric_id]


async def get_metric(tx: Tx, *, code: str) -> BillableMetric:
    """A metric by code. Raises `NotFound("billable_metric")`."""
    metric = await repository.find_metric(tx, code)
    if metric is None:
        raise NotFound("billable_metric")
    return metric


async def find_metric(tx: Tx, *, code: str) -> BillableMetric | None:
    """A live metric by code."""
    return await repository.find_metric(tx, code)


async def get_metrics(tx: Tx, ids: Collection[UUID]) -> dict[UUID, BillableMetric]:
    """Metrics by id, deleted ones included."""
    return await repository.get_metrics(tx, ids) if ids else {}


async def get_live_metrics(tx: Tx, ids: Collection[UUID]) -> dict[UUID, BillableMetric]:
    """Metrics by id. Raises `NotFound("billable_metrics")` if one is unknown or deleted."""
    found = await repository.get_metrics(tx, ids, live_only=True) if ids else {}
    if len(found) < len(set(ids)):
        raise NotFound("billable_metrics")
    return found


async def list_metrics(
    tx: Tx, page: Page, *, search_term: str | None = None
) -> tuple[list[BillableMetric], int]:
    """A page of metrics, newest first, and how many there are; of those with a text in their name or code."""
    return await repository.list_metrics(tx, page, search_term)


async def update_metric(tx: Tx, code: str, changes: Mapping[str, Any], *, now: datetime) -> BillableMetric:
    """Change what is sent; of a metric in use, its name, description and filters only. Raises `Invalid` and `NotFound`."""
    metric = await get_metric(tx, code=code)
    different = {name: value for name, value in changes.items() if getattr(metric, name) != value}
    if await repository.is_attached(tx, metric.id):
        problems = Problems()
        for name in different:
            if name not in FREE_TO_CHANGE:
                problems.add(name, "modification_not_allowed")
        problems.raise_any()
    if "code" in different and await repository.find_metric(tx, different["code"]):
        raise Invalid({"code": ["value_already_exist"]})
    merged = {
        name: getattr(metric, name) for name in BillableMetric.__slots__ if name not in ("id", "created_at")
    }
    checked = _check({**merged, **changes})
    filters = checked.pop("filters")
    await repository.update_metric(tx, metric.id, {**checked, "updated_at": now})
    if "filters" in different:
        await repository.replace_filters(tx, metric.id, filters, now=now)
        await _trim_charge_filters(tx, metric, filters, now=now)
        await _refresh_drafts(tx, metric.id, now=now)
    if {"code", "aggregation_type", "field_name"} & different.keys():
        await _look_at_events(tx, metric.id, now=now)
    changed = (await repository.get_metrics(tx, {metric.id}))[metric.id]
    await _tell(
        tx,
        "billable_metric.updated",
        metric.id,
        now=now,
        changed=changes_of(metric, changed, parts=["filters"]),
    )
    return changed


async def _trim_charge_filters(
    tx: Tx, before: BillableMetric, filters: Sequence[MetricFilter], *, now: datetime
) -> None:
    """Take keys and values that are gone out of charge filters; all of a key stands for what it has now (§2.3)."""
    known = {item.key: set(item.values) for item in filters}
    gone = {item.key: set(item.values) - known.get(item.key, set()) for item in before.filters}
    changed: dict[UUID, Mapping[str, list[str]]] = {}
    of_charges = await repository.charge_filters_on(tx, before.id)
    for one in of_charges:
        left = {
            key: [value for value in listed if value not in gone.get(key, ())]
            for key, listed in one.values.items()
            if key in known or key not in gone
        }
        left = {key: listed for key, listed in left.items() if listed}
        if left != one.values:
            changed[one.id] = left
    await repository.change_charge_filters(tx, changed, at=now)
    await log_trimmed_filters(tx, before, of_charges, changed, now=now)


async def _refresh_drafts(tx: Tx, metric_id: UUID, *, now: datetime) -> None:
    drafts = await repository.drafts_using(tx, metric_id)
    await agenda.leave(
        tx,
        *(
            Item(kind=Kind.REFRESH_DRAFT, subject_id=invoice_id, owner_id=customer_id, due_at=now)
            for invoice_id, customer_id in drafts
        ),
    )


async def _look_at_events(tx: Tx, metric_id: UUID, *, now: datetime) -> None:
    """Have events that are stored already looked at for what the metric asks of them (beyond.md §2)."""
    await agenda.leave(
        tx, Item(kind=Kind.LOOK_AT_EVENTS, subject_id=metric_id, owner_id=metric_id, due_at=now)
    )


async def _tell(
    tx: Tx, webhook_type: str, metric_id: UUID, *, now: datetime, changed: Changes | None = None
) -> None:
    told = Message(
        webhook_type=webhook_type,
        object_type="billable_metric",
        object_id=metric_id,
        changes=changed or {},
    )
    await emit(tx, told, now=now)


async def delete_metric(tx: Tx, code: str, *, now: datetime) -> BillableMetric:
    """Delete a metric with its charges and alerts; its events are kept, and its code is free again."""
    await tx.lock("metric-code", tx.organization_id)
    metric = await get_metric(tx, code=code)
    await _refresh_drafts(tx, metric.id, now=now)
    await log_lost_charges(tx, metric, now=now)
    lost = await repository.delete_metric(tx, metric.id, at=now)
    await log_alone(tx, "alert.deleted", *lost, now=now)
    gone: dict[UUID, dict[str, list[str]]] = {
        one.id: {} for one in await repository.charge_filters_on(tx, metric.id)
    }
    await repository.change_charge_filters(tx, gone, at=now)
    await _tell(tx, "billable_metric.deleted", metric.id, now=now)
    return metric


def _checked_expression(text: str | None, problems: Problems) -> str | None:
    if not text:
        return None
    try:
        parse_expression(text)
    except InvalidExpression:
        problems.add("expression", "invalid_expression")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An event to try an expression on; the timestamp in whole Unix seconds."""

    code: str
    timestamp: int
    properties: Mapping[str, Any]


def try_expression(text: str, event: Trial) -> str:
    """What an expression would store for an event (§2.4). Raises `Invalid`."""
    if not text.strip():
        raise Invalid({"expression": ["value_is_mandatory"]})
    try:
        expression = parse_expression(text)
    except InvalidExpression:
        raise Invalid({"expression": ["invalid_expression"]}) from None
    try:
        return compute(expression, event.code, event.timestamp, dict(event.properties))
    except EvaluationFailed:
        raise Invalid({"event": ["invalid_event"]}) from None


def _check(values: Mapping[str, Any]) -> dict[str, Any]:
    checked = dict(values)
    kind = AggregationType(checked["aggregation_type"])
    if kind is AggregationType.CUSTOM:
        raise Forbidden("feature_unavailable")
    problems = Problems()
    if kind is not AggregationType.WEIGHTED_SUM:
        checked["weighted_interval"] = None
    elif checked.get("weighted_interval") != "seconds":
        problems.add("weighted_interval", "value_is_invalid")
    checked["expression"] = _checked_expression(checked.get("expression"), problems)
    if kind is AggregationType.COUNT:
        checked["field_name"] = None
    elif not checked.get("field_name"):
        problems.add("field_name", "value_is_mandatory")
    keys = [item.key for item in checked.get("filters") or ()]
    if len(set(keys)) < len(keys):
        problems.add("key", "value_is_duplicated")
    if "filters" in checked:
        checked["filters"] = tuple(sorted(checked["filters"] or (), key=lambda item: item.key))
    if checked.get("recurring") and kind not in CARRIED_OVER:
        problems.add("recurring", "not_compatible_with_aggregation_type")
    problems.raise_any()
    return checked
