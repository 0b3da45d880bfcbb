"""The true-up of a plan's minimum commitment (pricing §15)."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import Fee, FeeType, Step, rounding_step
from tallymark.domain.fees.proration import prorate
from tallymark.domain.money import Currency, major_units, plain_text, round_cents

_NAMES = {
    "en": "Minimum commitment",
    "fr": "Engagement minimum",
    "nb": "Minimumsforpliktelse",
    "de": "Mindestabnahme",
    "it": "Impegno minimo",
    "es": "Compromiso mínimo",
    "sv": "Minimiåtagande",
    "pt-BR": "Compromisso mínimo",
    "ja": "最低利用額",
    "zh-TW": "最低承諾",
}


def commitment_name(locale: str) -> str:
    """What invoices call a commitment that has no name, in words that documents can print (invoicing §7.1).

    >>> commitment_name("fr"), commitment_name("ja"), commitment_name("xx")
    ('Engagement minimum', '最低利用額', 'Minimum commitment')
    """
    return _NAMES.get(locale, _NAMES["en"])


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentFacts:
    """A commitment for `full_days`, of which `days` are reconciled, and what was spent on them, before coupons."""

    amount_cents: int
    days: int
    full_days: int
    spent_cents: int
    precise_spent_cents: Fraction
    window: Step


def compute_commitment_fee(facts: CommitmentFacts, currency: Currency) -> Fee | None:
    """What was spent less than committed; None where nothing lacks.

    500.00 for 17 of 30 days, 213.40 spent:

    >>> from tallymark.domain.money import currency
    >>> facts = CommitmentFacts(amount_cents=50000, days=17, full_days=30, spent_cents=21340,
    ...     precise_spent_cents=Fraction(21340), window={})
    >>> compute_commitment_fee(facts, currency("EUR")).amount_cents
    6993
    """
    exact = prorate(facts.amount_cents, days=facts.days, of=facts.full_days)
    committed = round_cents(exact)
    cents = committed - facts.spent_cents
    if cents <= 0:
        return None
    return Fee(
        fee_type=FeeType.COMMITMENT,
        units=Fraction(1),
        total_aggregated_units=Fraction(1),
        events_count=None,
        amount_cents=cents,
        precise_amount_cents=committed - facts.precise_spent_cents,
        precise_unit_amount=major_units(cents, currency),
        unit_amount_cents=cents,
        explanation=(
            facts.window,
            {"step": "base_amount", "amount_cents": facts.amount_cents},
            {
                "step": "proration",
                "fraction": f"{facts.days}/{facts.full_days}",
                "amount_cents": plain_text(exact, 20),
            },
            rounding_step(committed),
            {"step": "minimum", "used_cents": facts.spent_cents, "amount_cents": cents},
        ),
    )
