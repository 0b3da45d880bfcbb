"""Events that name a wallet which their customer does not have (metering §7.3)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.advance.model import NamesWallet
from tallymark.rooms.wallets import service as wallets

NOT_FOUND = {"target_wallet_code": ["target_wallet_code_not_found"]}


async def tell_unknown_wallets(tx: Tx, naming: Sequence[NamesWallet], *, now: datetime) -> None:
    """Tell of events whose wallet is none of the customer's active ones: they are billed, and no wallet pays them."""
    if not naming:
        return
    known = await wallets.active_codes(tx, {one.customer_id for one in naming})
    lost = [one for one in naming if one.code not in known.get(one.customer_id, set())]
    body = {"status": 422, "error": "Unprocessable entity", "message": json.dumps(NOT_FOUND)}
    messages = [
        Message(webhook_type="event.error", object_type="event_error", object_id=one.event_id, payload=body)
        for one in lost
    ]
    await emit(tx, *messages, now=now)
