"""Tables of the tenants themselves: organizations, their clocks, keys and billing entities."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tallymark.db.tables.columns import (
    flag,
    id_column,
    instant,
    metadata,
    organization_column,
    string,
    timestamps,
)

organizations = Table(
    "organizations",
    metadata,
    id_column(),
    string("name", nullable=False),
    Column("slug", Text, nullable=False, unique=True),
    string("document_number_prefix", nullable=False),
    Column("hmac_key", Uuid, nullable=False),
    Column("last_customer_number", BigInteger, nullable=False, server_default=text("0")),
    # How many active wallets a customer may have.
    Column("max_wallets", Integer, nullable=False, server_default=text("6")),
    # How long after its time an event is still in time; null: as long as its period is not on a final invoice.
    Column("late_event_window_days", Integer),
    Column("late_event_policy", Text, nullable=False, server_default=text("'reject'")),
    # What becomes of a correction of what is billed.
    Column("event_correction_policy", Text, nullable=False, server_default=text("'refuse'")),
    # How its members may sign in.
    Column(
        "authentication_methods",
        ARRAY(Text),
        nullable=False,
        server_default=text("'{email_password,google_oauth}'"),
    ),
    *timestamps(),
)

test_clocks = Table(
    "test_clocks",
    metadata,
    Column("organization_id", Uuid, primary_key=True),
    instant("frozen_time", nullable=False),
    Column("calls", BigInteger, nullable=False, server_default=text("0")),
    string("status", nullable=False, default="ready"),
    CheckConstraint("status IN ('ready', 'advancing')", name="status"),
)

organization_switches = Table(
    "organization_switches",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    Column("switch", Text, primary_key=True),
    instant("since", nullable=False),
)
"""What staff hold back for an organization: a row for each switch that is on. A tenant reads its own."""

api_keys = Table(
    "api_keys",
    metadata,
    id_column(),
    organization_column(),
    string("name"),
    Column("key_hash", LargeBinary, nullable=False, unique=True),
    # The last characters of its value, by which people know it; null of keys from before these were kept, until they are used.
    string("ending"),
    # Modes by resource; none at all is everything.
    Column("permissions", JSONB(none_as_null=True)),
    instant("created_at", nullable=False),
    instant("expires_at"),
    instant("last_used_at"),
)

billing_entities = Table(
    "billing_entities",
    metadata,
    id_column(),
    organization_column(),
    string("code", nullable=False),
    string("name", nullable=False),
    string("default_currency", nullable=False, default="USD"),
    string("timezone", nullable=False, default="UTC"),
    string("country"),
    string("address_line1"),
    string("address_line2"),
    string("city"),
    string("state"),
    string("zipcode"),
    string("phone"),
    string("email"),
    string("legal_name"),
    string("legal_number"),
    string("tax_identification_number"),
    flag("eu_tax_management"),
    flag("einvoicing"),
    # Where the logo is kept among the organization's files.
    string("logo_key"),
    # `#rrggbb`; none is the house's own.
    string("brand_color"),
    Column("net_payment_term", Integer, nullable=False, server_default=text("0")),
    Column("email_settings", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    string("document_numbering", nullable=False, default="per_customer"),
    string("document_number_prefix", nullable=False),
    flag("finalize_zero_amount_invoice", default=True),
    string("invoice_footer"),
    Column("invoice_grace_period", Integer, nullable=False, server_default=text("0")),
    string("document_locale", nullable=False, default="en"),
    string("subscription_invoice_issuing_date_anchor", nullable=False, default="next_period_start"),
    string(
        "subscription_invoice_issuing_date_adjustment", nullable=False, default="align_with_finalization_date"
    ),
    instant("archived_at"),
    *timestamps(),
    UniqueConstraint("organization_id", "code"),
    Index("billing_entities_oldest_idx", "organization_id", "created_at"),
    CheckConstraint("document_numbering IN ('per_customer', 'per_billing_entity')", name="numbering"),
    CheckConstraint("net_payment_term >= 0 AND invoice_grace_period >= 0", name="terms"),
)

organization_limits = Table(
    "organization_limits",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    # What is said of this organization: null is as the settings say, 0 any number.
    *(
        Column(name, BigInteger)
        for name in ("events_per_minute", "events_per_month", "members", "api_keys", "exports_under_way")
    ),
    instant("updated_at", nullable=False),
)

event_counts = Table(
    "event_counts",
    metadata,
    Column("organization_id", Uuid, ForeignKey("organizations.id"), primary_key=True),
    # The first day of the month (UTC) in which they were received.
    Column("month", Date, primary_key=True),
    Column("events", BigInteger, nullable=False),
)
"""How many events an organization sent by `/events` and `/events/batch`; counted by processes, and added up by each."""

secrets = Table(
    "secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
"""Keys made at the first start (link signing) when the operator gave none. No tenant sees this table."""
