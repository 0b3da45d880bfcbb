"""Which billing entities an organization has, and which of them is the default one (platform §4)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from tallymark.db.tables import billing_entities


def active_entities(*columns: Any) -> Select[Any]:
    """Those that are not archived, the oldest first: that one is the default."""
    return (
        select(*columns)
        .where(billing_entities.c.archived_at.is_(None))
        .order_by(billing_entities.c.created_at, billing_entities.c.id)
    )


default_entity_id = active_entities(billing_entities.c.id).limit(1).scalar_subquery()
"""The default one's id, for statements that need no more of it."""
