"""Staff come in by links and sessions, suspend people, and leave a record that nobody changes."""

from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE staff_links (
    token_hash bytea NOT NULL CONSTRAINT staff_links_pkey PRIMARY KEY,
    login text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE TABLE staff_sessions (
    token_hash bytea NOT NULL CONSTRAINT staff_sessions_pkey PRIMARY KEY,
    login text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE TABLE staff_deeds (
    id uuid NOT NULL CONSTRAINT staff_deeds_pkey PRIMARY KEY,
    login text NOT NULL,
    via text NOT NULL,
    ip_address text,
    verb text NOT NULL,
    subject_type text NOT NULL,
    subject_id text NOT NULL,
    subject text NOT NULL,
    about_organization_id uuid,
    reason text,
    before jsonb,
    after jsonb,
    created_at timestamptz NOT NULL
);
CREATE INDEX staff_deeds_newest_idx ON staff_deeds (created_at DESC, id DESC);
ALTER TABLE users ADD COLUMN suspended_at timestamptz;
"""

# What was noted stays as it was noted, whatever code there will be; `refuse_change` is the journal's (0018).
KEPT = """
CREATE TRIGGER staff_deeds_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON staff_deeds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(KEPT)


def downgrade() -> None:
    op.execute("ALTER TABLE users DROP COLUMN suspended_at")
    op.execute("DROP TABLE staff_deeds, staff_sessions, staff_links")
