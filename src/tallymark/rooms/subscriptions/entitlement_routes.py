"""The doors to what subscriptions are entitled to (platform §11)."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import InContext
from tallymark.api.routing import tenant_router
from tallymark.db.engine import Tx
from tallymark.rooms.entitlements.schemas import (
    EntitlementOutput,
    EntitlementsRequest,
    EntitlementsResponse,
)
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.subscriptions.price_routes import STATUS, find_contract
from tallymark.rooms.subscriptions.service import entitlements

router = tenant_router("entitlements", resource="subscription")


@router.get("/subscriptions/{external_id}/entitlements", openapi_extra=STATUS)
async def list_subscription_entitlements(
    external_id: str, request: Request, context: InContext
) -> EntitlementsResponse:
    """List what a subscription is entitled to."""
    async with context.transaction() as tx:
        return await _list(tx, await find_contract(tx, external_id, request))


@router.patch("/subscriptions/{external_id}/entitlements", openapi_extra=STATUS)
async def change_subscription_entitlements(
    external_id: str, body: EntitlementsRequest, request: Request, context: InContext
) -> EntitlementsResponse:
    """Give a subscription what is sent, instead of or beside what its plan grants."""
    async with context.transaction() as tx:
        contract = await find_contract(tx, external_id, request)
        await entitlements.change_entitlements(tx, contract, body.to_value(), now=context.now)
        return await _list(tx, contract)


@router.delete(
    "/subscriptions/{external_id}/entitlements/{feature_code:path}/privileges/{privilege_code:path}",
    openapi_extra=STATUS,
)
async def remove_subscription_privilege(
    external_id: str, feature_code: str, privilege_code: str, request: Request, context: InContext
) -> EntitlementsResponse:
    """Have a subscription do without a privilege, and answer with what it is entitled to then."""
    async with context.transaction() as tx:
        contract = await find_contract(tx, external_id, request)
        await entitlements.remove_entitled_privilege(
            tx, contract, feature_code, privilege_code, now=context.now
        )
        return await _list(tx, contract)


@router.delete("/subscriptions/{external_id}/entitlements/{feature_code:path}", openapi_extra=STATUS)
async def remove_subscription_entitlement(
    external_id: str, feature_code: str, request: Request, context: InContext
) -> EntitlementsResponse:
    """Have a subscription do without a feature, and answer with what it is entitled to then."""
    async with context.transaction() as tx:
        contract = await find_contract(tx, external_id, request)
        await entitlements.remove_entitlement(tx, contract, feature_code, now=context.now)
        return await _list(tx, contract)


async def _list(tx: Tx, contract: Contract) -> EntitlementsResponse:
    found = (await entitlements.entitlements_of(tx, [contract]))[contract.subscription.id]
    return EntitlementsResponse(entitlements=[EntitlementOutput.of(one) for one in found])
