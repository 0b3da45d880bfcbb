"""What can be done with a plan's minimum commitment and usage thresholds (pricing §14, §15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, Problems
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Item, Kind
from tallymark.rooms.plans.inputs import CommitmentInput, Editing, ThresholdInput
from tallymark.rooms.plans.model import Plan
from tallymark.rooms.plans.repository import endings
from tallymark.rooms.plans.repository import fixed as repository
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner


async def change_commitment(tx: Tx, editing: Editing, asked: CommitmentInput) -> None:
    """Make, change or, asked for none, delete a plan's commitment. Raises `Invalid` and `NotFound("tax")`."""
    known = editing.plan.minimum_commitment
    if asked.is_empty:
        if known is not None:
            await repository.delete_commitment(tx, known.id)
        return
    values = {
        name: value for name, value in asked.values.items() if name != "amount_cents" or value is not None
    }
    if known is None and "amount_cents" not in values:
        raise Invalid({"amount_cents": ["value_is_mandatory"]})
    if values.get("amount_cents", 1) <= 0:
        raise Invalid({"amount_cents": ["value_is_out_of_range"]})
    if known is None:
        commitment_id = new_id()
        stamps = {"created_at": editing.now, "updated_at": editing.now}
        common = {"id": commitment_id, "organization_id": tx.organization_id, "plan_id": editing.plan.id}
        await repository.insert_commitment(tx, {**common, **values, **stamps})
    else:
        commitment_id = known.id
        await repository.update_commitment(tx, known.id, {**values, "updated_at": editing.now})
    if asked.tax_codes is not None:
        await taxes.replace_taxes(tx, Owner.COMMITMENT, commitment_id, asked.tax_codes)


async def replace_thresholds(tx: Tx, editing: Editing, asked: Sequence[ThresholdInput]) -> None:
    """Make a plan's thresholds the given ones, each anew. Raises `Invalid`."""
    check_thresholds(asked)
    plan_id = editing.plan.id
    rows = [{**row, "plan_id": plan_id} for row in threshold_rows(tx, asked, now=editing.now)]
    await repository.replace_thresholds(tx, plan_id, rows)
    if rows:
        await _note_checks(tx, plan_id, now=editing.now)


async def _note_checks(tx: Tx, plan_id: UUID, *, now: datetime) -> None:
    """Have everybody whose thresholds these may be looked at: on the plan, or on a plan of their own made of it."""
    live = await endings.active_on(tx, plan_id)
    await agenda.put(
        tx,
        *(
            Item(kind=Kind.CHECK_THRESHOLDS, subject_id=row.id, owner_id=row.customer_id, due_at=now)
            for row in live
        ),
    )


async def drop_thresholds(tx: Tx, plan: Plan) -> None:
    """Remove a plan's own thresholds."""
    await repository.replace_thresholds(tx, plan.id, ())


def threshold_rows(tx: Tx, asked: Sequence[ThresholdInput], *, now: datetime) -> list[dict[str, Any]]:
    """The columns of new thresholds, whoever they are of."""
    return [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "amount_cents": item.amount_cents,
            "threshold_display_name": item.threshold_display_name,
            "recurring": item.recurring,
            "created_at": now,
            "updated_at": now,
        }
        for item in asked
    ]


def check_thresholds(asked: Sequence[ThresholdInput]) -> None:
    """Raises `Invalid` for thresholds without an amount, alike, or more than one recurring (pricing §14)."""
    problems = Problems()
    if any(item.amount_cents is None for item in asked):
        problems.add("usage_thresholds", "missing_amount_cents")
    if len({(item.amount_cents, item.recurring) for item in asked}) < len(asked):
        problems.add("usage_thresholds", "duplicated_values")
    if sum(item.recurring for item in asked) > 1:
        problems.add("usage_thresholds", "multiple_recurring_thresholds")
    for place, item in enumerate(asked):
        if item.amount_cents is not None and item.amount_cents <= 0:
            with problems.element("usage_thresholds", place):
                problems.add("amount_cents", "value_is_out_of_range")
    problems.raise_any()
