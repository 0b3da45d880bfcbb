"""What a billable metric is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class AggregationType(StrEnum):
    """How events become units (metering §5.3)."""

    COUNT = "count_agg"
    SUM = "sum_agg"
    MAX = "max_agg"
    UNIQUE_COUNT = "unique_count_agg"
    WEIGHTED_SUM = "weighted_sum_agg"
    LATEST = "latest_agg"
    CUSTOM = "custom_agg"


CARRIED_OVER = (AggregationType.SUM, AggregationType.UNIQUE_COUNT, AggregationType.WEIGHTED_SUM)
"""Aggregations that can carry units over from one period to the next."""

FREE_TO_CHANGE = ("name", "description", "filters")
"""What changes on a metric that a live charge uses (metering §2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricFilter:
    """A property that tells events apart, with its known values, ascending (metering §2.3)."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeOn:
    """A live charge that prices a metric; that of a child plan comes once for each subscription on it that runs or is to."""

    id: UUID
    plan_id: UUID
    is_of_child: bool
    subscription_id: UUID | None
    code: str
    charge_model: str
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterOn:
    """A live filter of a charge that prices a metric, with the values that it takes."""

    id: UUID
    charge_id: UUID
    values: Mapping[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BillableMetric:
    """How events with its code become units."""

    id: UUID
    code: str
    name: str
    description: str | None
    aggregation_type: AggregationType
    field_name: str | None
    recurring: bool
    weighted_interval: str | None
    rounding_function: str | None
    rounding_precision: int | None
    expression: str | None
    filters: tuple[MetricFilter, ...]
    """By key."""

    created_at: datetime

    @property
    def carries_or_weighs(self) -> bool:
        """Whether it may have units without any event: of earlier periods, or more with each day that passes."""
        return self.recurring or self.aggregation_type is AggregationType.WEIGHTED_SUM

    @property
    def has_history(self) -> bool:
        """Whether its events count in all later periods as well (metering §5.1)."""
        return self.recurring and self.aggregation_type in CARRIED_OVER

    def values_of(self, key: str) -> tuple[str, ...]:
        """The known values of a filter key; none of an unknown one."""
        return next((item.values for item in self.filters if item.key == key), ())
