"""Tables of logs: what was asked for over the API. Entries are written once."""

from sqlalchemy import Column, Index, Integer, Table, Uuid, text

from tallymark.db.tables.columns import id_column, implied, instant, metadata, string, tenant_column

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
