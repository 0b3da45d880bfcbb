"""Customers by the client's key, deleted ones too: lists of what they had ask for them."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("customers_external_id_idx", "customers", ["organization_id", "external_id"])
