"""How many credits a recurring rule adds (wallets §8)."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.domain.exact import Fraction


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


def is_at_threshold(threshold: Fraction, ongoing: Fraction, pending: Fraction = Fraction(0)) -> bool:
    """Whether a wallet is to be filled: neither what usage leaves nor that with pending purchases is more; in credits."""
    return ongoing <= threshold and ongoing + pending <= threshold


def threshold_top_up(
    terms: RuleTerms, ongoing: Fraction, limits: Limits, *, threshold: Fraction, pending: Fraction
) -> TopUp:
    """What a rule adds at its threshold: of a fixed one as often as it takes to get above, in credits.

    >>> rule = RuleTerms(paid=Fraction(20), granted=Fraction(5))
    >>> threshold_top_up(rule, Fraction("-37.5"), Limits(), threshold=Fraction(10), pending=Fraction(0)).paid
    Fraction(60, 1)
    """
    if terms.target is not None:
        return target_top_up(terms, ongoing, limits)
    if not terms.paid:
        return TopUp(granted=terms.granted)
    gap = threshold - ongoing - terms.granted - pending
    paid = terms.paid if gap < terms.paid else terms.paid * (gap // terms.paid + 1)
    if limits.max_credits is not None and not terms.ignores_limits:
        paid = min(paid, limits.max_credits)
    return TopUp(paid=paid, granted=terms.granted)
