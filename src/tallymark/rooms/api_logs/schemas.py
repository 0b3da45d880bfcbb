"""How API logs look on the wire."""

from __future__ import annotations

import json
from datetime import time
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from starlette.datastructures import QueryParams

from tallymark.api.pagination import Meta
from tallymark.api.queries import read_ids, read_instant, read_list, reads
from tallymark.api.wire import Instant
from tallymark.domain.errors import Invalid
from tallymark.rooms.api_logs.model import METHODS, Entry, Filters, is_status

FILTERS = reads(
    "from_date", "to_date", "http_methods[]", "http_statuses[]", "api_version", "request_paths", "clients[]",
    "api_key_ids[]",
)  # fmt: skip


def read_filters(query: QueryParams) -> Filters:
    """The filters of a list. Raises `Invalid` for what cannot be read."""
    statuses = read_list(query, "http_statuses")
    if not all(map(is_status, statuses)):
        raise Invalid({"http_statuses": ["value_is_invalid"]})
    return Filters(
        logged_from=read_instant(query.get("from_date"), "from_date", of_day=time.min),
        logged_to=read_instant(query.get("to_date"), "to_date", of_day=time.max),
        methods=read_list(query, "http_methods", METHODS),
        statuses=statuses,
        api_version=query.get("api_version") or None,
        paths=read_list(query, "request_paths"),
        clients=read_list(query, "clients"),
        api_key_ids=read_ids(query, "api_key_ids"),
    )


class ApiLogOutput(BaseModel):
    request_id: UUID
    client: str
    http_method: Literal["post", "put", "patch", "delete"]
    http_status: int
    request_origin: str
    request_path: str
    request_body: dict[str, Any]
    request_response: Any
    api_version: str
    logged_at: Instant
    created_at: Instant

    @classmethod
    def of(cls, entry: Entry) -> ApiLogOutput:
        """Show a call."""
        same = set(cls.model_fields) - {"request_body", "request_response"}
        return cls(
            **{name: getattr(entry, name) for name in same},
            request_body=json.loads(entry.request_body),
            request_response=None if entry.request_response is None else json.loads(entry.request_response),
        )


class ApiLogResponse(BaseModel):
    api_log: ApiLogOutput


class ApiLogsResponse(BaseModel):
    api_logs: list[ApiLogOutput]
    meta: Meta
