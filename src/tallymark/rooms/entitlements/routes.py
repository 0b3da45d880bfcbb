"""The doors to features and their privileges."""

from __future__ import annotations

from tallymark.api.context import InContext
from tallymark.api.pagination import InPage, Meta
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router, tenant_router
from tallymark.rooms.entitlements import service
from tallymark.rooms.entitlements.model import Feature
from tallymark.rooms.entitlements.schemas import (
    FeatureCreateRequest,
    FeatureOutput,
    FeatureResponse,
    FeaturesResponse,
    FeatureUpdateRequest,
    IdentifiedFeatureOutput,
    IdentifiedFeatureResponse,
)

router = tenant_router("features", resource="feature")
app_router = member_router("app: features")


@router.post("/features")
async def create_feature(body: FeatureCreateRequest, context: InContext) -> FeatureResponse:
    """Make a feature with its privileges."""
    async with context.transaction() as tx:
        return _answer(await service.create_feature(tx, body.feature, now=context.now))


@router.get("/features")
async def list_features(context: InContext, page: InPage, search_term: str | None = None) -> FeaturesResponse:
    """List features, newest first."""
    async with context.transaction() as tx:
        found, total = await service.list_features(tx, page, search_term=search_term)
    return FeaturesResponse(features=[FeatureOutput.of(one) for one in found], meta=Meta.of(page, total))


@router.delete("/features/{code:path}/privileges/{privilege_code:path}")
async def delete_feature_privilege(code: str, privilege_code: str, context: InContext) -> FeatureResponse:
    """Delete a privilege, and take its values from all plans and subscriptions."""
    async with context.transaction() as tx:
        return _answer(await service.delete_privilege(tx, code, privilege_code, now=context.now))


@router.get("/features/{code:path}")
async def get_feature(code: str, context: InContext) -> FeatureResponse:
    """Read one feature."""
    async with context.transaction() as tx:
        return _answer(await service.get_feature(tx, code=code))


@router.change("/features/{code:path}")
async def update_feature(code: str, body: FeatureUpdateRequest, context: InContext) -> FeatureResponse:
    """Change what is sent; privileges are added, and none is removed."""
    async with context.transaction() as tx:
        return _answer(await service.update_feature(tx, code, body.feature, now=context.now))


@router.delete("/features/{code:path}")
async def delete_feature(code: str, context: InContext) -> FeatureResponse:
    """Delete a feature, and take it from all plans and subscriptions."""
    async with context.transaction() as tx:
        return _answer(await service.delete_feature(tx, code, now=context.now))


@app_router.get("/features/{code:path}")
@permitted("features:view")
async def get_identified_feature(code: str, context: InContext) -> IdentifiedFeatureResponse:
    """Read one feature with the id that the activity log names it by."""
    async with context.transaction() as tx:
        found = await service.get_feature(tx, code=code)
    shown = FeatureOutput.of(found)
    return IdentifiedFeatureResponse(feature=IdentifiedFeatureOutput(lago_id=found.id, **dict(shown)))


def _answer(feature: Feature) -> FeatureResponse:
    return FeatureResponse(feature=FeatureOutput.of(feature))
