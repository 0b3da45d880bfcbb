"""The days of a running period, for charts: those that are kept, and the one that runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.periods import local_date
from tallymark.rooms.daily_usages import repository
from tallymark.rooms.daily_usages.differences import difference
from tallymark.rooms.daily_usages.model import JSON, ChargeOfDay, DayOfPeriod
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.model import CurrentUsage
from tallymark.rooms.usage.schemas import CurrentUsageOutput


async def days_of(tx: Tx, current: CurrentUsage, *, now: datetime) -> Sequence[DayOfPeriod]:
    """What each day added to a period's usage, priced without taxes; the running one holds all that no kept day does.

    So they add up to what the period has come to, whatever came late. A day on which nothing is kept is missing.
    """
    contract = current.contract
    kept, last = await repository.kept_of_period(tx, contract.subscription.id, from_at=current.window.start)
    today = local_date(now, contract.timezone)
    shown = CurrentUsageOutput.of(usage.without_unused(current)).model_dump(mode="json")
    charge_ids = frozenset(str(charge.id) for charge in contract.plan.charges)
    running = _day(today, difference(shown, last, charge_ids))
    days = [_day(day, grown) for day, grown in kept]
    return [*days, running] if running.charges or not days else days


def _day(day: date, grown: JSON) -> DayOfPeriod:
    charges = [
        ChargeOfDay(
            charge_id=UUID(item["charge"]["lago_id"]),
            units=Decimal(item["units"]),
            amount_cents=item["amount_cents"],
        )
        for item in grown["charges_usage"]
    ]
    return DayOfPeriod(
        date=day,
        amount_cents=grown["amount_cents"],
        charges=[one for one in charges if one.units or one.amount_cents],
    )
