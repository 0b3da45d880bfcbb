"""Take a wallet over from another system: with what is left of each of its credits, and no invoice for any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.domain.errors import Problems
from tallymark.domain.exact import Fraction
from tallymark.domain.money import currency
from tallymark.domain.values import value
from tallymark.domain.wallets import Credits
from tallymark.rooms.wallets.model import FirstLoad, Kind, Wallet, WalletInput
from tallymark.rooms.wallets.service.create import create_wallet, read_rules
from tallymark.rooms.wallets.service.fill import terms_of
from tallymark.rooms.wallets.service.ledger import open_ledger
from tallymark.rooms.wallets.service.read import get_wallet
from tallymark.rooms.wallets.service.rules import Setting, replace_rules


@value
class LeftCredits:
    """What is left of one inbound transaction, in minor units."""

    kind: Kind
    cents: int
    created_at: datetime
    name: str | None = None
    priority: int = 50
    metadata: Sequence[dict[str, str]] = ()


async def take_over_wallet(
    tx: Tx, asked: WalletInput, left: Sequence[LeftCredits], *, external_customer_id: str, now: datetime
) -> Wallet:
    """Make a wallet with credits that were bought or given elsewhere. Raises what `create_wallet` does.

    Its rules come last: a threshold must not see the wallet empty.
    """
    made = await create_wallet(
        tx, replace(asked, rules=None), FirstLoad(), external_customer_id=external_customer_id, now=now
    )
    wallet = made.wallet
    ledger = await open_ledger(tx, [wallet], now=now)
    for one in left:
        terms = terms_of(wallet, name=one.name, priority=one.priority, metadata=one.metadata)
        ledger.take_over(wallet.id, one.cents, one.kind, terms, created_at=one.created_at)
    if left:
        await ledger.write(tx)
    problems = Problems()
    rules = read_rules(problems, asked, _setting(wallet), now=now)
    problems.raise_any()
    filled = await get_wallet(tx, wallet.id)
    await replace_rules(tx, filled, rules, now=now)
    return filled


def _setting(wallet: Wallet) -> Setting:
    return Setting(
        credits=Credits(Fraction(wallet.rate_amount), currency(wallet.currency)),
        least_cents=wallet.paid_top_up_min_amount_cents,
        most_cents=wallet.paid_top_up_max_amount_cents,
    )
