"""What an event says of its metric, and which price list and group of a charge count it (metering §5.2, §6, §7)."""

from __future__ import annotations

from collections.abc import Mapping

from tallymark.domain.exact import Fraction
from tallymark.domain.usage import Bucket, Group, Partition, text_of
from tallymark.domain.usage.aggregations import NUMBER
from tallymark.domain.usage.buckets import Properties
from tallymark.rooms.advance.model import TARGET_WALLET, Measured, Scope
from tallymark.rooms.billable_metrics.model import AggregationType, BillableMetric
from tallymark.rooms.plans.model import ALL_FILTER_VALUES, Charge, ChargeFilter

OPERATION = "operation_type"
ADD = "add"
LONGEST_NUMBER = 1000
"""Digits that no quantity has: what is longer is no number."""


def measure(metric: BillableMetric, properties: Properties) -> Measured | None:
    """What an event counts as; None where it lacks the metric's property, or a sum's is no number (§8.1)."""
    if metric.aggregation_type is AggregationType.COUNT:
        return Measured()
    assert metric.field_name is not None, "only counts have no property"
    text = text_of(properties.get(metric.field_name))
    if metric.aggregation_type is AggregationType.SUM:
        if text is None or len(text) > LONGEST_NUMBER or not NUMBER.fullmatch(text):
            return None
        return Measured(number=Fraction(text), value=text)
    if text is None or not text.strip():
        return None
    operation = text_of(properties.get(OPERATION))
    return Measured(value=text, adds=operation in (None, ADD))


def scope_of(charge: Charge, properties: Properties) -> Scope:
    """The price list and the group of a charge that count an event."""
    has_wallet = charge.accepts_target_wallet and properties.get(TARGET_WALLET) is not None
    partition = partition_of(charge, (TARGET_WALLET,) if has_wallet else ())
    return scope_at(charge, partition, *partition.place(properties))


def partition_of(charge: Charge, more_keys: tuple[str, ...] = ()) -> Partition:
    """The price lists of a charge, the oldest filter first, each grouped by its own keys and then by these."""
    return Partition(
        buckets=tuple(_bucket(charge, item, more_keys) for item in _by_age(charge)),
        default=Bucket(group_keys=_group_keys(charge.properties, more_keys)),
    )


def scope_at(charge: Charge, partition: Partition, index: int, group: Group) -> Scope:
    """The scope of a bucket and group of a charge's partition."""
    filters = _by_age(charge)
    return Scope(
        charge_filter=filters[index] if index < len(filters) else None,
        grouped_by=tuple(zip(partition.bucket(index).group_keys, group, strict=True)),
    )


def _by_age(charge: Charge) -> list[ChargeFilter]:
    return sorted(charge.filters, key=lambda item: (item.created_at, item.id))


def _bucket(charge: Charge, item: ChargeFilter, more_keys: tuple[str, ...]) -> Bucket:
    conditions = []
    for key, values in sorted(item.values.items()):
        known = charge.billable_metric.values_of(key) if ALL_FILTER_VALUES in values else values
        conditions.append((key, tuple(known)))
    return Bucket(conditions=tuple(conditions), group_keys=_group_keys(item.properties, more_keys))


def _group_keys(prices: Mapping[str, object], more_keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of a price list; the target wallet is one where the charge takes it and the event has it (§7.3)."""
    given = prices.get("pricing_group_keys") or prices.get("grouped_by") or ()
    keys = tuple(str(key) for key in given) if isinstance(given, list | tuple) else ()
    return tuple(dict.fromkeys((*keys, *more_keys)))
