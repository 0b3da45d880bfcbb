"""Name providers, say by which methods members sign in, and let in who comes by one (platform §7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.tenant_limits import Limit, TenantLimits
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotAllowed, NotFound, Problems
from tallymark.domain.redaction import FILTERED
from tallymark.jobs import security
from tallymark.jobs.activity import changes, differences
from tallymark.jobs.notices import NoticeKind, notify_admins
from tallymark.rooms.members.service import invites
from tallymark.rooms.sso import repository
from tallymark.rooms.sso.model import (
    ATTEMPT_LASTS,
    KINDS,
    Arrival,
    Attempt,
    Identity,
    IdentityProvider,
    ProviderSettings,
    Ticket,
    check_settings,
)
from tallymark.rooms.users import service as users
from tallymark.rooms.users.model import LoginMethod, User, hash_token

LOCK = "authentication-methods"
METHODS = tuple(method.value for method in LoginMethod)


async def list_methods(tx: Tx) -> tuple[str, ...]:
    """By which methods the organization's members sign in."""
    return await repository.get_methods(tx)


async def set_methods(tx: Tx, methods: Sequence[str], *, now: datetime) -> tuple[str, ...]:
    """Say by which methods members sign in; sessions by others enter no more.

    Raises `NotAllowed("enabled_authentication_methods_required")` for none, `Invalid` for one that is none, or that has no provider.
    """
    await tx.lock(LOCK, tx.organization_id)
    wanted = [method for method in METHODS if method in methods]
    if set(methods) != set(wanted):
        raise Invalid({"authentication_methods": ["value_is_invalid"]})
    if not wanted:
        raise NotAllowed("enabled_authentication_methods_required")
    there_are = {provider.settings.kind.value for provider in await repository.list_providers(tx)}
    if any(kind.value in wanted and kind.value not in there_are for kind in KINDS):
        raise Invalid({"authentication_methods": ["relation_must_exist"]})
    before = list(await repository.get_methods(tx))
    if wanted != before:
        await repository.set_methods(tx, wanted)
        await security.record(tx, "integration.updated", _methods_changed(before, wanted), now=now)
        await notify_admins(tx, NoticeKind.METHODS_CHANGED, ", ".join(wanted))
    return tuple(wanted)


async def list_providers(tx: Tx) -> list[IdentityProvider]:
    """The organization's providers."""
    return await repository.list_providers(tx)


async def save_provider(
    tx: Tx, key: bytes, settings: ProviderSettings, client_secret: str | None, *, now: datetime
) -> IdentityProvider:
    """Name a provider, or change one: without a secret it keeps the one that it has.

    Raises `Invalid` with all that is wrong; `domain_not_unique` where another provider of the installation speaks for the domain.
    """
    await tx.lock(LOCK, tx.organization_id)
    before = await _find(tx, settings.kind)
    problems = Problems()
    check_settings(settings, problems)
    if before is None and not client_secret:
        problems.add("client_secret", "value_is_mandatory")
    problems.raise_any()
    secret = Fernet(key).encrypt(client_secret.encode()) if client_secret else None
    kept = secret if secret is not None else before.client_secret if before else b""
    values = {name: getattr(settings, name) for name in ProviderSettings.__slots__}
    is_own = await repository.save_provider(
        tx,
        {
            "id": before.id if before else new_id(),
            "organization_id": tx.organization_id,
            **values,
            "kind": settings.kind.value,
            "client_secret": kept,
            "created_at": now,
            "updated_at": now,
        },
    )
    if not is_own:
        raise Invalid({"domain": ["domain_not_unique"]})
    event = "integration.updated" if before else "integration.created"
    told = {"integration_type": settings.kind.value, "domain": settings.domain}
    different = changes(before.settings, settings) if before else {}
    if before and secret is not None:
        different = {**different, "client_secret": [FILTERED, FILTERED]}
    await security.record(tx, event, {**told, **security.deletions_and_additions(different)}, now=now)
    saved = await _find(tx, settings.kind)
    assert saved is not None, "what was kept is there"
    return saved


async def delete_provider(tx: Tx, kind: LoginMethod, *, now: datetime) -> None:
    """Name a provider no more; its method goes with it. Raises `NotFound`, `NotAllowed("enabled_authentication_methods_required")`."""
    await tx.lock(LOCK, tx.organization_id)
    provider = await _find(tx, kind)
    if provider is None:
        raise NotFound("identity_provider")
    before = list(await repository.get_methods(tx))
    left = [method for method in before if method != kind.value]
    if not left:
        raise NotAllowed("enabled_authentication_methods_required")
    await repository.delete_provider(tx, kind)
    told: dict[str, Any] = {"integration_type": kind.value, "domain": provider.settings.domain}
    if kind.value in before:
        told |= _methods_changed(before, left)
        await repository.set_methods(tx, left)
        await notify_admins(tx, NoticeKind.METHODS_CHANGED, ", ".join(left))
    await security.record(tx, "integration.deleted", told, now=now)


def _methods_changed(before: Sequence[str], after: Sequence[str]) -> dict[str, Any]:
    return security.deletions_and_additions(
        differences({"authentication_methods": before}, {"authentication_methods": after})
    )


async def find_by_address(connection: AsyncConnection, kind: LoginMethod, address: str) -> IdentityProvider:
    """The provider that speaks for an address. Raises `Invalid` with `domain_not_configured`."""
    domain = address.rpartition("@")[2]
    found = await repository.find_provider(connection, domain=domain, kind=kind)
    if found is None:
        raise Invalid({"base": ["domain_not_configured"]})
    return found


async def get_provider(connection: AsyncConnection, provider_id: UUID) -> IdentityProvider:
    """A provider by its id. Raises `Invalid` with `domain_not_configured` where it is gone."""
    found = await repository.find_provider(connection, provider_id=provider_id)
    if found is None:
        raise Invalid({"base": ["domain_not_configured"]})
    return found


def read_secret(key: bytes, provider: IdentityProvider) -> str:
    """The secret of a provider's client."""
    return Fernet(key).decrypt(provider.client_secret).decode()


async def keep_attempt(
    connection: AsyncConnection,
    method: LoginMethod,
    provider_id: UUID | None,
    ticket: Ticket,
    browser: str,
    *,
    now: datetime,
) -> None:
    """Remember a try of a browser."""
    values: dict[str, Any] = {
        "state_hash": hash_token(ticket.state),
        "browser_hash": hash_token(browser),
        "method": method.value,
        "provider_id": provider_id,
        "nonce": ticket.nonce,
        "verifier": ticket.verifier,
        "expires_at": now + ATTEMPT_LASTS,
    }
    await repository.insert_attempt(connection, values)


async def take_attempt(connection: AsyncConnection, state: str, browser: str, *, now: datetime) -> Attempt:
    """Use a try up. Raises `Invalid` with `state_not_found` for one that is none, is over, or is another browser's."""
    found = await repository.take_attempt(
        connection, state=state, state_hash=hash_token(state), browser_hash=hash_token(browser), now=now
    )
    if found is None:
        raise Invalid({"base": ["state_not_found"]})
    return found


async def arrive(
    connection: AsyncConnection, arrival: Arrival, limits: TenantLimits, *, now: datetime
) -> str:
    """Begin the session of somebody whom a provider has named; returns its token.

    Who comes by an organization's provider for the first time joins it, as nothing yet (quirk); by Google they need to be somebody
    already, or invited, or to want an organization. Raises `Invalid`, `NotFound("invite")`.
    """
    user = await users.lock_user(connection, arrival.address)
    if arrival.invite_token is not None:
        user = await _accept(connection, user, arrival, arrival.invite_token, now=now)
    elif arrival.organization_id is not None:
        user = await _join(connection, user, arrival, arrival.organization_id, limits, now=now)
    if user is None and arrival.wanted:
        return await _sign_up(connection, arrival, arrival.wanted, now=now)
    if user is None:
        raise Invalid({"base": ["user_does_not_exist"]})
    return await users.log_in(
        connection,
        user,
        method=arrival.method,
        device=arrival.device,
        now=now,
        organization_id=arrival.organization_id,
    )


async def _join(
    connection: AsyncConnection,
    user: User | None,
    arrival: Arrival,
    organization_id: UUID,
    limits: TenantLimits,
    *,
    now: datetime,
) -> User:
    if user is None:
        user = await users.create_user(connection, email=arrival.address, password_hash=None, now=now)
    belongs = await users.list_memberships(connection, user.id)
    if not any(one.organization_id == organization_id for one in belongs):
        joined_at = await repository.get_clock(connection, organization_id) or now
        await limits.check(connection, organization_id, Limit.MEMBERS, now=joined_at)
        await users.join(connection, user.id, organization_id, [], now=joined_at)
        await users.tell_joined(connection, user, organization_id, [], device=arrival.device, now=joined_at)
    return user


async def _sign_up(connection: AsyncConnection, arrival: Arrival, name: str, *, now: datetime) -> str:
    user = await users.sign_up(
        connection, email=arrival.address, password_hash=None, organization_name=name, now=now
    )
    return await users.first_log_in(connection, user, method=arrival.method, device=arrival.device, now=now)


async def _accept(
    connection: AsyncConnection, user: User | None, arrival: Arrival, token: str, *, now: datetime
) -> User:
    invitation = await invites.get_invitation(connection, token)
    invite, method = invitation.invite, arrival.method
    if arrival.organization_id not in (None, invite.organization_id):
        raise NotFound("invite")
    if invite.email != arrival.address:
        is_google = method is LoginMethod.GOOGLE_OAUTH
        raise Invalid({"base": ["invite_email_mistmatch" if is_google else "invite_email_mismatch"]})
    if method.value not in invitation.authentication_methods:
        raise Invalid({method.value: ["login_method_not_authorized"]})
    if user is None:
        user = await users.create_user(connection, email=arrival.address, password_hash=None, now=now)
    joined_at = invitation.clock or now
    await invites.accept(connection, invitation, user, device=arrival.device, now=joined_at)
    return user


async def _find(tx: Tx, kind: LoginMethod) -> IdentityProvider | None:
    found = [one for one in await repository.list_providers(tx) if one.settings.kind is kind]
    return found[0] if found else None


def address_of(identity: Identity, method: LoginMethod, provider: IdentityProvider | None) -> str | None:
    """The address that a provider may vouch for: one of its own domain, and by Google one that is verified; else None."""
    address = identity.email
    if address is None and method is LoginMethod.ENTRA_ID:
        address = identity.username
    if address is None or identity.is_verified is False:
        return None
    if provider is None:
        return address if identity.is_verified else None
    return address if address.rpartition("@")[2] == provider.settings.domain else None
