"""What a billable metric is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
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


OFFERED = (
    AggregationType.COUNT,
    AggregationType.SUM,
    AggregationType.MAX,
    AggregationType.UNIQUE_COUNT,
    AggregationType.LATEST,
)
"""Aggregations that this release computes."""

CARRIED_OVER = (AggregationType.SUM, AggregationType.UNIQUE_COUNT, AggregationType.WEIGHTED_SUM)
"""Aggregations that can carry units over from one period to the next."""

FREE_TO_CHANGE = ("name", "description")
"""What changes on a metric that a live charge uses (metering §2.2)."""


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
    created_at: datetime
