"""Pages on which payment requests are paid, asked for with no transaction open (wallets-and-payments §16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from tallymark.db.engine import Database
from tallymark.rooms.billing.service import together
from tallymark.rooms.billing.service.together import Page
from tallymark.rooms.organizations.access import now_of
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.model import Connection, Link
from tallymark.rooms.payment_providers.ports import PaymentProvider, ProviderRefused, ProviderUnavailable
from tallymark.rooms.payment_providers.service import Vault

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPages:
    """Finds the page of a payment request, or has one made."""

    database: Database
    vault: Vault = field(repr=False)
    adapters: Mapping[str, PaymentProvider]

    async def __call__(self, organization_id: UUID, request_id: UUID, *, is_simulated: bool) -> str | None:
        """Where a request is paid; None where nothing is to be paid, where there is no such page, or none is made just now."""
        async with self.database.tenant(organization_id, is_simulated=is_simulated) as tx:
            page = await together.look_for_page(tx, request_id, now=await now_of(tx))
            if not isinstance(page, Page):
                return page
            connection = await payment_providers.get_connection(tx, self.vault, page.wanted.connection_id)
        made = None if connection is None else await self._make(connection, page)
        if made is None:
            return None
        async with self.database.tenant(organization_id, is_simulated=is_simulated) as tx:
            return await together.keep_page(tx, page, made, now=await now_of(tx))

    async def _make(self, connection: Connection, page: Page) -> Link | None:
        adapter = self.adapters.get(connection.kind)
        if adapter is None or not adapter.abilities.has_pages:
            return None
        try:
            return await adapter.payment_link(connection, page.wanted.order)
        except (ProviderRefused, ProviderUnavailable) as error:
            log.warning("no page to pay on", request_id=str(page.request_id), reason=str(error))
            return None
