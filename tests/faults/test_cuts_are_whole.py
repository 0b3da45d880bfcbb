"""Every use case that writes money or documents has a test with power cuts, and stands on the page that lists them."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest
from tests.faults.use_cases import DOORS, FAST_LANE

from tallymark.jobs import queue
from tallymark.jobs.agenda import Kind

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "rules" / "power-cuts.md"
ROW = re.compile(r"^\| [^|]+ \| ([^|]+) \| `(faults/\w+\.py::\w+::\w+)` \|$", re.MULTILINE)

NO_MONEY = {
    "tells, and writes nothing": (
        r"POST /billable_metrics/evaluate_expression", r"POST /events/(batch_)?estimate\w*", r"POST /invoices/preview",
        r"POST /credit_notes/estimate",
    ),
    "is a provider's, or refused where there is none": (
        r"POST /\w+/{lago_id}/payment_url", r"POST /customers/{external_id}/checkout_url",
        r"\w+ /customers/{external_id}/payment_methods/.+", r"POST /invoices/{lago_id}/retry",
    ),
    "is of the catalogue, and counts once something is sold": (
        r"\w+ /add_ons.*", r"\w+ /pricing_units.*", r"\w+ /features.*", r"\w+ /(plans|subscriptions)/.+/entitlements.*",
        r"POST /billing_entities",
    ),
    "is words on what is there": (
        r"\w+ /.+/metadata(/{key})?", r"\w+ /invoice_custom_sections.*", r"\w+ /webhook_endpoints.*",
    ),
    "has a job queued that is cut itself, or sends a letter": (
        r"POST /\w+/{lago_id}/download(_pdf|_xml)?", r"POST /\w+/{lago_id}/resend_email", r"POST /data_exports",
    ),
    "notes again what is noted": (r"POST /events/replay",),
}  # fmt: skip

LETTERS = {
    queue.SEND_EMAIL, queue.SEND_PASSWORD_RESET, queue.SEND_NOTICE, queue.SEND_SIGN_UP, queue.BRING_EXPORT, queue.EXPORT_DATA,
}  # fmt: skip
"""Jobs that bring somebody what is there."""

JOBS = {value for name, value in vars(queue).items() if name.isupper() and isinstance(value, str)}


def cut_tests() -> dict[str, set[str | Kind]]:
    """The tests with power cuts by their names on the page, and what each of them cuts."""
    found = {}
    for path in sorted(FOLDER.glob("test_cuts_of_*.py")):
        module = importlib.import_module(f"tests.faults.{path.stem}")
        for group, cases in inspect.getmembers(module, inspect.isclass):
            for name, test in inspect.getmembers(cases, inspect.isfunction):
                for mark in getattr(test, "pytestmark", ()):
                    if mark.name == "cuts":
                        found[f"faults/{path.name}::{group}::{name}"] = set(mark.args)
    return found


CUT = set().union(*cut_tests().values())


def is_without_money(route: str) -> bool:
    return any(re.fullmatch(pattern, route) for patterns in NO_MONEY.values() for pattern in patterns)


class TestEvery:
    def test_route_that_writes_money_is_cut(self):
        by_endpoint: dict[object, set[str]] = {}
        for door in DOORS:
            by_endpoint.setdefault(door.endpoint, set()).add(door.name)
        missing = [
            names
            for names in by_endpoint.values()
            if not names & CUT and not all(map(is_without_money, names))
        ]
        assert missing == [], "neither cut nor told to be without money"
        assert [
            route for names in by_endpoint.values() for route in names & CUT if is_without_money(route)
        ] == []

    def test_reason_is_needed(self):
        names = [door.name for door in DOORS]
        unused = [
            p
            for patterns in NO_MONEY.values()
            for p in patterns
            if not any(re.fullmatch(p, name) for name in names)
        ]
        assert unused == []

    def test_kind_of_due_work_is_cut(self):
        assert set(Kind) == {what for what in CUT if isinstance(what, Kind)}

    def test_job_of_the_queue_is_cut(self):
        assert JOBS - CUT == LETTERS

    def test_mark_names_something(self):
        known = {door.name for door in DOORS} | set(FAST_LANE) | set(Kind) | JOBS
        assert known >= CUT

    @pytest.mark.parametrize("name", cut_tests())
    def test_test_stands_on_the_page_with_what_it_cuts(self, name):
        rows = {test: set(re.findall(r"`([^`]+)`", what)) for what, test in ROW.findall(PAGE.read_text())}
        assert rows.get(name) == {what.name if isinstance(what, Kind) else what for what in cut_tests()[name]}
