"""What usage was billed by, what corrected events change in it, and what the organization wants done about that."""

from alembic import op

from tallymark.db.tenancy import isolate

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

TERMS = """
CREATE TABLE billed_terms (
    id uuid NOT NULL CONSTRAINT billed_terms_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT billed_terms_organization_id_fkey REFERENCES organizations (id),
    digest uuid NOT NULL,
    charges jsonb NOT NULL,
    created_at timestamptz NOT NULL
)
"""
RECORDS = """
ALTER TABLE billing_records
    ADD COLUMN charges_full_from_at timestamptz,
    ADD COLUMN charges_full_to_at timestamptz,
    ADD COLUMN billed_terms_id uuid CONSTRAINT billing_records_billed_terms_id_fkey REFERENCES billed_terms (id)
"""
ADJUSTMENTS = """
CREATE TABLE usage_adjustments (
    id uuid NOT NULL CONSTRAINT usage_adjustments_pkey PRIMARY KEY,
    organization_id uuid NOT NULL,
    invoice_id uuid NOT NULL CONSTRAINT usage_adjustments_invoice_id_fkey REFERENCES invoices (id),
    subscription_id uuid NOT NULL CONSTRAINT usage_adjustments_subscription_id_fkey REFERENCES subscriptions (id),
    charge_id uuid NOT NULL CONSTRAINT usage_adjustments_charge_id_fkey REFERENCES charges (id),
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    status text NOT NULL,
    currency text NOT NULL,
    amount_cents bigint NOT NULL,
    fee_id uuid CONSTRAINT usage_adjustments_fee_id_fkey REFERENCES fees (id),
    credit_note_id uuid CONSTRAINT usage_adjustments_credit_note_id_fkey REFERENCES credit_notes (id),
    created_at timestamptz NOT NULL,
    CONSTRAINT usage_adjustments_status_check CHECK (status IN ('documented', 'superseded', 'waived')),
    CONSTRAINT usage_adjustments_document_check CHECK (
        CASE status WHEN 'waived' THEN amount_cents < 0 AND fee_id IS NULL AND credit_note_id IS NULL
        ELSE fee_id IS NOT NULL AND (credit_note_id IS NULL AND amount_cents > 0
        OR credit_note_id IS NOT NULL AND amount_cents < 0) END)
)
"""
INDEXES = (
    "CREATE INDEX billed_terms_digest_idx ON billed_terms (digest)",
    "CREATE INDEX usage_adjustments_invoice_id_idx ON usage_adjustments (invoice_id)",
    "CREATE INDEX usage_adjustments_fee_idx ON usage_adjustments (fee_id) WHERE fee_id IS NOT NULL",
)
LATE = "ALTER TABLE backfilled_events ADD COLUMN was_late boolean NOT NULL DEFAULT false"
POLICY = "ALTER TABLE organizations ADD COLUMN event_correction_policy text NOT NULL DEFAULT 'refuse'"


def upgrade() -> None:
    for statement in (TERMS, RECORDS, ADJUSTMENTS, *INDEXES, LATE, POLICY):
        op.execute(statement)
    # Terms are what they were: tenants can add some, and neither change nor delete any.
    for statement in (
        *isolate("billed_terms", verbs="SELECT, INSERT"),
        *isolate("usage_adjustments", verbs="SELECT, INSERT, UPDATE, DELETE"),
    ):
        op.execute(statement)


def downgrade() -> None:
    op.execute("ALTER TABLE organizations DROP COLUMN event_correction_policy")
    op.execute("ALTER TABLE backfilled_events DROP COLUMN was_late")
    op.execute("DROP TABLE usage_adjustments")
    for column in ("billed_terms_id", "charges_full_from_at", "charges_full_to_at"):
        op.execute(f"ALTER TABLE billing_records DROP COLUMN {column}")
    op.execute("DROP TABLE billed_terms")
