"""Free notes on a wallet (wallets §2.6)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tallymark.api.key_values import Notes, check_metadata
from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.jobs.activity import changes
from tallymark.jobs.outbox import log_change
from tallymark.rooms.wallets.model import Wallet
from tallymark.rooms.wallets.repository import wallets as repository
from tallymark.rooms.wallets.service.read import get_wallet, lock_wallet


async def replace_metadata(tx: Tx, wallet: Wallet, value: Any, *, now: datetime) -> Wallet:
    """Write notes in place of those there are. Raises `Invalid`."""
    return await _save(tx, await lock_wallet(tx, wallet), check_metadata(value), now=now)


async def merge_metadata(tx: Tx, wallet: Wallet, value: Any, *, now: datetime) -> Wallet:
    """Add notes, or change them; nothing sent changes nothing. Raises `Invalid`."""
    notes = check_metadata(value)
    if not notes:
        return wallet
    wallet = await lock_wallet(tx, wallet)
    return await _save(tx, wallet, check_metadata({**(wallet.metadata or {}), **notes}), now=now)


async def drop_metadata(tx: Tx, wallet: Wallet, *, now: datetime) -> Wallet:
    """Take all notes off."""
    return await _save(tx, await lock_wallet(tx, wallet), None, now=now)


async def drop_key(tx: Tx, wallet: Wallet, key: str, *, now: datetime) -> Wallet:
    """Take one note off. Raises `NotFound("metadata")` where there is none at all."""
    wallet = await lock_wallet(tx, wallet)
    if wallet.metadata is None:
        raise NotFound("metadata")
    kept = {name: text for name, text in wallet.metadata.items() if name != key}
    return await _save(tx, wallet, kept, now=now)


async def _save(tx: Tx, wallet: Wallet, notes: Notes | None, *, now: datetime) -> Wallet:
    await repository.update_wallet(tx, wallet.id, {"metadata": notes, "updated_at": now})
    noted = await get_wallet(tx, wallet.id)
    await log_change(tx, "wallet.updated", wallet.id, changes(wallet, noted), now=now)
    return noted
