"""Asks payment providers for what is to be collected, outside of transactions (decision 32)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Database
from tallymark.jobs.agenda import Batch, Kind
from tallymark.rooms.billing.service import gate
from tallymark.rooms.payments.model import Outcome
from tallymark.rooms.payments.ports import PaymentProvider, ProviderUnavailable

KINDS = (Kind.COLLECT_PAYMENT, Kind.CANCEL_PAYMENT)
"""The work that a provider has a part in."""


class Collection:
    """Has payments collected and canceled by whoever is registered for the customer's kind of provider.

    An outage, or a kind that nobody is registered for, fails the work: it is tried again as all due work is, with longer and
    longer pauses, and parked after the last try. The same payment is asked for with the same key.
    """

    def __init__(self, database: Database, providers: Mapping[str, PaymentProvider]) -> None:
        self._database = database
        self._providers = providers

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
            order = await gate.order_of(tx, payment_id)
        if order is None:
            return
        outcome = await self._provider(order.provider).charge(order)
        await self.hear(organization_id, payment_id, outcome, now=now, is_simulated=is_simulated)

    async def _cancel(self, organization_id: UUID, payment_id: UUID, *, is_simulated: bool) -> None:
        async with self._database.tenant(organization_id, is_simulated=is_simulated) as tx:
            order = await gate.canceled_order_of(tx, payment_id)
        if order is not None:
            await self._provider(order.provider).cancel(order)

    def _provider(self, kind: str) -> PaymentProvider:
        try:
            return self._providers[kind]
        except KeyError:
            raise ProviderUnavailable(f"nothing is connected to {kind}") from None
