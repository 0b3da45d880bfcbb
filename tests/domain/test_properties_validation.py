"""What charge properties must be, each fault with its code (pricing §5.1, §7)."""

import json
from fractions import Fraction

import pytest

from tallymark.domain.money import currency
from tallymark.domain.rating import (
    LARGEST_PRICE,
    ChargeModel,
    InvalidProperties,
    NoPrice,
    Usage,
    clean_properties,
    default_properties,
    parse_price,
)
from tallymark.domain.rating.model import JSON

TIERED = ("graduated", "volume", "graduated_percentage")
PRICED = ("standard", "package", "percentage", "dynamic", *TIERED)


def codes(
    model: str,
    properties: dict[str, JSON],
    aggregation_type: str = "sum_agg",
    at_most: Fraction | None = None,
) -> tuple[str, ...]:
    """The faults of properties; none where they make a price."""
    try:
        parse_price(ChargeModel(model), properties, aggregation_type=aggregation_type, at_most=at_most)
    except InvalidProperties as error:
        return error.codes
    return ()


def tiers(model: str, *bounds: tuple[JSON, JSON]) -> dict[str, JSON]:
    return {f"{model}_ranges": [tier(model, start, end) for start, end in bounds]}


def tier(model: str, start: JSON, end: JSON, **changes: JSON) -> dict[str, JSON]:
    price = "rate" if model == "graduated_percentage" else "per_unit_amount"
    return {"from_value": start, "to_value": end, price: "1", "flat_amount": "0", **changes}


def three_quarters() -> JSON:
    """The number 0.75 as a JSON parser hands it over."""
    number: JSON = json.loads("0.75")
    return number


class TestDefaults:
    def test_are_these(self) -> None:
        assert default_properties(ChargeModel.STANDARD) == {"amount": "0"}
        assert default_properties(ChargeModel.PACKAGE) == {"package_size": 1, "amount": "0", "free_units": 0}
        assert default_properties(ChargeModel.PERCENTAGE) == {"rate": "0"}
        assert default_properties(ChargeModel.DYNAMIC) == {}
        amounts = {"from_value": 0, "to_value": None, "per_unit_amount": "0", "flat_amount": "0"}
        assert default_properties(ChargeModel.GRADUATED) == {"graduated_ranges": [amounts]}
        assert default_properties(ChargeModel.VOLUME) == {"volume_ranges": [amounts]}
        assert default_properties(ChargeModel.GRADUATED_PERCENTAGE) == {
            "graduated_percentage_ranges": [
                {"from_value": 0, "to_value": None, "rate": "0", "flat_amount": "0"}
            ]
        }

    @pytest.mark.parametrize("model", PRICED)
    def test_cost_nothing(self, model: str) -> None:
        properties = default_properties(ChargeModel(model))
        price = parse_price(ChargeModel(model), properties, aggregation_type="sum_agg")
        assert price.rate(Usage(units=Fraction(7), events_count=2), currency("EUR")).amount == 0


class TestCleaning:
    def test_drops_foreign_keys(self) -> None:
        sent: dict[str, JSON] = {"amount": "5", "rate": "1", "volume_ranges": [], "colour": "red"}
        assert clean_properties(ChargeModel.STANDARD, sent) == {"amount": "5"}

    def test_keeps_own_ones_as_written(self) -> None:
        sent: dict[str, JSON] = {"rate": "1.50", "fixed_amount": None, "free_units_per_events": "3"}
        assert clean_properties(ChargeModel.PERCENTAGE, sent) == sent

    @pytest.mark.parametrize("nothing", [None, {}], ids=["absent", "empty"])
    def test_fills_nothing_with_defaults_on_a_charge_only(self, nothing: dict[str, JSON] | None) -> None:
        assert clean_properties(ChargeModel.STANDARD, nothing) == {"amount": "0"}
        assert clean_properties(ChargeModel.STANDARD, nothing, is_filter=True) == {}

    @pytest.mark.parametrize("name", ["pricing_group_keys", "grouped_by"])
    def test_keeps_pricing_keys_under_one_name(self, name: str) -> None:
        sent: dict[str, JSON] = {"amount": "5", name: ["region", "  ", "tier"]}
        cleaned = {"amount": "5", "pricing_group_keys": ["region", "tier"]}
        assert clean_properties(ChargeModel.STANDARD, sent) == cleaned
        assert clean_properties(ChargeModel.STANDARD, sent, is_filter=True) == cleaned

    def test_prefers_the_name_of_today(self) -> None:
        sent: dict[str, JSON] = {"grouped_by": ["old"], "pricing_group_keys": ["new"]}
        assert clean_properties(ChargeModel.DYNAMIC, sent) == {"pricing_group_keys": ["new"]}

    def test_drops_keys_that_are_null(self) -> None:
        sent: dict[str, JSON] = {"amount": "5", "pricing_group_keys": None, "presentation_group_keys": None}
        assert clean_properties(ChargeModel.STANDARD, sent) == {"amount": "5"}

    def test_keeps_presentation_keys_on_a_charge_only(self) -> None:
        keys: dict[str, JSON] = {"presentation_group_keys": [{"value": "region"}]}
        assert clean_properties(ChargeModel.STANDARD, {"amount": "5", **keys}) == {"amount": "5", **keys}
        assert clean_properties(ChargeModel.STANDARD, {"amount": "5", **keys}, is_filter=True) == {
            "amount": "5"
        }

    def test_leaves_what_is_wrong_to_be_refused(self) -> None:
        cleaned = clean_properties(ChargeModel.STANDARD, {"amount": 5, "grouped_by": "region"})
        assert codes("standard", cleaned) == ("invalid_amount", "invalid_type")


class TestStandard:
    @pytest.mark.parametrize("amount", [5, None, "", "-1", "abc", True, "NaN"])
    def test_refuses_other_amounts(self, amount: JSON) -> None:
        assert codes("standard", {"amount": amount}) == ("invalid_amount",)

    def test_needs_one(self) -> None:
        assert codes("standard", {}) == ("invalid_amount",)

    @pytest.mark.parametrize("amount", ["0", "5", "1e-3", "1_000"])
    def test_takes_amounts(self, amount: str) -> None:
        assert codes("standard", {"amount": amount}) == ()


class TestANewPrice:
    """64 bits hold 922,337,203,685,477.5807 of a currency with four decimals, the most that any has (pricing §1.4)."""

    most, more = "922337203685477.5807", "922337203685477.5808"

    @pytest.mark.parametrize(
        ("model", "key", "code", "others"),
        [
            ("standard", "amount", "invalid_amount", {}),
            ("package", "amount", "invalid_amount", {"package_size": 1, "free_units": 0}),
            ("percentage", "rate", "invalid_rate", {}),
            ("percentage", "fixed_amount", "invalid_fixed_amount", {"rate": "1"}),
            ("percentage", "per_transaction_min_amount", "invalid_amount", {"rate": "1"}),
            ("percentage", "per_transaction_max_amount", "invalid_amount", {"rate": "1"}),
        ],
    )
    def test_is_no_more_than_can_be_billed(
        self, model: str, key: str, code: str, others: dict[str, JSON]
    ) -> None:
        for amount, faults in ((self.most, ()), (self.more, (code,)), ("1e60", (code,))):
            assert codes(model, {**others, key: amount}, at_most=LARGEST_PRICE) == faults
        assert codes(model, {**others, key: "1e60"}) == (), "a price that is kept is read"

    @pytest.mark.parametrize("model", TIERED)
    def test_is_so_in_every_tier(self, model: str) -> None:
        price, code = (
            ("rate", "invalid_rate") if "percentage" in model else ("per_unit_amount", "invalid_amount")
        )
        for key, fault in ((price, code), ("flat_amount", "invalid_amount")):
            for amount, faults in ((self.most, ()), (self.more, (fault,))):
                rows: JSON = [tier(model, 0, 1), tier(model, 1, None, **{key: amount})]
                assert codes(model, {f"{model}_ranges": rows}, at_most=LARGEST_PRICE) == faults

    def test_may_leave_more_units_free(self) -> None:
        free: dict[str, JSON] = {"rate": "1", "free_units_per_total_aggregation": "1e18"}
        assert codes("percentage", free, at_most=LARGEST_PRICE) == ()


class TestPackage:
    good: dict[str, JSON] = {"amount": "1", "package_size": 10, "free_units": 0}

    @pytest.mark.parametrize(
        ("key", "value", "code"),
        [
            ("amount", 1, "invalid_amount"),
            ("amount", None, "invalid_amount"),
            ("package_size", 0, "invalid_package_size"),
            ("package_size", -1, "invalid_package_size"),
            ("package_size", "0", "invalid_package_size"),
            ("package_size", "1.5", "invalid_package_size"),
            ("package_size", "ten", "invalid_package_size"),
            ("package_size", True, "invalid_package_size"),
            ("package_size", None, "invalid_package_size"),
            ("package_size", 2**63, "invalid_package_size"),
            ("package_size", "9" * 5000, "invalid_package_size"),
            ("package_size", three_quarters(), "invalid_package_size"),
            ("free_units", -1, "invalid_free_units"),
            ("free_units", "x", "invalid_free_units"),
            ("free_units", None, "invalid_free_units"),
        ],
    )
    def test_refuses(self, key: str, value: JSON, code: str) -> None:
        assert codes("package", {**self.good, key: value}) == (code,)

    def test_takes_numbers_and_their_texts(self) -> None:
        assert codes("package", self.good) == ()
        assert codes("package", {**self.good, "package_size": "10", "free_units": "5"}) == ()

    def test_lists_all_faults(self) -> None:
        assert codes("package", {"free_units": -1}) == (
            "invalid_amount",
            "invalid_package_size",
            "invalid_free_units",
        )


class TestPercentage:
    @pytest.mark.parametrize(
        ("key", "value", "code"),
        [
            ("rate", None, "invalid_rate"),
            ("rate", 5, "invalid_rate"),
            ("rate", "-1", "invalid_rate"),
            ("fixed_amount", 5, "invalid_fixed_amount"),
            ("fixed_amount", "", "invalid_fixed_amount"),
            ("free_units_per_events", 0, "invalid_free_units_per_events"),
            ("free_units_per_events", -3, "invalid_free_units_per_events"),
            ("free_units_per_events", "x", "invalid_free_units_per_events"),
            ("free_units_per_total_aggregation", 5, "invalid_free_units_per_total_aggregation"),
            ("free_units_per_total_aggregation", "-5", "invalid_free_units_per_total_aggregation"),
            ("per_transaction_min_amount", 1, "invalid_amount"),
            ("per_transaction_max_amount", "x", "invalid_amount"),
        ],
    )
    def test_refuses(self, key: str, value: JSON, code: str) -> None:
        assert codes("percentage", {"rate": "1", key: value}) == (code,)

    def test_takes_the_rate_alone_and_nulls(self) -> None:
        assert codes("percentage", {"rate": "1.5"}) == ()
        optional = (
            "fixed_amount",
            "free_units_per_events",
            "free_units_per_total_aggregation",
            "per_transaction_min_amount",
            "per_transaction_max_amount",
        )
        assert codes("percentage", {"rate": "1.5", **dict.fromkeys(optional)}) == ()

    def test_takes_one_free_event_and_a_free_total_of_zero(self) -> None:
        free: dict[str, JSON] = {"free_units_per_events": 1, "free_units_per_total_aggregation": "0"}
        assert codes("percentage", {"rate": "1", **free}) == ()

    @pytest.mark.parametrize(
        ("least", "most", "expected"),
        [
            ("2", "1.99", ("per_transaction_max_lower_than_per_transaction_min",)),
            ("2", "2", ()),
            pytest.param("10", "9", ("per_transaction_max_lower_than_per_transaction_min",), id="as numbers"),
            pytest.param("9", "10", (), id="and not as text"),
        ],
    )
    def test_keeps_its_bounds_in_order(self, least: str, most: str, expected: tuple[str, ...]) -> None:
        bounds: dict[str, JSON] = {"per_transaction_min_amount": least, "per_transaction_max_amount": most}
        assert codes("percentage", {"rate": "1", **bounds}) == expected

    def test_prices_no_latest_value(self) -> None:
        assert codes("percentage", {"rate": "1"}, "latest_agg") == ("invalid_value",)

    @pytest.mark.parametrize("bound", ["per_transaction_min_amount", "per_transaction_max_amount"])
    def test_bounds_no_transactions_of_a_level(self, bound: str) -> None:
        assert codes("percentage", {"rate": "1"}, "weighted_sum_agg") == ()
        assert codes("percentage", {"rate": "1", bound: "1"}, "weighted_sum_agg") == ("invalid_value",)

    def test_lists_all_faults_in_order(self) -> None:
        broken: dict[str, JSON] = {
            "rate": 1,
            "fixed_amount": 1,
            "free_units_per_events": 0,
            "free_units_per_total_aggregation": 1,
            "per_transaction_min_amount": 1,
            "per_transaction_max_amount": 1,
        }
        assert codes("percentage", broken, "latest_agg") == (
            "invalid_rate",
            "invalid_fixed_amount",
            "invalid_free_units_per_events",
            "invalid_free_units_per_total_aggregation",
            "invalid_amount",
            "invalid_amount",
            "invalid_value",
        )


@pytest.mark.parametrize("model", TIERED)
class TestTiers:
    @pytest.mark.parametrize("ranges", [None, [], "x", {}])
    def test_are_mandatory(self, model: str, ranges: JSON) -> None:
        assert codes(model, {f"{model}_ranges": ranges}) == (f"missing_{model}_ranges",)

    def test_of_another_model_do_not_count(self, model: str) -> None:
        assert codes(model, {"ranges": []}) == (f"missing_{model}_ranges",)

    @pytest.mark.parametrize(
        "bounds",
        [
            pytest.param([(0, None)], id="one without end"),
            pytest.param([(1, None)], id="one from the first unit"),
            pytest.param([(0, 10), (11, 20), (21, None)], id="one unit on"),
            pytest.param([(0, 10), (10, 20), (20, None)], id="adjacent"),
            pytest.param([(0, 10), (10, 20), (21, None)], id="mixed"),
            pytest.param([("0", "10"), ("11", None)], id="numbers as text"),
            pytest.param([(0, three_quarters()), (three_quarters(), None)], id="decimals"),
            pytest.param([(0, "0.5"), ("1.5", 2), (3, None)], id="decimals, one unit on"),
        ],
    )
    def test_may_be(self, model: str, bounds: list[tuple[JSON, JSON]]) -> None:
        assert codes(model, tiers(model, *bounds)) == ()

    @pytest.mark.parametrize(
        ("bounds", "faulty"),
        [
            pytest.param([(2, None)], 1, id="a first one from 2"),
            pytest.param([("0.5", None)], 1, id="a first one from a half"),
            pytest.param([(0, 10), (12, None)], 1, id="a gap"),
            pytest.param([(0, 10), ("10.5", None)], 1, id="half a unit on"),
            pytest.param([(0, 10), (9, None)], 1, id="an overlap"),
            pytest.param([(0, 10)], 1, id="an end of the last"),
            pytest.param([(0, None), (11, None)], 1, id="no end of another"),
            pytest.param([(0, 0), (0, None)], 1, id="nothing in it"),
            pytest.param([(0, 10), (11, 11), (12, None)], 1, id="from and to alike"),
            pytest.param([(None, 10), (11, None)], 1, id="no from"),
            pytest.param([("x", None)], 1, id="no number"),
            pytest.param([(0, "x"), (11, None)], 1, id="an end that is no number"),
            pytest.param([(True, None)], 1, id="a boolean"),
            pytest.param([(-1, None)], 1, id="a negative one"),
            pytest.param([("NaN", 10), ("NaN", None)], 2, id="not a number twice"),
            pytest.param([(0, 10**40), (10**40, None)], 2, id="beyond all usage"),
            pytest.param([(0, 10), (12, 20), (25, None)], 2, id="two gaps"),
            pytest.param([(5, 3), (12, 20)], 2, id="everything"),
        ],
    )
    def test_may_not_be(self, model: str, bounds: list[tuple[JSON, JSON]], faulty: int) -> None:
        """One code for each faulty tier."""
        assert codes(model, tiers(model, *bounds)) == (f"invalid_{model}_ranges",) * faulty

    def test_have_prices(self, model: str) -> None:
        is_rate = model == "graduated_percentage"
        price_key, code = ("rate", "invalid_rate") if is_rate else ("per_unit_amount", "invalid_amount")
        assert codes(model, {f"{model}_ranges": [tier(model, 0, None, **{price_key: 1})]}) == (code,)
        assert codes(model, {f"{model}_ranges": [tier(model, 0, None, **{price_key: None})]}) == (code,)

    @pytest.mark.parametrize("flat", [1, None, "-1"])
    def test_have_flat_amounts(self, model: str, flat: JSON) -> None:
        assert codes(model, {f"{model}_ranges": [tier(model, 0, None, flat_amount=flat)]}) == (
            "invalid_amount",
        )

    def test_tell_all_faults_in_order(self, model: str) -> None:
        last = "invalid_rate" if model == "graduated_percentage" else "invalid_amount"
        assert codes(model, {f"{model}_ranges": ["no tier"]}) == (
            f"invalid_{model}_ranges",
            "invalid_amount",
            last,
        )


class TestShownBounds:
    @pytest.mark.parametrize("model", ["graduated", "graduated_percentage"])
    def test_are_numbers_however_they_were_written(self, model: str) -> None:
        properties = tiers(model, ("0", "10"), (10, None))
        price = parse_price(ChargeModel(model), properties, aggregation_type="sum_agg")
        shown = price.rate(Usage(units=Fraction(1), events_count=1), currency("EUR")).amount_details
        ranges = shown[f"{model}_ranges"]
        assert isinstance(ranges, list)
        assert isinstance(ranges[0], dict)
        assert (ranges[0]["from_value"], ranges[0]["to_value"]) == (0, 10)


class TestOrderOfTiers:
    def test_goes_up(self) -> None:
        assert codes("graduated", tiers("graduated", (0, 10), (11, 5), (6, None))) == (
            "invalid_graduated_ranges",
        )

    def test_counts_where_they_are_walked(self) -> None:
        assert (
            codes("graduated", tiers("graduated", (11, None), (0, 10))) == ("invalid_graduated_ranges",) * 2
        )

    def test_does_not_count_for_volume(self) -> None:
        assert codes("volume", tiers("volume", (11, None), (0, 10))) == ()


class TestAggregations:
    def test_of_the_latest_value_have_no_graduated_percentage(self) -> None:
        good = tiers("graduated_percentage", (0, None))
        assert codes("graduated_percentage", good, "latest_agg") == ("invalid_value",)
        assert codes("graduated_percentage", {}, "latest_agg") == (
            "missing_graduated_percentage_ranges",
            "invalid_value",
        )

    def test_of_the_latest_value_have_the_other_models(self) -> None:
        assert codes("standard", {"amount": "1"}, "latest_agg") == ()
        assert codes("graduated", tiers("graduated", (0, None)), "latest_agg") == ()


class TestGroupingKeys:
    @pytest.mark.parametrize("model", PRICED)
    @pytest.mark.parametrize("keys", ["region", {"a": 1}, [""], [1], [None], [["region"]], 0, False])
    def test_for_pricing_are_texts(self, model: str, keys: JSON) -> None:
        properties = {**default_properties(ChargeModel(model)), "pricing_group_keys": keys}
        assert codes(model, properties) == ("invalid_type",)

    @pytest.mark.parametrize("keys", [None, [], ["region", "tier"]])
    def test_for_pricing_may_be(self, keys: JSON) -> None:
        assert codes("dynamic", {"pricing_group_keys": keys}) == ()

    @pytest.mark.parametrize(
        ("keys", "expected"),
        [
            pytest.param(None, (), id="none"),
            pytest.param([], (), id="an empty list"),
            pytest.param([{"value": "a"}], (), id="without options"),
            pytest.param([{"value": "a", "options": {}}, {"value": "b", "options": None}], (), id="two"),
            pytest.param([{"value": "a", "options": {"display_in_invoice": False}}], (), id="hidden"),
            pytest.param([{"value": "a"}, {"value": "b"}, {"value": "c"}], ("too_many_keys",), id="three"),
            pytest.param([{"value": "a"}, {"value": "a"}], ("value_is_duplicated",), id="twice the same"),
            pytest.param("a", ("invalid_type",), id="no list"),
            pytest.param(["a"], ("invalid_type",), id="a bare name"),
            pytest.param([{}], ("invalid_type",), id="no name"),
            pytest.param([{"value": " "}], ("invalid_type",), id="a blank name"),
            pytest.param([{"value": 1}], ("invalid_type",), id="a number for a name"),
            pytest.param(
                [{"value": "a", "options": "x"}], ("invalid_type",), id="options that are no object"
            ),
            pytest.param(
                [{"value": "a", "options": {"display_in_invoice": "yes"}}], ("invalid_type",), id="no boolean"
            ),
            pytest.param(
                [{"value": "a"}, {"value": "a"}, 1],
                ("too_many_keys", "value_is_duplicated", "invalid_type"),
                id="everything",
            ),
        ],
    )
    def test_for_presentation(self, keys: JSON, expected: tuple[str, ...]) -> None:
        assert codes("standard", {"amount": "1", "presentation_group_keys": keys}) == expected

    def test_are_told_after_the_model(self) -> None:
        assert codes("standard", {"amount": 1, "pricing_group_keys": 1, "presentation_group_keys": 1}) == (
            "invalid_amount",
            "invalid_type",
            "invalid_type",
        )


class TestCustom:
    def test_has_no_price(self) -> None:
        with pytest.raises(NoPrice):
            parse_price(ChargeModel.CUSTOM, {"custom_properties": {}}, aggregation_type="custom_agg")

    def test_keeps_its_properties(self) -> None:
        sent: dict[str, JSON] = {"custom_properties": {"rows": 2}}
        assert clean_properties(ChargeModel.CUSTOM, sent) == sent
