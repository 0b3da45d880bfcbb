"""How connections look to the web app: a secret that was given is never shown, but for how it ends."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.wire import Input, Instant, Integer, NotEmpty, OptionalText
from tallymark.rooms.payment_providers.fields import MADE_HERE, WEBHOOK_SECRET, endings, shown_options
from tallymark.rooms.payment_providers.model import Abilities, Connection, StoredConnection


class ConnectionInput(Input):
    """What is not sent stays; a secret that is null stays, too. By kind, other settings are asked for."""

    code: OptionalText = None
    name: OptionalText = None
    success_redirect_url: OptionalText = None
    link_first_minutes: Integer | None = None
    secret_key: OptionalText = None
    supports_3ds: bool | None = None
    require_terms_of_service_consent: bool | None = None
    api_key: OptionalText = None
    merchant_account: OptionalText = None
    live_prefix: OptionalText = None
    hmac_key: OptionalText = None
    access_token: OptionalText = None
    client_id: OptionalText = None
    client_secret: OptionalText = None
    flow_id: OptionalText = None


class NewConnectionInput(ConnectionInput):
    kind: OptionalText = None


class NewConnectionRequest(BaseModel):
    payment_provider: Annotated[NewConnectionInput, NotEmpty]


class ConnectionRequest(BaseModel):
    payment_provider: Annotated[ConnectionInput, NotEmpty]


class AbilitiesOutput(BaseModel):
    """What can be done by a kind of provider."""

    saves_methods: bool
    charges: bool
    has_pages: bool
    refunds: bool

    @classmethod
    def of(cls, abilities: Abilities) -> AbilitiesOutput:
        """Show what a kind can be asked for."""
        return cls(**{name: getattr(abilities, name) for name in cls.model_fields})


class ConnectionOutput(BaseModel):
    lago_id: UUID
    kind: str
    code: str
    name: str
    success_redirect_url: str | None
    inbound_url: str | None
    """Where the provider sends its events; null for whom may not see integrations, as are the next three."""
    inbound_secret: str | None
    """By what events are verified, where it was made here and is to be pasted at the provider; null for whom may not change integrations, too."""
    options: dict[str, Any] | None
    secrets: dict[str, str] | None
    """How those end that were given."""
    customers_count: int
    created_at: Instant
    abilities: AbilitiesOutput


class ConnectionResponse(BaseModel):
    payment_provider: ConnectionOutput


class ConnectionsResponse(BaseModel):
    payment_providers: list[ConnectionOutput]


def plain_fields(stored: StoredConnection, abilities: Abilities, customers: int) -> dict[str, Any]:
    """What everybody sees of a connection who sees it at all."""
    return {
        "lago_id": stored.id,
        "kind": stored.kind.value,
        "code": stored.code,
        "name": stored.name,
        "success_redirect_url": stored.success_redirect_url,
        "customers_count": customers,
        "created_at": stored.created_at,
        "abilities": AbilitiesOutput.of(abilities),
    }


def inner_fields(connection: Connection, inbound_url: str, *, with_secret: bool) -> dict[str, Any]:
    """What those see who may see integrations."""
    made_here = connection.secrets.get(WEBHOOK_SECRET) if connection.kind in MADE_HERE else None
    return {
        "inbound_url": inbound_url,
        "inbound_secret": made_here if with_secret else None,
        "options": shown_options(connection),
        "secrets": endings(connection),
    }


UNSEEN = dict.fromkeys(("inbound_url", "inbound_secret", "options", "secrets"))
"""What the others see of it."""
