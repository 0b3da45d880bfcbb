"""Keep connections and find them; what a change means for customers who are linked by one (wallets-and-payments §12.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import (
    Invalid,
    Locked,
    NotFound,
    Problems,
    ProviderFailed,
    TallymarkError,
    ThirdPartyFailed,
)
from tallymark.domain.redaction import FILTERED
from tallymark.jobs import agenda, security
from tallymark.jobs.activity import Changes, differences
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.payment_providers import repository
from tallymark.rooms.payment_providers.fields import TERMS, shown_options
from tallymark.rooms.payment_providers.model import Connection, ProviderKind, StoredConnection
from tallymark.rooms.payment_providers.ports import ProviderRefused, ProviderUnavailable
from tallymark.rooms.payment_providers.vault import Vault

LOCK = "payment-providers"
"""One at a time of an organization: whoever changes its connections, or links customers to one."""

FORMER_CODES = "former_codes"
"""The option that keeps by what other codes a connection's inbound address was given out."""

SHOWN = ("code", "name", "success_redirect_url")
"""What the security log tells of a connection, beside its settings."""


async def list_connections(tx: Tx) -> list[StoredConnection]:
    """The organization's connections, the oldest first."""
    return await repository.list_connections(tx)


async def count_customers(tx: Tx) -> dict[UUID, int]:
    """How many customers are linked to each connection; one that nobody is linked to is left out."""
    return await repository.count_customers(tx)


async def get_row(tx: Tx, connection_id: UUID) -> StoredConnection:
    """A live connection. Raises `NotFound("payment_provider")`."""
    found = await repository.find_connection(tx, connection_id)
    if found is None or found.deleted_at is not None:
        raise NotFound("payment_provider")
    return found


async def find_row(tx: Tx, *, kind: ProviderKind, code: str | None) -> StoredConnection:
    """The live connection of a kind that a code names, or the only one (subscriptions §1.5).

    Raises `Invalid` on `base`: `payment_provider_not_found`, and `payment_provider_code_missing` for one of several without a code.
    """
    known = await repository.list_connections(tx, kind)
    named = [one for one in known if one.code == code] if code else known
    if not named:
        raise Invalid({"base": ["payment_provider_not_found"]})
    if len(named) > 1:
        raise Invalid({"base": ["payment_provider_code_missing"]})
    return named[0]


async def list_addressed(tx: Tx, *, kind: ProviderKind, code: str | None) -> list[StoredConnection]:
    """The live connections that an inbound address may mean: the one with the code, then those that had it once.

    Pages and dashboards keep the address that they were given, and what is paid there has to be heard by whatever code. Without a
    code it is the only one of the kind, and none of several (§12.1).
    """
    known = await repository.list_connections(tx, kind)
    if not code:
        return known if len(known) == 1 else []
    named = [one for one in known if one.code == code]
    return named + [one for one in known if code in one.options.get(FORMER_CODES, ()) and one not in named]


async def hold(tx: Tx) -> None:
    """Keep connections as they are until the transaction ends: a customer is linked to one that is there."""
    await tx.lock_all(LOCK, [tx.organization_id], is_shared=True)


async def get_connection(tx: Tx, vault: Vault, connection_id: UUID) -> Connection | None:
    """A connection with its secrets, be it deleted: what was paid by it is paid back by it. None for one that never was."""
    found = await repository.find_connection(tx, connection_id)
    return vault.open(found) if found else None


async def name_of(tx: Tx, connection_id: UUID) -> str | None:
    """What a connection is called, be it deleted. None for one that never was."""
    found = await repository.find_connection(tx, connection_id)
    return found.name if found else None


async def check_code(tx: Tx, connection: Connection, problems: Problems) -> None:
    """Note that another live connection has the code."""
    known = await repository.list_connections(tx)
    if any(one.code == connection.code and one.id != connection.id for one in known):
        problems.add("code", "value_already_exist")


async def add(tx: Tx, vault: Vault, connection: Connection, *, now: datetime) -> StoredConnection:
    """Keep a new connection. Raises `Invalid` where its code is taken."""
    await tx.lock(LOCK, tx.organization_id)
    problems = Problems()
    await check_code(tx, connection, problems)
    problems.raise_any()
    values = {**_columns(vault, connection), "created_at": now, "updated_at": now}
    await repository.insert_connection(
        tx,
        {"id": connection.id, "organization_id": tx.organization_id, "kind": connection.kind.value, **values},
    )
    await security.record(tx, "integration.created", _told(connection), now=now)
    return await get_row(tx, connection.id)


async def change(
    tx: Tx, vault: Vault, before: StoredConnection, connection: Connection, *, now: datetime
) -> StoredConnection:
    """Keep a changed connection; `before` is what the change was made from.

    A new code is written on customers and methods. Raises `NotFound`, `Invalid` where the code is taken, and `Locked` where somebody
    else has changed it meanwhile.
    """
    await tx.lock(LOCK, tx.organization_id)
    if await get_row(tx, before.id) != before:
        raise Locked
    problems = Problems()
    await check_code(tx, connection, problems)
    problems.raise_any()
    if connection.code != before.code:
        former = [*before.options.get(FORMER_CODES, ()), before.code]
        connection = replace(connection, options={**connection.options, FORMER_CODES: former})
    await repository.update_connection(tx, before.id, {**_columns(vault, connection), "updated_at": now})
    if connection.code != before.code:
        renamed = await repository.rename_links(tx, before.id, connection.code, at=now)
        changed = {"payment_provider_code": [before.code, connection.code]}
        await _log_customers(tx, renamed, changed, now=now)
    known = vault.open(before)
    if known.options.get(TERMS, False) != connection.options.get(TERMS, False):
        await take_pages_back(tx, before.id, now=now)
    different = _differences(known, connection)
    if different:
        told = {**_told(connection), **security.deletions_and_additions(different)}
        await security.record(tx, "integration.updated", told, now=now)
    return await get_row(tx, before.id)


async def delete(tx: Tx, connection_id: UUID, *, now: datetime) -> StoredConnection:
    """Delete a connection: its customers are parted from it and their methods, pages to pay on are taken back, and payments that it has
    not decided are called off, for nothing that is told of them would be heard any more.

    Raises `NotFound("payment_provider")`.
    """
    await tx.lock(LOCK, tx.organization_id)
    found = await get_row(tx, connection_id)
    await repository.update_connection(tx, found.id, {"deleted_at": now, "updated_at": now})
    parted = await repository.remove_links(tx, found.id, at=now)
    gone: Changes = {
        "payment_provider": [found.kind.value, None],
        "payment_provider_code": [found.code, None],
    }
    await _log_customers(tx, parted, gone, now=now)
    await take_pages_back(tx, found.id, now=now)
    items = (
        Item(kind=Kind.FOLLOW_DUE, subject_id=invoice_id, owner_id=customer_id, due_at=now)
        for invoice_id, customer_id in await repository.undecided(tx, found.id)
    )
    await agenda.leave(tx, *items)
    told = {"integration_type": found.kind.value, "code": found.code, "name": found.name}
    await security.record(tx, "integration.deleted", told, now=now)
    return found


async def take_pages_back(tx: Tx, connection_id: UUID, *, now: datetime) -> None:
    """Have the pages that a connection's customers may still pay on taken back (§11.4)."""
    pages = await repository.open_links(tx, connection_id)
    # Each its own owner: while the provider is slow, everybody's billing goes on.
    await agenda.leave(
        tx,
        *(Item(kind=Kind.CLOSE_PAYMENT_LINK, subject_id=page, owner_id=page, due_at=now) for page in pages),
    )


async def tell_failed(tx: Tx, connection: Connection, error: Exception, *, now: datetime) -> None:
    """Tell that Stripe would not send the events of a connection to where they are to go (§12.1, §21)."""
    name = "payment_provider_error"
    told = {
        "lago_payment_provider_id": str(connection.id),
        "payment_provider_code": connection.code,
        "payment_provider_name": connection.name,
        "source": connection.kind.value,
        "action": "payment_provider.register_webhook",
        "provider_error": words_of(error),
    }
    message = Message(
        webhook_type="payment_provider.error", object_type=name, object_id=None, payload={name: told}
    )
    await emit(tx, message, now=now)


def words_of(error: Exception) -> dict[str, Any]:
    """What a provider said, or what kept it from answering, as webhooks tell it."""
    if isinstance(error, ProviderRefused):
        return {"message": error.message, "error_code": error.code}
    return {"message": str(error), "error_code": None}


def failure_of(connection: Connection, error: ProviderRefused | ProviderUnavailable) -> TallymarkError:
    """How whoever asked for something hears that the provider said no, or nothing (platform §1.5)."""
    if isinstance(error, ProviderRefused):
        return ProviderFailed(connection.code, error.details or {"message": error.message})
    return ThirdPartyFailed(connection.kind.value, str(error))


async def _log_customers(tx: Tx, ids: Sequence[UUID], changed: Changes, *, now: datetime) -> None:
    kind = "customer"
    messages = [
        Message(activity_type="customer.updated", object_type=kind, object_id=one, changes=changed)
        for one in ids
    ]
    await emit(tx, *messages, now=now)


def _columns(vault: Vault, connection: Connection) -> dict[str, Any]:
    return {
        "code": connection.code,
        "name": connection.name,
        "success_redirect_url": connection.success_redirect_url,
        "options": dict(connection.options),
        "secrets": vault.seal(connection.secrets),
    }


def _told(connection: Connection) -> dict[str, Any]:
    return {"integration_type": connection.kind.value, "code": connection.code, "name": connection.name}


def _differences(before: Connection, after: Connection) -> Changes:
    """What is another of a connection's settings; of secrets that they are."""
    shown = [
        {**{name: getattr(one, name) for name in SHOWN}, **shown_options(one)} for one in (before, after)
    ]
    new = {
        name: [FILTERED, FILTERED]
        for name in sorted({*before.secrets, *after.secrets})
        if before.secrets.get(name) != after.secrets.get(name)
    }
    return {**differences(*shown), **new}
