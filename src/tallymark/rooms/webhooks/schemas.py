"""How webhook endpoints look on the wire (platform §9.1)."""

from __future__ import annotations

import json
from datetime import time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel
from starlette.datastructures import QueryParams

from tallymark.api.descriptions import TEXT, many, record, shown_as
from tallymark.api.errors import BadRequest
from tallymark.api.pagination import Meta
from tallymark.api.queries import read_ids, read_instant, read_list, reads
from tallymark.api.wire import NO_RECORD, Instant
from tallymark.domain.errors import Invalid
from tallymark.rooms.webhooks.model import (
    KNOWN_TYPES,
    DeliveryFilters,
    DeliveryRecord,
    Endpoint,
    Status,
    read_http_statuses,
)

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


FILTERS = reads(
    "webhook_endpoint_id", "status", "webhook_type", "http_status", "from_date", "to_date", "search_term",
)  # fmt: skip


def read_filters(query: QueryParams) -> DeliveryFilters:
    """The filters of a list. Raises `Invalid` for what cannot be read; an id that is none is nobody's."""
    term = query.get("search_term", "").strip()
    return DeliveryFilters(
        endpoint_ids=read_ids(query, "webhook_endpoint_id"),
        statuses=read_list(query, "status", [*Status]),
        webhook_types=read_list(query, "webhook_type", KNOWN_TYPES),
        http_statuses=tuple(map(_read_http_statuses, read_list(query, "http_status"))),
        updated_from=read_instant(query.get("from_date"), "from_date", of_day=time.min),
        updated_to=read_instant(query.get("to_date"), "to_date", of_day=time.max),
        searched=_read_searched(term) if term else None,
    )


def _read_http_statuses(text: str) -> range:
    try:
        return read_http_statuses(text)
    except ValueError:
        raise Invalid({"http_status": ["value_is_invalid"]}) from None


def _read_searched(term: str) -> UUID:
    try:
        return UUID(term)
    except ValueError:
        return NO_RECORD


class DeliveryOutput(BaseModel):
    lago_id: UUID
    lago_webhook_endpoint_id: UUID
    webhook_url: str
    webhook_type: str
    object_type: str
    lago_object_id: UUID | None
    sequence: int
    status: Literal["pending", "succeeded", "retrying", "failed"]
    retries: int
    http_status: int | None
    next_attempt_at: Instant | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, delivery: DeliveryRecord) -> DeliveryOutput:
        """Show a delivery as lists do."""
        return cls(**_shown(delivery))


class DetailedDeliveryOutput(DeliveryOutput):
    payload: dict[str, Any]
    response: str | None

    @classmethod
    def of(cls, delivery: DeliveryRecord) -> DetailedDeliveryOutput:
        """Show a delivery with what was sent, and what came back last."""
        assert delivery.body is not None, "a delivery that is read by itself is read whole"
        return cls(**_shown(delivery), payload=json.loads(delivery.body), response=delivery.response)


def _shown(delivery: DeliveryRecord) -> dict[str, Any]:
    object_type, _, object_id = delivery.object_key.partition(":")
    is_open = delivery.status in (Status.PENDING, Status.RETRYING)
    same = (
        "webhook_url", "webhook_type", "sequence", "status", "retries", "http_status", "created_at", "updated_at",
    )  # fmt: skip
    return {
        **{name: getattr(delivery, name) for name in same},
        "lago_id": delivery.id,
        "lago_webhook_endpoint_id": delivery.endpoint_id,
        "object_type": object_type,
        "lago_object_id": object_id or None,
        "next_attempt_at": delivery.next_attempt_at if is_open else None,
    }


class SecretOutput(BaseModel):
    hmac_key: UUID


class SecretResponse(BaseModel):
    webhook_secret: SecretOutput


class DeliveryResponse(BaseModel):
    webhook_delivery: DetailedDeliveryOutput


class DeliveriesResponse(BaseModel):
    webhook_deliveries: list[DeliveryOutput]
    meta: Meta
