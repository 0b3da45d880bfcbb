"""Evaluating an expression for one event: exact, bounded, and without side effects (metering §3.2 to §3.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    DecimalException,
    Inexact,
    InvalidOperation,
    Overflow,
    Rounded,
    Subnormal,
)
from typing import assert_never

from tallymark.domain.errors import TallymarkError
from tallymark.domain.expressions.model import (
    Chain,
    Choice,
    Concat,
    EventCode,
    EventProperty,
    EventTimestamp,
    Expression,
    Extreme,
    Mode,
    Negation,
    Number,
    Operator,
    Rounding,
    Text,
)
from tallymark.domain.expressions.values import NumericText, Property, joined_text

MOST_DIGITS = 5_000
"""Digits of a number, and its largest exponent: what is beyond is an error, never rounded."""

LONGEST_TEXT = 64 * 1024
"""Characters of a text that an expression makes: an event's properties hold no more."""

_DIVISION_DIGITS = 100
_BEYOND = (InvalidOperation, Overflow)


def _context(digits: int, rounding: str, *traps: type[DecimalException]) -> Context:
    return Context(
        prec=digits, rounding=rounding, Emin=-MOST_DIGITS, Emax=MOST_DIGITS, traps=[*_BEYOND, *traps]
    )


_EXACT = _context(MOST_DIGITS, ROUND_HALF_UP, Inexact, Rounded, Subnormal)
_QUOTIENT = _context(_DIVISION_DIGITS, ROUND_HALF_UP, Subnormal)
_ROUNDING = {
    Mode.ROUND: _context(MOST_DIGITS, ROUND_HALF_UP),
    Mode.CEIL: _context(MOST_DIGITS, ROUND_CEILING),
    Mode.FLOOR: _context(MOST_DIGITS, ROUND_FLOOR),
}

Value = Decimal | str | NumericText


class EvaluationFailed(TallymarkError):
    """The expression has no value for this event; the message is the contract's (metering §3.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an expression may look at; `timestamp` in whole Unix seconds."""

    code: str
    timestamp: int
    properties: Mapping[str, Property]


def evaluate(expression: Expression, facts: Facts) -> Decimal | str:
    """The value of an expression for an event. Raises `EvaluationFailed`.

    >>> from tallymark.domain.expressions.parse import parse_expression
    >>> evaluate(parse_expression("round(event.timestamp / 3, 2)"), Facts(code="", timestamp=5, properties={}))
    Decimal('1.67')
    """
    try:
        value = _value(expression, facts)
        return value if isinstance(value, str) else _within_bounds(value)
    except (*_BEYOND, Inexact, Rounded, Subnormal):
        raise EvaluationFailed("Number too large") from None


def result_text(value: Decimal | str) -> str:
    """A result as it is stored and shown: a number in plain notation with at least one decimal (metering §0).

    >>> result_text(Decimal("3.50")), result_text(Decimal("1E+2")), result_text("eu")
    ('3.5', '100.0', 'eu')
    """
    if isinstance(value, str):
        return value
    whole, _, fraction = f"{value:f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def _value(expression: Expression, facts: Facts) -> Value:
    match expression:
        case Number(value=number):
            return number
        case Text(value=text):
            return text
        case EventCode():
            return facts.code
        case EventTimestamp():
            return Decimal(facts.timestamp)
        case EventProperty(key=key):
            return _property(key, facts)
        case Concat(parts=parts):
            return _joined(parts, facts)
        case Negation(operand=operand):
            return _unsigned_zero(_EXACT.minus(_number(operand, facts)))
        case Chain():
            return _applied(expression, facts)
        case Rounding():
            return _rounded(expression, facts)
        case Extreme(choice=choice, numbers=arguments):
            numbers = [_number(argument, facts) for argument in arguments]
            return min(numbers) if choice is Choice.LEAST else max(numbers)
    assert_never(expression)


def _property(key: str, facts: Facts) -> Property:
    if key not in facts.properties:
        raise EvaluationFailed(f"Variable: {key} not found")
    return facts.properties[key]


def _number(expression: Expression, facts: Facts) -> Decimal:
    value = _value(expression, facts)
    if isinstance(value, str):
        raise EvaluationFailed("Expected a decimal")
    return _within_bounds(value)


def _within_bounds(value: Decimal | NumericText) -> Decimal:
    """A number from outside may be longer than what is computed with: it is refused."""
    return _unsigned_zero(_EXACT.plus(value.number if isinstance(value, NumericText) else value))


def _joined(parts: tuple[Expression, ...], facts: Facts) -> str:
    texts: list[str] = []
    length = 0
    for part in parts:
        text = _text(_value(part, facts))
        length += len(text)
        if length > LONGEST_TEXT:
            raise EvaluationFailed("Text too long")
        texts.append(text)
    return "".join(texts)


def _text(value: Value) -> str:
    match value:
        case str():
            return value
        case NumericText(text=text):
            return text
        case Decimal():
            return joined_text(_within_bounds(value))


def _applied(chain: Chain, facts: Facts) -> Decimal:
    result = _number(chain.first, facts)
    for step in chain.steps:
        operand = _number(step.operand, facts)
        match step.operator:
            case Operator.ADD:
                result = _EXACT.add(result, operand)
            case Operator.SUBTRACT:
                result = _EXACT.subtract(result, operand)
            case Operator.MULTIPLY:
                result = _EXACT.multiply(result, operand)
            case Operator.DIVIDE:
                if operand.is_zero():
                    raise EvaluationFailed("Division by zero")
                result = _QUOTIENT.divide(result, operand)
        result = _unsigned_zero(result)
    return result


def _rounded(rounding: Rounding, facts: Facts) -> Decimal:
    number = _number(rounding.number, facts)
    places = Decimal(0) if rounding.digits is None else _number(rounding.digits, facts)
    if abs(places) > MOST_DIGITS:
        raise EvaluationFailed("Number too large")
    last_digit = Decimal((0, (1,), -int(places.to_integral_value(ROUND_DOWN))))
    return _unsigned_zero(_ROUNDING[rounding.mode].quantize(number, last_digit))


def _unsigned_zero(number: Decimal) -> Decimal:
    """There is one zero here."""
    return number if number else number.copy_abs()
