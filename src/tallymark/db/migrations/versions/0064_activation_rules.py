"""Subscriptions that wait for their first payment, and the ways in which customers pay through a provider."""

from alembic import op

from tallymark.db.tenancy import isolate

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE payment_methods (
    id uuid NOT NULL CONSTRAINT payment_methods_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT payment_methods_organization_id_fkey REFERENCES organizations (id),
    customer_id uuid NOT NULL CONSTRAINT payment_methods_customer_id_fkey REFERENCES customers (id),
    payment_provider text NOT NULL,
    payment_provider_code text,
    provider_customer_id text,
    provider_method_id text NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE INDEX payment_methods_customer_id_idx ON payment_methods (customer_id);
CREATE UNIQUE INDEX payment_methods_default_key ON payment_methods (customer_id) WHERE is_default AND deleted_at IS NULL;
CREATE UNIQUE INDEX payment_methods_provider_key ON payment_methods (customer_id, payment_provider, provider_method_id)
    WHERE deleted_at IS NULL;

ALTER TABLE subscriptions
    ADD COLUMN cancellation_reason text,
    ADD COLUMN payment_method_id uuid
        CONSTRAINT subscriptions_payment_method_id_fkey REFERENCES payment_methods (id),
    DROP CONSTRAINT subscriptions_status_check,
    ADD CONSTRAINT subscriptions_status_check
        CHECK (status IN ('pending', 'incomplete', 'active', 'terminated', 'canceled')),
    DROP CONSTRAINT subscriptions_started_check,
    ADD CONSTRAINT subscriptions_started_check
        CHECK (status NOT IN ('incomplete', 'active', 'terminated') OR started_at IS NOT NULL),
    ADD CONSTRAINT subscriptions_cancellation_reason_check
        CHECK (cancellation_reason IS NULL OR status = 'canceled');
CREATE UNIQUE INDEX subscriptions_incomplete_key ON subscriptions (organization_id, external_id)
    WHERE status = 'incomplete';

CREATE TABLE activation_rules (
    id uuid NOT NULL CONSTRAINT activation_rules_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT activation_rules_organization_id_fkey REFERENCES organizations (id),
    subscription_id uuid NOT NULL CONSTRAINT activation_rules_subscription_id_fkey REFERENCES subscriptions (id),
    rule_type text NOT NULL,
    timeout_hours integer NOT NULL DEFAULT 0,
    status text NOT NULL DEFAULT 'inactive',
    expires_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT activation_rules_subscription_id_rule_type_key UNIQUE (subscription_id, rule_type),
    CONSTRAINT activation_rules_timeout_check CHECK (timeout_hours >= 0),
    CONSTRAINT activation_rules_status_check CHECK (
        status IN ('inactive', 'pending', 'satisfied', 'declined', 'failed', 'expired', 'not_applicable')
    )
);

-- What an invoice that was never issued had taken, and gave back.
ALTER TABLE wallet_transactions
    DROP CONSTRAINT wallet_transactions_status_check,
    ADD CONSTRAINT wallet_transactions_status_check CHECK (
        status = 'settled' OR (status IN ('pending', 'failed') AND transaction_status = 'purchased')
        OR (status = 'failed' AND transaction_status = 'invoiced')
    );

ALTER TABLE payments
    ADD COLUMN payment_provider text,
    ADD COLUMN payment_provider_code text,
    ADD COLUMN provider_customer_id text,
    ADD COLUMN provider_payment_id text,
    ADD COLUMN payment_method_id uuid CONSTRAINT payments_payment_method_id_fkey REFERENCES payment_methods (id);
CREATE UNIQUE INDEX payments_pending_key ON payments (invoice_id) WHERE payment_status IN ('pending', 'processing');
CREATE UNIQUE INDEX payments_provider_key ON payments (organization_id, payment_provider, provider_payment_id)
    WHERE provider_payment_id IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("payment_methods", "activation_rules"):
        for statement in isolate(table):
            op.execute(statement)
