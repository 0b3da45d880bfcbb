"""The ledger: the only way in which a wallet's balance changes (wallets §2.7, §4).

Moves are made in memory, each on what the one before it left, and written at once: a statement a table, whether it is one
grant or the invoices of a hundred customers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.exact import Fraction
from tallymark.domain.journal import Lines, settle_purchase, take_over_credits, void_credits
from tallymark.domain.money import fixed
from tallymark.domain.values import names_of, value
from tallymark.domain.wallets import Balance, Inbound, consume
from tallymark.rooms.journal import service as journal
from tallymark.rooms.journal.model import Cause, Document, DocumentType, Posting
from tallymark.rooms.wallets.model import (
    DEFAULT_PRIORITY,
    Direction,
    Kind,
    Settlement,
    Source,
    Transaction,
    Wallet,
)
from tallymark.rooms.wallets.repository import transactions as repository
from tallymark.rooms.wallets.repository import wallets as wallet_rows
from tallymark.rooms.wallets.service.announce import News, announce, announce_transactions

_SCALE = 15

PROVIDER = "provider"
"""Paid by whatever provider the customer has, where nothing else is said."""


@value
class Terms:
    """What a transaction carries besides its amount."""

    source: Source = Source.MANUAL
    name: str | None = None
    priority: int = DEFAULT_PRIORITY
    metadata: Sequence[Any] = ()
    billing_entity_id: UUID | None = None
    purchase_order_number: str | None = None
    invoice_requires_successful_payment: bool = False
    skip_invoice_custom_sections: bool = False
    payment_method_type: str = PROVIDER
    payment_method_id: UUID | None = None
    invoice_id: UUID | None = None
    credit_note_id: UUID | None = None
    voided_invoice_id: UUID | None = None
    interval_day: Any = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What went out: the parts that had been granted and purchased, in minor units."""

    transaction_id: UUID
    granted_cents: int
    purchased_cents: int


class Ledger:
    """Moves of some wallets, about to be written; needs the locks of their customers."""

    def __init__(
        self, wallets: Iterable[Wallet], left: Iterable[Transaction], *, organization_id: UUID, now: datetime
    ) -> None:
        self._wallets = {wallet.id: wallet for wallet in wallets}
        self._before = dict(self._wallets)
        self._left: dict[UUID, dict[UUID, Inbound]] = {wallet_id: {} for wallet_id in self._wallets}
        for transaction in left:
            self._left[transaction.wallet_id][transaction.id] = transaction.as_inbound
        self._organization_id = organization_id
        self._now = now
        self._made: dict[UUID, dict[str, Any]] = {}
        self._settled: dict[UUID, dict[str, Any]] = {}
        self._undone: dict[UUID, dict[str, Any]] = {}
        self._consumed: set[UUID] = set()
        self._links: list[dict[str, Any]] = []
        self._moved: dict[UUID, UUID | None] = {}
        self._postings: list[Posting] = []

    @property
    def now(self) -> datetime:
        """When all of it happens."""
        return self._now

    def wallet(self, wallet_id: UUID) -> Wallet:
        """A wallet as these moves leave it."""
        return self._wallets[wallet_id]

    def buy(self, wallet_id: UUID, cents: int, terms: Terms) -> UUID:
        """Note credits that are to be paid: nothing moves until they are settled."""
        return self._add(wallet_id, Kind.PURCHASED, cents, Fraction(cents), terms)

    def grant(self, wallet_id: UUID, cents: int, terms: Terms, *, is_given_back: bool = False) -> UUID:
        """Let credits in. What is given back was not consumed after all."""
        transaction_id = self._add(wallet_id, Kind.GRANTED, cents, Fraction(cents), terms)
        self._let_in(wallet_id, transaction_id, cents, priority=terms.priority, is_granted=True)
        if is_given_back:
            wallet = self._wallets[wallet_id]
            consumed = Fraction(wallet.precise_consumed_amount_cents) - cents
            self._wallets[wallet_id] = replace(
                wallet,
                consumed_amount_cents=max(wallet.consumed_amount_cents - cents, 0),
                precise_consumed_amount_cents=fixed(max(consumed, Fraction(0)), _SCALE),
            )
        return transaction_id

    def settle(self, purchase: Transaction) -> None:
        """Let credits in that have been paid."""
        assert purchase.status is not Settlement.SETTLED, "a purchase is settled once"
        self._settled[purchase.id] = {
            "id": purchase.id,
            "status": Settlement.SETTLED,
            "remaining_amount_cents": purchase.amount_cents,
            "settled_at": self._now,
            "updated_at": self._now,
        }
        cents = purchase.amount_cents
        self._let_in(
            purchase.wallet_id, purchase.id, cents, priority=purchase.priority, is_granted=False,
            created_at=purchase.created_at,
        )  # fmt: skip
        self._post(purchase.wallet_id, purchase.id, Cause.SETTLED, settle_purchase(cents))

    def take_over(
        self, wallet_id: UUID, cents: int, kind: Kind, terms: Terms, *, created_at: datetime
    ) -> UUID:
        """Let credits in that a customer had elsewhere since `created_at`; what was bought of them was paid for there."""
        assert kind.direction is Direction.INBOUND, "what went out elsewhere is not here"
        transaction_id = self._add(wallet_id, kind, cents, Fraction(cents), terms)
        self._made[transaction_id] |= {
            "status": Settlement.SETTLED,
            "remaining_amount_cents": cents,
            "settled_at": created_at,
            "created_at": created_at,
        }
        is_granted = kind is Kind.GRANTED
        self._let_in(
            wallet_id,
            transaction_id,
            cents,
            priority=terms.priority,
            is_granted=is_granted,
            created_at=created_at,
        )
        if not is_granted:
            self._post(wallet_id, transaction_id, Cause.SETTLED, take_over_credits(cents))
        return transaction_id

    def take(
        self, wallet_id: UUID, cents: int, kind: Kind, terms: Terms, *, only: UUID | None = None
    ) -> Taken:
        """Let whole minor units out, from one inbound transaction or from those that come first.

        Raises `NotEnough`.
        """
        balance = self._wallets[wallet_id].balance.plus(-cents)
        return self._take(wallet_id, kind, balance, Fraction(cents), terms, only=only)

    def put_back(self, outbound: Transaction, parts: Sequence[tuple[Transaction, int]]) -> None:
        """Undo what was let out for what never came to be: each inbound transaction has its part of it back (minor units)."""
        wallet, left = self._wallets[outbound.wallet_id], self._left[outbound.wallet_id]
        assert sum(part for _, part in parts) == outbound.amount_cents, "all that went out came in once"
        for inbound, part in parts:
            standing = left.get(inbound.id, inbound.as_inbound)
            left[inbound.id] = replace(standing, remaining_cents=standing.remaining_cents + part)
            self._consumed.add(inbound.id)
        self._undone[outbound.id] = {
            "id": outbound.id,
            "status": Settlement.FAILED,
            "settled_at": None,
            "failed_at": self._now,
            "updated_at": self._now,
        }
        consumed = Fraction(wallet.precise_consumed_amount_cents) - Fraction(outbound.precise_amount_cents)
        self._wallets[outbound.wallet_id] = replace(
            self._set(wallet, wallet.balance.plus(outbound.amount_cents)),
            consumed_amount_cents=wallet.consumed_amount_cents - outbound.amount_cents,
            precise_consumed_amount_cents=fixed(consumed, _SCALE),
        )
        self._moved.setdefault(outbound.wallet_id, None)

    def void_credits(
        self, wallet_id: UUID, credits: Fraction, terms: Terms, *, only: UUID | None = None
    ) -> Taken:
        """Let credits out that were named, though they be worth a part of a minor unit (wallets §3). Raises `NotEnough`."""
        wallet = self._wallets[wallet_id]
        precise = wallet.credits.precise_cents_of(credits)
        balance = wallet.balance.less_precise(precise)
        return self._take(wallet_id, Kind.VOIDED, balance, precise, terms, only=only)

    def _take(
        self,
        wallet_id: UUID,
        kind: Kind,
        balance: Balance,
        precise: Fraction,
        terms: Terms,
        *,
        only: UUID | None,
    ) -> Taken:
        assert kind.direction is Direction.OUTBOUND, "what comes in is not taken"
        wallet, left = self._wallets[wallet_id], self._left[wallet_id]
        cents = wallet.balance_cents - balance.cents
        pool = left.values() if only is None else [left[only]] if only in left else []
        consumed = consume(pool, cents)
        transaction_id = self._add(wallet_id, kind, cents, precise, terms)
        for inbound, part in consumed:
            assert isinstance(inbound.id, UUID), "the ledger's own keys"
            left[inbound.id] = inbound
            self._consumed.add(inbound.id)
            self._link(inbound.id, transaction_id, part)
        self._wallets[wallet_id] = replace(
            self._set(wallet, balance),
            consumed_amount_cents=wallet.consumed_amount_cents + cents,
            precise_consumed_amount_cents=fixed(
                Fraction(wallet.precise_consumed_amount_cents) + precise, _SCALE
            ),
            last_consumed_credit_at=self._now,
        )
        self._moved[wallet_id] = terms.invoice_id
        granted = sum(part for inbound, part in consumed if inbound.is_granted)
        if kind is Kind.VOIDED and terms.credit_note_id is None:  # a note posts what it gives back itself
            self._post(wallet_id, transaction_id, Cause.VOIDED, void_credits(cents - granted))
        return Taken(transaction_id, granted, cents - granted)

    def _let_in(
        self,
        wallet_id: UUID,
        transaction_id: UUID,
        cents: int,
        *,
        priority: int,
        is_granted: bool,
        created_at: datetime | None = None,
    ) -> None:
        wallet = self._wallets[wallet_id]
        self._wallets[wallet_id] = self._set(wallet, wallet.balance.plus(cents))
        self._left[wallet_id][transaction_id] = Inbound(
            id=transaction_id,
            priority=priority,
            is_granted=is_granted,
            created_at=created_at or self._now,
            remaining_cents=cents,
        )
        self._moved.setdefault(wallet_id, None)

    def _set(self, wallet: Wallet, balance: Balance) -> Wallet:
        return replace(
            wallet,
            balance_cents=balance.cents,
            precise_balance_cents=fixed(balance.precise_cents, _SCALE),
            ongoing_balance_cents=balance.cents - wallet.ongoing_usage_balance_cents,
            last_balance_sync_at=self._now,
        )

    def _add(self, wallet_id: UUID, kind: Kind, cents: int, precise: Fraction, terms: Terms) -> UUID:
        is_pending = kind is Kind.PURCHASED
        is_inbound = kind.direction is Direction.INBOUND
        transaction_id = new_id()
        self._made[transaction_id] = {
            "id": transaction_id,
            "organization_id": self._organization_id,
            "wallet_id": wallet_id,
            "transaction_type": kind.direction,
            "transaction_status": kind,
            "status": Settlement.PENDING if is_pending else Settlement.SETTLED,
            "amount_cents": cents,
            "precise_amount_cents": fixed(precise, _SCALE),
            "remaining_amount_cents": cents if is_inbound and not is_pending else None,
            **{name: getattr(terms, name) for name in names_of(Terms)},
            "settled_at": None if is_pending else self._now,
            "created_at": self._now,
            "updated_at": self._now,
        }
        return transaction_id

    def _post(self, wallet_id: UUID, transaction_id: UUID, cause: Cause, lines: Lines) -> None:
        wallet = self._wallets[wallet_id]
        document = Document(
            type=DocumentType.WALLET_TRANSACTION,
            id=transaction_id,
            number=None,
            customer_id=wallet.customer_id,
            currency=wallet.currency,
        )
        self._postings.append(Posting(document=document, cause=cause, lines=lines))

    def _link(self, inbound_id: UUID, outbound_id: UUID, cents: int) -> None:
        self._links.append(
            {
                "id": new_id(),
                "organization_id": self._organization_id,
                "inbound_transaction_id": inbound_id,
                "outbound_transaction_id": outbound_id,
                "consumed_amount_cents": cents,
                "created_at": self._now,
            }
        )

    async def write(self, tx: Tx) -> None:
        """Write all moves, and announce them."""
        remaining = {id_: one.remaining_cents for left in self._left.values() for id_, one in left.items()}
        for id_ in self._consumed:
            row = self._made.get(id_) or self._settled.get(id_)
            if row is not None:
                row["remaining_amount_cents"] = remaining[id_]
        before = self._consumed - self._made.keys() - self._settled.keys()
        await repository.insert_transactions(tx, list(self._made.values()))
        await repository.update_transactions(tx, list(self._settled.values()))
        await repository.update_transactions(tx, list(self._undone.values()))
        await repository.delete_consumptions(tx, self._undone.keys())
        rest = [
            {"id": id_, "remaining_amount_cents": remaining[id_], "updated_at": self._now} for id_ in before
        ]
        await repository.update_transactions(tx, rest)
        await repository.insert_consumptions(tx, self._links)
        await wallet_rows.update_wallets(
            tx, [_balance_row(self._wallets[id_], self._now) for id_ in self._moved]
        )
        if self._postings:
            await journal.post(tx, self._postings, now=self._now)
        await announce_transactions(
            tx, created=[*self._made], updated=[*self._settled, *self._undone], now=self._now
        )
        news = [
            News(
                wallet=self._wallets[id_],
                before=self._before[id_],
                moves_balance=True,
                invoice_id=invoice_id,
            )
            for id_, invoice_id in self._moved.items()
        ]
        await announce(tx, news, now=self._now)


def _balance_row(wallet: Wallet, now: datetime) -> dict[str, int | Decimal | datetime | UUID | None]:
    names = (
        "id", "balance_cents", "precise_balance_cents", "consumed_amount_cents", "precise_consumed_amount_cents",
        "ongoing_balance_cents", "last_balance_sync_at", "last_consumed_credit_at",
    )  # fmt: skip
    return {**{name: getattr(wallet, name) for name in names}, "updated_at": now}


async def open_ledger(tx: Tx, wallets: Collection[Wallet], *, now: datetime) -> Ledger:
    """The ledger of wallets with all that is left of them; needs the locks of their customers."""
    left = await repository.remaining_of(tx, [wallet.id for wallet in wallets]) if wallets else {}
    flat = [transaction for of_wallet in left.values() for transaction in of_wallet]
    return Ledger(wallets, flat, organization_id=tx.organization_id, now=now)
