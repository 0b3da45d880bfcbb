"""A coupon whose part of an invoice rounds to nothing was used all the same: its line is of 0."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

NAME = "invoice_credits_amount_check"


def upgrade() -> None:
    op.drop_constraint(op.f(NAME), "invoice_credits")
    op.create_check_constraint(
        op.f(NAME), "invoice_credits", "amount_cents > 0 OR amount_cents = 0 AND coupon_id IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DELETE FROM invoice_credits WHERE amount_cents = 0")
    op.drop_constraint(op.f(NAME), "invoice_credits")
    op.create_check_constraint(op.f(NAME), "invoice_credits", "amount_cents > 0")
