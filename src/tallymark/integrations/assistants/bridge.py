"""`tallymark mcp`: hands an assistant's messages on standard input to a server's `/mcp`, and its answers back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import httpx

UNREACHABLE = -32000
"""The protocol's code of an error that is the server's own."""

TIMEOUT_SECONDS = 120.0


def bridge(client: httpx.Client, lines: Iterable[str]) -> Iterator[str]:
    """The answers to messages, one a line; what cannot be asked is answered as an error, and what wants no answer is not.

    `client` has the server's URL and the key.
    """
    protocol: dict[str, str] = {}
    for line in lines:
        if not line.strip():
            continue
        message = _read(line)
        answer = _ask(client, line, message, protocol)
        if answer is None:
            continue
        version = answer.get("result", {}).get("protocolVersion") if isinstance(answer, dict) else None
        if version:
            protocol["MCP-Protocol-Version"] = version
        yield json.dumps(answer, ensure_ascii=False)


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _ask(client: httpx.Client, line: str, message: Any, headers: dict[str, str]) -> Any:
    try:
        response = client.post(
            "/mcp",
            content=line.encode(),
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json, text/event-stream",
                **headers,
            },
        )
    except httpx.HTTPError as error:
        return _error(message, f"the server cannot be reached: {error}")
    if response.status_code == httpx.codes.ACCEPTED or not response.content:
        return None
    found = _read(response.text)
    if isinstance(found, dict) and "jsonrpc" in found:
        return found
    told = found.get("error") if isinstance(found, dict) else None
    return _error(message, f"the server answered {response.status_code}: {told or response.text[:200]}")


def _error(message: Any, text: str) -> Any:
    """An error in the protocol's shape; None for a message that wants no answer."""
    if not isinstance(message, dict) or "id" not in message:
        return None
    return {"jsonrpc": "2.0", "id": message["id"], "error": {"code": UNREACHABLE, "message": text}}
