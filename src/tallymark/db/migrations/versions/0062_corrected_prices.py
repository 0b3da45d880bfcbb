"""By what events in advance were priced, and which of them were priced again."""

from alembic import op

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""
        ALTER TABLE priced_events
            ADD COLUMN billed_terms_id uuid CONSTRAINT priced_events_billed_terms_id_fkey REFERENCES billed_terms (id),
            ADD COLUMN is_void boolean NOT NULL DEFAULT false,
            ADD COLUMN is_corrected boolean NOT NULL DEFAULT false
    """)
    op.execute(
        "CREATE INDEX usage_adjustments_charge_idx ON usage_adjustments (subscription_id, charge_id, from_at)"
    )


def downgrade() -> None:
    op.execute("DROP INDEX usage_adjustments_charge_idx")
    for column in ("billed_terms_id", "is_void", "is_corrected"):
        op.execute(f"ALTER TABLE priced_events DROP COLUMN {column}")
