"""How Stripe is asked: over one pool of connections, for a time that is bounded, and in one version of its API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import httpx
import stripe

from tallymark.integrations.webhooks import trusted
from tallymark.rooms.payment_providers.model import Connection
from tallymark.rooms.payment_providers.ports import ProviderRefused, ProviderUnavailable

API_VERSION = "2026-08-26.dahlia"
"""What requests and events are written in, whatever version the library would take."""

_TIMEOUT = httpx.Timeout(30, connect=5)
_LONGEST = 60
"""Seconds that a call may take in all, however slowly its answer trickles."""

# Stripe is not told what machine this is; and bodies, which have names and addresses, are in no log, not even at `debug`.
stripe.enable_telemetry = False
logging.getLogger("stripe").setLevel(logging.WARNING)

T = TypeVar("T")


class Refused(ProviderRefused):
    """Stripe says no. `intent` is the payment intent that this is about, as far as it is told."""

    def __init__(self, error: stripe.StripeError) -> None:
        body = error.json_body if isinstance(error.json_body, Mapping) else {}
        told = body.get("error") or {}
        self.intent: Mapping[str, Any] = told.get("payment_intent") or {}
        self.is_forbidden = isinstance(error, stripe.PermissionError)
        """Whether the key is good, and not for this."""
        self.is_clash = isinstance(error, stripe.IdempotencyError)
        """Whether something else was asked for by the same key before."""
        names = ("type", "decline_code", "param", "doc_url")
        super().__init__(
            told.get("message") or type(error).__name__,
            code=told.get("code"),
            details={name: told[name] for name in names if told.get(name)},
            is_unauthorized=isinstance(error, stripe.AuthenticationError | stripe.PermissionError),
        )

    @property
    def is_missing(self) -> bool:
        """Whether what was asked about is not there."""
        return self.code == "resource_missing"


class Stuck(ProviderUnavailable):
    """Stripe failed in the middle of something, and says the same of it whenever its key comes: what came of it is to be looked up."""


class Calls:
    """Asks on behalf of connections, all over the same pool."""

    def __init__(self, url: str | None) -> None:
        self._bases: Any = {"api": url.rstrip("/")} if url else None
        self._pool: _Pool | None = None

    def client(self, connection: Connection) -> stripe.StripeClient:
        """The library's client, with the connection's key. It asks again by itself for nothing: who asks, does."""
        if self._pool is None:
            self._pool = _Pool()
        return stripe.StripeClient(
            connection.secrets["secret_key"],
            stripe_version=API_VERSION,
            base_addresses=self._bases,
            max_network_retries=0,
            http_client=self._pool,
        )


async def ask(
    call: Callable[..., Awaitable[T]],
    *ids: str,
    params: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> T:
    """Ask for one thing, by a method of the client's. Raises `ProviderUnavailable`, `Stuck` and `Refused`."""
    options = {"idempotency_key": key} if key else None
    try:
        async with asyncio.timeout(_LONGEST):
            return await call(*ids, params=dict(params or {}), options=options)
    except TimeoutError:
        raise ProviderUnavailable("Stripe took too long") from None
    except stripe.RateLimitError:
        raise ProviderUnavailable("Stripe asks for patience") from None
    except (stripe.APIConnectionError, stripe.APIError) as error:
        # Among these is a 409: another call with the same key is under way. Causes could print what was sent.
        told = f"{type(error).__name__}, status {error.http_status}"
        raise (Stuck if _is_replayed(error.headers) else ProviderUnavailable)(told) from None
    except stripe.StripeError as error:
        raise Refused(error) from None


def plain(answer: stripe.StripeObject) -> dict[str, Any]:
    """An answer as JSON has it."""
    return answer.to_dict(for_json=True)


def was_replayed(answer: stripe.StripeObject) -> bool:
    """Whether an answer is what was said the first time that its key came: things may have changed since."""
    response = answer.last_response
    return response is not None and _is_replayed(response.headers)


def _is_replayed(headers: Mapping[str, str] | None) -> bool:
    return (headers or {}).get("idempotent-replayed") == "true"


class _Pool(stripe.HTTPClient):
    """The library's own one for httpx trusts a list of authorities that comes with it; this one trusts those of the machine."""

    name = "httpx"

    def __init__(self) -> None:
        super().__init__()
        self._client = httpx.AsyncClient(verify=trusted(), timeout=_TIMEOUT)

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[Any, int, Any]:
        """Send one request."""
        try:
            response = await self._client.request(method, url, headers=dict(headers), content=post_data)
        except httpx.HTTPError as error:
            raise stripe.APIConnectionError(type(error).__name__) from error  # type: ignore[no-untyped-call]  # untyped there
        return response.content, response.status_code, response.headers
