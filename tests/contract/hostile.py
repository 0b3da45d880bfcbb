"""What nobody who means well sends, and what has to come of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
from sqlalchemy import text
from tests.contract.world import Json

from tallymark.db.engine import Database


class Raw:
    """Stands in a body for a text of JSON that no value makes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text[:20]


OF_ANOTHER_KIND: tuple[Json, ...] = (None, True, 3, "text", [], ["x"], {}, {"a": [{}]})
"""A value of each kind, and lists and objects with something in them."""

OUTLANDISH: tuple[Json, ...] = (
    -1, 0, 2**31, 2**63, -(2**63) - 1, 10**100, 1.5, -0.0, 1e308, Raw("1e400"), Raw("NaN"), Raw("-Infinity"),
    Raw("1" + "0" * 5000), Raw("0." + "0" * 4000 + "1"), "", " ", "\x00", "a\x00b", "\ud800", "é" * 70_000, "9" * 5_000,
    "1e400", "1e-400", "-1", "NaN", "Infinity", "0x10", "１２", "2026-02-30", "0000-00-00", "9999-12-31T23:59:59-12:00",
    "0001-01-01T00:00:00+12:00", "2026-01-01T00:00:00+99:99", "' OR 1=1; --", "{{7*7}}", "\u202e", "../../etc/passwd",
    [[[]]], [None], [{}], [1, "a", None], {"": None}, {"$ref": "#"}, [{"a": 1}] * 300,
)  # fmt: skip
"""What hardly any field can have."""

NO_BODIES: tuple[bytes, ...] = (
    b"", b" ", b"null", b"[]", b"{}", b'"x"', b"5", b"true", b"{", b"[1,", b'{"a"', b"\xff\xfe", b"\xef\xbb\xbf{}", b"\x00",
    b"[" * 10_000, b'{"a":' * 10_000, b"[" * 10_000 + b"]" * 10_000, b'{"a": "\\ud800"}', b'{"a": NaN}', b"a=b&c[d]=e", b"<a/>",
    '{"a": 1}'.encode("utf-16"),
)  # fmt: skip
"""Bodies without what any operation wants."""

NO_NAMES: tuple[str, ...] = (
    "x", "0", "-1", "null", "undefined", "%20", "%00", "a%00b", "%FF", "%ED%A0%80", "%C0%AF", "..%2F..%2Fetc%2Fpasswd", "%2F", "a%2Fb",
    "'%20OR%201=1;--", "%27%3B%20DROP%20TABLE%20plans;--", "%7B%7B7*7%7D%7D", "$%7B7*7%7D", "%25s%25n", "%0D%0AX-A:%20b", "x" * 5_000,
    "%F0%9F%98%80", "%E2%80%AE", "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "{lago_id}", "9" * 400, "a.b", "*",
)  # fmt: skip
"""Parts of paths that name nothing, as they travel."""

NO_VALUES: tuple[str, ...] = (
    "", "x", "-1", "0", "99999999999999999999", "1e400", "NaN", "%20", "%FF", "%ED%A0%80", "'%20OR%201=1;--", "%7B%7B7*7%7D%7D", "x" * 3_000,
    "2026-02-30", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00%2B12:00", "[]", "%7B%7D", "[" * 3_000, "%25", "%5C", "_", "true",
)  # fmt: skip
"""Values of the query that hardly any parameter can have, as they travel."""

SECRETS_OF_THE_HOUSE = (
    "Traceback",
    "psycopg",
    "sqlalchemy",
    "site-packages",
    "/tallymark/",
    "SELECT ",
    "INSERT ",
)
"""What no refusal tells."""


def written(body: Json) -> bytes:
    """JSON of a body, with raw parts as they are."""
    raws: list[str] = []

    def mark(value: Any) -> str:
        assert isinstance(value, Raw)
        raws.append(value.text)
        return f"@raw{len(raws) - 1}@"

    found = json.dumps(body, default=mark)
    for number, raw in enumerate(raws):
        found = found.replace(f'"@raw{number}@"', raw)
    return found.encode()


Place = tuple[str | int, ...]


def follow(document: Json, schema: Json) -> Json:
    """A schema itself, whatever refers to it."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def fields(document: Json, schema: Json, depth: int = 4) -> Iterator[Place]:
    """The places of all fields of a body: names, and 0 for the first of a list."""
    schema = follow(document, schema)
    for kind in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(kind, ()):
            yield from fields(document, part, depth)
    if depth and "items" in schema:
        yield (0,)
        yield from ((0, *rest) for rest in fields(document, schema["items"], depth - 1))
    for name, part in schema.get("properties", {}).items() if depth else ():
        yield (name,)
        yield from ((name, *rest) for rest in fields(document, part, depth - 1))


def put(body: Json, place: Place, value: Json) -> Json:
    """A copy of a body with another value at a place; what is missing on the way there is made.

    >>> put({"a": 1}, ("b", 0, "c"), 2)
    {'a': 1, 'b': [{'c': 2}]}
    """
    if not place:
        return value
    first, *rest = place
    if first == 0:
        of = list(body) if isinstance(body, list) else []
        return [put(of[0] if of else None, tuple(rest), value), *of[1:]]
    fields_of = body if isinstance(body, dict) else {}
    return {**fields_of, first: put(fields_of.get(first), tuple(rest), value)}


def complaint(answer: httpx.Response) -> str | None:
    """What is wrong with an answer, as an answer (platform §1.5, §20); None of a good one and of a proper refusal."""
    if answer.status_code == 200:
        return None
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    try:
        body = answer.json()
    except ValueError:
        return f"{answer.status_code} is no JSON: {answer.text[:80]}"
    if body.get("status") != answer.status_code or not isinstance(body.get("error"), str):
        return f"{answer.status_code} of another shape: {answer.text[:80]}"
    if answer.status_code in (403, 404, 405) and not isinstance(body.get("code"), str):
        return f"{answer.status_code} without a code: {answer.text[:80]}"
    if answer.status_code == 422 and not body.get("error_details"):
        return f"422 without details: {answer.text[:80]}"
    if any(secret in answer.text for secret in SECRETS_OF_THE_HOUSE):
        return f"tells of its inside: {answer.text[:80]}"
    return None


def filled(path: str, names: dict[str, str]) -> str:
    """A path with names in the place of its parameters."""
    return re.sub(r"\{([^}]*)\}", lambda found: names[found[1]], path)


class Ledger:
    """Tells whether anything was written: how many rows each table has, and which transaction wrote the last of them."""

    # These tell of calls that change nothing, too: the clock counts them, keys when they were used, logs what was asked, the
    # agenda what follows of events that were accepted before.
    NOTED = ("agenda", "api_logs", "activity_logs", "api_keys", "guesses", "test_clocks", "procrastinate")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statement = ""

    async def read(self) -> dict[str, tuple[int, int]]:
        """By table, its rows, and the last transaction among those that wrote them."""
        async with self._database.system() as connection:
            if not self._statement:
                names = await connection.execute(
                    text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
                )
                self._statement = " UNION ALL ".join(
                    f"SELECT '{name}', count(*), coalesce(max(xmin::text::bigint), 0) FROM \"{name}\""
                    for name in names.scalars()
                    if not name.startswith(self.NOTED)
                )
            found = await connection.execute(text(self._statement))
            return {name: (count, last) for name, count, last in found}


def changed(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> list[str]:
    """The tables that were written in between."""
    return [name for name in after if after[name] != before.get(name)]
