"""Ask customers for what is overdue, as their campaigns say (wallets §17).

Whoever asks, or looks who is to be asked, shares a lock that those who change campaigns and choices of billing entities want alone:
nobody is asked by what does not apply any more, and nobody is forgotten who became overdue meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.dunning import Progress, attempt, next_attempt_at, paid, reached
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.dunning import repository
from tallymark.rooms.dunning.model import Campaign, Overdue, Subject
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.payment_requests import service as requests
from tallymark.rooms.payment_requests.model import Bundle

LOCK = "dunning"


async def share_lock(tx: Tx) -> None:
    """Keep campaigns and choices as they are until the transaction ends. After the customers' locks."""
    await tx.lock_all(LOCK, [tx.organization_id], is_shared=True)


async def watch_customers(tx: Tx, customer_ids: Collection[UUID], *, now: datetime) -> None:
    """Have those of some customers looked at whom a campaign may ask: something of theirs may be overdue since now."""
    await share_lock(tx)
    await note(tx, await repository.concerned(tx, customer_ids=customer_ids), now=now)


async def note(tx: Tx, customer_ids: Sequence[UUID], *, now: datetime) -> None:
    """Have customers looked at now. Noted, not enqueued one by one: the scheduler finds them, and they may be many."""
    await agenda.put(tx, *(_item(customer_id, now) for customer_id in customer_ids))


async def ask(tx: Tx, customer_ids: Collection[UUID], *, now: datetime) -> None:
    """Ask those of some customers whose time has come: payment requests by issuer and currency, and who was asked the last time.

    Needs the customers' locks. Each is looked at again at the first instant at which more is to be asked, as things are.
    """
    await share_lock(tx)
    subjects = await repository.subjects(tx, customer_ids)
    campaigns = await repository.get_campaigns(tx, {one.campaign_id for one in subjects}) if subjects else {}
    overdue: dict[UUID, list[Overdue]] = defaultdict(list)
    for one in await repository.overdue_of(tx, [one.customer_id for one in subjects]) if subjects else ():
        overdue[one.customer_id].append(one)
    owed = [one.invoice_id for theirs in overdue.values() for one in theirs]
    busy = await requests.being_collected(tx, owed)
    progress: dict[UUID, Progress] = {}
    bundles: list[Bundle] = []
    finished: list[Message] = []
    later: list[Item] = []
    for subject in subjects:
        campaign, theirs = campaigns[subject.campaign_id], overdue[subject.customer_id]
        balances = _balances(theirs)
        made = attempt(campaign.terms, subject.progress, balances, now=now)
        if made is not None:
            progress[subject.customer_id] = made.progress
            ready = [one for one in theirs if one.invoice_id not in busy]
            asked = {*made.currencies} & reached(campaign.terms.thresholds, _balances(ready))
            bundles += _bundles(subject, [one for one in ready if one.currency in asked])
            if made.is_last:
                finished.append(_finished(subject, campaign, balances))
        progressed = made.progress if made else subject.progress
        next_at = next_attempt_at(campaign.terms, progressed)
        if (
            next_at is not None
            and now < next_at
            and attempt(campaign.terms, progressed, balances, now=next_at)
        ):
            later.append(_item(subject.customer_id, next_at))
    await repository.save_progress(tx, progress)
    await requests.save(tx, bundles, now=now)
    await emit(tx, *finished, now=now)
    await agenda.put(tx, *later)


async def follow_payments(tx: Tx, invoice_ids: Collection[UUID], *, now: datetime) -> None:
    """Begin anew with the currencies of invoices that a campaign had asked for, and that are paid.

    Needs the customers' locks.
    """
    asked = await requests.asked_by_campaigns(tx, invoice_ids)
    if not asked:
        return
    await share_lock(tx)
    found = [
        one for one in (await invoices.get_invoices(tx, asked)).values() if one.payment_status == "succeeded"
    ]
    progress = await repository.progress_of(tx, {one.customer_id for one in found})
    for one in found:
        if one.customer_id in progress:
            progress[one.customer_id] = paid(progress[one.customer_id], one.currency)
    await repository.save_progress(tx, progress)
    await note(tx, await repository.concerned(tx, customer_ids=progress.keys()), now=now)


def _balances(overdue: Sequence[Overdue]) -> dict[str, int]:
    """What is due of overdue invoices, by currency."""
    balances: dict[str, int] = {}
    for one in overdue:
        balances[one.currency] = balances.get(one.currency, 0) + one.due_cents
    return dict(sorted(balances.items()))


def _bundles(subject: Subject, overdue: Sequence[Overdue]) -> Iterator[Bundle]:
    """A request for each currency and issuer, with what is due of it."""
    parts: dict[tuple[str, UUID], dict[UUID, int]] = {}
    for one in overdue:
        if one.due_cents > 0:
            parts.setdefault((one.currency, one.billing_entity_id), {})[one.invoice_id] = one.due_cents
    for (currency, entity_id), due_cents in sorted(parts.items(), key=lambda part: part[0][0]):
        yield Bundle(
            customer_id=subject.customer_id,
            billing_entity_id=entity_id,
            email=subject.email,
            currency=currency,
            due_cents=due_cents,
            dunning_campaign_id=subject.campaign_id,
        )


def _finished(subject: Subject, campaign: Campaign, balances: Mapping[str, int]) -> Message:
    """Tell that a customer is asked no more; the balance of one without a currency is of the first that there is."""
    owed = {currency: cents for currency, cents in balances.items() if cents > 0}
    currency = subject.currency or next(iter(owed))
    payload = {
        "external_customer_id": subject.external_id,
        "customer_external_id": subject.external_id,
        "dunning_campaign_code": campaign.code,
        "overdue_balance_cents": owed.get(currency, 0),
        "overdue_balance_currency": currency,
        "overdue_balances": [{"currency": one, "amount_cents": cents} for one, cents in owed.items()],
    }
    return Message(
        webhook_type="dunning_campaign.finished",
        object_type="dunning_campaign",
        object_id=campaign.id,
        payload=payload,
    )


def _item(customer_id: UUID, at: datetime) -> Item:
    return Item(kind=Kind.DUN_CUSTOMER, subject_id=customer_id, owner_id=customer_id, due_at=at)
