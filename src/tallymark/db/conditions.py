"""Conditions that SQLAlchemy has no short word for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, any_, bindparam


def among(column: ColumnElement[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Hold where a column has one of some values: `column = ANY(array)`.

    Unlike `in_` it is one parameter and one text whatever their number, so that the driver and the database have to read and plan
    a wave's statement once. Of no values it holds nowhere.
    """
    return column == any_(bindparam("among", list(values), ARRAY(column.type), unique=True))
