"""The doors to wallets and their transactions."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TypeVar

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.pagination import InPage, Meta, Page
from tallymark.api.permissions import guarded_by
from tallymark.api.queries import reads
from tallymark.api.routing import tenant_router
from tallymark.api.wire import read_id
from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.rooms.customers import service as customers
from tallymark.rooms.wallets import service
from tallymark.rooms.wallets.model import (
    Consumption,
    Direction,
    Filters,
    Kind,
    Settlement,
    TransactionFilters,
    Wallet,
)
from tallymark.rooms.wallets.schemas.inputs import (
    MetadataRequest,
    TransactionRequest,
    WalletCreateInput,
    WalletCreateRequest,
    WalletUpdateRequest,
)
from tallymark.rooms.wallets.schemas.outputs import (
    ConsumptionOutput,
    ConsumptionsResponse,
    FundingsResponse,
    MadeTransactionsResponse,
    MetadataResponse,
    TransactionOutput,
    TransactionResponse,
    TransactionsResponse,
    WalletOutput,
    WalletResponse,
    WalletsResponse,
)

router = tenant_router("wallets", resource="wallet")
OF_CUSTOMER = "/customers/{external_id}/wallets"
METADATA_KEY = re.compile(r"metadata\[(.+)\]")

Word = TypeVar("Word", bound=StrEnum)


@router.post("/wallets")
async def create_wallet(body: WalletCreateRequest, context: InContext) -> WalletResponse:
    """Make a wallet and fill it; the answer shows it empty."""
    async with context.transaction() as tx:
        return await _create(tx, body.wallet, body.wallet.external_customer_id, context)


@router.post(OF_CUSTOMER)
async def create_customer_wallet(
    external_id: str, body: WalletCreateRequest, context: InContext
) -> WalletResponse:
    """Make a wallet of one customer and fill it; the answer shows it empty."""
    async with context.transaction() as tx:
        await customers.get_customer(tx, external_id=external_id)
        return await _create(tx, body.wallet, external_id, context)


async def _create(
    tx: Tx, asked: WalletCreateInput, external_customer_id: str | None, context: Context
) -> WalletResponse:
    view = await service.create_wallet(
        tx,
        asked.to_value(),
        asked.to_load(),
        external_customer_id=external_customer_id,
        now=context.now,
    )
    return WalletResponse(wallet=WalletOutput.of(view))


@router.get("/wallets", openapi_extra=reads("external_customer_id", "currency", "billing_entity_codes[]"))
async def list_wallets(request: Request, context: InContext, page: InPage) -> WalletsResponse:
    """List wallets, newest first."""
    return await _list(
        context, page, _read_filters(request, request.query_params.get("external_customer_id"))
    )


@router.get(OF_CUSTOMER, openapi_extra=reads("currency", "billing_entity_codes[]"))
async def list_customer_wallets(
    external_id: str, request: Request, context: InContext, page: InPage
) -> WalletsResponse:
    """List the wallets of one customer, newest first."""
    return await _list(context, page, _read_filters(request, external_id))


async def _list(context: Context, page: Page, filters: Filters) -> WalletsResponse:
    async with context.transaction() as tx:
        found, total = await service.list_wallets(tx, filters, page)
        views = await service.get_views(tx, found)
    return WalletsResponse(wallets=[WalletOutput.of(view) for view in views], meta=Meta.of(page, total))


def _read_filters(request: Request, external_customer_id: str | None) -> Filters:
    query = request.query_params
    codes = query.getlist("billing_entity_codes[]") or query.getlist("billing_entity_codes")
    return Filters(
        external_customer_id=external_customer_id or None,
        currency=query.get("currency") or None,
        billing_entity_codes=tuple(codes),
    )


async def _find(tx: Tx, wallet_id: str) -> Wallet:
    return await service.get_wallet(tx, read_id(wallet_id, "wallet"))


async def _find_of_customer(tx: Tx, external_id: str, code: str) -> Wallet:
    return await service.get_wallet_by_code(tx, external_customer_id=external_id, code=code)


async def _answer(tx: Tx, wallet: Wallet) -> WalletResponse:
    return WalletResponse(wallet=WalletOutput.of(await service.view_of(tx, wallet)))


@router.get("/wallets/{lago_id}")
async def get_wallet(lago_id: str, context: InContext) -> WalletResponse:
    """Read one wallet."""
    async with context.transaction() as tx:
        return await _answer(tx, await _find(tx, lago_id))


@router.get(OF_CUSTOMER + "/{code}")
async def get_customer_wallet(external_id: str, code: str, context: InContext) -> WalletResponse:
    """Read one wallet by its code."""
    async with context.transaction() as tx:
        return await _answer(tx, await _find_of_customer(tx, external_id, code))


@router.change("/wallets/{lago_id}")
async def update_wallet(lago_id: str, body: WalletUpdateRequest, context: InContext) -> WalletResponse:
    """Change what is sent."""
    async with context.transaction() as tx:
        wallet = await _find(tx, lago_id)
        asked = body.wallet.to_value()
        return await _answer(tx, await service.update_wallet(tx, wallet, asked, now=context.now))


@router.change(OF_CUSTOMER + "/{code}")
async def update_customer_wallet(
    external_id: str, code: str, body: WalletUpdateRequest, context: InContext
) -> WalletResponse:
    """Change what is sent."""
    async with context.transaction() as tx:
        wallet = await _find_of_customer(tx, external_id, code)
        asked = body.wallet.to_value()
        return await _answer(tx, await service.update_wallet(tx, wallet, asked, now=context.now))


@router.delete("/wallets/{lago_id}")
async def terminate_wallet(lago_id: str, context: InContext) -> WalletResponse:
    """End a wallet: what it holds is never used again."""
    async with context.transaction() as tx:
        return await _answer(tx, await service.terminate(tx, await _find(tx, lago_id), now=context.now))


@router.delete(OF_CUSTOMER + "/{code}")
async def terminate_customer_wallet(external_id: str, code: str, context: InContext) -> WalletResponse:
    """End a wallet: what it holds is never used again."""
    async with context.transaction() as tx:
        wallet = await _find_of_customer(tx, external_id, code)
        return await _answer(tx, await service.terminate(tx, wallet, now=context.now))


@router.get(
    "/wallets/{lago_id}/wallet_transactions",
    openapi_extra=reads("status", "transaction_type", "transaction_status"),
)
@guarded_by("wallet_transaction")
async def list_transactions(
    lago_id: str, request: Request, context: InContext, page: InPage
) -> TransactionsResponse:
    """List a wallet's transactions, newest first."""
    wallet_id, filters = read_id(lago_id, "wallet"), _read_transaction_filters(request)
    async with context.transaction() as tx:
        found, total = await service.list_transactions(tx, wallet_id, filters, page)
        views = await service.transaction_views(tx, found)
    return TransactionsResponse(
        wallet_transactions=[TransactionOutput.of(view) for view in views], meta=Meta.of(page, total)
    )


def _read_transaction_filters(request: Request) -> TransactionFilters:
    """The filters of a list (§4.5). Raises `Invalid` for a word that is none of its list."""
    query = request.query_params
    return TransactionFilters(
        status=_word(Settlement, query.get("status"), "status"),
        transaction_type=_word(Direction, query.get("transaction_type"), "transaction_type"),
        transaction_status=_word(Kind, query.get("transaction_status"), "transaction_status"),
        metadata=tuple(
            (found.group(1), value)
            for name, value in query.multi_items()
            if value and (found := METADATA_KEY.fullmatch(name))
        ),
    )


def _word(words: type[Word], text: str | None, field: str) -> Word | None:
    if not text:
        return None
    try:
        return words(text)
    except ValueError:
        raise Invalid({field: ["value_is_invalid"]}) from None


@router.post("/wallet_transactions")
@guarded_by("wallet_transaction")
async def create_transactions(body: TransactionRequest, context: InContext) -> MadeTransactionsResponse:
    """Buy, give and void credits."""
    async with context.transaction() as tx:
        made = await service.transact(tx, body.wallet_transaction.to_value(), now=context.now)
        views = await service.transaction_views(tx, made)
    return MadeTransactionsResponse(wallet_transactions=[TransactionOutput.of(view) for view in views])


@router.get("/wallet_transactions/{lago_id}")
@guarded_by("wallet_transaction")
async def get_transaction(lago_id: str, context: InContext) -> TransactionResponse:
    """Read one transaction."""
    async with context.transaction() as tx:
        found = await service.get_transaction(tx, read_id(lago_id, "wallet_transaction"))
        (view,) = await service.transaction_views(tx, [found])
    return TransactionResponse(wallet_transaction=TransactionOutput.of(view))


@router.get("/wallet_transactions/{lago_id}/consumptions")
@guarded_by("wallet_transaction")
async def list_consumptions(lago_id: str, context: InContext, page: InPage) -> ConsumptionsResponse:
    """What was taken of an inbound transaction, newest first."""
    async with context.transaction() as tx:
        transaction_id = read_id(lago_id, "wallet_transaction")
        found, total = await service.consumptions_of(tx, transaction_id, page)
        shown = await _show(tx, found)
    return ConsumptionsResponse(wallet_transaction_consumptions=shown, meta=Meta.of(page, total))


@router.get("/wallet_transactions/{lago_id}/fundings")
@guarded_by("wallet_transaction")
async def list_fundings(lago_id: str, context: InContext, page: InPage) -> FundingsResponse:
    """What paid an outbound transaction, newest first."""
    async with context.transaction() as tx:
        found, total = await service.fundings_of(tx, read_id(lago_id, "wallet_transaction"), page)
        shown = await _show(tx, found)
    return FundingsResponse(wallet_transaction_fundings=shown, meta=Meta.of(page, total))


async def _show(tx: Tx, found: list[Consumption]) -> list[ConsumptionOutput]:
    views = await service.transaction_views(tx, [one.other for one in found])
    return [ConsumptionOutput.of(one, view) for one, view in zip(found, views, strict=True)]


@router.post("/wallets/{lago_id}/metadata")
async def replace_metadata(lago_id: str, body: MetadataRequest, context: InContext) -> MetadataResponse:
    """Write notes in place of those there are."""
    async with context.transaction() as tx:
        return await _replace(tx, await _find(tx, lago_id), body, context)


@router.post(OF_CUSTOMER + "/{code}/metadata")
async def replace_customer_wallet_metadata(
    external_id: str, code: str, body: MetadataRequest, context: InContext
) -> MetadataResponse:
    """Write notes in place of those there are."""
    async with context.transaction() as tx:
        return await _replace(tx, await _find_of_customer(tx, external_id, code), body, context)


async def _replace(tx: Tx, wallet: Wallet, body: MetadataRequest, context: Context) -> MetadataResponse:
    if "metadata" in body.model_fields_set:
        wallet = await service.replace_metadata(tx, wallet, body.metadata, now=context.now)
    return _notes(wallet)


@router.change("/wallets/{lago_id}/metadata", is_patch_shown=True)
async def merge_metadata(lago_id: str, body: MetadataRequest, context: InContext) -> MetadataResponse:
    """Add notes, or change them."""
    async with context.transaction() as tx:
        wallet = await _find(tx, lago_id)
        return _notes(await service.merge_metadata(tx, wallet, body.metadata, now=context.now))


@router.change(OF_CUSTOMER + "/{code}/metadata", is_patch_shown=True)
async def merge_customer_wallet_metadata(
    external_id: str, code: str, body: MetadataRequest, context: InContext
) -> MetadataResponse:
    """Add notes, or change them."""
    async with context.transaction() as tx:
        wallet = await _find_of_customer(tx, external_id, code)
        return _notes(await service.merge_metadata(tx, wallet, body.metadata, now=context.now))


@router.delete("/wallets/{lago_id}/metadata")
async def drop_metadata(lago_id: str, context: InContext) -> MetadataResponse:
    """Take all notes off."""
    async with context.transaction() as tx:
        return _notes(await service.drop_metadata(tx, await _find(tx, lago_id), now=context.now))


@router.delete(OF_CUSTOMER + "/{code}/metadata")
async def drop_customer_wallet_metadata(external_id: str, code: str, context: InContext) -> MetadataResponse:
    """Take all notes off."""
    async with context.transaction() as tx:
        wallet = await _find_of_customer(tx, external_id, code)
        return _notes(await service.drop_metadata(tx, wallet, now=context.now))


@router.delete("/wallets/{lago_id}/metadata/{key}")
async def drop_metadata_key(lago_id: str, key: str, context: InContext) -> MetadataResponse:
    """Take one note off."""
    async with context.transaction() as tx:
        return _notes(await service.drop_key(tx, await _find(tx, lago_id), key, now=context.now))


@router.delete(OF_CUSTOMER + "/{code}/metadata/{key}")
async def drop_customer_wallet_metadata_key(
    external_id: str, code: str, key: str, context: InContext
) -> MetadataResponse:
    """Take one note off."""
    async with context.transaction() as tx:
        wallet = await _find_of_customer(tx, external_id, code)
        return _notes(await service.drop_key(tx, wallet, key, now=context.now))


def _notes(wallet: Wallet) -> MetadataResponse:
    return MetadataResponse(metadata=None if wallet.metadata is None else dict(wallet.metadata))
