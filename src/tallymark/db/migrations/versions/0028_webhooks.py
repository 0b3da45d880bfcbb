"""Webhooks: endpoints, what is yet to be told to them, and each delivery."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# An organization without endpoints pays one look into an index for all messages of a statement.
TELL = """
CREATE FUNCTION tallymark_tell() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO untold_messages (message_id, organization_id)
    SELECT m.id, m.organization_id FROM emitted m
    WHERE EXISTS (SELECT FROM webhook_endpoints e WHERE e.organization_id = m.organization_id);
    IF FOUND THEN
        PERFORM pg_notify('tallymark_webhooks', '');
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    _create_endpoints()
    _create_untold()
    _create_deliveries()
    for table in ("webhook_endpoints", "untold_messages", "webhooks", "webhook_sequences"):
        for statement in isolate(table):
            op.execute(statement)
    op.execute(TELL)
    op.execute("REVOKE ALL ON FUNCTION tallymark_tell FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER tell AFTER INSERT ON outbox REFERENCING NEW TABLE AS emitted FOR EACH STATEMENT"
        " EXECUTE FUNCTION tallymark_tell()"
    )


def _organization(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id"], ["organizations.id"], name=op.f(f"{table}_organization_id_fkey")
    )


def _endpoint(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["endpoint_id"],
        ["webhook_endpoints.id"],
        name=op.f(f"{table}_endpoint_id_fkey"),
        ondelete="CASCADE",
    )


def _create_endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("webhook_url", sa.Text(), nullable=False),
        sa.Column("signature_algo", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("event_types", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "signature_algo IN ('jwt', 'hmac')", name=op.f("webhook_endpoints_signature_algo_check")
        ),
        _organization("webhook_endpoints"),
        sa.PrimaryKeyConstraint("id", name=op.f("webhook_endpoints_pkey")),
        sa.UniqueConstraint(
            "organization_id", "webhook_url", name=op.f("webhook_endpoints_organization_id_webhook_url_key")
        ),
    )


def _create_untold() -> None:
    op.create_table(
        "untold_messages",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["message_id"], ["outbox.id"], name=op.f("untold_messages_message_id_fkey")),
        _organization("untold_messages"),
        sa.PrimaryKeyConstraint("message_id", name=op.f("untold_messages_pkey")),
    )
    op.create_index(
        "untold_messages_organization_idx",
        "untold_messages",
        ["organization_id"],
        postgresql_where=sa.text("error IS NULL"),
    )


def _create_deliveries() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("webhook_type", sa.Text(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("retries", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("response", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'succeeded', 'retrying', 'failed')", name=op.f("webhooks_status_check")
        ),
        _endpoint("webhooks"),
        _organization("webhooks"),
        sa.PrimaryKeyConstraint("id", name=op.f("webhooks_pkey")),
        sa.UniqueConstraint(
            "endpoint_id", "object_key", "sequence", name=op.f("webhooks_endpoint_id_object_key_sequence_key")
        ),
    )
    is_open = sa.text("status IN ('pending', 'retrying')")
    op.create_index(
        "webhooks_due_idx", "webhooks", ["endpoint_id", "next_attempt_at"], postgresql_where=is_open
    )
    op.create_index("webhooks_old_idx", "webhooks", ["updated_at"])
    op.create_table(
        "webhook_sequences",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        _endpoint("webhook_sequences"),
        _organization("webhook_sequences"),
        sa.PrimaryKeyConstraint("endpoint_id", "object_key", name=op.f("webhook_sequences_pkey")),
    )
