"""What a wallet is, what moves in it, and what fills it by itself (wallets §2, §4, §8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import FeeType
from tallymark.domain.money import currency, major_units
from tallymark.domain.periods import Interval
from tallymark.domain.values import value
from tallymark.domain.wallets import Balance, Credits, Inbound, Limits, Purse, RuleTerms
from tallymark.rooms.invoice_custom_sections.model import Section

FEE_TYPES = ("charge", "add_on", "subscription", "credit", "commitment", "fixed_charge", "product")
"""What the contract lets a wallet be limited to; there are no fees of products yet."""

DEFAULT_PRIORITY = 50


class Status(StrEnum):
    """Whether a wallet, or a rule, still does anything."""

    ACTIVE = "active"
    TERMINATED = "terminated"


class Direction(StrEnum):
    """Whether credits come in or go out: the wire's `transaction_type`."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Kind(StrEnum):
    """Why credits move: the wire's `transaction_status`."""

    PURCHASED = "purchased"
    GRANTED = "granted"
    VOIDED = "voided"
    INVOICED = "invoiced"

    @property
    def direction(self) -> Direction:
        """Whether credits of this kind come in or go out."""
        return Direction.INBOUND if self in (Kind.PURCHASED, Kind.GRANTED) else Direction.OUTBOUND


class Settlement(StrEnum):
    """Whether a move has happened; all but purchases are settled from birth (wallets §4.3)."""

    PENDING = "pending"
    SETTLED = "settled"
    FAILED = "failed"


class Source(StrEnum):
    """Who asked for a transaction: somebody, or a rule by its trigger."""

    MANUAL = "manual"
    INTERVAL = "interval"
    THRESHOLD = "threshold"


class Trigger(StrEnum):
    """What makes a rule fill its wallet."""

    INTERVAL = "interval"
    THRESHOLD = "threshold"


class Method(StrEnum):
    """Whether a rule adds a fixed number of credits, or what is missing to a target."""

    FIXED = "fixed"
    TARGET = "target"


@value
class Wallet:
    """Prepaid credits of one customer. All `*_cents` in minor units of its currency, `rate_amount` in units a credit.

    `billable_metrics` are the metrics that it is limited to, by id with the code.
    """

    id: UUID
    customer_id: UUID
    billing_entity_id: UUID | None
    status: Status
    code: str
    name: str | None
    priority: int
    currency: str
    rate_amount: Decimal
    balance_cents: int
    precise_balance_cents: Decimal
    consumed_amount_cents: int
    precise_consumed_amount_cents: Decimal
    ongoing_balance_cents: int
    ongoing_usage_balance_cents: int
    depleted_ongoing_balance: bool
    last_balance_sync_at: datetime | None
    last_consumed_credit_at: datetime | None
    last_ongoing_balance_sync_at: datetime | None
    expiration_at: datetime | None
    terminated_at: datetime | None
    invoice_requires_successful_payment: bool
    paid_top_up_min_amount_cents: int | None
    paid_top_up_max_amount_cents: int | None
    fee_types: tuple[str, ...]
    billable_metrics: Mapping[UUID, str]
    purchase_order_number: str | None
    skip_invoice_custom_sections: bool
    payment_method_type: str
    payment_method_id: UUID | None
    metadata: Mapping[str, str | None] | None
    created_at: datetime
    updated_at: datetime

    def lives_at(self, at: datetime) -> bool:
        """Whether it is active and not past its end."""
        return self.status is Status.ACTIVE and (self.expiration_at is None or self.expiration_at > at)

    @property
    def credits(self) -> Credits:
        """What its credits are worth."""
        return Credits(Fraction(self.rate_amount), currency(self.currency))

    @property
    def balance(self) -> Balance:
        """What it holds."""
        return Balance(self.balance_cents, Fraction(self.precise_balance_cents))

    @property
    def credits_balance(self) -> Fraction:
        """The credits that it holds, exact."""
        return self.credits.of_cents(Fraction(self.precise_balance_cents))

    @property
    def consumed_credits(self) -> Fraction:
        """The credits that were spent or voided, exact."""
        return self.credits.of_cents(Fraction(self.precise_consumed_amount_cents))

    @property
    def credits_ongoing_balance(self) -> Fraction:
        """The credits that usage not yet invoiced leaves."""
        return self.credits.of_cents(self.ongoing_balance_cents)

    @property
    def credits_ongoing_usage_balance(self) -> Fraction:
        """The credits that usage not yet invoiced will take."""
        return self.credits.of_cents(self.ongoing_usage_balance_cents)

    @property
    def limits(self) -> Limits:
        """What may be bought at once, in credits."""
        low, high = self.paid_top_up_min_amount_cents, self.paid_top_up_max_amount_cents
        return Limits(
            min_credits=None if low is None else self.credits.of_cents(low),
            max_credits=None if high is None else self.credits.of_cents(high),
        )

    def purse(self, balance_cents: int) -> Purse:
        """The wallet as invoices draw on it, holding this much."""
        return Purse(
            code=self.code,
            balance_cents=balance_cents,
            fee_types=frozenset(FeeType(name) for name in self.fee_types if name in set(FeeType)),
            billable_metric_ids=frozenset(self.billable_metrics),
            is_limited=bool(self.fee_types or self.billable_metrics),
        )


@value
class Rule:
    """What fills a wallet by itself; all figures in credits."""

    id: UUID
    wallet_id: UUID
    status: Status
    trigger: Trigger
    method: Method
    interval: Interval | None
    threshold_credits: Decimal | None
    target_ongoing_balance: Decimal | None
    paid_credits: Decimal
    granted_credits: Decimal
    grants_target_top_up: bool | None
    started_at: datetime | None
    expiration_at: datetime | None
    terminated_at: datetime | None
    ignore_paid_top_up_limits: bool
    invoice_requires_successful_payment: bool
    transaction_name: str | None
    transaction_metadata: Sequence[Mapping[str, str]]
    purchase_order_number: str | None
    skip_invoice_custom_sections: bool
    payment_method_type: str
    payment_method_id: UUID | None
    created_at: datetime
    updated_at: datetime

    @property
    def terms(self) -> RuleTerms:
        """Its figures, as the domain computes with them."""
        target = self.target_ongoing_balance if self.method is Method.TARGET else None
        return RuleTerms(
            paid=Fraction(self.paid_credits),
            granted=Fraction(self.granted_credits),
            target=None if target is None else Fraction(target),
            grants_target_top_up=bool(self.grants_target_top_up),
            ignores_limits=self.ignore_paid_top_up_limits,
        )

    def lives_at(self, at: datetime) -> bool:
        """Whether it is active and not past its end."""
        return self.status is Status.ACTIVE and (self.expiration_at is None or self.expiration_at > at)


@value
class Transaction:
    """A move of credits. `precise_amount_cents` is what its credits are worth exactly, in minor units."""

    id: UUID
    wallet_id: UUID
    billing_entity_id: UUID | None
    transaction_type: Direction
    transaction_status: Kind
    status: Settlement
    source: Source
    amount_cents: int
    precise_amount_cents: Decimal
    remaining_amount_cents: int | None
    priority: int
    name: str | None
    metadata: Sequence[Mapping[str, str]]
    invoice_requires_successful_payment: bool
    invoice_id: UUID | None
    credit_note_id: UUID | None
    voided_invoice_id: UUID | None
    purchase_order_number: str | None
    skip_invoice_custom_sections: bool
    payment_method_type: str
    payment_method_id: UUID | None
    interval_day: date | None
    settled_at: datetime | None
    failed_at: datetime | None
    created_at: datetime
    updated_at: datetime

    def credit_amount(self, wallet: Wallet) -> Fraction:
        """Its credits, exact."""
        return wallet.credits.of_cents(Fraction(self.precise_amount_cents))

    def amount(self, wallet: Wallet) -> Fraction:
        """Its money, in currency units."""
        return major_units(self.amount_cents, currency(wallet.currency))

    @property
    def as_inbound(self) -> Inbound:
        """What can be consumed of it."""
        return Inbound(
            id=self.id,
            priority=self.priority,
            is_granted=self.transaction_status is Kind.GRANTED,
            created_at=self.created_at,
            remaining_cents=self.remaining_amount_cents or 0,
        )


@value
class Consumption:
    """What an inbound transaction paid of an outbound one, in minor units; shown with the one that was not asked for."""

    id: UUID
    amount_cents: int
    created_at: datetime
    other: Transaction


@value
class RuleView:
    """A rule with the custom sections that it selects."""

    rule: Rule
    sections: tuple[Section, ...]


@value
class WalletView:
    """A wallet with what hangs on it; `rules` are those that still do something."""

    wallet: Wallet
    external_customer_id: str
    billing_entity_code: str
    rules: tuple[RuleView, ...]
    sections: tuple[Section, ...]


@value
class TransactionView:
    """A transaction with what hangs on it."""

    transaction: Transaction
    wallet: Wallet
    billing_entity_code: str
    sections: tuple[Section, ...]


@value
class SectionsInput:
    """Custom sections as they are asked for; None is what was left out."""

    skips: bool | None = None
    codes: Sequence[str] | None = None


@value
class Limitations:
    """What a wallet is to pay; None is what was left out."""

    fee_types: Sequence[Any] | None = None
    billable_metric_codes: Sequence[Any] | None = None

    @property
    def is_sent(self) -> bool:
        """Whether anything is said of it."""
        return self.fee_types is not None or self.billable_metric_codes is not None


@value
class RuleInput:
    """A rule as it is asked for: columns, and which one it replaces."""

    id: UUID | None
    values: Mapping[str, Any]
    paid_credits: Any
    granted_credits: Any
    transaction_metadata: Any
    sections: SectionsInput | None


@value
class WalletInput:
    """A wallet as it is asked for: columns as `values`, the rest apart. A rule that is None can't be read."""

    values: Mapping[str, Any]
    applies_to: Limitations | None = None
    rules: Sequence[RuleInput | None] | None = None
    sections: SectionsInput | None = None
    metadata: Any = None
    billing_entity_code: str | None = None
    billing_entity_id: str | None = None
    names_entity: bool = False


@value
class FirstLoad:
    """What a new wallet is filled with; credits as they were sent."""

    paid_credits: Any = None
    granted_credits: Any = None
    name: str | None = None
    metadata: Any = None
    priority: int | None = None
    ignores_limits: bool = False


@value
class TransactionInput:
    """Credits to be bought, given or voided, as they were sent."""

    wallet_id: str
    paid_credits: Any = None
    granted_credits: Any = None
    voided_credits: Any = None
    voided_transaction_id: str | None = None
    name: Any = None
    metadata: Any = None
    priority: Any = None
    invoice_requires_successful_payment: bool | None = None
    ignores_limits: bool = False
    purchase_order_number: str | None = None
    payment_method_type: str | None = None
    payment_method_id: UUID | None = None
    sections: SectionsInput | None = None


@value
class Filters:
    """Which wallets a list shows; None and empty mean any."""

    external_customer_id: str | None = None
    currency: str | None = None
    billing_entity_codes: tuple[str, ...] = ()


@value
class TransactionFilters:
    """Which transactions of a wallet a list shows; None and empty mean any, and all pairs of metadata must match."""

    status: Settlement | None = None
    transaction_type: Direction | None = None
    transaction_status: Kind | None = None
    metadata: tuple[tuple[str, str], ...] = ()
