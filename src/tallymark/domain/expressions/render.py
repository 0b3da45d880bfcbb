"""Writing an expression's tree as text that reads back as the same tree."""

from __future__ import annotations

from typing import assert_never

from tallymark.domain.expressions.model import (
    Chain,
    Concat,
    EventCode,
    EventProperty,
    EventTimestamp,
    Expression,
    Extreme,
    Negation,
    Number,
    Operator,
    Rounding,
    Text,
)

_PRODUCT = (Operator.MULTIPLY, Operator.DIVIDE)


def render(expression: Expression) -> str:
    """The text of a tree, with parentheses only where the grammar needs them.

    >>> from tallymark.domain.expressions.parse import parse_expression
    >>> render(parse_expression("-( event.code+1 )"))
    '-(event.code + 1)'
    """
    match expression:
        case Number(value=number):
            return f"{number:f}"
        case Text(value=text):
            return f"'{text}'"
        case EventCode():
            return "event.code"
        case EventTimestamp():
            return "event.timestamp"
        case EventProperty(key=key):
            return f"event.properties.{key}"
        case Negation(operand=operand):
            return f"-{_within(operand, is_open=isinstance(operand, Chain | Negation))}"
        case Chain(first=first, steps=steps):
            is_product = bool(steps) and steps[0].operator in _PRODUCT
            parts = [_operand(first, is_product=is_product)]
            parts += [f" {step.operator} {_operand(step.operand, is_product=is_product)}" for step in steps]
            return "".join(parts)
        case Rounding(mode=mode, number=inner, digits=digits):
            return f"{mode}({_list(*(part for part in (inner, digits) if part is not None))})"
        case Concat(parts=arguments):
            return f"concat({_list(*arguments)})"
        case Extreme(choice=choice, numbers=numbers):
            return f"{choice}({_list(*numbers)})"
    assert_never(expression)


def _list(*expressions: Expression) -> str:
    return ", ".join(render(expression) for expression in expressions)


def _operand(expression: Expression, *, is_product: bool) -> str:
    """A part of a chain: in parentheses if it is a chain itself, but for a product within a sum."""
    if not isinstance(expression, Chain):
        return render(expression)
    is_product_in_sum = not is_product and expression.steps[0].operator in _PRODUCT
    return _within(expression, is_open=not is_product_in_sum)


def _within(expression: Expression, *, is_open: bool) -> str:
    text = render(expression)
    return f"({text})" if is_open else text
