"""What the price of an event follows from, beside the running numbers: what was carried in, single values, the telling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from uuid import UUID

from tallymark.domain.calendar import Window
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import Step
from tallymark.domain.rating import Needs
from tallymark.domain.usage import Contribution
from tallymark.rooms.advance import repository
from tallymark.rooms.advance.model import Logged, Origin, Scope, Standing
from tallymark.rooms.advance.service.scopes import measure, scope_of
from tallymark.rooms.billable_metrics.model import AggregationType
from tallymark.rooms.events.model import Event
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions.model import Contract

ZERO = Fraction(0)
Key = tuple[UUID, str, str]
"""Charge, external subscription id, scope."""


@dataclass(slots=True)
class Carried:
    """What a recurring metric brings into a window, for each scope: units, and the distinct values that are there."""

    units: dict[str, Fraction] = field(default_factory=dict)
    values: dict[str, set[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an event is priced."""

    contract: Contract
    charge: Charge
    window: Window
    scope: Scope

    @property
    def key(self) -> Key:
        return self.charge.id, self.contract.subscription.external_id, self.scope.key

    @property
    def shared_key(self) -> Key:
        """The same for a charge and the subscription's own copy of it, which goes on where that stood."""
        return self.charge.family_id, self.contract.subscription.external_id, self.scope.shared_key

    def key_before(self, origin: Origin) -> Key | None:
        """Its key in the charge that this one was copied from, if there it was."""
        scope = self.scope.key_before(origin)
        return None if scope is None else (origin.charge_id, self.key[1], scope)


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The single values of a scope's events, by time: running totals, and each with and without the fresh event."""

    totals: Sequence[Fraction | int] = ()
    with_event: Sequence[Fraction] | None = None
    without: Sequence[Fraction] | None = None


def values_of_sums(log: Sequence[Logged], event: Event, number: Fraction, needs: Needs) -> Values:
    """The values of a sum's events, the fresh one placed by its time after those of the same instant (metering §5.6)."""
    if not needs.running_totals:  # nothing is free: each event's amount stands by itself
        return Values(with_event=(number,), without=())
    without = [item.number for item in log]
    later = next((i for i, item in enumerate(log) if item.timestamp > event.timestamp), len(log))
    with_event = [*without[:later], number, *without[later:]]
    return Values(totals=_cut(list(accumulate(with_event)), needs), with_event=with_event, without=without)


def _cut(totals: list[Fraction], needs: Needs) -> Sequence[Fraction]:
    """The totals of the first free events; else those up to the first that exceeds the free total."""
    if needs.free_events:
        return totals[: needs.free_events]
    last = next((index for index, total in enumerate(totals) if total > needs.free_total), len(totals))
    return totals[: last + 1]


def carry(charge: Charge, history: Sequence[Event]) -> Carried:
    """What the events before a window leave for it: all of them count, priced or not (metering §8.2)."""
    carried = Carried()
    is_sum = charge.billable_metric.aggregation_type is AggregationType.SUM
    for event in history:
        measured = measure(charge.billable_metric, event.properties)
        if measured is None:
            continue
        scope = scope_of(charge, event.properties).key
        if is_sum:
            carried.units[scope] = carried.units.get(scope, ZERO) + measured.number
            continue
        assert measured.value is not None, "unique counts have values"
        values = carried.values.setdefault(scope, set())
        (values.add if measured.adds else values.discard)(measured.value)
        carried.units[scope] = Fraction(len(values))
    return carried


def next_order(log: Sequence[Logged]) -> int:
    """The order of an event that is priced after all of a log."""
    return max((item.order for item in log), default=0) + 1


def steps_of(place: Place, found: Contribution, after: Standing) -> list[Step]:
    """The derivation up to the price (beyond.md §1)."""
    period, metric = place.window.period, place.charge.billable_metric
    chosen = place.scope.charge_filter
    steps: list[Step] = [
        {
            "step": "period",
            "from": period.start.isoformat().replace("+00:00", "Z"),
            "to": period.end.isoformat().replace("+00:00", "Z"),
            "timezone": place.contract.timezone.key,
        },
        {
            "step": "aggregation",
            "billable_metric_code": metric.code,
            "aggregation_type": metric.aggregation_type.value,
            "filter": {key: list(values) for key, values in chosen.values.items()} if chosen else None,
            "group": dict(place.scope.grouped_by),
            "events_count": after.events_count,
            "value": str(repository.exact(after.checkpoint.current)),
        },
        {
            "step": "high_water_mark",
            "highest": str(repository.exact(after.checkpoint.highest)),
            "value": str(repository.exact(found.billed)),
        },
    ]
    return steps
