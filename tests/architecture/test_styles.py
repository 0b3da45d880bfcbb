"""The style sheets of pages come with the pages and stay: none of them may reach what is not of its page."""

from __future__ import annotations

import re
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "web" / "src"


def selectors(sheet: Path) -> list[str]:
    """The selectors of a style sheet, one by one."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    heads = re.findall(r"([^{}]+)\{", text)
    return [one.strip() for head in heads if "@" not in head for one in re.split(r",(?![^(]*\))", head)]


def test_pages_give_no_other_meaning_to_a_class_of_the_kit():
    """`.info` of a page once laid out every banner of that look; `.two` every table with rows of two lines."""
    kit = {
        name
        for sheet in (*SOURCES.glob("styles/*.css"), *SOURCES.glob("ui/*.css"))
        for selector in selectors(sheet)
        for name in re.findall(r"\.([a-z][\w-]*)", selector)
    }
    kit |= {
        word
        for part in SOURCES.glob("ui/*.tsx")
        for words in re.findall(r'"([a-z][a-z -]*)"', part.read_text())
        for word in words.split()
    }
    bare = re.compile(r"\.([a-z][\w-]*)(::?[\w-]+(\([^.)]*\))?)*")
    sheets = (*SOURCES.glob("pages/**/*.css"), *SOURCES.glob("app/*.css"))
    assert sheets
    taken = [
        f"{sheet.name}: {selector}"
        for sheet in sheets
        for selector in selectors(sheet)
        if (found := bare.fullmatch(selector)) and found[1] in kit
    ]
    assert taken == []
