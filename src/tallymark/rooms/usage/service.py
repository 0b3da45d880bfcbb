"""What was used and what it would cost now (metering §9.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotAllowed, NotFound
from tallymark.domain.fees.projection import elapsed_share
from tallymark.domain.invoicing import InvoicedFee, compute_invoice
from tallymark.domain.money import currency
from tallymark.domain.periods import TICK, Period, local_date
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage.advance import advance_line, with_billed
from tallymark.rooms.usage.model import ChargeLine, CurrentUsage, Question
from tallymark.rooms.usage.projection import project_lines
from tallymark.rooms.usage.rating import (
    RatingScope,
    gather_all_charge_lines,
    gather_charge_lines,
    period_step,
    true_up_of,
)
from tallymark.rooms.usage.running import gather_running_lines, running_window
from tallymark.rooms.usage.taxes import NO_TAXES, TaxTable, gather_taxes

__all__ = [
    "NO_TAXES",
    "RatingScope",
    "TaxTable",
    "advance_line",
    "gather_all_charge_lines",
    "gather_charge_lines",
    "gather_running_lines",
    "gather_taxes",
    "get_current_usage",
    "get_projected_usage",
    "get_running_usages",
    "get_usage_since_start",
    "get_usages_of_day",
    "period_step",
    "true_up_of",
    "with_billed",
    "without_unused",
]


async def get_current_usage(tx: Tx, asked: Question, *, now: datetime) -> CurrentUsage:
    """Price the running period of an active subscription (metering §9.1).

    Raises `NotFound("resource")` for an unknown customer, `NotAllowed("no_active_subscription")`,
    `NotAllowed("full_usage_not_allowed")`, and `NotFound("charge")` when nothing is selected.
    """
    contract = await _active_contract(tx, asked.external_customer_id, asked.external_subscription_id)
    chosen = [charge for charge in contract.plan.charges if asked.selection.takes(charge)]
    is_narrow = asked.selection.is_any or bool(asked.narrowing.group)
    if asked.is_full and (not is_narrow or any(charge.prorated for charge in chosen)):
        raise NotAllowed("full_usage_not_allowed")
    if asked.selection.is_any and not chosen:
        raise NotFound("charge")
    return await _price(tx, contract, chosen, asked, now=now)


async def get_projected_usage(tx: Tx, asked: Question, *, now: datetime) -> CurrentUsage:
    """The running period, each line with what it comes to if usage goes on alike (metering §9.2).

    Raises what `get_current_usage` does.
    """
    usage = await get_current_usage(tx, asked, now=now)
    share = elapsed_share(usage.window, now, usage.contract.timezone)
    lines = project_lines(usage.lines, share, currency(usage.contract.plan.amount_currency))
    return replace(usage, lines=lines)


async def get_running_usages(
    tx: Tx, contracts: Sequence[Contract], *, now: datetime
) -> dict[UUID, CurrentUsage]:
    """All charges of the running periods of active subscriptions, without taxes: all events are read at once."""
    return await _usages(tx, contracts, now=now, as_of=None)


async def get_usages_of_day(
    tx: Tx, contracts: Sequence[Contract], *, ends: datetime
) -> dict[UUID, CurrentUsage]:
    """The same as it stood when a day ended, in the periods that the day lies in."""
    return await _usages(tx, contracts, now=ends - TICK, as_of=ends)


async def _usages(
    tx: Tx, contracts: Sequence[Contract], *, now: datetime, as_of: datetime | None
) -> dict[UUID, CurrentUsage]:
    continuity = await invoices.continuity_of(tx, contracts, at=now)
    scopes = [
        RatingScope(
            contract=contract,
            window=running_window(contract, continuity[contract.subscription.id], now=now),
            taxes=NO_TAXES,
            as_of=as_of,
        )
        for contract in contracts
    ]
    found = await gather_all_charge_lines(tx, [(scope, scope.contract.plan.charges) for scope in scopes])
    return {
        scope.contract.subscription.id: _as_usage(
            scope, await with_billed(tx, scope, lines), now=now, with_taxes=False
        )
        for scope, lines in zip(scopes, found, strict=True)
    }


async def get_usage_since_start(
    tx: Tx, contract: Contract, charges: Sequence[Charge], *, now: datetime
) -> CurrentUsage:
    """Charges of an active subscription from its start to the end of the running period, without taxes."""
    asked = Question(
        external_customer_id=contract.customer.external_id,
        external_subscription_id=contract.subscription.external_id,
        is_full=True,
        with_taxes=False,
    )
    return await _price(tx, contract, charges, asked, now=now)


async def _price(
    tx: Tx, contract: Contract, charges: Sequence[Charge], asked: Question, *, now: datetime
) -> CurrentUsage:
    continuity = (await invoices.continuity_of(tx, [contract], at=now))[contract.subscription.id]
    window = running_window(contract, continuity, now=now)
    if asked.is_full:
        window = replace(window, period=Period(contract.life.started_at, window.period.end))
    scope = RatingScope(
        contract=contract,
        window=window,
        taxes=await gather_taxes(tx, [contract]),
        narrowing=asked.narrowing,
    )
    lines = await with_billed(tx, scope, await gather_charge_lines(tx, scope, charges))
    return _as_usage(scope, lines, now=now, with_taxes=asked.with_taxes)


def without_unused(usage: CurrentUsage) -> CurrentUsage:
    """Usage without the lines in which nothing was used and that cost nothing."""
    return replace(usage, lines=tuple(line for line in usage.lines if not line.fee.is_zero))


def _as_usage(
    scope: RatingScope, lines: Sequence[ChargeLine], *, now: datetime, with_taxes: bool
) -> CurrentUsage:
    contract, window = scope.contract, scope.window
    totals = compute_invoice(
        [InvoicedFee(fee=line.fee, taxes=line.rates if with_taxes else ()) for line in lines]
    )
    cycle = contract.schedule.cycle()
    today = local_date(now, contract.timezone)
    return CurrentUsage(
        contract=contract,
        window=window.period,
        issuing_date=cycle.period_end(cycle.period_start(today)),
        lines=tuple(lines),
        totals=totals,
    )


async def _active_contract(
    tx: Tx, external_customer_id: str, external_subscription_id: str | None
) -> Contract:
    customer = await customers.find_customer(tx, external_id=external_customer_id)
    if customer is None:
        raise NotFound("resource")
    subscription = None
    if external_subscription_id:
        subscription = await subscriptions.find_active(tx, external_id=external_subscription_id)
    if subscription is None or subscription.customer_id != customer.id:
        raise NotAllowed("no_active_subscription")
    found = await subscriptions.get_contracts(tx, [subscription], of_customers={customer.id: customer})
    return found[subscription.id]
