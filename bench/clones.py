"""Copies of what a few customers have, written set-based: as many rows as a plan needs to be worth reading."""

from __future__ import annotations

import psycopg
from sqlalchemy import Column, Table, Uuid

from tallymark.db import tables

CLONED: tuple[Table, ...] = (
    tables.customers,
    tables.subscriptions,
    tables.daily_usages,
    tables.event_streams,
    tables.events,
    tables.event_keys,
    tables.flawed_events,
    tables.late_events,
    tables.invoices,
    tables.billing_records,
    tables.fees,
    tables.credit_notes,
    tables.applied_coupons,
    tables.wallets,
    tables.wallet_transactions,
    tables.agenda,
)

_NAMES = frozenset({"external_id", "external_subscription_id", "transaction_id", "number", "slug"})
_COUNTERS = {"sequential_id": 10_000, "entity_sequential_id": 10_000, "stream_id": 1_000_000}
_OF_CUSTOMERS = {tables.agenda: " AND owner_id <> organization_id"}
"""What is the organization's own is not copied."""
_LOOSE = frozenset({"subject_id", "owner_id", "event_id", "customer_id"})
"""Ids of something cloned that no foreign key names."""


def clone(connection: psycopg.Connection, organization_id: str, copies: int) -> None:
    """Write so many copies of an organization's customers and all that is theirs; plans and metrics are shared."""
    connection.execute("SET session_replication_role = replica")
    for table in CLONED:
        columns = ", ".join(f'"{column.name}"' for column in table.columns)
        values = ", ".join(_value(table, column) for column in table.columns)
        statement = (
            f"INSERT INTO {table.name} ({columns}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {table.name} t,"
            f" generate_series(1, %(copies)s) n WHERE organization_id = %(organization)s{_OF_CUSTOMERS.get(table, '')}"
        )
        connection.execute(statement, {"copies": copies, "organization": organization_id})


def _value(table: Table, column: Column[object]) -> str:
    name = f't."{column.name}"'
    if column.name in _NAMES:
        return f"{name} || '-' || n"
    step = 1_000_000 if table is tables.event_streams and column.name == "id" else _COUNTERS.get(column.name)
    if step is not None:
        return f"{name} + n * {step}::bigint"
    if isinstance(column.type, Uuid) and _is_own(column):
        return f"md5({name}::text || n)::uuid"
    return name


def _is_own(column: Column[object]) -> bool:
    """Whether an id is of something that has a copy."""
    targets = {key.column.table for key in column.foreign_keys}
    return column.name == "id" or column.name in _LOOSE or bool(targets & set(CLONED))
