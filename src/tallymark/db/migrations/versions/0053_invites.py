"""Invitations to organizations."""

from alembic import op

from tallymark.db.tenancy import isolate

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE invites (
    id uuid NOT NULL CONSTRAINT invites_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT invites_organization_id_fkey REFERENCES organizations (id),
    email text NOT NULL,
    roles text[] NOT NULL,
    token_hash bytea NOT NULL CONSTRAINT invites_token_hash_key UNIQUE,
    status text NOT NULL DEFAULT 'pending',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT invites_status_check CHECK (status IN ('pending', 'accepted', 'revoked'))
);
CREATE UNIQUE INDEX invites_pending_idx ON invites (organization_id, email) WHERE status = 'pending';
"""


def upgrade() -> None:
    op.execute(TABLE)
    for statement in isolate("invites", verbs="SELECT, INSERT, UPDATE"):
        op.execute(statement)
