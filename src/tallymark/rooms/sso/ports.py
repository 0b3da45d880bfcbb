"""What single sign-on asks of the outside: a provider that says who somebody is."""

from __future__ import annotations

from typing import Protocol

from tallymark.rooms.sso.model import Client, Identity, Ticket


class ProviderFailed(Exception):
    """The provider can't be reached, or has not answered as it should."""


class TokenRefused(Exception):
    """What the provider says is not signed by it, not meant for us, or not for this try."""


class Provider(Protocol):
    """Speaks with identity providers."""

    async def authorize_url(self, client: Client, ticket: Ticket, *, email: str | None) -> str:
        """Where somebody goes to say who they are. Raises `ProviderFailed`."""

    async def identify(self, client: Client, ticket: Ticket, code: str) -> Identity:
        """Who somebody is, by the code with which they came back. Raises `ProviderFailed`, `TokenRefused`."""
