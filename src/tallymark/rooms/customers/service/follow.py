"""Move what follows from a customer's zone and terms, or from those of the billing entity that they inherit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import IssuingRules, issuing_shift
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.customers import repository
from tallymark.rooms.customers.model import Customer, DraftDates
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.model import BillingEntity

TERMS = (
    "invoice_grace_period",
    "net_payment_term",
    "subscription_invoice_issuing_date_anchor",
    "subscription_invoice_issuing_date_adjustment",
)
"""What drafts take from the billing entity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A customer's resolved terms before and after; `moves_due_dates` when drafts take the new payment term."""

    customer_id: UUID
    old: IssuingRules
    new: IssuingRules
    moves_due_dates: bool = False

    @property
    def moves_dates(self) -> bool:
        """Whether drafts are issued or finalized on other days."""
        before = self.old.grace_days, self.old.anchor, self.old.adjustment
        return before != (self.new.grace_days, self.new.anchor, self.new.adjustment)


async def follow_customer(tx: Tx, before: Customer, after: Customer, *, now: datetime) -> None:
    """Move what depends on the zone and the terms of one customer that was changed (subscriptions §1.5)."""
    entities = await organizations.get_entities(tx, {before.billing_entity_id, after.billing_entity_id})
    old_entity, new_entity = entities[before.billing_entity_id], entities[after.billing_entity_id]
    if before.applicable_timezone(old_entity) != after.applicable_timezone(new_entity):
        await agenda.leave(tx, _reschedule(after.id, now))
    if (before.billing_entity_id, before.account_type) != (after.billing_entity_id, after.account_type):
        # Another dunning campaign may apply (wallets §17).
        item = Item(kind=Kind.DUN_CUSTOMER, subject_id=after.id, owner_id=after.id, due_at=now)
        await agenda.leave(tx, item)
    change = Change(
        customer_id=after.id, old=before.issuing_rules(old_entity), new=after.issuing_rules(new_entity)
    )
    await _redate(tx, [change])


async def follow_entity(tx: Tx, before: BillingEntity, after: BillingEntity, *, now: datetime) -> None:
    """Move what depends on the zone and the terms of customers who inherit them from an entity (platform §4).

    Their subscriptions are noted anew in the new zone; their drafts are re-dated, and take the new payment term.
    """
    if before.timezone != after.timezone:
        inheriting = await repository.customers_without_timezone(tx, before.id)
        await agenda.put(tx, *(_reschedule(customer_id, now) for customer_id in inheriting))
    if all(getattr(before, name) == getattr(after, name) for name in TERMS):
        return
    with_drafts = await repository.customers_with_drafts(tx, before.id)
    await _redate(
        tx,
        [
            Change(
                customer_id=customer.id,
                old=customer.issuing_rules(before),
                new=customer.issuing_rules(after),
                moves_due_dates=customer.net_payment_term is None
                and before.net_payment_term != after.net_payment_term,
            )
            for customer in with_drafts
        ],
    )


def _reschedule(customer_id: UUID, now: datetime) -> Item:
    return Item(kind=Kind.RESCHEDULE, subject_id=customer_id, owner_id=customer_id, due_at=now)


async def _redate(tx: Tx, changes: Iterable[Change]) -> None:
    """Re-date drafts by the difference that the new terms make (invoicing §3); what is due then is finalized at once."""
    by_customer = {change.customer_id: change for change in changes if change.moves_dates}
    by_term = {change.customer_id: change for change in changes if change.moves_due_dates}
    drafts = await repository.draft_dates(tx, {*by_customer, *by_term})
    await repository.update_draft_dates(
        tx,
        [
            _new_dates(draft, by_customer.get(draft.customer_id), by_term.get(draft.customer_id))
            for draft in drafts
        ],
    )
    moved = [draft for draft in drafts if draft.customer_id in by_customer]
    # Noted, not enqueued one by one: the scheduler finds what is due by itself, and they may be many.
    await agenda.put(
        tx,
        *(
            Item(
                kind=Kind.FINALIZE_INVOICE,
                subject_id=draft.id,
                owner_id=draft.customer_id,
                due_at=_midnight(_finalization(draft, by_customer[draft.customer_id])),
            )
            for draft in moved
        ),
    )


def _new_dates(draft: DraftDates, moved: Change | None, due: Change | None) -> dict[str, Any]:
    shift = 0
    finalization, term = draft.expected_finalization_date, draft.net_payment_term
    due_date = draft.payment_due_date
    if moved is not None:
        shift = issuing_shift(moved.new, is_recurring=draft.is_recurring) - issuing_shift(
            moved.old, is_recurring=draft.is_recurring
        )
        finalization = _finalization(draft, moved)
        due_date = draft.issuing_date + timedelta(days=shift + moved.new.net_payment_term)
    if due is not None:
        term = due.new.net_payment_term
        due_date = draft.issuing_date + timedelta(days=shift + term)
    return {
        "draft_id": draft.id,
        "issuing_date": draft.issuing_date + timedelta(days=shift),
        "expected_finalization_date": finalization,
        "payment_due_date": due_date,
        "net_payment_term": term,
    }


def _finalization(draft: DraftDates, change: Change) -> date:
    return draft.expected_finalization_date + timedelta(days=change.new.grace_days - change.old.grace_days)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
