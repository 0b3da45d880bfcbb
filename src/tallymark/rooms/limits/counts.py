"""What is counted against each limit, as a part of whatever statement asks for it."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Table, cast, func, or_, select

from tallymark.api.tenant_limits import Limit
from tallymark.db.tables import api_keys, data_exports, event_counts, invites, memberships

Id: TypeAlias = ColumnElement[UUID]
Now: TypeAlias = ColumnElement[datetime]

COUNTED = (Limit.EVENTS_PER_MONTH, Limit.MEMBERS, Limit.API_KEYS, Limit.EXPORTS_UNDER_WAY)
"""Of the events of a minute each process knows its own alone."""


def count(limit: Limit, organization_id: Id, now: Now) -> ColumnElement[int]:
    """How much an organization has of what is `COUNTED`, at an instant; members who are invited have their place already."""
    match limit:
        case Limit.MEMBERS:
            active = _count(memberships, organization_id, memberships.c.status == "active")
            return active + _count(invites, organization_id, invites.c.status == "pending")
        case Limit.API_KEYS:
            ends = api_keys.c.expires_at
            return _count(api_keys, organization_id, or_(ends.is_(None), ends > now))
        case Limit.EXPORTS_UNDER_WAY:
            is_open = data_exports.c.status.in_(("pending", "processing"))
            return _count(data_exports, organization_id, is_open)
        case Limit.EVENTS_PER_MONTH:
            month = cast(func.date_trunc("month", func.timezone("UTC", now)), Date)
            taken = select(event_counts.c.events).where(
                event_counts.c.organization_id == organization_id, event_counts.c.month == month
            )
            return func.coalesce(taken.scalar_subquery(), 0)
        case _:
            raise AssertionError(f"{limit} is counted in no one place")


def _count(of: Table, organization_id: Id, condition: ColumnElement[bool]) -> ColumnElement[int]:
    found = select(func.count()).select_from(of).where(of.c.organization_id == organization_id, condition)
    return found.scalar_subquery()
