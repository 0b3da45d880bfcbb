"""Dunning campaigns, who is asked by which one, and how often it was."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None

TABLES = (
    "dunning_campaigns",
    "dunning_thresholds",
    "billing_entities_dunning",
    "customers_dunning",
    "dunning_progress",
)


def upgrade() -> None:
    op.create_table(
        "dunning_campaigns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("days_between_attempts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("bcc_emails", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "days_between_attempts > 0 AND max_attempts > 0", name=op.f("dunning_campaigns_terms_check")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("dunning_campaigns_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("dunning_campaigns_pkey")),
    )
    op.create_index(
        "dunning_campaigns_code_key",
        "dunning_campaigns",
        ["organization_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "dunning_campaigns_newest_idx",
        "dunning_campaigns",
        ["organization_id", sa.text("created_at DESC"), "id"],
        unique=False,
    )
    op.create_table(
        "dunning_thresholds",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("dunning_thresholds_amount_check")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["dunning_campaigns.id"], name=op.f("dunning_thresholds_campaign_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("dunning_thresholds_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "currency", name=op.f("dunning_thresholds_pkey")),
    )
    _choice("billing_entities_dunning", "billing_entity_id", "billing_entities")
    _choice("customers_dunning", "customer_id", "customers", is_optional=True)
    op.create_table(
        "dunning_progress",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("attempts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("last_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("dunning_progress_customer_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("dunning_progress_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("dunning_progress_pkey")),
    )
    for table in TABLES:
        for statement in isolate(table):
            op.execute(statement)
    op.add_column("payment_requests", sa.Column("dunning_campaign_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("payment_requests_dunning_campaign_id_fkey"),
        "payment_requests",
        "dunning_campaigns",
        ["dunning_campaign_id"],
        ["id"],
    )


def _choice(table: str, owner: str, owners: str, *, is_optional: bool = False) -> None:
    """Which campaign an owner has chosen."""
    excluded: list[sa.schema.SchemaItem] = [
        sa.Column("is_excluded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("is_excluded = (campaign_id IS NULL)", name=op.f(f"{table}_choice_check")),
    ]
    op.create_table(
        table,
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column(owner, sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=is_optional),
        *(excluded if is_optional else ()),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["dunning_campaigns.id"], name=op.f(f"{table}_campaign_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f(f"{table}_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint([owner], [f"{owners}.id"], name=op.f(f"{table}_{owner}_fkey")),
        sa.PrimaryKeyConstraint(owner, name=op.f(f"{table}_pkey")),
    )
    op.create_index(f"{table}_campaign_id_idx", table, ["campaign_id"], unique=False)


def downgrade() -> None:
    op.drop_column("payment_requests", "dunning_campaign_id")
    for table in reversed(TABLES):
        op.drop_table(table)
