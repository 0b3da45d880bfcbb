"""Tables of logs: what was asked for over the API, and what was done."""

from sqlalchemy import Column, Index, Integer, Table, Uuid, text

from tallymark.db.tables.columns import flag, id_column, implied, instant, metadata, string, tenant_column

api_logs = Table(
    "api_logs",
    metadata,
    id_column(),
    tenant_column(),
    implied("api_key_id"),
    Column("request_id", Uuid, nullable=False),
    string("client", nullable=False),
    string("http_method", nullable=False),
    Column("http_status", Integer, nullable=False),
    string("request_origin", nullable=False),
    string("request_path", nullable=False),
    # Its beginning: what an index has room for.
    string("path_start", nullable=False),
    # JSON, as texts: nothing is asked of what is in it.
    string("request_body", nullable=False),
    string("request_response"),
    string("api_version", nullable=False),
    instant("logged_at", nullable=False),
    instant("created_at", nullable=False),
    Index("api_logs_newest_idx", "organization_id", text("logged_at DESC"), text("id DESC")),
    Index("api_logs_status_idx", "organization_id", "http_status", text("logged_at DESC")),
    Index("api_logs_path_idx", "organization_id", "path_start", text("logged_at DESC")),
    Index("api_logs_request_idx", "organization_id", "request_id"),
)

activity_logs = Table(
    "activity_logs",
    metadata,
    id_column(),
    tenant_column(),
    string("activity_type", nullable=False),
    string("activity_source", nullable=False),
    # The key that was used; null of entries from before these were kept, too.
    implied("api_key_id", nullable=True),
    string("user_email"),
    # What the entry shows; a payment is logged on the invoice that it pays.
    string("object_type", nullable=False),
    implied("object_id"),
    string("resource_type", nullable=False),
    implied("resource_id"),
    string("external_customer_id"),
    string("external_subscription_id"),
    # JSON, as texts: nothing is asked of what is in them.
    string("changes"),
    string("object"),
    # Whether the object is still to be written.
    flag("is_open", default=True),
    instant("logged_at", nullable=False),
    instant("created_at", nullable=False),
    Index("activity_logs_newest_idx", "organization_id", text("logged_at DESC"), text("id DESC")),
    Index("activity_logs_resource_idx", "organization_id", "resource_id", text("logged_at DESC")),
    Index("activity_logs_customer_idx", "organization_id", "external_customer_id", text("logged_at DESC")),
    Index("activity_logs_open_idx", "organization_id", "id", postgresql_where=text("is_open")),
)

security_logs = Table(
    "security_logs",
    metadata,
    id_column(),
    tenant_column(),
    # The key that was used, or that the entry is about.
    implied("api_key_id", nullable=True),
    implied("user_id", nullable=True),
    string("user_email"),
    string("log_type", nullable=False),
    string("log_event", nullable=False),
    # JSON, as a text.
    string("resources", nullable=False),
    string("user_agent"),
    string("ip_address"),
    instant("logged_at", nullable=False),
    instant("created_at", nullable=False),
    Index("security_logs_newest_idx", "organization_id", text("logged_at DESC"), text("id DESC")),
)
