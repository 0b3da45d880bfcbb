"""People at a browser: who signs up, signs in, and calls the web app's endpoints."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from tallymark.api.sessions import SessionCookie
from tallymark.app import Running
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.users import passwords, service
from tallymark.rooms.users.model import Device, LoginMethod, User

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


@dataclass
class Person:
    """Somebody with a browser, which keeps its cookies, and the organization that they signed up with."""

    email: str
    browser: httpx.AsyncClient
    user: dict[str, Any]

    @property
    def organization_id(self) -> str:
        found: str = self.user["memberships"][0]["organization"]["lago_id"]
        return found


def browser(
    application: Running, *, agent: str = "Browser/1", address: str = "127.0.0.1"
) -> httpx.AsyncClient:
    """A browser on the web app's site; paths go below `/app/v1`."""
    transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False, client=(address, 1))
    headers = {"User-Agent": agent, "Origin": "http://test"}
    return httpx.AsyncClient(transport=transport, base_url="http://test/app/v1", headers=headers)


async def sign_up(
    application: Running, *, name: str = "Acme", email: str | None = None, **more: Any
) -> Person:
    """Somebody new with an organization of their own, signed in, whether or not the installation lets people sign up."""
    number = next(_numbers)
    address = email or f"person-{number}@acme.test"
    client = browser(application, address=f"10.0.{number // 250}.{number % 250}", **more)
    user = await make_user(application, address, name=name)
    device = Device(user_agent=client.headers["User-Agent"], ip_address="10.0.0.0")
    async with application.database.system() as connection:
        token = await service.first_log_in(
            connection, user, method=LoginMethod.EMAIL_PASSWORD, device=device, now=system_now()
        )
    state: Any = application.asgi.state  # type: ignore[attr-defined]
    client.cookies.set(SessionCookie(state.base_url).name, token, domain="test.local")
    answer = await client.get("/session")
    assert answer.status_code == 200, answer.text
    return Person(address, client, answer.json()["user"])


async def make_user(
    application: Running, email: str, *, password: str = PASSWORD, name: str = "Acme"
) -> User:
    """Somebody who signs in with a password, and has an organization of their own."""
    async with application.database.system() as connection:
        return await service.sign_up(
            connection, email=email, password_hash=_hash(password), organization_name=name, now=system_now()
        )


@cache
def _hash(password: str) -> str:
    return passwords.HASHER.hash(password)


async def sign_in(
    client: httpx.AsyncClient, email: str, password: str = PASSWORD, *, expect: int = 200
) -> Any:
    """Sign in; returns what was answered."""
    answer = await client.post("/session", json={"email": email, "password": password})
    assert answer.status_code == expect, answer.text
    return answer.json()


async def join(application: Running, organization_id: object, admin_key: str) -> Person:
    """Somebody new who is an admin of an organization that there is, and has entered it."""
    person = await sign_up(application)
    transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False)
    headers = {"X-Admin-API-Key": admin_key}
    body = {"user_id": person.user["lago_id"], "organization_id": str(organization_id)}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as operator:
        answer = await operator.post("/admin/memberships", json=body)
    assert answer.status_code == 200, answer.text
    person.browser.headers["X-Lago-Organization"] = str(organization_id)
    return person
