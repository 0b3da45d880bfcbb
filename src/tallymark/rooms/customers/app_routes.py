"""The door to the list of customers that the app shows: each with what runs and what is to be paid (ui §3.1)."""

from __future__ import annotations

from dataclasses import replace

from fastapi import Request
from pydantic import BaseModel

from tallymark.api.context import Context, InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.permissions import permitted
from tallymark.api.queries import LARGEST, reads
from tallymark.api.routing import member_router
from tallymark.api.wire import query_flag
from tallymark.domain.errors import Problems
from tallymark.rooms.customers import service
from tallymark.rooms.customers.model import Balance, Filters, Standing
from tallymark.rooms.customers.routes import LISTED_BY, read_filters
from tallymark.rooms.customers.schemas import CustomerOutput, customer_fields
from tallymark.rooms.organizations import service as organizations

router = member_router("app: customers")

FILTERS = reads(*LISTED_BY, "is_overdue", "active_subscriptions_count_from", "active_subscriptions_count_to")


class BalanceOutput(BaseModel):
    currency: str
    due_cents: int
    overdue_cents: int

    @classmethod
    def of(cls, balance: Balance) -> BalanceOutput:
        """Show what is to be paid in a currency."""
        return cls(
            currency=balance.currency, due_cents=balance.due_cents, overdue_cents=balance.overdue_cents
        )


class StandingCustomerOutput(CustomerOutput):
    active_subscriptions_count: int | None
    """Null for whom may not see subscriptions."""
    balances: list[BalanceOutput] | None
    """What is to be paid, the largest amount first; null for whom may not see invoices."""


class StandingCustomersResponse(BaseModel):
    customers: list[StandingCustomerOutput]
    meta: Meta


@router.get("/customers", openapi_extra=FILTERS)
@permitted("customers:view")
async def list_standing_customers(
    request: Request, context: InContext, page: InPage
) -> StandingCustomersResponse:
    """List customers, newest first, with the subscriptions that run and what is to be paid.

    By the filters of the API's list, by what is overdue, and by how many subscriptions run.
    """
    filters = _read_filters(request)
    async with context.transaction() as tx:
        found, total = await service.list_customers(tx, filters, page)
        standings = await service.standings_of(tx, found)
        entities = await organizations.get_entities(tx, {one.billing_entity_id for one in found})
    shown = [
        StandingCustomerOutput(
            **customer_fields(one, entities[one.billing_entity_id]), **_standing(context, standings[one.id])
        )
        for one in found
    ]
    return StandingCustomersResponse(customers=shown, meta=Meta.of(page, total))


def _standing(context: Context, standing: Standing) -> dict[str, object]:
    """What a member may see of it."""
    held = context.member.permissions if context.member else frozenset[str]()
    balances = [BalanceOutput.of(balance) for balance in standing.balances]
    return {
        "active_subscriptions_count": standing.active_subscriptions_count
        if "subscriptions:view" in held
        else None,
        "balances": balances if "invoices:view" in held else None,
    }


def _read_filters(request: Request) -> Filters:
    """The filters of the app's list. Raises `Invalid`, as the API's does, and for what is no number of subscriptions."""
    query, problems = request.query_params, Problems()
    least, most = (
        _count(query.get(name), name, problems)
        for name in ("active_subscriptions_count_from", "active_subscriptions_count_to")
    )
    problems.raise_any()
    return replace(
        read_filters(request),
        is_overdue=query_flag(query.get("is_overdue")),
        least_subscriptions=least,
        most_subscriptions=most,
    )


def _count(text: str | None, name: str, problems: Problems) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        problems.add(name, "value_is_invalid")
        return None
    return min(int(text[:20]), LARGEST)
