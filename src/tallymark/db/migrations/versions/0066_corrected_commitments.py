"""What commitments were held against is kept with the bill, and settled anew where events are corrected."""

from alembic import op

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE billing_records ADD COLUMN commitment_terms jsonb")
    op.execute("ALTER TABLE usage_adjustments ALTER COLUMN charge_id DROP NOT NULL")
    # What a commitment was held against before now is not known: usage beside one stays what nobody can tell the difference of.
    op.execute("""
        UPDATE billing_records r SET billed_terms_id = NULL
        WHERE billed_terms_id IS NOT NULL AND (
            EXISTS (SELECT FROM fees f WHERE f.subscription_id = r.subscription_id AND f.fee_type = 'commitment')
            OR EXISTS (SELECT FROM subscriptions s JOIN commitments c ON c.plan_id = s.plan_id
                       WHERE s.id = r.subscription_id))
    """)


def downgrade() -> None:
    op.execute("DELETE FROM usage_adjustments WHERE charge_id IS NULL")
    op.execute("ALTER TABLE usage_adjustments ALTER COLUMN charge_id SET NOT NULL")
    op.execute("ALTER TABLE billing_records DROP COLUMN commitment_terms")
