"""Correct events that are stored: each correction is a new version, and the newest one counts (beyond.md §3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotAllowed, NotFound
from tallymark.metering.correcting import corrected
from tallymark.metering.expressions import Computed
from tallymark.metering.keys import event_key
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.corrections import repository
from tallymark.rooms.corrections.model import Author, Correction, Stored, Version
from tallymark.rooms.corrections.repository import late
from tallymark.rooms.corrections.service.follow import follow_usage, lock_owners, note_counted
from tallymark.rooms.events import service as events


async def amended(
    tx: Tx, *, transaction_id: str, external_subscription_id: str, changes: Mapping[str, Any]
) -> Correction:
    """An event with only `changes` otherwise, not written; a voided one counts again. Holds the customers' locks from here on.

    The metric's expression is evaluated anew. Raises `NotFound("event")` and `EvaluationFailed`.
    """
    event = await _get(tx, transaction_id, external_subscription_id)
    after = replace(event, **changes, is_void=False)
    if not event.is_moved or after.timestamp != event.timestamp:
        after = replace(after, counts_at=after.timestamp)
    return Correction(before=event, after=await _computed(tx, after))


async def voided(tx: Tx, *, transaction_id: str, external_subscription_id: str) -> Correction:
    """An event that counts nowhere, not written; its transaction id stays taken. Holds the customers' locks from here on.

    Raises `NotFound("event")` and `NotAllowed("event_already_voided")`.
    """
    event = await _get(tx, transaction_id, external_subscription_id)
    if event.is_void:
        raise NotAllowed("event_already_voided")
    return Correction(before=event, after=replace(event, is_void=True))


async def list_versions(tx: Tx, *, transaction_id: str, external_subscription_id: str) -> list[Version]:
    """All versions of an event, the one that came in first. Raises `NotFound("event")`, `NotAllowed("event_archived")`."""
    event = await _get(tx, transaction_id, external_subscription_id)
    return await repository.versions_of(tx, event.id) or [repository.first_version(event)]


async def corrected_among(tx: Tx, event_ids: Collection[UUID]) -> set[UUID]:
    """Of events those that were corrected, or brought by a backfill."""
    return await repository.corrected_among(tx, event_ids)


async def _get(tx: Tx, transaction_id: str, external_subscription_id: str) -> Stored:
    event_id = event_key(tx.organization_id.bytes, external_subscription_id or None, transaction_id)
    await lock_owners(tx, external_subscription_id)
    # One at a time, also of a subscription that nobody has: who waits for a row that moves to another month finds it gone.
    await tx.lock_all("event", [event_id])
    event = await repository.find(tx, event_id)
    if event is None:
        if await repository.is_known(tx, event_id):
            raise NotAllowed("event_archived")
        raise NotFound("event")
    return event


async def _computed(tx: Tx, event: Stored) -> Stored:
    metric = await billable_metrics.find_metric(tx, code=event.code)
    if metric is None or metric.expression is None or metric.field_name is None:
        return event
    computed = Computed.read(metric.field_name, metric.expression)
    found = computed.apply(event.code, event.timestamp, event.properties.encode())
    return replace(event, properties=bytes(found).decode())


async def correct(tx: Tx, correction: Correction, author: Author, *, is_billed: bool) -> int:
    """Make an event what it is to be, at once and everywhere; its version.

    Where `is_billed`, final invoices follow: an event counts on those of its time, as it did; one that came too late for them
    does only where its time is corrected.
    """
    before, after = correction.before, correction.after
    known = await repository.versions_of(tx, before.id)
    if not known:
        await repository.write_first(tx, before)
    version = max((one.version for one in known), default=1) + 1
    was_elsewhere = before.is_held or before.is_void or before.timestamp != after.timestamp
    stays_late = is_billed and before.timestamp == after.timestamp and await late.is_late(tx, before.id)
    await repository.forget_notes(tx, after.id, is_moved=after.is_moved)
    async with corrected(tx, [before.id]):
        await repository.write(tx, after, author=author, version=version)
        if was_elsewhere and not (after.is_void or after.is_moved):
            await late.hold_if_late(tx, after.id)
    await _follow(tx, after, author)
    if stays_late and after.is_void:
        await late.note_late(tx, after.id)
    elif is_billed and not stays_late:
        await late.forget(tx, after.id)
    return version


async def refuse_what_is_billed(tx: Tx, correction: Correction) -> None:
    """Raises `NotAllowed("period_already_invoiced")` where the event has a fee, or is or would be in a final window."""
    before, after = correction.before, correction.after
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
