"""A few kills of many: the whole run is `python -m bench.durability 500`."""

from bench.durability import run


def test_every_acknowledged_event_survives_a_kill_exactly_once():
    acknowledged, stored = run(3)
    assert acknowledged > 100
    assert stored >= acknowledged
