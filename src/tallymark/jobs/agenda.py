"""The agenda: what falls due when, written in the transaction that causes it.

Every kind of due work (a renewal, an activation, the end of a grace period) is one row: its kind, its subject and
its instant. A live organization's scheduler and a test clock's advance read the same rows, so both do the same work
as of the same instants (subscriptions §5.6). Doing an item and taking it off is one transaction: killed half-way,
it is simply still there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import IntEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Row,
    TextClause,
    cast,
    delete,
    exists,
    func,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.db.bulk import upsert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import agenda
from tallymark.domain.values import value
from tallymark.jobs.queue import enqueue_due_work

_earlier = agenda.alias("earlier")


class Kind(IntEnum):
    """Kinds of due work; at one instant the smaller goes first (the order of the specification's README)."""

    RESCHEDULE = 5
    LINK_CUSTOMER = 6
    CHECK_VAT = 7
    LOOK_AT_EVENTS = 8
    HEAR_PROVIDER = 9
    ACTIVATE_SUBSCRIPTION = 10
    EXPIRE_ACTIVATION = 11
    CANCEL_DOWNGRADE = 12
    BILL_START = 15
    BILL_FIXED_START = 16
    FIXED_UNITS = 17
    COLLECT_PAYMENT = 18
    END_WITH_PLAN = 19
    TERMINATE_SUBSCRIPTION = 20
    CANCEL_PAYMENT = 22
    CLOSE_PAYMENT_LINK = 23
    REFUND_CREDIT_NOTE = 24
    BILL_TERMINATION = 25
    SWITCH_PLAN = 27
    BILL_CHANGE = 28
    END_TRIAL = 30
    BILL_PERIOD = 40
    REFRESH_DRAFT = 50
    FINALIZE_INVOICE = 60
    DELETE_PLAN = 62
    STORE_LAST_DAY = 63
    STORE_DAILY_USAGE = 64
    CHECK_THRESHOLDS = 65
    EXPIRE_WALLET = 66
    EXPIRE_RULE = 68
    TOP_UP_AT_THRESHOLD = 69
    TOP_UP_WALLET = 70
    INVOICE_CREDITS = 72
    ASK_FOR_PAYMENT = 73
    FOLLOW_DUE = 74
    EXPIRE_COUPON = 75
    MARK_OVERDUE = 90
    RESET_DUNNING = 92
    DUN_CUSTOMER = 95
    ALERT_TERMINATION = 100
    FOLLOW_USAGE = 110
    TELL_EVENT_ERRORS = 120


@value
class Item:
    """One piece of due work. `owner_id` names what is worked on one at a time: the customer.

    It is done as of `due_at`, and not before `run_at` (the settling time of a period's last events).
    """

    kind: Kind
    subject_id: UUID
    owner_id: UUID
    due_at: datetime
    run_at: datetime | None = None


TOGETHER = frozenset(
    {
        Kind.BILL_PERIOD,
        Kind.STORE_LAST_DAY,
        Kind.STORE_DAILY_USAGE,
        Kind.CHECK_THRESHOLDS,
        Kind.ASK_FOR_PAYMENT,
        Kind.MARK_OVERDUE,
        Kind.DUN_CUSTOMER,
    }
)
"""Kinds that are done for many owners at once: a billing run writes a wave of invoices with the statements of one."""

WAVE = 100
"""How many owners at the most."""

WAVES = 20
"""How many of them are found with one look: what else falls due meanwhile waits until they are done."""

LANES = 3
"""How many waves are done side by side: while the database writes one, the next is computed."""


@value
class Batch:
    """Items of one kind and instant, done together (a customer's subscriptions share an invoice)."""

    kind: Kind
    owner_ids: tuple[UUID, ...]
    due_at: datetime
    run_at: datetime
    attempts: int
    subject_ids: tuple[UUID, ...]

    @property
    def owner_id(self) -> UUID:
        """Whose work it is, where it is one owner's."""
        (owner_id,) = self.owner_ids
        return owner_id


async def put(tx: Tx, *items: Item) -> None:
    """Note work; an item of the same kind and subject is moved to the new instant."""
    last = {(item.kind, item.subject_id): item for item in items}
    rows = [
        {
            "organization_id": tx.organization_id,
            "kind": int(item.kind),
            "subject_id": item.subject_id,
            "owner_id": item.owner_id,
            "due_at": item.due_at,
            "run_at": item.run_at or item.due_at,
            "is_simulated": tx.is_simulated,
        }
        for item in last.values()
    ]
    of_failures = ("attempts", "parked_at", "last_error")
    await upsert_rows(tx, agenda, rows, key=("kind", "subject_id"), cleared=of_failures)


async def put_once(tx: Tx, *items: Item) -> None:
    """Note work that is not noted yet: an item that waits already keeps its instant. Needs the owners' locks."""
    if not items:
        return
    pairs = [(int(item.kind), item.subject_id) for item in items]
    waiting = select(agenda.c.kind, agenda.c.subject_id).where(
        tuple_(agenda.c.kind, agenda.c.subject_id).in_(pairs), agenda.c.parked_at.is_(None)
    )
    known = {(row.kind, row.subject_id) for row in await tx.execute(waiting)}
    await put(tx, *(item for item in items if (int(item.kind), item.subject_id) not in known))


async def drop(tx: Tx, kind: Kind, *subject_ids: UUID) -> None:
    """Take work off that is not wanted any more."""
    if subject_ids:
        await tx.execute(
            delete(agenda).where(agenda.c.kind == int(kind), among(agenda.c.subject_id, subject_ids))
        )


async def drop_kinds(tx: Tx, kinds: Sequence[Kind], subject_id: UUID) -> None:
    """Take off all work of these kinds for one subject."""
    await tx.execute(
        delete(agenda).where(
            agenda.c.kind.in_([int(kind) for kind in kinds]), agenda.c.subject_id == subject_id
        )
    )


async def bring_forward(tx: Tx, kind: Kind, subject_id: UUID, *, before: datetime | None = None) -> None:
    """Have work that fell due before an instant done without further waiting, and take off what falls due later."""
    own = (agenda.c.kind == int(kind), agenda.c.subject_id == subject_id)
    if before is not None:
        await tx.execute(delete(agenda).where(*own, agenda.c.due_at >= before))
    await tx.execute(update(agenda).where(*own).values(run_at=func.least(agenda.c.run_at, agenda.c.due_at)))


async def due_subjects(
    tx: Tx, kinds: Collection[Kind], subject_ids: Collection[UUID], *, until: datetime
) -> set[UUID]:
    """For which of some subjects work of these kinds has fallen due, `until` included, and is not done."""
    statement = select(agenda.c.subject_id).where(
        agenda.c.kind.in_([int(kind) for kind in kinds]),
        among(agenda.c.subject_id, subject_ids),
        agenda.c.due_at <= until,
    )
    return set((await tx.execute(statement)).scalars())


_IN_ORDER = (agenda.c.run_at, agenda.c.kind, agenda.c.owner_id, agenda.c.subject_id)


def _is_due(until: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return agenda.c.run_at <= until, agenda.c.parked_at.is_(None)


async def look(tx: Tx, *, until: datetime, owner_id: UUID | None = None) -> list[Batch]:
    """What is due first, `until` included, of one owner or of all; nothing when nothing is due.

    It is a guess until the owners' locks are held and `take` confirms it. Of kinds that can be done for many at once,
    the same of other owners at the same instant is in it, in waves that have no owner in common.
    """
    own = () if owner_id is None else (agenda.c.owner_id == owner_id,)
    first = select(agenda).where(*_is_due(until), *own).order_by(*_IN_ORDER).limit(1)
    row = (await tx.execute(first)).first()
    if row is None:
        return []
    owners: Sequence[UUID] = (row.owner_id,)
    if owner_id is None and row.kind in TOGETHER:
        alike = select(agenda.c.owner_id).where(*_is_alike(row)).distinct().order_by(agenda.c.owner_id)
        owners = (await tx.execute(alike.limit(WAVE * WAVES))).scalars().all()
    return [
        Batch(
            kind=Kind(row.kind),
            owner_ids=tuple(owners[start : start + WAVE]),
            due_at=row.due_at,
            run_at=row.run_at,
            attempts=row.attempts,
            subject_ids=(),
        )
        for start in range(0, len(owners), WAVE)
    ]


@value
class Planned:
    """How much of a kind of work is planned for a day (UTC)."""

    date: date
    kind: Kind
    count: int


async def planned(tx: Tx, kinds: Collection[Kind], *, until: datetime) -> list[Planned]:
    """What the organization has planned until an instant, by day and in the order in which it is done.

    What follows from that work, a period after the next one for instance, is planned only when the work is done.
    """
    at = cast(func.timezone("UTC", agenda.c.run_at), Date)
    statement = (
        select(at.label("date"), agenda.c.kind, func.count().label("count"))
        .where(agenda.c.run_at <= until, agenda.c.parked_at.is_(None), agenda.c.kind.in_(kinds))
        .group_by(at, agenda.c.kind)
        .order_by(at, agenda.c.kind)
    )
    rows = (await tx.execute(statement)).mappings()
    return [Planned(date=row["date"], kind=Kind(row["kind"]), count=row["count"]) for row in rows]


async def take(tx: Tx, batch: Batch) -> Batch | None:
    """What is still there of a batch, of owners who have nothing due before it; needs their locks."""
    is_later = exists().where(
        _earlier.c.owner_id == agenda.c.owner_id,
        tuple_(_earlier.c.run_at, _earlier.c.kind) < tuple_(agenda.c.run_at, agenda.c.kind),
        _earlier.c.parked_at.is_(None),
    )
    statement = (
        select(agenda.c.owner_id, agenda.c.subject_id)
        .where(*_is_alike(batch), among(agenda.c.owner_id, batch.owner_ids), ~is_later)
        .order_by(agenda.c.owner_id, agenda.c.subject_id)
    )
    rows = (await tx.execute(statement)).all()
    if not rows:
        return None
    return replace(
        batch,
        owner_ids=tuple(dict.fromkeys(row.owner_id for row in rows)),
        subject_ids=tuple(row.subject_id for row in rows),
    )


def _is_alike(one: Row[Any] | Batch) -> tuple[ColumnElement[bool], ...]:
    """Of the same kind and instants."""
    return (
        agenda.c.kind == int(one.kind),
        agenda.c.run_at == one.run_at,
        agenda.c.due_at == one.due_at,
        agenda.c.parked_at.is_(None),
    )


async def complete(tx: Tx, batch: Batch) -> None:
    """Take a batch off, but for items that its own handler has moved to a later instant."""
    await tx.execute(
        delete(agenda).where(
            agenda.c.kind == int(batch.kind),
            among(agenda.c.subject_id, batch.subject_ids),
            agenda.c.due_at == batch.due_at,
        )
    )


async def record_failure(
    tx: Tx, batch: Batch, *, error: str, retry_at: datetime | None, now: datetime
) -> None:
    """Note that a batch failed; without a `retry_at` it is parked until someone looks at it."""
    await tx.execute(
        update(agenda)
        .where(agenda.c.kind == int(batch.kind), among(agenda.c.subject_id, batch.subject_ids))
        .values(
            attempts=agenda.c.attempts + 1,
            run_at=retry_at or agenda.c.run_at,
            parked_at=None if retry_at else now,
            last_error=error[:2000],
        )
    )


@value
class Unparked:
    """Work that was parked, and is tried again."""

    organization_id: UUID
    kind: Kind
    subject_id: UUID
    attempts: int
    last_error: str | None


async def unpark(
    connection: AsyncConnection, owner_ids: Collection[UUID], *, now: datetime
) -> list[Unparked]:
    """Have all that is parked of some owners tried again, in the order in which it fell due; needs a system transaction."""
    is_parked = (agenda.c.parked_at.is_not(None), ~agenda.c.is_simulated, among(agenda.c.owner_id, owner_ids))
    found = select(agenda).where(*is_parked).order_by(*_IN_ORDER).with_for_update()
    rows = (await connection.execute(found)).all()
    again = {"parked_at": None, "attempts": 0, "run_at": func.least(agenda.c.run_at, now)}
    await connection.execute(update(agenda).where(*is_parked).values(**again))
    return [
        Unparked(
            organization_id=row.organization_id,
            kind=Kind(row.kind),
            subject_id=row.subject_id,
            attempts=row.attempts,
            last_error=row.last_error,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class DueOwner:
    """A live organization's customer for whom something is due."""

    organization_id: UUID
    owner_id: UUID


LOOKED_AT = 1_000
"""How many pieces of due work the scheduler looks at, the oldest first."""

LOOKED_AT_OF_EACH = 100
"""How many of each organization where there are more than that in all: one with many is worked on as a whole anyway."""

# Organizations are probed one by one, so that what is read does not depend on how much is due to any of them.
_DUE_OF_EACH = text("""
    SELECT o.id AS organization_id, due.owner_id
    FROM organizations o CROSS JOIN LATERAL (
        SELECT owner_id FROM agenda
        WHERE organization_id = o.id AND run_at <= :now AND NOT is_simulated AND parked_at IS NULL
        ORDER BY run_at LIMIT :most
    ) due
    WHERE NOT EXISTS (SELECT FROM test_clocks c WHERE c.organization_id = o.id)
""")


async def due_owners(
    connection: AsyncConnection, *, now: datetime, limit: int = LOOKED_AT, of_each: int = LOOKED_AT_OF_EACH
) -> list[DueOwner]:
    """Find by index the customers of live organizations with work due; needs a system transaction.

    Where more is due than it looks at, it looks at some of each organization: a long billing run of one hides nobody else's work.
    """
    due = (
        select(agenda.c.organization_id, agenda.c.owner_id)
        .where(agenda.c.run_at <= now, ~agenda.c.is_simulated, agenda.c.parked_at.is_(None))
        .order_by(agenda.c.run_at)
        .limit(limit)
    )
    rows = list((await connection.execute(due)).all())
    if len(rows) == limit:
        rows += (await connection.execute(_DUE_OF_EACH, {"now": now, "most": of_each})).all()
    return list(dict.fromkeys(DueOwner(row.organization_id, row.owner_id) for row in rows))


async def look_past_floods(
    connection: AsyncConnection, statement: TextClause, *, most: int, **values: object
) -> list[DueOwner]:
    """The customers for whom something waits that is not on the agenda yet: a flood of one organization's hides nobody else's.

    The statement looks at the `most` oldest things of organizations that it has not `seen`, and says with each customer how
    many it `looked_at`. As long as there are as many as it may look at, it looks past those whose they are. Needs a system
    transaction.
    """
    owners: list[DueOwner] = []
    while True:
        seen = sorted({owner.organization_id for owner in owners})
        rows = (await connection.execute(statement, {**values, "most": most, "seen": seen})).all()
        owners += [DueOwner(row.organization_id, row.customer_id) for row in rows]
        if not rows or rows[0].looked_at < most:
            return owners


async def leave(tx: Tx, *items: Item) -> None:
    """Note work that is due already, and have a worker look at it as soon as the transaction commits.

    For a simulated organization nothing is queued: the call that left it settles it before it returns.
    """
    await put(tx, *items)
    await _have_looked_at(tx, items)


async def leave_once(tx: Tx, *items: Item) -> None:
    """Note work that is due already and not noted yet: an item that waits already keeps its instant, and its tries."""
    await put_once(tx, *items)
    await _have_looked_at(tx, items)


async def _have_looked_at(tx: Tx, items: Sequence[Item]) -> None:
    if not tx.is_simulated:
        for owner_id in dict.fromkeys(item.owner_id for item in items):
            await enqueue_due_work(tx, organization_id=tx.organization_id, owner_id=owner_id)
