"""Corrections of a life's events: what they are to be, which is all that the naive calculator needs to know of them (beyond.md §3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from tests.oracle.invoices import lived
from tests.oracle.life import Event, Life, Plan, Properties, Subscribe
from tests.oracle.lives import BASE_PRICES, charges, decreases, precise, values

BEGINS = datetime(2023, 1, 10, tzinfo=UTC)
BILLED = datetime(2023, 3, 25, tzinfo=UTC)
"""Two months of the calendar are billed by then, and one of an anniversary more."""
ENDS = datetime(2023, 4, 12, tzinfo=UTC)
PRICED = datetime(2023, 3, 24, 23, tzinfo=UTC)
"""When what backfills bring is priced in advance: after all events."""


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What an event is to be from now on; without properties it is void."""

    id: str
    properties: Properties | None
    precise_total_amount_cents: str | None = None


@dataclass(frozen=True, kw_only=True)
class Backfill:
    """All events of a code in [begins, ends) are replaced by these: new ones, or other versions of some that are there."""

    code: str
    begins: datetime
    ends: datetime
    events: tuple[Event, ...]


Change = Correction | Backfill


def corrected(life: Life, changes: Sequence[Change]) -> Life:
    """The life in which its events were right at first: each came when it did, and is what it is in the end.

    What a backfill brought came when it is dated, and was priced in advance after all that had come before the backfill.
    """
    sent = {event.id: event for event in life.events}
    known: dict[str, Event | None] = dict(sent)
    for place, change in enumerate(changes):
        if isinstance(change, Correction):
            known[change.id] = _meant(sent[change.id], change)
            continue
        for name, event in known.items():
            if event and event.code == change.code and change.begins <= event.timestamp < change.ends:
                known[name] = None
        for event in change.events:
            # In the order in which backfills were closed.
            priced_at = PRICED + timedelta(minutes=place)
            known[event.id] = event if event.id in sent else replace(event, priced_at=priced_at)
    others = [action for action in life.actions if not isinstance(action, Event)]
    events = sorted((event for event in known.values() if event), key=lambda event: event.at)
    return replace(life, actions=(*others, *events))


def _meant(sent: Event, told: Correction) -> Event | None:
    if told.properties is None:
        return None
    return replace(
        sent, properties=told.properties, precise_total_amount_cents=told.precise_total_amount_cents
    )


def cost(life: Life) -> Counter[tuple[str, str]]:
    """What a life comes to before taxes, in minor units: by the kind of fee and the code of its charge."""
    found: Counter[tuple[str, str]] = Counter()
    issuer = lived(life).issuer
    for fee in (*(fee for invoice in issuer.invoices for fee in invoice.fees), *issuer.standalone):
        kind = "charge" if fee.kind == "true_up" else fee.kind
        found[kind, fee.code if kind == "charge" else ""] += fee.amount_cents
    return +found


@st.composite
def corrected_lives(draw: st.DrawFn) -> tuple[Life, list[Correction]]:
    """A plan with charges of every kind, perhaps a commitment, events that come as they happen, and what they were to be."""
    sold = [
        # What is regrouped once it is paid is given back no sooner.
        replace(draw(charges(f"c{n}")), regroups=False, tax_codes=())
        for n in range(draw(st.integers(1, 3)))
    ]
    plan = Plan(
        code="plan",
        amount_cents=draw(st.sampled_from(BASE_PRICES)),
        pay_in_advance=draw(st.booleans()),
        charges=tuple(sold),
        commitment_cents=draw(st.sampled_from([0, 4321, 30_000])),
    )
    begun = Subscribe(
        at=BEGINS,
        external_id="s1",
        plan=plan,
        billing_time=draw(st.sampled_from(["calendar", "anniversary"])),
    )
    codes = [charge.metric.code for charge in sold]
    hours = sorted(draw(st.lists(st.integers(1, 73 * 24), min_size=3, max_size=8, unique=True)))
    sent = [
        Event(
            at=BEGINS + timedelta(hours=hour),
            id=f"e{n}",
            external_id="s1",
            code=draw(st.sampled_from(codes)),
            timestamp=BEGINS + timedelta(hours=hour),
            properties=draw(contents()),
            precise_total_amount_cents=draw(precise),
        )
        for n, hour in enumerate(hours)
    ]
    life = Life(zone="UTC", currency="EUR", begins=BEGINS, ends=BILLED, actions=(begun, *sent))
    return life, draw(st.lists(corrections_of([one.id for one in sent]), min_size=1, max_size=5))


@st.composite
def late_lives(draw: st.DrawFn) -> tuple[Life, list[Change]]:
    """The same lives, whose events come up to two months after their time, beside a commitment that much lacks of."""
    life, corrections = draw(corrected_lives())
    begun, *sent = life.actions
    assert isinstance(begun, Subscribe)
    plan = replace(begun.plan, commitment_cents=draw(st.sampled_from([30_000, 300_000])))
    late: list[Event] = []
    for place, event in enumerate(sent):
        assert isinstance(event, Event)
        by = timedelta(days=draw(st.sampled_from([0, 20, 40, 60])))
        # No two events are of one instant.
        happened = max(event.at - by, BEGINS) + timedelta(minutes=place)
        late.append(replace(event, timestamp=happened if by else event.at))
    return replace(life, actions=(replace(begun, plan=plan), *late)), [*corrections]


@st.composite
def backfills(draw: st.DrawFn, life: Life, number: int) -> Backfill:
    """Some days of a code, replaced by what was there, otherwise, and by what was not."""
    code = draw(st.sampled_from(sorted({event.code for event in life.events})))
    first, last = sorted(draw(st.lists(st.integers(1, 73 * 24), min_size=2, max_size=2, unique=True)))
    begins, ends = (BEGINS + timedelta(hours=hour) for hour in (first, last))
    same = [event for event in life.events if event.code == code and begins <= event.timestamp < ends]
    again = (
        draw(st.lists(st.sampled_from(same), max_size=2, unique_by=lambda event: event.id)) if same else []
    )
    hours = draw(st.lists(st.integers(first, last - 1), max_size=3, unique=True))
    fresh = [
        Event(
            # No two events are of one instant.
            at=BEGINS + timedelta(hours=hour, minutes=7 * number + place),
            id=f"b{number}_{place}",
            external_id="s1",
            code=code,
            timestamp=BEGINS + timedelta(hours=hour, minutes=7 * number + place),
        )
        for place, hour in enumerate(sorted(hours), start=1)
    ]
    return Backfill(
        code=code,
        begins=begins,
        ends=ends,
        events=tuple(
            replace(event, properties=draw(contents()), precise_total_amount_cents=draw(precise))
            for event in (*again, *fresh)
        ),
    )


@st.composite
def changed_lives(draw: st.DrawFn) -> tuple[Life, list[Change]]:
    """The same lives, with backfills among the corrections, or instead of them."""
    life, corrections = draw(corrected_lives())
    told: list[Change] = [*corrections]
    for number in range(1, draw(st.integers(1, 2)) + 1):
        told.insert(draw(st.integers(0, len(told))), draw(backfills(life, number)))
    return life, told[draw(st.integers(0, 1)) :]


@st.composite
def contents(draw: st.DrawFn) -> Properties:
    """What an event says: a number, and where it was used."""
    found: dict[str, Any] = {"value": draw(values | values | decreases)}
    for key, known in (("region", ["eu", "us", "xx"]), ("tier", ["gold", "std"])):
        if draw(st.booleans()):
            found[key] = draw(st.sampled_from(known))
    return found


@st.composite
def corrections_of(draw: st.DrawFn, ids: list[str]) -> Correction:
    """A new version of one of some events, or none of it."""
    return Correction(
        id=draw(st.sampled_from(ids)),
        properties=draw(st.none() | contents() | contents()),
        precise_total_amount_cents=draw(precise),
    )
