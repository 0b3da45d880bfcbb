"""Which custom sections credit invoices print: the transaction's, the wallet's or the customer's (wallets §2.1, platform §13)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoice_custom_sections import service as sections
from tallymark.rooms.invoice_custom_sections.model import Owner, Section
from tallymark.rooms.wallets.model import SectionsInput, Transaction, Wallet


def skips(asked: SectionsInput | None, *, before: bool = False) -> bool:
    """Whether nothing is printed; a list that comes without the flag does not end skipping."""
    return before if asked is None or asked.skips is None else asked.skips


async def choose(
    tx: Tx, owner: Owner, owner_id: UUID, asked: SectionsInput | None, *, before: bool = False
) -> None:
    """Take a selection: skipping drops it, a list replaces it, but for one that skips. Raises `Invalid` for an unknown code."""
    if asked is None:
        return
    if asked.skips:
        await sections.select_sections(tx, owner, owner_id, [])
    elif asked.codes is not None and not skips(asked, before=before):
        await sections.select_sections(tx, owner, owner_id, asked.codes)


async def sections_of(tx: Tx, owner: Owner, ids: Collection[UUID]) -> dict[UUID, tuple[Section, ...]]:
    """What owners of one kind have selected."""
    return await sections.sections_of(tx, owner, ids)


def codes_of(chosen: Sequence[Section]) -> dict[str, list[str]]:
    """A selection as the log shows it."""
    return {"invoice_custom_section_codes": [section.code for section in chosen]}


async def copy(tx: Tx, owner: Owner, owner_id: UUID, transaction_ids: Sequence[UUID]) -> None:
    """Give transactions the sections that what they come of selects: a rule, or a purchase that is made again."""
    selected = (await sections_of(tx, owner, [owner_id])).get(owner_id, ())
    if selected:
        codes = [section.code for section in selected]
        for transaction_id in transaction_ids:
            await sections.select_sections(tx, Owner.WALLET_TRANSACTION, transaction_id, codes)


async def printed_on(
    tx: Tx, transaction: Transaction, wallet: Wallet, customer: Customer
) -> tuple[Section, ...]:
    """What the invoice of a purchase prints."""
    if transaction.skip_invoice_custom_sections:
        return ()
    generated = customers.generated_sections(tx, customer)
    own = (await sections_of(tx, Owner.WALLET_TRANSACTION, [transaction.id])).get(transaction.id)
    if own:
        return (*own, *generated)
    if wallet.skip_invoice_custom_sections:
        return ()
    of_wallet = (await sections_of(tx, Owner.WALLET, [wallet.id])).get(wallet.id)
    if of_wallet:
        return (*of_wallet, *generated)
    return (await customers.applicable_sections(tx, [customer])).get(customer.id, ())
