"""Users, the organizations they belong to, their sessions, and what keeps guessers out."""

from alembic import op

from tallymark.db.engine import TENANT_ROLE
from tallymark.db.tenancy import isolate

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE users (
    id uuid NOT NULL CONSTRAINT users_pkey PRIMARY KEY,
    email text NOT NULL CONSTRAINT users_email_key UNIQUE,
    password_hash text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE TABLE memberships (
    id uuid NOT NULL CONSTRAINT memberships_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT memberships_organization_id_fkey REFERENCES organizations (id),
    user_id uuid NOT NULL CONSTRAINT memberships_user_id_fkey REFERENCES users (id),
    roles text[] NOT NULL,
    status text NOT NULL DEFAULT 'active',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT memberships_status_check CHECK (status IN ('active', 'revoked'))
);
CREATE UNIQUE INDEX memberships_live_idx ON memberships (user_id, organization_id) WHERE status = 'active';
CREATE INDEX memberships_organization_idx ON memberships (organization_id, created_at);
CREATE TABLE roles (
    id uuid NOT NULL CONSTRAINT roles_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT roles_organization_id_fkey REFERENCES organizations (id),
    code text NOT NULL,
    name text NOT NULL,
    description text,
    permissions text[] NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT roles_organization_id_code_key UNIQUE (organization_id, code)
);
CREATE TABLE user_sessions (
    id uuid NOT NULL CONSTRAINT user_sessions_pkey PRIMARY KEY,
    user_id uuid NOT NULL CONSTRAINT user_sessions_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT user_sessions_token_hash_key UNIQUE,
    login_method text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX user_sessions_user_idx ON user_sessions (user_id);
CREATE INDEX user_sessions_end_idx ON user_sessions (expires_at);
CREATE TABLE user_devices (
    user_id uuid NOT NULL CONSTRAINT user_devices_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    fingerprint bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT user_devices_pkey PRIMARY KEY (user_id, fingerprint)
);
CREATE TABLE password_resets (
    user_id uuid NOT NULL CONSTRAINT password_resets_pkey PRIMARY KEY
        CONSTRAINT password_resets_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    token_hash bytea NOT NULL CONSTRAINT password_resets_token_hash_key UNIQUE,
    expires_at timestamptz NOT NULL
);
CREATE TABLE guesses (
    bucket bytea NOT NULL CONSTRAINT guesses_pkey PRIMARY KEY,
    count integer NOT NULL,
    until timestamptz NOT NULL
);
CREATE INDEX guesses_end_idx ON guesses (until);
ALTER TABLE organizations
    ADD COLUMN authentication_methods text[] NOT NULL DEFAULT '{email_password,google_oauth}';
"""

MEMBERS_ONLY = f"""
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON users FOR SELECT TO {TENANT_ROLE}
    USING (EXISTS (SELECT FROM memberships WHERE memberships.user_id = users.id));
GRANT SELECT (id, email, created_at) ON users TO {TENANT_ROLE};
"""


def upgrade() -> None:
    op.execute(TABLES)
    for statement in isolate("memberships", verbs="SELECT, INSERT, UPDATE"):
        op.execute(statement)
    for statement in isolate("roles"):
        op.execute(statement)
    op.execute(MEMBERS_ONLY)
