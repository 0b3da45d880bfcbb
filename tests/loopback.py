"""A server on 127.0.0.1 that plays a vendor: it remembers what it was asked, and answers what a function says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Their names in small letters."""
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw) if self.raw else None


class Loopback:
    """`answer` gets what is asked and says what comes back: a status and a body, or None to hang up."""

    def __init__(self, answer: Callable[[Asked], tuple[int, Any] | None]) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        headers = {name.lower(): value for name, value in headers.items()}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        url = urlsplit(target)
        asked = Asked(
            method=method, path=url.path, query=dict(parse_qsl(url.query)), headers=headers, raw=raw
        )
        self.asked.append(asked)
        if (answer := self.answer(asked)) is not None:
            status, body = answer
            sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
            head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(sent)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + sent)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def loopback(answer: Callable[[Asked], tuple[int, Any] | None]) -> Any:
    vendor = Loopback(answer)
    server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
    vendor.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield vendor
