"""Events to units: what a value is, who counts it, how each aggregation reads a list of events, how units are rounded.

The event store computes the same in SQL; these plain functions are its definition, and tests hold both equal.
"""

from tallymark.domain.usage.aggregations import UsageEvent, aggregate
from tallymark.domain.usage.buckets import WHOLE, Bucket, Group, Partition, text_of
from tallymark.domain.usage.checkpoint import (
    START,
    Checkpoint,
    Contribution,
    Occurrence,
    add_value,
    change_presence,
    one_more,
    presence,
    prorate_contribution,
)
from tallymark.domain.usage.proration import (
    Operation,
    Proration,
    prorated_units,
    sum_changes,
    unique_changes,
)
from tallymark.domain.usage.rounding import round_units

__all__ = [
    "START",
    "WHOLE",
    "Bucket",
    "Checkpoint",
    "Contribution",
    "Group",
    "Occurrence",
    "Operation",
    "Partition",
    "Proration",
    "UsageEvent",
    "add_value",
    "aggregate",
    "change_presence",
    "one_more",
    "presence",
    "prorate_contribution",
    "prorated_units",
    "round_units",
    "sum_changes",
    "text_of",
    "unique_changes",
]
