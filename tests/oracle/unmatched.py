"""Which events count nowhere, and why: beyond.md §2, by looking at each event and each window (docs/decisions/0010)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.oracle.invoices import Walk, lived
from tests.oracle.life import Charge, Event, Life
from tests.oracle.records import Subscription, usage_begins, usage_ends
from tests.oracle.units import has_value, text

HISTORY = ("sum_agg", "unique_count_agg", "weighted_sum_agg")
FOREVER = datetime.max.replace(tzinfo=UTC)
Span = tuple[datetime, datetime]
"""Half open."""
Window = tuple[Charge, Span, set[str] | None]
"""A span in which a charge counts; where it is final, with the events that had come by then."""


def told_unmatched(life: Life) -> dict[str, str]:
    """The reason of each event that counts nowhere, by its transaction id."""
    walk = lived(life)
    found = {event.id: reason_of(walk, event) for event in walk.arrived}
    return {event_id: reason for event_id, reason in found.items() if reason is not None}


def reason_of(walk: Walk, event: Event) -> str | None:
    windows = list(windows_of(walk, event))
    if event.id in walk.priced or any(counts(event, *window) for window in windows):
        return None
    if any(is_covered(event, charge, span) for charge, span, _ in windows):
        return "too_late" if (flaw := flaw_of(event, windows)) is None else flaw
    if event.code not in {metric.code for metric in walk.life.metrics}:
        return "unknown_metric"
    known = [s for s in walk.subscriptions if s.external_id == event.external_id and s.status != "canceled"]
    if not known:
        return "unknown_subscription"
    holding = [one for one in known if one.started_at is not None and lives_at(one, event.timestamp)]
    if not holding:
        return "outside_subscription"
    return "too_late" if any(charges_for(one, event) for one in holding) else "no_charge"


def flaw_of(event: Event, windows: list[Window]) -> str | None:
    """What keeps a metric from using an event (metering §5.2): blank text is none of the values to be counted."""
    value, metric = text(event.properties.get("value")), windows[0][0].metric
    if has_value(event, metric):
        return None
    is_there = value is not None and (metric.aggregation != "unique_count_agg" or value.strip() != "")
    return "invalid_property" if is_there else "missing_property"


def is_covered(event: Event, charge: Charge, span: Span) -> bool:
    start, end = span
    reads_history = charge.metric.recurring and charge.metric.aggregation in HISTORY
    return start < end and event.timestamp < end and (event.timestamp >= start or reads_history)


def counts(event: Event, charge: Charge, span: Span, known: set[str] | None) -> bool:
    """Whether a charge has an event in a span."""
    is_known = known is None or event.id in known
    return is_known and is_covered(event, charge, span) and has_value(event, charge.metric)


def windows_of(walk: Walk, event: Event) -> Iterator[Window]:
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


def lives_at(one: Subscription, at: datetime) -> bool:
    return usage_begins(one) <= at < (usage_ends(one) or FOREVER)


def open_spans(walk: Walk, one: Subscription) -> list[Span]:
    """What is still open of a life: what was over when it was made is never billed."""
    ends = usage_ends(one) or FOREVER
    spans = [(max(usage_begins(one), one.first_billed or usage_begins(one)), ends)]
    for start, end, _ in walk.closed.get(one, ()):
        spans = [
            piece for left, right in spans for piece in ((left, min(right, start)), (max(left, end), right))
        ]
        spans = [(left, right) for left, right in spans if left < right]
    return spans
