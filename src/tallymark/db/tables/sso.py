"""Tables of single sign-on: the identity providers of organizations, and tries to come in by one."""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, Table, UniqueConstraint, Uuid

from tallymark.db.tables.columns import (
    id_column,
    instant,
    metadata,
    organization_column,
    string,
    timestamps,
)

identity_providers = Table(
    "identity_providers",
    metadata,
    id_column(),
    organization_column(),
    string("kind", nullable=False),
    # Of the whole installation: one provider speaks for a domain.
    string("domain", nullable=False),
    string("client_id", nullable=False),
    # Encrypted.
    Column("client_secret", LargeBinary, nullable=False),
    string("host"),
    string("organization_name"),
    string("tenant_id"),
    string("issuer"),
    *timestamps(),
    UniqueConstraint("organization_id", "kind"),
    UniqueConstraint("domain"),
    CheckConstraint("kind IN ('okta', 'entra_id', 'oidc')", name="kind"),
)

sso_attempts = Table(
    "sso_attempts",
    metadata,
    Column("state_hash", LargeBinary, primary_key=True),
    Column("browser_hash", LargeBinary, nullable=False),
    string("method", nullable=False),
    Column("provider_id", Uuid),
    string("nonce", nullable=False),
    string("verifier", nullable=False),
    instant("expires_at", nullable=False),
    Index("sso_attempts_end_idx", "expires_at"),
)
"""No tenant sees this table."""
