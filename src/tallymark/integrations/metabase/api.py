"""Metabase's REST API, as far as it is spoken here: what is asked, what is sent, and who asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from tallymark.db.errors import StartupError
from tallymark.integrations.lago import LOOPBACK

Json = dict[str, Any]

TIMEOUT_SECONDS = 120
"""A new connection is tried by Metabase before it answers."""

PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of Metabase whose group is Administrators."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An administrator's e-mail address and password, for whom a session is opened and closed again."""

    email: str
    password: str


def open_client(url: str, *, allows_http: bool = False) -> httpx.Client:
    """A client of a Metabase. Raises `StartupError` for an address that is none, or would show the key to everybody on the way."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise StartupError(f"{url} is no address: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise StartupError(f"{url} is no address: name Metabase as https://metabase.example.com")
    if parsed.scheme == "http" and parsed.host not in LOOPBACK and not allows_http:
        raise StartupError(f"{url} is not encrypted: use https, or --allow-http in a network of your own")
    return httpx.Client(
        base_url=url.rstrip("/"), timeout=TIMEOUT_SECONDS, headers={"User-Agent": "tallymark"}
    )


class Metabase:
    """The few calls; each raises `StartupError` with what Metabase says where it refuses, or does not answer."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    @contextmanager
    def signed_in(self, who: ApiKey | Login) -> Iterator[Metabase]:
        """Be somebody: by a key, or by a session that ends with the block."""
        if isinstance(who, ApiKey):
            self._client.headers["X-API-Key"] = who.value
            yield self
            return
        session = self.call("POST", "/api/session", {"username": who.email, "password": who.password})
        self._client.headers["X-Metabase-Session"] = session["id"]
        try:
            yield self
        finally:
            with suppress(StartupError):  # what went wrong before is what is told
                self.call("DELETE", "/api/session")

    def list_databases(self) -> list[Json]:
        """Every connection."""
        found = self.call("GET", "/api/database")
        databases: list[Json] = found["data"]
        return databases

    def list_collections(self) -> list[Json]:
        """Every collection that is not in the trash."""
        found: list[Json] = self.call("GET", "/api/collection")
        return found

    def list_items(self, collection_id: int, model: str) -> list[Json]:
        """Cards or dashboards of a collection that are not in the trash, page by page."""
        found: list[Json] = []
        while True:
            query = {"models": model, "limit": PAGE, "offset": len(found)}
            page = self.call("GET", f"/api/collection/{collection_id}/items", query=query)
            found += page["data"]
            if not page["data"] or len(found) >= page["total"]:
                return found

    def call(self, method: str, path: str, body: Json | None = None, *, query: Json | None = None) -> Any:
        """One call. Raises `StartupError`."""
        try:
            answer = self._client.request(method, path, json=body, params=query)
        except httpx.HTTPError as error:
            raise StartupError(f"Metabase does not answer at {self._client.base_url}: {error}") from None
        if answer.is_error:
            raise StartupError(
                f"Metabase answered {answer.status_code} to {method} {path}: {answer.text[:500]}"
            )
        if answer.status_code == httpx.codes.NO_CONTENT or not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise StartupError(
                f"{self._client.base_url} is no Metabase: {method} {path} answered no JSON"
            ) from None
