"""The tree of an expression: small frozen nodes, each one form of the grammar (metering §3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Operator(StrEnum):
    """What stands between two operands."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"


class Mode(StrEnum):
    """How a number is rounded."""

    ROUND = "round"
    CEIL = "ceil"
    FLOOR = "floor"


class Choice(StrEnum):
    """Which of several numbers is taken."""

    LEAST = "least"
    GREATEST = "greatest"


@dataclass(frozen=True, slots=True)
class Number:
    """A literal of at least zero, with the decimals it was written with."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Text:
    """A literal without a quote in it."""

    value: str


@dataclass(frozen=True, slots=True)
class EventCode:
    """The event's code, always text."""


@dataclass(frozen=True, slots=True)
class EventTimestamp:
    """The event's instant in whole Unix seconds."""


@dataclass(frozen=True, slots=True)
class EventProperty:
    """A property of the event by its key."""

    key: str


@dataclass(frozen=True, slots=True)
class Negation:
    """One minus in front of an operand."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Step:
    """An operator with what stands on its right."""

    operator: Operator
    operand: Expression


@dataclass(frozen=True, slots=True)
class Chain:
    """Operators of one precedence, applied from left to right: sums and differences, or products and quotients."""

    first: Expression
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Rounding:
    """A number rounded to `digits` decimals; None is 0."""

    mode: Mode
    number: Expression
    digits: Expression | None


@dataclass(frozen=True, slots=True)
class Concat:
    """Arguments of any type as one text."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Extreme:
    """The smallest or the largest of numbers."""

    choice: Choice
    numbers: tuple[Expression, ...]


Expression = (
    Number
    | Text
    | EventCode
    | EventTimestamp
    | EventProperty
    | Negation
    | Chain
    | Rounding
    | Concat
    | Extreme
)
