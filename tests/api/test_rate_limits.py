"""How often a caller may call (platform §1.7)."""

from __future__ import annotations

import httpx
import pytest
from tests.conftest import ADMIN_KEY
from tests.people import browser, sign_up

from tallymark.api import limits
from tallymark.api.limits import RateLimit
from tallymark.app import running
from tallymark.settings import Settings


class Clock:
    """Shows what it is set to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def call(clock):
    """Call an application that answers 204 to whoever is let through; "token" or an address says who calls."""

    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    limited = RateLimit(application, per_minute=3, cookie="session", clock=clock)

    async def one(path="/api/v1/customers", *, address="10.0.0.1", **headers):
        transport = httpx.ASGITransport(limited, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            return await client.get(path)

    return one


def told(answer):
    """The status, and what was told of limit, rest and end of the window."""
    return answer.status_code, *(
        answer.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")
    )


class TestAWindow:
    async def test_has_so_many_calls_and_ends_a_minute_after_the_first(self, call, clock):
        key = {"authorization": "Bearer k"}
        assert told(await call(**key)) == (204, "3", "2", "60")
        clock.now += 10.5
        assert told(await call(**key)) == (204, "3", "1", "50")
        assert told(await call(**key)) == (204, "3", "0", "50")
        refused = await call(**key)
        assert told(refused) == (429, "3", "0", "50")
        assert refused.json() == {"status": 429, "error": "Too Many Requests", "code": "too_many_requests"}
        clock.now += 49.4
        assert told(await call(**key)) == (429, "3", "0", "1")
        clock.now += 0.1
        assert told(await call(**key)) == (204, "3", "2", "60")

    async def test_is_of_a_key_a_session_or_an_address(self, call):
        callers = (
            {"authorization": "Bearer a"},
            {"authorization": "Bearer b"},
            {"cookie": "session=a"},
            {"cookie": "session=b; other=1"},
            {"cookie": "other=1"},
            {"address": "10.0.0.2"},
        )
        for caller in callers:
            assert told(await call(**caller))[2] == "2", caller
        for same in ({"authorization": "Token a"}, {"authorization": "Bearer a", "address": "10.0.0.9"}):
            await call(**same)
        assert told(await call(authorization="Bearer a"))[0] == 429
        assert told(await call(cookie="other=1", authorization="Bearer"))[2] == "1", "no key is an address"

    async def test_of_the_oldest_is_forgotten_where_there_are_too_many(self, call, monkeypatch):
        monkeypatch.setattr(limits, "MOST_CALLERS", 2)
        for key in "aab":
            await call(authorization=f"Bearer {key}")
        await call(authorization="Bearer c")
        assert told(await call(authorization="Bearer b"))[2] == "1"
        assert told(await call(authorization="Bearer a"))[2] == "2"

    async def test_is_of_the_apis_alone(self, call):
        for _ in range(5):
            answer = await call("/health")
            assert (answer.status_code, "x-ratelimit-limit" in answer.headers) == (204, False)
        assert told(await call("/app/v1/session"))[2] == "2"


@pytest.fixture
async def limited(database_url, tmp_path):
    options = Settings(
        admin_api_key=ADMIN_KEY, public_url="http://test", data_dir=tmp_path, rate_limit_per_minute=6
    )
    async with running(options, database_url) as parts:
        yield parts


class TestTheApi:
    async def test_tells_its_limit_on_every_answer(self, limited):
        transport = httpx.ASGITransport(limited.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            made = await client.post(
                "/admin/organizations", json={"name": "A"}, headers={"X-Admin-API-Key": ADMIN_KEY}
            )
            client.headers["Authorization"] = f"Bearer {made.json()['api_key']}"
            event = {"event": {"transaction_id": "t", "code": "c", "external_subscription_id": "s"}}
            answers = [
                await client.get("/api/v1/customers"),
                await client.post("/api/v1/events", json=event),
                await client.post("/api/v1/events", json={}),
                await client.post("/api/v1/customers", json={"customer": {"currency": "x"}}),
                await client.get("/api/v1/customers/nobody"),
                await client.get("/api/v1/nowhere"),
                await client.post("/api/v1/events", json=event),
                await client.get("/api/v1/customers"),
            ]
        assert [(answer.status_code, answer.headers["x-ratelimit-remaining"]) for answer in answers] == [
            (200, "5"), (200, "4"), (400, "3"), (422, "2"), (404, "1"), (404, "0"), (429, "0"), (429, "0"),
        ]  # fmt: skip
        assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"6"}
        assert all(0 < int(answer.headers["x-ratelimit-reset"]) <= 60 for answer in answers)

    async def test_counts_people_by_their_session(self, limited):
        person = await sign_up(limited)
        for left in range(4, -1, -1):  # the session has been read once
            answer = await person.browser.get("/session")
            assert answer.headers["x-ratelimit-remaining"] == str(left)
        assert (await person.browser.get("/session")).status_code == 429
        async with browser(limited, address="10.7.0.1") as other:
            answer = await other.post("/session", json={"email": person.email, "password": "wrong"})
            assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (422, "5")

    async def test_without_a_limit_tells_none(self, client):
        answer = await client.get("/customers")
        assert not [name for name in answer.headers if name.startswith("x-ratelimit")]

    async def test_that_refuses_a_guesser_tells_of_that(self, database_url, tmp_path):
        options = Settings(public_url="http://test", data_dir=tmp_path, rate_limit_per_minute=100)
        async with running(options, database_url) as parts, browser(parts, address="10.7.0.2") as client:
            for _ in range(11):
                answer = await client.post("/session", json={"email": "g@acme.test", "password": "x"})
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
        assert answer.headers["x-ratelimit-limit"] == "10"
