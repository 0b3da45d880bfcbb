"""The database's aggregations equal the plain functions that define them (metering §5)."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from tests import raw_events

from tallymark.domain.periods import Period
from tallymark.domain.rating.model import Needs
from tallymark.domain.usage import UsageEvent
from tallymark.domain.usage import aggregate as defined
from tallymark.metering import aggregation
from tallymark.metering.aggregation import Aggregate, Aggregation, UsageQuery


async def aggregate(tx, query) -> Aggregate:
    """The one bucket and group of a question that tells none apart."""
    return (await aggregation.aggregate(tx, query))[0, ()]


START = datetime(2026, 5, 1, tzinfo=UTC)
WINDOW = Period(START, START + timedelta(days=31))
KINDS = ("count_agg", "sum_agg", "max_agg", "latest_agg", "unique_count_agg")

values = st.one_of(
    st.none(),
    st.integers(-50, 50),
    st.decimals(-100, 100, places=3).map(str),
    st.sampled_from(["1e3", "+5", ".5", "5.", " 5", "", "a", "b", True, False, 1e3, "٣"]),
)
sent = st.lists(
    st.tuples(
        st.integers(-3 * 86400, 34 * 86400),
        values,
        st.sampled_from([None, "add", "remove", "other"]),
        st.booleans(),
    ),
    max_size=25,
)


def properties(value, operation, has_value):
    found = {}
    if has_value:
        found["value"] = value
    if operation is not None:
        found["operation_type"] = operation
    return found


def as_text(value):
    """A property as text: strings as they are, numbers in plain notation."""
    match value:
        case None | str():
            return value
        case bool():
            return str(value).lower()
        case float():
            return str(int(value))
    return str(value)


async def store(database, organization_id, rows):
    """Put events straight into the store; the order of the list is the order of arrival."""
    sent = [(offset, properties(value, operation, has_value)) for offset, value, operation, has_value in rows]
    return await raw_events.store(database, organization_id, sent, start=START)


def query(subscription, kind, **more):
    field = None if kind == "count_agg" else "value"
    aggregation = Aggregation(code="m", aggregation_type=kind, field_name=field, window=WINDOW, **more)
    return UsageQuery(external_subscription_id=subscription, aggregation=aggregation)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_recurring", [False, True])
async def test_sql_equals_the_definition(database, organization, kind, is_recurring):
    """Examples are drawn inside one event loop: Hypothesis draws, the store answers."""
    examples = []

    @settings(max_examples=25, database=None, phases=[Phase.generate])
    @given(sent)
    def draw(rows):
        examples.append(rows)

    draw()
    for rows in examples:
        subscription = await store(database, organization.id, rows)
        async with database.tenant(organization.id) as tx:
            found = await aggregate(tx, query(subscription, kind, is_recurring=is_recurring))
        reads_history = is_recurring and kind in ("sum_agg", "unique_count_agg")
        kept = [
            UsageEvent(
                timestamp=START + timedelta(seconds=offset),
                created_at=START + timedelta(microseconds=number),
                value=as_text(value) if has_value else None,
                operation=operation,
            )
            for number, (offset, value, operation, has_value) in enumerate(rows)
            if offset < 31 * 86400 and (reads_history or offset >= 0)
        ]
        assert (found.usage.units, found.usage.events_count) == defined(kind, kept), rows


async def test_a_value_is_a_plain_number_or_nothing(database, organization):
    """metering §5.2: `1e3` as text is ignored, as a JSON number it is 1000."""
    rows = [
        (n, value, None, True)
        for n, value in enumerate(["1e3", "+5", ".5", "5.", " 5", "", None, True, 1e3, "-2.5"])
    ]
    subscription = await store(database, organization.id, rows)
    async with database.tenant(organization.id) as tx:
        found = await aggregate(tx, query(subscription, "sum_agg"))
    assert (found.usage.units, found.usage.events_count) == (Fraction("997.5"), 2)


async def test_unique_values_count_while_their_last_operation_adds_them(database, organization):
    """metering §12 E3: a 1, b 1, c 1."""
    steps = [
        ("a", "add"),
        ("a", "add"),
        ("b", "remove"),
        ("c", "add"),
        ("c", "remove"),
        ("c", "add"),
        ("b", "add"),
    ]
    subscription = await store(
        database, organization.id, [(n, v, op, True) for n, (v, op) in enumerate(steps)]
    )
    async with database.tenant(organization.id) as tx:
        found = await aggregate(tx, query(subscription, "unique_count_agg"))
    assert (found.usage.units, found.usage.events_count) == (3, 3)


async def test_the_window_is_half_open(database, organization):
    last = 31 * 86400
    subscription = await store(
        database,
        organization.id,
        [(-1, 1, None, True), (0, 2, None, True), (last - 1, 4, None, True), (last, 8, None, True)],
    )
    async with database.tenant(organization.id) as tx:
        assert (await aggregate(tx, query(subscription, "sum_agg"))).usage.units == 6
        recurring = await aggregate(tx, query(subscription, "sum_agg", is_recurring=True))
    assert recurring.usage.units == 7


@pytest.mark.parametrize(
    ("function", "precision", "expected"),
    [("round", 2, "12.35"), ("floor", 1, "12.3"), ("ceil", -1, "20"), (None, None, "12.345")],
)
async def test_units_are_rounded_after_aggregation(database, organization, function, precision, expected):
    """metering §12 E10."""
    subscription = await store(database, organization.id, [(0, "12", None, True), (1, "0.345", None, True)])
    asked = query(subscription, "sum_agg", rounding_function=function, rounding_precision=precision)
    async with database.tenant(organization.id) as tx:
        found = await aggregate(tx, asked)
    assert found.usage.units == Fraction(expected)
    assert found.units_before_rounding == Fraction("12.345")


async def test_running_totals_stop_where_the_price_needs_no_more(database, organization):
    """metering §5.6: the first E sums, or up to the first that exceeds S."""
    subscription = await store(
        database, organization.id, [(n, v, None, True) for n, v in enumerate([120, 80, 200, 50])]
    )
    async with database.tenant(organization.id) as tx:
        by_events = await aggregate(tx, query(subscription, "sum_agg", needs=(Needs(free_events=2),)))
        asked = query(subscription, "sum_agg", needs=(Needs(free_total=Fraction(200)),))
        by_total = await aggregate(tx, asked)
        counted = await aggregate(tx, query(subscription, "count_agg", needs=(Needs(free_events=2),)))
        values = await aggregate(tx, query(subscription, "max_agg", needs=(Needs(event_values=True),)))
    assert list(by_events.usage.running_totals) == [120, 200]
    assert list(by_total.usage.running_totals) == [120, 200, 400]
    assert list(counted.usage.running_totals) == [1, 2, 3, 4]
    assert list(values.usage.event_values or ()) == [0, 0, 200, 0]
