"""Credits and metadata as they are sent: read, and checked against what the wallet takes (wallets §1, §3, §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tallymark.domain.errors import Problems
from tallymark.domain.exact import Fraction
from tallymark.domain.money import parse_amount
from tallymark.domain.wallets import Credits

MOST_CREDITS = 10**25
MOST_CENTS = 2**53
"""A single amount stays below: what JSON holds exactly."""

MOST_PAIRS = 15
MOST_RULE_PAIRS = 5
LONGEST_KEY = 20
LONGEST_VALUE = 100

Pairs = Sequence[Mapping[str, str]]


def read_credits(problems: Problems, field: str, value: Any) -> Fraction:
    """Credits of a request, 0 where there are none; what is no decimal in a string is a problem."""
    if value is None:
        return Fraction(0)
    credits = parse_credits(value)
    if credits is None:
        problems.add(field, f"invalid_{field}", "invalid_amount")
        return Fraction(0)
    return credits


def parse_credits(value: Any) -> Fraction | None:
    """Credits from a JSON string, None for what is none."""
    try:
        credits = parse_amount(value)
    except ValueError:
        return None
    return credits if credits < MOST_CREDITS else None


def worth(problems: Problems, field: str, credits: Fraction, rate: Credits) -> int:
    """What credits come to in minor units; a positive amount that comes to nothing, or to too much, is a problem."""
    cents = rate.cents_of(credits)
    if credits and not cents:
        problems.add(field, "amount_rounds_to_zero")
    if cents >= MOST_CENTS:
        problems.add(field, f"invalid_{field}", "invalid_amount")
        return 0
    return cents


def check_limits(
    problems: Problems, cents: int, *, least: int | None, most: int | None, field: str = "paid_credits"
) -> None:
    """Hold a purchase to the wallet's limits, bounds included."""
    if cents and least is not None and cents < least:
        problems.add(field, "amount_below_minimum")
    if cents and most is not None and cents > most:
        problems.add(field, "amount_above_maximum")


def read_pairs(problems: Problems, value: Any, *, most: int = MOST_PAIRS) -> Pairs:
    """A list of keys and values; what is none is a problem of the field `metadata`."""
    code = pairs_error(value, most=most)
    if code is not None:
        problems.add("metadata", code)
        return ()
    return tuple({"key": pair["key"], "value": pair["value"]} for pair in value or ())


def pairs_error(value: Any, *, most: int) -> str | None:
    """What is wrong with a list of keys and values, None for nothing; null and an empty object are an empty list."""
    if value in (None, {}):
        return None
    if not isinstance(value, list):
        return "invalid_type"
    if len(value) > most:
        return "too_many_keys"
    return next((code for pair in value if (code := _pair_error(pair)) is not None), None)


def _pair_error(pair: Any) -> str | None:
    if not isinstance(pair, dict) or pair.keys() != {"key", "value"}:
        return "invalid_key_value_pair"
    if any(isinstance(part, dict | list) for part in pair.values()):
        return "nested_structure_not_allowed"
    if not all(isinstance(part, str) and part.strip() for part in pair.values()):
        return "invalid_key_value_pair"
    if len(pair["key"]) > LONGEST_KEY:
        return "key_too_long"
    return "value_too_long" if len(pair["value"]) > LONGEST_VALUE else None
