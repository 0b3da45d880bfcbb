"""The app's dashboards: revenue by streams, movements of recurring revenue, prepaid credits (platform §12.7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.money import currency
from tallymark.rooms.analytics import dashboard_rows
from tallymark.rooms.analytics.model import (
    Asked,
    CustomerRevenue,
    Movement,
    PlanRecurring,
    PlanRevenue,
    Scope,
)
from tallymark.rooms.analytics.service import scope_of

CONTRA_STREAMS = ("coupons", "progressive_billing", "credit_notes", "free_credits", "prepaid_credits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revenue:
    """What invoices of a period came to before coupons and taxes, by kinds of fees, and what was taken off; in minor units."""

    start: date
    currency: str
    streams: Mapping[str, int]

    @property
    def gross_cents(self) -> int:
        """All fees."""
        return sum(self.streams.get(name, 0) for name in dashboard_rows.GROSS_STREAMS)

    @property
    def contra_cents(self) -> int:
        """All that was taken off."""
        return sum(self.streams.get(name, 0) for name in CONTRA_STREAMS)

    @property
    def net_cents(self) -> int:
        """What is left."""
        return self.gross_cents - self.contra_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """Prepaid credits that moved in a period, by the way in which: minor units, and credits."""

    start: date
    currency: str
    cents: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    credits: dict[str, Fraction] = field(default_factory=lambda: defaultdict(Fraction))


async def revenue(tx: Tx, asked: Asked, *, now: datetime) -> list[Revenue]:
    """Revenue by streams, of invoices by their issuing dates. Raises `NotFound("billing_entity")`."""
    found: dict[tuple[date, str], dict[str, int]] = defaultdict(dict)
    for row in await dashboard_rows.revenue_streams(tx, await scope_of(tx, asked, now=now)):
        found[row.start, row.currency][row.stream] = row.amount_cents
    return [Revenue(start=start, currency=code, streams=streams) for (start, code), streams in found.items()]


async def revenue_by_plan(tx: Tx, asked: Asked, *, now: datetime) -> list[PlanRevenue]:
    """The plans that brought it, over all of the periods. Raises `NotFound("billing_entity")`."""
    return await dashboard_rows.revenue_by_plan(tx, await scope_of(tx, asked, now=now))


async def revenue_by_customer(tx: Tx, asked: Asked, *, now: datetime) -> list[CustomerRevenue]:
    """The customers who brought the most of it, over all of the periods. Raises `NotFound("billing_entity")`."""
    return await dashboard_rows.revenue_by_customer(tx, await scope_of(tx, asked, now=now))


async def movements(tx: Tx, asked: Asked, *, now: datetime) -> list[Movement]:
    """How the recurring revenue of subscriptions that run moved, by the ends of periods (UTC); the current one ends now.

    It is the base prices of their plans as they are, a month's worth of each, less the coupons that recur. Raises
    `NotFound("billing_entity")`.
    """
    scope = await scope_of(tx, asked, now=now)
    starts = [scope.granularity.later(scope.start, -1), *scope.periods]
    return await dashboard_rows.movements(tx, scope, [_end(scope, start, now) for start in starts])


async def recurring_by_plan(tx: Tx, asked: Asked, *, now: datetime) -> list[PlanRecurring]:
    """What recurs by plan at the end of the last period. Raises `NotFound("billing_entity")`."""
    scope = await scope_of(tx, asked, now=now)
    return await dashboard_rows.recurring_by_plan(tx, scope, _end(scope, scope.periods[-1], now))


def _end(scope: Scope, start: date, now: datetime) -> tuple[date, datetime]:
    """A period by its first day, and when it ends: the current one now."""
    return start, min(datetime.combine(scope.granularity.later(start, 1), time.min, UTC), now)


async def prepaid_credits(tx: Tx, asked: Asked, *, now: datetime) -> list[Credits]:
    """Credits that were bought, given, used and voided, by the period (UTC). Raises `NotFound("billing_entity")`."""
    scope = await scope_of(tx, asked, now=now)
    found: dict[tuple[date, str], Credits] = {}
    for row in await dashboard_rows.credits_moved(tx, scope):
        key = row.start, row.currency
        moved = found.setdefault(key, Credits(start=row.start, currency=row.currency))
        moved.cents[row.kind] += row.amount_cents
        worth = Fraction(row.rate_amount) * currency(row.currency).subunits
        moved.credits[row.kind] += Fraction(row.precise_amount_cents) / worth
    return list(found.values())
