"""E-mails where the reader's programs are dark: every colour of the sheet has one for the night, and the tenant's can be read."""

from __future__ import annotations

import re

import pytest

from tallymark.integrations.emails.colors import NIGHT, accent_of, contrast
from tallymark.integrations.emails.composer import LOGO, render, write_html
from tallymark.integrations.emails.content import Content, Row
from tallymark.integrations.emails.notices import Notice

NIGHT_SHEET = "#1b1f25"
FOR_THE_NIGHT = {
    "color": {"ink", "muted", "accent"},
    "background": {"page", "paper", "button"},
    "border-top": {"paper", "rule", "hair"},
}
"""The classes of night.j2 that give a property of an element another value."""

EMAIL = Content(
    language="en", subject="s", issuer="Hooli", title="Invoice", number="HOO-1", headline="Due", amount="€1.00", intro="Attached.",
    facts=(("Issued", "today"),), rows=(Row(name="A", amount="€1.00", note="n"), Row(name="B", amount="€1.00", url="https://a.test"),
    Row(name="Total", amount="€1.00", is_final=True)), button=("Open", "https://a.test"), closing="Bye", issuer_lines=("Hooli", "Berlin"),
    powered_by="Tallymark", accent="#0b5c6b",
)  # fmt: skip
NOTICE = Notice(subject="s", paragraphs=("p",), button=("Open", "https://a.test"), closing="Bye")

PAGES = {
    "document": write_html(EMAIL, logo=LOGO),
    "notice": render("notice.html.j2", NOTICE, accent=accent_of("#0b5c6b")),
}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
class TestPages:
    def test_say_that_they_know_both_themes(self, page):
        assert '<meta name="color-scheme" content="light dark">' in page
        assert '<meta name="supported-color-schemes" content="light dark">' in page

    def test_have_another_colour_by_night_for_each_that_they_have(self, page):
        """What a button says is the button's; everything else carries a class of its own."""
        for tag in re.findall(r"<(?!a href)\w+[^>]*style=\"[^>]*>", page):
            style = re.search(r'style="([^"]*)"', tag)
            marks = re.search(r'class="([^"]*)"', tag)
            assert style is not None
            names = set(marks[1].split()) if marks else set()
            for one in filter(None, style[1].split(";")):
                wanted = FOR_THE_NIGHT.get(one.partition(":")[0].strip())
                assert wanted is None or wanted & names, f"{one} in {tag}"

    def test_have_the_same_rules_for_programs_that_ask_and_for_outlook(self, page):
        asked, marked = page.split("<style>")[2:4]
        assert "@media (prefers-color-scheme:dark)" in asked
        rules = r"(\.\w+(?: a)?) (\{[^}]*\})"
        assert re.findall(rules, asked) == re.findall(rules, marked) != []
        for line in re.findall(r"^.*\.\w+(?: a)? \{.*$", marked, re.MULTILINE):
            of_text = "{ color:" in line
            assert line.startswith("[data-ogsc] " if of_text else "[data-ogsb] "), line
        assert f".paper {{ background:{NIGHT_SHEET} !important" in asked


def test_a_logo_lies_on_white_whatever_the_sheet_is():
    assert '<span class="plate" style="display:inline-block"><img src="cid:logo"' in PAGES["document"]
    assert PAGES["document"].count(".plate { background:#ffffff !important") == 2


@pytest.mark.parametrize(
    "color",
    ["#0b5c6b", "#ffd400", "#00ff88", "#7c1fa0", "#000000", "#ffffff", "#808080", "#ff0000", "#000080"],
)
def test_a_tenants_colour_can_be_read_by_day_and_by_night(color):
    """4.5:1, as WCAG asks for: on the sheet, and what a button says on it."""
    assert NIGHT == (0x1B, 0x1F, 0x25)
    accent = accent_of(color)
    assert contrast(accent.day, "#ffffff") >= 4.5
    assert contrast(accent.night, NIGHT_SHEET) >= 4.5
    assert contrast(accent.on_night, accent.night) >= 4.5
