"""Charges paid in advance: what an event adds, and what that costs (metering §8, pricing §8.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.fees.advance_fee import AdvanceFacts, compute_advance_fee
from tallymark.domain.fees.charge_fee import Conversion
from tallymark.domain.fees.model import Fee
from tallymark.domain.money import currency
from tallymark.domain.rating import ChargeModel, Usage, parse_price
from tallymark.domain.usage import (
    START,
    Checkpoint,
    Occurrence,
    add_value,
    change_presence,
    one_more,
    presence,
    prorate_contribution,
)

EUR = currency("EUR")
UTC_ZONE = ZoneInfo("UTC")
F = Fraction


def price_sums(
    model: str, properties: dict, values: list, *, metric: str = "sum_agg", amounts=None
) -> list[Fee]:
    """The fees of events in order: a naive fold that keeps every value, as the text of §8.2 and §8.3 reads."""
    price = parse_price(ChargeModel(model), properties, aggregation_type=metric)
    own = [F(a) for a in amounts or [0] * len(values)]
    before, fees = START, []
    for index, value in enumerate(map(F, values)):
        found = add_value(before, value)
        before = found.after
        so_far = [F(v) for v in values[: index + 1]]
        totals: list = list(accumulate(so_far))
        if price.needs.free_events:
            totals = totals[: price.needs.free_events]
        elif price.needs.free_total:
            exceeding = next((i for i, t in enumerate(totals) if t > price.needs.free_total), len(totals))
            totals = totals[: exceeding + 1]
        usage = Usage(
            units=before.current,
            events_count=index + 1,
            running_totals=(range(1, index + 2) if metric == "count_agg" else totals)
            if price.needs.running_totals
            else (),
            event_values=so_far,
            precise_total_amount_cents=sum(own[: index + 1], F(0)),
        )
        facts = AdvanceFacts(
            charge_model=ChargeModel(model), properties=properties, price=price, usage=usage,
            billed_units=found.billed, shown_units=found.shown, event_values_without=so_far[:-1],
            precise_total_amount_cents=own[index],
        )  # fmt: skip
        fees.append(compute_advance_fee(facts, EUR))
    return fees


def shown(fees: list[Fee]) -> list[tuple[Fraction, int]]:
    return [(fee.units, fee.amount_cents) for fee in fees]


class TestHighWaterMark:
    def test_e7_a_decrease_is_never_credited_and_regrowth_is_free(self):
        before, rows = START, []
        for value in (10, -4, 3, 5):
            found = add_value(before, F(value))
            before = found.after
            rows.append((before.current, before.highest, found.billed, found.shown))
        assert rows == [(10, 10, 10, 10), (6, 10, 0, 0), (9, 10, 0, 3), (14, 14, 4, 4)]

    def test_e7_amounts_of_the_standard_price(self):
        fees = price_sums("standard", {"amount": "2.00"}, [10, -4, 3, 5])
        assert shown(fees) == [(10, 2000), (0, 0), (3, 0), (4, 800)]
        assert all(fee.events_count == 1 and fee.amount_details == {} for fee in fees)

    def test_the_mark_does_not_start_below_zero(self):
        """§8.2, mended: a first decrease uses up what the renewal has billed, it does not make room below it."""
        found = add_value(START, F(-4))
        assert (found.billed, found.shown, found.after) == (0, 0, Checkpoint(current=F(-4)))
        assert add_value(found.after, F(3)).billed == 0
        assert add_value(found.after, F(6)).billed == 2

    def test_each_event_counts_as_one(self):
        assert [one_more(START).billed, one_more(one_more(START).after).after.current] == [1, 2]

    def test_unique_values(self):
        """The acceptance scenario's walk: id_1 +, -, +; id_2 +, + again; id_3 +, -."""
        walk = [
            (False, True),
            (True, False),
            (False, True),
            (False, True),
            (True, True),
            (False, True),
            (True, False),
        ]
        before, rows = START, []
        for was, is_ in walk:
            found = change_presence(before, was_present=was, is_present=is_)
            before = found.after
            rows.append((found.shown, found.billed))
        assert rows == [(1, 1), (0, 0), (1, 0), (1, 1), (0, 0), (1, 1), (0, 0)]

    def test_an_unique_value_is_billed_once_in_whatever_order_its_events_arrive(self):
        day = [datetime(2026, 5, d, tzinfo=UTC) for d in range(1, 10)]
        late_add = Occurrence(at=day[2], arrival=9, adds=True)
        assert presence([Occurrence(at=day[4], arrival=1, adds=True)], carried=False, fresh=late_add) == (
            True,
            True,
        )
        same_time = Occurrence(at=day[4], arrival=2, adds=True)
        assert presence([Occurrence(at=day[4], arrival=1, adds=True)], carried=False, fresh=same_time) == (
            True,
            True,
        )
        removal = Occurrence(at=day[5], arrival=3, adds=False)
        assert presence([], carried=True, fresh=removal) == (True, False)

    @given(st.lists(st.integers(-50, 50)))
    def test_invariant_10_the_billed_units_add_up_to_the_highest_total(self, values):
        before, billed = START, F(0)
        for value in values:
            found = add_value(before, F(value))
            before, billed = found.after, billed + found.billed
        assert billed == before.highest == max([0, *accumulate(values)])


class TestProration:
    def test_e8_the_days_left_of_the_period(self):
        found = prorate_contribution(
            add_value(START, F(9)), at=datetime(2026, 5, 20, 14, tzinfo=UTC),
            last=datetime(2026, 5, 31, 23, 59, 59, 999999, tzinfo=UTC), full_days=31, tz=UTC_ZONE,
        )  # fmt: skip
        assert (found.billed, found.shown, found.after.highest_prorated) == (F("3.48388"), 9, F("3.48388"))
        price = parse_price(ChargeModel.STANDARD, {"amount": "4"}, aggregation_type="sum_agg")
        facts = AdvanceFacts(
            charge_model=ChargeModel.STANDARD, properties={}, price=price, billed_units=found.billed,
            usage=Usage(units=found.billed, events_count=1), shown_units=found.shown,
        )  # fmt: skip
        fee = compute_advance_fee(facts, EUR)
        assert (fee.amount_cents, fee.precise_amount_cents, fee.units) == (1394, F("1393.552"), 9)
        assert fee.precise_unit_amount == F("13.94") / 9

    def test_pricing_17_6_four_units_for_twenty_of_thirty_days(self):
        found = prorate_contribution(
            add_value(START, F(4)), at=datetime(2026, 4, 11, tzinfo=UTC),
            last=datetime(2026, 4, 30, 23, 59, 59, 999999, tzinfo=UTC), full_days=30, tz=UTC_ZONE,
        )  # fmt: skip
        assert found.billed == F("2.66667")
        assert found.billed * 9 == F("24.00003")


TIERS: Any = {"graduated_ranges": [
    {"from_value": 0, "to_value": 100, "per_unit_amount": "0.20", "flat_amount": "5"},
    {"from_value": 101, "to_value": 500, "per_unit_amount": "0.15", "flat_amount": "3"},
    {"from_value": 501, "to_value": None, "per_unit_amount": "0.08", "flat_amount": "0"}]}  # fmt: skip
SHORT_TIERS: Any = {"graduated_ranges": [
    {"from_value": 0, "to_value": 5, "per_unit_amount": "0.02", "flat_amount": "0.01"},
    {"from_value": 6, "to_value": None, "per_unit_amount": "0.01", "flat_amount": "0.01"}]}  # fmt: skip
RATES: Any = {"graduated_percentage_ranges": [
    {"from_value": 0, "to_value": 100, "rate": "20", "flat_amount": "10"},
    {"from_value": 101, "to_value": 200, "rate": "30", "flat_amount": "7"},
    {"from_value": 201, "to_value": None, "rate": "40", "flat_amount": "5"}]}  # fmt: skip
FIVE_PERCENT = {"rate": "5", "fixed_amount": "1"}


class TestAmounts:
    @pytest.mark.parametrize(("model", "properties", "values", "cents"), [
        pytest.param("standard", {"amount": "0.006"}, [1, 1, 1], [1, 1, 1], id="pricing 17.5: rounded event by event"),
        pytest.param("package", {"amount": "100", "free_units": 3, "package_size": 2}, [3, 1, 2], [0, 10_000, 10_000],
                     id="packages newly opened"),
        pytest.param("graduated", SHORT_TIERS, [3, 1, 2], [7, 2, 4], id="flat amounts fall on the event that enters"),
        pytest.param("graduated", SHORT_TIERS, [0, 3], [0, 7], id="nothing used costs nothing, whoever comes first"),
        pytest.param("graduated_percentage", RATES, [50, 100, 300], [2000, 3200, 12_000], id="tiers of rates"),
        pytest.param("percentage", {**FIVE_PERCENT, "free_units_per_events": 2}, [8, 5, 3], [0, 0, 115], id="free events"),
        pytest.param("percentage", {**FIVE_PERCENT, "free_units_per_total_aggregation": "120"}, [100, 10, 20, 20],
                     [0, 0, 150, 200], id="free total"),
        pytest.param("percentage", {**FIVE_PERCENT, "free_units_per_total_aggregation": "3"}, [5, 1], [110, 105],
                     id="the first event exceeds the free total"),
        pytest.param("percentage", {"rate": "2.5", "fixed_amount": "0.10", "per_transaction_min_amount": "0.50",
                                    "per_transaction_max_amount": "5"}, ["12.34", 400], [50, 500], id="E12: least and most"),
        pytest.param("percentage", {"rate": "2.5", "fixed_amount": "0.10", "per_transaction_min_amount": "0.50",
                                    "free_units_per_events": 1}, ["12.34", 400], [0, 1010], id="E12: the first is free"),
        pytest.param("percentage", FIVE_PERCENT, [10, -4, 3], [150, 0, 0], id="regrowth below the mark is free"),
        pytest.param("percentage", FIVE_PERCENT, [10, 0, -4, 9], [150, 0, 0, 125],
                     id="an event of no units pays no fixed amount; of the last nine, five are above the mark"),
        pytest.param("percentage", {**FIVE_PERCENT, "free_units_per_events": 1}, [-4, 10, 10], [0, 130, 150],
                     id="a decrease is the free event: of the next ten, six are above the mark"),
        pytest.param("percentage", {**FIVE_PERCENT, "free_units_per_events": 3}, [-4, 10, 10, 10], [0, 0, 0, 150],
                     id="three free events, a decrease among them"),
        pytest.param("percentage", {**FIVE_PERCENT, "free_units_per_total_aggregation": "10"}, [8, -4, 9, 5],
                     [0, 0, 115, 125], id="13 less 10 free, the event that passes 10 pays; of 5, all"),
        pytest.param("percentage", {"rate": "5", "per_transaction_max_amount": "1"}, [-12, 10, 40], [0, 0, 100],
                     id="a decrease takes nothing off the next event: 2.00, at most 1.00"),
        pytest.param("percentage", {"rate": "5", "per_transaction_max_amount": "1", "free_units_per_events": 1},
                     [2, -12, 40], [0, 0, 100], id="and nothing where one is free, either"),
    ])  # fmt: skip
    def test_each_event_pays_the_difference(self, model, properties, values, cents):
        assert [fee.amount_cents for fee in price_sums(model, properties, values)] == cents

    def test_pricing_17_1_events_1_100_and_101(self):
        fees = price_sums("graduated", TIERS, [1] * 101, metric="count_agg")
        assert [fees[n].amount_cents for n in (0, 99, 100)] == [520, 20, 315]

    def test_a_dynamic_event_costs_what_it_brings(self):
        assert shown(price_sums("dynamic", {}, [1, 1], amounts=["200", "99.5"])) == [(1, 200), (1, 100)]

    @pytest.mark.parametrize(("values", "amounts", "cents"), [
        pytest.param([5, -4, 1], [1000, 300, 200], [1000, 300, 200], id="a decrease brings its own, too"),
        pytest.param([5, -5, 1], [1000, 300, 200], [1000, 0, 200], id="not where nothing is left: §8.3, nothing with, nothing without"),
        pytest.param([2, -3, 1], [1000, 300, 200], [1000, 0, 0], id="nor below that, nor on the way back to nothing"),
        pytest.param([0, 5], [300, 200], [0, 500], id="what waits for a first unit comes with it"),
    ])  # fmt: skip
    def test_a_side_of_a_dynamic_price_without_units_is_nothing(self, values, amounts, cents):
        found = price_sums("dynamic", {}, values, amounts=amounts)
        assert [fee.amount_cents for fee in found] == cents

    def test_invariant_10_standard_units_cost_their_price_above_less_than_none(self):
        """5 less than none were carried in: of 8 more, 3 are above none, but 8 are added; so it is by the day, too."""
        price = parse_price(ChargeModel.STANDARD, {"amount": "2"}, aggregation_type="sum_agg")
        facts = AdvanceFacts(
            charge_model=ChargeModel.STANDARD, properties={}, price=price, usage=Usage(units=F(3), events_count=1),
            billed_units=F(8), shown_units=F(8),
        )  # fmt: skip
        assert compute_advance_fee(facts, EUR).amount_cents == 1600

    def test_details_of_a_percentage_are_those_of_the_event(self):
        first, _, third = price_sums("percentage", {**FIVE_PERCENT, "free_units_per_events": 2}, [8, 5, 3])
        assert first.amount_details == {
            "units": "8.0", "free_units": "8.0", "free_events": 1, "paid_units": "0.0", "paid_events": 0, "rate": "5.0",
            "per_unit_total_amount": "0.0", "fixed_fee_unit_amount": "0.0", "fixed_fee_total_amount": "0.0",
            "min_max_adjustment_total_amount": "0.0"}  # fmt: skip
        assert (third.amount_details["units"], third.amount_details["fixed_fee_total_amount"]) == (
            "3.0",
            "1.0",
        )

    def test_details_of_tiers_show_what_the_event_adds_to_each(self):
        last = price_sums("graduated_percentage", RATES, [50, 100, 300])[-1]
        rows: Any = last.amount_details["graduated_percentage_ranges"]
        assert [(row["units"], row["flat_unit_amount"], row["total_with_flat_amount"]) for row in rows] == [
            ("0.0", "0.0", "0.0"), ("50.0", "0.0", "15.0"), ("250.0", "5.0", "105.0")]  # fmt: skip
        assert [(row["rate"], row["from_value"], row["to_value"]) for row in rows][2] == ("40.0", 201, None)

    @given(st.permutations([3, 40, 41, 60, 200, 300]))
    def test_invariant_11_graduated_fees_add_up_to_the_price_of_the_total(self, values):
        price = parse_price(ChargeModel.GRADUATED, TIERS, aggregation_type="sum_agg")
        whole = price.rate(Usage(units=F(sum(values)), events_count=len(values)), EUR).amount
        assert sum(fee.precise_amount_cents for fee in price_sums("graduated", TIERS, values)) == whole * 100

    @given(st.lists(st.integers(0, 30), min_size=1))
    def test_pricing_invariant_3_packages_add_up_too(self, values):
        properties: Any = {"amount": "7.50", "package_size": 10, "free_units": 5}
        price = parse_price(ChargeModel.PACKAGE, properties, aggregation_type="sum_agg")
        whole = price.rate(Usage(units=F(sum(values)), events_count=len(values)), EUR).amount
        assert (
            sum(fee.precise_amount_cents for fee in price_sums("package", properties, values)) == whole * 100
        )

    @given(st.lists(st.integers(-30, 30), min_size=1))
    def test_no_fee_is_negative(self, values):
        for model, properties in (
            ("standard", {"amount": "2"}),
            ("graduated", TIERS),
            ("percentage", FIVE_PERCENT),
        ):
            assert all(
                fee.amount_cents >= 0 and fee.units >= 0 for fee in price_sums(model, properties, values)
            )

    def test_pricing_17_8_a_pricing_unit_is_rounded_before_it_is_converted(self):
        price = parse_price(ChargeModel.STANDARD, {"amount": "12.3456"}, aggregation_type="sum_agg")
        facts = AdvanceFacts(
            charge_model=ChargeModel.STANDARD, properties={}, price=price, usage=Usage(units=F(1), events_count=1),
            billed_units=F(1), shown_units=F(1), conversion=Conversion(short_name="CR", rate=F("0.35")),
        )  # fmt: skip
        fee = compute_advance_fee(facts, EUR)
        assert (fee.amount_cents, fee.precise_amount_cents) == (432, F("432.25"))
        assert fee.pricing_unit is not None
        assert fee.pricing_unit.amount_cents == 1235
