"""Calls that nobody would think of, made by Schemathesis from an OpenAPI document, and answers held against it."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from zlib import crc32

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckFunction, GenerationMode, Response
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.openapi.checks import JsonSchemaError
from tests.contract.world import Json, Known

load_all_checks()

SERVER_ERRORS = "not_a_server_error"
STATUSES = "status_code_conformance"
CONTENT_TYPES = "content_type_conformance"
SCHEMAS = "response_schema_conformance"

NULL = "null"
"""The kind of fault that a null is where a document has none."""

BOLDNESS = (0.0, 0.03, 0.1, 0.3)
"""How much of a body that was taken once is replaced by what is made up."""

OWN_NAMES = ("code", "external_id", "transaction_id", "reference", "name")
"""What no two records of a kind may share, among other things."""

LONGEST_ADDRESS = 60_000
"""Of characters; what is much longer is no request to the HTTP server, which refuses it by itself, in its own words."""

MODES = (GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


def operations_of(document: Json) -> list[tuple[Any, st.SearchStrategy[Case]]]:
    """Every operation of a document with what draws its calls; those that delete come last.

    Made once for all rounds: it takes a fifth of what drawing a round's calls does, and what is drawn depends on numbers only.
    """
    schema = schemathesis.openapi.from_dict(document)
    found: list[Any] = [operation.ok() for operation in schema.get_all_operations()]  # type: ignore[union-attr]
    return [
        (operation, st.one_of([operation.as_strategy(generation_mode=mode) for mode in MODES]))
        for operation in sorted(found, key=lambda one: one.method == "delete")
    ]


def check(name: str) -> CheckFunction:
    """One of Schemathesis's checks."""
    found: Any = CHECKS.get_one(name)
    return found


def grafted(taken: Json, made: Json, chance: Random, boldness: float) -> Json:
    """A body that was taken once, with parts of one that was made up: the bolder, the more of them."""
    if isinstance(taken, dict):
        of = made if isinstance(made, dict) else {}
        body = {
            key: grafted(part, of.get(key, part), chance, boldness)
            for key, part in taken.items()
            if chance.random() > boldness / 5
        }
        extra = [key for key in of if key not in taken and chance.random() < boldness]
        return {**body, **{key: of[key] for key in extra}}
    if isinstance(taken, list) and chance.random() > boldness:
        ours = made if isinstance(made, list) and made else taken
        return [grafted(part, chance.choice(ours), chance, boldness) for part in taken]
    return made if chance.random() < boldness else taken


def renamed(body: Json, chance: Random, depth: int = 0) -> Json:
    """A body whose record mostly has names that no other has."""
    if not isinstance(body, dict) or depth > 1:
        return body
    return {
        key: f"{part[:20]}{chance.getrandbits(32)}"
        if key in OWN_NAMES and isinstance(part, str) and chance.random() < 0.7
        else renamed(part, chance, depth + 1)
        for key, part in body.items()
    }


def pointed(body: Json, known: Known, chance: Random, name: str = "") -> Json:
    """A body some of whose ids and codes are those of records that there are."""
    if isinstance(body, dict):
        return {key: pointed(part, known, chance, key) for key, part in body.items()}
    if isinstance(body, list):
        return [pointed(part, known, chance, name) for part in body]
    if isinstance(body, str) and chance.random() < 0.3:
        return known.for_field(name, chance) or body
    return body


def kept_near(path: str, body: Json) -> None:
    """A clock that is moved goes on by some days: centuries of bills are no matter of input."""
    clock = body.get("test_clock") if isinstance(body, dict) else None
    if not isinstance(clock, dict) or not path.endswith("/test_clock/advance"):
        return
    if re.match(r"\d{4}", str(clock.get("to"))):
        clock["to"] = "2026-03-05T00:00:00Z"


@dataclass
class Fuzz:
    """One document tried on one server, by callers of their own."""

    operations: Sequence[tuple[Any, st.SearchStrategy[Case]]]
    """As `operations_of` makes them."""
    base_url: str
    known: Known
    caller_of: Callable[[str], requests.Session]
    """Who calls at a path."""
    checks: tuple[str, ...]
    secret: str
    """What no answer may hold."""
    passed_over: frozenset[str] = frozenset()
    """Operations that would end the callers' sessions."""
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    faults: dict[tuple[str, ...], str] = field(default_factory=dict)
    """What is wrong with answers, once for each operation and kind of fault, with a call that shows it."""

    def run(self, *, number: int, examples: int, until: float | None = None) -> None:
        """Try every operation with so many examples, or as many operations as until then."""
        for operation, cases in self.operations:
            if until is not None and time.monotonic() > until:
                return
            if operation.label not in self.passed_over:
                # By its name, so that one operation more changes nothing of what the others are sent.
                drawn = crc32(f"{number} {operation.label}".encode())
                self._try(cases, number=drawn, examples=examples)

    def _try(self, cases: st.SearchStrategy[Case], *, number: int, examples: int) -> None:
        # The second argument is drawn as one number: what is known changes from call to call, and what is drawn must not.
        @seed(number)
        @settings(
            max_examples=examples,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases, drawn=st.integers(0, 2**32))
        def one(case: Case, drawn: int) -> None:
            self._send(case, Random(drawn))

        one()

    def _send(self, case: Case, chance: Random) -> None:
        self._aim(case, chance)
        caller = self.caller_of(case.path)
        try:
            response = case.call(base_url=self.base_url, session=caller, timeout=60)
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, UnicodeError):
            return  # Nothing that could be sent.
        except requests.RequestException as error:
            self.faults[case.operation.label, "no answer"] = f"{error!r}\n{case.as_curl_command()}"
            return
        if len(response.request.url or "") > LONGEST_ADDRESS:
            return
        self.statuses[response.status_code] += 1
        if response.status_code == 200:
            self.accepted[case.operation.label] += 1
            if response.headers.get("content-type", [""])[0].startswith("application/json"):
                self.known.learn(response.json())
        if self.secret in response.text:
            self._note(case, response, "tells of another organization", "")
        try:
            case.validate_response(response, checks=[check(name) for name in self.checks])
        except FailureGroup as group:
            for failure in group.exceptions:
                assert isinstance(failure, Failure)
                self._note(case, response, *described(failure))

    def _aim(self, case: Case, chance: Random) -> None:
        """Have a case name what there is, more often than chance would."""
        for name in case.path_parameters:
            if chance.random() < 0.8:
                case.path_parameters[name] = (
                    self.known.for_path(case.path, name, chance) or case.path_parameters[name]
                )
        taken = self.known.taken(case.method, case.path)
        if taken and chance.random() < 0.7:
            case.body = grafted(chance.choice(taken), case.body, chance, chance.choice(BOLDNESS))
            case.media_type = "application/json"
        if case.media_type == "application/json":
            if case.method.upper() == "POST":
                case.body = renamed(case.body, chance)
            case.body = pointed(case.body, self.known, chance)
            kept_near(case.path, case.body)
        for name, value in dict(case.query).items():
            if isinstance(value, str) and chance.random() < 0.6:
                case.query[name] = self.known.for_field(name, chance) or value

    def _note(self, case: Case, response: Response, kind: str, place: str) -> None:
        what = (case.operation.label, str(response.status_code), kind, place)
        if what not in self.faults:
            self.faults[what] = f"{response.text[:400]}\n{case.as_curl_command()[:2000]}"


def described(failure: Failure) -> tuple[str, str]:
    """The kind of a failure, and its place in the answer: `invoices.[].fees`."""
    if not isinstance(failure, JsonSchemaError):
        return type(failure).__name__, failure.message[:200]
    place = ".".join("[]" if isinstance(part, int) else str(part) for part in failure.instance_path)
    rule = str(failure.schema_path[-1]) if failure.schema_path else ""
    lacking = re.match(r'"(\w+)" is a required property', failure.message)
    if failure.instance is None:
        return NULL, place
    return f"{rule} {lacking[1]}" if lacking else rule, place
