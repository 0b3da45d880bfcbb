"""Column shapes that many tables share, so that money, ids and instants look the same everywhere."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, MetaData, Numeric, Text, Uuid, text

metadata = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)


def id_column() -> Column[Any]:
    return Column("id", Uuid, primary_key=True)


def organization_column() -> Column[Any]:
    return Column("organization_id", Uuid, ForeignKey("organizations.id"), nullable=False)


def tenant_column() -> Column[Any]:
    """The organization, of tables with many rows for each document: no foreign key.

    Row-level security refuses any other than the one entered, which exists; looking it up again for each row took longer than
    writing the row, and locked its one row in every transaction.
    """
    return Column("organization_id", Uuid, nullable=False)


def implied(name: str, *, nullable: bool = False) -> Column[Any]:
    """An id that another reference of the same row implies (a fee's customer is its subscription's): no foreign key of its own."""
    return Column(name, Uuid, nullable=nullable)


def reference(name: str, target: str, *, nullable: bool = False, index: bool = False) -> Column[Any]:
    return Column(name, Uuid, ForeignKey(f"{target}.id"), nullable=nullable, index=index)


def string(name: str, *, nullable: bool = True, default: str | None = None) -> Column[Any]:
    return Column(name, Text, nullable=nullable, server_default=default)


def flag(name: str, *, default: bool = False) -> Column[Any]:
    return Column(name, Boolean, nullable=False, server_default=text("true" if default else "false"))


def cents(name: str, *, nullable: bool = False) -> Column[Any]:
    """An amount in the currency's minor unit."""
    return Column(name, BigInteger, nullable=nullable, server_default=None if nullable else text("0"))


def precise(name: str, scale: int = 15) -> Column[Any]:
    """An exact decimal kept to `scale` fraction digits."""
    return Column(name, Numeric(60, scale), nullable=False, server_default=text("0"))


def instant(name: str, *, nullable: bool = True) -> Column[Any]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def timestamps() -> tuple[Column[Any], Column[Any]]:
    return instant("created_at", nullable=False), instant("updated_at", nullable=False)
