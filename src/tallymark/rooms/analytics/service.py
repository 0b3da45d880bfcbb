"""What was earned, billed, owed and used (platform §12.1–12.6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date, datetime

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.money import round_cents
from tallymark.domain.periods import Interval
from tallymark.domain.recurring_revenue import WEEKS_A_MONTH, add_months, shares
from tallymark.rooms.analytics import repository
from tallymark.rooms.analytics.model import (
    Asked,
    Collection,
    GrossRevenue,
    InvoicedUsage,
    OverdueBalance,
    RecurringRevenue,
    Scope,
    UsageAsked,
    UsageOfPeriod,
)
from tallymark.rooms.analytics.periods import period_axis
from tallymark.rooms.organizations import service as organizations

LONGEST_SPREAD = 13
"""Over how many months a base price is spread at the most: a year of 366 days has 12.02 months of 30.44 days."""


async def gross_revenues(tx: Tx, asked: Asked, *, now: datetime) -> list[GrossRevenue]:
    """What invoices come to, less what was refunded. Raises `NotFound("billing_entity")` (§12.1)."""
    return await repository.gross_revenues(tx, await scope_of(tx, asked, now=now))


async def invoice_collections(tx: Tx, asked: Asked, *, now: datetime) -> list[Collection]:
    """Invoices by payment status; a month without any has a row that says so, unless one currency is asked for (§12.2)."""
    scope = await scope_of(tx, asked, now=now)
    found = await repository.collections(tx, scope)
    empty = [] if scope.currency else [Collection(month=month) for month in _without(scope, found)]
    return sorted([*found, *empty], key=lambda row: row.month)


async def invoiced_usages(tx: Tx, asked: Asked, *, now: datetime) -> list[InvoicedUsage]:
    """What usage was billed, by metric (§12.3)."""
    return await repository.invoiced_usages(tx, await scope_of(tx, asked, now=now))


async def overdue_balances(tx: Tx, asked: Asked, *, now: datetime) -> list[OverdueBalance]:
    """What is overdue, by the month in which it fell due (§12.4)."""
    return await repository.overdue_balances(tx, await scope_of(tx, asked, now=now))


async def recurring_revenues(tx: Tx, asked: Asked, *, now: datetime) -> list[RecurringRevenue]:
    """Monthly recurring revenue; a month without any has a row that says so, unless one currency is asked for (§12.5)."""
    scope = await scope_of(tx, asked, now=now)
    sums: dict[tuple[date, str], Fraction] = defaultdict(Fraction)
    async for month, currency, cents in _attributed(tx, scope):
        sums[month, currency] += cents
    shown = [
        RecurringRevenue(month=month, currency=currency, amount_cents=round_cents(cents))
        for (month, currency), cents in sorted(sums.items())
        if month in scope.periods
    ]
    empty = [] if scope.currency else [RecurringRevenue(month=month) for month in _without(scope, shown)]
    return sorted([*shown, *empty], key=lambda row: row.month)


async def _attributed(tx: Tx, scope: Scope) -> AsyncIterator[tuple[date, str, Fraction]]:
    """Every base price with the months that it counts in: (month, currency, exact cents)."""
    issued_from = add_months(scope.start, -LONGEST_SPREAD)
    for prices in await repository.base_prices(tx, scope, issued_from=issued_from):
        spread = shares(
            Interval(prices.interval),
            in_advance=prices.pay_in_advance,
            length=prices.length,
            issuing_date=prices.issuing_date,
        )
        for month, share in spread.items():
            yield month, prices.currency, Fraction(prices.amount_cents) * share
    for weekly in await repository.weekly_prices(tx, scope):
        mean = Fraction(weekly.amount_cents) / weekly.fees_count
        yield weekly.month, weekly.currency, mean * WEEKS_A_MONTH


async def usages(tx: Tx, asked: UsageAsked) -> list[UsageOfPeriod]:
    """What was used, by metric and day, week or month (§12.6)."""
    return await repository.usages(tx, asked)


async def scope_of(tx: Tx, asked: Asked, *, now: datetime) -> Scope:
    """The periods of a question, and its issuer. Raises `NotFound("billing_entity")`."""
    organization = await organizations.get_organization(tx)
    code = asked.billing_entity_code
    entity = await organizations.get_entity(tx, code=code) if code else None
    return Scope(
        granularity=asked.granularity,
        periods=period_axis(asked.granularity, organization.created_at, now, asked.months),
        currency=asked.currency,
        billing_entity_id=entity.id if entity else None,
        external_customer_id=asked.external_customer_id or None,
        narrowed=asked.narrowed,
    )


def _without(scope: Scope, rows: Sequence[Collection | RecurringRevenue]) -> Iterator[date]:
    months = {row.month for row in rows}
    return (month for month in scope.periods if month not in months)
