"""Filters of billable metrics."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tallymark.db.tenancy import isolate

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ISOLATED = ("billable_metric_filters",)


def upgrade() -> None:
    op.create_table(
        "billable_metric_filters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("billable_metric_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("values", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["billable_metric_id"],
            ["billable_metrics.id"],
            name=op.f("billable_metric_filters_billable_metric_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("billable_metric_filters_organization_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("billable_metric_filters_pkey")),
        sa.UniqueConstraint(
            "billable_metric_id", "key", name=op.f("billable_metric_filters_billable_metric_id_key_key")
        ),
    )
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
