"""The property that a metric's expression computes of an event, put into its JSON (metering §1.2, §3)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from tallymark.domain.expressions import (
    Expression,
    Facts,
    Property,
    evaluate,
    parse_expression,
    read_text,
    result_text,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


@dataclass(frozen=True, slots=True)
class Computed:
    """A metric's expression, and the property that it replaces."""

    field_name: str
    expression: Expression

    @classmethod
    def read(cls, field_name: str, text: str) -> Computed:
        """Parse an expression as it is kept. Raises `InvalidExpression`."""
        return cls(field_name, parse_expression(text))

    def apply(self, code: str, timestamp: datetime, properties: bytes) -> msgspec.Raw:
        """The properties with the computed one. Raises `EvaluationFailed`."""
        found: dict[str, Any] = _decode(properties)
        return msgspec.Raw(_encode({**found, self.field_name: self.compute(code, timestamp, found)}))

    def compute(self, code: str, timestamp: datetime, properties: dict[str, Any]) -> str:
        """The value that is stored for an event. Raises `EvaluationFailed`."""
        return compute(self.expression, code, (timestamp - _EPOCH) // timedelta(seconds=1), properties)


def compute(expression: Expression, code: str, timestamp: int, properties: dict[str, Any]) -> str:
    """The value of an expression for an event, as it is stored and shown. Raises `EvaluationFailed`."""
    readable = {key: as_property(value) for key, value in properties.items()}
    return result_text(evaluate(expression, Facts(code=code, timestamp=timestamp, properties=readable)))


def as_property(value: object) -> Property:
    """A property as an expression sees it: JSON numbers are numbers, text may be one, all else is text (§3.3).

    >>> as_property(7), as_property(True), as_property(None)
    (Decimal('7'), 'true', '')
    """
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return Decimal(value)
        case Decimal():
            return value
        case float():
            return Decimal(repr(value))
        case str():
            return read_text(value)
    return json.dumps(value, default=str, ensure_ascii=False)
