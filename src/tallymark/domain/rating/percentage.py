"""Percentage: a rate in percent of the units and a fixed amount an event, with free units and events (pricing §7.6)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from tallymark.domain.exact import Fraction
from tallymark.domain.money import Currency
from tallymark.domain.rating.model import ZERO, Details, Needs, Rated, Usage, amount_text, rated, units_text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What is free, what the rest costs by its rate and by its events, and what the bounds of events add."""

    free_units: Fraction
    free_events: int
    of_units: Fraction
    of_events: Fraction
    of_bounds: Fraction

    @property
    def amount(self) -> Fraction:
        return self.of_units + self.of_events + self.of_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentagePrice:
    """`rate_percent` of the units; what is free is free by number of events, by total, or both."""

    rate_percent: Fraction
    fixed_amount: Fraction = ZERO
    free_units_per_events: int = 0
    free_units_per_total_aggregation: Fraction = ZERO
    per_transaction_min_amount: Fraction | None = None
    per_transaction_max_amount: Fraction | None = None

    def __post_init__(self) -> None:
        if min(self.rate_percent, self.fixed_amount) < 0:
            raise ValueError("neither a rate nor an amount is negative")
        if self.free_units_per_events < 0 or self.free_units_per_total_aggregation < 0:
            raise ValueError("what is free is not negative")
        least, most = self.per_transaction_min_amount, self.per_transaction_max_amount
        if least is not None and most is not None and most < least:
            raise ValueError("the greatest amount of an event is not below its least")

    @property
    def is_bounded(self) -> bool:
        """Whether each event has its own least or greatest amount."""
        return self.per_transaction_min_amount is not None or self.per_transaction_max_amount is not None

    @property
    def needs(self) -> Needs:
        """Running totals where something is free; every event's value where events are bounded."""
        return Needs(
            free_events=self.free_units_per_events,
            free_total=self.free_units_per_total_aggregation,
            event_values=self.is_bounded,
        )

    def rate(self, usage: Usage, currency: Currency) -> Rated:  # noqa: ARG002 - the protocol's shape
        """Price what is not free. Raises `ValueError` where events are bounded and their values were not loaded."""
        parts = self._parts(usage)
        return rated(usage, parts.amount, self._details(usage, parts))

    def signed(self, usage: Usage) -> Rated:
        """The same where it is negative, too: one side of what an event in advance costs (metering §8.3)."""
        parts = self._parts(usage)
        details = self._details(usage, parts)
        return Rated(units=usage.shown_units, amount=parts.amount, unit_amount=ZERO, amount_details=details)

    def _parts(self, usage: Usage) -> _Parts:
        free_units, free_events = self._free_units(usage), self._free_events(usage)
        of_units = of_events = ZERO
        if free_units <= usage.units:
            of_units = (usage.units - free_units) * self.rate_percent / 100
        if usage.units and free_events < usage.events_count:
            of_events = (usage.events_count - free_events) * self.fixed_amount
        return _Parts(
            free_units=free_units,
            free_events=free_events,
            of_units=of_units,
            of_events=of_events,
            of_bounds=self._bounded_amount(usage) - of_units - of_events if self.is_bounded else ZERO,
        )

    def _free_units(self, usage: Usage) -> Fraction:
        totals, events = usage.running_totals, self.free_units_per_events
        if not totals or not totals[-1]:
            return ZERO
        if 0 < events < len(totals):
            return Fraction(totals[events - 1])
        free_total = self.free_units_per_total_aggregation
        return min(Fraction(totals[-1]), free_total) if free_total else Fraction(totals[-1])

    def _free_events(self, usage: Usage) -> int:
        """The smaller of both allowances; the event that reaches the free total pays its fixed amount (quirk)."""
        totals, free_total = usage.running_totals, self.free_units_per_total_aggregation
        below = 0
        if isinstance(totals, range):  # of a count: 1, 2, 3, …
            below = bisect_left(totals, free_total)
        elif free_total:
            below = sum(total < free_total for total in totals)
        return min((count for count in (self.free_units_per_events, below) if count), default=0)

    def _bounded_amount(self, usage: Usage) -> Fraction:
        """Price each event by itself, in the order of time; a free total beats a number of free events."""
        if usage.event_values is None and usage.events_count:
            raise ValueError("bounded events are priced by their values")
        amount = ZERO
        events_left, total_left = self.free_units_per_events, self.free_units_per_total_aggregation
        for event_value in usage.event_values or ():
            value = event_value
            if events_left > 0 or total_left > 0:
                events_left -= 1
                if total_left <= 0:
                    continue
                if total_left > value:
                    total_left -= value
                    continue
                value -= total_left
                total_left, events_left = ZERO, 0
            amount += self._clamp(value * self.rate_percent / 100 + self.fixed_amount)
        return amount

    def _clamp(self, amount: Fraction) -> Fraction:
        if self.per_transaction_min_amount is not None:
            amount = max(amount, self.per_transaction_min_amount)
        if self.per_transaction_max_amount is not None:
            amount = min(amount, self.per_transaction_max_amount)
        return amount

    def _details(self, usage: Usage, parts: _Parts) -> Details:
        paid_events = max(usage.events_count - parts.free_events, 0)
        return {
            "units": units_text(usage.units),
            "free_units": units_text(min(parts.free_units, usage.units)),
            "free_events": min(parts.free_events, usage.events_count),
            "paid_units": units_text(max(usage.units - parts.free_units, ZERO)),
            "paid_events": paid_events,
            "rate": amount_text(self.rate_percent),
            "per_unit_total_amount": amount_text(parts.of_units),
            "fixed_fee_unit_amount": amount_text(self.fixed_amount if paid_events else ZERO),
            "fixed_fee_total_amount": amount_text(parts.of_events),
            "min_max_adjustment_total_amount": amount_text(parts.of_bounds),
        }
