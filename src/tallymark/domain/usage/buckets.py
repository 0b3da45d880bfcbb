"""Which of a charge's price lists counts an event, and into which group it falls (metering §6, §7)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallymark.domain.hashing import hashed_once

JSON = str | int | float | Decimal | bool | None | Sequence["JSON"] | Mapping[str, "JSON"]
Properties = Mapping[str, JSON]
Group = tuple[str | None, ...]
"""The values of the group keys, in the keys' order; None where an event has no such value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """The events of one price list. `conditions` are (key, values) by key, every one of which must hold.

    The default bucket has none: it takes what matches no other.
    """

    conditions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    group_keys: tuple[str, ...] = ()

    def matches(self, properties: Properties) -> bool:
        """Whether an event's properties meet every condition."""
        return all(text_of(properties.get(key)) in values for key, values in self.conditions)

    def group_of(self, properties: Properties) -> Group:
        """The group of an event in this bucket; absent, null and "" are the same (metering §7.1)."""
        return tuple(text_of(properties.get(key)) or None for key in self.group_keys)

    @property
    def blank_group(self) -> Group:
        """The group of events without any of the values."""
        return (None,) * len(self.group_keys)

    @property
    def specificity(self) -> tuple[int, int]:
        """Smaller is more specific: most keys, then fewest values (metering §6.2)."""
        return -len(self.conditions), sum(len(values) for _, values in self.conditions)


@hashed_once
@dataclass(frozen=True, kw_only=True)
class Partition:
    """How the events of a charge are told apart. `buckets` have the filters', the oldest first; `default` the rest.

    `only` keeps the events that have one of the given values of each key (a usage question's group selector).
    """

    buckets: tuple[Bucket, ...] = ()
    default: Bucket = Bucket()
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def by_specificity(self) -> list[int]:
        """The filters' indexes in the order in which they claim events: of equals the oldest first."""
        return sorted(range(len(self.buckets)), key=lambda index: (self.buckets[index].specificity, index))

    def place(self, properties: Properties) -> tuple[int, Group]:
        """The bucket that counts an event, the default one being last, and the event's group there.

        >>> eu = Bucket(conditions=(("region", ("eu",)),), group_keys=("team",))
        >>> partition = Partition(buckets=(eu,))
        >>> partition.place({"region": "eu", "team": 7}), partition.place({"region": "mars"})
        ((0, ('7',)), (1, ()))
        """
        for index in self.by_specificity:
            if self.buckets[index].matches(properties):
                return index, self.buckets[index].group_of(properties)
        return len(self.buckets), self.default.group_of(properties)

    def bucket(self, index: int) -> Bucket:
        """A bucket by the index that `place` gives."""
        return self.buckets[index] if index < len(self.buckets) else self.default


WHOLE = Partition()
"""One bucket and one group over all events."""


def text_of(value: JSON) -> str | None:
    """A property's value as text (metering §5.2): numbers in plain notation, null as nothing.

    >>> text_of("a"), text_of(Decimal("1E+3")), text_of(True), text_of(12), text_of(None)
    ('a', '1000', 'true', '12', None)
    """
    match value:
        case None:
            return None
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case float():
            return format(Decimal(repr(value)), "f")
    return json.dumps(value, separators=(", ", ": "), ensure_ascii=False, default=str)
