"""How features and entitlements look on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, WithJsonSchema

from tallymark.api.errors import BadRequest
from tallymark.api.pagination import Meta
from tallymark.api.wire import Input, Instant, NotEmpty
from tallymark.rooms.entitlements.model import Entitlement, Feature, Grant, Privilege, Value

_OPTIONAL_TEXT = {"type": ["string", "null"]}
_CONFIG = {
    "type": "object",
    "properties": {"select_options": {"type": "array", "items": {"type": "string"}}},
}
_VALUE_TYPE = {"type": "string", "enum": ["string", "integer", "boolean", "select"]}
_PRIVILEGE = {
    "type": "object",
    "properties": {
        "code": {"type": "string"},
        "name": _OPTIONAL_TEXT,
        "value_type": _VALUE_TYPE,
        "config": _CONFIG,
    },
}
_CHANGES = {
    "name": _OPTIONAL_TEXT,
    "description": _OPTIONAL_TEXT,
    "privileges": {"type": "array", "items": _PRIVILEGE},
}
CREATED = {"type": "object", "properties": {"code": {"type": "string"}, **_CHANGES}}
CHANGED = {"type": "object", "properties": _CHANGES}
GIVEN = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "additionalProperties": {"type": ["string", "integer", "boolean"]},
    },
}
"""Values by the codes of features and their privileges."""


class FeatureCreateRequest(BaseModel):
    feature: Annotated[dict[str, Any], NotEmpty, WithJsonSchema(CREATED)]


class FeatureUpdateRequest(BaseModel):
    feature: Annotated[dict[str, Any], NotEmpty, WithJsonSchema(CHANGED)]


class EntitlementsRequest(Input):
    entitlements: Annotated[Any, WithJsonSchema(GIVEN)] = None

    def to_value(self) -> dict[str, Any]:
        """What is sent of each feature; an empty object says that nothing is. Raises `BadRequest`."""
        if not isinstance(self.entitlements, dict):
            raise BadRequest.missing_root("entitlements")
        return self.entitlements


class PrivilegeOutput(BaseModel):
    code: str
    name: str | None
    value_type: Literal["string", "integer", "boolean", "select"]
    config: Annotated[dict[str, list[str]], WithJsonSchema(_CONFIG)]

    @classmethod
    def of(cls, privilege: Privilege) -> PrivilegeOutput:
        """Show a privilege."""
        return cls(**_shown(privilege))


class FeatureOutput(BaseModel):
    code: str
    name: str | None
    description: str | None
    privileges: list[PrivilegeOutput]
    created_at: Instant

    @classmethod
    def of(cls, feature: Feature) -> FeatureOutput:
        """Show a feature."""
        privileges = [PrivilegeOutput.of(one) for one in feature.privileges]
        return cls(**_named(feature), privileges=privileges, created_at=feature.created_at)


class FeatureResponse(BaseModel):
    feature: FeatureOutput


class IdentifiedFeatureOutput(FeatureOutput):
    lago_id: UUID


class IdentifiedFeatureResponse(BaseModel):
    feature: IdentifiedFeatureOutput


class FeaturesResponse(BaseModel):
    features: list[FeatureOutput]
    meta: Meta


class GrantedPrivilegeOutput(PrivilegeOutput):
    value: Value


class GrantOutput(BaseModel):
    code: str
    name: str | None
    description: str | None
    privileges: list[GrantedPrivilegeOutput]

    @classmethod
    def of(cls, grant: Grant) -> GrantOutput:
        """Show what a plan grants of a feature."""
        privileges = [
            GrantedPrivilegeOutput(**_shown(one), value=grant.values[one.id])
            for one in grant.feature.privileges
            if one.id in grant.values
        ]
        return cls(**_named(grant.feature), privileges=privileges)


class GrantResponse(BaseModel):
    entitlement: GrantOutput


class GrantsResponse(BaseModel):
    entitlements: list[GrantOutput]


class EntitledPrivilegeOutput(GrantedPrivilegeOutput):
    plan_value: Value | None
    override_value: Value | None


class EntitlementOutput(BaseModel):
    code: str
    name: str | None
    description: str | None
    privileges: list[EntitledPrivilegeOutput]
    overrides: dict[str, Value]

    @classmethod
    def of(cls, entitlement: Entitlement) -> EntitlementOutput:
        """Show what a subscription is entitled to of a feature."""
        privileges = [
            EntitledPrivilegeOutput(
                **_shown(one.privilege),
                value=one.value,
                plan_value=one.plan_value,
                override_value=one.override_value,
            )
            for one in entitlement.privileges
        ]
        overrides = {one.code: one.override_value for one in privileges if one.override_value is not None}
        return cls(**_named(entitlement.feature), privileges=privileges, overrides=overrides)


class EntitlementsResponse(BaseModel):
    entitlements: list[EntitlementOutput]


def _named(feature: Feature) -> dict[str, Any]:
    return {name: getattr(feature, name) for name in ("code", "name", "description")}


def _shown(privilege: Privilege) -> dict[str, Any]:
    same = ("code", "name", "value_type", "config")
    return {name: getattr(privilege, name) for name in same}
