"""The aggregations as plain functions over events (metering §5.2, §5.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tallymark.domain.exact import Fraction

ZERO = Fraction(0)
NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """What an aggregation sees of an event: the property as text (None: absent), and when it happened and came in."""

    timestamp: datetime
    created_at: datetime
    value: str | None = None
    operation: str | None = None

    @property
    def number(self) -> Fraction | None:
        """The value where it is a plain number; text like "1e3" or "+5" is none."""
        return Fraction(self.value) if self.value is not None and NUMBER.fullmatch(self.value) else None


Result = tuple[Fraction, int]
"""Units, and how many events count."""


def aggregate(aggregation_type: str, events: Sequence[UsageEvent]) -> Result:
    """Aggregate the events of one window, in whatever order they come."""
    return _AGGREGATIONS[aggregation_type](
        sorted(events, key=lambda event: (event.timestamp, event.created_at))
    )


def _numbers(events: Sequence[UsageEvent]) -> list[Fraction]:
    return [number for event in events if (number := event.number) is not None]


def _count(events: Sequence[UsageEvent]) -> Result:
    return Fraction(len(events)), len(events)


def _sum(events: Sequence[UsageEvent]) -> Result:
    numbers = _numbers(events)
    return sum(numbers, ZERO), len(numbers)


def _max(events: Sequence[UsageEvent]) -> Result:
    numbers = _numbers(events)
    return max(numbers, default=ZERO), len(numbers)


def _latest(events: Sequence[UsageEvent]) -> Result:
    numbers = _numbers(events)
    return max(numbers[-1], ZERO) if numbers else ZERO, len(numbers)


def _unique_count(events: Sequence[UsageEvent]) -> Result:
    """A value counts while its last effective operation is an addition; whatever is no "add" removes."""
    present: dict[str, bool] = {}
    for event in events:
        if event.value is not None and event.value.strip():
            present[event.value] = event.operation in (None, "add")
    units = sum(present.values())
    return Fraction(units), units


_AGGREGATIONS: dict[str, Callable[[Sequence[UsageEvent]], Result]] = {
    "count_agg": _count,
    "sum_agg": _sum,
    "max_agg": _max,
    "latest_agg": _latest,
    "unique_count_agg": _unique_count,
}
