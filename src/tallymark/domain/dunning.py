"""When a customer is asked again for what is overdue, and in which currencies (wallets §17); amounts are in minor units."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from tallymark.domain.values import value

INSTANT = timedelta(microseconds=1)
"""As little time as there is."""


@value
class Terms:
    """How a campaign asks: how often at the most, with how many days between, from which balance on by currency."""

    days_between_attempts: int
    max_attempts: int
    thresholds: Mapping[str, int]


@value
class Progress:
    """How often a customer was asked, by currency, and when last; nobody yet was never."""

    attempts: Mapping[str, int]
    last_attempt_at: datetime | None = None


UNTOUCHED = Progress(attempts={})


@value
class Attempt:
    """The currencies that are asked for now, how often that was, and whether it was the last time in each."""

    currencies: tuple[str, ...]
    progress: Progress
    is_last: bool


def next_attempt_at(terms: Terms, progress: Progress) -> datetime | None:
    """The first instant at which a customer may be asked again; None where nothing stands against now."""
    if progress.last_attempt_at is None:
        return None
    return progress.last_attempt_at + timedelta(days=terms.days_between_attempts) + INSTANT


def attempt(
    terms: Terms, progress: Progress, overdue_cents: Mapping[str, int], *, now: datetime
) -> Attempt | None:
    """Ask for the currencies whose overdue balance reaches the threshold and that were not asked for often enough.

    None where there are none, or it is too early. It is the last attempt where every currency that was ever asked for has
    come to its end: one that was paid in between and stands at none has not.

    >>> from datetime import UTC
    >>> terms = Terms(days_between_attempts=3, max_attempts=1, thresholds={"EUR": 10_000, "USD": 0})
    >>> attempt(terms, UNTOUCHED, {"EUR": 9_999, "USD": 1}, now=datetime(2026, 1, 5, tzinfo=UTC)).currencies
    ('USD',)
    """
    earliest = next_attempt_at(terms, progress)
    if earliest is not None and now < earliest:
        return None
    asked = tuple(
        currency
        for currency in sorted(reached(terms.thresholds, overdue_cents))
        if progress.attempts.get(currency, 0) < terms.max_attempts
    )
    if not asked:
        return None
    counts = dict(progress.attempts) | {one: progress.attempts.get(one, 0) + 1 for one in asked}
    return Attempt(
        currencies=asked,
        progress=Progress(attempts=counts, last_attempt_at=now),
        is_last=all(count >= terms.max_attempts for count in counts.values()),
    )


def paid(progress: Progress, currency: str) -> Progress:
    """Begin anew with a currency in which something was paid that had been asked for.

    >>> paid(Progress(attempts={"EUR": 2, "USD": 1}, last_attempt_at=datetime.min), "EUR").attempts
    {'EUR': 0, 'USD': 1}
    >>> paid(Progress(attempts={"EUR": 2}, last_attempt_at=datetime.min), "EUR").last_attempt_at is None
    True
    """
    if currency not in progress.attempts:
        return progress
    counts = {**progress.attempts, currency: 0}
    return Progress(
        attempts=counts, last_attempt_at=progress.last_attempt_at if any(counts.values()) else None
    )


def reached(thresholds: Mapping[str, int], overdue_cents: Mapping[str, int]) -> set[str]:
    """The currencies in which something is overdue, and at least as much as the threshold says."""
    due = {currency: overdue_cents.get(currency, 0) for currency in thresholds}
    return {currency for currency, cents in thresholds.items() if due[currency] >= max(cents, 1)}
