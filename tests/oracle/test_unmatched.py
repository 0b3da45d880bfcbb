"""An event is unmatched exactly where it is in no usage that the naive calculator ever computes (docs/decisions/0010).

The calculator notes, for each invoice that it makes and for the usage that is still open at the end, which of the events
that had arrived are in it. The engine must list the others, and no more, with the right kind of reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests import kit
from tests.oracle import fees
from tests.oracle.days import DAY, TICK, local, start_of_day
from tests.oracle.engine import Engine, wire
from tests.oracle.invoices import Walk
from tests.oracle.life import Charge, Event, Life, Subscribe
from tests.oracle.lives import lives
from tests.oracle.records import Record, Subscription, windows
from tests.oracle.test_agreement import EXAMPLES, lived_by_both
from tests.oracle.units import number, text

HISTORY = ("sum_agg", "unique_count_agg", "weighted_sum_agg")


def has_value(event: Event, charge: Charge) -> bool:
    """Metering §5.2, §5.3.1."""
    match charge.metric.aggregation:
        case "count_agg":
            return True
        case "unique_count_agg":
            value = text(event.properties.get("value"))
            return value is not None and value.strip() != ""
    return number(event) is not None


def counted(
    one: Subscription, start: datetime, end: datetime, charge: Charge, arrived: list[Event]
) -> set[str]:
    """§5.1: the events that are in scope of a charge over a window."""
    has_history = charge.metric.recurring and charge.metric.aggregation in HISTORY
    return {
        event.id
        for event in arrived
        if event.external_id == one.external_id
        and event.code == charge.metric.code
        and event.timestamp < end
        and (has_history or event.timestamp >= start)
        and has_value(event, charge)
    }


@dataclass(frozen=True, kw_only=True)
class Delete:
    """DELETE /billable_metrics/{code}: its charges go with it."""

    at: datetime
    code: str


class DeletingEngine(Engine):
    async def do(self, actions, *, resend: bool) -> None:
        for action in actions:
            if isinstance(action, Delete):
                await kit.call(self.client, "DELETE", f"/billable_metrics/{action.code}")
            else:
                await super().do([action], resend=resend)


class CountingWalk(Walk):
    """Lives the life, and notes which events were ever in anything's usage."""

    def __init__(self, life: Life) -> None:
        super().__init__(life)
        self.used: set[str] = set()

    def do(self, action) -> None:
        if not isinstance(action, Delete):
            super().do(action)
            return
        self.bill_today()  # what is due by now is billed before
        for one in self.subscriptions:
            left = tuple(charge for charge in one.plan.charges if charge.metric.code != action.code)
            one.plan = replace(one.plan, charges=left)

    def invoice(self, together, at, reason, *, with_charges=True) -> None:
        before = len(self.invoices)
        super().invoice(together, at, reason, with_charges=with_charges)
        for made in self.invoices[before:]:
            for one, record in zip(together, made.records, strict=True):
                if record.with_charges and record.reason in fees.USAGE_REASONS:
                    self.note(one, record)

    def note(self, one: Subscription, record: Record) -> None:
        if record.charges is not None:
            for charge in one.plan.charges:
                self.used |= counted(one, *record.charges, charge, self.arrived)

    def note_what_is_open(self) -> None:
        """The windows of each life that no invoice has closed yet, day by day: those that a billing day will."""
        for one in self.subscriptions:
            if one.status not in ("active", "terminated"):
                continue
            starts, ends = self.open_span(one)
            for charge in one.plan.charges:
                if starts < ends:
                    self.used |= counted(one, starts, ends, charge, self.arrived)

    def open_span(self, one: Subscription):
        closed = [
            record.charges[1]
            for record in one.records
            if record.reason in fees.USAGE_REASONS and record.with_charges and record.charges is not None
        ]
        ends = self.life.ends + 400 * 10 * DAY if one.terminated_at is None else one.terminated_at + TICK
        if closed:
            return max(closed), ends
        # The first period that is billed at all is the one that the first billing day closes (subscriptions §5.2).
        made_on = local(one.created_at, one.zone)
        day = max(local(one.started, one.zone) + DAY, made_on)
        while not one.calendar.is_billing_day(day, one.plan.interval, monthly_split=one.monthly_split):
            day += DAY
        at = start_of_day(day, one.zone) - TICK
        record = windows(one, at, "usage", current=True, terminated_at=None)
        assert record.charges is not None
        return record.charges[0], ends


@st.composite
def strays(draw: st.DrawFn, life: Life) -> Life:
    """The same life with events that may count nowhere: of unknown codes and ids, without a value, with a bad one."""
    subscribed = [action for action in life.actions if isinstance(action, Subscribe)]
    codes = ["unheard", *(charge.metric.code for one in subscribed for charge in one.plan.charges)]
    ids = ["nobody", *(one.external_id for one in subscribed)]
    minutes = (life.ends - life.begins) // timedelta(minutes=1)
    taken = {action.at for action in life.actions}
    more = []
    for n in range(draw(st.integers(1, 10))):
        at = life.begins + timedelta(minutes=draw(st.integers(0, minutes)))
        if at in taken:  # what is sent and done at one instant has no order
            continue
        shift = draw(st.sampled_from([0, 0, 60, -600, 1440 * 3, -1440 * 9, 1440 * 20, -1440 * 35, 1440 * 90]))
        value = draw(st.sampled_from(["1", "2.5", "x", "1e3", "", " ", None]))
        more.append(
            Event(
                at=at,
                id=f"stray_{n}",
                external_id=draw(st.sampled_from(ids)),
                code=draw(st.sampled_from(codes)),
                timestamp=at - timedelta(minutes=shift),
                properties={} if value is None else {"value": value},
            )
        )
    actions: list[Any] = [*life.actions, *more]
    if codes[1:] and draw(st.sampled_from([True, False])):
        at = life.begins + timedelta(minutes=draw(st.integers(1, minutes)), seconds=30)
        actions.append(Delete(at=at, code=draw(st.sampled_from(codes[1:]))))
    return replace(life, actions=tuple(sorted(actions, key=lambda action: action.at)))


async def listed(client: httpx.AsyncClient) -> dict[str, str]:
    found = await kit.get(client, "/events", unmatched="true", per_page=1000)
    return {event["transaction_id"]: event["unmatched_reason"] for event in found["events"]}


@settings(lived_by_both, max_examples=EXAMPLES)
@given(life=lives().flatmap(strays))
async def test_unmatched_is_what_no_usage_ever_has(make_organization, life: Life) -> None:
    organization = await make_organization(wire(life.begins))
    deleted = {action.code for action in life.actions if isinstance(action, Delete)}
    engine = DeletingEngine(organization.client, life)
    await engine.live()
    walk = CountingWalk(life)
    walk.run()
    walk.note_what_is_open()
    note(repr(life))
    reasons = await listed(organization.client)
    sent = {event.id for event in life.events}
    assert set(reasons) == sent - walk.used
    by_id = {event.id: event for event in life.events}
    for event_id, reason in reasons.items():
        event = by_id[event_id]
        if event.code == "unheard":
            assert reason == "unknown_metric"
        elif event.code in deleted:
            assert reason in ("unknown_metric", "too_late", "missing_property", "invalid_property")
        elif event.external_id == "nobody":
            assert reason in ("unknown_subscription", "unknown_metric")
    summary = await kit.get(organization.client, "/events/unmatched_summary", per_page=1000)
    assert sum(line["events_count"] for line in summary["unmatched_summary"]) == len(reasons)
    again = (await kit.post(organization.client, "/events/replay", {"replay": {}}))["replay"]
    assert again == {"examined": len(sent), "matched": len(sent) - len(reasons)}
    assert await listed(organization.client) == reasons
