"""How activity logs look on the wire."""

from __future__ import annotations

import json
from datetime import time
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from starlette.datastructures import QueryParams

from tallymark.api.logged_keys import LoggedKeyOutput
from tallymark.api.pagination import Meta
from tallymark.api.queries import read_ids, read_instant, read_list, reads
from tallymark.api.wire import Instant
from tallymark.db.engine import Source
from tallymark.jobs.activity import TYPES
from tallymark.rooms.activity_logs.model import RESOURCE_TYPES, Entry, Filters

FILTERS = reads(
    "from_date", "to_date", "activity_types[]", "activity_sources[]", "user_emails[]", "external_customer_id",
    "external_subscription_id", "resource_ids[]", "resource_types[]", "api_key_ids[]",
)  # fmt: skip


def read_filters(query: QueryParams) -> Filters:
    """The filters of a list. Raises `Invalid` for what cannot be read; an id that is none is nobody's."""
    return Filters(
        logged_from=read_instant(query.get("from_date"), "from_date", of_day=time.min),
        logged_to=read_instant(query.get("to_date"), "to_date", of_day=time.max),
        activity_types=read_list(query, "activity_types", TYPES),
        activity_sources=read_list(query, "activity_sources", [*Source]),
        user_emails=read_list(query, "user_emails"),
        api_key_ids=read_ids(query, "api_key_ids"),
        external_customer_id=query.get("external_customer_id") or None,
        external_subscription_id=query.get("external_subscription_id") or None,
        resource_ids=read_ids(query, "resource_ids"),
        resource_types=read_list(query, "resource_types", RESOURCE_TYPES),
    )


class ActivityLogOutput(BaseModel):
    activity_id: UUID
    activity_type: str
    activity_source: Literal["api", "front", "system"]
    activity_object: dict[str, Any] | None
    activity_object_changes: dict[str, Any]
    user_email: str | None
    api_key: LoggedKeyOutput | None
    resource_id: UUID
    resource_type: str
    external_customer_id: str | None
    external_subscription_id: str | None
    organization_id: UUID
    logged_at: Instant
    created_at: Instant

    @classmethod
    def of(cls, entry: Entry, organization_id: UUID) -> ActivityLogOutput:
        """Show an entry."""
        apart = {"activity_id", "activity_object", "activity_object_changes", "api_key", "organization_id"}
        return cls(
            **{name: getattr(entry, name) for name in set(cls.model_fields) - apart},
            activity_id=entry.id,
            api_key=LoggedKeyOutput.of(
                entry.api_key_id, name=entry.api_key_name, ending=entry.api_key_ending
            ),
            activity_object=None if entry.object is None else json.loads(entry.object),
            activity_object_changes={} if entry.changes is None else json.loads(entry.changes),
            organization_id=organization_id,
        )


class ActivityLogResponse(BaseModel):
    activity_log: ActivityLogOutput


class ActivityLogsResponse(BaseModel):
    activity_logs: list[ActivityLogOutput]
    meta: Meta
