"""What the operator's commands do on a database, without a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from tallymark.api.errors import field_errors
from tallymark.api.permissions import MODES, PermissionMap
from tallymark.api.wire import wire_instant
from tallymark.db.engine import Database, Tx
from tallymark.db.errors import StartupError
from tallymark.db.holding import end_holds
from tallymark.domain.errors import Invalid, NotFound
from tallymark.first_run import FirstRun, make_organization
from tallymark.jobs.deeds import AT_THE_SHELL, Deed, Verb, note, note_last, of_installation
from tallymark.rooms.audit.model import Breach, Law
from tallymark.rooms.audit.service import LAWS, breaches_of
from tallymark.rooms.billing_entities import service as billing_entities
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices import explaining
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.limits import service as limits
from tallymark.rooms.limits.model import Allowed, Values
from tallymark.rooms.limits.service import Defaults
from tallymark.rooms.members.model import INVITES
from tallymark.rooms.members.service import invites
from tallymark.rooms.organizations import census, service
from tallymark.rooms.organizations.access import now_of
from tallymark.rooms.organizations.model import ApiKey, BillingEntity, Entry
from tallymark.rooms.organizations.schemas import (
    CreatedOrganizationOutput,
    NewOrganizationRequest,
    NewOrganizationResponse,
    OrganizationOutput,
)


def read_request(*, name: str, email: str | None, test_clock: str | None) -> NewOrganizationRequest:
    """The flags as the admin API's request. Raises `StartupError` when it would refuse them."""
    clock = {"frozen_time": test_clock} if test_clock else None
    try:
        return NewOrganizationRequest.model_validate({"name": name, "email": email, "test_clock": clock})
    except ValidationError as error:
        wrong = field_errors(list(error.errors()))
        raise StartupError(
            "; ".join(f"{field}: {', '.join(codes)}" for field, codes in wrong.items())
        ) from None


async def create_organization(
    url: str, request: NewOrganizationRequest, *, app_url: str, now: datetime
) -> NewOrganizationResponse:
    """Make an organization; the answer is the admin API's (test-clock.md)."""
    database = Database(url, pool_size=2)
    try:
        frozen_time = request.test_clock.frozen_time if request.test_clock else None
        async with database.system() as connection:
            made = await service.create_organization(
                connection, name=request.name, email=request.email, now=now, frozen_time=frozen_time
            )
            await service.note_created(
                connection, made, name=request.name, email=request.email, by=AT_THE_SHELL, now=now
            )
            secret = await service.get_or_make_secret(connection, INVITES)
        async with database.tenant(made.organization_id) as tx:
            organization = await service.get_organization(tx)
            invite_url = await invites.invite_first_admin(
                tx, secret, request.email, app_url=app_url, now=frozen_time or now
            )
    finally:
        await database.close()
    clock = {"frozen_time": wire_instant(frozen_time)} if frozen_time else None
    shown = CreatedOrganizationOutput(**OrganizationOutput.of(organization, ()).__dict__, test_clock=clock)
    return NewOrganizationResponse(organization=shown, api_key=made.api_key, invite_url=invite_url)


async def change_limits(
    url: str, name: str, values: Values, defaults: Defaults, *, now: datetime
) -> list[Allowed]:
    """Say something of limits of an organization, as far as something is said, and return all of them."""
    database = Database(url, pool_size=2)
    try:
        async with database.system() as connection:
            organization_id = await census.find_organization(connection, name)
            if values:
                by = limits.Setter(staff=AT_THE_SHELL)
                await limits.set_own(connection, organization_id, values, by=by, now=now)
            return await limits.list_allowed(connection, organization_id, defaults)
    except NotFound:
        raise StartupError(f"there is no organization {name}") from None
    finally:
        await database.close()


async def make_first_organization(url: str, asked: FirstRun, *, now: datetime) -> str | None:
    """Make the organization that the settings ask for, unless it is there; returns the key that was made up for it."""
    database = Database(url, pool_size=2)
    try:
        return await make_organization(database, asked, now=now)
    finally:
        await database.close()


async def find_fee(url: str, fee_id: UUID) -> FeeRecord:
    """A fee of any organization. Raises `StartupError` for an unknown one."""
    database = Database(url, pool_size=2)
    try:
        async with database.system() as connection:
            organization_id = await fees.organization_of(connection, fee_id)
        async with database.tenant(organization_id) as tx:
            return await fees.get_fee(tx, fee_id)
    except NotFound:
        raise StartupError(f"there is no fee {fee_id}") from None
    finally:
        await database.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedInvoice:
    """An invoice with the steps to its total, and the names of its fees by their ids."""

    number: str
    currency: str
    steps: Sequence[Mapping[str, Any]]
    fee_names: Mapping[str, str]


async def find_invoice(url: str, invoice_id: UUID) -> ExplainedInvoice:
    """An invoice of any organization, explained. Raises `StartupError` for an unknown one."""
    database = Database(url, pool_size=2)
    try:
        async with database.system() as connection:
            organization_id = await explaining.organization_of(connection, invoice_id)
        async with database.tenant(organization_id) as tx:
            invoice = await invoices.get_invoice(tx, invoice_id)
            lines = (await fees.of_invoices(tx, [invoice_id])).get(invoice_id, [])
            return ExplainedInvoice(
                number=invoice.number,
                currency=invoice.currency,
                steps=await explaining.explanation_of(tx, invoice),
                fee_names={str(fee.id): _name_of(fee) for fee in lines},
            )
    except NotFound:
        raise StartupError(f"there is no invoice {invoice_id}") from None
    finally:
        await database.close()


def _name_of(fee: FeeRecord) -> str:
    named = [fee.invoice_display_name or fee.item_name, fee.filter_display_name]
    return " • ".join(
        [*(name for name in named if name), *(f"{value}" for value in fee.grouped_by.values() if value)]
    )


async def audit(
    url: str, organization: str | None, tell: Callable[[Entry, Law, Breach | None], None]
) -> None:
    """Hold one organization (slug or id), or all of them, against every law.

    `tell` hears of each breach as it is found, and of each law with None once it was read.
    """
    database = Database(url, pool_size=2)
    try:
        async with database.system() as connection:
            entries = await census.list_organizations(connection)
        chosen = [one for one in entries if organization in (None, one.slug, str(one.id))]
        if not chosen:
            raise StartupError("organization not found")
        for entry in chosen:
            async with database.snapshot(entry.id) as tx:
                for law in LAWS:
                    async for breach in breaches_of(tx, law):
                        tell(entry, law, breach)
                    tell(entry, law, None)
    finally:
        await database.close()


async def list_organizations(url: str) -> list[Entry]:
    """Every organization, the oldest first."""
    database = Database(url, pool_size=2)
    try:
        async with database.system() as connection:
            return await census.list_organizations(connection)
    finally:
        await database.close()


def read_permissions(allowed: Sequence[str]) -> PermissionMap | None:
    """Permissions as flags tell them, `RESOURCE:read,write` or `RESOURCE` for both; None for no flag.

    >>> read_permissions(["customer:read", "event"])
    {'customer': ['read'], 'event': ['read', 'write']}
    """
    if not allowed:
        return None
    parts = (flag.partition(":") for flag in allowed)
    return {resource: modes.split(",") if colon else list(MODES) for resource, colon, modes in parts}


async def create_api_key(
    url: str,
    organization: str,
    *,
    name: str | None,
    expires_at: datetime | None,
    permissions: PermissionMap | None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Make one more key of an organization (slug or id); its value is returned this once."""
    async with _tenant(url, organization) as tx:
        made = await service.create_api_key(
            tx, name=name, now=now, expires_at=expires_at, permissions=permissions
        )
        await _note_key(tx, Verb.CREATED, after=made[0], now=now)
        return made


async def list_api_keys(url: str, organization: str, *, now: datetime) -> list[ApiKey]:
    """The keys of an organization that have not ended, without their values."""
    async with _tenant(url, organization) as tx:
        return await service.list_api_keys(tx, now=now)


async def permit_api_key(
    url: str, organization: str, key_id: UUID, permissions: PermissionMap | None, *, now: datetime
) -> ApiKey:
    """Change what a key may do; None is everything. Other processes see it within half a minute."""
    async with _tenant(url, organization) as tx:
        before = await _find_key(tx, key_id, now=now)
        changed = await service.set_permissions(tx, key_id, permissions, now=now)
        await _note_key(tx, Verb.CHANGED, before=before, after=changed, now=now)
        return changed


async def rotate_api_key(
    url: str,
    organization: str,
    key_id: UUID,
    *,
    name: str | None,
    old_ends_at: datetime | None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Make a key in place of another; its value is returned this once."""
    async with _tenant(url, organization) as tx:
        before = await _find_key(tx, key_id, now=now)
        made = await service.rotate_api_key(tx, key_id, name=name, old_ends_at=old_ends_at, now=now)
        await _note_key(tx, Verb.ROTATED, before=before, after=made[0], now=now)
        return made


async def delete_api_key(url: str, organization: str, key_id: UUID, *, now: datetime) -> None:
    """End a key at once; other processes stop honouring it within half a minute."""
    async with _tenant(url, organization) as tx:
        before = await _find_key(tx, key_id, now=now)
        await service.delete_api_key(tx, key_id, now=now)
        await _note_key(tx, Verb.DELETED, before=before, now=now)


async def _find_key(tx: Tx, key_id: UUID, *, now: datetime) -> ApiKey | None:
    return next((key for key in await service.list_api_keys(tx, now=now) if key.id == key_id), None)


async def _note_key(
    tx: Tx, verb: Verb, *, before: ApiKey | None = None, after: ApiKey | None = None, now: datetime
) -> None:
    key = after or before
    if key is None or before == after:
        return
    deed = Deed(
        verb=verb,
        subject_type="api_key",
        subject_id=str(key.id),
        subject=key.name or str(key.id),
        organization_id=tx.organization_id,
        before=_told(before),
        after=_told(after),
    )
    await note_last(tx, AT_THE_SHELL, deed, now=now)


def _told(key: ApiKey | None) -> dict[str, Any]:
    """What the audit says of a key; its value is in no place."""
    if key is None:
        return {}
    ends = key.expires_at.isoformat() if key.expires_at else None
    return {"id": str(key.id), "name": key.name, "expires_at": ends, "permissions": key.permissions}


async def archive_entity(url: str, organization: str, code: str, *, now: datetime) -> BillingEntity:
    """Take a billing entity of an organization (slug or id) out of use, by the organization's clock; `now` is the system's."""
    async with _tenant(url, organization) as tx:
        archived = await billing_entities.archive_entity(tx, code, now=await now_of(tx))
        deed = Deed(
            verb=Verb.ARCHIVED,
            subject_type="billing_entity",
            subject_id=str(archived.id),
            subject=archived.code,
            organization_id=tx.organization_id,
        )
        await note_last(tx, AT_THE_SHELL, deed, now=now)
        return archived


async def find_organization_id(url: str, organization: str) -> UUID:
    """The id of an organization (slug or id). Raises `StartupError`."""
    async with _tenant(url, organization) as tx:
        return tx.organization_id


@asynccontextmanager
async def _tenant(url: str, organization: str) -> AsyncIterator[Tx]:
    database = Database(url, pool_size=2)
    try:
        async with database.system() as connection:
            organization_id = await census.find_organization(connection, organization)
        async with database.tenant(organization_id) as tx:
            yield tx
    except NotFound as error:
        raise StartupError(error.code.replace("_", " ")) from None
    except Invalid as error:
        raise StartupError("; ".join(code for codes in error.details.values() for code in codes)) from None
    finally:
        await database.close()


async def let_go(url: str, *, now: datetime) -> bool:
    """Let the workers of an installation that is held back go on; whether it was."""
    database = Database(url, pool_size=2)
    try:
        async with database.system() as connection:
            was_held = await end_holds(connection) > 0
            if was_held:
                deed = of_installation(Verb.RESUMED, "workers")
                await note(connection, AT_THE_SHELL, deed, now=now)
            return was_held
    finally:
        await database.close()


async def note_deed(url: str, deed: Deed, *, now: datetime) -> None:
    """Note in the audit of staff what was done by the shell outside of a transaction: files, and a database's whole content."""
    database = Database(url, pool_size=1)
    try:
        async with database.system() as connection:
            await note(connection, AT_THE_SHELL, deed, now=now)
    finally:
        await database.close()
