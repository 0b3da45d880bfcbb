"""Invoice custom sections, who selects them, and their copies on invoices."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ISOLATED = (
    "invoice_custom_sections",
    "billing_entities_custom_sections",
    "customers_custom_sections",
    "invoices_applied_custom_sections",
)


def upgrade() -> None:
    op.create_table(
        "invoice_custom_sections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("invoice_custom_sections_organization_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("invoice_custom_sections_pkey")),
    )
    op.create_index(
        "invoice_custom_sections_code_key",
        "invoice_custom_sections",
        ["organization_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "billing_entities_custom_sections",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("section_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("billing_entities_custom_sections_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["billing_entities.id"], name=op.f("billing_entities_custom_sections_owner_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["section_id"],
            ["invoice_custom_sections.id"],
            name=op.f("billing_entities_custom_sections_section_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("owner_id", "section_id", name=op.f("billing_entities_custom_sections_pkey")),
    )
    op.create_index(
        op.f("billing_entities_custom_sections_section_id_idx"),
        "billing_entities_custom_sections",
        ["section_id"],
        unique=False,
    )
    op.create_table(
        "customers_custom_sections",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("section_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("customers_custom_sections_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["customers.id"], name=op.f("customers_custom_sections_owner_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["section_id"],
            ["invoice_custom_sections.id"],
            name=op.f("customers_custom_sections_section_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("owner_id", "section_id", name=op.f("customers_custom_sections_pkey")),
    )
    op.create_index(
        op.f("customers_custom_sections_section_id_idx"),
        "customers_custom_sections",
        ["section_id"],
        unique=False,
    )
    op.create_table(
        "invoices_applied_custom_sections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("invoices_applied_custom_sections_invoice_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("invoices_applied_custom_sections_organization_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("invoices_applied_custom_sections_pkey")),
    )
    op.create_index(
        op.f("invoices_applied_custom_sections_invoice_id_idx"),
        "invoices_applied_custom_sections",
        ["invoice_id"],
        unique=False,
    )
    op.add_column(
        "customers",
        sa.Column(
            "skip_invoice_custom_sections", sa.Boolean(), server_default=sa.text("false"), nullable=False
        ),
    )
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
