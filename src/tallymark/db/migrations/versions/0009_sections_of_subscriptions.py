"""Custom sections that subscriptions select themselves."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ISOLATED = ("subscriptions_custom_sections",)


def upgrade() -> None:
    op.create_table(
        "subscriptions_custom_sections",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("section_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("subscriptions_custom_sections_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["subscriptions.id"], name=op.f("subscriptions_custom_sections_owner_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["section_id"],
            ["invoice_custom_sections.id"],
            name=op.f("subscriptions_custom_sections_section_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("owner_id", "section_id", name=op.f("subscriptions_custom_sections_pkey")),
    )
    op.create_index(
        op.f("subscriptions_custom_sections_section_id_idx"),
        "subscriptions_custom_sections",
        ["section_id"],
        unique=False,
    )
    op.add_column(
        "subscriptions",
        sa.Column(
            "skip_invoice_custom_sections", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
    )
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
