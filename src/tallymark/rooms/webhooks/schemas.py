"""How webhook endpoints look on the wire (platform §9.1)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.descriptions import TEXT, many, record, shown_as
from tallymark.api.errors import BadRequest
from tallymark.api.pagination import Meta
from tallymark.api.wire import Instant
from tallymark.rooms.webhooks.model import Endpoint

_ENDPOINT = record(webhook_url=TEXT, signature_algo=TEXT, name=TEXT, event_types=many(TEXT))


class EndpointRequest(BaseModel):
    """An endpoint; what is wrong with it is told in the words of the contract."""

    webhook_endpoint: Annotated[Any, shown_as(_ENDPOINT)] = None

    def to_value(self) -> dict[str, Any]:
        """What was sent. Raises `BadRequest`."""
        if not isinstance(self.webhook_endpoint, dict) or not self.webhook_endpoint:
            raise BadRequest.missing_root("webhook_endpoint")
        return self.webhook_endpoint


class EndpointOutput(BaseModel):
    lago_id: UUID
    lago_organization_id: UUID
    webhook_url: str
    signature_algo: str
    name: str | None
    event_types: list[str] | None
    created_at: Instant

    @classmethod
    def of(cls, endpoint: Endpoint) -> EndpointOutput:
        """Show an endpoint."""
        return cls(
            lago_id=endpoint.id,
            lago_organization_id=endpoint.organization_id,
            webhook_url=endpoint.webhook_url,
            signature_algo=endpoint.signature_algo,
            name=endpoint.name,
            event_types=None if endpoint.event_types is None else list(endpoint.event_types),
            created_at=endpoint.created_at,
        )


class EndpointResponse(BaseModel):
    webhook_endpoint: EndpointOutput


class EndpointsResponse(BaseModel):
    webhook_endpoints: list[EndpointOutput]
    meta: Meta


class PublicKey(BaseModel):
    public_key: str


class PublicKeyResponse(BaseModel):
    webhook: PublicKey
