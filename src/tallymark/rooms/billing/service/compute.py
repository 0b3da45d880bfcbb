"""Gather the facts of an invoice and have the domain compute it: nothing here writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.fees.model import Fee
from tallymark.domain.fees.subscription_fee import SubscriptionFeeFacts, compute_subscription_fee
from tallymark.domain.money import currency
from tallymark.rooms.adjustments import service as adjustments
from tallymark.rooms.adjustments.model import CommitmentTerms, PendingAdjustment
from tallymark.rooms.billing.model import NOTHING_ASSUMED, Assumed, Computed, Line, Source, Subject
from tallymark.rooms.billing.service import commitments, fixed_charges, progressive_credits
from tallymark.rooms.billing.service.adjusted import Scope, adjusted_lines, gather_adjusted
from tallymark.rooms.billing.service.coupons import NO_COUPONS, CouponBook, make_computed
from tallymark.rooms.billing.service.standalone import renewal_lines, renewed_charges
from tallymark.rooms.fees.model import AdjustedFee
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Reason
from tallymark.rooms.plans.model import Charge, Commitment
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.model import ChargeLine
from tallymark.rooms.usage.service import TaxTable

Scopes = Mapping[UUID, Scope]


@dataclass(frozen=True, slots=True)
class _Facts:
    """All that the invoices of some subscriptions follow from; by subscription where not said otherwise."""

    taxes: TaxTable
    fee_days: Mapping[UUID, set[date]]
    fixed: fixed_charges.FixedFacts
    spent: commitments.Spent
    usage: Mapping[UUID, Sequence[Line]]
    rated: Mapping[UUID, Sequence[Charge]]
    renewals: Mapping[UUID, Sequence[Line]]
    progressive: Mapping[UUID, Source]
    pending: Mapping[UUID, Sequence[PendingAdjustment]]
    adjusted: Sequence[AdjustedFee]
    """What was told otherwise of the fees of a draft."""
    scopes: Scopes
    """What the charges with usage are priced by."""


async def compute(
    tx: Tx,
    subjects: Sequence[Subject],
    *,
    made_at: datetime,
    invoice_id: UUID | None = None,
    book: CouponBook = NO_COUPONS,
    assumed: Assumed = NOTHING_ASSUMED,
) -> Computed:
    """Compute the invoice of subjects that share a customer and a currency (invoicing §4, §5). See `compute_all`."""
    facts = await _gather(tx, subjects, made_at=made_at, invoice_id=invoice_id, assumed=assumed)
    return _computed(subjects, facts, book)


async def compute_all(
    tx: Tx, groups: Sequence[tuple[Sequence[Subject], CouponBook]], *, made_at: datetime
) -> list[Computed]:
    """Compute an invoice for each group, in a number of statements that does not depend on how many there are.

    `made_at` is when the invoices are made: only base prices billed before it count as earlier. Each group comes with the
    coupons that its invoice uses, in this order.
    """
    everyone = [subject for group, _ in groups for subject in group]
    facts = await _gather(tx, everyone, made_at=made_at, invoice_id=None)
    return [_computed(group, facts, book) for group, book in groups]


async def _gather(
    tx: Tx,
    subjects: Sequence[Subject],
    *,
    made_at: datetime,
    invoice_id: UUID | None,
    assumed: Assumed = NOTHING_ASSUMED,
) -> _Facts:
    table = await usage.gather_taxes(tx, [subject.contract for subject in subjects])
    ids = [subject.contract.subscription.id for subject in subjects]
    fixed = await fixed_charges.gather(tx, subjects, except_invoice=invoice_id, made_at=made_at)
    scopes = await _scopes(tx, subjects, table, assumed)
    fee_days = await invoices.subscription_fee_days(tx, ids, except_invoice=invoice_id, before=made_at)
    return _Facts(
        taxes=table,
        fee_days=_with_assumed(fee_days, assumed.billed),
        fixed=replace(fixed, events={**fixed.events, **assumed.unit_events}),
        spent=await commitments.gather_spent(tx, subjects, except_invoice=invoice_id, assumed=assumed.billed),
        usage=await _charge_lines(tx, scopes),
        rated=_rated(subjects, scopes),
        renewals={
            subject.contract.subscription.id: await _renewals(tx, subject, table) for subject in subjects
        },
        progressive=await progressive_credits.gather(tx, subjects, except_invoice=invoice_id),
        pending=await adjustments.pending_of(tx, ids, invoice_id=invoice_id),
        adjusted=await gather_adjusted(tx, [subject.contract for subject in subjects], invoice_id)
        if invoice_id is not None
        else (),
        scopes=scopes,
    )


def _with_assumed(fee_days: Mapping[UUID, set[date]], billed: Sequence[Computed]) -> Mapping[UUID, set[date]]:
    """The days on which base prices are billed, those of invoices that come before among them."""
    found = {one: set(days) for one, days in fee_days.items()}
    for computed in billed:
        carrying = {line.contract.subscription.id for line in computed.lines if line.is_base_fee}
        for subject in computed.subjects:
            if subject.contract.subscription.id in carrying:
                found.setdefault(subject.contract.subscription.id, set()).add(subject.day)
    return found


def _computed(subjects: Sequence[Subject], facts: _Facts, book: CouponBook) -> Computed:
    lines: list[Line] = []
    held: dict[UUID, CommitmentTerms] = {}
    for subject in subjects:
        subscription_id = subject.contract.subscription.id
        earlier = facts.fee_days.get(subscription_id, set())
        own = [
            *subscription_lines(subject, facts.taxes, earlier),
            *facts.usage.get(subscription_id, ()),
            *facts.renewals.get(subscription_id, ()),
            *fixed_charges.fixed_charge_lines(subject, facts.fixed, facts.taxes),
        ]
        own = adjusted_lines(subject, own, facts.adjusted, facts.taxes, facts.scopes.get(subscription_id))
        lines += own
        settled = commitments.settle(subject, own, facts.spent, facts.taxes, billed_days=earlier)
        if settled is not None:
            held[subscription_id] = settled.terms
            lines += settled.lines
        lines += adjustment_lines(subject, facts.pending.get(subscription_id, ()))
    ids = [subject.contract.subscription.id for subject in subjects]
    sources = {one: facts.progressive[one] for one in ids if one in facts.progressive}
    rated = {one: facts.rated[one] for one in ids if one in facts.rated}
    return replace(make_computed(subjects, lines, book, sources), rated=rated, commitments=held)


def adjustment_lines(subject: Subject, pending: Sequence[PendingAdjustment]) -> list[Line]:
    """What corrected events of periods that are billed cost more: what a period's end bills, bills that as well."""
    if not (subject.is_recurring or subject.reason is Reason.TERMINATING):
        return []
    return [
        Line(
            fee=one.fee,
            contract=subject.contract,
            taxes=one.taxes,
            period=one.period,
            usage=ChargeLine(charge=one.item, fee=one.fee, taxes=one.taxes)
            if isinstance(one.item, Charge)
            else None,
            commitment=one.item if isinstance(one.item, Commitment) else None,
            display_name=one.name,
            adjustment_id=one.id,
        )
        for one in pending
    ]


def subscription_lines(subject: Subject, table: TaxTable, billed_days: set[date]) -> list[Line]:
    """The base price, if this record carries one."""
    if subject.reason in (Reason.IN_ADVANCE, Reason.PROGRESSIVE):
        return []
    fee = base_fee(subject, billed_days)
    if fee is None:
        return []
    period = subject.boundaries.subscription.period
    return [Line(fee=fee, contract=subject.contract, taxes=table.of(subject.contract), period=period)]


def base_fee(subject: Subject, billed_days: set[date]) -> Fee | None:
    """The base price of a record; `billed_days` are the billing days that carry one already (subscriptions §4.3-4.5)."""
    contract = subject.contract
    return compute_subscription_fee(
        SubscriptionFeeFacts(
            amount_cents=contract.plan.amount_cents,
            schedule=contract.schedule,
            life=subject.life,
            boundaries=subject.boundaries,
            at=subject.at,
            created_at=contract.subscription.made_at,
            is_starting_record=subject.reason is Reason.STARTING,
            has_earlier_fee=bool(billed_days) or contract.subscription.was_billed_elsewhere,
            is_billed_on_this_day=subject.day in billed_days,
            has_predecessor=contract.relations.predecessor is not None,
            is_first_after_upgrade=contract.was_upgraded_to and not billed_days,
            trial_end=contract.trial_end,
            is_in_trial=contract.is_in_trial(subject.at),
        ),
        currency(contract.plan.amount_currency),
    )


async def _scopes(
    tx: Tx, subjects: Sequence[Subject], table: TaxTable, assumed: Assumed
) -> dict[UUID, Scope]:
    """Whose usage of which charges is billed, over the charges window of each record, by subscription."""
    successors = await _successors(tx, subjects, assumed)
    scopes: dict[UUID, Scope] = {}
    for subject in subjects:
        window = subject.boundaries.charges
        if window is None or not window.is_billable or subject.reason in (Reason.STARTING, Reason.IN_ADVANCE):
            continue
        scope = usage.RatingScope(
            contract=subject.contract,
            window=window,
            taxes=table,
            # A minimum is owed for a period, not for what has run of it (pricing §10).
            with_minimums=subject.reason is not Reason.PROGRESSIVE,
        )
        scopes[subject.contract.subscription.id] = scope, _billed_in_arrears(subject, successors)
    return scopes


def _rated(subjects: Sequence[Subject], scopes: Scopes) -> dict[UUID, Sequence[Charge]]:
    """The charges by whose prices usage is billed, and what is carried over is renewed, on the invoice or not, by subscription."""
    found: dict[UUID, Sequence[Charge]] = {}
    for subject in subjects:
        subscription_id = subject.contract.subscription.id
        if subscription_id in scopes:
            _, in_arrears = scopes[subscription_id]
            renewed = [one for on_it in (True, False) for one in renewed_charges(subject, invoiceable=on_it)]
            found[subscription_id] = [*in_arrears, *renewed]
    return found


async def _charge_lines(tx: Tx, scopes: Scopes) -> dict[UUID, list[Line]]:
    """The fees of charges with usage, by subscription."""
    found = await usage.gather_all_charge_lines(tx, list(scopes.values()))
    return {
        subscription_id: [line for used in of_scope if used.is_kept for line in _with_true_up(scope, used)]
        for (subscription_id, (scope, _)), of_scope in zip(scopes.items(), found, strict=True)
    }


def _with_true_up(scope: usage.RatingScope, used: ChargeLine) -> Iterator[Line]:
    for is_true_up, fee in ((False, used.fee), (True, used.true_up)):
        if fee is not None:
            yield Line(
                fee=fee,
                contract=scope.contract,
                taxes=used.taxes,
                period=scope.window.period,
                usage=used,
                is_true_up=is_true_up,
            )


async def _successors(tx: Tx, subjects: Sequence[Subject], assumed: Assumed) -> dict[UUID, Contract]:
    """What took over from subscriptions that an upgrade ends, by its own id."""
    ids = {
        after.id
        for subject in subjects
        if (after := subject.contract.relations.successor) is not None and _is_upgraded_away(subject)
    }
    unknown = ids - assumed.contracts.keys()
    found = await subscriptions.live_contracts(tx, unknown) if unknown else []
    return {**assumed.contracts, **{contract.subscription.id: contract for contract in found}}


def _is_upgraded_away(subject: Subject) -> bool:
    return subject.reason is Reason.TERMINATING and subject.contract.life.is_upgraded


def _billed_in_arrears(subject: Subject, successors: Mapping[UUID, Contract]) -> list[Charge]:
    """The charges that a period's end bills: in advance is billed event by event.

    What an upgrade carries on, level and all, is left to the new plan: recurring metrics that it has too, unless prorated.
    """
    charges = [charge for charge in subject.contract.plan.charges if not charge.pay_in_advance]
    after = subject.contract.relations.successor
    if after is None or not _is_upgraded_away(subject):
        return charges
    carried_on = {charge.billable_metric.id for charge in successors[after.id].plan.charges}
    return [
        charge
        for charge in charges
        if charge.prorated
        or not charge.billable_metric.recurring
        or charge.billable_metric.id not in carried_on
    ]


async def _renewals(tx: Tx, subject: Subject, table: TaxTable) -> list[Line]:
    """What recurring charges in advance carry into the next period, where anything (pricing §8.2)."""
    charges = renewed_charges(subject, invoiceable=True)
    return [line for line in await renewal_lines(tx, subject, charges, table) if not line.fee.is_zero]
