"""Customers by who they are at a provider, and one payment at a time for each payment request."""

import sqlalchemy as sa
from alembic import op

revision = "0089"
down_revision = "0088"
branch_labels = None
depends_on = None

# Releases before this one need not know of an index, and have no payment of a request that waits.
needs = None

CUSTOMERS = "customers_provider_idx"
PENDING = "payments_pending_request_key"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # What a migration that was cut off left is there under its name, and used by nobody.
        op.drop_index(CUSTOMERS, table_name="customers", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            CUSTOMERS,
            "customers",
            ["payment_provider_id", "provider_customer_id"],
            postgresql_where=sa.text("payment_provider_id IS NOT NULL"),
            postgresql_concurrently=True,
        )
        op.drop_index(PENDING, table_name="payments", if_exists=True, postgresql_concurrently=True)
        op.create_index(
            PENDING,
            "payments",
            ["payment_request_id"],
            unique=True,
            postgresql_where=sa.text("payment_status IN ('pending', 'processing')"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index(PENDING, table_name="payments")
    op.drop_index(CUSTOMERS, table_name="customers")
