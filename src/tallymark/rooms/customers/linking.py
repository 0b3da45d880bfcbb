"""Asks payment providers about the customers who are linked to them, with no transaction open (wallets-and-payments §12.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog

from tallymark.api.context import Context
from tallymark.api.errors import Unauthorized
from tallymark.db.engine import Database, Tx
from tallymark.domain.errors import Invalid, NotAllowed
from tallymark.jobs.agenda import Batch
from tallymark.rooms.customers import service
from tallymark.rooms.customers.model import Ask, Customer, Step
from tallymark.rooms.payment_providers import service as payment_providers
from tallymark.rooms.payment_providers.ports import PaymentProvider, ProviderRefused, ProviderUnavailable
from tallymark.rooms.payment_providers.service import Vault

log = structlog.get_logger(__name__)

Enter = Callable[[], AbstractAsyncContextManager[Tx]]
"""Opens a transaction of the organization."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """Has customers made at providers, and told of; an outage fails the work, which is tried again as all due work is."""

    database: Database
    vault: Vault = field(repr=False)
    adapters: Mapping[str, PaymentProvider]

    async def __call__(
        self, organization_id: UUID, batch: Batch, *, now: datetime, until: datetime, is_simulated: bool
    ) -> None:
        """Ask what is to be asked about the customers of a batch."""
        del until
        enter = partial(self.database.tenant, organization_id, is_simulated=is_simulated)
        for task_id in batch.subject_ids:
            await self._ask_all(enter, task_id, now=now)

    async def link_now(self, context: Context, customer_id: UUID) -> None:
        """Ask while somebody waits for it; what gets no answer is left to a job."""
        async with context.transaction() as tx:
            task = await service.find_task(tx, customer_id)
        if task is None:
            return
        try:
            await self._ask_all(context.transaction, task.id, now=context.now)
        except ProviderUnavailable as error:
            log.warning("a customer is linked later", reason=str(error))

    async def checkout_url(self, context: Context, external_id: str) -> tuple[Customer, str]:
        """A page on which a customer leaves a method.

        Raises `NotFound("customer")`, `Invalid` for one who is not linked, or has nothing to leave, `NotAllowed("feature_not_supported")`,
        `Unauthorized` where the provider lets nobody in by the connection's key, `ProviderFailed`, `ThirdPartyFailed`.
        """
        async with context.transaction() as tx:
            customer = await service.get_customer(tx, external_id=external_id)
            connection, person = await service.linked(tx, self.vault, customer)
        adapter = self._adapter(connection.kind)
        if not adapter.abilities.saves_methods:
            raise NotAllowed("feature_not_supported")
        if adapter.abilities.keeps_customers and customer.provider_customer_id is None:
            raise Invalid({"base": ["no_linked_payment_provider"]})
        if not service.has_method_to_save(customer.provider_payment_methods):
            raise Invalid({"provider_payment_methods": ["no_payment_methods_to_setup_available"]})
        try:
            link = await adapter.setup_link(connection, person)
        except (ProviderRefused, ProviderUnavailable) as error:
            if isinstance(error, ProviderRefused) and error.is_unauthorized:
                raise Unauthorized from error
            raise payment_providers.failure_of(connection, error) from error
        return customer, link.url

    async def _ask_all(self, enter: Enter, task_id: UUID, *, now: datetime) -> None:
        while True:
            async with enter() as tx:
                ask = await service.next_ask(tx, self.vault, task_id)
            if ask is None:
                return
            try:
                await self._ask(enter, ask, now=now)
            except ProviderRefused as error:
                async with enter() as tx:
                    await service.note_refused(tx, ask, error, now=now)

    async def _ask(self, enter: Enter, ask: Ask, *, now: datetime) -> None:
        adapter, about = self._adapter(ask.connection.kind), (ask.connection, ask.person)
        can = adapter.abilities
        is_known = ask.customer.provider_customer_id is not None
        match ask.step:
            case Step.CREATE if can.keeps_customers and not is_known:
                made = await adapter.create_customer(*about)
                async with enter() as tx:
                    await service.note_created(tx, ask, made, now=now)
            case Step.IMPORT if can.keeps_customers and (method := await adapter.known_method(*about)):
                own = replace(method, provider_customer_id=ask.customer.provider_customer_id)
                async with enter() as tx:
                    await service.note_method(tx, ask.connection.id, own, now=now)
                    await service.finish(tx, ask, now=now)
            case Step.FOLLOW if can.follows_customers and is_known:
                await adapter.update_customer(*about)
                async with enter() as tx:
                    await service.finish(tx, ask, now=now)
            case Step.FUND if can.takes_transfers and ask.currency is not None:
                accounts = await adapter.bank_accounts(*about, ask.currency)
                async with enter() as tx:
                    await service.note_accounts(tx, ask, accounts, now=now)
            case Step.SETUP if can.saves_methods and service.has_method_to_save(
                ask.customer.provider_payment_methods
            ):
                page = await adapter.setup_link(*about)
                async with enter() as tx:
                    await service.note_page(tx, ask, page.url, now=now)
            case _:
                async with enter() as tx:
                    await service.finish(tx, ask, now=now)

    def _adapter(self, kind: str) -> PaymentProvider:
        try:
            return self.adapters[kind]
        except KeyError:
            raise ProviderUnavailable(f"nobody speaks to {kind}") from None
