"""A CSV file as spreadsheets read it: RFC 4180, UTF-8, and no cell that would be carried out as a formula."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""By which spreadsheets know a formula, or what they make one of."""

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def cell(shown: Any) -> str:
    """A value of the API's JSON as a cell: null is empty, objects and lists are JSON.

    >>> cell(None), cell(True), cell(-12), cell({"region": "eu"}), cell("=1+1"), cell("-1.50")
    ('', 'true', '-12', '{"region":"eu"}', "'=1+1", '-1.50')
    """
    if shown is None:
        return ""
    if isinstance(shown, bool):
        return "true" if shown else "false"
    if isinstance(shown, str):
        return defuse(shown)
    if isinstance(shown, dict | list):
        return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    return str(shown)


def defuse(text: str) -> str:
    """A text that no spreadsheet carries out: an apostrophe in front of it makes a formula a text; numbers stay numbers.

    >>> defuse("@SUM(A1)"), defuse("-2"), defuse("+49 30 1"), defuse("Acme")
    ("'@SUM(A1)", '-2', "'+49 30 1", 'Acme')
    """
    if text.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


class Sheet:
    """A file that is written row by row, its header first."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._file = path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, lineterminator="\r\n")
        self._writer.writerow(header)

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows of values as the API shows them."""
        self._writer.writerows([cell(one) for one in row] for row in rows)

    def __enter__(self) -> Sheet:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()
