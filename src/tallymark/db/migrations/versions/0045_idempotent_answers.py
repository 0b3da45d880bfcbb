"""Answers to requests that came with an `Idempotency-Key`, kept for a day."""

from alembic import op

from tallymark.db.tenancy import isolate

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE idempotent_answers (
    slot uuid NOT NULL CONSTRAINT idempotent_answers_pkey PRIMARY KEY,
    organization_id uuid NOT NULL,
    request_hash bytea NOT NULL,
    http_status integer NOT NULL,
    content_type text,
    body bytea NOT NULL,
    answered_at timestamptz NOT NULL
)
"""


def upgrade() -> None:
    op.execute(TABLE)
    for statement in isolate("idempotent_answers", verbs="SELECT, INSERT, UPDATE"):
        op.execute(statement)
