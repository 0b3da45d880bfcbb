"""A server of its own process, and an organization on it, for clients that speak HTTP."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest
from tests.cli.conftest import COMMAND, environment, folder, start

__all__ = ["folder", "start"]


@dataclass
class Live:
    """A running server and a simulated organization's key."""

    url: str
    api_key: str


@pytest.fixture
def live(start: Any) -> Live:
    server = start()
    command = [str(COMMAND), "orgs", "create", "--name", "Acme", "--email", "a@acme.test", "--json"]
    command += ["--test-clock", "2026-01-10T00:00:00Z", "--data-dir", str(server.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
    return Live(server.url, json.loads(done.stdout)["api_key"])
