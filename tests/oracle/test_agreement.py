"""The engine and the naive calculator bill random lives alike, to the cent.

`ORACLE_EXAMPLES=2000 make test ARGS="tests/oracle -n 2"` looks longer; `CI=1` makes the choice of lives fixed.
"""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from tests.oracle.engine import Engine
from tests.oracle.life import Life
from tests.oracle.lives import lives
from tests.oracle.telling import differences, told, told_alone, told_notes, usage_of, wire
from tests.oracle.unmatched import told_unmatched

from tallymark.metering import rollups

EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "16"))
pytestmark = pytest.mark.timeout(120 + 30 * EXAMPLES)
lived_by_both = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.data_too_large,
    ],
)


@lived_by_both
@given(life=lives())
async def test_invoices_and_usage_are_those_of_the_naive_calculator(make_organization, life: Life) -> None:
    """Pricing §7, metering §5, subscriptions §3 to §5; usage and bills: metering §9.1; what counts nowhere: beyond.md §2."""
    organization = await make_organization(wire(life.begins))
    engine = Engine(organization.client, life)
    await engine.live()
    note(repr(life))
    found = differences(await engine.invoices(), told(life))
    assert not found, "\n" + found
    assert await engine.standalone() == told_alone(life)
    assert await engine.notes() == told_notes(life)
    assert await engine.unmatched() == told_unmatched(life)
    for external_id, expected in usage_of(life).items():
        assert await engine.usage(external_id) == expected


@settings(lived_by_both, max_examples=max(EXAMPLES // 4, 1))
@given(life=lives(), cuts=st.lists(st.floats(0, 1), min_size=1, max_size=6))
async def test_cutting_an_advance_sending_events_twice_and_rolling_up_change_nothing(
    make_organization, database, monkeypatch, life: Life, cuts: list[float]
) -> None:
    """test-clock.md, metering §13.1: the bills are those of the same life lived in one stride, read from its events."""
    monkeypatch.setattr(rollups, "WORTH_IT", 1)
    minutes = (life.ends - life.begins) // timedelta(minutes=1)
    stops = tuple(life.begins + timedelta(minutes=int(minutes * cut)) for cut in cuts)
    organization = await make_organization(wire(life.begins))
    engine = Engine(organization.client, life, rolls_up=database)
    await engine.live(stops=stops, resend=True)
    note(repr(life))
    found = differences(await engine.invoices(), told(life))
    assert not found, "\n" + found
    for external_id, expected in usage_of(life).items():
        assert await engine.usage(external_id) == expected
