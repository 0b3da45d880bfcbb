"""The dedupe key of an event, which is also its id."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

import msgspec

_ABSENT = b"\x00"


@lru_cache(maxsize=10_000)
def _keyed(organization: bytes) -> blake2b:
    """The hash that an organization's own begin with: a copy of it costs half of a new one."""
    return blake2b(digest_size=8, key=organization)


def event_key(organization: bytes, external_subscription_id: str | None, transaction_id: str) -> UUID:
    """128 bits that are the same for a re-sent event, and for no other (metering §1.1).

    The first half follows from organization and transaction id alone: all events of a transaction id stand together in
    the primary key, and are found by a range of it.
    """
    transaction = transaction_id.encode()
    subscription = _ABSENT if external_subscription_id is None else external_subscription_id.encode()
    keyed = _keyed(organization)
    head, tail = keyed.copy(), keyed.copy()
    head.update(transaction)
    tail.update(b"\xff".join((subscription, transaction)))
    # A third of what UUID's own constructor takes.
    return msgspec.convert(head.digest() + tail.digest(), UUID)


def transaction_range(organization: bytes, transaction_id: str) -> tuple[UUID, UUID]:
    """The first and the last key that events of a transaction id can have."""
    head = blake2b(transaction_id.encode(), digest_size=8, key=organization).digest()
    return UUID(bytes=head + b"\x00" * 8), UUID(bytes=head + b"\xff" * 8)
