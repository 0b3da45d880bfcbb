"""What a provider is, and what it says of somebody (platform §7)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from tallymark.domain.errors import Problems
from tallymark.rooms.users.model import Device, LoginMethod

GOOGLE_ISSUER = "https://accounts.google.com"
ATTEMPT_LASTS = timedelta(seconds=90)

KINDS = (LoginMethod.OKTA, LoginMethod.ENTRA_ID, LoginMethod.OIDC)
"""The methods for which an organization names a provider of its own."""

CALLBACKS: Mapping[LoginMethod, str] = {
    LoginMethod.GOOGLE_OAUTH: "/auth/google/callback",
    LoginMethod.OKTA: "/auth/okta/callback",
    LoginMethod.ENTRA_ID: "/auth/entra-id/callback",
    LoginMethod.OIDC: "/auth/oidc/callback",
}
"""Where people come back to, below the web app's address."""

_HOST = re.compile(r"[A-Za-z0-9.-]+")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """How an organization's provider is reached, and whose addresses it speaks for."""

    kind: LoginMethod
    domain: str
    client_id: str
    host: str | None = None
    organization_name: str | None = None
    tenant_id: str | None = None
    issuer: str | None = None

    @property
    def issuer_url(self) -> str:
        """Who signs the provider's tokens.

        >>> ProviderSettings(kind=LoginMethod.OKTA, domain="a.test", client_id="c", organization_name="acme").issuer_url
        'https://acme.okta.com'
        >>> ProviderSettings(kind=LoginMethod.ENTRA_ID, domain="a.test", client_id="c", tenant_id="t").issuer_url
        'https://login.microsoftonline.com/t/v2.0'
        """
        match self.kind:
            case LoginMethod.OKTA:
                return f"https://{self.host or f'{self.organization_name}.okta.com'}"
            case LoginMethod.ENTRA_ID:
                return f"https://{self.host or 'login.microsoftonline.com'}/{self.tenant_id}/v2.0"
            case _:
                assert self.issuer is not None, "a provider that is none of the known ones has an issuer"
                return self.issuer


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityProvider:
    """An organization's provider."""

    id: UUID
    organization_id: UUID
    settings: ProviderSettings
    client_secret: bytes = field(repr=False)
    """Encrypted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What Tallymark is to a provider."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    is_issuer_told: bool = False
    """Whether the provider, at the same host, may name itself otherwise than it is named here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a try takes along, and has to bring back."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @classmethod
    def new(cls) -> Ticket:
        """One that nobody can guess."""
        return cls(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A try that has come back."""

    method: LoginMethod
    provider_id: UUID | None
    ticket: Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a provider says of somebody; addresses are in small letters."""

    email: str | None
    username: str | None
    is_verified: bool | None
    """Whether the address is known to be theirs; None where nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Luggage:
    """What somebody took along to a provider and brings back: an invitation, or the name of the organization that they want."""

    invite_token: str | None = None
    organization_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Somebody whom a provider has named: an organization's, or Google."""

    address: str
    method: LoginMethod
    organization_id: UUID | None
    invite_token: str | None
    device: Device
    wanted: str | None = None
    """The name of the organization that they sign up with, where they may and are not there yet."""


def failure_of(method: LoginMethod, *, is_token: bool) -> str:
    """The code of what went wrong between a provider and us: with its token, or with asking for one (platform §7)."""
    if method is LoginMethod.GOOGLE_OAUTH:
        return "invalid_google_token" if is_token else "invalid_google_code"
    return f"{method.value}_{'userinfo' if is_token else 'request'}_error"


def check_settings(settings: ProviderSettings, problems: Problems) -> None:
    """Note all that is wrong with a provider's settings (platform §7)."""
    if not _DOMAIN.fullmatch(settings.domain):
        problems.add("domain", "value_is_invalid" if settings.domain else "value_is_mandatory")
    if not settings.client_id:
        problems.add("client_id", "value_is_mandatory")
    if settings.host is not None and not _HOST.fullmatch(settings.host):
        problems.add("host", "host_invalid")
    match settings.kind:
        case LoginMethod.OKTA:
            if not settings.organization_name and settings.host is None:
                problems.add("organization_name", "value_is_mandatory")
            elif settings.organization_name and not _HOST.fullmatch(settings.organization_name):
                problems.add("organization_name", "value_is_invalid")
        case LoginMethod.ENTRA_ID:
            if not settings.tenant_id:
                problems.add("tenant_id", "value_is_mandatory")
            elif not _HOST.fullmatch(settings.tenant_id):
                problems.add("tenant_id", "tenant_id_invalid")
        case _:
            if not settings.issuer:
                problems.add("issuer", "value_is_mandatory")
            elif not _is_url(settings.issuer):
                problems.add("issuer", "url_is_invalid")


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    is_plain = not parts.query and not parts.fragment and "@" not in parts.netloc
    return parts.scheme in ("https", "http") and bool(parts.hostname) and is_plain
