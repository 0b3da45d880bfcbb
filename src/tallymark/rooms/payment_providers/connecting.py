"""How an organization is connected to a provider: the provider is asked first, with no transaction open, and what it let in is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog

from tallymark.api.context import Context
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, Problems, TallymarkError
from tallymark.rooms.payment_providers import service
from tallymark.rooms.payment_providers.fields import LINK_FIRST, compose, key_of
from tallymark.rooms.payment_providers.model import Abilities, Connection, ProviderKind, StoredConnection
from tallymark.rooms.payment_providers.ports import PaymentProvider, ProviderRefused, ProviderUnavailable
from tallymark.rooms.payment_providers.service import Vault

log = structlog.get_logger(__name__)

UNABLE = Abilities(keeps_customers=False)
"""What can be asked of a kind that nobody speaks to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting:
    """Connects organizations, and parts them again."""

    vault: Vault = field(repr=False)
    adapters: Mapping[str, PaymentProvider]

    def abilities(self, kind: ProviderKind) -> Abilities:
        """What can be asked of a kind."""
        adapter = self.adapters.get(kind)
        return adapter.abilities if adapter else UNABLE

    async def connect(self, context: Context, kind: str, sent: Mapping[str, Any]) -> StoredConnection:
        """Connect the organization to a provider that lets it in.

        Raises `Invalid` with all that is wrong, and for a key that the provider does not know; `ProviderFailed`, `ThirdPartyFailed`.
        """
        if kind not in self.adapters:
            raise Invalid({"kind": ["value_is_invalid" if kind else "value_is_mandatory"]})
        blank = Connection(
            id=new_id(),
            organization_id=context.organization_id,
            kind=ProviderKind(kind),
            code="",
            name="",
        )
        problems = Problems()
        asked = compose(blank, sent, problems, is_new=True)
        async with context.transaction() as tx:
            await service.check_code(tx, asked, problems)
        problems.raise_any()
        opened = await self._open(context, asked)
        try:
            async with context.transaction() as tx:
                return await service.add(tx, self.vault, opened, now=context.now)
        except TallymarkError:
            await self._close(opened)  # somebody has taken its code meanwhile
            raise

    async def change(
        self, context: Context, connection_id: UUID, sent: Mapping[str, Any]
    ) -> StoredConnection:
        """Change what is sent of a connection. Raises as `connect` does, `NotFound`, and `Locked` where somebody else changes it."""
        async with context.transaction() as tx:
            before = await service.get_row(tx, connection_id)
            known, problems = self.vault.open(before), Problems()
            asked = compose(known, sent, problems, is_new=False)
            await service.check_code(tx, asked, problems)
        problems.raise_any()
        if not _concerns_provider(known, asked):
            return await self._keep(context, before, asked)
        opened = await self._open(context, asked, known=known)
        try:
            return await self._keep(context, before, opened)
        except TallymarkError:
            await self._put_back(context, connection_id)
            raise

    async def _keep(
        self, context: Context, before: StoredConnection, changed: Connection
    ) -> StoredConnection:
        async with context.transaction() as tx:
            return await service.change(tx, self.vault, before, changed, now=context.now)

    async def _put_back(self, context: Context, connection_id: UUID) -> None:
        """Have events sent again to where they are let in: a change that was not kept has told the provider another address."""
        async with context.transaction() as tx:
            kept = await service.get_connection(tx, self.vault, connection_id)
        assert kept is not None, "connections stay"
        try:
            await self.adapters[kept.kind].open(kept, self.vault.inbound_url(kept))
        except (ProviderRefused, ProviderUnavailable) as error:
            log.warning("a provider was not told that nothing has changed", reason=str(error))

    async def disconnect(self, context: Context, connection_id: UUID) -> StoredConnection:
        """Delete a connection, and have the provider send nothing more. Raises `NotFound`."""
        async with context.transaction() as tx:
            found = await service.delete(tx, connection_id, now=context.now)
        await self._close(self.vault.open(found))
        return found

    async def _open(
        self, context: Context, asked: Connection, *, known: Connection | None = None
    ) -> Connection:
        """Ask a provider to let the organization in; `known` is the connection as it is kept, where there is one that webhooks can name."""
        try:
            return await self.adapters[asked.kind].open(asked, self.vault.inbound_url(asked))
        except (ProviderRefused, ProviderUnavailable) as error:
            if isinstance(error, ProviderRefused) and error.is_unauthorized:
                raise Invalid({key_of(asked.kind): ["value_is_invalid"]}) from error
            if known is not None and known.kind is ProviderKind.STRIPE:
                async with context.transaction() as tx:
                    await service.tell_failed(tx, known, error, now=context.now)
            raise service.failure_of(asked, error) from error

    async def _close(self, connection: Connection) -> None:
        adapter = self.adapters.get(connection.kind)
        if adapter is None:
            return
        try:
            await adapter.close(connection)
        except (ProviderRefused, ProviderUnavailable) as error:
            # What it goes on sending is refused at the door.
            log.warning("a provider was not told of an end", kind=connection.kind.value, reason=str(error))


def _concerns_provider(before: Connection, after: Connection) -> bool:
    """Whether a provider has to hear of a change: of other keys and settings, or of the address that its events go to."""

    def told(one: Connection) -> tuple[Any, ...]:
        options = {name: value for name, value in one.options.items() if name != LINK_FIRST}
        return one.code, options, one.secrets

    return told(before) != told(after)
