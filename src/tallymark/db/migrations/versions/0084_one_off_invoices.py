"""One-off invoices among all others, for who bought an add-on."""

import sqlalchemy as sa
from alembic import op

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None

# Releases before this one need not know of an index.
needs = None

INDEX = "invoices_one_off_idx"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # What a migration that was cut off left is there under its name, and used by nobody.
        op.drop_index(INDEX, table_name="invoices", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            INDEX,
            "invoices",
            ["organization_id", "id"],
            postgresql_where=sa.text("invoice_type = 'one_off'"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index(INDEX, table_name="invoices")
