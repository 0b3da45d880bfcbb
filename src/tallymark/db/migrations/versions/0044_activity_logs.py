"""Activity logs: what was done to what, by whom, and how it looked then."""

from alembic import op

from tallymark.db.tenancy import isolate

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE activity_logs (
    id uuid NOT NULL CONSTRAINT activity_logs_pkey PRIMARY KEY,
    organization_id uuid NOT NULL,
    activity_type text NOT NULL,
    activity_source text NOT NULL,
    user_email text,
    object_type text NOT NULL,
    object_id uuid NOT NULL,
    resource_type text NOT NULL,
    resource_id uuid NOT NULL,
    external_customer_id text,
    external_subscription_id text,
    changes text,
    object text,
    is_open boolean DEFAULT true NOT NULL,
    logged_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX activity_logs_newest_idx ON activity_logs (organization_id, logged_at DESC, id DESC);
CREATE INDEX activity_logs_resource_idx ON activity_logs (organization_id, resource_id, logged_at DESC);
CREATE INDEX activity_logs_customer_idx ON activity_logs (organization_id, external_customer_id, logged_at DESC);
CREATE INDEX activity_logs_open_idx ON activity_logs (organization_id, id) WHERE is_open;
"""


def upgrade() -> None:
    op.execute(TABLE)
    for statement in isolate("activity_logs", verbs="SELECT, INSERT, UPDATE (object, is_open)"):
        op.execute(statement)
