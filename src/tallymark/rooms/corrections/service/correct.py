"""Correct events that are stored: each correction is a new version, and the newest one counts (beyond.md §3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotAllowed, NotFound
from tallymark.metering.correcting import corrected
from tallymark.metering.expressions import Computed
from tallymark.metering.keys import event_key
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.corrections import repository
from tallymark.rooms.corrections.model import Author, Stored, Version
from tallymark.rooms.corrections.repository import late
from tallymark.rooms.corrections.service.follow import follow_usage, lock_owners, note_counted
from tallymark.rooms.events import service as events


async def amend(
    tx: Tx,
    *,
    transaction_id: str,
    external_subscription_id: str,
    changes: Mapping[str, Any],
    author: Author,
) -> tuple[Stored, int]:
    """Give an event a new version in which only `changes` are otherwise; a voided one counts again. The event, and its version.

    The metric's expression is evaluated anew. Raises `NotFound("event")`, `EvaluationFailed`, and
    `NotAllowed("period_already_invoiced")` where what it was or is to be is on a final invoice.
    """
    event = await _get(tx, transaction_id, external_subscription_id)
    amended = replace(event, **changes, is_void=False)
    if not event.is_moved or amended.timestamp != event.timestamp:
        amended = replace(amended, counts_at=amended.timestamp)
    amended = await _computed(tx, amended)
    return amended, await _correct(tx, event, amended, author)


async def void(
    tx: Tx, *, transaction_id: str, external_subscription_id: str, author: Author
) -> tuple[Stored, int]:
    """Have an event count nowhere; its transaction id stays taken. The event, and its version.

    Raises `NotFound("event")`, `NotAllowed("event_already_voided")`, and `NotAllowed("period_already_invoiced")`.
    """
    event = await _get(tx, transaction_id, external_subscription_id)
    if event.is_void:
        raise NotAllowed("event_already_voided")
    voided = replace(event, is_void=True)
    return voided, await _correct(tx, event, voided, author)


async def list_versions(tx: Tx, *, transaction_id: str, external_subscription_id: str) -> list[Version]:
    """All versions of an event, the one that came in first. Raises `NotFound("event")`."""
    event = await _get(tx, transaction_id, external_subscription_id)
    return await repository.versions_of(tx, event.id) or [repository.first_version(event)]


async def _get(tx: Tx, transaction_id: str, external_subscription_id: str) -> Stored:
    event_id = event_key(tx.organization_id.bytes, external_subscription_id or None, transaction_id)
    await lock_owners(tx, external_subscription_id)
    # One at a time, also of a subscription that nobody has: who waits for a row that moves to another month finds it gone.
    await tx.lock_all("event", [event_id])
    event = await repository.find(tx, event_id)
    if event is None:
        raise NotFound("event")
    return event


async def _computed(tx: Tx, event: Stored) -> Stored:
    metric = await billable_metrics.find_metric(tx, code=event.code)
    if metric is None or metric.expression is None or metric.field_name is None:
        return event
    computed = Computed.read(metric.field_name, metric.expression)
    found = computed.apply(event.code, event.timestamp, event.properties.encode())
    return replace(event, properties=bytes(found).decode())


async def _correct(tx: Tx, before: Stored, after: Stored, author: Author) -> int:
    await _refuse_what_is_billed(tx, before, after)
    known = await repository.versions_of(tx, before.id)
    if not known:
        await repository.write_first(tx, before)
    version = max((one.version for one in known), default=1) + 1
    was_elsewhere = before.is_held or before.is_void or before.timestamp != after.timestamp
    await repository.forget_notes(tx, after.id, is_moved=after.is_moved)
    async with corrected(tx, [before.id]):
        await repository.write(tx, after, author=author, version=version)
        if was_elsewhere and not (after.is_void or after.is_moved):
            await late.hold_if_late(tx, after.id)
    await _follow(tx, after, author)
    return version


async def _refuse_what_is_billed(tx: Tx, before: Stored, after: Stored) -> None:
    """Raises `NotAllowed("period_already_invoiced")` where the event has a fee, or is or would be in a final window."""
    if await repository.has_fee(tx, before.id):
        raise NotAllowed("period_already_invoiced")
    is_on_final = partial(
        events.is_invoiced,
        tx,
        external_subscription_id=before.external_subscription_id,
        code=before.code,
        event_id=before.id,
    )
    was_counted = not (before.is_void or before.is_held)
    if was_counted and await is_on_final(at=before.counts_at, came_at=before.created_at):
        raise NotAllowed("period_already_invoiced")
    if not after.is_void and await is_on_final(at=after.counts_at):
        raise NotAllowed("period_already_invoiced")


async def _follow(tx: Tx, event: Stored, author: Author) -> None:
    """Have everything look at the event that looks at new ones."""
    if not event.is_void:
        await note_counted(tx, [event.id])
    await follow_usage(tx, event.external_subscription_id, now=author.now)
