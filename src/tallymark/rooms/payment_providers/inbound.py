"""The door at which providers tell what has happened: whoever it is, is verified before anything is kept (wallets-and-payments §12.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from tallymark.api.context import Context, Gatekeeper, Principal
from tallymark.api.links import Site
from tallymark.db.engine import Database
from tallymark.rooms.payment_providers import service
from tallymark.rooms.payment_providers.model import Connection, ProviderKind
from tallymark.rooms.payment_providers.ports import BadSignature, PaymentProvider
from tallymark.rooms.payment_providers.service import Vault


class Unheard(Exception):
    """It comes from nobody whom the organization is connected to, as far as anybody can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """Takes what providers send."""

    database: Database
    gatekeeper: Gatekeeper
    site: Site
    vault: Vault = field(repr=False)
    adapters: Mapping[str, PaymentProvider]

    async def take(
        self, kind: str, organization: str, code: str | None, headers: Mapping[str, str], body: bytes
    ) -> None:
        """Keep an event that is its provider's, and have it heard; for a simulated organization that is done before this returns.

        Raises `Unheard`, which does not tell why, and `Conflict` while the organization's clock is advancing.
        """
        try:
            organization_id = UUID(organization)
            adapter = self.adapters[kind]
        except (ValueError, KeyError):
            raise Unheard from None
        named, is_simulated = await self._find(organization_id, ProviderKind(kind), code)
        connection = next((one for one in named if _is_from(adapter, one, headers, body)), None)
        if connection is None:
            raise Unheard
        principal = Principal(organization_id=organization_id, is_simulated=is_simulated)
        context = Context(
            database=self.database,
            organization_id=organization_id,
            api_key_id=None,
            is_simulated=is_simulated,
            now=await self.gatekeeper.read_clock(principal, is_write=True),
            links=self.site.links(organization_id),
        )
        async with self.database.tenant(organization_id, is_simulated=is_simulated) as tx:
            await service.keep_event(tx, connection.id, body, now=context.now)
        if is_simulated:
            await self.gatekeeper.settle(context)

    async def _find(
        self, organization_id: UUID, kind: ProviderKind, code: str | None
    ) -> tuple[list[Connection], bool]:
        async with self.database.tenant(organization_id) as tx:
            named = await service.list_addressed(tx, kind=kind, code=code)
            return [self.vault.open(one) for one in named], await service.is_simulated(tx)


def _is_from(
    adapter: PaymentProvider, connection: Connection, headers: Mapping[str, str], body: bytes
) -> bool:
    try:
        adapter.verify(connection, headers, body)
    except BadSignature:
        return False
    return True
