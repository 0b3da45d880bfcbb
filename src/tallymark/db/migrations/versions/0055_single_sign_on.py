"""Identity providers of organizations, tries to come in by one, and whose provider has let somebody in."""

from alembic import op

from tallymark.db.tenancy import isolate

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE identity_providers (
    id uuid NOT NULL CONSTRAINT identity_providers_pkey PRIMARY KEY,
    organization_id uuid NOT NULL
        CONSTRAINT identity_providers_organization_id_fkey REFERENCES organizations (id),
    kind text NOT NULL,
    domain text NOT NULL CONSTRAINT identity_providers_domain_key UNIQUE,
    client_id text NOT NULL,
    client_secret bytea NOT NULL,
    host text,
    organization_name text,
    tenant_id text,
    issuer text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT identity_providers_organization_id_kind_key UNIQUE (organization_id, kind),
    CONSTRAINT identity_providers_kind_check CHECK (kind IN ('okta', 'entra_id', 'oidc'))
);
CREATE TABLE sso_attempts (
    state_hash bytea NOT NULL CONSTRAINT sso_attempts_pkey PRIMARY KEY,
    browser_hash bytea NOT NULL,
    method text NOT NULL,
    provider_id uuid,
    nonce text NOT NULL,
    verifier text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sso_attempts_end_idx ON sso_attempts (expires_at);
ALTER TABLE user_sessions ADD COLUMN provider_organization_id uuid;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for statement in isolate("identity_providers"):
        op.execute(statement)
