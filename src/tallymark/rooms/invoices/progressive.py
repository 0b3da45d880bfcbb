"""What can be done with progressive invoices beyond what all invoices know (invoicing §5.1, §9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.rooms.invoices import progressive_rows as repository
from tallymark.rooms.invoices.model import AppliedThreshold, Draw, ProgressiveRecord


async def progressive_invoices(
    tx: Tx, instants: Mapping[UUID, datetime]
) -> dict[UUID, list[ProgressiveRecord]]:
    """Progressive invoices by subscription, voided ones too, whose charges window holds its instant; the latest last."""
    found: dict[UUID, list[ProgressiveRecord]] = {}
    for record in await repository.in_windows(tx, instants) if instants else []:
        found.setdefault(record.subscription_id, []).append(record)
    return found


async def draws_from(tx: Tx, source_ids: Collection[UUID]) -> list[Draw]:
    """What invoices took over of progressive ones, these among them too."""
    return await repository.draws_from(tx, source_ids) if source_ids else []


async def shares_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, dict[int, Fraction]]:
    """What the fees of invoices bear of what these took over of progressive ones, by invoice and the position of the fee."""
    return await repository.shares_of(tx, invoice_ids) if invoice_ids else {}


async def save_applied(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note the thresholds that invoices were made for; one that was noted for the period before is a defect."""
    await repository.insert_applied(tx, rows)


async def passed_levels(tx: Tx, windows: Mapping[UUID, datetime]) -> dict[UUID, set[tuple[int, bool]]]:
    """(level, recurs) of the thresholds that subscriptions have passed, voided or not, in the windows that begin then."""
    found: dict[UUID, set[tuple[int, bool]]] = {}
    for item in await repository.applied_in_windows(tx, windows) if windows else []:
        found.setdefault(item.subscription_id, set()).add((item.level_cents, item.recurring))
    return found


async def applied_in_chain(
    tx: Tx, *, external_subscription_id: str, subscription_at: datetime
) -> list[AppliedThreshold]:
    """All thresholds that a chain of subscriptions has passed, the latest last."""
    return await repository.applied_in_chain(
        tx, external_subscription_id=external_subscription_id, subscription_at=subscription_at
    )
