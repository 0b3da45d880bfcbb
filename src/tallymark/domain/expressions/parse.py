"""Reading an expression: a grammar without state, an LALR parser, and bounds on what is read (metering §3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from lark import Lark, Transformer, v_args
from lark.exceptions import LarkError

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
    Step,
    Text,
)

LONGEST = 4_096
"""Characters of an expression."""

DEEPEST = 50
"""Parentheses within parentheses; it bounds how deep the tree is, too."""

GRAMMAR = r"""
    ?start: sum
    ?sum: product (SUM_OPERATOR product)*
    ?product: factor (PRODUCT_OPERATOR factor)*
    ?factor: primary | "-" primary -> negation
    ?primary: function | variable | NUMBER -> number | STRING -> text | "(" sum ")"

    ?function: CONCAT "(" sum ("," sum)* ")"   -> concat
             | ROUNDING "(" sum ["," sum] ")"  -> rounding
             | EXTREME "(" sum ("," sum)* ")"  -> extreme
    ?variable: "event.code" -> event_code | "event.timestamp" -> event_timestamp | PROPERTY -> event_property

    SUM_OPERATOR: "+" | "-"
    PRODUCT_OPERATOR: "*" | "/"
    CONCAT: "concat" | "CONCAT" | "Concat"
    ROUNDING: "round" | "ROUND" | "Round" | "ceil" | "CEIL" | "Ceil" | "floor" | "FLOOR" | "Floor"
    EXTREME: "least" | "LEAST" | "Least" | "greatest" | "GREATEST" | "Greatest"
    NUMBER: /[0-9]+(\.[0-9]+)?/
    STRING: /'[^']*'/
    PROPERTY: /event\.properties\.[A-Za-z][A-Za-z0-9_]*/
    %ignore " "
"""


class InvalidExpression(TallymarkError):
    """The text is not in the language, or over its bounds."""


@v_args(inline=True)
class _Builder(Transformer[object, Expression]):
    """Makes the tree while the parser reads; no second pass, no recursion."""

    def number(self, token: str) -> Expression:
        return Number(Decimal(str(token)))

    def text(self, token: str) -> Expression:
        return Text(str(token)[1:-1])

    def event_code(self) -> Expression:
        return EventCode()

    def event_timestamp(self) -> Expression:
        return EventTimestamp()

    def event_property(self, token: str) -> Expression:
        return EventProperty(str(token).removeprefix("event.properties."))

    def negation(self, *operands: Expression) -> Expression:
        return Negation(operands[-1])

    def sum(self, *parts: Expression | str) -> Expression:
        return _chain(parts)

    def product(self, *parts: Expression | str) -> Expression:
        return _chain(parts)

    def concat(self, _: str, *parts: Expression) -> Expression:
        return Concat(parts)

    def rounding(self, name: str, number: Expression, digits: Expression | None) -> Expression:
        return Rounding(Mode(name.lower()), number, digits)

    def extreme(self, name: str, *numbers: Expression) -> Expression:
        return Extreme(Choice(name.lower()), numbers)


def _chain(parts: Sequence[Expression | str]) -> Expression:
    """`a + b - c` as the parser hands it over: operands and operators in turn."""
    first, *rest = parts
    assert not isinstance(first, str)
    steps = []
    for sign, operand in zip(rest[::2], rest[1::2], strict=True):
        assert isinstance(sign, str)
        assert not isinstance(operand, str)
        steps.append(Step(Operator(str(sign)), operand))
    return Chain(first, tuple(steps))


_PARSER = Lark(GRAMMAR, parser="lalr", lexer="contextual", transformer=_Builder(), maybe_placeholders=True)


def parse_expression(text: str) -> Expression:
    """Read an expression. Raises `InvalidExpression`.

    >>> parse_expression("1 - event.code")
    Chain(first=Number(value=Decimal('1')), steps=(Step(operator=<Operator.SUBTRACT: '-'>, operand=EventCode()),))
    """
    if len(text) > LONGEST or _depth(text) > DEEPEST:
        raise InvalidExpression(f"over {LONGEST} characters, or {DEEPEST} parentheses deep")
    try:
        # With a transformer inside, the parser returns what that makes, not a tree of its own.
        found: object = _PARSER.parse(text)
    except LarkError as error:
        raise InvalidExpression(str(error)) from None
    assert isinstance(found, Expression)
    return found


def _depth(text: str) -> int:
    """How deep parentheses nest, those within strings left out."""
    depth = deepest = 0
    for part in text.split("'")[::2]:
        for character in part:
            depth += (character == "(") - (character == ")")
            deepest = max(deepest, depth)
    return deepest
