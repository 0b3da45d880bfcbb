"""What is billed on no invoice is adjusted by fees on none, below zero for decreases; what a void invoice billed, for the next one."""

from alembic import op

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None

PENDING = "WHEN 'pending' THEN amount_cents > 0 AND content IS NOT NULL AND credit_note_id IS NULL"
FEES = {
    "amounts": """amount_cents >= 0 AND taxes_amount_cents >= 0
        OR invoice_id IS NULL AND event_id IS NULL AND amount_cents < 0 AND taxes_amount_cents <= 0""",
    "coupons": "precise_coupons_amount_cents >= 0 AND precise_coupons_amount_cents <= GREATEST(amount_cents, 0)",
}
FEES_BEFORE = {
    "amounts": "amount_cents >= 0 AND taxes_amount_cents >= 0",
    "coupons": "precise_coupons_amount_cents >= 0 AND precise_coupons_amount_cents <= amount_cents",
}
# What was adjusted of an invoice that was made anew since is of the last one that was.
MOVE = """
    WITH RECURSIVE line (first_id, last_id) AS (
        SELECT DISTINCT invoice_id, invoice_id FROM usage_adjustments
        UNION ALL SELECT l.first_id, i.id FROM line l JOIN invoices i ON i.voided_invoice_id = l.last_id
    )
    UPDATE usage_adjustments a SET invoice_id = l.last_id FROM line l
    WHERE l.first_id = a.invoice_id AND l.last_id <> l.first_id
      AND NOT EXISTS (SELECT FROM invoices n WHERE n.voided_invoice_id = l.last_id)
"""


def upgrade() -> None:
    op.execute("ALTER TABLE usage_adjustments ALTER COLUMN invoice_id DROP NOT NULL")
    _check_adjustments(waived="amount_cents <> 0", billed="(amount_cents > 0 OR invoice_id IS NULL)")
    _check_fees(FEES)
    op.execute("CREATE INDEX fees_original_idx ON fees (original_fee_id) WHERE original_fee_id IS NOT NULL")
    op.execute(MOVE)


def downgrade() -> None:
    """Refused by the database where fees below zero were made."""
    op.execute("DROP INDEX fees_original_idx")
    _check_fees(FEES_BEFORE)
    op.execute("DELETE FROM usage_adjustments WHERE status = 'waived' AND amount_cents > 0")
    _check_adjustments(waived="amount_cents < 0", billed="amount_cents > 0")
    op.execute("ALTER TABLE usage_adjustments ALTER COLUMN invoice_id SET NOT NULL")


def _check_fees(rules: dict[str, str]) -> None:
    for name, rule in rules.items():
        op.execute(f"ALTER TABLE fees DROP CONSTRAINT fees_{name}_check")
        op.execute(f"ALTER TABLE fees ADD CONSTRAINT fees_{name}_check CHECK ({rule})")


def _check_adjustments(*, waived: str, billed: str) -> None:
    op.execute("ALTER TABLE usage_adjustments DROP CONSTRAINT usage_adjustments_document_check")
    op.execute(f"""
        ALTER TABLE usage_adjustments ADD CONSTRAINT usage_adjustments_document_check CHECK (
            CASE status WHEN 'waived' THEN {waived} AND fee_id IS NULL AND credit_note_id IS NULL {PENDING}
            ELSE fee_id IS NOT NULL AND (credit_note_id IS NULL AND {billed}
            OR credit_note_id IS NOT NULL AND amount_cents < 0) END)
    """)
