"""How billable metrics look on the wire."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from tallymark.api.pagination import Meta
from tallymark.api.wire import (
    Input,
    Instant,
    Integer,
    Name,
    NotEmpty,
    OptionalText,
    at_most,
    one_of,
)
from tallymark.rooms.billable_metrics.model import AggregationType, BillableMetric, MetricFilter
from tallymark.rooms.billable_metrics.service import Trial

Aggregation = Annotated[str, one_of(*(kind.value for kind in AggregationType))]
Rounding = Annotated[str | None, one_of("round", "ceil", "floor", None)]


Values = Annotated[list[Name], Field(min_length=1, max_length=1000)]


class FilterInput(Input):
    key: Name
    values: Annotated[Values, BeforeValidator(lambda value: [] if value is None else value)]

    def to_value(self) -> MetricFilter:
        """The filter, each value once."""
        return MetricFilter(key=self.key, values=tuple(sorted(set(self.values))))


class FilterOutput(BaseModel):
    key: str
    values: list[str]


class MetricUpdateInput(Input):
    name: Name = ""
    code: Name = ""
    description: OptionalText = None
    aggregation_type: Aggregation = ""
    field_name: Annotated[OptionalText, at_most(255)] = None
    recurring: bool | None = False
    rounding_function: Rounding = None
    rounding_precision: Annotated[Integer, Field(ge=-30, le=30)] | None = None
    expression: OptionalText = None
    weighted_interval: Annotated[str | None, one_of("seconds", None)] = None
    filters: list[FilterInput] | None = None

    def to_values(self) -> dict[str, Any]:
        """The columns that the request names."""
        values = self.sent
        if "filters" in values:
            values["filters"] = tuple(item.to_value() for item in self.filters or ())
        if values.get("recurring", False) is None:
            values["recurring"] = False
        return values


class MetricCreateInput(MetricUpdateInput):
    name: Name
    code: Name
    aggregation_type: Aggregation


class MetricCreateRequest(BaseModel):
    billable_metric: Annotated[MetricCreateInput, NotEmpty]


class MetricUpdateRequest(BaseModel):
    billable_metric: Annotated[MetricUpdateInput, NotEmpty]


class MetricOutput(BaseModel):
    lago_id: UUID
    name: str
    code: str
    description: str | None
    aggregation_type: AggregationType
    field_name: str | None
    recurring: bool
    weighted_interval: str | None
    rounding_function: str | None
    rounding_precision: int | None
    expression: str | None
    created_at: Instant
    filters: list[FilterOutput]

    @classmethod
    def of(cls, metric: BillableMetric) -> MetricOutput:
        """Show a metric."""
        same = {
            name: getattr(metric, name) for name in cls.model_fields if name not in ("lago_id", "filters")
        }
        filters = [FilterOutput(key=item.key, values=list(item.values)) for item in metric.filters]
        return cls(lago_id=metric.id, filters=filters, **same)


class CountedMetricOutput(MetricOutput):
    """With counters that are always zero: clients still read them."""

    active_subscriptions_count: int = 0
    draft_invoices_count: int = 0
    plans_count: int = 0

    @classmethod
    def of(cls, metric: BillableMetric) -> CountedMetricOutput:
        """Show a metric."""
        return cls(**MetricOutput.of(metric).__dict__)


class MetricResponse(BaseModel):
    billable_metric: MetricOutput


class CountedMetricResponse(BaseModel):
    billable_metric: CountedMetricOutput


class MetricsResponse(BaseModel):
    billable_metrics: list[CountedMetricOutput]
    meta: Meta


def _whole_seconds(value: Any) -> Any:
    """A number's whole part, or the digits that a text begins with (§2.4)."""
    if isinstance(value, str):
        digits = re.match(r"\s*-?[0-9]{1,15}", value)
        return int(digits[0]) if digits else 0
    return value


class TriedEvent(Input):
    code: Annotated[OptionalText, at_most(255)] = None
    timestamp: Annotated[Integer | None, BeforeValidator(_whole_seconds)] = None
    properties: dict[str, Any] | None = None


class ExpressionTrialRequest(BaseModel):
    expression: Annotated[str, BeforeValidator(lambda value: "" if value is None else value)] = ""
    event: TriedEvent | None = None

    def to_trial(self, now: datetime) -> Trial:
        """The event to try it on; without one, an event of now without anything."""
        event = self.event or TriedEvent()
        seconds = int(now.timestamp()) if event.timestamp is None else event.timestamp
        return Trial(code=event.code or "", timestamp=seconds, properties=event.properties or {})


class ExpressionValue(BaseModel):
    value: str


class ExpressionTrialResponse(BaseModel):
    expression_result: ExpressionValue
