"""Which events count nowhere, and why: beyond.md §2, by looking at each event and each window (docs/decisions/0010)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.oracle.days import TICK
from tests.oracle.invoices import Walk, lived
from tests.oracle.life import Charge, Event, Life
from tests.oracle.records import Subscription, usage_begins
from tests.oracle.units import has_value, text

HISTORY = ("sum_agg", "unique_count_agg", "weighted_sum_agg")
FOREVER = datetime.max.replace(tzinfo=UTC)
Span = tuple[datetime, datetime]
"""Half open."""


def told_unmatched(life: Life) -> dict[str, str]:
    """The reason of each event that counts nowhere, by its transaction id."""
    walk = lived(life)
    found = {event.id: reason_of(walk, event) for event in walk.arrived}
    return {event_id: reason for event_id, reason in found.items() if reason is not None}


def reason_of(walk: Walk, event: Event) -> str | None:
    if event.id in walk.priced or any(counts(event, *window) for window in windows_of(walk, event)):
        return None
    if event.code not in {metric.code for metric in walk.life.metrics}:
        return "unknown_metric"
    known = [s for s in walk.subscriptions if s.external_id == event.external_id and s.status != "canceled"]
    if not known:
        return "unknown_subscription"
    holding = [one for one in known if one.started_at is not None and lives_at(one, event.timestamp)]
    if not holding:
        return "outside_subscription"
    offered = [charge for one in holding for charge in charges_for(one, event)]
    if not offered:
        return "no_charge"
    if not any(has_value(event, charge.metric) for charge in offered) and in_a_window(walk, event):
        return "missing_property" if text(event.properties.get("value")) is None else "invalid_property"
    return "too_late"


def counts(event: Event, charge: Charge, span: Span, known: set[str] | None) -> bool:
    """Whether a charge has an event in a span; `known` are the events that had come when the span became final."""
    start, end = span
    reads_history = charge.metric.recurring and charge.metric.aggregation in HISTORY
    is_inside = event.timestamp < end and (event.timestamp >= start or reads_history) and start < end
    return is_inside and has_value(event, charge.metric) and (known is None or event.id in known)


def windows_of(walk: Walk, event: Event) -> Iterator[tuple[Charge, Span, set[str] | None]]:
    for one in walk.subscriptions:
        if one.external_id != event.external_id or one.started_at is None:
            continue
        for charge in charges_for(one, event):
            for start, end, known in walk.closed.get(one, ()):
                yield charge, (start, end), known
            for span in open_spans(walk, one):
                yield charge, span, None


def charges_for(one: Subscription, event: Event) -> list[Charge]:
    return [charge for charge in one.plan.charges if charge.metric.code == event.code]


def in_a_window(walk: Walk, event: Event) -> bool:
    """Whether it would count if its property could be used."""
    return any(
        event.timestamp < end and event.timestamp >= start and (known is None or event.id in known)
        for _, (start, end), known in windows_of(walk, event)
    )


def lives_at(one: Subscription, at: datetime) -> bool:
    return usage_begins(one) <= at and (one.terminated_at is None or at <= one.terminated_at)


def open_spans(walk: Walk, one: Subscription) -> list[Span]:
    """What is still open of a life: what was over when it was made is never billed."""
    ends = one.terminated_at + TICK if one.terminated_at else FOREVER
    spans = [(max(usage_begins(one), one.first_billed or usage_begins(one)), ends)]
    for start, end, _ in walk.closed.get(one, ()):
        spans = [
            piece for left, right in spans for piece in ((left, min(right, start)), (max(left, end), right))
        ]
        spans = [(left, right) for left, right in spans if left < right]
    return spans
