"""How security logs look on the wire."""

from __future__ import annotations

import json
from datetime import time
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from starlette.datastructures import QueryParams

from tallymark.api.logged_keys import LoggedKeyOutput
from tallymark.api.pagination import Meta
from tallymark.api.queries import read_ids, read_instant, read_list, reads
from tallymark.api.wire import Instant
from tallymark.domain.errors import Invalid
from tallymark.jobs.security import EVENTS, TYPES
from tallymark.rooms.security_logs.model import Entry, Filters, read_device

FILTERS = reads(
    "from_date", "to_date", "user_ids[]", "user_emails[]", "api_key_ids[]", "log_types[]", "log_events[]"
)


def read_filters(query: QueryParams) -> Filters:
    """The filters of a list, which has to say up to when. Raises `Invalid`."""
    logged_to = read_instant(query.get("to_date"), "to_date", of_day=time.max)
    if logged_to is None:
        raise Invalid({"to_date": ["value_is_mandatory"]})
    return Filters(
        logged_from=read_instant(query.get("from_date"), "from_date", of_day=time.min),
        logged_to=logged_to,
        user_ids=read_ids(query, "user_ids"),
        user_emails=read_list(query, "user_emails"),
        api_key_ids=read_ids(query, "api_key_ids"),
        log_types=read_list(query, "log_types", TYPES),
        log_events=read_list(query, "log_events", EVENTS),
    )


class DeviceOutput(BaseModel):
    user_agent: str | None
    ip_address: str | None
    browser: str | None
    os: str | None
    device_type: str | None


class SecurityLogOutput(BaseModel):
    log_id: UUID
    log_type: str
    log_event: str
    user_email: str | None
    api_key: LoggedKeyOutput | None
    """The key that was used; null of what was done otherwise, and of what was done to a key."""
    logged_at: Instant
    created_at: Instant
    resources: dict[str, Any]
    device_info: DeviceOutput

    @classmethod
    def of(cls, entry: Entry) -> SecurityLogOutput:
        """Show an entry."""
        same = ("log_type", "log_event", "user_email", "logged_at", "created_at")
        told = {"user_agent": entry.user_agent, "ip_address": entry.ip_address}
        return cls(
            **{name: getattr(entry, name) for name in same},
            log_id=entry.id,
            api_key=LoggedKeyOutput.of(
                entry.used_key_id, name=entry.api_key_name, ending=entry.api_key_ending
            ),
            resources=json.loads(entry.resources),
            device_info=DeviceOutput(**told, **read_device(entry.user_agent)),
        )


class SecurityLogResponse(BaseModel):
    security_log: SecurityLogOutput


class SecurityLogsResponse(BaseModel):
    security_logs: list[SecurityLogOutput]
    meta: Meta
