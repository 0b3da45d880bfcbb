"""Plans' commitments that were held against corrected usage: what lacks of them is settled anew (pricing §15, beyond.md §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import Window
from tallymark.domain.errors import NotAllowed
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.commitment import CommitmentFacts, compute_commitment_fee
from tallymark.domain.fees.model import FeeType
from tallymark.domain.money import currency
from tallymark.domain.periods import Period
from tallymark.domain.values import value
from tallymark.rooms.adjustments import repository
from tallymark.rooms.adjustments.model import (
    TRUE_UP,
    BilledItem,
    BilledUsage,
    CommitmentTerms,
    Difference,
    ItemKey,
    LineKey,
    Rated,
    Settled,
)
from tallymark.rooms.adjustments.service.compare import differences, follows
from tallymark.rooms.adjustments.service.gather import ISSUED, as_billed, with_adjustments
from tallymark.rooms.adjustments.service.rate import RatedLines
from tallymark.rooms.advance import service as advance
from tallymark.rooms.advance.model import PricedEvent
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.invoices.relations import standing_of
from tallymark.rooms.plans.model import Charge, Commitment
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage import service as usage


@value
class BilledCommitment:
    """A commitment that is billed, and what was spent in its period as far as corrections are known, in minor units."""

    billed: BilledItem
    record_of: UUID
    """The invoice whose billing record has the terms."""

    settled_at: datetime
    """When that was final."""

    terms: CommitmentTerms
    spent_cents: int

    @property
    def owner_id(self) -> UUID:
        """The subscription whose plan has it."""
        return self.billed.usage.contract.subscription.id


@value
class Corrected:
    """By how much what a window cost differs from what was billed of it, and whether that is void."""

    period: Period
    cents: int
    is_void: bool = False


async def corrected_of(tx: Tx, subscription_ids: Sequence[UUID]) -> Mapping[UUID, Sequence[Corrected]]:
    """By how much the windows of subscriptions' charges were corrected since they were billed."""
    found: dict[UUID, list[Corrected]] = {}
    for (subscription_id, charge_id, start), since in (
        await repository.adjusted_of(tx, subscription_ids)
    ).items():
        if charge_id is not None and since.to_at is not None:
            period = Period(start, since.to_at)
            found.setdefault(subscription_id, []).extend(
                Corrected(period=period, cents=cents, is_void=is_void)
                for cents, is_void in ((since.spent_cents, False), (since.void_cents, True))
                if cents
            )
    return found


async def gather_commitments(tx: Tx, billed: Sequence[BilledItem]) -> list[BilledCommitment]:
    """The commitments on final invoices that billed usage was held against; none where its period goes on.

    Raises `NotAllowed("invoice_not_final")`.
    """
    periods: dict[UUID, list[Period]] = {}
    for one in billed:
        owner = one.usage.contract.subscription.id
        periods.setdefault(owner, []).append(one.usage.window.period)
    return await _gather(
        tx, {one.usage.contract.subscription.id: one.usage.contract for one in billed}, periods
    )


async def count_spent(tx: Tx, priced: Sequence[PricedEvent]) -> list[Difference]:
    """Count events that corrections brought towards commitments that had been held against their periods before; what comes of it.

    They are in the log, and some of them may just have come too late. Needs the customers' locks. Nothing is counted where what
    lacked did not follow from what was spent, or waits for its taxes.
    """
    contracts = {item.contract.subscription.id: item.contract for item in priced}
    fresh: dict[UUID, list[Corrected]] = {}
    for item in priced:
        found = Corrected(period=item.window.period, cents=item.fee.amount_cents)
        fresh.setdefault(item.contract.subscription.id, []).append(found)
    periods = {owner: [one.period for one in own] for owner, own in fresh.items()}
    try:
        known = await _gather(tx, contracts, periods)
    except NotAllowed:
        return []
    late = await late_cents(tx, known, priced)
    before, after = rate_commitments(known, {}), rate_commitments(known, fresh, late_cents=late)
    told = [one for one in known if follows(one.billed, before[one.billed.key])]
    for one in told:
        more = spent_more(one.terms, fresh.get(one.owner_id, ())) - late[one.billed.key]
        await repository.add_spent(tx, invoice_id=one.record_of, subscription_id=one.owner_id, cents=more)
    return differences([one.billed for one in told], before=before, after=after)


async def late_cents(
    tx: Tx, known: Sequence[BilledCommitment], priced: Sequence[PricedEvent]
) -> Mapping[ItemKey, int]:
    """What of events no commitment has counted that was held against their period before they were priced, by commitment.

    What a correction put there it has.
    """
    counted = await advance.counted_at(
        tx, {item.event.id for item in priced}, {one.settled_at for one in known}
    )
    return {
        one.billed.key: sum(
            item.fee.amount_cents
            for item in priced
            if item.contract.subscription.id == one.owner_id
            and one.terms.holds(item.window.period.start, item.window.period.end)
            and (item.event.id, item.charge.id, one.settled_at) not in counted
        )
        for one in known
    }


async def leave_out(tx: Tx, known: Sequence[BilledCommitment], late_cents: Mapping[ItemKey, int]) -> None:
    """Have commitments go on without so much more, or less, that late events cost: their charges' adjustments have it."""
    for one in known:
        if late := late_cents[one.billed.key]:
            await repository.add_spent(
                tx, invoice_id=one.record_of, subscription_id=one.owner_id, cents=-late
            )


async def _gather(
    tx: Tx, contracts: Mapping[UUID, Contract], periods: Mapping[UUID, Sequence[Period]]
) -> list[BilledCommitment]:
    """The commitments that some periods of subscriptions were held against."""
    settled = [
        one
        for one in await repository.settled_of(tx, contracts.keys())
        if any(one.terms.holds(period.start, period.end) for period in periods.get(one.subscription_id, ()))
    ]
    if not settled:
        return []
    found = await standing_of(tx, {one.invoice_id for one in settled})
    of_invoices = await fees.of_invoices(tx, {one.id for one in found.values()})
    corrected = await corrected_of(tx, list(contracts))
    asked: list[tuple[BilledUsage, Charge | Commitment, Mapping[LineKey, FeeRecord]]] = []
    for one in settled:
        invoice = found[one.invoice_id]
        if invoice.status not in (*ISSUED, InvoiceStatus.VOIDED):
            raise NotAllowed("invoice_not_final")
        own = next((fee for fee in of_invoices.get(invoice.id, ()) if _is_of(one, fee)), None)
        used = _usage(one, invoice, contracts[one.subscription_id])
        asked.append((used, one.terms.commitment, {} if own is None else {TRUE_UP: own}))
    return [
        BilledCommitment(
            billed=item,
            record_of=one.invoice_id,
            settled_at=one.finalized_at,
            terms=one.terms,
            spent_cents=one.terms.spent_cents
            + spent_more(one.terms, corrected.get(one.subscription_id, ()), with_void=item.usage.is_void),
        )
        for one, item in zip(settled, await with_adjustments(tx, asked), strict=True)
    ]


def spent_more(terms: CommitmentTerms, corrected: Sequence[Corrected], *, with_void: bool = False) -> int:
    """By how much corrections changed what was spent in a commitment's period, for one that is void also on void invoices."""
    return sum(
        one.cents
        for one in corrected
        if (with_void or not one.is_void) and terms.holds(one.period.start, one.period.end)
    )


def _is_of(settled: Settled, fee: FeeRecord) -> bool:
    is_own = fee.fee_type is FeeType.COMMITMENT and fee.subscription_id == settled.subscription_id
    return is_own and fee.from_at == settled.terms.period.start and not fee.is_adjustment


def _usage(settled: Settled, invoice: Invoice, contract: Contract) -> BilledUsage:
    terms = settled.terms
    return BilledUsage(
        invoice=invoice,
        contract=as_billed(contract, invoice),
        window=Window(
            period=terms.period,
            wire_to=terms.period.end,
            full_days=terms.full_days,
            full_period=terms.period,
        ),
        finalized_at=settled.finalized_at,
        charges=(),
    )


def changes_of(
    touched: Sequence[BilledItem], before: Mapping[ItemKey, RatedLines], after: Mapping[ItemKey, RatedLines]
) -> Mapping[UUID, Sequence[Corrected]]:
    """By how much billed usage has come from one amount to another, by subscription."""
    found: dict[UUID, list[Corrected]] = {}
    for one in touched:
        changed = Corrected(
            period=one.usage.window.period,
            cents=_total(after[one.key]) - _total(before[one.key]),
            is_void=one.usage.is_void,
        )
        found.setdefault(one.usage.contract.subscription.id, []).append(changed)
    return found


def rate_commitments(
    known: Sequence[BilledCommitment],
    changed: Mapping[UUID, Sequence[Corrected]],
    *,
    late_cents: Mapping[ItemKey, int] | None = None,
) -> Mapping[ItemKey, RatedLines]:
    """What lacks of commitments, where what was spent changes by so much, by subscription.

    `late_cents` is how much of that each does not count.
    """
    return {one.billed.key: _lacking(one, _spent_cents(one, changed, late_cents or {})) for one in known}


def _spent_cents(
    known: BilledCommitment, changed: Mapping[UUID, Sequence[Corrected]], late_cents: Mapping[ItemKey, int]
) -> int:
    more = spent_more(known.terms, changed.get(known.owner_id, ()), with_void=known.billed.usage.is_void)
    return known.spent_cents + more - late_cents.get(known.billed.key, 0)


def _total(lines: RatedLines) -> int:
    return sum(line.amount_cents for line in lines.values())


def _lacking(known: BilledCommitment, spent_cents: int) -> RatedLines:
    used, terms = known.billed.usage, known.terms
    fee = compute_commitment_fee(
        CommitmentFacts(
            amount_cents=terms.commitment.amount_cents,
            days=terms.days,
            full_days=terms.full_days,
            spent_cents=spent_cents,
            precise_spent_cents=Fraction(spent_cents),
            window=usage.period_step(terms.period, used.contract),
        ),
        currency(used.currency),
    )
    if fee is None:
        return {}
    return {
        TRUE_UP: Rated(
            units=Fraction(0),
            amount_cents=fee.amount_cents,
            explanation=fee.explanation,
            filter_values=None,
            grouped_by={},
        )
    }
