"""Pages to pay on, asked for with no transaction open (wallets-and-payments §11.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from tallymark.api.context import Context
from tallymark.domain.errors import Invalid, ThirdPartyFailed
from tallymark.rooms.billing.service import pages
from tallymark.rooms.billing.service.pages import Page
from tallymark.rooms.payment_providers.model import Link
from tallymark.rooms.payment_providers.ports import PaymentProvider, ProviderRefused, ProviderUnavailable
from tallymark.rooms.payment_providers.service import Vault

TRIES = 3
"""How often a page is asked for anew because what is due has changed while it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Finds the page of an invoice, or has one made."""

    vault: Vault = field(repr=False)
    adapters: Mapping[str, PaymentProvider]

    async def of_invoice(self, context: Context, invoice_id: UUID) -> Page:
        """Where an invoice is paid. Raises `NotFound("invoice")`, `Invalid` in the order of §11.4, and `ThirdPartyFailed`."""
        return await self._find(context, invoice_id, is_open=False)

    async def of_purchase(self, context: Context, transaction_id: UUID) -> Page:
        """Where credits are paid that are being bought. Raises `NotFound("wallet_transaction")`, else the same (§4.5)."""
        async with context.transaction() as tx:
            invoice_id = await pages.invoice_of_purchase(tx, transaction_id)
        return await self._find(context, invoice_id, is_open=True)

    async def _find(self, context: Context, invoice_id: UUID, *, is_open: bool) -> Page:
        for _ in range(TRIES):
            async with context.transaction() as tx:
                invoice = await pages.lock_invoice(tx, invoice_id, is_open=is_open)
                page = await pages.look_for_page(tx, invoice, self.vault, now=context.now)
            if page.wanted is None:
                return page
            made = await self._make(context, page)
            async with context.transaction() as tx:
                invoice = await pages.lock_invoice(tx, invoice_id, is_open=is_open)
                url = await pages.keep_page(tx, invoice, page.wanted, made, now=context.now)
            if url is not None:
                return replace(page, url=url)
        raise Invalid({"base": ["invalid_invoice_status_or_payment_status"]})

    async def _make(self, context: Context, page: Page) -> Link:
        assert page.connection is not None, "it is to be asked for"
        assert page.wanted is not None, "with an order"
        kind = page.connection.kind
        adapter = self.adapters.get(kind)
        if adapter is None or not adapter.abilities.has_pages:
            raise Invalid({"base": ["invalid_payment_provider"]})
        try:
            made = await adapter.payment_link(page.connection, page.wanted.order)
        except (ProviderRefused, ProviderUnavailable) as error:
            code = error.code if isinstance(error, ProviderRefused) else None
            async with context.transaction() as tx:
                await pages.tell_refused(tx, page, code=code, message=str(error), now=context.now)
            raise ThirdPartyFailed(kind.value, str(error)) from error
        if not made.url:
            raise Invalid({"base": ["payment_provider_error"]})
        return made
