"""What tests of `deploy/` share: its files, the tools that `make tools` gets, and the settings that there are."""

import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest
import typer.main
import yaml
from click import Command

from tallymark.api.operations import router
from tallymark.cli import app
from tallymark.manual import describe

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".tools"

OF_OTHERS = {"PGPASSWORD", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE"}
"""Variables that libpq and PostgreSQL's image read."""


def tool(name: str) -> str:
    """The path of a tool; without it the test is skipped."""
    found = shutil.which(name, path=f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"{name} is not here: `make tools` gets it where it can be had")
    return found


def tool_file(name: str) -> dict:
    path = TOOLS / name
    if not path.exists():
        pytest.skip(f"{name} is not here: `make tools` gets it where it can be had")
    return json.loads(path.read_text())


PROBED = {getattr(route, "path", None) for route in router.routes}
"""The paths by which a process tells how it is."""


@cache
def variables() -> frozenset[str]:
    """Each variable that Tallymark reads, and how a file for it is named."""
    names = [name for setting in describe() for name in setting.variables]
    return frozenset(names) | {f"{name}_FILE" for name in names}


def unknown_variables(names) -> list[str]:
    return [name for name in names if name not in variables() and name not in OF_OTHERS]


@cache
def command_line() -> dict[str, Command]:
    return typer.main.get_command(app).commands  # type: ignore[attr-defined]


def check_command(words: list[str]) -> None:
    """Fail unless `tallymark` understands these words; nothing is run."""
    command_line()[words[0]].make_context(words[0], list(words[1:]))


def read_yaml(path: Path):
    return yaml.safe_load(path.read_text())


class Chart:
    """The Helm chart, as helm renders it."""

    PATH = ROOT / "deploy" / "helm" / "tallymark"

    def __init__(self, helm: str) -> None:
        self._helm = helm

    def run(self, command: str, *arguments: str, values: dict) -> subprocess.CompletedProcess[str]:
        line = [self._helm, command, *arguments, str(self.PATH), "--namespace", "billing", "--values", "-"]
        return subprocess.run(line, input=json.dumps(values), capture_output=True, text=True, check=False)

    def render(self, values: dict) -> list[dict]:
        done = self.run("template", "acme", values=values)
        assert done.returncode == 0, done.stderr
        return [one for one in yaml.safe_load_all(done.stdout) if one]

    def refusal(self, values: dict) -> str:
        done = self.run("template", "acme", values=values)
        assert done.returncode != 0, "it was rendered"
        return done.stderr


@pytest.fixture(scope="session")
def chart() -> Chart:
    return Chart(tool("helm"))
