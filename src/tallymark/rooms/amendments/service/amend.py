"""Correct events that are stored, as the organization wants it where they are billed (beyond.md §3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallymark.db.engine import Tx
from tallymark.rooms.adjustments.model import Touched
from tallymark.rooms.amendments.service.adjusting import adjusting, is_refused
from tallymark.rooms.corrections import service as corrections
from tallymark.rooms.corrections.model import Author, Correction, Stored


async def amend(
    tx: Tx,
    *,
    transaction_id: str,
    external_subscription_id: str,
    changes: Mapping[str, Any],
    author: Author,
) -> tuple[Stored, int]:
    """Give an event a new version in which only `changes` are otherwise; a voided one counts again. The event, and its version.

    The metric's expression is evaluated anew. Raises `NotFound("event")`, `EvaluationFailed`, and where what it was or is to be is
    billed `NotAllowed`: `period_already_invoiced` where the organization does not want the difference documented, else one of
    `UNTOLD`.
    """
    correction = await corrections.amended(
        tx,
        transaction_id=transaction_id,
        external_subscription_id=external_subscription_id,
        changes=changes,
    )
    return correction.after, await _correct(tx, correction, author)


async def void(
    tx: Tx, *, transaction_id: str, external_subscription_id: str, author: Author
) -> tuple[Stored, int]:
    """Have an event count nowhere; its transaction id stays taken. The event, and its version.

    Raises `NotFound("event")`, `NotAllowed("event_already_voided")`, and `NotAllowed` as `amend`.
    """
    correction = await corrections.voided(
        tx, transaction_id=transaction_id, external_subscription_id=external_subscription_id
    )
    return correction.after, await _correct(tx, correction, author)


async def _correct(tx: Tx, correction: Correction, author: Author) -> int:
    if await is_refused(tx):
        await corrections.refuse_what_is_billed(tx, correction)
        return await corrections.correct(tx, correction, author, is_billed=False)
    instants = correction.instants
    touched = Touched(
        external_subscription_id=correction.after.external_subscription_id,
        code=correction.after.code,
        first=min(instants),
        last=max(instants),
        is_stretch=False,
        event_ids={correction.before.id},
    )
    async with adjusting(tx, touched, now=author.now):
        return await corrections.correct(tx, correction, author, is_billed=True)
