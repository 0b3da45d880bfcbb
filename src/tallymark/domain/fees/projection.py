"""What a running period will come to if usage goes on as it did so far (metering §9.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.charge_fee import PRICING_UNIT_CENTS, Conversion, fee_of_amount
from tallymark.domain.fees.model import Fee
from tallymark.domain.money import Currency, round_half_away
from tallymark.domain.periods import Period, days
from tallymark.domain.rating import ChargeModel, Price, Usage

ZERO = Fraction(0)
UNITS_DECIMALS = 2
PRICED_ANEW = frozenset(
    {ChargeModel.STANDARD, ChargeModel.GRADUATED, ChargeModel.VOLUME, ChargeModel.PACKAGE}
)
"""Models that follow from units alone; the amounts of the others grow with the time that passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """Units and the rounded amount, in minor units, of a whole period."""

    units: Fraction
    amount_cents: int


def elapsed_share(window: Period, now: datetime, tz: ZoneInfo) -> Fraction:
    """The share of a window's days that has begun, from 0 to 1; 1 once it is over.

    >>> from datetime import UTC
    >>> june = Period(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
    >>> elapsed_share(june, datetime(2026, 6, 12, 15, tzinfo=UTC), ZoneInfo("UTC"))
    Fraction(2, 5)
    """
    if now > window.last:
        return Fraction(1)
    if now <= window.start:
        return ZERO
    return Fraction(days(window.start, now, tz), days(window.start, window.last, tz))


def project_units(units: Fraction, share: Fraction) -> Fraction:
    """Units of the whole period, at two decimals; nothing before any of it has passed."""
    return round_half_away(units / share, UNITS_DECIMALS) if share else ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Projected:
    """A charge fee so far and the price that it follows from, as a projection needs them."""

    fee: Fee
    charge_model: ChargeModel
    price: Price
    is_recurring: bool
    conversion: Conversion | None = None


def compute_projection(of: Projected, share: Fraction, currency: Currency) -> Projection:
    """Project a fee from the share of its period that has passed (metering §9.2).

    What recurs stays as it is, for it is there all period. Never negative.
    """
    if of.is_recurring:
        return Projection(units=of.fee.units, amount_cents=of.fee.amount_cents)
    if not share:
        return Projection(units=ZERO, amount_cents=0)
    units = project_units(of.fee.units, share)
    if of.charge_model in PRICED_ANEW:
        usage = Usage(units=units, events_count=of.fee.events_count or 0)
        amount = of.price.rate(usage, currency).amount
    else:
        amount = _amount(of.fee, currency) / share
    fee = fee_of_amount(amount, ZERO, currency, of.conversion)
    return Projection(units=units, amount_cents=max(fee.amount_cents, 0))


def _amount(fee: Fee, currency: Currency) -> Fraction:
    """The exact amount of a fee, in its pricing unit if it has one, else in currency units."""
    if fee.pricing_unit is not None:
        return fee.pricing_unit.precise_amount_cents / PRICING_UNIT_CENTS
    return fee.precise_amount_cents / currency.subunits
