"""Security logs: who changed what lets somebody in, or where something goes."""

from alembic import op

from tallymark.db.tenancy import isolate

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE security_logs (
    id uuid NOT NULL CONSTRAINT security_logs_pkey PRIMARY KEY,
    organization_id uuid NOT NULL,
    api_key_id uuid,
    user_id uuid,
    user_email text,
    log_type text NOT NULL,
    log_event text NOT NULL,
    resources text NOT NULL,
    user_agent text,
    ip_address text,
    logged_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX security_logs_newest_idx ON security_logs (organization_id, logged_at DESC, id DESC);
"""


def upgrade() -> None:
    op.execute(TABLE)
    for statement in isolate("security_logs", verbs="SELECT, INSERT"):
        op.execute(statement)
