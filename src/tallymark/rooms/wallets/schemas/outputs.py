"""Wallets and transactions as they are answered."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, InstanceOf, PlainSerializer

from tallymark.api.descriptions import PAIRS, shown_as
from tallymark.api.pagination import Meta
from tallymark.api.wire import DecimalText, Described, Instant, InstantMs
from tallymark.domain.exact import Fraction
from tallymark.domain.money import decimal_text
from tallymark.domain.wallets import SHOWN_DECIMALS
from tallymark.rooms.invoice_custom_sections.schemas import ChosenSectionOutput
from tallymark.rooms.subscriptions.schemas import PaymentMethodReference
from tallymark.rooms.wallets.model import (
    Consumption,
    Rule,
    RuleView,
    Transaction,
    TransactionView,
    Wallet,
    WalletView,
)

CreditsText = Annotated[
    InstanceOf[Fraction] | Decimal,
    PlainSerializer(lambda value: decimal_text(value, SHOWN_DECIMALS), return_type=str),
]
"""Credits as a string with at most five decimals, rounded half away from zero."""


def _paid_by(of: Wallet | Rule | Transaction) -> PaymentMethodReference:
    return PaymentMethodReference(
        payment_method_type="manual" if of.payment_method_type == "manual" else "provider",
        payment_method_id=of.payment_method_id,
    )


class RuleOutput(BaseModel):
    lago_id: UUID
    status: str
    trigger: str
    method: str
    interval: str | None
    threshold_credits: CreditsText | None
    target_ongoing_balance: CreditsText | None
    paid_credits: CreditsText
    granted_credits: CreditsText
    grants_target_top_up: bool | None
    started_at: Instant | None
    expiration_at: Instant | None
    created_at: Instant
    ignore_paid_top_up_limits: bool
    invoice_requires_successful_payment: bool
    transaction_name: str | None
    transaction_metadata: Annotated[list[dict[str, str]], shown_as(PAIRS)]
    purchase_order_number: str | None
    payment_method: PaymentMethodReference
    applied_invoice_custom_sections: list[ChosenSectionOutput]

    @classmethod
    def of(cls, view: RuleView) -> RuleOutput:
        """Show a rule."""
        rule = view.rule
        own = ("lago_id", "transaction_metadata", "payment_method", "applied_invoice_custom_sections")
        return cls(
            **{name: getattr(rule, name) for name in cls.model_fields if name not in own},
            lago_id=rule.id,
            transaction_metadata=[dict(pair) for pair in rule.transaction_metadata],
            payment_method=_paid_by(rule),
            applied_invoice_custom_sections=[
                ChosenSectionOutput.of(rule.id, section) for section in view.sections
            ],
        )


class AppliesToOutput(BaseModel):
    fee_types: list[str]
    billable_metric_codes: list[str]

    @classmethod
    def of(cls, wallet: Wallet) -> AppliesToOutput:
        """Show what a wallet pays; nothing named is everything."""
        return cls(
            fee_types=list(wallet.fee_types), billable_metric_codes=list(wallet.billable_metrics.values())
        )


class WalletOutput(Described):
    left_out = ("metadata",)

    lago_id: UUID
    lago_customer_id: UUID
    external_customer_id: str
    billing_entity_code: str
    status: str
    currency: str
    name: str | None
    code: str
    priority: int
    rate_amount: CreditsText
    credits_balance: CreditsText
    balance_cents: int
    consumed_credits: CreditsText
    credits_ongoing_balance: CreditsText
    ongoing_balance_cents: int
    credits_ongoing_usage_balance: CreditsText
    ongoing_usage_balance_cents: int
    created_at: Instant
    expiration_at: Instant | None
    last_balance_sync_at: Instant | None
    last_consumed_credit_at: Instant | None
    terminated_at: InstantMs | None
    invoice_requires_successful_payment: bool
    paid_top_up_min_amount_cents: int | None
    paid_top_up_max_amount_cents: int | None
    purchase_order_number: str | None
    payment_method: PaymentMethodReference
    recurring_transaction_rules: list[RuleOutput]
    applies_to: AppliesToOutput
    applied_invoice_custom_sections: list[ChosenSectionOutput]
    metadata: dict[str, str | None] | None

    @classmethod
    def of(cls, view: WalletView) -> WalletOutput:
        """Show a wallet."""
        wallet = view.wallet
        own = (
            "lago_id", "lago_customer_id", "external_customer_id", "billing_entity_code", "payment_method",
            "recurring_transaction_rules", "applies_to", "applied_invoice_custom_sections", "metadata",
        )  # fmt: skip
        return cls(
            **{name: getattr(wallet, name) for name in cls.model_fields if name not in own},
            lago_id=wallet.id,
            lago_customer_id=wallet.customer_id,
            external_customer_id=view.external_customer_id,
            billing_entity_code=view.billing_entity_code,
            payment_method=_paid_by(wallet),
            recurring_transaction_rules=[RuleOutput.of(rule) for rule in view.rules],
            applies_to=AppliesToOutput.of(wallet),
            applied_invoice_custom_sections=[
                ChosenSectionOutput.of(wallet.id, section) for section in view.sections
            ],
            metadata=None if wallet.metadata is None else dict(wallet.metadata),
        )


class WalletResponse(BaseModel):
    wallet: WalletOutput


class WalletsResponse(BaseModel):
    wallets: list[WalletOutput]
    meta: Meta


class MetadataResponse(BaseModel):
    metadata: dict[str, str | None] | None


class TransactionOutput(BaseModel):
    lago_id: UUID
    lago_wallet_id: UUID
    lago_invoice_id: UUID | None
    lago_credit_note_id: UUID | None
    lago_voided_invoice_id: UUID | None
    billing_entity_code: str
    status: str
    source: str
    transaction_status: str
    transaction_type: str
    amount: CreditsText
    credit_amount: CreditsText
    remaining_amount_cents: int | None
    remaining_credit_amount: DecimalText | None
    priority: int
    name: str | None
    metadata: Annotated[list[dict[str, str]], shown_as(PAIRS)]
    invoice_requires_successful_payment: bool
    purchase_order_number: str | None
    settled_at: Instant | None
    failed_at: Instant | None
    created_at: Instant
    payment_method: PaymentMethodReference
    applied_invoice_custom_sections: list[ChosenSectionOutput]

    @classmethod
    def of(cls, view: TransactionView) -> TransactionOutput:
        """Show a transaction."""
        one, wallet = view.transaction, view.wallet
        same = (
            "status", "source", "transaction_status", "transaction_type", "remaining_amount_cents", "priority", "name",
            "invoice_requires_successful_payment", "purchase_order_number", "settled_at", "failed_at", "created_at",
        )  # fmt: skip
        left = one.remaining_amount_cents
        return cls(
            **{name: getattr(one, name) for name in same},
            lago_id=one.id,
            lago_wallet_id=one.wallet_id,
            lago_invoice_id=one.invoice_id,
            lago_credit_note_id=one.credit_note_id,
            lago_voided_invoice_id=one.voided_invoice_id,
            billing_entity_code=view.billing_entity_code,
            amount=one.amount(wallet),
            credit_amount=one.credit_amount(wallet),
            remaining_credit_amount=None if left is None else wallet.credits.of_cents(left),
            metadata=[dict(pair) for pair in one.metadata],
            payment_method=_paid_by(one),
            applied_invoice_custom_sections=[
                ChosenSectionOutput.of(one.id, section) for section in view.sections
            ],
        )


class TransactionResponse(BaseModel):
    wallet_transaction: TransactionOutput


class MadeTransactionsResponse(BaseModel):
    wallet_transactions: list[TransactionOutput]


class TransactionsResponse(BaseModel):
    wallet_transactions: list[TransactionOutput]
    meta: Meta


class ConsumptionOutput(BaseModel):
    lago_id: UUID
    amount_cents: int
    credit_amount: CreditsText
    created_at: Instant
    wallet_transaction: TransactionOutput

    @classmethod
    def of(cls, consumption: Consumption, other: TransactionView) -> ConsumptionOutput:
        """Show what one transaction paid of another."""
        return cls(
            lago_id=consumption.id,
            amount_cents=consumption.amount_cents,
            credit_amount=other.wallet.credits.of_cents(consumption.amount_cents),
            created_at=consumption.created_at,
            wallet_transaction=TransactionOutput.of(other),
        )


class ConsumptionsResponse(BaseModel):
    wallet_transaction_consumptions: list[ConsumptionOutput]
    meta: Meta


class FundingsResponse(BaseModel):
    wallet_transaction_fundings: list[ConsumptionOutput]
    meta: Meta
