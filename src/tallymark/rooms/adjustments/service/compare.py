"""Hold what usage comes to against what was billed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tallymark.domain.errors import NotAllowed
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.correction import CorrectedLine
from tallymark.rooms.adjustments.model import BilledItem, Difference, ItemKey, LineKey, Rated
from tallymark.rooms.adjustments.service.rate import RatedLines
from tallymark.rooms.fees.model import FeeRecord

NOTHING = Rated(units=Fraction(0), amount_cents=0, explanation=(), filter_values=None, grouped_by={})


def follows(billed: BilledItem, rated: RatedLines) -> bool:
    """Whether what was billed follows from events: what a fee that was told by hand would have been, say, is nobody's to tell."""
    return sum(line.amount_cents for line in rated.values()) == billed.known_cents


def differences(
    billed: Sequence[BilledItem],
    *,
    before: Mapping[ItemKey, RatedLines],
    after: Mapping[ItemKey, RatedLines],
) -> list[Difference]:
    """By how much charges differ after a correction, those left out that do not.

    Raises `NotAllowed("billed_otherwise")` where what was billed did not follow from the events before it, on an invoice that is
    not void.
    """
    told = [one for one in billed if follows(one, before[one.key])]
    if any(not one.usage.is_void and not follows(one, before[one.key]) for one in billed):
        raise NotAllowed("billed_otherwise")
    found = [_difference(one, after[one.key]) for one in told]
    return [one for one in found if one.amount_cents or one.billed.is_to_be_told_anew]


def _difference(billed: BilledItem, rated: RatedLines) -> Difference:
    keys = {**dict.fromkeys(billed.fees), **dict.fromkeys(rated)}
    lines = [_line(billed, key, rated.get(key, NOTHING)) for key in keys]
    total = sum(line.amount_cents for line in lines)
    return Difference(
        billed=billed,
        lines=lines,
        amount_cents=total - billed.billed_cents - billed.adjusted_cents,
        by_decrease=_by_decrease(billed, rated),
    )


def _line(billed: BilledItem, key: LineKey, now: Rated) -> CorrectedLine:
    fee = billed.fees.get(key)
    return CorrectedLine(
        billed_cents=fee.amount_cents if fee else 0,
        amount_cents=now.amount_cents,
        explanation=now.explanation,
        filter_values=now.filter_values,
        grouped_by=dict(key[1]),
    )


def _by_decrease(billed: BilledItem, rated: RatedLines) -> list[FeeRecord]:
    found = sorted(
        billed.fees.items(),
        key=lambda item: rated.get(item[0], NOTHING).amount_cents - item[1].amount_cents,
    )
    return [fee for _, fee in found]
