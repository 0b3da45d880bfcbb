"""API logs: calls that change something, with what was sent and answered."""

from alembic import op

from tallymark.db.tenancy import isolate

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE api_logs (
    id uuid NOT NULL CONSTRAINT api_logs_pkey PRIMARY KEY,
    organization_id uuid NOT NULL,
    api_key_id uuid NOT NULL,
    request_id uuid NOT NULL,
    client text NOT NULL,
    http_method text NOT NULL,
    http_status integer NOT NULL,
    request_origin text NOT NULL,
    request_path text NOT NULL,
    path_start text NOT NULL,
    request_body text NOT NULL,
    request_response text,
    api_version text NOT NULL,
    logged_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX api_logs_newest_idx ON api_logs (organization_id, logged_at DESC, id DESC);
CREATE INDEX api_logs_status_idx ON api_logs (organization_id, http_status, logged_at DESC);
CREATE INDEX api_logs_path_idx ON api_logs (organization_id, path_start, logged_at DESC);
CREATE INDEX api_logs_request_idx ON api_logs (organization_id, request_id);
"""


def upgrade() -> None:
    op.execute(TABLE)
    for statement in isolate("api_logs", verbs="SELECT, INSERT"):
        op.execute(statement)
