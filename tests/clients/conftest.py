"""A server of its own process, and an organization on it, for clients that speak HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from tests.cli.conftest import Server, folder, short_folder, start, starting

__all__ = ["folder", "start"]

ADMIN_KEY = "admin-key"


@dataclass
class Live:
    """A running server and a simulated organization's key."""

    url: str
    api_key: str


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all clients: each test has an organization of its own on it."""
    with short_folder() as made, starting(made) as up:
        yield up(TALLYMARK_ADMIN_API_KEY=ADMIN_KEY)


@pytest.fixture
def live(server: Server) -> Live:
    """A new organization on the server."""
    body = {"name": "Acme", "email": "a@acme.test", "test_clock": {"frozen_time": "2026-01-10T00:00:00Z"}}
    headers = {"X-Admin-API-Key": ADMIN_KEY}
    made = httpx.post(f"{server.url}/admin/organizations", json=body, headers=headers)
    return Live(server.url, made.json()["api_key"])
