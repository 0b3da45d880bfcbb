"""A server that speaks the REST API v1, as its client sees it: pages, rate limits, and answers that are worth another try."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from tallymark.db.errors import StartupError

Json = dict[str, Any]
Query = Mapping[str, str | int | list[str]]

PAGE = 100
TRIES = 6
BACK_OFF_SECONDS = (1, 2, 4, 8, 16)
"""Pauses before the tries after the first, where the server names none."""

LONGEST_PAUSE_SECONDS = 120
TIMEOUT_SECONDS = 60
LOOPBACK = ("localhost", "127.0.0.1", "::1", "testserver", "test")

Sleep = Callable[[float], Awaitable[None]]
Found = TypeVar("Found")


class ApiError(Exception):
    """The server refused a call: it would refuse it again."""

    def __init__(self, call: str, status: int, body: str) -> None:
        self.status = status
        self.body = body
        super().__init__(f"{call} answered {status}: {body[:500]}")

    @property
    def is_absence(self) -> bool:
        """Whether there is no such thing: not at all, or not in what its owner pays for. A key that may not look is none."""
        return self.status == httpx.codes.NOT_FOUND or (
            self.status == httpx.codes.FORBIDDEN and "feature_" in self.body and "available" in self.body
        )


async def together(*asked: Coroutine[Any, Any, Found]) -> list[Found]:
    """What calls answer that are under way at once, in their order; the first that fails ends the others, and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in asked]
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def path_of(*parts: str) -> str:
    """A path whose parts may hold anything.

    >>> path_of("plans", "gold/2024")
    '/plans/gold%2F2024'
    """
    return "".join(f"/{quote(part, safe='')}" for part in parts)


def base_url(url: str) -> str:
    """Where the API is, whether its prefix was named or not.

    >>> base_url("https://api.getlago.com/")
    'https://api.getlago.com/api/v1'
    >>> base_url("https://billing.example/api/v1")
    'https://billing.example/api/v1'
    """
    bare = url.rstrip("/").removesuffix("/api/v1")
    return f"{bare}/api/v1"


def open_client(url: str, api_key: str, *, allows_http: bool = False) -> httpx.AsyncClient:
    """A client of a server somewhere. Raises `StartupError` for an address that is none, or would show the key to everybody.

    Certificates are checked, and redirects are not followed: neither may hand the key to somebody else.
    """
    try:
        parsed = httpx.URL(base_url(url))
    except httpx.InvalidURL as error:
        raise StartupError(f"{url} is no address: {error}") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise StartupError(f"{url} is no address: it begins with https://")
    if parsed.scheme == "http" and parsed.host not in LOOPBACK and not allows_http:
        raise StartupError(f"{url} would send the API key unencrypted: use https, or say --allow-http")
    if not api_key.strip().isascii() or not api_key.strip().isprintable():
        raise StartupError("the API key has characters that no key has")
    headers = {"Authorization": f"Bearer {api_key.strip()}", "User-Agent": "tallymark import"}
    return httpx.AsyncClient(base_url=parsed, headers=headers, timeout=TIMEOUT_SECONDS)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, and how many there are."""

    rows: list[Json]
    number: int
    pages: int
    total: int


class LagoApi:
    """Calls of one organization's API key.

    What fails for a while (429, 5xx, a connection that breaks) is tried again, as late as the server asks for; only what may be
    done twice is: a POST that got no answer is not. At most `concurrency` calls are under way at once; a limit that one of them runs
    into is waited for by all.
    """

    def __init__(
        self, http: httpx.AsyncClient, *, sleep: Sleep = asyncio.sleep, concurrency: int = 1
    ) -> None:
        self._http = http
        self._sleep = sleep
        self._turns = asyncio.Semaphore(concurrency)
        self._pause: asyncio.Future[None] | None = None
        self.concurrency = concurrency
        self.requests = 0

    async def get(self, path: str, **query: str | int | list[str]) -> Json:
        """What is there. Raises `ApiError`, and `StartupError` where the server can't be reached."""
        return await self.call("GET", path, query=query)

    async def find(self, path: str, **query: str | int | list[str]) -> Json | None:
        """The same, None where there is nothing."""
        try:
            return await self.get(path, **query)
        except ApiError as error:
            if error.is_absence:
                return None
            raise

    async def any_of(self, path: str, root: str, **query: str | int | list[str]) -> list[Json]:
        """A list from its end, short enough to have whole; empty where the server has no such list."""
        try:
            return [row async for row in self.oldest_first(path, root, **query)]
        except ApiError as error:
            if error.is_absence:
                return []
            raise

    async def count(self, path: str, root: str, **query: str | int | list[str]) -> int:
        """How many records a list has."""
        return (await self._page(path, root, 1, 1, query)).total

    async def page(self, path: str, root: str, number: int, **query: str | int | list[str]) -> Page:
        """One page of a list."""
        return await self._page(path, root, number, PAGE, query)

    async def newest_first(self, path: str, root: str, **query: str | int | list[str]) -> AsyncIterator[Json]:
        """A list in its own order, page by page."""
        number, pages = 1, 1
        while number <= pages:
            found = await self._page(path, root, number, PAGE, query)
            pages = found.pages
            for row in found.rows:
                yield row
            number += 1

    async def oldest_first(self, path: str, root: str, **query: str | int | list[str]) -> AsyncIterator[Json]:
        """A list from its end, so that what is made of it is in the order in which it was made."""
        first = await self._page(path, root, 1, PAGE, query)
        async for found in self.pages(path, root, range(first.pages, 0, -1), first=first, **query):
            for row in reversed(found.rows):
                yield row

    async def pages(
        self, path: str, root: str, numbers: Sequence[int], *, first: Page, **query: str | int | list[str]
    ) -> AsyncIterator[Page]:
        """Pages of a list in this order, of which the first was read before; as many are asked for at once as may be."""
        for start in range(0, len(numbers), self.concurrency):
            ahead = [number for number in numbers[start : start + self.concurrency] if number > 1]
            read = await together(*(self._page(path, root, number, PAGE, query) for number in ahead))
            found = {1: first, **dict(zip(ahead, read, strict=True))}
            for number in numbers[start : start + self.concurrency]:
                yield found[number]

    async def _page(self, path: str, root: str, number: int, size: int, query: Query) -> Page:
        answer = await self.call("GET", path, query={**query, "page": number, "per_page": size})
        rows: list[Json] = answer[root]
        meta = answer.get("meta")
        if meta is None:  # a list that has no pages
            return Page(rows, 1, 1, len(rows))
        return Page(rows, number, int(meta["total_pages"]), int(meta["total_count"]))

    async def call(self, method: str, path: str, body: object = None, *, query: Query | None = None) -> Json:
        """One call below /api/v1. Raises `ApiError` for a refusal, `StartupError` where no answer is to be had."""
        told = f"{method} {path}"
        why = ""
        for attempt in range(TRIES):
            if attempt:
                await self._sleep(BACK_OFF_SECONDS[attempt - 1])
            try:
                answer = await self._request(method, path, body, query)
            except httpx.TransportError as error:
                why = f"{type(error).__name__}: {error}"
                if method == "POST" and not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
                    raise StartupError(f"{told} got no answer ({why})") from None
                continue
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                why = "too many requests"
                await self._wait_for_limit(answer)
            elif answer.is_server_error:
                why = f"{answer.status_code}"
                if method == "POST":
                    break
            elif answer.is_success:
                found: Json = answer.json() if answer.content else {}
                return found
            else:
                self._refuse(told, answer)
        raise StartupError(f"{told} could not be done ({why}); run the command again to go on from here")

    async def _request(self, method: str, path: str, body: object, query: Query | None) -> httpx.Response:
        async with self._turns:
            while self._pause is not None and not self._pause.done():
                await asyncio.shield(self._pause)
            self.requests += 1
            answer = await self._http.request(
                method, f"/{path.lstrip('/')}", json=body, params=dict(query) if query else None
            )
        if answer.is_success and answer.headers.get("x-ratelimit-remaining") == "0":
            await self._wait_for_limit(answer)
        return answer

    async def _wait_for_limit(self, answer: httpx.Response) -> None:
        """Wait as long as the server asks for: `Retry-After`, or until its window is over (platform §1.7)."""
        for name in ("retry-after", "x-ratelimit-reset"):
            told = answer.headers.get(name, "")
            if told.isdigit():
                await self._rest(min(int(told), LONGEST_PAUSE_SECONDS))
                return

    async def _rest(self, seconds: int) -> None:
        """Have no call begin for a while; where that is so already, until it is over."""
        if self._pause is None or self._pause.done():
            self._pause = asyncio.ensure_future(self._sleep(seconds))
        await asyncio.shield(self._pause)

    @staticmethod
    def _refuse(told: str, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise StartupError("the API key is not accepted")
        if answer.is_redirect:
            raise StartupError(
                f"{told} was sent elsewhere ({answer.status_code}); give the address it leads to"
            )
        raise ApiError(told, answer.status_code, answer.text)
