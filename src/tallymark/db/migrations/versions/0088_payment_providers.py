"""Connections to payment providers, and what is asked of them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tallymark.db.tenancy import isolate

revision = "0088"
down_revision = "0087"
branch_labels = None
depends_on = None

# Releases before this one neither read nor write what is new.
needs = None

TABLES = """
CREATE TABLE payment_providers (
    id uuid NOT NULL CONSTRAINT payment_providers_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT payment_providers_organization_id_fkey REFERENCES organizations (id),
    kind text NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    success_redirect_url text,
    options jsonb NOT NULL DEFAULT '{}',
    secrets bytea NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT payment_providers_kind_check CHECK (
        kind IN ('stripe', 'gocardless', 'cashfree', 'adyen', 'flutterwave', 'moneyhash')
    )
);
CREATE UNIQUE INDEX payment_providers_code_key ON payment_providers (organization_id, code) WHERE deleted_at IS NULL;

CREATE TABLE payment_links (
    id uuid NOT NULL CONSTRAINT payment_links_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT payment_links_organization_id_fkey REFERENCES organizations (id),
    invoice_id uuid CONSTRAINT payment_links_invoice_id_fkey REFERENCES invoices (id),
    payment_request_id uuid CONSTRAINT payment_links_payment_request_id_fkey REFERENCES payment_requests (id),
    payment_provider_id uuid NOT NULL CONSTRAINT payment_links_payment_provider_id_fkey REFERENCES payment_providers (id),
    url text NOT NULL,
    provider_link_id text,
    amount_cents bigint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL,
    closed_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT payment_links_payable_check CHECK (num_nonnulls(invoice_id, payment_request_id) = 1)
);
CREATE UNIQUE INDEX payment_links_invoice_key ON payment_links (invoice_id) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX payment_links_request_key ON payment_links (payment_request_id) WHERE closed_at IS NULL;

CREATE TABLE provider_events (
    id uuid NOT NULL CONSTRAINT provider_events_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT provider_events_organization_id_fkey REFERENCES organizations (id),
    payment_provider_id uuid NOT NULL CONSTRAINT provider_events_payment_provider_id_fkey REFERENCES payment_providers (id),
    digest bytea NOT NULL,
    body bytea NOT NULL,
    status text NOT NULL DEFAULT 'pending',
    error text,
    created_at timestamptz NOT NULL,
    processed_at timestamptz,
    CONSTRAINT provider_events_status_check CHECK (status IN ('pending', 'succeeded', 'failed'))
);
CREATE UNIQUE INDEX provider_events_digest_key ON provider_events (payment_provider_id, digest);
CREATE INDEX provider_events_end_idx ON provider_events (processed_at) WHERE processed_at IS NOT NULL;

CREATE TABLE link_tasks (
    id uuid NOT NULL CONSTRAINT link_tasks_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT link_tasks_organization_id_fkey REFERENCES organizations (id),
    customer_id uuid NOT NULL CONSTRAINT link_tasks_customer_id_fkey REFERENCES customers (id),
    steps text[] NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT link_tasks_customer_id_key UNIQUE (customer_id)
);

CREATE TABLE refunds (
    id uuid NOT NULL CONSTRAINT refunds_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT refunds_organization_id_fkey REFERENCES organizations (id),
    credit_note_id uuid NOT NULL CONSTRAINT refunds_credit_note_id_fkey REFERENCES credit_notes (id),
    payment_id uuid NOT NULL CONSTRAINT refunds_payment_id_fkey REFERENCES payments (id),
    payment_provider_id uuid NOT NULL,
    amount_cents bigint NOT NULL DEFAULT 0,
    currency text NOT NULL,
    status text NOT NULL,
    refund_status text NOT NULL,
    provider_refund_id text,
    error_code text,
    error_message text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT refunds_amount_check CHECK (amount_cents > 0),
    CONSTRAINT refunds_status_check CHECK (refund_status IN ('pending', 'succeeded', 'failed'))
);
CREATE INDEX refunds_payment_id_idx ON refunds (payment_id);
CREATE UNIQUE INDEX refunds_credit_note_key ON refunds (credit_note_id);
CREATE UNIQUE INDEX refunds_provider_key ON refunds (payment_provider_id, provider_refund_id) WHERE provider_refund_id IS NOT NULL;
"""

NEW = ("payment_providers", "payment_links", "provider_events", "link_tasks", "refunds")

COLUMNS = {
    "customers": (
        sa.Column("payment_provider_id", sa.Uuid(), nullable=True),
        sa.Column("provider_customer_id", sa.Text(), nullable=True),
        sa.Column("sync_with_provider", sa.Boolean(), nullable=True),
        sa.Column("provider_payment_methods", ARRAY(sa.Text()), nullable=True),
    ),
    "payment_methods": (
        sa.Column("payment_provider_id", sa.Uuid(), nullable=True),
        sa.Column("details", JSONB(), nullable=False, server_default=sa.text("'{}'")),
    ),
    "payments": (
        sa.Column("payment_provider_id", sa.Uuid(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("next_action", JSONB(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("surplus_cents", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("surplus_returned_at", sa.DateTime(timezone=True), nullable=True),
    ),
    "invoices": (
        sa.Column("payment_attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("skip_psp", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("payment_method_type", sa.Text(), nullable=True),
        sa.Column("payment_method_id", sa.Uuid(), nullable=True),
    ),
    "payment_requests": (
        sa.Column("payment_method_type", sa.Text(), nullable=True),
        sa.Column("payment_method_id", sa.Uuid(), nullable=True),
    ),
    "wallets": (sa.Column("payment_method_id", sa.Uuid(), nullable=True),),
    "recurring_transaction_rules": (sa.Column("payment_method_id", sa.Uuid(), nullable=True),),
    "wallet_transactions": (sa.Column("payment_method_id", sa.Uuid(), nullable=True),),
}


def upgrade() -> None:
    op.execute(TABLES)
    for table in NEW:
        for statement in isolate(table):
            op.execute(statement)
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column)


def downgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in reversed(columns):
            op.drop_column(table, column.name)
    for table in reversed(NEW):
        op.drop_table(table)
