"""When units of fixed charges count, and the index that finds their fees."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "fixed_charges",
        sa.Column("apply_units_immediately", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column(
        "subscription_fixed_charge_units",
        sa.Column("apply_units_immediately", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
