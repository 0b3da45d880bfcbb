"""Compiled fractions are the standard library's, to the letter, and leave the rest of the process alone."""

from __future__ import annotations

import operator
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction as Standard
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallymark.domain.exact import Fraction

EDGES = [sign * (2**bits + by) for bits in (31, 32, 62, 63, 64) for by in (-1, 0, 1) for sign in (-1, 1)]
"""Where a machine's own whole numbers end."""

wholes = st.integers(-(10**30), 10**30) | st.sampled_from(EDGES) | st.integers(-9, 9)
denominators = st.integers(1, 10**18) | st.sampled_from([edge for edge in EDGES if edge > 0])
numbers = st.tuples(wholes, denominators)
TWO_SIDED: list[Callable[[Any, Any], Any]] = [
    operator.add, operator.sub, operator.mul, operator.lt, operator.le, operator.eq, operator.gt, max, min,
]  # fmt: skip
ONE_SIDED: list[Callable[[Any], Any]] = [operator.neg, abs, bool, int, hash, str, repr, round]


@pytest.mark.parametrize("compute", TWO_SIDED)
@given(left=numbers, right=numbers)
@example(left=(0, 1), right=(0, 1))
def test_two_numbers_give_what_they_give_there(
    compute: Callable[[Any, Any], Any], left: tuple[int, int], right: tuple[int, int]
) -> None:
    found = compute(Fraction(*left), Fraction(*right))
    assert found == compute(Standard(*left), Standard(*right))


@pytest.mark.parametrize("compute", ONE_SIDED)
@given(number=numbers)
def test_one_number_gives_what_it_gives_there(compute: Callable[[Any], Any], number: tuple[int, int]) -> None:
    assert compute(Fraction(*number)) == compute(Standard(*number))


@given(left=numbers, right=numbers.filter(lambda number: number[0] != 0))
def test_quotients_are_exact(left: tuple[int, int], right: tuple[int, int]) -> None:
    found = Fraction(*left) / Fraction(*right)
    assert (found.numerator, found.denominator) == (Standard(*left) / Standard(*right)).as_integer_ratio()
    assert Fraction(*left) // Fraction(*right) == Standard(*left) // Standard(*right)


@given(number=numbers, whole=wholes)
def test_whole_numbers_mix_in_exactly(number: tuple[int, int], whole: int) -> None:
    assert whole - Fraction(*number) == whole - Standard(*number)
    assert whole * Fraction(*number) == whole * Standard(*number)
    assert Fraction(*number) + whole == Standard(*number) + whole


@given(number=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
@example(number=Decimal("1E+20"))
@example(number=Decimal("-0.00"))
def test_decimals_are_read_exactly(number: Decimal) -> None:
    assert Fraction(number) == Standard(number)
    assert Fraction(str(number)) == Standard(str(number))


@pytest.mark.parametrize("text", ["5", "0", "12", "-3", "1.5", "15/30", "1e3", " 7 ", "٣"])
def test_a_text_is_read_and_changes_nothing_else(text: str) -> None:
    """One byte of value nought is one object for all of Python: read afresh, so that no constant stands in for it."""
    assert Fraction(text) == Standard(text)
    assert bytes.fromhex("00")[0] == 0
    assert bytes.fromhex("0000")[0] == 0


@pytest.mark.parametrize("arguments", [(), (7,), (6, 4), ("7",), (Decimal("0.5"),), (Standard(1, 3),)])
def test_whatever_it_is_made_of_it_is_a_compiled_one(arguments: tuple[Any, ...]) -> None:
    made = Fraction(*arguments)
    assert isinstance(made, Fraction)
    assert isinstance(made + 1, Fraction)
    assert made == Standard(*arguments)


@pytest.mark.parametrize("text", ["", " ", "x", "1/0", "nan", "inf", "1.2.3", "0x1"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises((ValueError, ZeroDivisionError)):
        Fraction(text)
