"""Asks payment providers to pay back what credit notes refund, outside of transactions (wallets §14, decision 47)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Database
from tallymark.jobs.agenda import Batch
from tallymark.rooms.billing.service import refunds
from tallymark.rooms.billing.service.refunds import Asked
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.model import Connection, RefundOutcome, RefundStatus
from tallymark.rooms.payment_providers.ports import PaymentProvider, ProviderRefused
from tallymark.rooms.payment_providers.vault import Vault


class Refunds:
    """Has refunds paid by who collected the money.

    An outage fails the work: it is tried again as all due work is, with longer and longer pauses, and parked after the last
    try. The same refund is asked for with the same key.
    """

    def __init__(self, database: Database, vault: Vault, adapters: Mapping[str, PaymentProvider]) -> None:
        self._database = database
        self._vault = vault
        self._adapters = adapters
        self._kinds = frozenset(kind for kind, one in adapters.items() if one.abilities.refunds)

    async def __call__(
        self, organization_id: UUID, batch: Batch, *, now: datetime, until: datetime, is_simulated: bool
    ) -> None:
        """Have the refunds of a batch of credit notes paid."""
        del until
        for note_id in batch.subject_ids:
            await self._refund(organization_id, note_id, now=now, is_simulated=is_simulated)

    async def _refund(
        self, organization_id: UUID, note_id: UUID, *, now: datetime, is_simulated: bool
    ) -> None:
        async with self._database.tenant(organization_id, is_simulated=is_simulated) as tx:
            asked = await refunds.begin(tx, note_id, self._kinds, now=now)
            if asked is None:
                return
            connection = await payment_providers.get_connection(tx, self._vault, asked.connection_id)
        assert connection is not None, "connections are never deleted from their table"
        outcome = await self._ask(connection, asked)
        async with self._database.tenant(organization_id, is_simulated=is_simulated) as tx:
            await refunds.record(tx, note_id, outcome, now=now)

    async def _ask(self, connection: Connection, asked: Asked) -> RefundOutcome:
        try:
            return await self._adapters[connection.kind].refund(connection, asked.order)
        except ProviderRefused as error:
            if error.is_unauthorized:
                raise  # of who asks, not of what is asked: with keys that are good it is paid
            return RefundOutcome(
                refund_status=RefundStatus.FAILED,
                status="refused",
                error_code=error.code,
                error_message=error.message,
            )
