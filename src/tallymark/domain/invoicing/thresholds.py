"""Marks of lifetime usage: which of them usage has passed, and how far it is to the next (pricing §14, invoicing §9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tallymark.domain.exact import Fraction

MOST_STEPS = 1000
"""How many steps of a recurring threshold are told apart at the most: the latest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A mark in minor units. A recurring one stands again and again, by its amount above the highest fixed one."""

    amount_cents: int
    is_recurring: bool = False

    def __post_init__(self) -> None:
        if self.amount_cents <= 0:
            raise ValueError("a threshold is above zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A threshold that was passed, and the lifetime usage at which it stood."""

    threshold: Threshold
    level_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A mark on the way of a lifetime usage; `completion` is from the one before it, 1 where it is reached."""

    threshold: Threshold
    level_cents: int
    completion: Fraction

    @property
    def is_reached(self) -> bool:
        """Whether usage has come to it."""
        return self.completion == 1


def crossed(thresholds: Sequence[Threshold], *, done_cents: int, total_cents: int) -> tuple[Crossing, ...]:
    """What usage passes on its way from what was billed to its total, the recurring threshold last (pricing §14).

    >>> marks = [Threshold(amount_cents=2000), Threshold(amount_cents=5000, is_recurring=True)]
    >>> [crossing.level_cents for crossing in crossed(marks, done_cents=0, total_cents=12_500)]
    [2000, 12000]
    """
    if total_cents <= done_cents:
        return ()
    fixed, recurring = _split(thresholds)
    passed = [
        Crossing(threshold=mark, level_cents=mark.amount_cents)
        for mark in fixed
        if done_cents < mark.amount_cents <= total_cents
    ]
    if recurring is not None:
        top, every = _top(fixed), recurring.amount_cents
        steps = (total_cents - top) // every
        if steps > max((done_cents - top) // every, 0):
            passed.append(Crossing(threshold=recurring, level_cents=top + steps * every))
    return tuple(passed)


def completion(thresholds: Sequence[Threshold], total_cents: int) -> tuple[Step, ...]:
    """How far a lifetime usage has come, mark by mark (invoicing §9). Of a recurring one's steps, the latest are told.

    >>> marks = [Threshold(amount_cents=1000), Threshold(amount_cents=500, is_recurring=True)]
    >>> [(step.level_cents, str(step.completion)) for step in completion(marks, 1_750)]
    [(1000, '1'), (1500, '1'), (2000, '1/2')]
    """
    fixed, recurring = _split(thresholds)
    steps, before = [], 0
    for mark in fixed:
        steps.append(_step(mark, mark.amount_cents, before, total_cents))
        before = mark.amount_cents
    if recurring is not None:
        steps += _recurring_steps(recurring, before, total_cents)
    return tuple(steps)


def _recurring_steps(recurring: Threshold, top: int, total_cents: int) -> Iterator[Step]:
    every = recurring.amount_cents
    reached = max(total_cents - top, 0) // every
    for count in range(max(reached - MOST_STEPS, 0) + 1, reached + 2):
        level = top + count * every
        yield _step(recurring, level, level - every, total_cents)


def _step(mark: Threshold, level: int, before: int, total_cents: int) -> Step:
    way = Fraction(total_cents - before, level - before) if level > before else Fraction(1)
    return Step(threshold=mark, level_cents=level, completion=min(max(way, Fraction(0)), Fraction(1)))


def _split(thresholds: Sequence[Threshold]) -> tuple[list[Threshold], Threshold | None]:
    """The fixed ones, smallest first, and the one that recurs."""
    fixed = sorted((mark for mark in thresholds if not mark.is_recurring), key=lambda mark: mark.amount_cents)
    return fixed, next((mark for mark in thresholds if mark.is_recurring), None)


def _top(fixed: Sequence[Threshold]) -> int:
    return fixed[-1].amount_cents if fixed else 0
