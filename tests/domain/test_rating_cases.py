"""What each charge model makes of units, by hand: the worked examples of pricing §17 and the corners of §7."""

from collections.abc import Sequence
from fractions import Fraction

import pytest

from tallymark.domain.money import currency, minor_units
from tallymark.domain.rating import ChargeModel, Price, Rated, Usage, parse_price
from tallymark.domain.rating.graduated import GraduatedPrice
from tallymark.domain.rating.model import JSON
from tallymark.domain.rating.package import PackagePrice
from tallymark.domain.rating.percentage import PercentagePrice
from tallymark.domain.rating.standard import StandardPrice
from tallymark.domain.rating.tiers import Tier

EUR = currency("EUR")
ZERO = Fraction(0)

TierRow = tuple[str | int, str | int | None, str, str]
"""From, to, price or rate, flat amount."""


def price_of(model: str, aggregation_type: str = "sum_agg", **properties: JSON) -> Price:
    return parse_price(ChargeModel(model), properties, aggregation_type=aggregation_type)


def tiered(model: str, *rows: TierRow) -> Price:
    price_key = "rate" if model == "graduated_percentage" else "per_unit_amount"
    ranges: list[JSON] = [
        {"from_value": start, "to_value": end, price_key: price, "flat_amount": flat}
        for start, end, price, flat in rows
    ]
    return parse_price(ChargeModel(model), {f"{model}_ranges": ranges}, aggregation_type="sum_agg")


def usage_of(units: str | int, events_count: int = 1, full_units: Fraction | None = None) -> Usage:
    return Usage(units=Fraction(units), events_count=events_count, full_units=full_units)


def amount_of(price: Price, units: str | int) -> Fraction:
    return price.rate(usage_of(units), EUR).amount


def is_nothing(rated: Rated) -> bool:
    return rated.units == rated.amount == rated.unit_amount == 0


class TestStandard:
    @pytest.mark.parametrize(
        ("amount", "units", "expected"),
        [("2.5", "4", "10"), ("0.006", "3", "0.018"), ("2", "0", "0"), ("0", "9", "0"), ("3", "1.5", "4.5")],
    )
    def test_multiplies(self, amount: str, units: str, expected: str) -> None:
        assert amount_of(price_of("standard", amount=amount), units) == Fraction(expected)

    def test_rounds_each_event_in_advance_and_the_sum_in_arrears(self) -> None:
        """§17.5."""
        price = price_of("standard", amount="0.006")
        one_by_one = [minor_units(amount_of(price, 1), EUR) for _ in range(3)]
        assert one_by_one == [1, 1, 1]
        assert minor_units(amount_of(price, 3), EUR) == 2

    def test_has_no_details(self) -> None:
        assert price_of("standard", amount="2").rate(usage_of(3), EUR).amount_details == {}

    def test_averages_over_the_full_units_of_a_prorated_charge(self) -> None:
        rated = price_of("standard", amount="9").rate(usage_of("2.66667", full_units=Fraction(4)), EUR)
        assert rated.amount == Fraction("24.00003")  # §17.6
        assert rated.units == 4
        assert rated.unit_amount == Fraction("6.0000075")

    @pytest.mark.parametrize(
        ("amount", "code", "minor"), [("1234.5", "JPY", 1235), ("1.23456", "KWD", 1235), ("0.005", "EUR", 1)]
    )
    def test_ends_in_the_currency(self, amount: str, code: str, minor: int) -> None:
        """§17.10."""
        rated = price_of("standard", amount=amount).rate(usage_of(1), currency(code))
        assert minor_units(rated.amount, currency(code)) == minor


class TestNegativeUsage:
    @pytest.mark.parametrize(
        "price",
        [
            pytest.param(price_of("standard", amount="2"), id="standard"),
            pytest.param(tiered("graduated", (0, None, "1", "50")), id="graduated, with a flat amount"),
            pytest.param(tiered("volume", (0, None, "1", "50")), id="volume, with a flat amount"),
            pytest.param(price_of("package", amount="5", package_size=10, free_units=0), id="package"),
            pytest.param(price_of("percentage", rate="2", fixed_amount="1"), id="percentage, with events"),
            pytest.param(tiered("graduated_percentage", (0, None, "1", "50")), id="graduated percentage"),
        ],
    )
    def test_is_worth_nothing(self, price: Price) -> None:
        rated = price.rate(usage_of(-3), EUR)
        assert is_nothing(rated)
        assert rated.amount_details == {}

    def test_is_worth_nothing_where_the_amount_is_negative(self) -> None:
        usage = Usage(units=Fraction(5), events_count=1, precise_total_amount_cents=Fraction(-100))
        assert is_nothing(price_of("dynamic").rate(usage, EUR))

    def test_is_told_by_the_full_units(self) -> None:
        assert is_nothing(price_of("standard", amount="0").rate(usage_of(2, full_units=Fraction(-1)), EUR))


EXAMPLE_1 = tiered("graduated", (0, 100, "0.20", "5"), (101, 500, "0.15", "3"), (501, None, "0.08", "0"))
ADJACENT = tiered("graduated", (0, "0.5", "4", "0"), ("0.5", 2, "3", "1"), (2, None, "1", "0"))
NEXT_UNIT = tiered("graduated", (0, "0.5", "4", "0"), ("1.5", 2, "3", "1"), (3, None, "1", "0"))


class TestGraduated:
    @pytest.mark.parametrize(
        ("units", "expected"),
        [
            pytest.param("0", "5.00", id="the first flat amount is due for nothing"),
            pytest.param("100", "25.00", id="the end stays in its tier"),
            pytest.param("100.5", "28.075", id="a half in the second tier"),
            pytest.param("101", "28.15", id="the first of the second tier"),
            pytest.param("500", "88.00", id="two tiers full"),
            pytest.param("650", "100.00", id="all three"),
        ],
    )
    def test_walks_the_tiers(self, units: str, expected: str) -> None:
        """§17.1."""
        assert amount_of(EXAMPLE_1, units) == Fraction(expected)

    def test_rounds_to_2808_cents(self) -> None:
        assert minor_units(amount_of(EXAMPLE_1, "100.5"), EUR) == 2808

    @pytest.mark.parametrize(
        ("event", "expected"),
        [
            pytest.param(100, "0.20", id="inside a tier"),
            pytest.param(101, "3.15", id="into the second, with its flat"),
        ],
    )
    def test_prices_an_event_by_the_difference_it_makes(self, event: int, expected: str) -> None:
        assert amount_of(EXAMPLE_1, event) - amount_of(EXAMPLE_1, event - 1) == Fraction(expected)

    def test_charges_the_first_event_5_20(self) -> None:
        assert amount_of(EXAMPLE_1, 1) == Fraction("5.20")  # in advance, nothing costs nothing (§8.1)

    @pytest.mark.parametrize("price", [ADJACENT, NEXT_UNIT], ids=["adjacent", "one unit on"])
    @pytest.mark.parametrize(("units", "expected"), [("0.5", "2.00"), ("2", "7.50"), ("2.75", "8.25")])
    def test_reads_both_styles_alike(self, price: Price, units: str, expected: str) -> None:
        """§17.2."""
        assert amount_of(price, units) == Fraction(expected)

    def test_counts_the_same_from_0_and_from_1(self) -> None:
        assert amount_of(tiered("graduated", (1, None, "2", "0")), 10) == 20

    def test_details_the_tiers_reached(self) -> None:
        assert EXAMPLE_1.rate(usage_of(101), EUR).amount_details == {
            "graduated_ranges": [
                {
                    "from_value": 0,
                    "to_value": 100,
                    "flat_unit_amount": "5.0",
                    "per_unit_amount": "0.2",
                    "units": "100.0",
                    "per_unit_total_amount": "20.0",
                    "total_with_flat_amount": "25.0",
                },
                {
                    "from_value": 101,
                    "to_value": 500,
                    "flat_unit_amount": "3.0",
                    "per_unit_amount": "0.15",
                    "units": "1.0",
                    "per_unit_total_amount": "0.15",
                    "total_with_flat_amount": "3.15",
                },
            ]
        }

    def test_details_no_price_where_no_unit_is(self) -> None:
        assert EXAMPLE_1.rate(usage_of(0), EUR).amount_details == {
            "graduated_ranges": [
                {
                    "from_value": 0,
                    "to_value": 100,
                    "flat_unit_amount": "5.0",
                    "per_unit_amount": "0.0",
                    "units": "0.0",
                    "per_unit_total_amount": "0.0",
                    "total_with_flat_amount": "5.0",
                }
            ]
        }

    def test_averages_over_the_units(self) -> None:
        assert EXAMPLE_1.rate(usage_of(100), EUR).unit_amount == Fraction("0.25")
        assert EXAMPLE_1.rate(usage_of(0), EUR).unit_amount == 0

    def test_refuses_prorated_units(self) -> None:
        with pytest.raises(ValueError, match="prorated"):
            EXAMPLE_1.rate(usage_of(5, full_units=Fraction(10)), EUR)


class TestGraduatedPercentage:
    price = tiered("graduated_percentage", (0, 1000, "2", "1"), (1001, None, "1", "0.5"))

    @pytest.mark.parametrize(
        ("units", "expected"),
        [
            pytest.param("1500", "26.50", id="21 + 5.5"),  # §17.3
            pytest.param("1000", "21.00", id="the end of the first tier"),
            pytest.param("0", "1.00", id="the first flat amount is due for nothing"),
            pytest.param("0.25", "1.005", id="a fraction"),
        ],
    )
    def test_walks_the_tiers(self, units: str, expected: str) -> None:
        assert amount_of(self.price, units) == Fraction(expected)

    def test_details_rates(self) -> None:
        assert self.price.rate(usage_of(1500), EUR).amount_details == {
            "graduated_percentage_ranges": [
                {
                    "from_value": 0,
                    "to_value": 1000,
                    "flat_unit_amount": "1.0",
                    "rate": "2.0",
                    "units": "1000.0",
                    "per_unit_total_amount": "20.0",
                    "total_with_flat_amount": "21.0",
                },
                {
                    "from_value": 1001,
                    "to_value": None,
                    "flat_unit_amount": "0.5",
                    "rate": "1.0",
                    "units": "500.0",
                    "per_unit_total_amount": "5.0",
                    "total_with_flat_amount": "5.5",
                },
            ]
        }


class TestVolume:
    rows: tuple[TierRow, ...] = (
        (0, 1000, "0.02", "10"),
        (1001, 5000, "0.015", "0"),
        (5001, None, "0.01", "25"),
    )

    @pytest.mark.parametrize(
        ("units", "expected"),
        [
            pytest.param("0", "10.00", id="the first flat amount is due for nothing"),
            pytest.param("1000", "30.00", id="the end stays in its tier"),
            pytest.param("1000.4", "15.006", id="a little more moves on"),
            pytest.param("6000", "85.00", id="the last tier"),
        ],
    )
    def test_prices_all_in_one_tier(self, units: str, expected: str) -> None:
        """§17.3."""
        assert amount_of(tiered("volume", *self.rows), units) == Fraction(expected)

    def test_sorts_its_tiers(self) -> None:
        assert amount_of(tiered("volume", *reversed(self.rows)), "1000.4") == Fraction("15.006")

    def test_rounds_to_1501_cents(self) -> None:
        assert minor_units(amount_of(tiered("volume", *self.rows), "1000.4"), EUR) == 1501

    def test_is_chosen_by_the_full_units_of_a_prorated_charge(self) -> None:
        rated = tiered("volume", *self.rows).rate(usage_of(900, full_units=Fraction(1200)), EUR)
        assert rated.amount == Fraction("13.5")  # 900 × 0.015
        assert rated.unit_amount == Fraction("0.01125")
        assert rated.amount_details == {
            "flat_unit_amount": "0.0",
            "per_unit_amount": "0.01125",
            "per_unit_total_amount": "13.5",
        }

    def test_details_the_tier(self) -> None:
        assert tiered("volume", *self.rows).rate(usage_of(6000), EUR).amount_details == {
            "flat_unit_amount": "25.0",
            "per_unit_amount": "0.01",
            "per_unit_total_amount": "60.0",
        }

    def test_details_nothing_used(self) -> None:
        assert tiered("volume", *self.rows).rate(usage_of(0), EUR).amount_details == {
            "flat_unit_amount": "10.0",
            "per_unit_amount": "0.0",
            "per_unit_total_amount": "0.0",
        }


class TestPackage:
    price = price_of("package", amount="7.50", package_size=100, free_units=50)

    @pytest.mark.parametrize(
        ("units", "expected", "unit_amount"),
        [
            pytest.param("0", "0", "0", id="nothing used"),
            pytest.param("50", "0", "0", id="all of it free"),
            pytest.param("50.1", "7.50", "75", id="a fraction opens a package"),
            pytest.param("51", "7.50", "7.50", id="one unit opens a package"),
            pytest.param("150", "7.50", "0.075", id="one package, full"),
            pytest.param("250", "15.00", "0.075", id="two packages, full"),
            pytest.param("251", "22.50", Fraction(2250, 20100), id="a third one opened"),
        ],
    )
    def test_sells_whole_packages(self, units: str, expected: str, unit_amount: str | Fraction) -> None:
        """§17.3."""
        rated = self.price.rate(usage_of(units), EUR)
        assert rated.amount == Fraction(expected)
        assert rated.unit_amount == Fraction(unit_amount)

    @pytest.mark.parametrize(
        ("units", "details"),
        [
            pytest.param("251", ("50.0", "201.0", 100, "7.5"), id="beyond what is free"),
            pytest.param("20", ("50.0", "0.0", 100, "7.5"), id="within what is free"),
            pytest.param("0", ("0.0", "0.0", 0, "0.0"), id="nothing used, nothing to tell"),
        ],
    )
    def test_details_its_packages(self, units: str, details: tuple[str, str, int, str]) -> None:
        keys = ("free_units", "paid_units", "per_package_size", "per_package_unit_amount")
        assert self.price.rate(usage_of(units), EUR).amount_details == dict(zip(keys, details, strict=True))


EVENTS = (120, 80, 200, 50)


def of_sum(price: Price, values: Sequence[int] = EVENTS) -> Rated:
    """Price a sum of events, with what metering §5.6 hands over for it."""
    totals, needs = [Fraction(sum(values[: index + 1])) for index in range(len(values))], price.needs
    if needs.free_events:
        totals = totals[: needs.free_events]
    elif needs.free_total:
        exceeding = (index for index, total in enumerate(totals, start=1) if total > needs.free_total)
        totals = totals[: next(exceeding, len(totals))]
    usage = Usage(
        units=Fraction(sum(values)),
        events_count=len(values),
        running_totals=totals if needs.running_totals else (),
        event_values=[Fraction(value) for value in values] if needs.event_values else None,
    )
    return price.rate(usage, EUR)


def of_count(price: Price, count: int) -> Rated:
    totals = range(1, count + 1) if price.needs.running_totals else ()
    values = [Fraction(1)] * count if price.needs.event_values else None
    usage = Usage(units=Fraction(count), events_count=count, running_totals=totals, event_values=values)
    return price.rate(usage, EUR)


def percentage(**properties: JSON) -> Price:
    defaults: dict[str, JSON] = {"rate": "1.5", "fixed_amount": "0.25"}
    return parse_price(ChargeModel.PERCENTAGE, {**defaults, **properties}, aggregation_type="sum_agg")


class TestPercentage:
    @pytest.mark.parametrize(
        ("free", "of_units", "of_events"),
        [
            pytest.param({}, "6.75", "1.00", id="nothing free"),
            pytest.param({"free_units_per_events": 2}, "3.75", "0.50", id="two events free"),
            pytest.param(
                {"free_units_per_total_aggregation": "200"}, "3.75", "0.75", id="200 free: one total below"
            ),
            pytest.param(
                {"free_units_per_events": 3, "free_units_per_total_aggregation": "150"},
                "4.50",
                "0.75",
                id="the smaller of both",
            ),
        ],
    )
    def test_prices_a_sum(self, free: dict[str, JSON], of_units: str, of_events: str) -> None:
        """§17.4."""
        rated = of_sum(percentage(**free))
        assert rated.amount == Fraction(of_units) + Fraction(of_events)
        assert Fraction(str(rated.amount_details["per_unit_total_amount"])) == Fraction(of_units)
        assert Fraction(str(rated.amount_details["fixed_fee_total_amount"])) == Fraction(of_events)

    @pytest.mark.parametrize(
        ("free", "amount"),
        [
            pytest.param({}, "8.55", id="2.05 + 1.75 + 3 + 1.75"),
            pytest.param({"free_units_per_total_aggregation": "200"}, "6.50", id="0 + 1.75 + 3 + 1.75"),
            pytest.param({"free_units_per_events": 2}, "4.75", id="0 + 0 + 3 + 1.75"),
            pytest.param(
                {"free_units_per_events": 4, "free_units_per_total_aggregation": "200"},
                "6.50",
                id="with both, only the total counts",
            ),
            pytest.param(
                {"free_units_per_total_aggregation": "130"}, "6.50", id="70 of the second are paid: 1.75"
            ),
        ],
    )
    def test_bounds_each_event(self, free: dict[str, JSON], amount: str) -> None:
        """§17.4."""
        price = percentage(per_transaction_min_amount="1.75", per_transaction_max_amount="3", **free)
        assert of_sum(price).amount == Fraction(amount)

    @pytest.mark.parametrize(
        ("bound", "amount"),
        [
            pytest.param({"per_transaction_min_amount": "1.75"}, "8.80", id="2.05 + 1.75 + 3.25 + 1.75"),
            pytest.param({"per_transaction_max_amount": "2"}, "6.45", id="2 + 1.45 + 2 + 1.00"),
            pytest.param({"per_transaction_max_amount": "0"}, "0", id="at most nothing"),
        ],
    )
    def test_may_have_one_bound_only(self, bound: dict[str, JSON], amount: str) -> None:
        assert of_sum(percentage(**bound)).amount == Fraction(amount)

    @pytest.mark.parametrize(
        ("free", "count", "amount"),
        [
            # 10 events at 100 % and 0.25 each.
            pytest.param({}, 10, "12.50", id="nothing free"),
            pytest.param({"free_units_per_events": 4}, 10, "7.50", id="four free: 6 + 1.50"),
            pytest.param({"free_units_per_events": 4}, 3, "0", id="fewer than are free"),
            pytest.param(
                {"free_units_per_total_aggregation": "5"}, 10, "6.50", id="5 units, 4 amounts (quirk)"
            ),
            pytest.param({"free_units_per_total_aggregation": "4.5"}, 10, "7.00", id="4.5 units, 4 amounts"),
            pytest.param({"free_units_per_total_aggregation": "1"}, 10, "11.50", id="1 unit, no amount"),
            pytest.param(
                {"free_units_per_events": 2, "free_units_per_total_aggregation": "6"},
                10,
                "10.00",
                id="both: 8 + 2",
            ),
        ],
    )
    def test_prices_a_count(self, free: dict[str, JSON], count: int, amount: str) -> None:
        price = percentage(rate="100", **free)
        assert of_count(price, count).amount == Fraction(amount)

    def test_prices_a_listed_count_like_a_range(self) -> None:
        price = percentage(rate="100", free_units_per_total_aggregation="4.5")
        listed = Usage(
            units=Fraction(10), events_count=10, running_totals=[Fraction(n) for n in range(1, 11)]
        )
        assert price.rate(listed, EUR).amount == of_count(price, 10).amount

    def test_frees_events_also_where_the_first_exceeds_the_total(self) -> None:
        """Quirk: 450 − 100 units, but four events less two."""
        price = percentage(free_units_per_events=2, free_units_per_total_aggregation="100")
        assert of_sum(price).amount == Fraction("5.25") + Fraction("0.50")

    def test_frees_events_of_a_maximum_but_no_units(self) -> None:
        usage = Usage(units=Fraction(200), events_count=4)
        assert percentage(free_units_per_events=1).rate(usage, EUR).amount == Fraction("3.00") + Fraction(
            "0.75"
        )

    def test_frees_nothing_where_the_running_total_is_zero(self) -> None:
        price = percentage(free_units_per_events=1)
        usage = Usage(units=Fraction(100), events_count=3, running_totals=[Fraction(5), Fraction(0)])
        assert price.rate(usage, EUR).amount_details["free_units"] == "0.0"

    def test_counts_no_total_below_an_unset_one(self) -> None:
        """Three events are free, also when their totals begin below zero: 130 − 30 units and one event are paid."""
        price = percentage(free_units_per_events=3)
        assert of_sum(price, (-10, 20, 20, 100)).amount == Fraction("1.50") + Fraction("0.25")

    def test_prices_no_units_where_more_are_free(self) -> None:
        """A sum that fell again below what was free."""
        price = percentage(free_units_per_total_aggregation="100")
        rated = of_sum(price, (90, 60, -140))
        assert rated.amount == Fraction("0.50")  # the fixed amounts of two events
        assert rated.amount_details["free_units"] == "10.0"
        assert rated.amount_details["paid_units"] == "0.0"

    def test_prices_no_events_where_nothing_was_used(self) -> None:
        assert of_sum(percentage(), (5, -5)).amount == 0

    def test_details_it_all(self) -> None:
        assert of_sum(percentage(free_units_per_events=2)).amount_details == {
            "units": "450.0",
            "free_units": "200.0",
            "free_events": 2,
            "paid_units": "250.0",
            "paid_events": 2,
            "rate": "1.5",
            "per_unit_total_amount": "3.75",
            "fixed_fee_unit_amount": "0.25",
            "fixed_fee_total_amount": "0.5",
            "min_max_adjustment_total_amount": "0.0",
        }

    def test_details_what_bounds_added(self) -> None:
        details = of_sum(
            percentage(per_transaction_min_amount="1.75", per_transaction_max_amount="3")
        ).amount_details
        assert details["min_max_adjustment_total_amount"] == "0.8"  # 8.55 − 7.75

    def test_details_no_more_free_than_used(self) -> None:
        details = of_count(percentage(free_units_per_events=5), 3).amount_details
        assert (details["free_units"], details["free_events"], details["paid_events"]) == ("3.0", 3, 0)
        assert details["fixed_fee_unit_amount"] == "0.0"

    def test_averages_over_the_units(self) -> None:
        assert of_sum(percentage()).unit_amount == Fraction("7.75") / 450

    def test_tells_what_it_needs(self) -> None:
        assert not percentage().needs.running_totals
        assert not percentage().needs.event_values
        free = percentage(free_units_per_events=2, free_units_per_total_aggregation="9.5").needs
        assert (free.running_totals, free.free_events, free.free_total) == (True, 2, Fraction("9.5"))
        assert percentage(per_transaction_max_amount="3").needs.event_values

    def test_refuses_bounds_without_the_events(self) -> None:
        """To bill nothing for values that nobody loaded would be a wrong invoice."""
        price = percentage(per_transaction_min_amount="1")
        with pytest.raises(ValueError, match="values"):
            price.rate(usage_of(10, events_count=2), EUR)
        assert price.rate(usage_of(0, events_count=0), EUR).amount == 0


class TestDynamic:
    @pytest.mark.parametrize(
        ("units", "cents", "code", "expected"),
        [
            pytest.param(3, "1234.5", "EUR", "12.345", id="hundredths, not rounded"),
            pytest.param(3, "1500", "KWD", "1.5", id="thousandths"),
            pytest.param(3, "12", "JPY", "12", id="no subunits"),
            pytest.param(0, "1234", "EUR", "0", id="no units, no amount"),
        ],
    )
    def test_takes_the_amounts_of_the_events(self, units: int, cents: str, code: str, expected: str) -> None:
        usage = Usage(units=Fraction(units), events_count=2, precise_total_amount_cents=Fraction(cents))
        rated = price_of("dynamic").rate(usage, currency(code))
        assert rated.amount == Fraction(expected)
        assert rated.amount_details == {}


class TestPricesBuiltWrong:
    def test_tiers_leave_no_gap(self) -> None:
        def tier(floor: int, to: int | None) -> Tier:
            end = None if to is None else Fraction(to)
            return Tier(
                floor=Fraction(floor), to=end, price=ZERO, flat_amount=ZERO, shown_from=floor, shown_to=to
            )

        for tiers in ((), (tier(0, 5),), (tier(1, None),), (tier(0, 5), tier(6, None)), (tier(0, 0), tier(0, None)),
                      (tier(0, None), tier(0, None))):  # fmt: skip
            with pytest.raises(ValueError, match="gap"):
                GraduatedPrice(tiers=tiers)

    def test_prices_are_not_negative(self) -> None:
        with pytest.raises(ValueError, match="negative"):
            StandardPrice(amount=Fraction(-1))
        with pytest.raises(ValueError, match="negative"):
            PackagePrice(amount=Fraction(-1), package_size=1, free_units=0)
        with pytest.raises(ValueError, match="negative"):
            PackagePrice(amount=ZERO, package_size=1, free_units=-1)
        with pytest.raises(ValueError, match="negative"):
            PercentagePrice(rate_percent=Fraction(-1))
        with pytest.raises(ValueError, match="negative"):
            PercentagePrice(rate_percent=ZERO, free_units_per_events=-1)

    def test_packages_hold_something(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            PackagePrice(amount=ZERO, package_size=0, free_units=0)

    def test_bounds_do_not_cross(self) -> None:
        with pytest.raises(ValueError, match="below"):
            PercentagePrice(
                rate_percent=ZERO,
                per_transaction_min_amount=Fraction(2),
                per_transaction_max_amount=Fraction(1),
            )
