"""What subscriptions are entitled to, and what one has instead of its plan's (platform §11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.entitlements import service as entitlements
from tallymark.rooms.entitlements.inputs import Sent
from tallymark.rooms.entitlements.model import Entitlement, Named, changes_between
from tallymark.rooms.entitlements.service.of_subscriptions import Whose
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.subscriptions.service.messages import tell


async def entitlements_of(tx: Tx, contracts: Sequence[Contract]) -> dict[UUID, tuple[Entitlement, ...]]:
    """What each subscription is entitled to; one on a plan of its own starts from that plan's parent."""
    whose = [_whose(contract) for contract in contracts]
    return await entitlements.of_subscriptions(tx, {one.subscription_id: one.plan_id for one in whose})


async def change_entitlements(tx: Tx, contract: Contract, sent: Sent, *, now: datetime) -> None:
    """Give a subscription what is sent. Raises `NotFound` and `Invalid`; nothing is changed then."""
    before = await _held(tx, contract)
    await entitlements.patch_subscription(tx, _whose(contract), sent, now=now)
    await _tell(tx, contract, before, now=now)


async def remove_entitlement(tx: Tx, contract: Contract, feature_code: str, *, now: datetime) -> None:
    """Have a subscription do without a feature. Raises `NotFound("feature")`."""
    before = await _held(tx, contract)
    if await entitlements.remove_feature(tx, _whose(contract), feature_code, now=now):
        await _tell(tx, contract, before, now=now)


async def remove_entitled_privilege(
    tx: Tx, contract: Contract, feature_code: str, privilege_code: str, *, now: datetime
) -> None:
    """Have a subscription do without a privilege. Raises `NotFound("feature")` and `NotFound("privilege")`."""
    before, whose = await _held(tx, contract), _whose(contract)
    if await entitlements.remove_privilege(tx, whose, feature_code, privilege_code, now=now):
        await _tell(tx, contract, before, now=now)


async def _held(tx: Tx, contract: Contract) -> Named:
    """What a subscription is entitled to, which nobody else changes until the transaction ends."""
    await entitlements.lock_subscription(tx, contract.subscription.id)
    found = (await entitlements_of(tx, [contract]))[contract.subscription.id]
    return {one.feature.code: one.values for one in found}


async def _tell(tx: Tx, contract: Contract, before: Named, *, now: datetime) -> None:
    different = changes_between(before, await _held(tx, contract))
    await tell(tx, contract.subscription, "updated", now=now, changed=different)


def _whose(contract: Contract) -> Whose:
    plan = contract.plan
    return Whose(subscription_id=contract.subscription.id, plan_id=plan.parent_id or plan.id)
