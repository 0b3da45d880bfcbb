"""Many rows in one statement: what a billing run writes, it writes by the wave.

Rows travel as one JSON document that the database takes apart by the table's own types, so that a thousand rows cost one
round trip and one plan. Decimals, instants and ids are texts in it, and lose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Table, TextClause, text

from tallymark.db.engine import Tx

Rows = Sequence[Mapping[str, Any]]
"""Values by column; every row names the same columns."""


async def insert_rows(tx: Tx, table: Table, rows: Rows) -> None:
    """Add rows; columns that are not named get their defaults."""
    if rows:
        await tx.execute(_insert(table, tuple(rows[0])), {"rows": _document(rows)})


async def upsert_rows(
    tx: Tx, table: Table, rows: Rows, *, key: Sequence[str], cleared: Sequence[str] = ()
) -> None:
    """Add rows, or write them over those with the same key; `cleared` columns of these go back to their defaults."""
    if rows:
        statement = _upsert(table, tuple(rows[0]), tuple(key), tuple(cleared))
        await tx.execute(statement, {"rows": _document(rows)})


async def update_rows(tx: Tx, table: Table, rows: Rows) -> None:
    """Set the named columns of rows that exist; `id` tells which."""
    if rows:
        await tx.execute(_update(table, tuple(rows[0])), {"rows": _document(rows)})


def _document(rows: Rows) -> str:
    names = rows[0].keys()
    assert all(row.keys() == names for row in rows), "rows of one statement name the same columns"
    return msgspec.json.encode(rows).decode()


@lru_cache(maxsize=256)
def _insert(table: Table, names: tuple[str, ...]) -> TextClause:
    columns = ", ".join(_quoted(table, names))
    return text(f"INSERT INTO {table.name} ({columns}) SELECT {columns} FROM {_recordset(table)}")


@lru_cache(maxsize=256)
def _upsert(
    table: Table, names: tuple[str, ...], key: tuple[str, ...], cleared: tuple[str, ...]
) -> TextClause:
    taken = [f"{name} = excluded.{name}" for name in _quoted(table, names) if name.strip('"') not in key]
    reset = [f"{name} = DEFAULT" for name in _quoted(table, cleared)]
    columns = ", ".join(_quoted(table, key))
    return text(
        f"{_insert(table, names)} ON CONFLICT ({columns}) DO UPDATE SET {', '.join([*taken, *reset])}"
    )


@lru_cache(maxsize=256)
def _update(table: Table, names: tuple[str, ...]) -> TextClause:
    changed = ", ".join(f"{name} = changed.{name}" for name in _quoted(table, names) if name != '"id"')
    return text(
        f"UPDATE {table.name} SET {changed} FROM {_recordset(table)} AS changed WHERE {table.name}.id = changed.id"
    )


def _quoted(table: Table, names: tuple[str, ...]) -> list[str]:
    return [f'"{table.c[name].name}"' for name in names]


def _recordset(table: Table) -> str:
    return f"json_populate_recordset(CAST(NULL AS {table.name}), CAST(:rows AS json))"
