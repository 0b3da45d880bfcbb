"""Charges as text: what was billed by them is rated by them again, whatever became of their plan (beyond.md §3)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tallymark.rooms.plans.model import Charge


def encode(charges: Sequence[Charge]) -> bytes:
    """Charges as JSON, with their metrics, price lists and taxes: the same text for the same ones."""
    return msgspec.json.encode(tuple(charges))


def decode(text: str | bytes) -> tuple[Charge, ...]:
    """The charges that a text has."""
    return msgspec.json.decode(text, type=tuple[Charge, ...])
