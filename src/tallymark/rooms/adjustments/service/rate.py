"""Rate billed usage again, by the terms that it was billed by and from the events as they are now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.rooms.adjustments.model import TRUE_UP, BilledItem, BilledUsage, ItemKey, LineKey, Rated
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.model import ChargeLine

RatedLines = Mapping[LineKey, Rated]


async def rate(tx: Tx, billed: Sequence[BilledItem]) -> Mapping[ItemKey, RatedLines]:
    """What each line of billed charges comes to now, by the one rating path; all at once."""
    windows: dict[tuple[object, object], BilledUsage] = {one.usage.key: one.usage for one in billed}
    asked = [(scope_of(one), one.charges) for one in windows.values()]
    rated: dict[ItemKey, dict[LineKey, Rated]] = {one.key: {} for one in billed}
    for one, lines in zip(windows.values(), await usage.gather_all_charge_lines(tx, asked), strict=True):
        for line in lines:
            rated[one.key_of(line.charge)].update(rated_lines(line))
    return rated


def scope_of(billed: BilledUsage) -> usage.RatingScope:
    """What of its usage is rated: all that it had when it was billed, and what was corrected since."""
    return usage.RatingScope(
        contract=billed.contract,
        window=billed.window,
        taxes=usage.NO_TAXES,
        with_minimums=True,
        billed_at=billed.finalized_at,
    )


def rated_lines(line: ChargeLine) -> Iterator[tuple[LineKey, Rated]]:
    """A line, and its true-up where it has one, as what they come to."""
    group = tuple(sorted(line.grouped_by.items()))
    filter_id = line.filter.id if line.filter else None
    values = {key: list(of_key) for key, of_key in line.filter.values.items()} if line.filter else None
    yield (
        (filter_id, group, False),
        Rated(
            units=line.fee.units,
            amount_cents=line.fee.amount_cents,
            explanation=line.fee.explanation,
            filter_values=values,
            grouped_by=line.grouped_by,
        ),
    )
    if line.true_up is not None:
        true_up = Rated(
            units=Fraction(0),
            amount_cents=line.true_up.amount_cents,
            explanation=line.true_up.explanation,
            filter_values=None,
            grouped_by={},
        )
        yield TRUE_UP, true_up
