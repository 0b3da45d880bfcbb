"""Which thresholds of an alert a value has crossed on its way from one evaluation to the next (wallets §9)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tallymark.domain.exact import Fraction

MOST_STEPS = 1_000
"""Steps of a recurring threshold that one evaluation reports at the most: the ones next to the value."""


class Direction(StrEnum):
    """Which way a value crosses thresholds."""

    INCREASING = "increasing"
    DECREASING = "decreasing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A value to be told of; a recurring one is the step between the values beyond all others."""

    value: Fraction
    code: str | None = None
    recurring: bool = False


def crossed(
    thresholds: Iterable[Threshold], direction: Direction, *, previous: Fraction, current: Fraction
) -> list[Threshold]:
    """What was crossed: one-time thresholds first, then the steps of the recurring one, each by rising value.

    A value is crossed where it is reached, and is not crossed again by moving on from it.

    >>> marks = [Threshold(value=Fraction(1000)), Threshold(value=Fraction(2000), recurring=True)]
    >>> [int(one.value) for one in crossed(marks, Direction.INCREASING, previous=Fraction(0), current=Fraction(5000))]
    [1000, 3000, 5000]
    """
    known = list(thresholds)
    once = sorted((one for one in known if not one.recurring), key=lambda one: one.value)
    found = [one for one in once if _is_between(one.value, direction, previous, current)]
    for step in (one for one in known if one.recurring):
        base = (once[-1] if direction is Direction.INCREASING else once[0]).value if once else Fraction(0)
        found += _steps(step, direction, base, previous=previous, current=current)
    return found


def _is_between(value: Fraction, direction: Direction, previous: Fraction, current: Fraction) -> bool:
    if direction is Direction.INCREASING:
        return previous < value <= current
    return current <= value < previous


def _steps(
    step: Threshold, direction: Direction, base: Fraction, *, previous: Fraction, current: Fraction
) -> list[Threshold]:
    """The values base ± k · step that were crossed, for k from 1 on."""
    sign = 1 if direction is Direction.INCREASING else -1
    last = sign * (current - base) // step.value
    first = max(sign * (previous - base) // step.value + 1, 1, last - MOST_STEPS + 1)
    values = [base + sign * k * step.value for k in range(first, last + 1)]
    return [Threshold(value=value, code=step.code, recurring=True) for value in sorted(values)]
