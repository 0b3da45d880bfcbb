"""The table of daily usage: what a subscription had used of its period by the end of each day (metering §10)."""

from sqlalchemy import Column, Date, Index, Table, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import id_column, instant, metadata, reference, string, tenant_column

daily_usages = Table(
    "daily_usages",
    metadata,
    id_column(),
    tenant_column(),
    reference("subscription_id", "subscriptions"),
    Column("usage_date", Date, nullable=False),
    # From here on for a day that is over: until then it is only known that the day is to be looked at.
    instant("from_at"),
    instant("to_at"),
    string("currency"),
    Column("usage", JSONB(none_as_null=True)),
    Column("usage_diff", JSONB(none_as_null=True)),
    instant("refreshed_at"),
    UniqueConstraint("subscription_id", "usage_date"),
    Index(
        "daily_usages_day_idx", "organization_id", "usage_date", postgresql_where=text("usage IS NOT NULL")
    ),
)
