"""What subscriptions have used of their running periods, many at a time: for what follows usage all the time (wallets §7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.calendar import Continuity, Window, current_charges_window
from tallymark.metering.aggregation import used_since
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage.model import ChargeLine
from tallymark.rooms.usage.rating import RatingScope, gather_all_charge_lines
from tallymark.rooms.usage.taxes import gather_taxes

Lines = Mapping[UUID, Sequence[ChargeLine]]
"""By subscription id."""


async def gather_running_lines(
    tx: Tx, contracts: Sequence[Contract], *, now: datetime
) -> dict[UUID, tuple[Window, Sequence[ChargeLine]]]:
    """The charges in arrears of active subscriptions in their running periods, with their taxes, by subscription id.

    As many statements for many subscriptions as for one. Right after many were billed hardly one of them has used anything: of
    those alike that have not, one is priced, and the others have no lines where that comes to nothing.
    """
    table = await gather_taxes(tx, contracts)
    continuity = await invoices.continuity_of(tx, contracts, at=now)
    scopes = [
        RatingScope(
            contract=contract,
            window=running_window(contract, continuity[contract.subscription.id], now=now),
            taxes=table,
        )
        for contract in contracts
    ]
    alike = await _idle_alike(tx, scopes)
    others = {_id(scope) for _, *rest in alike for scope in rest}
    lines = await _rate(tx, [scope for scope in scopes if _id(scope) not in others])
    owing = [
        scope
        for first, *rest in alike
        for scope in rest
        if any(line.fee.amount_cents for line in lines[_id(first)])
    ]
    lines |= await _rate(tx, owing)
    return {_id(scope): (scope.window, lines.get(_id(scope), ())) for scope in scopes}


def running_window(contract: Contract, continuity: Continuity, *, now: datetime) -> Window:
    """The charges window that holds `now`, of a subscription that has begun."""
    at = max(now, contract.life.started_at)
    return current_charges_window(contract.schedule, contract.life, at, continuity)


async def _rate(tx: Tx, scopes: Collection[RatingScope]) -> dict[UUID, list[ChargeLine]]:
    if not scopes:
        return {}
    asked = [(one, [c for c in one.contract.plan.charges if not c.pay_in_advance]) for one in scopes]
    found = await gather_all_charge_lines(tx, asked)
    return {_id(scope): lines for scope, lines in zip(scopes, found, strict=True)}


async def _idle_alike(tx: Tx, scopes: Iterable[RatingScope]) -> list[list[RatingScope]]:
    """Several of one plan and window that have used nothing, and began with nothing: what each comes to is the same."""
    found: dict[tuple[UUID, Window, str], list[RatingScope]] = defaultdict(list)
    for scope in scopes:
        plan = scope.contract.plan
        if not plan.carries_over:
            found[plan.id, scope.window, scope.contract.timezone.key].append(scope)
    several = [scope for alike in found.values() if len(alike) > 1 for scope in alike]
    used = await used_since(tx, _earliest(several))
    idle = [
        [scope for scope in alike if scope.contract.subscription.external_id not in used]
        for alike in found.values()
        if len(alike) > 1
    ]
    return [alike for alike in idle if alike]


def _earliest(scopes: Iterable[RatingScope]) -> dict[str, datetime]:
    """When the windows of each external id begin."""
    found: dict[str, datetime] = {}
    for scope in scopes:
        external_id, start = scope.contract.subscription.external_id, scope.window.period.start
        found[external_id] = min(start, found.get(external_id, start))
    return found


def _id(scope: RatingScope) -> UUID:
    return scope.contract.subscription.id
