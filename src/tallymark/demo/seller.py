"""Whoever sells in a demonstration: calls of the API, and a clock that is moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tallymark.db.errors import StartupError

OPERATOR_KEY = "demo"
BATCH = 100


class Seller:
    """Talks to the API as a product company does."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {key}"}

    async def call(
        self, method: str, path: str, body: object = None, *, query: Mapping[str, Any] | None = None
    ) -> Any:
        """One call below /api/v1; whatever is refused ends the demonstration."""
        url = f"/api/v1{path}"
        answer = await self._http.request(method, url, json=body, params=query, headers=self._headers)
        if answer.status_code != httpx.codes.OK:
            raise StartupError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json()

    async def make(self, path: str, root: str, **fields: Any) -> Any:
        """Make a record; its object as it is answered."""
        return (await self.call("POST", path, {root: fields}))[root]

    async def send(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Send events in batches."""
        for batch in batches(events):
            await self.call("POST", "/events/batch", {"events": batch})

    async def advance(self, to: datetime) -> None:
        """Move the clock; what could not be done on the way ends the demonstration."""
        body = {"test_clock": {"to": to.isoformat()}}
        errors = (await self.call("POST", "/test_clock/advance", body))["errors"]
        if errors:
            raise StartupError(f"on the way to {to}: {errors}")


async def make_organization(http: httpx.AsyncClient, name: str, email: str, start: datetime) -> Any:
    """A simulated organization whose clock stands at `start`: its API key, and the link of its first admin."""
    body = {"name": name, "email": email, "test_clock": {"frozen_time": start.isoformat()}}
    headers = {"X-Admin-API-Key": OPERATOR_KEY}
    answer = await http.post("/admin/organizations", headers=headers, json=body)
    answer.raise_for_status()
    return answer.json()


def batches(events: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Events as many at a time as one request takes."""
    for start in range(0, len(events), BATCH):
        yield events[start : start + BATCH]


def progress_on(console: Console) -> Progress:
    """A bar for each part of the work."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)
