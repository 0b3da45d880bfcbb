"""How a charge tells its events apart: its filters as buckets, its group keys (metering §6, §7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tallymark.domain.rating import Price, parse_price
from tallymark.domain.usage import Bucket, Partition
from tallymark.rooms.billable_metrics.model import BillableMetric
from tallymark.rooms.plans.model import ALL_FILTER_VALUES, Charge, ChargeFilter
from tallymark.rooms.usage.model import AS_IT_IS, Narrowing

TARGET_WALLET = "target_wallet_code"
"""The event property that names the wallet to pay from (metering §7.3)."""


@dataclass(frozen=True, slots=True)
class PriceList:
    """One bucket of a charge with its price: a filter's, or with None the charge's own for the rest."""

    filter: ChargeFilter | None
    index: int
    properties: Mapping[str, Any]
    price: Price


@dataclass(frozen=True, slots=True)
class Division:
    """A charge's price lists in the order of its fees, and the partition that gives each its events."""

    partition: Partition
    price_lists: tuple[PriceList, ...]


def divide(charge: Charge, narrowing: Narrowing = AS_IT_IS) -> Division:
    """The buckets of a charge. In the partition the oldest filter comes first: of equals it counts an event."""
    by_age = sorted(charge.filters, key=lambda item: (item.created_at, item.id))
    partition = Partition(
        buckets=tuple(
            Bucket(
                conditions=_conditions(item, charge.billable_metric),
                group_keys=group_keys(charge, item.properties, narrowing),
            )
            for item in by_age
        ),
        default=Bucket(group_keys=group_keys(charge, charge.properties, narrowing)),
        only=tuple(sorted(narrowing.group.items())),
    )
    lists = [_price_list(charge, item, by_age.index(item)) for item in charge.filters]
    return Division(partition, (*lists, _price_list(charge, None, len(by_age))))


def group_keys(charge: Charge, properties: Mapping[str, Any], narrowing: Narrowing) -> tuple[str, ...]:
    """The pricing group keys of a price list: its own only, and the target wallet's where the charge accepts one."""
    if narrowing.skips_grouping:
        return ()
    keys = list(properties.get("pricing_group_keys") or properties.get("grouped_by") or ())
    if charge.accepts_target_wallet:
        keys.append(TARGET_WALLET)
    return tuple(key for key in dict.fromkeys(keys) if key not in narrowing.group)


def presentation_keys(charge: Charge, narrowing: Narrowing = AS_IT_IS) -> tuple[str, ...]:
    """The keys by which a charge's units are shown besides; those of the charge alone count (metering §7.2)."""
    keys = [item["value"] for item in charge.properties.get("presentation_group_keys") or ()]
    return tuple(key for key in keys if narrowing.presentation is None or key in narrowing.presentation)


def with_presentation(partition: Partition, keys: tuple[str, ...]) -> Partition:
    """The same buckets, each grouped by its own keys and then by these."""

    def extend(bucket: Bucket) -> Bucket:
        return Bucket(
            conditions=bucket.conditions, group_keys=tuple(dict.fromkeys((*bucket.group_keys, *keys)))
        )

    return Partition(
        buckets=tuple(extend(bucket) for bucket in partition.buckets),
        default=extend(partition.default),
        only=partition.only,
    )


def _conditions(of: ChargeFilter, metric: BillableMetric) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        sorted(
            (key, metric.values_of(key) if values == (ALL_FILTER_VALUES,) else values)
            for key, values in of.values.items()
        )
    )


def _price_list(charge: Charge, of: ChargeFilter | None, index: int) -> PriceList:
    properties = charge.properties if of is None else of.properties
    price = parse_price(
        charge.charge_model, properties, aggregation_type=charge.billable_metric.aggregation_type.value
    )
    return PriceList(of, index, properties, price)
