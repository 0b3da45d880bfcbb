"""Find wallets and their transactions, with what hangs on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid, NotFound
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Identity
from tallymark.rooms.invoice_custom_sections.model import Owner
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.wallets.model import (
    Consumption,
    Direction,
    Filters,
    RuleView,
    Transaction,
    TransactionFilters,
    TransactionView,
    Wallet,
    WalletView,
)
from tallymark.rooms.wallets.repository import rules as rule_rows
from tallymark.rooms.wallets.repository import transactions as transaction_rows
from tallymark.rooms.wallets.repository import wallets as wallet_rows
from tallymark.rooms.wallets.service import sections


async def get_wallet(tx: Tx, wallet_id: UUID) -> Wallet:
    """A wallet of any status. Raises `NotFound("wallet")`."""
    wallet = await find_wallet(tx, wallet_id)
    if wallet is None:
        raise NotFound("wallet")
    return wallet


async def lock_wallet(tx: Tx, wallet: Wallet) -> Wallet:
    """The wallet as it is once nobody else moves it."""
    await tx.lock("customer", wallet.customer_id)
    return await get_wallet(tx, wallet.id)


async def find_wallet(tx: Tx, wallet_id: UUID) -> Wallet | None:
    """A wallet of any status."""
    return (await wallet_rows.get_wallets(tx, [wallet_id])).get(wallet_id)


async def get_wallets(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Wallet]:
    """Wallets by id."""
    return await wallet_rows.get_wallets(tx, ids) if ids else {}


async def get_wallet_by_code(tx: Tx, *, external_customer_id: str, code: str) -> Wallet:
    """A customer's wallet, the active one of that code if there is one.

    Raises `NotFound("customer")` and `NotFound("wallet")`.
    """
    customer = await customers.get_customer(tx, external_id=external_customer_id)
    wallet = await wallet_rows.find_by_code(tx, customer.id, code)
    if wallet is None:
        raise NotFound("wallet")
    return wallet


async def active_wallets(tx: Tx, customer_id: UUID) -> list[Wallet]:
    """The active wallets of a customer, in the order in which they pay."""
    return await wallet_rows.active_of(tx, customer_id)


async def active_codes(tx: Tx, customer_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """The codes of customers' active wallets."""
    return await wallet_rows.active_codes(tx, customer_ids) if customer_ids else {}


async def list_wallets(tx: Tx, filters: Filters, page: Page) -> tuple[list[Wallet], int]:
    """A page of wallets, newest first. Raises `NotFound` for an unknown customer or billing entity."""
    if filters.external_customer_id is not None:
        await customers.get_customer(tx, external_id=filters.external_customer_id)
    await organizations.check_entity_codes(tx, filters.billing_entity_codes)
    return await wallet_rows.list_wallets(tx, filters, page)


async def view_of(tx: Tx, wallet: Wallet) -> WalletView:
    """One wallet with what hangs on it."""
    (view,) = await get_views(tx, [wallet])
    return view


async def get_views(tx: Tx, wallets: Sequence[Wallet]) -> list[WalletView]:
    """Wallets with what hangs on them, in the order given, in a constant number of queries."""
    if not wallets:
        return []
    ids = [wallet.id for wallet in wallets]
    owners = await customers.get_identities(tx, {wallet.customer_id for wallet in wallets})
    codes = await _entity_codes(tx, wallets, owners)
    rules = await rule_rows.active_of(tx, ids)
    own = await sections.sections_of(tx, Owner.WALLET, ids)
    of_rules = await sections.sections_of(
        tx, Owner.WALLET_RULE, [rule.id for of_wallet in rules.values() for rule in of_wallet]
    )
    return [
        WalletView(
            wallet=wallet,
            external_customer_id=owners[wallet.customer_id].external_id,
            billing_entity_code=codes[wallet.id],
            rules=tuple(
                RuleView(rule=rule, sections=of_rules.get(rule.id, ())) for rule in rules.get(wallet.id, ())
            ),
            sections=own.get(wallet.id, ()),
        )
        for wallet in wallets
    ]


async def _entity_codes(
    tx: Tx, wallets: Sequence[Wallet], owners: Mapping[UUID, Identity]
) -> dict[UUID, str]:
    """The code of each wallet's billing entity: its own, else the customer's."""
    of = {
        wallet.id: wallet.billing_entity_id or owners[wallet.customer_id].billing_entity_id
        for wallet in wallets
    }
    entities = await organizations.get_entities(tx, set(of.values()))
    return {wallet_id: entities[entity_id].code for wallet_id, entity_id in of.items()}


async def get_transaction(tx: Tx, transaction_id: UUID) -> Transaction:
    """A transaction. Raises `NotFound("wallet_transaction")`."""
    found = (await transaction_rows.get_transactions(tx, [transaction_id])).get(transaction_id)
    if found is None:
        raise NotFound("wallet_transaction")
    return found


async def get_transactions(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Transaction]:
    """Transactions by id."""
    return await transaction_rows.get_transactions(tx, ids)


async def find_transaction(tx: Tx, transaction_id: UUID) -> Transaction | None:
    """A transaction, if there is one."""
    return (await transaction_rows.get_transactions(tx, [transaction_id])).get(transaction_id)


async def list_transactions(
    tx: Tx, wallet_id: UUID, filters: TransactionFilters, page: Page
) -> tuple[list[Transaction], int]:
    """A page of a wallet's transactions, newest first. Raises `NotFound("wallet")`."""
    await get_wallet(tx, wallet_id)
    return await transaction_rows.list_transactions(tx, wallet_id, filters, page)


async def consumptions_of(tx: Tx, transaction_id: UUID, page: Page) -> tuple[list[Consumption], int]:
    """What was taken of an inbound transaction. Raises `NotFound("wallet_transaction")`, and `Invalid` for another one."""
    await _check_direction(tx, transaction_id, Direction.INBOUND)
    return await transaction_rows.consumptions_of(tx, transaction_id, page)


async def fundings_of(tx: Tx, transaction_id: UUID, page: Page) -> tuple[list[Consumption], int]:
    """What paid an outbound transaction. Raises `NotFound("wallet_transaction")`, and `Invalid` for another one."""
    await _check_direction(tx, transaction_id, Direction.OUTBOUND)
    return await transaction_rows.fundings_of(tx, transaction_id, page)


async def _check_direction(tx: Tx, transaction_id: UUID, expected: Direction) -> None:
    transaction = await get_transaction(tx, transaction_id)
    if transaction.transaction_type is not expected:
        raise Invalid({"transaction_type": ["invalid_transaction_type"]})


async def transaction_views(tx: Tx, transactions: Sequence[Transaction]) -> list[TransactionView]:
    """Transactions with what hangs on them, in the order given, in a constant number of queries."""
    if not transactions:
        return []
    wallets = await wallet_rows.get_wallets(tx, {one.wallet_id for one in transactions})
    owners = await customers.get_identities(tx, {wallet.customer_id for wallet in wallets.values()})
    codes = await _entity_codes(tx, list(wallets.values()), owners)
    own = {one.billing_entity_id for one in transactions if one.billing_entity_id is not None}
    entities = await organizations.get_entities(tx, own) if own else {}
    selected = await sections.sections_of(tx, Owner.WALLET_TRANSACTION, [one.id for one in transactions])
    return [
        TransactionView(
            transaction=one,
            wallet=wallets[one.wallet_id],
            billing_entity_code=entities[one.billing_entity_id].code
            if one.billing_entity_id is not None
            else codes[one.wallet_id],
            sections=selected.get(one.id, ()),
        )
        for one in transactions
    ]
