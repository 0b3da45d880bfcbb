"""What is true of every price, whatever its numbers (pricing §18)."""

from fractions import Fraction
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.money import (
    CURRENCIES,
    allocate,
    ceil_to,
    currency,
    decimal_text,
    exact_minor_units,
    floor_to,
    major_units,
    minor_units,
    parse_amount,
    round_half_away,
)
from tallymark.domain.rating import ChargeModel, Price, Usage, parse_price
from tallymark.domain.rating.model import JSON

EUR = currency("EUR")
TIERED = ("graduated", "volume", "graduated_percentage")

decimals = st.decimals(min_value=0, max_value=10_000, places=4)
units = decimals.map(Fraction)
amounts = decimals.map(str)
rates = st.decimals(min_value=0, max_value=100, places=3).map(str)
contributions = st.lists(units.filter(bool), min_size=1, max_size=12)


@st.composite
def tier_lists(draw: st.DrawFn) -> list[tuple[int, str, str]]:
    """Where tiers end, in growing order, with a price and a flat amount each; the last has no end, so 0."""
    ends = sorted(draw(st.sets(st.integers(2, 5000), max_size=4)))
    # Ends more than one apart, so that the tier can be written from the unit after the previous one, too.
    apart = [end for index, end in enumerate(ends) if not index or end - ends[index - 1] > 1]
    return [(end, draw(rates), draw(amounts)) for end in [*apart, 0]]


def tiered(model: str, tiers: list[tuple[int, str, str]], *, step: int) -> Price:
    """A price of these tiers, each written from `step` units after the previous one's end."""
    price_key = "rate" if model == "graduated_percentage" else "per_unit_amount"
    rows: list[JSON] = []
    start = step
    for end, price, flat in tiers:
        rows.append({"from_value": start, "to_value": end or None, price_key: price, "flat_amount": flat})
        start = end + step
    return parse_price(ChargeModel(model), {f"{model}_ranges": rows}, aggregation_type="sum_agg")


@st.composite
def percentages(draw: st.DrawFn) -> Price:
    properties: dict[str, JSON] = {"rate": draw(rates), "fixed_amount": draw(amounts)}
    properties["free_units_per_events"] = draw(st.none() | st.integers(1, 8))
    properties["free_units_per_total_aggregation"] = draw(st.none() | amounts)
    least, most = sorted(draw(st.tuples(decimals, decimals)))
    properties["per_transaction_min_amount"] = draw(st.none() | st.just(str(least)))
    properties["per_transaction_max_amount"] = draw(st.none() | st.just(str(most)))
    return parse_price(ChargeModel.PERCENTAGE, properties, aggregation_type="sum_agg")


def packages() -> st.SearchStrategy[Price]:
    return st.builds(
        lambda amount, size, free: parse_price(
            ChargeModel.PACKAGE,
            {"amount": amount, "package_size": size, "free_units": free},
            aggregation_type="sum_agg",
        ),
        amounts,
        st.integers(1, 500),
        st.integers(0, 500),
    )


def standards() -> st.SearchStrategy[Price]:
    return amounts.map(
        lambda amount: parse_price(ChargeModel.STANDARD, {"amount": amount}, aggregation_type="sum_agg")
    )


def usage_of(values: list[Fraction], price: Price) -> Usage:
    """The usage of a sum of events, with its running totals and values where the price needs them."""
    totals = list(accumulate(values))
    return Usage(
        units=sum(values, Fraction(0)),
        events_count=len(values),
        running_totals=totals[: price.needs.free_events or None] if price.needs.running_totals else (),
        event_values=values if price.needs.event_values else None,
    )


def amount_of(price: Price, quantity: Fraction) -> Fraction:
    return price.rate(Usage(units=quantity, events_count=1), EUR).amount


def total(rows: JSON, key: str) -> Fraction:
    assert isinstance(rows, list)
    return sum((Fraction(str(row[key])) for row in rows if isinstance(row, dict)), Fraction(0))


class TestDetails:
    @pytest.mark.parametrize("model", ["graduated", "graduated_percentage"])
    @given(tiers=tier_lists(), quantity=units)
    def test_of_tiers_add_up(self, model: str, tiers: list[tuple[int, str, str]], quantity: Fraction) -> None:
        """§18.2."""
        rated = tiered(model, tiers, step=1).rate(Usage(units=quantity, events_count=1), EUR)
        rows = rated.amount_details[f"{model}_ranges"]
        assert total(rows, "total_with_flat_amount") == rated.amount
        assert total(rows, "per_unit_total_amount") + total(rows, "flat_unit_amount") == rated.amount
        assert total(rows, "units") == quantity

    @given(tiers=tier_lists(), quantity=units)
    def test_of_volume_add_up(self, tiers: list[tuple[int, str, str]], quantity: Fraction) -> None:
        rated = tiered("volume", tiers, step=0).rate(Usage(units=quantity, events_count=1), EUR)
        details = rated.amount_details
        parts = (details["per_unit_total_amount"], details["flat_unit_amount"])
        assert sum(Fraction(str(part)) for part in parts) == rated.amount

    @given(price=percentages(), values=st.lists(units, max_size=12))
    def test_of_percentages_add_up(self, price: Price, values: list[Fraction]) -> None:
        rated = price.rate(usage_of(values, price), EUR)
        keys = ("per_unit_total_amount", "fixed_fee_total_amount", "min_max_adjustment_total_amount")
        assert sum(Fraction(str(rated.amount_details[key])) for key in keys) == rated.amount


class TestTiers:
    @pytest.mark.parametrize("model", TIERED)
    @given(tiers=tier_lists(), quantity=units)
    def test_mean_the_same_in_both_styles(
        self, model: str, tiers: list[tuple[int, str, str]], quantity: Fraction
    ) -> None:
        adjacent, next_unit = (tiered(model, tiers, step=step) for step in (0, 1))
        assert amount_of(adjacent, quantity) == amount_of(next_unit, quantity)

    @given(tiers=tier_lists(), quantity=units)
    def test_of_one_price_are_a_standard_price(
        self, tiers: list[tuple[int, str, str]], quantity: Fraction
    ) -> None:
        alike = [(end, "0.07", "0") for end, _, _ in tiers]
        assert amount_of(tiered("graduated", alike, step=0), quantity) == quantity * Fraction("0.07")
        assert amount_of(tiered("volume", alike, step=0), quantity) == quantity * Fraction("0.07")

    @pytest.mark.parametrize("model", ["graduated", "graduated_percentage"])
    @given(tiers=tier_lists(), lower=units, more=units)
    def test_never_cost_less_for_more(
        self, model: str, tiers: list[tuple[int, str, str]], lower: Fraction, more: Fraction
    ) -> None:
        price = tiered(model, tiers, step=0)
        assert amount_of(price, lower) <= amount_of(price, lower + more)


class TestPackages:
    @given(price=packages(), lower=units, more=units)
    def test_never_cost_less_for_more(self, price: Price, lower: Fraction, more: Fraction) -> None:
        assert amount_of(price, lower) <= amount_of(price, lower + more)


class TestPercentages:
    @given(price=percentages(), values=st.lists(units, max_size=12))
    def test_are_never_negative_and_free_no_more_than_there_is(
        self, price: Price, values: list[Fraction]
    ) -> None:
        rated = price.rate(usage_of(values, price), EUR)
        details = rated.amount_details
        free, paid = details["free_events"], details["paid_events"]
        assert rated.amount >= 0
        assert isinstance(free, int)
        assert isinstance(paid, int)
        assert free + paid == len(values)
        assert Fraction(str(details["free_units"])) + Fraction(str(details["paid_units"])) == rated.units


class TestEventsInAdvance:
    """§18.3: priced one by one, the events of a period cost what all of them cost at its end."""

    @given(price=standards() | packages(), values=contributions)
    def test_add_up(self, price: Price, values: list[Fraction]) -> None:
        totals = [Fraction(0), *accumulate(values)]
        marginal = [amount_of(price, after) - amount_of(price, before) for before, after in pairwise(totals)]
        assert sum(marginal) == amount_of(price, totals[-1])
        assert min(marginal) >= 0

    @pytest.mark.parametrize("model", ["graduated", "graduated_percentage"])
    @given(tiers=tier_lists(), values=contributions)
    def test_add_up_over_tiers(
        self, model: str, tiers: list[tuple[int, str, str]], values: list[Fraction]
    ) -> None:
        price = tiered(model, tiers, step=1)
        totals = [Fraction(0), *accumulate(values)]
        # Without any unit an event is compared with nothing at all: it pays the first flat amount, too (§8.1).
        sides = [Fraction(0), *(amount_of(price, after) for after in totals[1:])]
        marginal = [after - before for before, after in pairwise(sides)]
        assert sum(marginal) == amount_of(price, totals[-1])
        assert min(marginal) >= 0


class TestMoney:
    @given(
        total_cents=st.integers(0, 10**12), weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=20)
    )
    def test_is_allocated_whole_and_fairly(self, total_cents: int, weights: list[int]) -> None:
        if total_cents and not any(weights):
            weights = [*weights, 1]
        parts = allocate(total_cents, weights)
        assert sum(parts) == total_cents
        for part, weight in zip(parts, weights, strict=True):
            share = Fraction(total_cents * weight, sum(weights) or 1)
            assert abs(part - share) < 1
            assert weight or not part

    @given(amount=st.fractions(min_value=-(10**9), max_value=10**9), code=st.sampled_from(sorted(CURRENCIES)))
    def test_is_rounded_to_the_nearest_minor_unit(self, amount: Fraction, code: str) -> None:
        of = currency(code)
        cents, exact = minor_units(amount, of), exact_minor_units(amount, of)
        assert abs(cents - exact) <= Fraction(1, 2)
        assert abs(cents) >= abs(exact) or abs(cents - exact) < Fraction(1, 2)
        assert minor_units(-amount, of) == -cents
        assert minor_units(major_units(cents, of), of) == cents

    @given(value=st.fractions(), digits=st.integers(-3, 10))
    def test_lies_between_its_floor_and_its_ceiling(self, value: Fraction, digits: int) -> None:
        floor, ceiling = floor_to(value, digits), ceil_to(value, digits)
        assert floor <= value <= ceiling
        assert round_half_away(value, digits) in (floor, ceiling)
        assert ceiling - floor in (0, Fraction(10) ** -digits)

    @given(value=st.decimals(min_value=0, max_value=10**20, places=15))
    def test_reads_what_it_writes(self, value: Fraction) -> None:
        text = decimal_text(value)
        assert parse_amount(text) == Fraction(value)
        assert "e" not in text.lower()
