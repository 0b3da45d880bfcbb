"""Open both sides of a move: a client of the server elsewhere, and the organization here in a process of our own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx

from tallymark.app import Running, running
from tallymark.db.engine import plain_url
from tallymark.db.errors import StartupError
from tallymark.domain.errors import NotFound
from tallymark.integrations.lago import LagoApi, base_url
from tallymark.jobs.deeds import AT_THE_SHELL, Deed, Verb, note_last
from tallymark.moving.sides import Source, Target
from tallymark.rooms.organizations import census, service
from tallymark.rooms.organizations.model import Entry
from tallymark.settings import Settings

KEY_LIVES = timedelta(days=1)
"""How long the key of a run that was killed lasts."""

TIMEOUT_SECONDS = 300


@asynccontextmanager
async def open_source(client: httpx.AsyncClient, *, concurrency: int = 1) -> AsyncIterator[Source]:
    """The organization that a client's key is of, asked for so many things at once."""
    async with client:
        yield Source(api=LagoApi(client, concurrency=concurrency), name=str(client.base_url).rstrip("/"))


@asynccontextmanager
async def open_target(
    settings: Settings, url: str, organization: str, *, doing: Verb
) -> AsyncIterator[Target]:
    """An organization here, by slug or id. Raises `StartupError` for an unknown one.

    It is written to over its own API, in this process, with a key that is gone in the end; the audit of staff says what for.
    """
    own = settings.model_copy(update={"rate_limit_per_minute": 0})
    async with running(own, plain_url(url)) as parts:
        async with parts.database.system() as connection:
            try:
                entry = await census.find_entry(connection, organization)
            except NotFound:
                raise StartupError(f"there is no organization {organization}") from None
        async with _key(parts, entry, doing) as key, _client(parts, own, key) as http:
            yield Target(
                api=LagoApi(http),
                database=parts.database,
                organization_id=entry.id,
                is_simulated=entry.frozen_time is not None,
            )


@asynccontextmanager
async def _key(parts: Running, entry: Entry, doing: Verb) -> AsyncIterator[str]:
    now = datetime.now(UTC)
    async with parts.database.tenant(entry.id) as tx:
        made, value = await service.create_api_key(
            tx, name="tallymark import", now=now, expires_at=now + KEY_LIVES
        )
        deed = Deed(
            verb=doing,
            subject_type="organization",
            subject_id=str(entry.id),
            subject=entry.name,
            organization_id=entry.id,
        )
        await note_last(tx, AT_THE_SHELL, deed, now=now)
    try:
        yield value
    finally:
        async with parts.database.tenant(entry.id) as tx:
            await service.delete_api_key(tx, made.id, now=datetime.now(UTC))


@asynccontextmanager
async def _client(parts: Running, settings: Settings, key: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(parts.asgi)
    headers = {"Authorization": f"Bearer {key}", "User-Agent": "tallymark import"}
    async with httpx.AsyncClient(
        transport=transport, base_url=base_url(settings.base_url), headers=headers, timeout=TIMEOUT_SECONDS
    ) as http:
        yield http
