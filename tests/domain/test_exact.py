"""Compiled fractions are the standard library's, and leave the rest of the process alone."""

import fractions

import pytest

from tallymark.domain.exact import Fraction


@pytest.mark.parametrize("text", ["5", "0", "12", "-3", "1.5", "15/30", "1e3"])
def test_a_text_is_read_and_changes_nothing_else(text):
    """One byte of value nought is one object for all of Python: read afresh, so that no constant stands in for it."""
    assert Fraction(text) == fractions.Fraction(text)
    assert bytes.fromhex("00")[0] == 0
    assert bytes.fromhex("0000")[0] == 0


@pytest.mark.parametrize("arguments", [(), (7,), (6, 4), ("7",)])
def test_whatever_it_is_made_of_it_computes_the_same(arguments):
    made, expected = Fraction(*arguments), fractions.Fraction(*arguments)
    assert isinstance(made, Fraction)
    assert isinstance(made + 1, Fraction)
    assert (made + 1, made * 3, -made, hash(made)) == (expected + 1, expected * 3, -expected, hash(expected))


def test_what_is_no_number_is_refused():
    for text in ("x", "", " "):
        with pytest.raises(ValueError, match="Invalid literal"):
            Fraction(text)
