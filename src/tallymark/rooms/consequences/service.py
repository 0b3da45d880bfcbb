"""Tell what would come of an act: the same reads as the act's, without its writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotAllowed
from tallymark.rooms.add_ons import service as add_ons
from tallymark.rooms.billable_metrics import service as billable_metrics
from tallymark.rooms.billing.service import corrected, one_off
from tallymark.rooms.consequences import repository
from tallymark.rooms.consequences.model import (
    AddOnDeletion,
    CouponDeletion,
    MetricDeletion,
    Outcome,
    PlanDeletion,
    TaxDeletion,
    Termination,
    Used,
    Void,
    Waiting,
)
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import InvoiceStatus
from tallymark.rooms.invoices.relations import regenerable_of
from tallymark.rooms.plans import service as plans
from tallymark.rooms.previews import service as previews
from tallymark.rooms.previews.model import Ending, PreviewInput
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract, Status
from tallymark.rooms.taxes import service as taxes

CREDIT_NOTE_OPTIONS = ("credit", "refund", "offset", "skip")
"""What can happen to time that was paid in advance (subscriptions §2.8)."""


async def uses_of(tx: Tx, kind: Used, codes: Sequence[str]) -> dict[str, int]:
    """How many subscriptions run with each plan or feature of some codes, how many customers have or had each add-on, or how often
    each coupon is in use; 0 for others.
    """
    found = await repository.uses_of(tx, kind, codes)
    return {code: found.get(code, 0) for code in codes}


async def of_metric_deletion(tx: Tx, code: str) -> MetricDeletion:
    """What deleting a metric touches. Raises `NotFound("billable_metric")`."""
    return await repository.of_metric(tx, (await billable_metrics.get_metric(tx, code=code)).id)


async def of_plan_deletion(tx: Tx, code: str) -> PlanDeletion:
    """Whom deleting a plan ends (pricing §4.4). Raises `NotFound("plan")`."""
    return await repository.of_plan(tx, (await plans.get_plan(tx, code=code)).id)


async def of_tax_deletion(tx: Tx, code: str) -> TaxDeletion:
    """What carries a tax. Raises `NotFound("tax")`."""
    return await repository.of_tax(tx, (await taxes.get_tax(tx, code=code)).id)


async def of_add_on_deletion(tx: Tx, code: str) -> AddOnDeletion:
    """What is built on an add-on. Raises `NotFound("add_on")`."""
    return await repository.of_add_on(tx, (await add_ons.get_add_on(tx, code=code)).id)


async def of_coupon_deletion(tx: Tx, code: str) -> CouponDeletion:
    """Who has a coupon. Raises `NotFound("coupon")`."""
    return await repository.of_coupon(tx, (await coupons.get_coupon(tx, code=code)).id)


async def of_termination(tx: Tx, external_id: str, *, now: datetime) -> Termination:
    """How an active subscription would end now, with each way of giving unused time back (subscriptions §2.8, invoicing §10.5).

    Raises what ending it would: `NotFound("subscription")`, `Invalid`, `NotAllowed("cannot_terminate_with_pending_taxes")`.
    """
    contract = await subscriptions.find_to_end(tx, external_id=external_id, status=None)
    await subscriptions.check_taxes(tx, contract)
    options = CREDIT_NOTE_OPTIONS if contract.plan.pay_in_advance else (None,)
    outcomes = [await _outcome(tx, contract, option, now=now) for option in options]
    after = contract.relations.successor
    waits = after is not None and after.status is Status.PENDING
    return Termination(
        contract=contract,
        calls_off=after.plan_code if after and waits else None,
        outcomes=outcomes,
        waiting=await _waiting(tx, contract),
    )


async def _waiting(tx: Tx, contract: Contract) -> Waiting | None:
    lines = await corrected.gather_waiting(tx, contract)
    return Waiting(lines=lines, totals=one_off.totals_of(lines)) if lines else None


async def _outcome(tx: Tx, contract: Contract, option: str | None, *, now: datetime) -> Outcome:
    ending = Ending(
        external_ids=[contract.subscription.external_id], terminated_at=now.isoformat(), credit_note=option
    )
    asked = PreviewInput(question=ending, external_customer_id=contract.customer.external_id)
    found = await previews.preview(tx, asked, now=now)
    return Outcome(credit_note_option=option, view=found.view, given_back=found.given_back)


async def of_void(tx: Tx, invoice_id: UUID, *, now: datetime) -> Void:
    """What voiding an invoice gives back (invoicing §10.4). Raises `NotFound("invoice")`, `NotAllowed("not_voidable")`."""
    invoice = await invoices.get_invoice(tx, invoice_id)
    if invoice.status is not InvoiceStatus.FINALIZED:
        raise NotAllowed("not_voidable")
    return Void(
        invoice=invoice,
        releases=await repository.releases_of(tx, invoice.id),
        most_by_note=await credit_notes.most_of_voided(tx, invoice),
        is_regenerable=bool(await regenerable_of(tx, [invoice.id], status=invoice.status, now=now)),
    )
