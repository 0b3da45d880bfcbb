"""Percentage: a rate in percent of the units and a fixed amount an event, with free units and events (pricing §7.6)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from tallymark.domain.money import Currency, decimal_text
from tallymark.domain.rating.model import ZERO, Details, Needs, Rated, Usage, rated


@dataclass(frozen=True, slots=True, kw_only=True)
class PercentagePrice:
    """`rate` percent of the units; what is free is free by number of events, by total, or both."""

    rate_percent: Fraction
    fixed_amount: Fraction = ZERO
    free_units_per_events: int = 0
    free_units_per_total_aggregation: Fraction = ZERO
    per_transaction_min_amount: Fraction | None = None
    per_transaction_max_amount: Fraction | None = None

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
        """Price what is not free."""
        free_units = self._free_units(usage)
        free_events = self._free_events(usage)
        of_units = ZERO if free_units > usage.units else (usage.units - free_units) * self.rate_percent / 100
        of_events = ZERO
        if usage.units and free_events < usage.events_count:
            of_events = (usage.events_count - free_events) * self.fixed_amount
        amount = self._bounded_amount(usage) if self.is_bounded else of_units + of_events
        details = self._details(usage, free_units, free_events, of_units, of_events, amount)
        return rated(usage, amount, details)

    def _free_units(self, usage: Usage) -> Fraction:
        totals, events, total = (
            usage.running_totals,
            self.free_units_per_events,
            self.free_units_per_total_aggregation,
        )
        if not totals or not totals[-1]:
            return ZERO
        if 0 < events < len(totals):
            return Fraction(totals[events - 1])
        return min(Fraction(totals[-1]), total) if total else Fraction(totals[-1])

    def _free_events(self, usage: Usage) -> int:
        """The smaller of both allowances; the event that reaches the free total pays its fixed amount (quirk)."""
        totals, free_total = usage.running_totals, self.free_units_per_total_aggregation
        if isinstance(totals, range):  # of a count: 1, 2, 3, …
            below = min(len(totals), max(-(-free_total // 1) - 1, 0))
        else:
            below = sum(total < free_total for total in totals)
        return min((count for count in (self.free_units_per_events, below) if count), default=0)

    def _bounded_amount(self, usage: Usage) -> Fraction:
        """Price each event by itself, in the order of time."""
        amount = ZERO
        events_left, total_left = self.free_units_per_events, self.free_units_per_total_aggregation
        for event_value in usage.event_values:
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

    def _details(
        self,
        usage: Usage,
        free_units: Fraction,
        free_events: int,
        of_units: Fraction,
        of_events: Fraction,
        amount: Fraction,
    ) -> Details:
        paid_events = max(usage.events_count - free_events, 0)
        return {
            "units": decimal_text(usage.units),
            "free_units": decimal_text(min(free_units, usage.units)),
            "free_events": min(free_events, usage.events_count),
            "paid_units": decimal_text(max(usage.units - free_units, ZERO)),
            "paid_events": paid_events,
            "rate": decimal_text(self.rate_percent),
            "per_unit_total_amount": decimal_text(of_units),
            "fixed_fee_unit_amount": decimal_text(self.fixed_amount if paid_events else ZERO),
            "fixed_fee_total_amount": decimal_text(of_events),
            "min_max_adjustment_total_amount": decimal_text(
                amount - of_units - of_events if self.is_bounded else ZERO
            ),
        }
