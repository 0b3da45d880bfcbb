"""Events as Parquet files, which whatever reads data can read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import read_parquet, write_parquet

from tallymark.rooms.event_archives.model import ArchivedEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEXT, _NUMBER, _INSTANT = DataType.utf8(), DataType.int64(), DataType.timestamp("us", tz="UTC")

_COLUMNS: dict[str, tuple[DataType, bool]] = {
    "organization_id": (_TEXT, False),
    "external_subscription_id": (_TEXT, False),
    "code": (_TEXT, False),
    "stream_id": (_NUMBER, False),
    "id": (_TEXT, False),
    "transaction_id": (_TEXT, False),
    "timestamp": (_INSTANT, False),
    "created_at": (_INSTANT, False),
    "occurred_at": (_INSTANT, True),
    "properties": (_TEXT, False),
    "precise_total_amount_cents": (_TEXT, True),
    "sender_id": (_NUMBER, True),
}
"""Type of each column, and whether it may be empty. Numbers that must be exact are texts."""
_SCHEMA = Schema([Field(name, kind, nullable=is_empty) for name, (kind, is_empty) in _COLUMNS.items()])

# What a value is in a file, and back.
_TO: dict[str, Callable[[Any], Any]] = {
    "organization_id": str,
    "id": str,
    "precise_total_amount_cents": lambda amount: None if amount is None else format(amount, "f"),
}
_FROM: dict[str, Callable[[Any], Any]] = {
    "organization_id": UUID,
    "id": UUID,
    "precise_total_amount_cents": lambda amount: None if amount is None else Decimal(amount),
}


class ParquetFormat:
    """Implements `rooms.event_archives.ports.ArchiveFormat`."""

    suffix = ".parquet"

    def write(self, path: Path, chunks: Iterable[Sequence[ArchivedEvent]]) -> None:
        """Write a file, one chunk at a time."""
        reader = RecordBatchReader.from_batches(_SCHEMA, map(_batch, chunks))
        write_parquet(reader, path, compression="zstd(3)")

    def read(self, path: Path) -> Iterator[list[ArchivedEvent]]:
        """What a file holds, chunk by chunk."""
        for batch in read_parquet(path, batch_size=20_000):
            written = batch.schema.names
            columns = [
                # Files of releases that knew no senders have no column of them.
                _values(name, batch.column(name)) if name in written else [None] * batch.num_rows
                for name in _COLUMNS
            ]
            yield [
                ArchivedEvent(**dict(zip(_COLUMNS, row, strict=True))) for row in zip(*columns, strict=True)
            ]


def _batch(events: Sequence[ArchivedEvent]) -> RecordBatch:
    return RecordBatch.from_arrays([_array(name, events) for name in _COLUMNS], schema=_SCHEMA)


def _array(name: str, events: Sequence[ArchivedEvent]) -> Array:
    kind, _ = _COLUMNS[name]
    values = [getattr(event, name) for event in events]
    if kind == _INSTANT:
        numbers = [None if at is None else (at - _EPOCH) // _MICROSECOND for at in values]
        return Array(numbers, _NUMBER).cast(_INSTANT)
    if (to := _TO.get(name)) is not None:
        values = [to(one) for one in values]
    return Array(values, kind)


def _values(name: str, column: Array) -> list[Any]:
    kind, _ = _COLUMNS[name]
    if kind == _INSTANT:
        numbers = column.cast(_NUMBER).to_pylist()
        return [None if number is None else _EPOCH + number * _MICROSECOND for number in numbers]
    values = column.to_pylist()
    back = _FROM.get(name)
    return values if back is None else [back(one) for one in values]
