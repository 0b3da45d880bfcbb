"""Tables of staff, who run an installation: how they come in, and what they have done. No tenant sees any of them."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, text
from sqlalchemy.dialects.postgresql import JSONB

from tallymark.db.tables.columns import flag, id_column, implied, instant, metadata, string

staff_links = Table(
    "staff_links",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    string("login", nullable=False),
    instant("expires_at", nullable=False),
)
"""Links with which somebody comes in once."""

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),
    string("login", nullable=False),
    instant("created_at", nullable=False),
    instant("expires_at", nullable=False),
)

staff_deeds = Table(
    "staff_deeds",
    metadata,
    id_column(),
    string("login", nullable=False),
    # How they had signed in: "tailscale", "link", "shell" or "admin_key".
    string("via", nullable=False),
    string("ip_address"),
    string("verb", nullable=False),
    string("subject_type", nullable=False),
    string("subject_id", nullable=False),
    # What the subject was called then.
    string("subject", nullable=False),
    implied("about_organization_id", nullable=True),
    string("reason"),
    Column("before", JSONB(none_as_null=True)),
    Column("after", JSONB(none_as_null=True)),
    instant("created_at", nullable=False),
    Index("staff_deeds_newest_idx", text("created_at DESC"), text("id DESC")),
)
"""What staff have done; a trigger lets nobody change or delete a row."""

staff_visits = Table(
    "staff_visits",
    metadata,
    id_column(),
    string("login", nullable=False),
    # As whom they look in, and where.
    implied("user_id"),
    implied("visited_organization_id"),
    flag("is_read_only", default=True),
    string("reason", nullable=False),
    # The link that begins it; null once it was used.
    Column("link_hash", LargeBinary, unique=True),
    instant("link_until", nullable=False),
    instant("created_at", nullable=False),
    instant("expires_at", nullable=False),
    instant("ended_at"),
)
"""Staff looking into an organization as one of its members."""

job_errors = Table(
    "job_errors",
    metadata,
    # The queue's own table is Procrastinate's, and deletes by itself: no foreign key.
    Column("job_id", BigInteger, primary_key=True, autoincrement=False),
    # The end of its traceback.
    string("error", nullable=False),
    instant("failed_at", nullable=False),
)
"""Why jobs of the queue failed the last time."""
