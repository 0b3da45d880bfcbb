"""How settlements are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallymark.db.bulk import insert_rows
from tallymark.db.engine import Tx
from tallymark.db.tables import invoice_settlements


async def insert_settlement(tx: Tx, row: Mapping[str, Any]) -> None:
    await insert_rows(tx, invoice_settlements, [row])
