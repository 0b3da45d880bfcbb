"""The fee for what corrected events cost more than was billed of them (beyond.md §3). Minor units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import JSON, Fee, FeeType, Step, rounding_step
from tallymark.domain.money import Currency
from tallymark.domain.values import value

_NAMES = {
    "en": "adjustment",
    "fr": "ajustement",
    "nb": "justering",
    "de": "Anpassung",
    "it": "rettifica",
    "es": "ajuste",
    "sv": "justering",
    "pt-BR": "ajuste",
    "ja": "調整",
    "zh-TW": "調整",
}


def adjustment_name(charge: str, *, first: str, last: str, locale: str) -> str:
    """What invoices call the adjustment of a charge's period, from its first day to its last.

    >>> adjustment_name("Calls", first="2026-01-01", last="2026-01-31", locale="de")
    'Calls (Anpassung 2026-01-01 – 2026-01-31)'
    """
    return f"{charge} ({_NAMES.get(locale, _NAMES['en'])} {first} – {last})"


@value
class CorrectedLine:
    """What a filter and group of a charge was billed, and what it comes to now; without a fee it comes to nothing."""

    billed_cents: int
    amount_cents: int
    explanation: tuple[Step, ...] = ()
    filter_values: Mapping[str, list[str]] | None = None
    grouped_by: Mapping[str, JSON] = field(default_factory=dict)

    @property
    def as_json(self) -> dict[str, JSON]:
        """It as an explanation has it."""
        shown: dict[str, JSON] = {}
        if self.filter_values is not None:
            shown["filter"] = {key: list(values) for key, values in self.filter_values.items()}
        if self.grouped_by:
            shown["group"] = dict(self.grouped_by)
        steps: list[JSON] = [dict(step) for step in self.explanation]
        return {
            **shown,
            "steps": steps,
            "amount_cents": self.amount_cents,
            "billed_cents": self.billed_cents,
        }


def compute_adjustment(
    lines: Sequence[CorrectedLine],
    *,
    adjusted_cents: int,
    window: Step,
    currency: Currency,
    fee_type: FeeType = FeeType.CHARGE,
) -> Fee:
    """The fee of what the lines of a charge, or a commitment, come to beyond what was billed and adjusted before, or below that.

    >>> eur = Currency("EUR", 2, 100)
    >>> fee = compute_adjustment([CorrectedLine(billed_cents=1000, amount_cents=1400)], adjusted_cents=100,
    ...     window={"step": "period"}, currency=eur)
    >>> fee.amount_cents, fee.units, str(fee.precise_unit_amount)
    (300, Fraction(1, 1), '3')
    >>> compute_adjustment([CorrectedLine(billed_cents=1000, amount_cents=400)], adjusted_cents=0,
    ...     window={"step": "period"}, currency=eur).amount_cents
    -600
    """
    cents = sum(line.amount_cents - line.billed_cents for line in lines) - adjusted_cents
    if not cents:
        raise ValueError("nothing differs from what was billed")
    changed: list[JSON] = [line.as_json for line in lines if line.amount_cents != line.billed_cents]
    step: Step = {
        "step": "correction",
        "lines": changed,
        "adjusted_cents": adjusted_cents,
        "amount_cents": cents,
    }
    return adjustment_fee(cents, (window, step, rounding_step(cents)), currency, fee_type=fee_type)


def adjustment_fee(
    amount_cents: int,
    explanation: tuple[Step, ...],
    currency: Currency,
    *,
    fee_type: FeeType = FeeType.CHARGE,
) -> Fee:
    """The fee of an adjustment, as one unit of its amount."""
    return Fee(
        fee_type=fee_type,
        units=Fraction(1),
        total_aggregated_units=Fraction(1),
        events_count=0 if fee_type is FeeType.CHARGE else None,
        amount_cents=amount_cents,
        precise_amount_cents=Fraction(amount_cents),
        precise_unit_amount=Fraction(amount_cents, currency.subunits),
        unit_amount_cents=amount_cents,
        explanation=explanation,
    )
