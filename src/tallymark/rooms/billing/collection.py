"""Asks payment providers for what is to be collected, outside of transactions (decisions 32 and 47)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Database, Tx
from tallymark.jobs.agenda import Batch, Kind
from tallymark.rooms.billing.service import gate
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.model import Connection, Outcome
from tallymark.rooms.payment_providers.ports import PaymentProvider, ProviderUnavailable
from tallymark.rooms.payment_providers.vault import Vault
from tallymark.rooms.payments.model import Asked

KINDS = (Kind.COLLECT_PAYMENT, Kind.CANCEL_PAYMENT)
"""The work that a provider has a part in."""


class Collection:
    """Has payments collected and canceled by the adapter of the connection that each was asked for through.

    An outage, or a kind that nobody is registered for, fails the work: it is tried again as all due work is, with longer and
    longer pauses, and parked after the last try. The same payment is asked for with the same key.
    """

    def __init__(self, database: Database, vault: Vault, adapters: Mapping[str, PaymentProvider]) -> None:
        self._database = database
        self._vault = vault
        self._adapters = adapters

    async def __call__(
        self, organization_id: UUID, batch: Batch, *, now: datetime, until: datetime, is_simulated: bool
    ) -> None:
        """Ask for the payments of a batch, or have them canceled."""
        del until
        for payment_id in batch.subject_ids:
            if batch.kind is Kind.CANCEL_PAYMENT:
                await self._cancel(organization_id, payment_id, is_simulated=is_simulated)
            else:
                await self._collect(organization_id, payment_id, now=now, is_simulated=is_simulated)

    async def hear(
        self, organization_id: UUID, payment_id: UUID, outcome: Outcome, *, now: datetime, is_simulated: bool
    ) -> None:
        """Take what a provider tells of a payment later on; told twice, it counts once."""
        async with self._database.tenant(organization_id, is_simulated=is_simulated) as tx:
            await gate.record_outcome(tx, payment_id, outcome, now=now)

    async def _collect(
        self, organization_id: UUID, payment_id: UUID, *, now: datetime, is_simulated: bool
    ) -> None:
        async with self._database.tenant(organization_id, is_simulated=is_simulated) as tx:
            asked = await gate.order_of(tx, payment_id)
            connection = await self._connection(tx, asked)
        if asked is None or connection is None:
            return
        outcome = await self._adapter(connection).charge(connection, asked.order)
        await self.hear(organization_id, payment_id, outcome, now=now, is_simulated=is_simulated)

    async def _cancel(self, organization_id: UUID, payment_id: UUID, *, is_simulated: bool) -> None:
        async with self._database.tenant(organization_id, is_simulated=is_simulated) as tx:
            asked = await gate.canceled_order_of(tx, payment_id)
            connection = await self._connection(tx, asked)
        if asked is not None and connection is not None:
            await self._adapter(connection).cancel(connection, asked.order)

    async def _connection(self, tx: Tx, asked: Asked | None) -> Connection | None:
        if asked is None:
            return None
        return await payment_providers.get_connection(tx, self._vault, asked.connection_id)

    def _adapter(self, connection: Connection) -> PaymentProvider:
        try:
            return self._adapters[connection.kind]
        except KeyError:
            raise ProviderUnavailable(f"nothing speaks to {connection.kind}") from None
