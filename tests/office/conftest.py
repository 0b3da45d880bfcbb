"""The internal listener of an application, and who calls there from where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from tallymark.app import Running
from tallymark.db.engine import Database
from tallymark.db.tables import staff_deeds
from tallymark.monitoring.watching import Watch
from tallymark.office.making import make_office
from tallymark.settings import Settings

ANN = "ann@acme.test"
HOST = "office.cat-dog.ts.net"
"""As a tailnet names the machine."""

Client = Callable[..., httpx.AsyncClient]


@pytest.fixture(scope="module")
async def internal(application: Running) -> Any:
    """What the internal listener answers."""
    options = Settings(staff=f"{ANN}, *@ops.test", public_url="http://test", internal_port=8788)
    return Watch(application).internal_app([await make_office(options, application.database)])


@pytest.fixture
async def caller(internal: Any) -> AsyncIterator[Client]:
    """Make clients: `caller(peer="10.0.0.7", host="localhost", headers=[...])`."""
    made = []

    def make(*, peer: str = "127.0.0.1", host: str = HOST, headers: Any = ()) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(internal, client=(peer, 1))
        client = httpx.AsyncClient(
            transport=transport, base_url=f"http://{host}/office", headers=list(headers)
        )
        made.append(client)
        return client

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture
def ann(caller: Client) -> httpx.AsyncClient:
    """Staff, as `tailscale serve` brings them."""
    return caller(headers=[("Tailscale-User-Login", ANN), ("X-Forwarded-For", "100.64.0.7")])


async def act(
    client: httpx.AsyncClient, view: str, name: str, *pks: object, reason: str = "A ticket", **fields: str
) -> httpx.Response:
    """Do something to rows of a view, as its pages do; `fields` are those of its form beside the reason."""
    if "starlette_admin_csrftoken" not in client.cookies:
        await client.get("/login")
    headers = {"X-CSRFToken": client.cookies["starlette_admin_csrftoken"]}
    is_many = name.endswith("all") or "_all_" in name
    path = f"/_api/{view}/action" if is_many else f"/_api/{view}/row-action"
    query: dict[str, Any] = {"name": name, "pks" if is_many else "pk": [str(pk) for pk in pks]}
    return await client.post(path, params=query, data={"reason": reason, **fields}, headers=headers)


async def deeds(database: Database, **wanted: object) -> list[Any]:
    """What was noted, the oldest first."""
    statement = select(staff_deeds).filter_by(**wanted).order_by(staff_deeds.c.id)
    async with database.system() as connection:
        return list(await connection.execute(statement))
