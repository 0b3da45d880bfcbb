"""Features with their privileges, and what plans and subscriptions grant of them."""

from alembic import op

from tallymark.db.tenancy import isolate

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

TABLES = ("features", "privileges", "entitlements", "entitlement_values", "entitlement_removals")

FEATURES = """
CREATE TABLE features (
    id uuid NOT NULL CONSTRAINT features_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT features_organization_id_fkey REFERENCES organizations,
    code text NOT NULL,
    name text,
    description text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE UNIQUE INDEX features_code_key ON features (organization_id, code) WHERE deleted_at IS NULL;
CREATE INDEX features_newest_idx ON features (organization_id, created_at DESC, id);

CREATE TABLE privileges (
    id uuid NOT NULL CONSTRAINT privileges_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT privileges_organization_id_fkey REFERENCES organizations,
    feature_id uuid NOT NULL CONSTRAINT privileges_feature_id_fkey REFERENCES features,
    code text NOT NULL,
    name text,
    value_type text NOT NULL
        CONSTRAINT privileges_value_type_check CHECK (value_type IN ('string', 'integer', 'boolean', 'select')),
    select_options text[],
    position integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT privileges_feature_id_code_key UNIQUE (feature_id, code),
    CONSTRAINT privileges_select_options_check CHECK ((value_type = 'select') = (select_options IS NOT NULL))
);
"""

ENTITLEMENTS = """
CREATE TABLE entitlements (
    id uuid NOT NULL CONSTRAINT entitlements_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT entitlements_organization_id_fkey REFERENCES organizations,
    feature_id uuid NOT NULL CONSTRAINT entitlements_feature_id_fkey REFERENCES features,
    plan_id uuid CONSTRAINT entitlements_plan_id_fkey REFERENCES plans,
    subscription_id uuid CONSTRAINT entitlements_subscription_id_fkey REFERENCES subscriptions,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT entitlements_plan_id_feature_id_key UNIQUE (plan_id, feature_id),
    CONSTRAINT entitlements_subscription_id_feature_id_key UNIQUE (subscription_id, feature_id),
    CONSTRAINT entitlements_owner_check CHECK (num_nonnulls(plan_id, subscription_id) = 1)
);
CREATE INDEX entitlements_feature_id_idx ON entitlements (feature_id);

CREATE TABLE entitlement_values (
    organization_id uuid NOT NULL CONSTRAINT entitlement_values_organization_id_fkey REFERENCES organizations,
    entitlement_id uuid NOT NULL
        CONSTRAINT entitlement_values_entitlement_id_fkey REFERENCES entitlements ON DELETE CASCADE,
    privilege_id uuid NOT NULL CONSTRAINT entitlement_values_privilege_id_fkey REFERENCES privileges,
    value jsonb NOT NULL,
    CONSTRAINT entitlement_values_pkey PRIMARY KEY (entitlement_id, privilege_id)
);
CREATE INDEX entitlement_values_privilege_id_idx ON entitlement_values (privilege_id);

CREATE TABLE entitlement_removals (
    id uuid NOT NULL CONSTRAINT entitlement_removals_pkey PRIMARY KEY,
    organization_id uuid NOT NULL CONSTRAINT entitlement_removals_organization_id_fkey REFERENCES organizations,
    subscription_id uuid NOT NULL
        CONSTRAINT entitlement_removals_subscription_id_fkey REFERENCES subscriptions,
    feature_id uuid NOT NULL CONSTRAINT entitlement_removals_feature_id_fkey REFERENCES features,
    privilege_id uuid CONSTRAINT entitlement_removals_privilege_id_fkey REFERENCES privileges
);
CREATE UNIQUE INDEX entitlement_removals_key
    ON entitlement_removals (subscription_id, feature_id, privilege_id) NULLS NOT DISTINCT;
CREATE INDEX entitlement_removals_feature_id_idx ON entitlement_removals (feature_id);
CREATE INDEX entitlement_removals_privilege_id_idx ON entitlement_removals (privilege_id);
"""


def upgrade() -> None:
    op.execute(FEATURES)
    op.execute(ENTITLEMENTS)
    for table in TABLES:
        for statement in isolate(table):
            op.execute(statement)
