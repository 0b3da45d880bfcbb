"""Wallets and transactions as they are asked for."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from tallymark.api.descriptions import PAIRS, like, shown_as
from tallymark.api.validation import CurrencyCode
from tallymark.api.wire import Input, InstantInput, Integer, NotEmpty, OptionalText, Text, as_integer, at_most
from tallymark.domain.money import fixed
from tallymark.domain.periods import Interval
from tallymark.rooms.subscriptions.schemas import (
    CustomSectionsInput,
    OrderNumber,
    PaymentMethodInput,
)
from tallymark.rooms.wallets.model import (
    FirstLoad,
    Limitations,
    Method,
    RuleInput,
    SectionsInput,
    TransactionInput,
    Trigger,
    WalletInput,
)

MOST = 10**20
PROVIDER = "provider"


def _rate(value: Any) -> Any:
    try:
        rate = Decimal(str(value)) if value is not None and not isinstance(value, bool) else None
    except ArithmeticError:
        rate = None
    if rate is None or not rate.is_finite():
        code = "value_is_mandatory" if value in (None, "") else "value_is_invalid"
        raise PydanticCustomError(code, code)
    if not 0 < rate < MOST or not (kept := fixed(rate, 5)):
        raise PydanticCustomError("value_is_out_of_range", "out of range")
    return kept


def _priority(value: Any) -> Any:
    value = as_integer(value)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 50):
        raise PydanticCustomError("value_is_invalid", "no priority")
    return value


Rate = Annotated[Decimal, BeforeValidator(_rate)]
Priority = Annotated[int | None, BeforeValidator(_priority)]
Bound = Annotated[Integer, Field(gt=0, lt=2**53)]
TransactionName = Annotated[OptionalText, at_most(255)]
Code = Annotated[OptionalText, at_most(255), AfterValidator(lambda text: text and text.strip())]


class AppliesToInput(Input):
    fee_types: list[Any] | None = None
    billable_metric_codes: list[Any] | None = None


class RuleFields(Input):
    lago_id: UUID | None = None
    trigger: Trigger
    method: Method = Method.FIXED
    interval: Interval | None = None
    threshold_credits: Any = None
    target_ongoing_balance: Any = None
    paid_credits: Any = None
    granted_credits: Any = None
    grants_target_top_up: bool | None = None
    started_at: InstantInput | None = None
    expiration_at: InstantInput | None = None
    ignore_paid_top_up_limits: bool | None = None
    invoice_requires_successful_payment: bool | None = None
    transaction_name: TransactionName = None
    transaction_metadata: Annotated[Any, shown_as(PAIRS)] = None
    purchase_order_number: OrderNumber = None
    payment_method: PaymentMethodInput = None
    invoice_custom_section: CustomSectionsInput | None = None

    def to_value(self) -> RuleInput:
        """What is asked for."""
        names = (
            "trigger", "method", "interval", "threshold_credits", "target_ongoing_balance", "grants_target_top_up",
            "started_at", "expiration_at", "invoice_requires_successful_payment", "transaction_name",
            "purchase_order_number",
        )  # fmt: skip
        return RuleInput(
            id=self.lago_id,
            values={
                **{name: getattr(self, name) for name in names},
                "ignore_paid_top_up_limits": bool(self.ignore_paid_top_up_limits),
                "payment_method_type": PROVIDER,
                "payment_method_id": None,
                **_paid_by(self.payment_method),
            },
            paid_credits=self.paid_credits,
            granted_credits=self.granted_credits,
            transaction_metadata=self.transaction_metadata,
            sections=_sections(self.invoice_custom_section),
        )


_RULE = like(RuleFields)


def _read_rule(value: Any) -> RuleInput | None:
    """A rule, None for what can't be read: all that is wrong with rules has one code (§8)."""
    try:
        return RuleFields.model_validate(value).to_value()
    except ValidationError:
        return None


def _paid_by(asked: PaymentMethodInput) -> dict[str, Any]:
    return {} if asked is None else asked.columns


def _sections(asked: CustomSectionsInput | None) -> SectionsInput | None:
    if asked is None:
        return None
    return SectionsInput(skips=asked.skip_invoice_custom_sections, codes=asked.invoice_custom_section_codes)


class WalletFields(Input):
    """What creation and update share."""

    name: Annotated[OptionalText, at_most(255)] = None
    code: Code = None
    priority: Priority = None
    expiration_at: InstantInput | None = None
    invoice_requires_successful_payment: bool | None = None
    paid_top_up_min_amount_cents: Bound | None = None
    paid_top_up_max_amount_cents: Bound | None = None
    purchase_order_number: OrderNumber = None
    applies_to: AppliesToInput | None = None
    recurring_transaction_rules: list[Annotated[Any, shown_as(_RULE)]] | None = None
    invoice_custom_section: CustomSectionsInput | None = None
    payment_method: PaymentMethodInput = None
    billing_entity_code: OptionalText = None
    billing_entity_id: OptionalText = None
    metadata: Any = None

    def _columns(self, *more: str) -> dict[str, Any]:
        names = (
            "name", "code", "priority", "expiration_at", "invoice_requires_successful_payment",
            "paid_top_up_min_amount_cents", "paid_top_up_max_amount_cents", "purchase_order_number", *more,
        )  # fmt: skip
        values = {name: value for name, value in self.sent.items() if name in names}
        return {**values, **_paid_by(self.payment_method)}

    def _value(self, values: dict[str, Any]) -> WalletInput:
        limits, rules = self.applies_to, self.recurring_transaction_rules
        return WalletInput(
            values=values,
            applies_to=None
            if limits is None
            else Limitations(fee_types=limits.fee_types, billable_metric_codes=limits.billable_metric_codes),
            rules=None if rules is None else [_read_rule(rule) for rule in rules],
            sections=_sections(self.invoice_custom_section),
            metadata=self.metadata,
            billing_entity_code=self.billing_entity_code,
            billing_entity_id=self.billing_entity_id,
            names_entity=bool(self.model_fields_set & {"billing_entity_code", "billing_entity_id"}),
        )


class WalletCreateInput(WalletFields):
    external_customer_id: OptionalText = None
    rate_amount: Rate
    currency: CurrencyCode | None = None
    paid_credits: Any = None
    granted_credits: Any = None
    transaction_name: TransactionName = None
    transaction_metadata: Annotated[Any, shown_as(PAIRS)] = None
    transaction_priority: Priority = None
    ignore_paid_top_up_limits_on_creation: bool | None = None

    def to_value(self) -> WalletInput:
        """The wallet."""
        values = self._columns("rate_amount", "currency")
        values["invoice_requires_successful_payment"] = bool(self.invoice_requires_successful_payment)
        return self._value(values)

    def to_load(self) -> FirstLoad:
        """What it is filled with."""
        return FirstLoad(
            paid_credits=self.paid_credits,
            granted_credits=self.granted_credits,
            name=self.transaction_name,
            metadata=self.transaction_metadata,
            priority=self.transaction_priority,
            ignores_limits=bool(self.ignore_paid_top_up_limits_on_creation),
        )


class WalletUpdateInput(WalletFields):
    def to_value(self) -> WalletInput:
        """What of a wallet is to change."""
        return self._value(self._columns())


class WalletCreateRequest(BaseModel):
    wallet: Annotated[WalletCreateInput, NotEmpty]


class WalletUpdateRequest(BaseModel):
    wallet: Annotated[WalletUpdateInput, NotEmpty]


class MetadataRequest(Input):
    metadata: Any = None


class TransactionFields(Input):
    wallet_id: Text = ""
    paid_credits: Any = None
    granted_credits: Any = None
    voided_credits: Any = None
    voided_transaction_id: OptionalText = None
    name: Any = None
    priority: Annotated[Any, BeforeValidator(as_integer)] = None
    metadata: Annotated[Any, shown_as(PAIRS)] = None
    invoice_requires_successful_payment: bool | None = None
    ignore_paid_top_up_limits: bool | None = None
    purchase_order_number: OrderNumber = None
    payment_method: PaymentMethodInput = None
    invoice_custom_section: CustomSectionsInput | None = None

    def to_value(self) -> TransactionInput:
        """What is asked for."""
        names = (
            "wallet_id", "paid_credits", "granted_credits", "voided_credits", "voided_transaction_id", "name", "priority",
            "metadata", "invoice_requires_successful_payment", "purchase_order_number",
        )  # fmt: skip
        return TransactionInput(
            **{name: getattr(self, name) for name in names},
            **_paid_by(self.payment_method),
            ignores_limits=bool(self.ignore_paid_top_up_limits),
            sections=_sections(self.invoice_custom_section),
        )


class TransactionRequest(BaseModel):
    wallet_transaction: Annotated[TransactionFields, NotEmpty]
