"""The dedupe key of an event, which is also its id."""

from __future__ import annotations

from hashlib import blake2b
from uuid import UUID

_ABSENT = b"\x00"


def event_key(organization: bytes, external_subscription_id: str | None, transaction_id: str) -> UUID:
    """128 bits that are the same for a re-sent event, and for no other (metering §1.1).

    The first half follows from organization and transaction id alone: all events of a transaction id stand together in
    the primary key, and are found by a range of it.
    """
    transaction = transaction_id.encode()
    subscription = _ABSENT if external_subscription_id is None else external_subscription_id.encode()
    head = blake2b(transaction, digest_size=8, key=organization)
    tail = blake2b(b"\xff".join((subscription, transaction)), digest_size=8, key=organization)
    return UUID(bytes=head.digest() + tail.digest())


def transaction_range(organization: bytes, transaction_id: str) -> tuple[UUID, UUID]:
    """The first and the last key that events of a transaction id can have."""
    head = blake2b(transaction_id.encode(), digest_size=8, key=organization).digest()
    return UUID(bytes=head + b"\x00" * 8), UUID(bytes=head + b"\xff" * 8)
