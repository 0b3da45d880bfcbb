"""An application that is watched, and those who look at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tallymark.app import Running
from tallymark.monitoring.watching import Watch


@dataclass
class Watched:
    """An application's two sides."""

    watch: Watch
    inside: httpx.AsyncClient
    outside: httpx.AsyncClient

    async def read(self) -> Samples:
        """What `/metrics` tells now."""
        self.watch.backlog._read_at = None
        answer = await self.inside.get("/metrics")
        assert answer.status_code == 200, answer.text
        return Samples(answer.text)


class Samples:
    """The samples of a reading."""

    def __init__(self, text: str) -> None:
        self._all = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    @property
    def names(self) -> set[str]:
        return {sample.name for sample in self._all}

    def __call__(self, name: str, **labels: str) -> float:
        """The sum of the samples that have a name and some labels; 0 where there is none."""
        return sum(
            sample.value
            for sample in self._all
            if sample.name == name and labels.items() <= sample.labels.items()
        )


@pytest.fixture
def watched_of() -> Callable[[Running], Watched]:
    def make(application: Running) -> Watched:
        watch = Watch(application)

        def client(asgi: object, url: str, headers: Mapping[str, str] = {}) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(asgi, raise_app_exceptions=False)  # type: ignore[arg-type]
            return httpx.AsyncClient(transport=transport, base_url=url, headers=headers)

        return Watched(
            watch,
            client(watch.internal_app(), "http://inside"),
            client(watch.measured(application.asgi), "http://test"),
        )

    return make


@pytest.fixture
async def watched(application: Running, watched_of: Callable[[Running], Watched]) -> AsyncIterator[Watched]:
    """The application, watched."""
    made = watched_of(application)
    yield made
    await made.inside.aclose()
    await made.outside.aclose()
