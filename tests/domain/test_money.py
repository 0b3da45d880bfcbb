"""Currencies, rounding, allocation and the forms of decimals (pricing §1)."""

from collections import Counter
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from tallymark.domain.money import (
    CURRENCIES,
    Currency,
    UnknownCurrency,
    allocate,
    ceil5,
    ceil_to,
    currency,
    decimal_text,
    exact_minor_units,
    fixed,
    floor_to,
    major_units,
    minor_units,
    parse_amount,
    plain_text,
    round_cents,
    round_half_away,
    trunc_cents,
)


class TestCurrencies:
    def test_are_142(self) -> None:
        assert len(CURRENCIES) == 142
        assert Counter(each.exponent for each in CURRENCIES.values() if each.code != "MRO") == {
            2: 142 - 18 - 3 - 1 - 1,
            0: 18,
            3: 3,
            4: 1,
        }

    @pytest.mark.parametrize(
        ("code", "exponent", "subunits"),
        [
            ("EUR", 2, 100),
            ("USD", 2, 100),
            ("IRR", 2, 100),
            ("JPY", 0, 1),
            pytest.param("HUF", 0, 1, id="the forint has no subunit here"),
            pytest.param("MGA", 0, 1, id="nor has the ariary"),
            ("KWD", 3, 1000),
            ("BHD", 3, 1000),
            ("JOD", 3, 1000),
            ("CLF", 4, 10_000),
            pytest.param("MRO", 0, 5, id="five khoums"),
        ],
    )
    def test_have_their_subunits(self, code: str, exponent: int, subunits: int) -> None:
        assert currency(code) == Currency(code, exponent, subunits)

    @pytest.mark.parametrize("code", ["XXX", "eur", "", "TND"])
    def test_are_never_guessed(self, code: str) -> None:
        with pytest.raises(UnknownCurrency):
            currency(code)


class TestMinorUnits:
    @pytest.mark.parametrize(
        ("amount", "code", "cents"),
        [
            pytest.param("28.075", "EUR", 2808, id="a tie goes up"),
            pytest.param("-28.075", "EUR", -2808, id="a negative tie goes down"),
            pytest.param("1234.5", "JPY", 1235, id="whole yen (§17.10)"),
            pytest.param("1.23456", "KWD", 1235, id="thousandths (§17.10)"),
            pytest.param("10.5", "HUF", 11, id="whole forints"),
            pytest.param("1.00005", "CLF", 10_001, id="ten-thousandths"),
            pytest.param("0.3", "MRO", 2, id="one and a half khoums"),
            pytest.param("0.06", "MRO", 0, id="less than half a khoum"),
            pytest.param("0.0049999999999999999999999999999999999", "EUR", 0, id="just below the tie"),
        ],
    )
    def test_are_rounded_once(self, amount: str, code: str, cents: int) -> None:
        assert minor_units(Fraction(amount), currency(code)) == cents

    def test_can_stay_exact(self) -> None:
        assert exact_minor_units(Fraction("28.075"), currency("EUR")) == Fraction("2807.5")

    def test_lead_back_to_units(self) -> None:
        assert major_units(1500, currency("KWD")) == Fraction("1.5")
        assert major_units(Decimal("7"), currency("MRO")) == Fraction("1.4")


class TestRounding:
    @pytest.mark.parametrize(
        ("value", "digits", "expected"),
        [
            ("2.5", 0, "3"),
            ("-2.5", 0, "-3"),
            ("3.5", 0, "4"),
            ("0.5", 0, "1"),
            ("2.4999999999999999999999999", 0, "2"),
            ("12.345", 2, "12.35"),
            ("15", -1, "20"),
            ("-15", -1, "-20"),
        ],
    )
    def test_is_half_away_from_zero(self, value: str, digits: int, expected: str) -> None:
        assert round_half_away(Fraction(value), digits) == Fraction(expected)

    def test_of_cents_gives_whole_ones(self) -> None:
        assert [round_cents(Fraction(text)) for text in ("122.5", "-122.5", "122.49")] == [123, -123, 122]

    def test_can_cut(self) -> None:
        assert [trunc_cents(Fraction(text)) for text in ("122.9", "-122.9")] == [122, -122]

    @pytest.mark.parametrize(
        ("value", "digits", "floor", "ceiling"),
        [
            ("12.345", 1, "12.3", "12.4"),
            ("-12.345", 1, "-12.4", "-12.3"),
            ("12.345", -1, "10", "20"),
            ("12.3", 1, "12.3", "12.3"),
        ],
    )
    def test_can_have_a_direction(self, value: str, digits: int, floor: str, ceiling: str) -> None:
        assert floor_to(Fraction(value), digits) == Fraction(floor)
        assert ceil_to(Fraction(value), digits) == Fraction(ceiling)

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            pytest.param(Fraction(8, 3), "2.66667", id="§17.6"),
            pytest.param(
                Fraction(31) * Fraction(17, 31), "17", id="an exact ratio is not pushed up (metering E6)"
            ),
            pytest.param(Fraction("-2.666661"), "-2.66666", id="towards plus infinity"),
        ],
    )
    def test_of_prorated_units_goes_up_at_five_decimals(self, value: Fraction, expected: str) -> None:
        assert ceil5(value) == Fraction(expected)


class TestAllocate:
    @pytest.mark.parametrize(
        ("total", "weights", "parts"),
        [
            pytest.param(100, [1, 1, 1], (34, 33, 33), id="the first of equals gets the odd cent"),
            pytest.param(100, [1, 2, 4], (14, 29, 57), id="the largest remainder gets the rest"),
            pytest.param(5, [0, 1, 0, 1], (0, 3, 0, 2), id="no weight, no share"),
            pytest.param(0, [0, 0], (0, 0), id="nothing to spread"),
            pytest.param(0, [], (), id="nothing and nobody"),
            pytest.param(7, [3], (7,), id="one takes all"),
        ],
    )
    def test_adds_up(self, total: int, weights: list[int], parts: tuple[int, ...]) -> None:
        assert allocate(total, weights) == parts

    @pytest.mark.parametrize(
        ("total", "weights"),
        [
            pytest.param(1, [0, 0], id="nothing to spread it over"),
            pytest.param(1, [], id="nobody"),
            pytest.param(1, [2, -1], id="a negative weight"),
            pytest.param(-1, [1], id="a negative total"),
        ],
    )
    def test_refuses_what_has_no_answer(self, total: int, weights: list[int]) -> None:
        with pytest.raises(ValueError, match="weights"):
            allocate(total, weights)


class TestTexts:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (4, "4.0"),
            (0, "0.0"),
            (Fraction("0.00001"), "0.00001"),
            (Decimal("1E+3"), "1000.0"),
            (Decimal("12.500"), "12.5"),
            (Fraction(-5, 2), "-2.5"),
            pytest.param(Fraction(-1, 10**20), "0.0", id="no negative zero"),
            pytest.param(Fraction(2, 3), "0.666666666666667", id="fifteen decimals"),
            pytest.param(10**40, "1" + "0" * 40 + ".0", id="long numbers stay whole"),
        ],
    )
    def test_of_the_wire_have_a_decimal(self, value: Fraction | Decimal | int, text: str) -> None:
        assert decimal_text(value) == text

    def test_are_rounded_half_away(self) -> None:
        assert decimal_text(Fraction("-0.125"), 2) == "-0.13"
        assert decimal_text(Fraction(10, 3), 10) == "3.3333333333"

    @pytest.mark.parametrize(
        ("value", "text"), [(100, "100"), (Fraction("1.50"), "1.5"), (Decimal("1E+2"), "100")]
    )
    def test_of_people_need_none(self, value: Fraction | Decimal | int, text: str) -> None:
        assert plain_text(value) == text

    def test_of_columns_have_a_fixed_number(self) -> None:
        assert str(fixed(Fraction(5, 2), 5)) == "2.50000"
        assert str(fixed(Fraction(-1, 3), 2)) == "-0.33"

    def test_do_not_depend_on_the_precision_around(self) -> None:
        with localcontext(prec=3):
            assert str(fixed(Fraction("123456789.123456"), 5)) == "123456789.12346"
            assert parse_amount("123456789.123456789") == Fraction(123456789123456789, 10**9)


class TestParseAmount:
    @pytest.mark.parametrize(
        ("text", "amount"),
        [
            ("5", "5"),
            ("0", "0"),
            ("0.02", "0.02"),
            (" 1.5 ", "1.5"),
            ("+3", "3"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-0", "0"),
            pytest.param("1e3", "1000", id="scientific notation"),
            pytest.param("2.5E-3", "0.0025", id="and with a small exponent"),
            pytest.param("1_000_000.5", "1000000.5", id="digit-grouping underscores"),
        ],
    )
    def test_reads_decimals_in_strings(self, text: str, amount: str) -> None:
        assert parse_amount(text) == Fraction(amount)

    @pytest.mark.parametrize(
        "value",
        [
            pytest.param(5, id="a JSON number"),
            pytest.param(Decimal(5), id="a decimal"),
            pytest.param(True, id="a boolean"),
            pytest.param(None, id="null"),
            pytest.param(["5"], id="a list"),
            "", " ", "abc", "5 EUR", "1,5", "-1", "-0.01", "NaN", "Infinity", "-inf", "0x10", "1/2", ".", "e5",
            "_1", "1_", "1__0", "1._5",
            pytest.param("٣", id="digits of other scripts"),
            pytest.param("1e101", id="too large"),
            pytest.param("1e-101", id="too small"),
            pytest.param("1e99999999", id="much too large"),
            pytest.param("9" * 101, id="too long"),
        ],
    )  # fmt: skip
    def test_refuses_the_rest(self, value: object) -> None:
        with pytest.raises(ValueError, match=r"decimal|negative"):
            parse_amount(value)
