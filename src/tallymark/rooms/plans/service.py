"""What can be done with plans (pricing §4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound, Problems
from tallymark.jobs import agenda
from tallymark.jobs.activity import Changes
from tallymark.jobs.activity import changes as changes_of
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit, log_alone
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.plans import charges, commitments, fixed_charges, repository
from tallymark.rooms.plans.assembly import assemble
from tallymark.rooms.plans.cascade import Change, cascade
from tallymark.rooms.plans.inputs import Editing, PlanInput
from tallymark.rooms.plans.model import FIXED_WHEN_ATTACHED, Plan
from tallymark.rooms.plans.remembering import remembered_plans
from tallymark.rooms.plans.traces import changes_between
from tallymark.rooms.plans.waiting import review_waiting
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner

MONTHLY_FLAGS = ("bill_charges_monthly", "bill_fixed_charges_monthly")


async def create_plan(tx: Tx, asked: PlanInput, *, now: datetime) -> Plan:
    """Make a plan with all that it charges. Raises `Invalid` and `NotFound`; nothing is saved then."""
    metrics = await billable_metrics.get_live_metrics(tx, asked.metric_ids)
    sold = await fixed_charges.find_add_ons(tx, asked.fixed_charges or ())
    values = dict(asked.values)
    await tx.lock("plan-code", tx.organization_id)
    if await repository.find_plan(tx, values["code"]):
        raise Invalid({"code": ["value_already_exist"]})
    plan_id = new_id()
    row = _with_monthly_flags(values, interval=values["interval"])
    stamps = {"created_at": now, "updated_at": now}
    await repository.insert_plan(tx, {"id": plan_id, "organization_id": tx.organization_id, **row, **stamps})
    await taxes.replace_taxes(tx, Owner.PLAN, plan_id, asked.tax_codes or ())
    editing = Editing(plan=(await get_plans(tx, {plan_id}))[plan_id], now=now)
    usage, fixed = asked.charges or (), asked.fixed_charges or ()
    await charges.add_charges(tx, editing, usage, metrics=metrics, known=(), places=range(len(usage)))
    await fixed_charges.add_fixed_charges(tx, editing, fixed, sold=sold, known=(), places=range(len(fixed)))
    await _change_terms(tx, editing, asked)
    await _tell(tx, "plan.created", plan_id, now=now)
    return (await get_plans(tx, {plan_id}))[plan_id]


async def _change_terms(tx: Tx, editing: Editing, asked: PlanInput) -> None:
    if asked.minimum_commitment is not None:
        await commitments.change_commitment(tx, editing, asked.minimum_commitment)
    if asked.usage_thresholds is not None:
        await commitments.replace_thresholds(tx, editing, asked.usage_thresholds)


async def _tell(
    tx: Tx, webhook_type: str, plan_id: UUID, *, now: datetime, changed: Changes | None = None
) -> None:
    told = Message(webhook_type=webhook_type, object_type="plan", object_id=plan_id, changes=changed or {})
    await emit(tx, told, now=now)


async def get_plan(tx: Tx, *, code: str) -> Plan:
    """A top-level plan by code. Raises `NotFound("plan")`."""
    row = await repository.find_plan(tx, code)
    if row is None:
        raise NotFound("plan")
    return (await assemble(tx, [row]))[row.id]


async def get_plans(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Plan]:
    """Plans by id, deleted ones and overrides included, in a constant number of queries; in one for those that are remembered."""
    return await remembered_plans(tx, ids) if ids else {}


async def list_plans(tx: Tx, page: Page, *, search_term: str | None = None) -> tuple[list[Plan], int]:
    """A page of plans, newest first, and how many there are; of those with a text in their name or code."""
    rows, total = await repository.list_plans(tx, page, search_term)
    plans = await assemble(tx, rows)
    return [plans[row.id] for row in rows], total


async def update_plan(tx: Tx, code: str, asked: PlanInput, *, now: datetime) -> Plan:
    """Change what is sent; `charges` and `fixed_charges` are the full lists of them (pricing §4.3)."""
    plan = await get_plan(tx, code=code)
    editing = await edit(tx, plan, now=now, cascades=asked.cascades)
    changes = asked.values
    changed = _with_monthly_flags(
        {name: value for name, value in changes.items() if getattr(plan, name) != value},
        interval=changes.get("interval", plan.interval),
        known=plan,
    )
    if editing.is_attached:
        problems = Problems()
        for name in FIXED_WHEN_ATTACHED:
            # No trial and a trial of 0 days are the same, and so are a flag that is false and one that is not set.
            if (
                name in changes
                and name in changed
                and (changed[name] or None) != (getattr(plan, name) or None)
            ):
                problems.add(name, "modification_not_allowed")
        problems.raise_any()
    if "code" in changed and await repository.find_plan(tx, changed["code"]):
        raise Invalid({"code": ["value_already_exist"]})
    await repository.update_plan(tx, plan.id, {**changed, "updated_at": now})
    if "amount_cents" in changed:
        await review_waiting(tx, plan, changed["amount_cents"], now=now)
    if asked.tax_codes is not None:
        await taxes.replace_taxes(tx, Owner.PLAN, plan.id, asked.tax_codes)
    if asked.charges is not None:
        await charges.replace_charges(tx, editing, asked.charges)
    if asked.fixed_charges is not None:
        await fixed_charges.replace_fixed_charges(tx, editing, asked.fixed_charges)
    await _change_terms(tx, editing, asked)
    await refresh_drafts(tx, {plan.id}, now=now)
    updated = await finish(tx, replace(editing, is_whole_plan=True, targets_sent=asked.targets_sent))
    await _tell(tx, "plan.updated", plan.id, now=now, changed=changes_between(plan, updated))
    return updated


async def finish(tx: Tx, editing: Editing) -> Plan:
    """The plan as it stands after a change, which its children take over where that was asked for (§12.3)."""
    changed = (await get_plans(tx, {editing.plan.id}))[editing.plan.id]
    if editing.cascades:
        change = Change(
            before=editing.plan,
            after=changed,
            is_whole_plan=editing.is_whole_plan,
            targets_sent=editing.targets_sent,
            now=editing.now,
        )
        reached = await cascade(tx, change)
        if editing.is_whole_plan:
            await refresh_drafts(tx, reached, now=editing.now)
    if not editing.is_whole_plan:
        # The outside is told nothing of a single charge; who looks for what changed a price finds it.
        different = changes_between(editing.plan, changed)
        await log_alone(tx, "plan.updated", changed.id, now=editing.now, changed=different)
    return changed


async def edit(tx: Tx, plan: Plan, *, now: datetime, cascades: bool = False) -> Editing:
    """What a change of a plan's charges must know."""
    is_attached = await repository.is_attached(tx, plan.id)
    return Editing(plan=plan, now=now, is_attached=is_attached, cascades=cascades)


async def set_metadata(
    tx: Tx, code: str, metadata: Mapping[str, str | None] | None, *, now: datetime
) -> Plan:
    """Make a plan's metadata the given ones; None removes them. Raises `NotFound("plan")`."""
    plan = await get_plan(tx, code=code)
    await repository.update_plan(
        tx, plan.id, {"metadata": None if metadata is None else dict(metadata), "updated_at": now}
    )
    changed = await get_plan(tx, code=code)
    await _tell(tx, "plan.updated", plan.id, now=now, changed=changes_of(plan, changed))
    return changed


async def is_attached(tx: Tx, plan_id: UUID) -> bool:
    """Whether a subscription of any status references the plan."""
    return await repository.is_attached(tx, plan_id)


async def refresh_drafts(tx: Tx, plan_ids: Collection[UUID], *, now: datetime) -> None:
    """Have the draft invoices of plans computed anew."""
    drafts = await repository.drafts_of(tx, plan_ids) if plan_ids else ()
    await agenda.leave(
        tx,
        *(
            Item(kind=Kind.REFRESH_DRAFT, subject_id=invoice_id, owner_id=customer_id, due_at=now)
            for invoice_id, customer_id in drafts
        ),
    )


def _with_monthly_flags(
    values: dict[str, Any], *, interval: str, known: Plan | None = None
) -> dict[str, Any]:
    """Only yearly and semiannual plans have monthly parts; elsewhere both flags are null (pricing §4.1)."""
    if interval not in ("yearly", "semiannual"):
        return {**values, **dict.fromkeys(MONTHLY_FLAGS)}
    return {**values, **{flag: bool(values.get(flag, getattr(known, flag, None))) for flag in MONTHLY_FLAGS}}
