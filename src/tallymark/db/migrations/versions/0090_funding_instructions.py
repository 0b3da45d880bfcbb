"""How customers send money to a balance of theirs at a provider, and the sections of invoices that tell it."""

import sqlalchemy as sa
from alembic import op

from tallymark.db.tenancy import isolate

revision = "0090"
down_revision = "0089"
branch_labels = None
depends_on = None

# Releases before this one neither read nor write what is new: a section that waits is shown by them as one without text.
needs = None

TABLE = """
CREATE TABLE funding_instructions (
    id uuid NOT NULL CONSTRAINT funding_instructions_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT funding_instructions_organization_id_fkey REFERENCES organizations (id),
    customer_id uuid NOT NULL CONSTRAINT funding_instructions_customer_id_fkey REFERENCES customers (id),
    payment_provider_id uuid NOT NULL CONSTRAINT funding_instructions_payment_provider_id_fkey REFERENCES payment_providers (id),
    currency text NOT NULL,
    accounts jsonb,
    refused_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX funding_instructions_key ON funding_instructions (customer_id, payment_provider_id, currency);
"""

COPIES = "invoices_applied_custom_sections"


def upgrade() -> None:
    for statement in (TABLE, *isolate("funding_instructions")):
        op.execute(statement)
    op.add_column(COPIES, sa.Column("funding_instructions_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column(COPIES, "funding_instructions_id")
    op.drop_table("funding_instructions")
