"""Frozen values that are keys again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def hashed_once(cls: type[T]) -> type[T]:
    """Have a frozen dataclass without slots remember its hash: one with values in it takes them all anew each time.

    >>> from dataclasses import dataclass
    >>> @hashed_once
    ... @dataclass(frozen=True)
    ... class Pair:
    ...     left: int
    ...     right: int
    >>> hash(Pair(1, 2)) == hash(Pair(1, 2)), len({Pair(1, 2), Pair(1, 2)})
    (True, 1)
    """
    compute: Callable[[T], int] = cls.__hash__

    def remembered(self: T) -> int:
        known = self.__dict__.get("_hash")
        if known is None:
            known = self.__dict__["_hash"] = compute(self)
        return known

    cls.__hash__ = remembered  # type: ignore[assignment,method-assign]  # of the classes that it is for alone
    return cls
