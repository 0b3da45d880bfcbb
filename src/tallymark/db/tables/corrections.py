"""The table of what events were: an event that was corrected has all its versions here, the first one too."""

from sqlalchemy import Column, Integer, Numeric, Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import flag, instant, metadata, string, tenant_column

event_versions = Table(
    "event_versions",
    metadata,
    tenant_column(),
    Column("event_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    flag("is_void"),
    instant("timestamp", nullable=False),
    Column("properties", JSONB, nullable=False),
    Column("precise_total_amount_cents", Numeric(40, 15)),
    # Of the version that came in there is neither. Who gave it is a key, or somebody in the web app.
    string("reason"),
    Column("api_key_id", Uuid),
    string("user_email"),
    instant("created_at", nullable=False),
)
