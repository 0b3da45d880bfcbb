"""Columns of rows as PostgreSQL's own arrays, in binary: it reads them in a quarter of the time that JSON takes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # from which PostgreSQL counts
_MICROSECOND = timedelta(microseconds=1)
_NULL = struct.pack(">i", -1)
_UUID_LENGTH = struct.pack(">i", 16)
_JSONB_VERSION = b"\x01"
_length = struct.Struct(">i").pack


class Column:
    """An array of one dimension, as the server reads it."""

    __slots__ = ("data",)
    array: ClassVar[int]
    """The number of the array's type."""
    element: ClassVar[int]
    """The number of its elements' type."""

    def __init__(self, count: int, elements: bytes) -> None:
        self.data = struct.pack(">iiiii", 1, 1, self.element, count, 1) + elements


class Uuids(Column):
    """`uuid[]`."""

    array, element = 2951, 2950

    @classmethod
    def of(cls, values: Sequence[UUID]) -> Uuids:
        """The column of some ids."""
        parts = [value.bytes for value in values]
        return cls(len(parts), _UUID_LENGTH * bool(parts) + _UUID_LENGTH.join(parts))


class Integers(Column):
    """`bigint[]`."""

    array, element = 1016, 20

    @classmethod
    def of(cls, values: Sequence[int]) -> Integers:
        """The column of some numbers of 64 bits."""
        return cls(len(values), _eights(values))


class Instants(Column):
    """`timestamptz[]`."""

    array, element = 1185, 1184

    @classmethod
    def of(cls, values: Sequence[datetime]) -> Instants:
        """The column of some instants."""
        return cls(len(values), _eights([(value - _BEGINNING) // _MICROSECOND for value in values]))


class Texts(Column):
    """`text[]`, with nulls."""

    array, element = 1009, 25

    @classmethod
    def of(cls, values: Sequence[str | None]) -> Texts:
        """The column of some texts."""
        parts: list[bytes] = []
        for value in values:
            if value is None:
                parts.append(_NULL)
            else:
                text = value.encode()
                parts += (_length(len(text)), text)
        return cls(len(values), b"".join(parts))


class Documents(Column):
    """`jsonb[]`."""

    array, element = 3807, 3802

    @classmethod
    def of(cls, values: Sequence[msgspec.Raw]) -> Documents:
        """The column of some JSON texts."""
        parts: list[bytes] = []
        for value in values:
            text = bytes(value)
            parts += (_length(len(text) + 1), _JSONB_VERSION, text)
        return cls(len(values), b"".join(parts))


def _eights(values: Sequence[int]) -> bytes:
    """Numbers of eight bytes, each after its length."""
    fields = [8] * (2 * len(values))
    fields[1::2] = values
    return struct.pack(">" + "iq" * len(values), *fields)


class _ColumnDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Column) -> bytes:
        return obj.data


def _dumper(kind: type[Column]) -> type[Dumper]:
    return type(f"{kind.__name__}Dumper", (_ColumnDumper,), {"oid": kind.array})


_DUMPERS = [(kind, _dumper(kind)) for kind in (Uuids, Integers, Instants, Texts, Documents)]


def register_columns(connection: psycopg.AsyncConnection[Any]) -> None:
    """Let a connection take columns as parameters."""
    for kind, dumper in _DUMPERS:
        connection.adapters.register_dumper(kind, dumper)
