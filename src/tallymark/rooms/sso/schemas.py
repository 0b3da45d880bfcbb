"""How providers and methods look to the web app (decision 25). Bodies are flat; a secret is never shown."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tallymark.api.wire import Input, OptionalText, Text
from tallymark.rooms.sso.model import IdentityProvider, ProviderSettings
from tallymark.rooms.users.model import LoginMethod


class BeginRequest(Input):
    method: Text = ""
    email: Text = ""


class BeginResponse(BaseModel):
    url: str


class FinishRequest(Input):
    state: Text = ""
    code: Text = ""
    invite_token: OptionalText = None
    organization_name: OptionalText = None
    """What somebody new wants their organization to be called."""


class MethodsRequest(Input):
    authentication_methods: tuple[str, ...] = ()


class MethodsResponse(BaseModel):
    authentication_methods: list[str]


class ProviderRequest(Input):
    """What is not sent is none; only the secret stays."""

    domain: Text = ""
    client_id: Text = ""
    client_secret: OptionalText = None
    host: OptionalText = None
    organization_name: OptionalText = None
    tenant_id: OptionalText = None
    issuer: OptionalText = None

    def to_value(self, kind: LoginMethod) -> ProviderSettings:
        """The settings as they were sent."""
        return ProviderSettings(
            kind=kind,
            domain=self.domain.strip().lower(),
            client_id=self.client_id.strip(),
            host=self.host,
            organization_name=self.organization_name,
            tenant_id=self.tenant_id,
            issuer=self.issuer,
        )


class ProviderOutput(BaseModel):
    lago_id: UUID
    kind: str
    domain: str
    client_id: str
    host: str | None
    organization_name: str | None
    tenant_id: str | None
    issuer: str
    """Who signs the provider's tokens, as it follows from the rest."""

    @classmethod
    def of(cls, provider: IdentityProvider) -> ProviderOutput:
        """Show a provider without its secret."""
        same = ("domain", "client_id", "host", "organization_name", "tenant_id")
        shown = {name: getattr(provider.settings, name) for name in same}
        kind, issuer = provider.settings.kind.value, provider.settings.issuer_url
        return cls(lago_id=provider.id, kind=kind, issuer=issuer, **shown)


class ProviderResponse(BaseModel):
    identity_provider: ProviderOutput


class ProvidersResponse(BaseModel):
    identity_providers: list[ProviderOutput]
