"""What is kept of a call, and what is not (platform §10.2)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.domain.redaction import FILTERED, without_keys

METHODS = ("post", "put", "patch", "delete")
GOOD, BAD = "succeeded", "failed"
WORST_GOOD_STATUS = 399

_SECRET = re.compile(
    r"passw|secret|_token$|^token$|api_?key$|(private|hmac|access|signing)_key$|authorization$|credential|certificate",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A call that was answered; the body has the parameters of path, query and body, both texts are JSON."""

    request_id: UUID
    client: str
    http_method: str
    http_status: int
    request_origin: str
    request_path: str
    request_body: str
    request_response: str | None
    api_version: str
    logged_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which calls a list shows; None and empty mean any. Paths may have `*` for any text."""

    logged_from: datetime | None = None
    logged_to: datetime | None = None
    methods: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    api_version: str | None = None
    paths: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    api_key_ids: tuple[UUID, ...] = ()


def is_status(text: str) -> bool:
    """Whether a filter may ask for this: a number, or how it went.

    >>> is_status("404"), is_status("failed"), is_status("4xx")
    (True, True, False)
    """
    return text in (GOOD, BAD) or bool(re.fullmatch(r"[1-5][0-9]{2}", text, re.ASCII))


def kept_body(parameters: Mapping[str, Any]) -> str:
    """Parameters as they are kept: without secrets.

    >>> kept_body({"webhook_endpoint": {"webhook_url": "https://me:pw@a.test", "api_key": "x"}})
    '{"webhook_endpoint": {"webhook_url": "https://[FILTERED]@a.test", "api_key": "[FILTERED]"}}'
    """
    return without_keys(json.dumps(_without_secrets(parameters)))


def kept_answer(answer: bytes) -> str | None:
    """An answer as it is kept: JSON without secrets, None for anything else."""
    try:
        return without_keys(json.dumps(_without_secrets(json.loads(answer))))
    except ValueError:
        return None


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: FILTERED if _SECRET.search(name) and part is not None else _without_secrets(part)
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(part) for part in value]
    return value
