"""The doors to what plans grant of features (platform §11)."""

from __future__ import annotations

from collections.abc import Sequence

from tallymark.api.context import InContext
from tallymark.api.routing import tenant_router
from tallymark.rooms.entitlements.model import Grant
from tallymark.rooms.entitlements.schemas import (
    EntitlementsRequest,
    GrantOutput,
    GrantResponse,
    GrantsResponse,
)
from tallymark.rooms.plans import entitlements

router = tenant_router("entitlements", resource="plan")


@router.post("/plans/{code:path}/entitlements")
async def replace_plan_entitlements(
    code: str, body: EntitlementsRequest, context: InContext
) -> GrantsResponse:
    """Make what a plan grants what is sent."""
    async with context.transaction() as tx:
        return _list(await entitlements.replace_grants(tx, code, body.to_value(), now=context.now))


@router.get("/plans/{code:path}/entitlements")
async def list_plan_entitlements(code: str, context: InContext) -> GrantsResponse:
    """List what a plan grants, in the order in which it began to."""
    async with context.transaction() as tx:
        return _list(await entitlements.list_grants(tx, code))


@router.patch("/plans/{code:path}/entitlements")
async def merge_plan_entitlements(code: str, body: EntitlementsRequest, context: InContext) -> GrantsResponse:
    """Add what is sent to what a plan grants."""
    async with context.transaction() as tx:
        return _list(await entitlements.merge_grants(tx, code, body.to_value(), now=context.now))


@router.delete("/plans/{code:path}/entitlements/{feature_code:path}/privileges/{privilege_code:path}")
async def remove_plan_privilege(
    code: str, feature_code: str, privilege_code: str, context: InContext
) -> GrantResponse:
    """Take one value from what a plan grants, and answer with what is left of the feature."""
    async with context.transaction() as tx:
        left = await entitlements.remove_value(tx, code, feature_code, privilege_code, now=context.now)
    return GrantResponse(entitlement=GrantOutput.of(left))


@router.get("/plans/{code:path}/entitlements/{feature_code:path}")
async def get_plan_entitlement(code: str, feature_code: str, context: InContext) -> GrantResponse:
    """Read what a plan grants of one feature."""
    async with context.transaction() as tx:
        found = await entitlements.get_grant(tx, code, feature_code)
    return GrantResponse(entitlement=GrantOutput.of(found))


@router.delete("/plans/{code:path}/entitlements/{feature_code:path}")
async def remove_plan_entitlement(code: str, feature_code: str, context: InContext) -> GrantResponse:
    """Take a feature from a plan, and answer with what was granted of it."""
    async with context.transaction() as tx:
        gone = await entitlements.remove_grant(tx, code, feature_code, now=context.now)
    return GrantResponse(entitlement=GrantOutput.of(gone))


def _list(grants: Sequence[Grant]) -> GrantsResponse:
    return GrantsResponse(entitlements=[GrantOutput.of(grant) for grant in grants])
