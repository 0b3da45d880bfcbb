"""What can be done with endpoints and deliveries (platform §9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotAllowed, NotFound
from tallymark.domain.exact import Fraction
from tallymark.jobs import security
from tallymark.jobs.activity import changes
from tallymark.rooms.webhooks import repository
from tallymark.rooms.webhooks.bodies import OBJECT_TYPES
from tallymark.rooms.webhooks.model import (
    MOST_ENDPOINTS,
    Answer,
    Delivery,
    DeliveryFilters,
    DeliveryRecord,
    Endpoint,
    Status,
    Told,
    pause_after,
    read_terms,
)

RESPONSE_LENGTH = 20_000
"""How many characters of an answer are kept."""


async def create_endpoint(tx: Tx, sent: Mapping[str, Any], *, now: datetime) -> Endpoint:
    """Add an endpoint. Raises `Invalid`, also for one too many."""
    await tx.lock("webhook-endpoints", tx.organization_id)
    values = read_terms(sent, is_new=True)
    if await repository.count_endpoints(tx) >= MOST_ENDPOINTS:
        raise Invalid({"base": ["exceeded_limit"]})
    await _claim_url(tx, values["webhook_url"], own_id=None)
    endpoint_id = new_id()
    stamps = {"created_at": now, "updated_at": now}
    row = {"id": endpoint_id, "organization_id": tx.organization_id, **values, **stamps}
    await repository.insert_endpoint(tx, row)
    endpoint = await get_endpoint(tx, endpoint_id)
    await security.record(tx, "webhook_endpoint.created", _named(endpoint), now=now)
    return endpoint


async def get_endpoint(tx: Tx, endpoint_id: UUID) -> Endpoint:
    """An endpoint. Raises `NotFound("webhook_endpoint")`."""
    found = await repository.find_endpoint(tx, endpoint_id)
    if found is None:
        raise NotFound("webhook_endpoint")
    return found


async def list_endpoints(tx: Tx, page: Page) -> tuple[list[Endpoint], int]:
    """A page of endpoints by URL, and how many there are."""
    return await repository.list_endpoints(tx, page), await repository.count_endpoints(tx)


async def update_endpoint(tx: Tx, endpoint_id: UUID, sent: Mapping[str, Any], *, now: datetime) -> Endpoint:
    """Change what is sent. Raises `NotFound("webhook_endpoint")` and `Invalid`."""
    await tx.lock("webhook-endpoints", tx.organization_id)
    before = await get_endpoint(tx, endpoint_id)
    values = read_terms(sent, is_new=False)
    if "webhook_url" in values:
        await _claim_url(tx, values["webhook_url"], own_id=endpoint_id)
    await repository.update_endpoint(tx, endpoint_id, {**values, "updated_at": now})
    after = await get_endpoint(tx, endpoint_id)
    different = security.deletions_and_additions(changes(before, after))
    await security.record(tx, "webhook_endpoint.updated", {**_named(after), **different}, now=now)
    return after


async def list_urls(tx: Tx) -> list[str]:
    """The URLs of an organization's endpoints, the oldest first (§3)."""
    return [endpoint.webhook_url for endpoint in await _by_age(tx)]


async def set_first_url(tx: Tx, url: str, *, now: datetime) -> None:
    """Give the oldest endpoint another URL, or make one where there is none (§3). Raises `Invalid`."""
    sent = {"webhook_url": url}
    found = await _by_age(tx)
    if not found:
        await create_endpoint(tx, sent, now=now)
    elif found[0].webhook_url != url:
        await update_endpoint(tx, found[0].id, sent, now=now)


async def _by_age(tx: Tx) -> list[Endpoint]:
    return sorted(await repository.list_endpoints(tx), key=lambda one: (one.created_at, one.id))


def _named(endpoint: Endpoint) -> dict[str, str]:
    return {"lago_id": str(endpoint.id), "webhook_url": endpoint.webhook_url}


async def _claim_url(tx: Tx, url: str, *, own_id: UUID | None) -> None:
    if await repository.find_id_of_url(tx, url) not in (None, own_id):
        raise Invalid({"webhook_url": ["value_already_exist"]})


async def delete_endpoint(tx: Tx, endpoint_id: UUID, *, now: datetime) -> Endpoint:
    """Delete an endpoint with the history of its deliveries. Raises `NotFound("webhook_endpoint")`."""
    # Whoever makes deliveries holds the same lock: none is made for an endpoint that goes.
    await tx.lock("webhooks", tx.organization_id)
    endpoint = await get_endpoint(tx, endpoint_id)
    await repository.delete_endpoint(tx, endpoint_id)
    await security.record(tx, "webhook_endpoint.deleted", _named(endpoint), now=now)
    return endpoint


async def begin_telling(tx: Tx, *, limit: int) -> tuple[list[Told], list[Endpoint]]:
    """What is to be told next, and to whom; nobody else makes deliveries of it meanwhile."""
    await tx.lock("webhooks", tx.organization_id)
    messages = await repository.untold(tx, limit=limit)
    return messages, await repository.list_endpoints(tx) if messages else []


async def make_deliveries(
    tx: Tx, messages: Sequence[tuple[Told, str]], endpoints: Sequence[Endpoint], *, now: datetime
) -> None:
    """Make a delivery of each message, with its body, for each endpoint that wants its type."""
    wanted = [
        (told, body, endpoint)
        for told, body in messages
        for endpoint in endpoints
        if endpoint.wants(told.webhook_type)
    ]
    counts = Counter((endpoint.id, told.object_key) for told, _, endpoint in wanted)
    last = await repository.take_numbers(tx, counts)
    number = {key: last[key] - counts[key] for key in counts}
    rows = []
    for told, body, endpoint in wanted:
        key = (endpoint.id, told.object_key)
        number[key] += 1
        rows.append(
            {
                "id": new_id(),
                "organization_id": tx.organization_id,
                "endpoint_id": endpoint.id,
                "message_id": told.message_id,
                "webhook_type": told.webhook_type,
                "object_key": told.object_key,
                "sequence": number[key],
                "body": body,
                "next_attempt_at": now,
                "traceparent": told.traceparent,
                "created_at": now,
                "updated_at": now,
            }
        )
    await repository.insert_deliveries(tx, rows)
    await repository.strike_out(tx, [told.message_id for told, _ in messages])


async def put_aside(tx: Tx, told: Told, error: str) -> None:
    """Leave a message that can't be told where it is, with the reason."""
    await repository.put_aside(tx, told.message_id, error)


async def claim(
    tx: Tx, endpoint_id: UUID, *, now: datetime, lost_at: datetime, limit: int
) -> tuple[Endpoint, list[Delivery]] | None:
    """The endpoint as it is now, and what to send to it; None when it is gone or nothing is due."""
    endpoint = await repository.find_endpoint(tx, endpoint_id)
    if endpoint is None:
        return None
    claimed = await repository.claim(tx, endpoint_id, now=now, lost_at=lost_at, limit=limit)
    return (endpoint, claimed) if claimed else None


async def record(
    tx: Tx, delivery: Delivery, answer: Answer, *, attempts: int, chance: Fraction, now: datetime
) -> datetime | None:
    """Note what came back, and say when it is tried again: not after success, nor after `attempts` failures in all.

    An attempt that counted as lost, or beside which another one was asked for, may answer late: then what has arrived stays so,
    and of a failure no more is noted than that there was one.
    """
    before = await repository.lock_record(tx, delivery.id)
    if before is None or before.status is Status.SUCCEEDED:
        return None
    again_at: datetime | None = None
    values: dict[str, Any] = {
        "http_status": answer.status,
        "response": answer.text.replace("\x00", "")[:RESPONSE_LENGTH],
        "updated_at": now,
    }
    if answer.is_accepted:
        values["status"] = Status.SUCCEEDED
    elif before.next_attempt_at != delivery.lost_at:
        values["retries"] = before.retries + 1
    else:
        failures = before.retries + 1
        values |= {"status": Status.FAILED, "retries": failures}
        if failures < attempts:
            again_at = now + pause_after(failures, chance=chance)
            values |= {"status": Status.RETRYING, "next_attempt_at": again_at}
    await repository.update_delivery(tx, delivery.id, values)
    return again_at


async def get_delivery(tx: Tx, delivery_id: UUID) -> DeliveryRecord:
    """A delivery with its body and the last response. Raises `NotFound("webhook")`."""
    found = await repository.find_record(tx, delivery_id)
    if found is None:
        raise NotFound("webhook")
    return found


async def list_deliveries(tx: Tx, filters: DeliveryFilters, page: Page) -> tuple[list[DeliveryRecord], int]:
    """A page of deliveries, newest first, and how many there are."""
    keys = [f"{kind}:{filters.searched}" for kind in OBJECT_TYPES] if filters.searched else []
    return await repository.list_records(tx, filters, keys, page)


async def resend(tx: Tx, delivery_id: UUID, *, now: datetime) -> DeliveryRecord:
    """Have a delivery tried once more, at once; what was never tried is on its way anyhow (§9.3).

    `now` is the real time, by which deliveries run. Raises `NotFound("webhook")`, and `NotAllowed("is_succeeded")` for what has
    arrived.
    """
    before = await repository.lock_record(tx, delivery_id)
    if before is None:
        raise NotFound("webhook")
    if before.status is Status.SUCCEEDED:
        raise NotAllowed("is_succeeded")
    if before.status is not Status.PENDING:
        values = {"status": Status.RETRYING, "next_attempt_at": now, "updated_at": now}
        await repository.update_delivery(tx, delivery_id, values)
    return await get_delivery(tx, delivery_id)
