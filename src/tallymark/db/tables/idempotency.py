"""Answers to requests that came with a key, kept to be given again."""

from sqlalchemy import Column, Integer, LargeBinary, Table, Uuid

from tallymark.db.tables.columns import instant, metadata, string, tenant_column

idempotent_answers = Table(
    "idempotent_answers",
    metadata,
    # Of the organization, the address and the key.
    Column("slot", Uuid, primary_key=True),
    tenant_column(),
    Column("request_hash", LargeBinary, nullable=False),
    Column("http_status", Integer, nullable=False),
    string("content_type"),
    Column("body", LargeBinary, nullable=False),
    # Read once an hour, to delete a good part of the table: no index.
    instant("answered_at", nullable=False),
)
