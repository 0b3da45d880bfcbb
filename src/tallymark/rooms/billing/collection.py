"""Asks payment providers for what is to be collected, and hears what they tell, outside of transactions (decisions 32 and 47)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Database, Tx
from tallymark.domain.values import value
from tallymark.jobs.agenda import Batch, Kind
from tallymark.rooms.billing.service import hearing, outcomes
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.model import Connection, Link, Outcome, RefundStatus
from tallymark.rooms.payment_providers.ports import PaymentProvider, ProviderUnavailable
from tallymark.rooms.payment_providers.vault import Vault
from tallymark.rooms.payments import service as payments
from tallymark.rooms.payments.model import Asked, RefundAsked

KINDS = (Kind.HEAR_PROVIDER, Kind.COLLECT_PAYMENT, Kind.CANCEL_PAYMENT, Kind.CLOSE_PAYMENT_LINK)
"""The work that a provider has a part in."""


@value
class Turn:
    """Whose work is done, as of when."""

    database: Database
    organization_id: UUID
    now: datetime
    is_simulated: bool

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        """Open a transaction on the organization's rows."""
        return self.database.tenant(self.organization_id, is_simulated=self.is_simulated)


class Collection:
    """Has payments collected, canceled and paid back by the adapter of the connection that each was asked for through.

    An outage, or a kind that nobody is registered for, fails the work: it is tried again as all due work is, with longer and
    longer pauses, and parked after the last try. The same payment is asked for with the same key.
    """

    def __init__(self, database: Database, vault: Vault, adapters: Mapping[str, PaymentProvider]) -> None:
        self._database = database
        self._vault = vault
        self._adapters = adapters
        self._works: Mapping[Kind, Callable[[Turn, UUID], Awaitable[None]]] = {
            Kind.HEAR_PROVIDER: self._hear_event,
            Kind.COLLECT_PAYMENT: self._collect,
            Kind.CANCEL_PAYMENT: self._give_back,
            Kind.CLOSE_PAYMENT_LINK: self._close_page,
        }

    async def __call__(
        self, organization_id: UUID, batch: Batch, *, now: datetime, until: datetime, is_simulated: bool
    ) -> None:
        """Do a batch, one after the other."""
        del until
        turn = Turn(
            database=self._database, organization_id=organization_id, now=now, is_simulated=is_simulated
        )
        for subject_id in batch.subject_ids:
            await self._works[batch.kind](turn, subject_id)

    async def hear(
        self, organization_id: UUID, payment_id: UUID, outcome: Outcome, *, now: datetime, is_simulated: bool
    ) -> None:
        """Take what a provider tells of a payment later on; told twice, it counts once."""
        async with self._database.tenant(organization_id, is_simulated=is_simulated) as tx:
            await outcomes.record_outcome(tx, payment_id, outcome, is_told=True, now=now)

    async def _collect(self, turn: Turn, payment_id: UUID) -> None:
        async with turn.transaction() as tx:
            asked = await outcomes.begin(tx, payment_id, now=turn.now)
            connection = await self._connection(tx, asked)
        if asked is None or connection is None:
            return
        outcome = await self._adapter(connection).charge(connection, asked.order)
        async with turn.transaction() as tx:
            await outcomes.record_outcome(tx, payment_id, outcome, now=turn.now)

    async def _give_back(self, turn: Turn, payment_id: UUID) -> None:
        """Cancel a payment that nobody waits for, or pay back what is too much of one that came in."""
        async with turn.transaction() as tx:
            asked = await outcomes.unwanted(tx, payment_id)
            connection = await self._connection(tx, asked)
        if asked is None or connection is None:
            return
        if isinstance(asked, Asked):
            await self._adapter(connection).cancel(connection, asked.order)
            return
        outcome = await self._adapter(connection).refund(connection, asked.order)
        if outcome.refund_status is RefundStatus.FAILED:
            raise ProviderUnavailable(
                f"the surplus does not go back: {outcome.error_message or outcome.status}"
            )
        async with turn.transaction() as tx:
            await payments.note_returned(tx, payment_id, now=turn.now)

    async def _close_page(self, turn: Turn, link_id: UUID) -> None:
        async with turn.transaction() as tx:
            page = await payments.find_page(tx, link_id)
            if page is None:
                return
            await payments.note_closed(tx, page, now=turn.now)
            connection = await payment_providers.get_connection(tx, self._vault, page.payment_provider_id)
        if connection is not None:
            link = Link(url=page.url, provider_link_id=page.provider_link_id, expires_at=page.expires_at)
            await self._adapter(connection).expire_link(connection, link)

    async def _hear_event(self, turn: Turn, event_id: UUID) -> None:
        """Have an event understood, and do what follows from each thing that it tells; heard twice, each counts once."""
        async with turn.transaction() as tx:
            event = await payment_providers.get_event(tx, event_id)
            if event is None or event.status == "succeeded":
                return
            connection = await payment_providers.get_connection(tx, self._vault, event.payment_provider_id)
        assert connection is not None, "an event is one of a connection"
        try:
            told = await self._adapter(connection).understand(connection, event.body)
            errors = []
            for heard in told:
                async with turn.transaction() as tx:
                    errors += await hearing.hear(tx, connection, heard, now=turn.now)
        except Exception as error:
            async with turn.transaction() as tx:
                await payment_providers.note_event(tx, event_id, error=str(error), now=turn.now)
            raise
        async with turn.transaction() as tx:
            await payment_providers.note_event(tx, event_id, error="; ".join(errors) or None, now=turn.now)

    async def _connection(self, tx: Tx, asked: Asked | RefundAsked | None) -> Connection | None:
        if asked is None:
            return None
        return await payment_providers.get_connection(tx, self._vault, asked.connection_id)

    def _adapter(self, connection: Connection) -> PaymentProvider:
        try:
            return self._adapters[connection.kind]
        except KeyError:
            raise ProviderUnavailable(f"nothing speaks to {connection.kind}") from None
