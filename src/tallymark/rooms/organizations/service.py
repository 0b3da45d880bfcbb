"""What can be done with a tenant: make one, open it with a key, read and change its settings."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.permissions import PermissionMap, check_permissions
from tallymark.db.engine import Database, Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs import security
from tallymark.jobs.activity import changes
from tallymark.jobs.deeds import Deed, Staff, Verb, note, note_last
from tallymark.jobs.notices import NoticeKind, notify_admins
from tallymark.jobs.outbox import log_change
from tallymark.rooms.organizations import repository
from tallymark.rooms.organizations.model import (
    FULL_ACCESS_KEY_NAME,
    LEAST_TO_SHOW,
    ApiKey,
    BillingEntity,
    Metering,
    Organization,
    TestClock,
    default_entity_code,
    default_prefix,
    default_slug,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrganization:
    """What the first answer about an organization holds; the key is never shown again."""

    organization_id: UUID
    api_key: str
    frozen_time: datetime | None


async def create_organization(
    connection: AsyncConnection,
    *,
    name: str,
    email: str | None,
    now: datetime,
    frozen_time: datetime | None = None,
    document_numbering: str = "per_customer",
) -> NewOrganization:
    """Make an organization, its default billing entity with the same id, and a key (platform §3, test-clock.md).

    With a `frozen_time` it gets a test clock, and was created at that instant.
    """
    born_at = frozen_time or now
    organization_id = await _insert_organization(
        connection, name=name, email=email, document_numbering=document_numbering, now=born_at
    )
    if frozen_time is not None:
        await repository.insert_test_clock(connection, organization_id, frozen_time)
    _, api_key = await _issue_key(connection, organization_id, name=FULL_ACCESS_KEY_NAME, now=born_at)
    return NewOrganization(organization_id=organization_id, api_key=api_key, frozen_time=frozen_time)


async def create_organization_with_key(
    connection: AsyncConnection, *, name: str, api_key: str, now: datetime
) -> NewOrganization:
    """Make a live organization whose key was chosen elsewhere (platform §17). Raises `Invalid` for one that is somebody's."""
    key_hash = hash_key(api_key)
    if await repository.find_principal(connection, key_hash) is not None:
        raise Invalid({"api_key": ["value_already_exist"]})
    organization_id = await _insert_organization(
        connection, name=name, email=None, document_numbering="per_customer", now=now
    )
    row = {
        "id": new_id(),
        "organization_id": organization_id,
        "name": FULL_ACCESS_KEY_NAME,
        "key_hash": key_hash,
        "ending": ending_of(api_key),
        "created_at": now,
    }
    await repository.insert_api_key(connection, row)
    return NewOrganization(organization_id=organization_id, api_key=api_key, frozen_time=None)


async def note_created(
    connection: AsyncConnection,
    made: NewOrganization,
    *,
    name: str,
    email: str | None,
    by: Staff,
    now: datetime,
) -> None:
    """Note in the audit of staff that they made an organization for others; `now` is the system's."""
    clock = {"frozen_time": made.frozen_time.isoformat()} if made.frozen_time else {}
    told = {"name": name, "email": email, **clock}
    await note(connection, by, _about(made.organization_id, Verb.CREATED, name, after=told), now=now)


async def rename_organization(tx: Tx, name: str, *, by: Staff, now: datetime, at: datetime) -> Organization:
    """Give an organization another name, for the operator: the last that is done in its transaction.

    `now` is the organization's, `at` the system's.
    """
    before = (await get_organization(tx)).name
    renamed = await change_organization(tx, {"name": name}, now=now)
    if name != before:
        changes: dict[str, Any] = {"before": {"name": before}, "after": {"name": name}}
        await note_last(tx, by, _about(tx.organization_id, Verb.CHANGED, name, **changes), now=at)
    return renamed


def _about(organization_id: UUID, verb: Verb, name: str, **changes: Any) -> Deed:
    return Deed(
        verb=verb,
        subject_type="organization",
        subject_id=str(organization_id),
        subject=name,
        organization_id=organization_id,
        **changes,
    )


async def _insert_organization(
    connection: AsyncConnection, *, name: str, email: str | None, document_numbering: str, now: datetime
) -> UUID:
    """Make an organization with its default billing entity."""
    organization_id = new_id()
    stamps = {"created_at": now, "updated_at": now}
    prefix = default_prefix(name, organization_id)
    await repository.insert_organization(
        connection,
        {
            "id": organization_id,
            "name": name,
            "slug": await _free_slug(connection, name),
            "document_number_prefix": prefix,
            "hmac_key": uuid4(),
            **stamps,
        },
    )
    await repository.insert_billing_entity(
        connection,
        {
            "id": organization_id,
            "organization_id": organization_id,
            "code": default_entity_code(name, str(organization_id)),
            "name": name,
            "email": email,
            "document_numbering": document_numbering,
            "document_number_prefix": prefix,
            **stamps,
        },
    )
    return organization_id


async def _free_slug(connection: AsyncConnection, name: str) -> str:
    slug = default_slug(name, secrets.token_hex(3))
    while await repository.is_slug_taken(connection, slug):
        slug = f"{slug[:36]}-{secrets.token_hex(2)[:3]}"
    return slug


async def create_api_key(
    tx: Tx,
    *,
    name: str | None,
    now: datetime,
    expires_at: datetime | None = None,
    permissions: PermissionMap | None = None,
) -> tuple[ApiKey, str]:
    """Make one more key and return it with its value, which is not kept; one without permissions may do everything.

    Raises `Invalid` for permissions that are none (platform §5).
    """
    if permissions is not None:
        check_permissions(permissions)
    made = await _make_key(tx, name=name, now=now, expires_at=expires_at, permissions=permissions)
    await security.record(tx, "api_key.created", _named(*made), now=now, api_key_id=made[0].id)
    await notify_admins(tx, NoticeKind.KEY_CREATED, _called(made[0]))
    return made


async def list_api_keys(tx: Tx, *, now: datetime, with_ended: bool = False) -> list[ApiKey]:
    """The keys of the organization, the oldest first; those that have ended are not shown unless they are asked for (platform §5).

    `now` is the system's: whoever has a key is let in by it until then, whatever the organization's test clock shows.
    """
    return [key for key in await repository.list_api_keys(tx) if with_ended or key.is_alive(now)]


async def set_permissions(
    tx: Tx, key_id: UUID, permissions: PermissionMap | None, *, now: datetime
) -> ApiKey:
    """Change what a key may do, to everything for None. Raises `NotFound("api_key")`, `Invalid` for permissions that are none."""
    return await change_api_key(tx, key_id, {"permissions": permissions}, now=now)


async def change_api_key(
    tx: Tx, key_id: UUID, sent: Mapping[str, Any], *, now: datetime, at: datetime | None = None
) -> ApiKey:
    """Change a key's name, and what it may do, as far as they are sent. Raises as `set_permissions` does.

    `now` is noted; `at` is the system's time where that is another, as keys end by it. So it is for what follows.
    """
    if sent.get("permissions") is not None:
        check_permissions(sent["permissions"])
    key = await _lock_key(tx, key_id, at=at or now)
    changes = {name: [was, sent[name]] for name in sent if (was := getattr(key, name)) != sent[name]}
    if not changes:
        return key
    await repository.update_api_key(tx, key_id, dict(sent))
    told = {"name": key.name, **security.deletions_and_additions(changes)}
    await security.record(tx, "api_key.updated", told, now=now, api_key_id=key_id)
    return replace(key, **sent)


async def rotate_api_key(
    tx: Tx,
    key_id: UUID,
    *,
    name: str | None,
    now: datetime,
    at: datetime | None = None,
    old_ends_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key in place of another, with its permissions; that one ends at the given instant or now (platform §5).

    Raises `NotFound("api_key")`.
    """
    old = await _lock_key(tx, key_id, at=at or now)
    made = await _make_key(tx, name=name, now=now, permissions=old.permissions)
    await repository.update_api_key(tx, key_id, {"expires_at": old_ends_at or at or now})
    await security.record(tx, "api_key.rotated", _named(*made), now=now, api_key_id=key_id)
    await notify_admins(tx, NoticeKind.KEY_ROTATED, _called(old))
    return made


async def delete_api_key(tx: Tx, key_id: UUID, *, now: datetime, at: datetime | None = None) -> None:
    """End a key now. Raises `NotFound("api_key")`; `Invalid` for the last that never expires (platform §5)."""
    key = await _lock_key(tx, key_id, at=at or now)
    keys = await repository.list_api_keys(tx)
    if not any(other.expires_at is None and other.id != key_id for other in keys):
        raise Invalid({"base": ["last_non_expiring_api_key"]})
    await repository.update_api_key(tx, key_id, {"expires_at": at or now})
    await security.record(tx, "api_key.deleted", {"name": key.name}, now=now, api_key_id=key_id)
    await notify_admins(tx, NoticeKind.KEY_DELETED, _called(key))


async def _lock_key(tx: Tx, key_id: UUID, *, at: datetime) -> ApiKey:
    """A key that has not ended. Keys change one after the other: of two that never expire, not both are to be deleted."""
    await tx.lock("api-keys", tx.organization_id)
    for key in await list_api_keys(tx, now=at):
        if key.id == key_id:
            return key
    raise NotFound("api_key")


async def _make_key(
    tx: Tx,
    *,
    name: str | None,
    now: datetime,
    expires_at: datetime | None = None,
    permissions: PermissionMap | None,
) -> tuple[ApiKey, str]:
    key_id, value = await _issue_key(
        tx.connection,
        tx.organization_id,
        name=name,
        now=now,
        expires_at=expires_at,
        permissions=permissions,
    )
    (made,) = [key for key in await repository.list_api_keys(tx) if key.id == key_id]
    return made, value


def _called(key: ApiKey) -> str:
    """A key as people know it."""
    return f"“{key.name}”" if key.name else "without a name"


def _named(key: ApiKey, value: str) -> dict[str, Any]:
    """A new key as the security log shows it."""
    return {"name": key.name, "value": f"…{value[-4:]}"}


async def _issue_key(
    connection: AsyncConnection,
    organization_id: UUID,
    *,
    name: str | None,
    now: datetime,
    expires_at: datetime | None = None,
    permissions: PermissionMap | None = None,
) -> tuple[UUID, str]:
    key_id, value = new_id(), str(uuid4())
    row = {
        "id": key_id,
        "organization_id": organization_id,
        "name": name,
        "key_hash": hash_key(value),
        "ending": ending_of(value),
        "created_at": now,
        "expires_at": expires_at,
        "permissions": permissions,
    }
    await repository.insert_api_key(connection, row)
    return key_id, value


def ending_of(value: str) -> str | None:
    """By what people tell keys apart: the end of one that is long enough to stay secret.

    >>> ending_of("9f1c2d3e-aaaa-bbbb-cccc-12345678abcd"), ending_of("short")
    ('abcd', None)
    """
    return value[-4:] if len(value) >= LEAST_TO_SHOW else None


def hash_key(value: str) -> bytes:
    """What is kept of a key. Keys are long and random, so one round of SHA-256 is enough."""
    return hashlib.sha256(value.encode()).digest()


async def get_organization(tx: Tx) -> Organization:
    """The organization of the transaction."""
    return await repository.get_organization(tx)


async def get_metering(tx: Tx) -> Metering:
    """How the organization wants late events treated, and corrections of what is billed (beyond.md §3)."""
    return await repository.get_metering(tx)


async def change_organization(tx: Tx, values: Mapping[str, Any], *, now: datetime) -> Organization:
    """Change the organization's own settings: its prefix, its slug, how late events are treated. Raises `Invalid` for a slug that is taken."""
    before = await repository.get_organization(tx)
    if not await repository.update_organization(tx, {**values, "updated_at": now}):
        raise Invalid({"slug": ["value_already_exist"]})
    after = await repository.get_organization(tx)
    changed = {**changes(before, after), **changes(before.metering, after.metering)}
    await log_change(tx, "organization.updated", after.id, changed, now=now)
    return after


async def get_test_clock(tx: Tx) -> TestClock:
    """The organization's clock. Raises `NotFound("test_clock")` for a live organization."""
    clock = await repository.find_clock(tx)
    if clock is None:
        raise NotFound("test_clock")
    return clock


async def get_default_entity(tx: Tx) -> BillingEntity:
    """The entity that issues invoices where nothing else is said."""
    return await repository.get_default_entity(tx)


async def get_entity(tx: Tx, *, code: str | None) -> BillingEntity:
    """An active entity by code, the default one for None. Raises `NotFound("billing_entity")`."""
    if code is None:
        return await repository.get_default_entity(tx)
    entity = await repository.find_entity(tx, code=code)
    if entity is None:
        raise NotFound("billing_entity")
    return entity


async def check_entity_codes(tx: Tx, codes: Collection[str]) -> None:
    """Let a filter name entities, archived ones too. Raises `NotFound("billing_entity")` for an unknown code."""
    if codes and await repository.known_entity_codes(tx, codes) != set(codes):
        raise NotFound("billing_entity")


async def list_entities(tx: Tx) -> list[BillingEntity]:
    """The active entities, the oldest first."""
    return await repository.list_entities(tx)


async def create_entity(tx: Tx, values: Mapping[str, Any], *, now: datetime) -> BillingEntity:
    """Make one more entity; what is not given has its default (platform §4). Raises `Invalid` for a code that is taken."""
    await tx.lock("billing-entity-code", tx.organization_id)
    if await repository.known_entity_codes(tx, [values["code"]]):
        raise Invalid({"code": ["value_already_exist"]})
    entity_id = new_id()
    await repository.insert_billing_entity(
        tx.connection,
        {
            "id": entity_id,
            "organization_id": tx.organization_id,
            "document_number_prefix": default_prefix(values["name"], entity_id),
            **values,
            "created_at": now,
            "updated_at": now,
        },
    )
    return (await repository.get_entities(tx, {entity_id}))[entity_id]


async def change_entity(
    tx: Tx, entity_id: UUID, values: Mapping[str, Any], *, now: datetime
) -> BillingEntity:
    """Change columns of an entity; what follows from them is the billing_entities room's."""
    await repository.update_entity(tx, entity_id, {**values, "updated_at": now})
    return (await repository.get_entities(tx, {entity_id}))[entity_id]


async def get_entities(tx: Tx, ids: set[UUID]) -> dict[UUID, BillingEntity]:
    """Entities by id."""
    return await repository.get_entities(tx, ids)


async def take_customer_number(tx: Tx) -> int:
    """The next number of a customer of this organization (subscriptions §1.1)."""
    return await repository.take_customer_number(tx)


def holding_clock(database: Database, organization_id: UUID) -> AbstractAsyncContextManager[bool]:
    """Hold an organization's clock while it moves; False while somebody else does. A process that dies lets go of it."""
    return database.held("clock", organization_id)


async def start_advancing(tx: Tx) -> None:
    """Say that the clock moves; needs to be held."""
    await repository.set_clock_status(tx, "advancing")


async def move_clock(tx: Tx, to: datetime) -> None:
    """Set the clock, and begin counting its requests anew."""
    await repository.move_clock(tx, to)


async def stop_advancing(tx: Tx) -> None:
    """Say that the clock stands."""
    await repository.set_clock_status(tx, "ready")


def _random_key() -> bytes:
    return secrets.token_bytes(32)


async def get_or_make_secret(
    connection: AsyncConnection, name: str, make: Callable[[], bytes] = _random_key
) -> bytes:
    """A key of this installation, made at its first use."""
    if (found := await repository.find_secret(connection, name)) is not None:
        return found
    await repository.keep_secret(connection, name, make())
    kept = await repository.find_secret(connection, name)
    assert kept is not None, "a kept secret is there"
    return kept


async def find_secret(connection: AsyncConnection, name: str) -> bytes | None:
    """A key of this installation, where there is one."""
    return await repository.find_secret(connection, name)


async def drop_secret(connection: AsyncConnection, name: str) -> bool:
    """Forget a key; False where somebody else was quicker."""
    return await repository.delete_secret(connection, name)


async def get_hmac_key(tx: Tx) -> UUID:
    """What the organization's webhooks are signed with."""
    return await repository.get_hmac_key(tx)
