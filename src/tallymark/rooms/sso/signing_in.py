"""How people come in by a provider: they are sent there with a ticket, come back with a code, and are let in."""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from tallymark.api.tenant_limits import TenantLimits
from tallymark.db.engine import Database
from tallymark.domain.errors import Invalid
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.sso import service
from tallymark.rooms.sso.model import (
    CALLBACKS,
    GOOGLE_ISSUER,
    KINDS,
    Arrival,
    Attempt,
    Client,
    IdentityProvider,
    Luggage,
    Ticket,
    failure_of,
)
from tallymark.rooms.sso.ports import Provider, ProviderFailed, TokenRefused
from tallymark.rooms.users.entering import Door
from tallymark.rooms.users.guessing import DOOR
from tallymark.rooms.users.model import LONGEST_NAME, Device, LoginMethod, read_address
from tallymark.rooms.users.signing_up import SignUpRules

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Google:
    """The installation's client at Google; tests have another issuer."""

    client_id: str
    client_secret: str = field(repr=False)
    issuer: str = GOOGLE_ISSUER


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleSignOn:
    """Lets people in by providers."""

    database: Database
    door: Door
    rules: SignUpRules
    limits: TenantLimits
    provider: Provider
    key: bytes = field(repr=False)
    app_url: str
    google: Google | None

    async def begin(self, method: str, email: str, browser: str, device: Device) -> str:
        """Where a browser goes to say who somebody is.

        Raises `Invalid`: `login_method_not_authorized` for a method that has no provider, `google_auth_missing_setup`,
        `domain_not_configured`, the codes of a provider that fails; `TooMany`.
        """
        chosen = _read_method(method)
        address = read_address(email) if chosen in KINDS or email else None
        await self.door.count(DOOR, "sso", "", device)
        found = None
        if chosen in KINDS:
            assert address is not None, "it was read"
            async with self.database.system() as connection:
                found = await service.find_by_address(connection, chosen, address)
        ticket = Ticket.new()
        try:
            url = await self.provider.authorize_url(self._client(chosen, found), ticket, email=address)
        except ProviderFailed as error:
            raise _failed(chosen, error, is_token=False) from error
        async with self.database.system() as connection:
            await service.keep_attempt(
                connection, chosen, found.id if found else None, ticket, browser, now=system_now()
            )
        return url

    async def finish(self, state: str, code: str, browser: str, luggage: Luggage, device: Device) -> str:
        """Let in who has come back, and return the token of the session. Raises `Invalid`, `NotFound("invite")`.

        Whom Google names, and who is nobody here yet, signs up where they bring the name of an organization, and may.
        """
        wanted = (luggage.organization_name or "").strip()
        if len(wanted) > LONGEST_NAME:
            raise Invalid({"organization_name": ["value_is_too_long"]})
        async with self.database.system() as connection:
            attempt = await service.take_attempt(connection, state, browser, now=system_now())
            found = None
            if attempt.provider_id is not None:
                found = await service.get_provider(connection, attempt.provider_id)
        if not code:
            raise Invalid({"base": ["code_not_found"]})
        address = await self._identify(attempt, found, code)
        arrival = Arrival(
            address=address,
            method=attempt.method,
            organization_id=found.organization_id if found else None,
            invite_token=luggage.invite_token,
            device=device,
            wanted=wanted if found is None and self.rules.admit(address) else None,
        )
        async with self.database.system() as connection:
            return await service.arrive(connection, arrival, self.limits, now=system_now())

    async def _identify(self, attempt: Attempt, found: IdentityProvider | None, code: str) -> str:
        method = attempt.method
        try:
            identity = await self.provider.identify(self._client(method, found), attempt.ticket, code)
        except ProviderFailed as error:
            raise _failed(method, error, is_token=False) from error
        except TokenRefused as error:
            raise _failed(method, error, is_token=True) from error
        address = service.address_of(identity, method, found)
        if address is None:
            raise Invalid({"base": [failure_of(method, is_token=True)]})
        return address

    def _client(self, method: LoginMethod, found: IdentityProvider | None) -> Client:
        back = self.app_url + CALLBACKS[method]
        if found is not None:
            return Client(
                issuer=found.settings.issuer_url,
                client_id=found.settings.client_id,
                client_secret=service.read_secret(self.key, found),
                redirect_uri=back,
                is_issuer_told=method is LoginMethod.ENTRA_ID,
            )
        if self.google is None:
            raise Invalid({"base": ["google_auth_missing_setup"]})
        return Client(
            issuer=self.google.issuer,
            client_id=self.google.client_id,
            client_secret=self.google.client_secret,
            redirect_uri=back,
        )


def _read_method(text: str) -> LoginMethod:
    if text not in [method.value for method in CALLBACKS]:
        raise Invalid({"method": ["value_is_invalid"]})
    return LoginMethod(text)


def _failed(method: LoginMethod, error: Exception, *, is_token: bool) -> Invalid:
    log.warning("an identity provider failed", method=method.value, reason=str(error))
    return Invalid({"base": [failure_of(method, is_token=is_token)]})
