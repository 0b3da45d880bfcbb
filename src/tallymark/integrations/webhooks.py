"""Sending webhooks to URLs that users gave: bounded in time, never redirected, and only to where it is allowed."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from functools import cache

import httpx

from tallymark.rooms.webhooks.model import Answer

_KEPT_BYTES = 20_000
_LONGEST = 3
"""How many times the time-out the whole of an attempt may take, however slowly an answer trickles."""


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates receivers may show: those of the public authorities, or of SSL_CERT_FILE and SSL_CERT_DIR alone."""
    return httpx.create_ssl_context()


class Refused(Exception):
    """The URL leads where webhooks may not go."""


class WebhookPost:
    """Implements `rooms.webhooks.ports.Post`.

    The name is looked up once, each address is checked, and the connection goes to the address that was checked: a name
    that answers differently the second time leads nowhere else.
    """

    def __init__(self, *, timeout_seconds: int, allows_private: bool) -> None:
        self._timeout = timeout_seconds
        self._allows_private = allows_private

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send it once; whatever goes wrong on the way is an answer without a status."""
        try:
            async with asyncio.timeout(self._timeout * _LONGEST):
                return await self._send(httpx.URL(url), body, headers)
        except Refused as error:
            return Answer(status=None, text=str(error))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, UnicodeError) as error:
            return Answer(status=None, text=f"{type(error).__name__}: {error}".removesuffix(": "))

    async def _send(self, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> Answer:
        address = await checked_address(url, allows_private=self._allows_private)
        to = url.copy_with(host=address)
        # A proxy of the environment would look the name up again, and connect from inside.
        async with (
            httpx.AsyncClient(
                verify=trusted(), timeout=self._timeout, follow_redirects=False, trust_env=False
            ) as client,
            client.stream(
                "POST",
                to,
                content=body,
                headers={**headers, "Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity"},
                extensions={"sni_hostname": url.raw_host.decode("ascii")},
            ) as response,
        ):
            kept = b""
            async for chunk in response.aiter_raw():
                kept += chunk
                if len(kept) >= _KEPT_BYTES:
                    break
            return Answer(status=response.status_code, text=kept[:_KEPT_BYTES].decode(errors="replace"))


async def checked_address(url: httpx.URL, *, allows_private: bool) -> str:
    """The address that a URL leads to. Raises `Refused` for a private one, where that may not be."""
    loop = asyncio.get_running_loop()
    port = url.port or (443 if url.scheme == "https" else 80)
    found = await loop.getaddrinfo(url.raw_host.decode("ascii"), port, type=socket.SOCK_STREAM)
    addresses = [str(item[4][0]) for item in found]
    if not allows_private and not all(is_public(address) for address in addresses):
        raise Refused("the address is private: webhooks go to public addresses only")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether an address is anybody's to reach.

    >>> [is_public(address) for address in ("8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1")]
    [True, False, False, False, False]
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if found in _NAT64:
            return is_public(str(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
