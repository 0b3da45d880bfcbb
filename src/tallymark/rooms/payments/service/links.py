"""Pages on which an invoice, or what a payment request asks for, is paid: one at a time, for a day (wallets-and-payments §11.4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.payment_providers.model import Link, LinkOrder, Person
from tallymark.rooms.payments import link_rows
from tallymark.rooms.payments.model import Payable, PaymentLink

LASTS = timedelta(hours=24)
"""How long a page is good for, unless its provider gives it less."""

ONE_TIME = {"payment_type": "one-time"}
"""By what comes back with a payment it is known that it was made on a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWanted:
    """A page that a connection is asked for."""

    connection_id: UUID
    order: LinkOrder


async def page_of(tx: Tx, payable: Payable, connection_id: UUID, *, now: datetime) -> PaymentLink | None:
    """The page that a payable has, if what is due of it can still be paid there; any other one is taken back."""
    known = await link_rows.open_link(tx, payable.id)
    if known is None:
        return None
    is_good = known.expires_at > now and known.amount_cents == payable.due_cents
    if is_good and known.payment_provider_id == connection_id:
        return known
    await close_page(tx, known, now=now)
    return None


async def order_page(tx: Tx, payable: Payable, connection_id: UUID, person: Person) -> PageWanted:
    """What a connection is asked for; asked twice at the same time it is the same page."""
    made_before = await link_rows.count_links(tx, payable.id)
    order = LinkOrder(
        idempotency_key=f"payment-link-{payable.id}-{made_before + 1}",
        amount_cents=payable.due_cents,
        currency=payable.currency,
        title=payable.title,
        reference=payable.reference,
        metadata={**payable.metadata, **ONE_TIME},
        person=person,
        payable_id=payable.id,
    )
    return PageWanted(connection_id=connection_id, order=order)


async def keep_page(
    tx: Tx, payable: Payable, wanted: PageWanted, made: Link, *, is_wanted: bool = True, now: datetime
) -> str | None:
    """Keep a page that was made, and where it is; None where what is due has changed meanwhile: it is taken back then.

    Needs the customer's lock.
    """
    is_due = is_wanted and payable.due_cents == wanted.order.amount_cents
    other = await link_rows.open_link(tx, payable.id)
    if other is not None and (other.url, other.provider_link_id) == (made.url, made.provider_link_id):
        return other.url if is_due else None  # whoever asked at the same time was given the same one
    latest = now + LASTS
    row = {
        "id": new_id(),
        "organization_id": tx.organization_id,
        **{name: payable.columns[name] for name in ("invoice_id", "payment_request_id")},
        "payment_provider_id": wanted.connection_id,
        "url": made.url,
        "provider_link_id": made.provider_link_id,
        "amount_cents": wanted.order.amount_cents,
        "expires_at": latest if made.expires_at is None else min(made.expires_at, latest),
        "closed_at": None if is_due and other is None else now,
        "created_at": now,
        "updated_at": now,
    }
    await link_rows.insert_link(tx, row)
    if row["closed_at"] is None:
        return made.url
    await agenda.leave(tx, _item(row["id"], now))
    return other.url if other is not None and is_due else None


async def find_page(tx: Tx, link_id: UUID) -> PaymentLink | None:
    """A page, open or not."""
    return await link_rows.find_link(tx, link_id)


async def open_page(tx: Tx, payable_id: UUID) -> PaymentLink | None:
    """The page on which a payable can be paid, be it over."""
    return await link_rows.open_link(tx, payable_id)


async def close_page(tx: Tx, page: PaymentLink, *, now: datetime) -> None:
    """Take a page back, and have its provider do so."""
    await note_closed(tx, page, now=now)
    await agenda.leave(tx, _item(page.id, now))


async def note_closed(tx: Tx, page: PaymentLink, *, now: datetime) -> None:
    """Note that nothing more is to be paid on a page."""
    await link_rows.close_link(tx, page.id, at=now)


def _item(link_id: UUID, now: datetime) -> Item:
    # Its own owner: while a provider is slow, the customer's billing goes on.
    return Item(kind=Kind.CLOSE_PAYMENT_LINK, subject_id=link_id, owner_id=link_id, due_at=now)
