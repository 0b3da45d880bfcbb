"""What comes in from vendors that speak JSON: where they are told to send it, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tallymark.integrations.payments.http import read_json
from tallymark.rooms.payment_providers.ports import ProviderRefused

ONE_TIME = "one-time"


def read_event(body: bytes) -> Mapping[str, Any]:
    """The object that an event is. Raises `ProviderRefused`: what is signed and no JSON object can't be understood later on, either."""
    try:
        event = read_json(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise ProviderRefused("an event that is no JSON object", code="invalid_event")
    return event


def part(found: object, name: str) -> Mapping[str, Any]:
    """An object within an object; empty where there is none.

    >>> part({"data": {"id": 1}}, "data"), part({"data": None}, "data"), part([], "data")
    ({'id': 1}, {}, {})
    """
    within = found.get(name) if isinstance(found, dict) else None
    return within if isinstance(within, dict) else {}


def metadata_of(found: object, name: str) -> Mapping[str, str]:
    """What was sent along with an order, as it comes back; a vendor's own additions that are no texts are left out.

    >>> metadata_of({"meta": {"payment_type": "one-time", "step": 3}}, "meta")
    {'payment_type': 'one-time'}
    """
    return {key: value for key, value in part(found, name).items() if isinstance(value, str)}


def is_one_time(metadata: Mapping[str, str]) -> bool:
    """Whether something was paid on a page of ours (§11.4)."""
    return metadata.get("payment_type") == ONE_TIME
