"""How many credits a recurring rule adds (wallets §8)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may be bought at once, in credits; None is no limit."""

    min_credits: Fraction | None = None
    max_credits: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTerms:
    """A rule's figures, in credits; `target` is None for a fixed rule."""

    paid: Fraction = Fraction(0)
    granted: Fraction = Fraction(0)
    target: Fraction | None = None
    grants_target_top_up: bool = False
    ignores_limits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """Credits to be bought and to be given."""

    paid: Fraction = Fraction(0)
    granted: Fraction = Fraction(0)

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to add."""
        return not self.paid and not self.granted


def interval_top_up(terms: RuleTerms, ongoing: Fraction, limits: Limits) -> TopUp:
    """What a rule adds when its interval has passed; `ongoing` is the ongoing balance in credits.

    >>> rule = RuleTerms(target=Fraction(100))
    >>> str(interval_top_up(rule, Fraction("12.5"), Limits(min_credits=Fraction(50))).paid)
    '175/2'
    """
    if terms.target is None:
        return TopUp(paid=terms.paid, granted=terms.granted)
    return target_top_up(terms, ongoing, limits)


def target_top_up(terms: RuleTerms, ongoing: Fraction, limits: Limits) -> TopUp:
    """What is missing to a target: granted, or bought and then at least the wallet's minimum (unless limits are ignored)."""
    assert terms.target is not None, "a rule of the target method has one"
    gap = terms.target - ongoing
    if gap <= 0:
        return TopUp()
    if terms.grants_target_top_up:
        return TopUp(granted=gap)
    least = Fraction(0) if terms.ignores_limits or limits.min_credits is None else limits.min_credits
    return TopUp(paid=max(gap, least))
