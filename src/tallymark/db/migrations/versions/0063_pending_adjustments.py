"""Differences that wait for the next invoice."""

from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None

DOCUMENTED = """fee_id IS NOT NULL AND (credit_note_id IS NULL AND amount_cents > 0
        OR credit_note_id IS NOT NULL AND amount_cents < 0)"""
WAIVED = "WHEN 'waived' THEN amount_cents < 0 AND fee_id IS NULL AND credit_note_id IS NULL"
PENDING = "WHEN 'pending' THEN amount_cents > 0 AND content IS NOT NULL AND credit_note_id IS NULL"


def upgrade() -> None:
    op.execute("ALTER TABLE usage_adjustments ADD COLUMN content jsonb")
    _check("'documented', 'pending', 'superseded', 'waived'", f"{WAIVED} {PENDING}")


def downgrade() -> None:
    op.execute("DELETE FROM usage_adjustments WHERE status = 'pending' AND fee_id IS NULL")
    op.execute("UPDATE usage_adjustments SET status = 'documented' WHERE status = 'pending'")
    _check("'documented', 'superseded', 'waived'", WAIVED)
    op.execute("ALTER TABLE usage_adjustments DROP COLUMN content")


def _check(statuses: str, cases: str) -> None:
    for name in ("status", "document"):
        op.execute(f"ALTER TABLE usage_adjustments DROP CONSTRAINT usage_adjustments_{name}_check")
    op.execute(
        f"ALTER TABLE usage_adjustments ADD CONSTRAINT usage_adjustments_status_check CHECK (status IN ({statuses}))"
    )
    op.execute(
        "ALTER TABLE usage_adjustments ADD CONSTRAINT usage_adjustments_document_check"
        f" CHECK (CASE status {cases} ELSE {DOCUMENTED} END)"
    )
