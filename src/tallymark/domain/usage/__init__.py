"""Events to units: what a value is, how each aggregation reads a list of events, how units are rounded.

The event store computes the same in SQL; these plain functions are its definition, and tests hold both equal.
"""

from tallymark.domain.usage.aggregations import UsageEvent, aggregate
from tallymark.domain.usage.rounding import round_units

__all__ = ["UsageEvent", "aggregate", "round_units"]
