"""Conditions that SQLAlchemy has no short word for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Dialect, Uuid, any_, bindparam, or_, true
from sqlalchemy.types import TypeEngine, UserDefinedType


class _Ids(UserDefinedType[Iterable[UUID]]):
    """An array of ids, written as PostgreSQL reads it: the driver would look at each id for signs that need quoting."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_: Any) -> str:
        return "UUID[]"

    def bind_processor(self, dialect: Dialect) -> Callable[[Iterable[UUID] | None], str]:  # noqa: ARG002  # so it is called
        return lambda ids: f"{{{','.join(map(str, ids or ()))}}}"


def among(column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Hold where a column has one of some values: `column = ANY(array)`.

    Unlike `in_` it is one parameter and one text whatever their number, so that the driver and the database have to read and plan
    a wave's statement once. Of no values it holds nowhere.
    """
    return column == any_(bindparam("among", list(values), _array_of(column), unique=True))


def among_given(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """The same in a statement that is made once: the values are given under a name each time that it runs.

    To make a statement takes as long as to run it, where it reads a few rows.
    """
    return column == any_(bindparam(name, type_=_array_of(column)))


def holding(term: str | None, *columns: ColumnElement[str]) -> ColumnElement[bool]:
    """Hold where one of some texts has a searched one in it, whatever its case; everywhere if none is searched for.

    What surrounds the searched text as space is no part of it (platform §1.4).
    """
    wanted = (term or "").strip()
    if not wanted:
        return true()
    return or_(*(column.icontains(wanted, autoescape=True) for column in columns))


def _array_of(column: ColumnElement[Any]) -> TypeEngine[Any]:
    return _Ids() if isinstance(column.type, Uuid) else ARRAY(column.type)
