"""How work that failed is told to those for whom it was done."""

from __future__ import annotations

from psycopg.errors import NumericValueOutOfRange
from sqlalchemy.exc import DBAPIError


def words_of(error: BaseException) -> str:
    """What went wrong, without the statement that failed and its parameters: the log has those.

    >>> words_of(KeyError("EUR"))
    "KeyError: 'EUR'"
    """
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    if isinstance(cause, NumericValueOutOfRange):
        return "AmountTooLarge: an amount is beyond the 64 bits of minor units that are kept of it"
    return f"{type(cause).__name__}: {cause}"
