"""What credit notes take off later invoices (invoicing §5.5)."""

from __future__ import annotations

from collections.abc import Sequence


def deduct_balances(total_cents: int, balances: Sequence[int]) -> tuple[int, ...]:
    """What each note's balance takes off a total, the first as much as it can.

    >>> deduct_balances(100, [30, 90, 10])
    (30, 70, 0)
    """
    taken = []
    for balance in balances:
        part = min(balance, total_cents)
        total_cents -= part
        taken.append(part)
    return tuple(taken)
