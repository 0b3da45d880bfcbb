"""The database tells events apart as `Partition.place` does, and prices each bucket's own events (metering §6, §7)."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests import raw_events

from tallymark.domain.periods import Period
from tallymark.domain.rating.model import Needs
from tallymark.domain.usage import Bucket, Partition, Proration, UsageEvent, text_of
from tallymark.domain.usage import aggregate as defined
from tallymark.metering.aggregation import Aggregation, UsageQuery, aggregate

START = datetime(2026, 4, 1, tzinfo=UTC)
APRIL = Period(START, START + timedelta(days=30))
PARTITION = Partition(
    buckets=(
        Bucket(conditions=(("region", ("eu", "us", "ap")),)),
        Bucket(conditions=(("region", ("eu",)),), group_keys=("team",)),
        Bucket(conditions=(("region", ("eu",)), ("tier", ("gold",))), group_keys=("team", "tier")),
        Bucket(conditions=(("tier", ("gold", "12")),)),
    ),
    default=Bucket(group_keys=("team",)),
)
KINDS = ("count_agg", "sum_agg", "max_agg", "latest_agg", "unique_count_agg")

properties = st.fixed_dictionaries(
    {},
    optional={
        "region": st.sampled_from(["eu", "us", "mars", None]),
        "tier": st.sampled_from(["gold", "std", 12, ""]),
        "team": st.sampled_from(["a", "b", "", None, 7, True, "it's"]),
        "value": st.sampled_from([1, "2.5", -3, "x", "y"]),
        "operation_type": st.sampled_from(["add", "remove"]),
    },
)


async def store(database, organization_id, sent):
    """Put (offset in seconds, properties) straight into the store, in the order of arrival."""
    return await raw_events.store(database, organization_id, sent, start=START)


def ask(subscription, kind, **more):
    field = None if kind == "count_agg" else "value"
    asked = {"window": APRIL, "full_period": APRIL, "field_name": field, **more}
    aggregation = Aggregation(code="m", aggregation_type=kind, **asked)
    return UsageQuery(external_subscription_id=subscription, aggregation=aggregation)


def expect(kind, sent):
    """Each place's units by the plain functions."""
    places = defaultdict(list)
    for number, (offset, found) in enumerate(sent):
        event = UsageEvent(
            timestamp=START + timedelta(seconds=offset),
            created_at=START + timedelta(microseconds=number),
            value=text_of(found.get("value")),
            operation=text_of(found.get("operation_type")),
        )
        places[PARTITION.place(found)].append(event)
    results = {place: defined(kind, of_place) for place, of_place in places.items()}
    return {place: result for place, result in results.items() if result != (0, 0)}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_event_counts_in_one_bucket_and_group(database, organization, kind):
    """metering §6.2, §7.1, §13.5: for every list of events the SQL and the definition agree place by place."""
    drawn = []

    @settings(
        max_examples=12, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(st.tuples(st.integers(0, 29 * 86400), properties), max_size=14))
    def draw(sent):
        drawn.append(sent)

    draw()
    for sent in drawn:
        subscription = await store(database, organization.id, sent)
        async with database.tenant(organization.id) as tx:
            found = await aggregate(tx, ask(subscription, kind, partition=PARTITION))
        used = {
            place: (of.usage.units, of.usage.events_count)
            for place, of in found.items()
            if (of.usage.units, of.usage.events_count) != (0, 0)
        }
        assert used == expect(kind, sent)
        assert {bucket for bucket, _ in found} == set(range(5)), "an unused bucket is told as well"


async def test_a_group_selector_keeps_the_events_of_its_values(database, organization):
    """metering §9.1."""
    sent = [
        (n, {"team": team, "value": value}) for n, (team, value) in enumerate([("a", 1), ("b", 2), ("c", 4)])
    ]
    subscription = await store(database, organization.id, sent)
    only = Partition(only=(("team", ("a", "c")),))
    async with database.tenant(organization.id) as tx:
        found = await aggregate(tx, ask(subscription, "sum_agg", partition=only))
    assert found[0, ()].usage.units == 5


async def test_free_units_are_counted_in_each_group(database, organization):
    """pricing §6: the model restarts for each group; the first two events of a are 1 and 2, of b 10 alone."""
    sent = [
        (n, {"team": t, "value": v}) for n, (t, v) in enumerate([("a", 1), ("b", 10), ("a", 2), ("a", 4)])
    ]
    subscription = await store(database, organization.id, sent)
    grouped = Partition(default=Bucket(group_keys=("team",)))
    async with database.tenant(organization.id) as tx:
        needs = (Needs(free_events=2, event_values=True),)
        found = await aggregate(tx, ask(subscription, "sum_agg", partition=grouped, needs=needs))
    assert list(found[0, ("a",)].usage.running_totals) == [1, 3]
    assert list(found[0, ("b",)].usage.running_totals) == [10]
    assert list(found[0, ("a",)].usage.event_values or ()) == [1, 2, 4]


def day(number, hour=0):
    return (number - 1) * 86400 + hour * 3600


async def test_a_weighted_sum_carries_its_level(database, organization):
    """metering §12, E2: V0 = 12; +8 on 11 April; -5 on 21 April at noon: (12x10 + 20x10.5 + 15x9.5) / 30 = 15.75."""
    sent = [(day(-9), {"value": 12}), (day(11), {"value": 8}), (day(21, 12), {"value": -5})]
    subscription = await store(database, organization.id, sent)
    async with database.tenant(organization.id) as tx:
        recurring = await aggregate(tx, ask(subscription, "weighted_sum_agg", is_recurring=True))
        metered = await aggregate(tx, ask(subscription, "weighted_sum_agg"))
    assert recurring[0, ()].usage.units == Fraction("15.75")
    assert recurring[0, ()].usage.total_aggregated_units == 15
    assert recurring[0, ()].usage.events_count == 2
    assert metered[0, ()].usage.units == Fraction(8 * 20) / 30 - Fraction(5 * 19, 60)
    assert metered[0, ()].usage.total_aggregated_units == 3


async def test_a_weighted_sum_of_a_late_start_is_a_share_of_the_full_period(database, organization):
    """metering §12, E2: started 16 April, +6 on the 20th: 6 x 11 / 30 = 2.2."""
    subscription = await store(database, organization.id, [(day(20), {"value": 6})])
    window = Period(START + timedelta(days=15), APRIL.end)
    async with database.tenant(organization.id) as tx:
        found = await aggregate(tx, ask(subscription, "weighted_sum_agg", window=window))
    assert found[0, ()].usage.units == Fraction("2.2")


async def test_prorated_units_of_a_group_are_its_own(database, organization):
    """metering §5.5, pricing §17.6: 8 carried, +4 on 11 April (20 of 30 days), -2 on 21 April (10 days) in group a."""
    sent = [
        (day(-3), {"team": "a", "value": 8}),
        (day(11), {"team": "a", "value": 4}),
        (day(21), {"team": "a", "value": -2}),
        (day(1), {"team": "b", "value": 3}),
    ]
    subscription = await store(database, organization.id, sent)
    proration = Proration(window=APRIL, tz=ZoneInfo("UTC"), full_days=30, carried_days=30)
    grouped = Partition(default=Bucket(group_keys=("team",)))
    async with database.tenant(organization.id) as tx:
        found = await aggregate(
            tx, ask(subscription, "sum_agg", partition=grouped, is_recurring=True, proration=proration)
        )
    assert (found[0, ("a",)].usage.units, found[0, ("a",)].usage.full_units) == (10, 10)
    assert (found[0, ("b",)].usage.units, found[0, ("b",)].usage.full_units) == (3, 3)
