"""The one place that every change of a wallet passes: here it is told, and here hangs what has to follow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.values import value
from tallymark.jobs import usage_watch
from tallymark.jobs.activity import Changes, changes
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.wallets.model import Wallet


class Event(StrEnum):
    """What happened to a wallet, as its webhook is called."""

    CREATED = "wallet.created"
    UPDATED = "wallet.updated"
    TERMINATED = "wallet.terminated"


@value
class News:
    """A change of a wallet, which is given as it stands now.

    `moves_balance` where credits came in or went out, `moves_reach` where it pays other fees, or earlier or later, than before:
    whoever keeps ongoing balances and alerts looks at those. `invoice_id` names the invoice that drew on it.
    """

    wallet: Wallet
    event: Event = Event.UPDATED
    moves_balance: bool = False
    moves_reach: bool = False
    invoice_id: UUID | None = None
    before: Wallet | None = None
    """It as it was, where somebody changed or ended it."""

    more_changes: Changes = field(default_factory=dict)
    """What was changed of what hangs on it."""


async def announce(tx: Tx, news: Sequence[News], *, now: datetime) -> None:
    """Tell changes of wallets, in one statement however many there are, and have them looked at.

    Who issues an invoice that draws on wallets looks at them then and there.
    """
    await emit(tx, *_messages(news), now=now)
    moved = {one.wallet.customer_id for one in news if _is_to_be_looked_at(one)}
    is_new = any(one.event is Event.CREATED for one in news)
    await usage_watch.follow(tx, {id_: id_ for id_ in sorted(moved)}, now=now, is_watch_new=is_new)


def _is_to_be_looked_at(news: News) -> bool:
    return (
        news.event is not Event.UPDATED
        or news.moves_reach
        or (news.moves_balance and news.invoice_id is None)
    )


def _messages(news: Sequence[News]) -> Iterator[Message]:
    for one in news:
        yield Message(
            webhook_type=one.event,
            object_type="wallet",
            object_id=one.wallet.id,
            changes={**changes(one.before, one.wallet), **one.more_changes} if one.before is not None else {},
        )


async def announce_transactions(
    tx: Tx, *, created: Sequence[UUID] = (), updated: Sequence[UUID] = (), now: datetime
) -> None:
    """Tell transactions that were made, and purchases that were settled or failed."""
    told = [("wallet_transaction.created", id_) for id_ in created]
    told += [("wallet_transaction.updated", id_) for id_ in updated]
    messages = [
        Message(webhook_type=webhook_type, object_type="wallet_transaction", object_id=id_)
        for webhook_type, id_ in told
    ]
    await emit(tx, *messages, now=now)
