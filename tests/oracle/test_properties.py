"""What changes no bill: the order of events, the place of the customer, and into how many parts a period falls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.oracle.engine import Engine
from tests.oracle.life import Action, Event, Life, Plan, Subscribe, Terminate
from tests.oracle.lives import lives
from tests.oracle.telling import differences, told, wire
from tests.oracle.test_agreement import EXAMPLES, lived_by_both

FEW = settings(lived_by_both, max_examples=max(EXAMPLES // 8, 1))
pytestmark = pytest.mark.timeout(120 + 30 * EXAMPLES)


def in_arrears(life: Life) -> Life:
    """The same life with every charge in arrears, so that no event is priced by itself."""

    def changed(action: Action) -> Action:
        if not isinstance(action, Subscribe):
            return action
        plan, overridden = action.plan, action.overridden
        return replace(action, plan=of_plan(plan), overridden=overridden and of_plan(overridden))

    def of_plan(plan: Plan) -> Plan:
        charges = (replace(one, pay_in_advance=False, invoiceable=True) for one in plan.charges)
        return replace(plan, charges=tuple(charges))

    return replace(life, actions=tuple(map(changed, life.actions)))


@FEW
@given(life=lives(), data=st.data())
async def test_the_order_in_which_events_arrive_changes_nothing(
    make_organization, life: Life, data: st.DataObject
) -> None:
    """Metering §13.3, for every aggregation: events of different instants may come in any order."""
    life = in_arrears(life)
    by_instant = {(event.external_id, event.timestamp): event for event in life.events}
    sent = [replace(event, at=life.begins) for event in by_instant.values()]
    rest = [action for action in life.actions if not isinstance(action, Event)]
    first = [action for action in rest if action.at == life.begins]
    later = [action for action in rest if action.at > life.begins]
    organization = await make_organization(wire(life.begins))
    engine = Engine(
        organization.client, replace(life, actions=(*first, *data.draw(st.permutations(sent)), *later))
    )
    await engine.live()
    found = differences(await engine.invoices(), told(replace(life, actions=(*first, *sent, *later))))
    assert not found, "\n" + found


@FEW
@given(
    life=lives(),
    zone=st.sampled_from([("Asia/Tokyo", 9 * 60), ("Asia/Kolkata", 330), ("America/Bogota", -300)]),
)
async def test_another_zone_shifts_the_periods_and_nothing_else(
    make_organization, life: Life, zone: tuple[str, int]
) -> None:
    """Subscriptions §3: the same wall clock elsewhere makes the same invoices, their windows shifted."""
    name, offset = zone[0], timedelta(minutes=zone[1])
    # Without drafts: they end at midnight of UTC in every zone (§5.6), so a zone moves their days and late events.
    life = replace(life, grace_days=0)
    organization = await make_organization(wire(life.begins - offset))
    engine = Engine(organization.client, replace(shifted(life, -offset), zone=name))
    await engine.live()
    at_home = [
        (day, status, [tuple(map(moved(-offset), window)) for window in windows], fees, totals)
        for day, status, windows, fees, totals in told(replace(life, zone="UTC"))
    ]
    found = differences(await engine.invoices(), at_home)
    assert not found, "\n" + found


def shifted(life: Life, by: timedelta) -> Life:
    def changed(action: Action) -> Action:
        action = replace(action, at=action.at + by)
        if isinstance(action, Event):
            return replace(action, timestamp=action.timestamp + by)
        if isinstance(action, Subscribe):
            since, end = action.subscription_at, action.ending_at
            return replace(action, subscription_at=since and since + by, ending_at=end and end + by)
        return action

    actions = tuple(map(changed, life.actions))
    return replace(life, begins=life.begins + by, ends=life.ends + by, actions=actions)


def moved(by: timedelta) -> Callable[[object], object]:
    def of(part: object) -> object:
        if not isinstance(part, str) or not part.endswith("Z"):
            return part
        return wire(datetime.strptime(part, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC) + by)

    return of


@FEW
@given(
    cents=st.integers(1, 10**7),
    cuts=st.sets(st.integers(1, 27), max_size=5),
    hour=st.integers(0, 23),
    ends_on=st.none() | st.integers(28, 30),
)
async def test_the_parts_of_a_period_add_up_to_it(
    make_organization, cents: int, cuts: set[int], hour: int, ends_on: int | None
) -> None:
    """Pricing §4.5, subscriptions §7.4: upgrades to plans of the same price cut a month anywhere; nothing is lost."""
    begins = datetime(2025, 1, 1, tzinfo=UTC)
    plans = [Plan(code=f"part_{n}", amount_cents=cents) for n in range(len(cuts) + 1)]
    instants = [begins, *(begins + timedelta(days=cut, hours=hour, minutes=30) for cut in sorted(cuts))]
    actions: list[Action] = [
        Subscribe(at=at, external_id="s1", plan=plan) for at, plan in zip(instants, plans, strict=True)
    ]
    if ends_on is not None:
        actions.append(Terminate(at=begins + timedelta(days=ends_on, hours=hour), external_id="s1"))
    life = Life(
        zone="UTC",
        currency="EUR",
        begins=begins,
        ends=datetime(2025, 2, 1, 1, tzinfo=UTC),
        actions=tuple(actions),
    )
    organization = await make_organization(wire(begins))
    engine = Engine(organization.client, life)
    await engine.live()
    parts = [Fraction(int(fee[7]), 10**9) for _, _, _, fees, _ in await engine.invoices() for fee in fees]
    billed_days = 31 if ends_on is None else ends_on + 1
    assert len(parts) == len(plans)
    assert abs(sum(parts) - Fraction(cents * billed_days, 31)) < Fraction(1, 10**6)
