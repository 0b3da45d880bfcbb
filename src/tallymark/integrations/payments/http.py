"""The floor under adapters that speak a vendor's JSON over HTTP: one call, and what becomes of its failures.

Numbers come and go exactly: what has a fraction is read as a `Decimal`, and a `Decimal` is written as a number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from tallymark.integrations.webhooks import trusted
from tallymark.rooms.payment_providers.ports import ProviderRefused, ProviderUnavailable

SECONDS = 40
"""How long an answer may take: vendors ask banks meanwhile."""

_LARGEST = 4_000_000

_BUSY = frozenset({408, 425, 429})
"""Refusals that speak of the moment and not of what was asked."""

_UNAUTHORIZED = frozenset({401, 403})

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)
_worded = msgspec.json.Decoder(float_hook=str)
"""Reads errors, which are told on as JSON."""


class RefusedByVendor(ProviderRefused):
    """What a vendor's API answers when it says no: a status of 400 to 499, and the words in its body."""

    def __init__(self, message: str, *, status: int, code: str | None, body: Mapping[str, Any]) -> None:
        super().__init__(message, code=code, details=body, is_unauthorized=status in _UNAUTHORIZED)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A refusal in the vendor's words."""

    message: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A vendor's API on behalf of one connection.

    `headers` say who asks, and are kept out of whatever is printed. `explain` reads an error's body; `busy` are the codes in it that
    say to come again, whatever the status.
    """

    url: str
    explain: Callable[[Mapping[str, Any]], Explained]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    busy: frozenset[str] = frozenset()

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        """The object that is answered; empty where there is none.

        `key` is sent as `Idempotency-Key`. Raises `ProviderUnavailable` when there is no answer, or one that says to come again;
        `RefusedByVendor` when it is no. `path` begins with a slash; ids in it go through `segment`.
        """
        answer = await self._ask(method, path, body, params, key, headers)
        if not isinstance(answer, dict):
            raise ProviderUnavailable(f"{method} {path}: no JSON object")
        return answer

    async def ask_for_list(
        self, path: str, *, params: Mapping[str, str] | None = None
    ) -> Sequence[Mapping[str, Any]]:
        """The objects that are answered in a list by themselves. Raises as `ask` does."""
        answer = await self._ask("GET", path, None, params, None, None)
        if not isinstance(answer, list):
            raise ProviderUnavailable(f"GET {path}: no JSON list")
        return [one for one in answer if isinstance(one, dict)]

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
        key: str | None,
        headers: Mapping[str, str] | None,
    ) -> Any:
        what = f"{method} {path}"
        try:
            async with asyncio.timeout(SECONDS):
                status, raw = await self._send(method, path, body, params, key, headers)
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            # Only what kind of error it is: its text may hold what was sent.
            raise ProviderUnavailable(f"{what}: {type(error).__name__}") from None
        if status >= 500 or status in _BUSY or 300 <= status < 400:
            raise ProviderUnavailable(f"{what}: status {status}")
        answer = _read(_decoder if status < 400 else _worded, raw)
        if status >= 400:
            told = answer if isinstance(answer, dict) else {}
            explained = self.explain(told)
            if explained.code in self.busy:
                raise ProviderUnavailable(f"{what}: {explained.message or explained.code}")
            raise RefusedByVendor(
                explained.message or f"status {status}", status=status, code=explained.code, body=told
            )
        return answer

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
        key: str | None,
        headers: Mapping[str, str] | None,
    ) -> tuple[int, bytes]:
        sent = {
            "Accept": "application/json",
            **({"Content-Type": "application/json"} if body is not None else {}),
            **({"Idempotency-Key": key} if key is not None else {}),
            **self.headers,
            **(headers or {}),
        }
        content = None if body is None else _encoder.encode(body)
        async with (
            httpx.AsyncClient(verify=trusted(), timeout=SECONDS, follow_redirects=False) as client,
            client.stream(
                method, f"{self.url.rstrip('/')}{path}", content=content, params=params, headers=sent
            ) as response,
        ):
            raw = b""
            async for chunk in response.aiter_bytes():
                raw += chunk
                if len(raw) > _LARGEST:
                    raise httpx.ReadError("the answer is too long")
            return response.status_code, raw


def segment(value: str) -> str:
    """An id as one part of a path, that leads nowhere else. Raises `ProviderRefused` for what can be none.

    >>> segment("PM/1?x")
    'PM%2F1%3Fx'
    """
    if value in ("", ".", ".."):
        raise ProviderRefused("an id is missing")
    return quote(value, safe="")


def read_json(raw: bytes) -> Any:
    """JSON as it is, numbers with a fraction exact. Raises `ValueError`.

    >>> read_json(b'{"amount": 10.10}')
    {'amount': Decimal('10.10')}
    """
    return _decoder.decode(raw)


def _read(decoder: msgspec.json.Decoder[Any], raw: bytes) -> Any:
    """What is answered; an empty object for an empty answer, None for what is no JSON."""
    if not raw.strip():
        return {}
    try:
        return decoder.decode(raw)
    except ValueError:
        return None
