"""The audit as tests run it after each of them: every law of SQL in one statement, which each connection plans once.

Planning takes most of the time of an audit of a few rows. What `tallymark audit` runs, law by law, has tests of its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache

from tallymark.db.engine import Tx
from tallymark.rooms.audit.model import Breach, Law
from tallymark.rooms.audit.repository import LAWS_IN_SQL
from tallymark.rooms.audit.repository.reading import SUBUNITS
from tallymark.rooms.audit.service import LAWS, breaches_of

WALKED = tuple(law for law in LAWS if law.sql is None)


@cache
def every_law() -> str:
    """(law, place, expected, found) of all breaches of laws that are held by a statement."""
    return " UNION ALL ".join(
        f"SELECT '{law.name}', place::text, expected::text, found::text FROM ({_statement(law)}) AS {law.name}"
        for law in LAWS_IN_SQL
    )


def _statement(law: Law) -> str:
    assert law.sql is not None, f"{law.name} is not held by a statement"
    subunits = SUBUNITS.replace("'", "''")
    return law.sql.replace(":subunits", f"'{subunits}'")


async def breaches(tx: Tx) -> AsyncIterator[Breach]:
    """Every breach of every law, as `audit` finds them."""
    raw = await tx.connection.get_raw_connection()
    driver = raw.driver_connection
    assert driver is not None, "it is open"
    found = await driver.execute(every_law(), prepare=True)
    for law, place, expected, is_there in await found.fetchall():
        yield Breach(law=law, place=place, expected=expected, found=is_there)
    for law in WALKED:
        async for breach in breaches_of(tx, law):
            yield breach
