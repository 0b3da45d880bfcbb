"""Give back time that was paid in advance and is not used (subscriptions §4.6)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing.creditable import Parts
from tallymark.domain.invoicing.notes import NoteAmounts
from tallymark.domain.invoicing.unused_time import Return, UnusedTime, credit_unused_time
from tallymark.domain.periods import local_date, start_of_day
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.credit_notes.service.facts import Facts, gather
from tallymark.rooms.credit_notes.service.save import About, as_note, note_row, save
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.subscriptions.model import Contract

ONE_DAY = timedelta(days=1)
MOST_DAYS_APART = 2 * ONE_DAY
"""By how much a billing day may be another one in another zone (docs/decisions/0012)."""

CANCELLED = About(reason="order_cancellation")


async def give_back_unused_time(tx: Tx, contract: Contract, *, now: datetime) -> UUID | None:
    """Make the note for what an ended subscription paid in advance and did not use; None where there is nothing (§4.6).

    While the invoice of that payment is not final there is nothing yet: its finalization calls again. Calling twice
    gives back once.
    """
    unused = await _unused(tx, contract)
    return None if unused is None else await save(tx, *unused, CANCELLED, now=now)


async def note_to_be(tx: Tx, contract: Contract, *, now: datetime) -> CreditNote | None:
    """The note that `give_back_unused_time` would make, not made."""
    unused = await _unused(tx, contract)
    if unused is None:
        return None
    return as_note(await note_row(tx, *unused, CANCELLED, now=now))


async def _unused(tx: Tx, contract: Contract) -> tuple[Facts, NoteAmounts, Parts] | None:
    subscription, life = contract.subscription, contract.life
    is_upgrade = life.has_successor and not life.is_downgraded
    option = subscription.on_termination_credit_note or "credit"
    if not contract.plan.pay_in_advance or option == "skip" or life.is_downgraded:
        return None
    fee = await fees.last_base_fee(tx, subscription.id)
    if fee is None or fee.amount_cents == 0 or fee.invoice_id is None:
        return None
    invoice = await invoices.find_invoice(tx, fee.invoice_id)
    if invoice is None or invoice.status is not InvoiceStatus.FINALIZED:
        return None
    first_billed = _first_billed(fee, invoice)
    if not _is_of_last_period(contract, first_billed, invoice):
        return None
    facts = await gather(tx, invoice)
    way = Return.CREDIT if is_upgrade else Return(option)
    unused = _unused_time(contract, fee, facts, first_billed=first_billed, is_upgrade=is_upgrade)
    found = credit_unused_time(unused, way)
    return None if found is None else (facts, *found)


def _first_billed(fee: FeeRecord, invoice: Invoice) -> date:
    """The first day that a fee is for, in the zone in which it was billed."""
    assert fee.from_at is not None
    return local_date(fee.from_at, ZoneInfo(invoice.timezone))


def _is_of_last_period(contract: Contract, first_billed: date, invoice: Invoice) -> bool:
    """Whether a fee is for the period in which the subscription ended: the first always has one.

    Days are known by their dates, for the customer may have moved since; an anniversary may be another day there (subscriptions
    §5.2).
    """
    assert contract.life.terminated_at is not None
    zone = contract.timezone
    period_start = contract.schedule.cycle().period_start(local_date(contract.life.terminated_at, zone))
    shift = timedelta(0) if invoice.timezone == zone.key else MOST_DAYS_APART
    is_first = start_of_day(period_start, zone) < contract.life.started_at
    return is_first or first_billed + shift >= period_start


def _unused_time(
    contract: Contract, fee: FeeRecord, facts: Facts, *, first_billed: date, is_upgrade: bool
) -> UnusedTime:
    assert contract.life.terminated_at is not None
    zone, cycle = contract.timezone, contract.schedule.cycle()
    day = local_date(contract.life.terminated_at, zone)
    # Until the paid period begins here, too, all of it is left.
    held = max(day, first_billed)
    last = cycle.period_end(cycle.period_start(held))
    unused = (last - day).days + is_upgrade
    trial_day = local_date(contract.trial_end, zone) if contract.trial_end else None
    if trial_day is not None:
        if trial_day >= day - is_upgrade * ONE_DAY:
            unused = (last - min(last, trial_day - ONE_DAY)).days
        first_billed = max(first_billed, trial_day)
    return UnusedTime(
        plan_amount_cents=int(fee.amount_details.get("plan_amount_cents", contract.plan.amount_cents)),
        full_days=cycle.length(held),
        unused_days=max(unused, 0),
        used_days=max((min(day, last) - first_billed).days + 1, 0),
        invoice=facts.creditable,
        position=next(place for place, one in enumerate(facts.fees) if one.id == fee.id),
        taxes_cents=Fraction(fee.taxes_precise_amount_cents),
        inclusive_cents=facts.invoice.sub_total_including_taxes_amount_cents,
    )
