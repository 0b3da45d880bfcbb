"""Which credits are spent first: an outbound transaction consumes inbound ones, in order (wallets §4.4)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from datetime import datetime

from tallymark.domain.values import value


class NotEnough(ValueError):
    """There is less left than is to be consumed."""


@value
class Inbound:
    """Credits that came in, and what is left of them in minor units."""

    id: Hashable
    priority: int
    is_granted: bool
    created_at: datetime
    remaining_cents: int

    @property
    def rank(self) -> tuple[int, int, datetime]:
        """The better priority goes first, then granted before purchased, then the oldest."""
        return self.priority, 0 if self.is_granted else 1, self.created_at


def consumption_order(inbound: Iterable[Inbound]) -> list[Inbound]:
    """What there is to consume, in the order in which it is; what ties keeps the order given."""
    return sorted((one for one in inbound if one.remaining_cents), key=lambda one: one.rank)


def consume(inbound: Iterable[Inbound], cents: int) -> list[tuple[Inbound, int]]:
    """Take minor units from inbound transactions: each as it is left, with what was taken of it.

    Raises `NotEnough` where they have less.
    """
    taken: list[tuple[Inbound, int]] = []
    for one in consumption_order(inbound):
        if not cents:
            break
        part = min(one.remaining_cents, cents)
        cents -= part
        taken.append((replace(one, remaining_cents=one.remaining_cents - part), part))
    if cents:
        raise NotEnough(f"{cents} more than is left")
    return taken
