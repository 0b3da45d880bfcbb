"""What an expression computes with: exact decimals and texts, and a property that is both (metering §3.3, §3.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_DIGITS = "[0-9]+(?:_[0-9]+)*"
_NUMBER = re.compile(rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE]([+-]?[0-9]{{1,3}}))?")
_LARGEST_EXPONENT = 100
_MOST_UNWRITTEN_ZEROS = 15


@dataclass(frozen=True, slots=True)
class NumericText:
    """A property that was sent as text and is a number: it counts as `number`, and is joined as it was sent."""

    text: str
    number: Decimal


Property = Decimal | str | NumericText
"""A property as an expression sees it: a JSON number, or text."""


def read_text(text: str) -> str | NumericText:
    """A property that was sent as text.

    >>> read_text("1_000"), read_text("1e3"), read_text(" 5")
    (NumericText(text='1_000', number=Decimal('1000')), NumericText(text='1e3', number=Decimal('1E+3')), ' 5')
    """
    found = _NUMBER.fullmatch(text)
    if found is None or (found[1] is not None and abs(int(found[1])) > _LARGEST_EXPONENT):
        return text
    return NumericText(text, Decimal(text))


def joined_text(number: Decimal) -> str:
    """A number as `concat` joins it: with its own decimals, and exponents only where they are far away (§3.4).

    >>> [joined_text(Decimal(text)) for text in ("1.50", "1E+1", "0.0000001", "1E+30")]
    ['1.50', '10', '1E-7', '1e+30']
    """
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if exponent <= 0:
        return str(number)
    if number.is_zero() or exponent <= _MOST_UNWRITTEN_ZEROS:
        return f"{number:f}"
    return str(number).replace("E", "e")
