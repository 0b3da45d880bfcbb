"""From events to units: metering §4 to §7, every time by a recount of all raw events."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

from tests.oracle.arithmetic import ceil5, ceil_at, floor_at, round_at
from tests.oracle.days import TICK, cal_days, days, local
from tests.oracle.life import Charge, Event, Filter, Metric, Properties

ALL = ["__ALL_FILTER_VALUES__"]
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
SECOND = timedelta(seconds=1)
Group = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, kw_only=True)
class Window:
    """`[start, end)` of a period's charges, with the full period that it is a part of (§4)."""

    zone: str
    start: datetime
    end: datetime
    full_start: datetime
    full_end: datetime
    duration: int
    """Local days of the full period."""
    upgraded: bool = False
    """The subscription was ended by an upgrade: the last day is the new plan's."""

    @property
    def first_day(self) -> date:
        return local(self.full_start, self.zone)

    @property
    def last(self) -> datetime:
        return self.end - TICK

    @property
    def span(self) -> int:
        """`days_sub(charges_from, charges_to)`."""
        counted = days(self.start, self.last, self.zone)
        return max(counted - 1, 0) if self.upgraded else counted


@dataclass(frozen=True, kw_only=True)
class Units:
    priced: Fraction
    """`u`: prorated where the charge is."""
    full: Fraction
    """`u_full`: what the fee shows."""
    count: int
    values: tuple[Fraction, ...] = ()
    """What each event adds, in the order of time, inside the window (§5.6)."""
    steps: tuple[tuple[Fraction, Fraction], ...] = ()
    """(full, ratio) of each event, for the prorated graduated model (pricing §9)."""
    dynamic_cents: Fraction = Fraction(0)


# -- §5.2 values ------------------------------------------------------------------------------------------


def text(value: object) -> str | None:
    """A property as text; None where it is absent, null or blank."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def number(event: Event) -> Fraction | None:
    found = text(event.properties.get("value"))
    return Fraction(found) if found is not None and NUMBER.fullmatch(found) else None


def has_value(event: Event, metric: Metric) -> bool:
    """Whether a metric can use an event: a number, or any text for distinct values (§5.2, §5.3.1)."""
    if metric.aggregation == "count_agg":
        return True
    if metric.aggregation == "unique_count_agg":
        found = text(event.properties.get("value"))
        return found is not None and bool(found.strip())
    return number(event) is not None


# -- §6, §7 buckets and groups ----------------------------------------------------------------------------


def expanded(one: Filter, metric: Metric) -> dict[str, list[str]]:
    return {key: metric.filters[key] if values == ALL else values for key, values in one.values.items()}


def bucket_of(event: Event, charge: Charge) -> Filter | None:
    """§6.2: most keys, then fewest values, then oldest; None is the default bucket."""
    matching = []
    for age, one in enumerate(charge.filters):
        lists = expanded(one, charge.metric)
        if all(text(event.properties.get(key)) in values for key, values in lists.items()):
            matching.append((-len(lists), sum(map(len, lists.values())), age, one))
    return min(matching, key=lambda found: found[:3])[3] if matching else None


def group_of(event: Event, properties: Properties) -> Group:
    return tuple((key, text(event.properties.get(key))) for key in properties.get("pricing_group_keys", []))


def buckets(charge: Charge) -> list[tuple[Filter | None, Properties]]:
    return [*((one, one.properties) for one in charge.filters), (None, charge.properties)]


def candidates(events: Iterable[Event], charge: Charge, external_id: str, before: datetime) -> list[Event]:
    """§5.1 without the window's start: history first, in the order of time and then of arrival."""
    found = [e for e in events if e.external_id == external_id and e.code == charge.metric.code]
    return sorted((e for e in found if e.timestamp < before), key=lambda e: e.timestamp)


def groups(scope: list[Event], charge: Charge, properties: Properties, window: Window) -> list[Group]:
    """The groups that a bucket has: those of the window, and for recurring metrics those of history."""
    counted = [e for e in scope if charge.metric.recurring or e.timestamp >= window.start]
    counted = [e for e in counted if has_value(e, charge.metric)]
    found = sorted({group_of(e, properties) for e in counted}, key=repr)
    return found or [tuple((key, None) for key in properties.get("pricing_group_keys", []))]


# -- §5.3 aggregation -------------------------------------------------------------------------------------


def units_of(scope: list[Event], charge: Charge, window: Window) -> Units:
    """The units of one bucket and group; `scope` in the order of time."""
    metric, inside = charge.metric, [e for e in scope if e.timestamp >= window.start]
    match metric.aggregation:
        case "count_agg":
            n = len(inside)
            found = Units(priced=Fraction(n), full=Fraction(n), count=n, values=(Fraction(1),) * n)
        case "sum_agg":
            found = summed(scope, metric, window, prorated=charge.prorated)
        case "max_agg":
            found = greatest(inside)
        case "latest_agg":
            found = latest(inside)
        case "unique_count_agg":
            found = unique(scope if metric.recurring else inside, window, prorated=charge.prorated)
        case "weighted_sum_agg":
            found = weighted(scope, metric, window)
        case other:
            raise AssertionError(other)
    return rounded(found, metric)


def rounded(units: Units, metric: Metric) -> Units:
    """§5.4."""
    if metric.rounding_function is None:
        return units
    how = {"round": round_at, "ceil": ceil_at, "floor": floor_at}[metric.rounding_function]
    digits = metric.rounding_precision or 0
    return Units(
        priced=how(units.priced, digits),
        full=how(units.full, digits),
        count=units.count,
        values=units.values,
        steps=units.steps,
        dynamic_cents=units.dynamic_cents,
    )


def summed(scope: list[Event], metric: Metric, window: Window, *, prorated: bool) -> Units:
    """§5.3 and, prorated, §5.5."""
    known = [(e, v) for e in scope if (v := number(e)) is not None]
    before = [(e, v) for e, v in known if e.timestamp < window.start]
    inside = [(e, v) for e, v in known if e.timestamp >= window.start]
    counted = known if metric.recurring else inside
    full = sum((v for _, v in counted), Fraction(0))
    cents = sum((Fraction(e.precise_total_amount_cents or 0) for e, _ in counted), Fraction(0))
    values = tuple(v for _, v in inside)
    if not prorated:
        return Units(priced=full, full=full, count=len(counted), values=values, dynamic_cents=cents)
    carried, r = sum((v for _, v in before), Fraction(0)), Fraction(window.span, window.duration)
    steps = [(carried, r)] if carried else []
    for event, value in inside:
        ratio = Fraction(cal_days(event.timestamp, window.last, window.zone), window.duration)
        steps.append((value, ratio))
    priced = ceil5(sum((value * ratio for value, ratio in steps), Fraction(0)))
    return Units(priced=priced, full=full, count=len(counted), values=values, steps=tuple(steps))


def greatest(inside: list[Event]) -> Units:
    known = [v for e in inside if (v := number(e)) is not None]
    most = max(known, default=Fraction(0))
    first = known.index(most) if known else 0
    values = tuple(most if n == first else Fraction(0) for n in range(len(known)))
    return Units(priced=most, full=most, count=len(known), values=values)


def latest(inside: list[Event]) -> Units:
    known = [v for e in inside if (v := number(e)) is not None]  # sorted by time, ties as they arrived
    last = max(known[-1], Fraction(0)) if known else Fraction(0)
    return Units(priced=last, full=last, count=len(known))


def operation(event: Event) -> str:
    return "add" if text(event.properties.get("operation_type")) in (None, "add") else "remove"


def effective(history: list[Event]) -> list[Event]:
    """§5.3.1: the operations of one value that change something."""
    kept, previous = [], "remove"
    for event in history:
        if operation(event) != previous:
            kept.append(event)
            previous = operation(event)
    return kept


def of_each_value(scope: list[Event]) -> list[list[Event]]:
    by_value: dict[str, list[Event]] = {}
    for event in scope:
        value = text(event.properties.get("value"))
        if value is not None and value.strip():
            by_value.setdefault(value, []).append(event)
    return list(by_value.values())


def unique(scope: list[Event], window: Window, *, prorated: bool) -> Units:
    """§5.3.1 and, prorated, §5.5."""
    histories = of_each_value(scope)
    last = [operation(kept[-1]) for one in histories if (kept := effective(one))]
    full = Fraction(last.count("add"))
    if not prorated:
        return Units(priced=full, full=full, count=int(full), values=(Fraction(1),) * int(full))
    held = [stretch for one in histories for stretch in stretches(one, window)]
    active_days = sum(active for _, _, active in held)
    steps = [(since, Fraction(1), ceil5(Fraction(active, window.duration))) for since, _, active in held]
    steps += [(until, Fraction(-1), Fraction(0)) for _, until, _ in held if until is not None]
    return Units(
        priced=ceil5(Fraction(active_days, window.duration)),
        full=full,
        count=int(full),
        steps=tuple((f, c) for _, f, c in sorted(steps, key=lambda step: step[0])),
    )


def stretches(history: list[Event], window: Window) -> list[tuple[datetime, datetime | None, int]]:
    """When one value was added and removed, and its days within the window, the removal's counted."""

    def is_undone(n: int, event: Event) -> bool:
        day = local(event.timestamp, window.zone)
        return operation(event) == "remove" and any(
            operation(later) == "add" and local(later.timestamp, window.zone) == day
            for later in history[n + 1 :]
        )

    kept = effective([event for n, event in enumerate(history) if not is_undone(n, event)])
    found = []
    for event, following in zip(kept, [*kept[1:], None], strict=False):
        until = following.timestamp if following else None
        if operation(event) == "add" and (until is None or until >= window.start):
            since = max(event.timestamp, window.start)
            found.append((event.timestamp, until, cal_days(since, until or window.last, window.zone)))
    return found


def weighted(scope: list[Event], metric: Metric, window: Window) -> Units:
    """§5.3.2."""
    known = [(e.timestamp, v) for e in scope if (v := number(e)) is not None]
    inside = [(at, v) for at, v in known if at >= window.start]
    level = sum((v for at, v in known if at < window.start), Fraction(0)) if metric.recurring else Fraction(0)
    end = window.last.replace(microsecond=0)
    end += SECOND if window.last.microsecond else timedelta(0)
    at = window.start.replace(microsecond=window.start.microsecond // 1000 * 1000)
    area = Fraction(0)  # of levels × microseconds
    for then, value in [*inside, (end, Fraction(0))]:
        area += level * ((then - at) // TICK)
        at, level = then, level + value
    units = area / ((window.full_end - window.full_start) // TICK)
    return Units(priced=units, full=units, count=len(inside))
