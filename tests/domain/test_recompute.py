"""A fee is recomputed from its explanation alone, and a step that does not follow is told (beyond.md §1)."""

from typing import Any

import pytest

from tallymark.domain.fees.recompute import Unexplained, recompute


def unit_change(**pricing):
    """Six units at 12.50 more than ten, for half of a month: 37.50."""
    price = {"step": "pricing", "charge_model": "standard", "properties": {"amount": "12.5"}}
    return [
        {"step": "units", "value": "16", "billed": "10", "added": "6"},
        {**price, "amount_of_units": "200", "amount_of_billed": "125", "amount": "75", **pricing},
        {"step": "proration", "fraction": "15/30", "amount": "37.5"},
        {"step": "rounding", "amount_cents": 3750},
    ]


def test_units_that_were_added_cost_what_all_do_less_what_was_billed():
    assert recompute(unit_change(), subunits=100) == 3750


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"amount_of_units": "201"}, id="units at their price"),
        pytest.param({"amount_of_billed": "126"}, id="the difference"),
        pytest.param({"amount": "76"}, id="the amount"),
    ],
)
def test_a_part_of_it_that_does_not_follow_is_told(wrong):
    with pytest.raises(Unexplained):
        recompute(unit_change(**wrong), subunits=100)


def test_fewer_units_cost_nothing_though_their_price_be_higher():
    """Four units of a volume price are dearer than ten: nothing is billed for giving six back."""
    price = {"amount_of_units": "40", "amount_of_billed": "10", "amount": "0"}
    steps: list[dict[str, Any]] = [
        {"step": "units", "value": "4", "billed": "10", "added": "0"},
        {"step": "pricing", "charge_model": "volume", "properties": {}, **price},
        {"step": "rounding", "amount_cents": 0},
    ]
    assert recompute(steps, subunits=100) == 0


@pytest.mark.parametrize(
    ("rounding", "units", "cents"), [({}, "16.5", 1650), ({"function": "ceil", "precision": 0}, "17", 1700)]
)
def test_prorated_units_are_rounded_by_the_metric_too(rounding, units, cents):
    """Metering §5.4: 33 units for half of the month, at 1.00."""
    changes = [{"units": "33", "fraction": "15/30"}]
    steps: list[dict[str, Any]] = [
        {"step": "aggregation", "value": "33"},
        {"step": "proration", "changes": changes, "units": units, **rounding},
        {
            "step": "pricing",
            "charge_model": "standard",
            "properties": {"amount": "1"},
            "amount": f"{cents / 100}",
        },
        {"step": "rounding", "amount_cents": cents},
    ]
    assert recompute(steps, subunits=100) == cents
    with pytest.raises(Unexplained):
        recompute([steps[0], {**steps[1], "units": "16"}, *steps[2:]], subunits=100)
