"""The first schema: tenants, catalog, customers, events, invoices, and the queue of due work."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

from tallymark.db.engine import INGEST_ROLE, TENANT_ROLE
from tallymark.db.tenancy import create_roles, isolate

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ISOLATED = (
    "event_streams",
    "events",
    "test_clocks",
    "agenda",
    "api_keys",
    "billable_metrics",
    "billing_entities",
    "plans",
    "taxes",
    "billing_entities_taxes",
    "charges",
    "customers",
    "plans_taxes",
    "charges_taxes",
    "customer_metadata",
    "customers_taxes",
    "invoices",
    "subscriptions",
    "billing_records",
    "fees",
    "invoices_applied_taxes",
    "fees_applied_taxes",
)

ENQUEUE = """
CREATE FUNCTION tallymark_enqueue(task text, arguments jsonb, lock_name text, run_at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM procrastinate_defer_jobs_v1(ARRAY[
        ROW('default', task, 0, NULL, lock_name, arguments, run_at)::procrastinate_job_to_defer_v1
    ]);
EXCEPTION WHEN unique_violation THEN
    NULL;  -- the same work waits in the queue already
END $$
"""


def upgrade() -> None:
    for statement in create_roles():
        op.execute(statement)
    _create_tables()
    for table in ISOLATED:
        for statement in isolate(table):
            op.execute(statement)
    _isolate_organizations()
    _admit_ingest()
    op.get_bind().exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    op.execute(ENQUEUE)
    op.execute("REVOKE ALL ON FUNCTION tallymark_enqueue FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION tallymark_enqueue TO {TENANT_ROLE}")


def _isolate_organizations() -> None:
    for statement in isolate("organizations", column="id", verbs="SELECT, UPDATE"):
        op.execute(statement)


def _admit_ingest() -> None:
    """The flush carries many tenants' events: it may add events and streams, and see only their keys."""
    op.execute(f"GRANT INSERT, SELECT ON event_streams TO {INGEST_ROLE}")
    op.execute(f"GRANT INSERT, SELECT (id) ON events TO {INGEST_ROLE}")
    for table in ("event_streams", "events"):
        op.execute(f"CREATE POLICY ingest_add ON {table} FOR INSERT TO {INGEST_ROLE} WITH CHECK (true)")
        op.execute(f"CREATE POLICY ingest_keys ON {table} FOR SELECT TO {INGEST_ROLE} USING (true)")


def _create_tables() -> None:
    op.create_table(
        "event_streams",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("external_subscription_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("event_streams_pkey")),
        sa.UniqueConstraint(
            "organization_id",
            "external_subscription_id",
            "code",
            name=op.f("event_streams_organization_id_external_subscription_id_code_key"),
        ),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=False),
        sa.Column(
            "properties",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("precise_total_amount_cents", sa.Numeric(precision=40, scale=15), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("events_pkey")),
    )
    op.create_index("events_stream_idx", "events", ["stream_id", "timestamp"], unique=False)
    op.create_table(
        "organizations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("document_number_prefix", sa.Text(), nullable=False),
        sa.Column("hmac_key", sa.Uuid(), nullable=False),
        sa.Column("last_customer_number", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("organizations_pkey")),
        sa.UniqueConstraint("slug", name=op.f("organizations_slug_key")),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("secrets_pkey")),
    )
    op.create_table(
        "test_clocks",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("frozen_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calls", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.Text(), server_default="ready", nullable=False),
        sa.Column("advancing_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('ready', 'advancing')", name=op.f("test_clocks_status_check")),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("test_clocks_pkey")),
    )
    op.create_table(
        "agenda",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_simulated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("agenda_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("kind", "subject_id", name=op.f("agenda_pkey")),
    )
    op.create_index(
        "agenda_due_idx",
        "agenda",
        ["run_at"],
        unique=False,
        postgresql_where=sa.text("NOT is_simulated AND parked_at IS NULL"),
    )
    op.create_index("agenda_owner_idx", "agenda", ["owner_id", "run_at"], unique=False)
    op.create_index("agenda_tenant_idx", "agenda", ["organization_id", "run_at", "kind"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("api_keys_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("key_hash", name=op.f("api_keys_key_hash_key")),
    )
    op.create_table(
        "billable_metrics",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("aggregation_type", sa.Text(), nullable=False),
        sa.Column("field_name", sa.Text(), nullable=True),
        sa.Column("recurring", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("weighted_interval", sa.Text(), nullable=True),
        sa.Column("rounding_function", sa.Text(), nullable=True),
        sa.Column("rounding_precision", sa.Integer(), nullable=True),
        sa.Column("expression", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("billable_metrics_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("billable_metrics_pkey")),
    )
    op.create_index(
        "billable_metrics_code_key",
        "billable_metrics",
        ["organization_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "billable_metrics_newest_idx",
        "billable_metrics",
        ["organization_id", sa.literal_column("created_at DESC"), "id"],
        unique=False,
    )
    op.create_table(
        "billing_entities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("default_currency", sa.Text(), server_default="USD", nullable=False),
        sa.Column("timezone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("address_line1", sa.Text(), nullable=True),
        sa.Column("address_line2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("zipcode", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("legal_name", sa.Text(), nullable=True),
        sa.Column("legal_number", sa.Text(), nullable=True),
        sa.Column("tax_identification_number", sa.Text(), nullable=True),
        sa.Column("net_payment_term", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "email_settings", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("document_numbering", sa.Text(), server_default="per_customer", nullable=False),
        sa.Column("document_number_prefix", sa.Text(), nullable=False),
        sa.Column(
            "finalize_zero_amount_invoice", sa.Boolean(), server_default=sa.text("true"), nullable=False
        ),
        sa.Column("invoice_footer", sa.Text(), nullable=True),
        sa.Column("invoice_grace_period", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("document_locale", sa.Text(), server_default="en", nullable=False),
        sa.Column(
            "subscription_invoice_issuing_date_anchor",
            sa.Text(),
            server_default="next_period_start",
            nullable=False,
        ),
        sa.Column(
            "subscription_invoice_issuing_date_adjustment",
            sa.Text(),
            server_default="align_with_finalization_date",
            nullable=False,
        ),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "document_numbering IN ('per_customer', 'per_billing_entity')",
            name=op.f("billing_entities_numbering_check"),
        ),
        sa.CheckConstraint(
            "net_payment_term >= 0 AND invoice_grace_period >= 0", name=op.f("billing_entities_terms_check")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("billing_entities_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("billing_entities_pkey")),
        sa.UniqueConstraint(
            "organization_id", "code", name=op.f("billing_entities_organization_id_code_key")
        ),
    )
    op.create_index(
        "billing_entities_oldest_idx", "billing_entities", ["organization_id", "created_at"], unique=False
    )
    op.create_table(
        "plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("invoice_display_name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("amount_currency", sa.Text(), nullable=False),
        sa.Column("pay_in_advance", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("trial_period", sa.Numeric(), nullable=True),
        sa.Column("bill_charges_monthly", sa.Boolean(), nullable=True),
        sa.Column("bill_fixed_charges_monthly", sa.Boolean(), nullable=True),
        sa.Column("pending_deletion", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "interval IN ('weekly', 'monthly', 'quarterly', 'semiannual', 'yearly')",
            name=op.f("plans_interval_check"),
        ),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("plans_amount_check")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("plans_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["plans.id"], name=op.f("plans_parent_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("plans_pkey")),
    )
    op.create_index(
        "plans_code_key",
        "plans",
        ["organization_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL AND parent_id IS NULL"),
    )
    op.create_index(
        "plans_newest_idx",
        "plans",
        ["organization_id", sa.literal_column("created_at DESC"), "id"],
        unique=False,
    )
    op.create_index(op.f("plans_parent_id_idx"), "plans", ["parent_id"], unique=False)
    op.create_table(
        "taxes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("applied_to_organization", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("taxes_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("taxes_pkey")),
    )
    op.create_index(
        "taxes_code_key",
        "taxes",
        ["organization_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "billing_entities_taxes",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("tax_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("billing_entities_taxes_organization_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["billing_entities.id"], name=op.f("billing_entities_taxes_owner_id_fkey")
        ),
        sa.ForeignKeyConstraint(["tax_id"], ["taxes.id"], name=op.f("billing_entities_taxes_tax_id_fkey")),
        sa.PrimaryKeyConstraint("owner_id", "tax_id", name=op.f("billing_entities_taxes_pkey")),
    )
    op.create_index(
        op.f("billing_entities_taxes_tax_id_idx"), "billing_entities_taxes", ["tax_id"], unique=False
    )
    op.create_table(
        "charges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("billable_metric_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("charge_model", sa.Text(), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("pay_in_advance", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("invoiceable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("prorated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("min_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("invoice_display_name", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["billable_metric_id"], ["billable_metrics.id"], name=op.f("charges_billable_metric_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("charges_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["charges.id"], name=op.f("charges_parent_id_fkey")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("charges_plan_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("charges_pkey")),
    )
    op.create_index(op.f("charges_billable_metric_id_idx"), "charges", ["billable_metric_id"], unique=False)
    op.create_index(
        "charges_code_key",
        "charges",
        ["plan_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("charges_plan_id_idx"), "charges", ["plan_id"], unique=False)
    op.create_table(
        "customers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("billing_entity_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("sequential_id", sa.BigInteger(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("firstname", sa.Text(), nullable=True),
        sa.Column("lastname", sa.Text(), nullable=True),
        sa.Column("legal_name", sa.Text(), nullable=True),
        sa.Column("legal_number", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("logo_url", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("tax_identification_number", sa.Text(), nullable=True),
        sa.Column("external_salesforce_id", sa.Text(), nullable=True),
        sa.Column("customer_type", sa.Text(), nullable=True),
        sa.Column("account_type", sa.Text(), server_default="customer", nullable=False),
        sa.Column("address_line1", sa.Text(), nullable=True),
        sa.Column("address_line2", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("zipcode", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("shipping_address_line1", sa.Text(), nullable=True),
        sa.Column("shipping_address_line2", sa.Text(), nullable=True),
        sa.Column("shipping_city", sa.Text(), nullable=True),
        sa.Column("shipping_zipcode", sa.Text(), nullable=True),
        sa.Column("shipping_state", sa.Text(), nullable=True),
        sa.Column("shipping_country", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("net_payment_term", sa.Integer(), nullable=True),
        sa.Column("finalize_zero_amount_invoice", sa.Text(), server_default="inherit", nullable=False),
        sa.Column("invoice_grace_period", sa.Integer(), nullable=True),
        sa.Column("subscription_invoice_issuing_date_anchor", sa.Text(), nullable=True),
        sa.Column("subscription_invoice_issuing_date_adjustment", sa.Text(), nullable=True),
        sa.Column("document_locale", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "net_payment_term >= 0 AND invoice_grace_period >= 0", name=op.f("customers_terms_check")
        ),
        sa.ForeignKeyConstraint(
            ["billing_entity_id"], ["billing_entities.id"], name=op.f("customers_billing_entity_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("customers_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("customers_pkey")),
        sa.UniqueConstraint(
            "organization_id", "sequential_id", name=op.f("customers_organization_id_sequential_id_key")
        ),
    )
    op.create_index(
        "customers_external_id_key",
        "customers",
        ["organization_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "customers_newest_idx",
        "customers",
        ["organization_id", sa.literal_column("created_at DESC"), "id"],
        unique=False,
    )
    op.create_table(
        "plans_taxes",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("tax_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("plans_taxes_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["plans.id"], name=op.f("plans_taxes_owner_id_fkey")),
        sa.ForeignKeyConstraint(["tax_id"], ["taxes.id"], name=op.f("plans_taxes_tax_id_fkey")),
        sa.PrimaryKeyConstraint("owner_id", "tax_id", name=op.f("plans_taxes_pkey")),
    )
    op.create_index(op.f("plans_taxes_tax_id_idx"), "plans_taxes", ["tax_id"], unique=False)
    op.create_table(
        "charges_taxes",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("tax_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("charges_taxes_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["charges.id"], name=op.f("charges_taxes_owner_id_fkey")),
        sa.ForeignKeyConstraint(["tax_id"], ["taxes.id"], name=op.f("charges_taxes_tax_id_fkey")),
        sa.PrimaryKeyConstraint("owner_id", "tax_id", name=op.f("charges_taxes_pkey")),
    )
    op.create_index(op.f("charges_taxes_tax_id_idx"), "charges_taxes", ["tax_id"], unique=False)
    op.create_table(
        "customer_metadata",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("display_in_invoice", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("customer_metadata_customer_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("customer_metadata_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("customer_metadata_pkey")),
        sa.UniqueConstraint("customer_id", "key", name=op.f("customer_metadata_customer_id_key_key")),
    )
    op.create_table(
        "customers_taxes",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("tax_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("customers_taxes_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["customers.id"], name=op.f("customers_taxes_owner_id_fkey")),
        sa.ForeignKeyConstraint(["tax_id"], ["taxes.id"], name=op.f("customers_taxes_tax_id_fkey")),
        sa.PrimaryKeyConstraint("owner_id", "tax_id", name=op.f("customers_taxes_pkey")),
    )
    op.create_index(op.f("customers_taxes_tax_id_idx"), "customers_taxes", ["tax_id"], unique=False)
    op.create_table(
        "invoices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("billing_entity_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("sequential_id", sa.BigInteger(), nullable=True),
        sa.Column("entity_sequential_id", sa.BigInteger(), nullable=True),
        sa.Column("invoice_type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("payment_status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("billing_day", sa.Date(), nullable=False),
        sa.Column("billed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issuing_date", sa.Date(), nullable=False),
        sa.Column("expected_finalization_date", sa.Date(), nullable=False),
        sa.Column("payment_due_date", sa.Date(), nullable=False),
        sa.Column("net_payment_term", sa.Integer(), nullable=False),
        sa.Column("payment_overdue", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("self_billed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_recurring", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("purchase_order_number", sa.Text(), nullable=True),
        sa.Column("fees_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "progressive_billing_credit_amount_cents",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("coupons_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "sub_total_excluding_taxes_amount_cents",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("taxes_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "sub_total_including_taxes_amount_cents",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("credit_notes_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "prepaid_credit_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("total_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_paid_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("taxes_rate", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("file_key", sa.Text(), nullable=True),
        sa.Column("finalized_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status <> 'finalized' OR sequential_id IS NOT NULL", name=op.f("invoices_numbered_check")
        ),
        sa.CheckConstraint(
            "sub_total_excluding_taxes_amount_cents = fees_amount_cents - progressive_billing_credit_amount_cents - coupons_amount_cents",
            name=op.f("invoices_sub_total_excluding_taxes_check"),
        ),
        sa.CheckConstraint(
            "sub_total_including_taxes_amount_cents = sub_total_excluding_taxes_amount_cents + taxes_amount_cents",
            name=op.f("invoices_sub_total_including_taxes_check"),
        ),
        sa.CheckConstraint(
            "total_amount_cents = sub_total_including_taxes_amount_cents - credit_notes_amount_cents - prepaid_credit_amount_cents",
            name=op.f("invoices_total_check"),
        ),
        sa.CheckConstraint("total_amount_cents >= 0", name=op.f("invoices_total_not_negative_check")),
        sa.ForeignKeyConstraint(
            ["billing_entity_id"], ["billing_entities.id"], name=op.f("invoices_billing_entity_id_fkey")
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("invoices_customer_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("invoices_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("invoices_pkey")),
        sa.UniqueConstraint(
            "customer_id",
            "billing_entity_id",
            "sequential_id",
            name=op.f("invoices_customer_id_billing_entity_id_sequential_id_key"),
        ),
    )
    op.create_index(
        "invoices_customer_idx",
        "invoices",
        ["customer_id", sa.literal_column("issuing_date DESC"), sa.literal_column("created_at DESC"), "id"],
        unique=False,
    )
    op.create_index(
        "invoices_draft_idx",
        "invoices",
        ["organization_id", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'draft'"),
    )
    op.create_index(
        "invoices_entity_sequence_key",
        "invoices",
        ["billing_entity_id", "entity_sequential_id"],
        unique=True,
        postgresql_where=sa.text("entity_sequential_id IS NOT NULL"),
    )
    op.create_index(
        "invoices_newest_idx",
        "invoices",
        [
            "organization_id",
            sa.literal_column("issuing_date DESC"),
            sa.literal_column("created_at DESC"),
            "id",
        ],
        unique=False,
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("billing_entity_id", sa.Uuid(), nullable=True),
        sa.Column("previous_subscription_id", sa.Uuid(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("billing_time", sa.Text(), nullable=False),
        sa.Column("subscription_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ending_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terminated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("canceled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trial_ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("purchase_order_number", sa.Text(), nullable=True),
        sa.Column("consolidate_invoice", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("on_termination_credit_note", sa.Text(), nullable=True),
        sa.Column("on_termination_invoice", sa.Text(), server_default="generate", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'terminated') = (terminated_at IS NOT NULL)",
            name=op.f("subscriptions_terminated_check"),
        ),
        sa.CheckConstraint(
            "billing_time IN ('calendar', 'anniversary')", name=op.f("subscriptions_billing_time_check")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'active', 'terminated', 'canceled')",
            name=op.f("subscriptions_status_check"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('active', 'terminated') OR started_at IS NOT NULL",
            name=op.f("subscriptions_started_check"),
        ),
        sa.ForeignKeyConstraint(
            ["billing_entity_id"], ["billing_entities.id"], name=op.f("subscriptions_billing_entity_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("subscriptions_customer_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("subscriptions_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("subscriptions_plan_id_fkey")),
        sa.ForeignKeyConstraint(
            ["previous_subscription_id"],
            ["subscriptions.id"],
            name=op.f("subscriptions_previous_subscription_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("subscriptions_pkey")),
    )
    op.create_index(
        "subscriptions_active_key",
        "subscriptions",
        ["organization_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index(op.f("subscriptions_customer_id_idx"), "subscriptions", ["customer_id"], unique=False)
    op.create_index(
        "subscriptions_external_id_idx", "subscriptions", ["organization_id", "external_id"], unique=False
    )
    op.create_index(
        "subscriptions_newest_idx",
        "subscriptions",
        ["organization_id", "status", sa.literal_column("subscription_at DESC"), "id"],
        unique=False,
    )
    op.create_index(op.f("subscriptions_plan_id_idx"), "subscriptions", ["plan_id"], unique=False)
    op.create_index(
        op.f("subscriptions_previous_subscription_id_idx"),
        "subscriptions",
        ["previous_subscription_id"],
        unique=False,
    )
    op.create_table(
        "billing_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("invoicing_reason", sa.Text(), nullable=False),
        sa.Column("is_recurring", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("billing_day", sa.Date(), nullable=False),
        sa.Column("billed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("charges_from_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("charges_to_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fixed_charges_from_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fixed_charges_to_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wire_to_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wire_charges_to_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wire_fixed_charges_to_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("billing_records_invoice_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("billing_records_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("billing_records_subscription_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("billing_records_pkey")),
        sa.UniqueConstraint(
            "invoice_id", "subscription_id", name=op.f("billing_records_invoice_id_subscription_id_key")
        ),
    )
    op.create_index(
        "billing_records_charges_period_key",
        "billing_records",
        ["subscription_id", "charges_from_at", "charges_to_at"],
        unique=True,
        postgresql_where=sa.text("is_recurring"),
    )
    op.create_index(
        "billing_records_day_key",
        "billing_records",
        ["subscription_id", "billing_day"],
        unique=True,
        postgresql_where=sa.text("is_recurring"),
    )
    op.create_index(
        "billing_records_start_key",
        "billing_records",
        ["subscription_id"],
        unique=True,
        postgresql_where=sa.text("invoicing_reason = 'subscription_starting'"),
    )
    op.create_index(
        "billing_records_termination_key",
        "billing_records",
        ["subscription_id"],
        unique=True,
        postgresql_where=sa.text("invoicing_reason = 'subscription_terminating'"),
    )
    op.create_table(
        "fees",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=True),
        sa.Column("charge_id", sa.Uuid(), nullable=True),
        sa.Column("billable_metric_id", sa.Uuid(), nullable=True),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("fee_type", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "precise_amount_cents",
            sa.Numeric(precision=60, scale=15),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column(
            "precise_coupons_amount_cents",
            sa.Numeric(precision=60, scale=5),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("taxes_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "taxes_precise_amount_cents",
            sa.Numeric(precision=60, scale=15),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("taxes_rate", sa.Numeric(), server_default=sa.text("0"), nullable=False),
        sa.Column("units", sa.Numeric(precision=60, scale=10), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "total_aggregated_units",
            sa.Numeric(precision=60, scale=10),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("unit_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "precise_unit_amount",
            sa.Numeric(precision=60, scale=15),
            server_default=sa.text("0"),
            nullable=False,
        ),
        sa.Column("events_count", sa.BigInteger(), nullable=True),
        sa.Column(
            "amount_details",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "grouped_by",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "explanation",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("invoice_display_name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("item_code", sa.Text(), nullable=False),
        sa.Column("item_name", sa.Text(), nullable=False),
        sa.Column("item_description", sa.Text(), nullable=True),
        sa.Column("pay_in_advance", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("invoiceable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("payment_status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents >= 0 AND taxes_amount_cents >= 0", name=op.f("fees_amounts_check")),
        sa.CheckConstraint(
            "precise_coupons_amount_cents >= 0 AND precise_coupons_amount_cents <= amount_cents",
            name=op.f("fees_coupons_check"),
        ),
        sa.ForeignKeyConstraint(
            ["billable_metric_id"], ["billable_metrics.id"], name=op.f("fees_billable_metric_id_fkey")
        ),
        sa.ForeignKeyConstraint(["charge_id"], ["charges.id"], name=op.f("fees_charge_id_fkey")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fees_customer_id_fkey")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoices.id"], name=op.f("fees_invoice_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fees_organization_id_fkey")
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fees_plan_id_fkey")),
        sa.ForeignKeyConstraint(
            ["subscription_id"], ["subscriptions.id"], name=op.f("fees_subscription_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("fees_pkey")),
    )
    op.create_index(op.f("fees_invoice_id_idx"), "fees", ["invoice_id"], unique=False)
    op.create_index("fees_oldest_idx", "fees", ["organization_id", "created_at", "id"], unique=False)
    op.create_index(op.f("fees_subscription_id_idx"), "fees", ["subscription_id"], unique=False)
    op.create_index(
        "fees_subscription_key",
        "fees",
        ["invoice_id", "subscription_id"],
        unique=True,
        postgresql_where=sa.text("fee_type = 'subscription'"),
    )
    op.create_table(
        "invoices_applied_taxes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("tax_id", sa.Uuid(), nullable=False),
        sa.Column("tax_code", sa.Text(), nullable=False),
        sa.Column("tax_name", sa.Text(), nullable=False),
        sa.Column("tax_description", sa.Text(), nullable=True),
        sa.Column("tax_rate", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fees_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoices.id"], name=op.f("invoices_applied_taxes_invoice_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("invoices_applied_taxes_organization_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("invoices_applied_taxes_pkey")),
    )
    op.create_index(
        op.f("invoices_applied_taxes_invoice_id_idx"), "invoices_applied_taxes", ["invoice_id"], unique=False
    )
    op.create_table(
        "fees_applied_taxes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("fee_id", sa.Uuid(), nullable=False),
        sa.Column("tax_id", sa.Uuid(), nullable=False),
        sa.Column("tax_code", sa.Text(), nullable=False),
        sa.Column("tax_name", sa.Text(), nullable=False),
        sa.Column("tax_description", sa.Text(), nullable=True),
        sa.Column("tax_rate", sa.Numeric(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fees_amount_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["fee_id"], ["fees.id"], name=op.f("fees_applied_taxes_fee_id_fkey")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fees_applied_taxes_organization_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("fees_applied_taxes_pkey")),
    )
    op.create_index(op.f("fees_applied_taxes_fee_id_idx"), "fees_applied_taxes", ["fee_id"], unique=False)
