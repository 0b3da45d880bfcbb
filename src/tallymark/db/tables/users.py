"""Tables of the people who sign in: users, what they belong to, their sessions, and what keeps guessers out."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from tallymark.db.tables.columns import (
    id_column,
    implied,
    instant,
    metadata,
    organization_column,
    reference,
    string,
    timestamps,
)

users = Table(
    "users",
    metadata,
    id_column(),
    # In small letters: of two that differ in nothing else there is one.
    Column("email", Text, nullable=False, unique=True),
    # None for those who have only ever come from an identity provider.
    string("password_hash"),
    # Since when staff keep them out.
    instant("suspended_at"),
    *timestamps(),
)
"""A tenant sees who belongs to it, and nothing of passwords."""

memberships = Table(
    "memberships",
    metadata,
    id_column(),
    organization_column(),
    reference("user_id", "users"),
    # Codes: predefined ones, and the organization's own.
    Column("roles", ARRAY(Text), nullable=False),
    string("status", nullable=False, default="active"),
    *timestamps(),
    CheckConstraint("status IN ('active', 'revoked')", name="status"),
    Index(
        "memberships_live_idx",
        "user_id",
        "organization_id",
        unique=True,
        postgresql_where=text("status = 'active'"),
    ),
    Index("memberships_organization_idx", "organization_id", "created_at"),
)

roles = Table(
    "roles",
    metadata,
    id_column(),
    organization_column(),
    string("code", nullable=False),
    string("name", nullable=False),
    string("description"),
    Column("permissions", ARRAY(Text), nullable=False),
    *timestamps(),
    UniqueConstraint("organization_id", "code"),
)
"""The roles that an organization has made for itself; the predefined ones are no rows."""

invites = Table(
    "invites",
    metadata,
    id_column(),
    organization_column(),
    string("email", nullable=False),
    Column("roles", ARRAY(Text), nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    string("status", nullable=False, default="pending"),
    *timestamps(),
    CheckConstraint("status IN ('pending', 'accepted', 'revoked')", name="status"),
    Index(
        "invites_pending_idx",
        "organization_id",
        "email",
        unique=True,
        postgresql_where=text("status = 'pending'"),
    ),
)


def _of_user(*, is_key: bool = False) -> Column[object]:
    return Column(
        "user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, primary_key=is_key
    )


user_sessions = Table(
    "user_sessions",
    metadata,
    id_column(),
    _of_user(),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    string("login_method", nullable=False),
    # Whose identity provider let them in: they may enter no other organization.
    implied("provider_organization_id", nullable=True),
    # The visit of staff that it is, where it is none of the user's own.
    implied("visit_id", nullable=True),
    instant("created_at", nullable=False),
    instant("expires_at", nullable=False),
    Index("user_sessions_user_idx", "user_id"),
    Index("user_sessions_end_idx", "expires_at"),
)
"""No tenant sees this table."""

user_devices = Table(
    "user_devices",
    metadata,
    _of_user(is_key=True),
    Column("fingerprint", LargeBinary, primary_key=True),
    instant("created_at", nullable=False),
)
"""What users have signed in with before. No tenant sees this table."""

password_resets = Table(
    "password_resets",
    metadata,
    _of_user(is_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    instant("expires_at", nullable=False),
)
"""The one link with which a user may set another password. No tenant sees this table."""

sign_ups = Table(
    "sign_ups",
    metadata,
    Column("email", Text, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    instant("expires_at", nullable=False),
)
"""The one link by which the owner of an address may sign up. No tenant sees this table."""

guesses = Table(
    "guesses",
    metadata,
    # A hash of whose they are: of an address, a network address, or both.
    Column("bucket", LargeBinary, primary_key=True),
    Column("count", Integer, nullable=False),
    instant("until", nullable=False),
    Index("guesses_end_idx", "until"),
)
"""How often somebody tried to get in. No tenant sees this table."""
