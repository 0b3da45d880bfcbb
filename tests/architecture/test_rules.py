"""The pages of docs/rules name tests that exist (docs/rules/README.md)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs" / "rules").glob("*.md"))
NAMED = re.compile(r"`([\w/]+\.py)((?:::\w+)+)`")


def named_tests() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for path, name in NAMED.findall(page.read_text()):
            yield path, name.removeprefix("::")


def names_in(path: Path) -> set[str]:
    """The tests of a file, those of classes as `Class::test`."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{part.name}" for part in node.body if hasattr(part, "name")}
    return found


def test_some_are_named() -> None:
    assert len(set(named_tests())) > 50


@pytest.mark.parametrize("path", sorted({path for path, _ in named_tests()}))
def test_every_name_is_a_test(path: str) -> None:
    file = ROOT / "tests" / path
    assert file.exists(), f"{path} is named in docs/rules"
    expected = {name for named_path, name in named_tests() if named_path == path}
    assert expected <= names_in(file), f"{path} lacks {expected - names_in(file)}"
