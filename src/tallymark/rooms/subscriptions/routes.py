"""The doors to subscriptions."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from tallymark.api.context import Context, InContext
from tallymark.api.pagination import InPage, Meta, Page
from tallymark.api.routing import tenant_router
from tallymark.api.wire import query_flag
from tallymark.db.engine import Tx
from tallymark.domain.errors import Forbidden, Invalid, NotFound
from tallymark.rooms.customers import service as customers
from tallymark.rooms.subscriptions import service
from tallymark.rooms.subscriptions.model import Details, Filters, Status, Subscription
from tallymark.rooms.subscriptions.schemas import (
    ChangedSubscriptionOutput,
    ChangedSubscriptionResponse,
    DetailedSubscriptionOutput,
    EndedSubscriptionOutput,
    EndedSubscriptionResponse,
    ListedSubscriptionOutput,
    SubscriptionCreateRequest,
    SubscriptionResponse,
    SubscriptionsResponse,
    SubscriptionUpdateRequest,
)

router = tenant_router("subscriptions", resource="subscription")

STATUSES = {status.value: (status,) for status in Status}


@router.post("/subscriptions")
async def create_subscription(body: SubscriptionCreateRequest, context: InContext) -> SubscriptionResponse:
    """Assign a plan to a customer; an upsert by `external_id`."""
    if body.authorization is not None:
        raise Forbidden("feature_not_available")
    async with context.transaction() as tx:
        asked = body.subscription.to_value()
        made = await service.create(tx, asked, now=context.now)
        subject = await service.find_subject(tx, made, asked.plan_code)
        thresholds, sections = body.subscription.thresholds() or None, body.subscription.sections()
        if thresholds is not None or sections is not None:
            async with service.traced(tx, subject, now=context.now):
                await service.set_thresholds(tx, subject, thresholds, now=context.now)
                await service.choose_sections(tx, subject, sections)
        return SubscriptionResponse(
            subscription=DetailedSubscriptionOutput.detailed(await _details(tx, made, context))
        )


def _filters(  # noqa: PLR0913 - the contract's filters
    request: Request,
    external_id: str | None = None,
    plan_code: str | None = None,
    currency: str | None = None,
    overridden: str | None = None,
    status: Annotated[list[str] | None, Query(alias="status[]")] = None,
    billing_entity_codes: Annotated[list[str] | None, Query(alias="billing_entity_codes[]")] = None,
    search_term: Annotated[
        str | None, Query(description="A part of its name or ids, or of its customer's.")
    ] = None,
) -> Filters:
    """Which subscriptions a list shows: active ones unless other statuses are asked for (§2.3)."""
    return Filters(
        external_id=external_id,
        plan_code=plan_code,
        currency=currency,
        statuses=read_statuses(status or request.query_params.getlist("status")),
        is_overridden=query_flag(overridden or request.query_params.get("overriden")),
        billing_entity_codes=tuple(billing_entity_codes or ()),
        search_term=search_term,
    )


InFilters = Annotated[Filters, Depends(_filters)]


@router.get("/subscriptions")
async def list_subscriptions(
    context: InContext, page: InPage, filters: InFilters, external_customer_id: str | None = None
) -> SubscriptionsResponse:
    """List subscriptions, active ones unless other statuses are asked for."""
    return await _list(context, replace(filters, external_customer_id=external_customer_id), page)


@router.get("/customers/{external_customer_id}/subscriptions")
async def list_customer_subscriptions(
    external_customer_id: str, context: InContext, page: InPage, filters: InFilters
) -> SubscriptionsResponse:
    """The subscriptions of one customer."""
    async with context.transaction() as tx:
        await customers.get_customer(tx, external_id=external_customer_id)
    return await _list(context, replace(filters, external_customer_id=external_customer_id), page)


@router.get("/subscriptions/{external_id:path}")
async def get_subscription(
    external_id: str, context: InContext, status: str | None = None, subscription_status: str | None = None
) -> SubscriptionResponse:
    """Read one subscription, the active one unless another status is asked for."""
    async with context.transaction() as tx:
        found = await _find(tx, external_id, status or subscription_status)
        return SubscriptionResponse(
            subscription=DetailedSubscriptionOutput.detailed(await _details(tx, found, context))
        )


@router.change("/subscriptions/{external_id:path}")
async def update_subscription(
    external_id: str, body: SubscriptionUpdateRequest, context: InContext, status: str | None = None
) -> ChangedSubscriptionResponse:
    """Change what is sent; with several of that id, the one of the given status (active by default)."""
    async with context.transaction() as tx:
        found = await service.choose(tx, external_id=external_id, status=status or body.status)
        async with service.traced(tx, found, now=context.now):
            changed = await service.update(tx, found, body.subscription.to_changes(), now=context.now)
            overrides = body.subscription.overrides()
            if overrides is not None:
                contract = (await service.get_contracts(tx, [changed]))[changed.id]
                changed = await service.change(tx, contract, overrides, now=context.now)
            await service.set_thresholds(tx, changed, body.subscription.thresholds(), now=context.now)
            changed = await service.choose_sections(tx, changed, body.subscription.sections())
        return ChangedSubscriptionResponse(
            subscription=ChangedSubscriptionOutput.changed(await _details(tx, changed, context))
        )


@router.delete("/subscriptions/{external_id:path}")
async def terminate_subscription(
    external_id: str,
    request: Request,
    context: InContext,
    status: str | None = None,
    on_termination_credit_note: str | None = None,
    on_termination_invoice: str | None = None,
) -> EndedSubscriptionResponse:
    """Terminate an active subscription, or cancel a pending one (`status=pending`)."""
    sent = await _body_options(request)
    credit_note = on_termination_credit_note or sent.get("on_termination_credit_note")
    invoice = on_termination_invoice or sent.get("on_termination_invoice")
    _check_options(credit_note, invoice)
    async with context.transaction() as tx:
        contract = await service.find_to_end(tx, external_id=external_id, status=status)
        if contract.subscription.status is Status.PENDING:
            ended = await service.cancel(tx, contract.subscription, now=context.now)
        else:
            await service.check_taxes(tx, contract)
            ended = await service.terminate(
                tx,
                contract,
                terminated_at=context.now,
                now=context.now,
                credit_note=credit_note,
                invoice=invoice,
            )
        shown = EndedSubscriptionOutput.ended(await _details(tx, ended, context))
        return EndedSubscriptionResponse(subscription=shown)


def read_statuses(asked: list[str]) -> tuple[Status, ...]:
    """The statuses of a filter; none means active. Raises `Invalid` for an unknown one."""
    if not asked:
        return (Status.ACTIVE,)
    if any(status not in STATUSES for status in asked):
        raise Invalid({"status": ["value_is_invalid"]})
    return tuple(found for status in asked for found in STATUSES[status])


async def _body_options(request: Request) -> dict[str, Any]:
    body = await request.json()
    return body if isinstance(body, dict) else {}


def _check_options(credit_note: str | None, invoice: str | None) -> None:
    if credit_note not in (None, "credit", "refund", "offset", "skip"):
        raise Invalid({"on_termination_credit_note": ["invalid_value"]})
    if invoice not in (None, "generate", "skip"):
        raise Invalid({"on_termination_invoice": ["invalid_value"]})


async def _find(tx: Tx, external_id: str, status: str | None) -> Subscription:
    wanted = STATUSES.get(status or "active")
    if not wanted:
        raise NotFound("subscription")
    return await service.get_subscription(tx, external_id=external_id, status=wanted[0])


async def _details(tx: Tx, subscription: Subscription, context: Context) -> Details:
    (details,) = await service.get_details(tx, [subscription], now=context.now)
    return details


async def _list(context: Context, filters: Filters, page: Page) -> SubscriptionsResponse:
    async with context.transaction() as tx:
        found, total = await service.list_subscriptions(tx, filters, page)
        views = await service.get_views(tx, found, now=context.now)
    return SubscriptionsResponse(
        subscriptions=[ListedSubscriptionOutput.of(view) for view in views], meta=Meta.of(page, total)
    )
