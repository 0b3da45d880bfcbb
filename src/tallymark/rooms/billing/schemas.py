"""How a one-off invoice is asked for (invoicing §10.1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tallymark.api.validation import CurrencyCode
from tallymark.api.wire import (
    DecimalText,
    Input,
    Instant,
    Integer,
    Name,
    NotEmpty,
    OptionalText,
    RecordId,
    Text,
    at_most,
)
from tallymark.domain.errors import element
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import Fee
from tallymark.domain.money import round_half_away
from tallymark.domain.wallets import SHOWN_DECIMALS
from tallymark.rooms.billing.model import Foreseen, ForeseenCredits, KeptFee, OneOffFee, OneOffInput
from tallymark.rooms.billing.service.adjust import AdjustmentInput
from tallymark.rooms.billing.service.one_off import read_boundaries
from tallymark.rooms.billing.service.pages import Page
from tallymark.rooms.fees.model import AdjustedFee
from tallymark.rooms.invoices.model import InvoiceStatus
from tallymark.rooms.subscriptions.model import PaidBy
from tallymark.rooms.subscriptions.schemas import CustomSectionsInput, OrderNumber, PaymentMethodInput


def _units(value: Any) -> Any:
    try:
        units = Decimal(str(value)) if not isinstance(value, bool) else None
    except ArithmeticError:
        units = None
    if units is None or not units.is_finite():
        raise PydanticCustomError("value_is_invalid", "no number")
    if not 0 <= units < 10**15 or -units.as_tuple().exponent > 10:  # type: ignore[operator]  # finite, so an int
        raise PydanticCustomError("value_is_out_of_range", "out of range")
    return units


class OneOffFeeInput(Input):
    add_on_code: Text
    units: Annotated[Decimal, BeforeValidator(_units)] | None = None
    unit_amount_cents: Annotated[Integer, Field(ge=0, lt=2**53)] | None = None
    invoice_display_name: Annotated[OptionalText, at_most(255)] = None
    description: OptionalText = None
    from_datetime: Any = None
    to_datetime: Any = None
    tax_codes: list[str] | None = None
    skip_psp: bool | None = None

    def to_value(self) -> OneOffFee:
        """What is asked for. Raises `Invalid` for boundaries that are none."""
        from_at, to_at = read_boundaries(self.from_datetime, self.to_datetime)
        return OneOffFee(
            add_on_code=self.add_on_code,
            units=Fraction(1) if self.units is None else Fraction(self.units),
            unit_amount_cents=self.unit_amount_cents,
            invoice_display_name=self.invoice_display_name,
            description=self.description,
            from_at=from_at,
            to_at=to_at,
            tax_codes=self.tax_codes,
        )


def read_method(asked: PaymentMethodInput) -> PaidBy | None:
    """By what somebody wants to be paid; None where nothing is said of it."""
    return None if asked is None else asked.to_value()


class OneOffInvoiceInput(Input):
    external_customer_id: Name
    fees: list[OneOffFeeInput] | None = None
    currency: CurrencyCode | None = None
    billing_entity_code: OptionalText = None
    purchase_order_number: OrderNumber = None
    skip_psp: bool | None = None
    invoice_custom_section: CustomSectionsInput | None = None
    payment_method: PaymentMethodInput = None

    def to_value(self) -> OneOffInput:
        """What is asked for."""
        sections = self.invoice_custom_section
        return OneOffInput(
            external_customer_id=self.external_customer_id,
            fees=self._fees(),
            currency=self.currency,
            billing_entity_code=self.billing_entity_code,
            purchase_order_number=self.purchase_order_number,
            skips_sections=bool(sections and sections.skip_invoice_custom_sections),
            section_codes=sections.invoice_custom_section_codes if sections else None,
            skip_psp=bool(self.skip_psp),
            paid_by=read_method(self.payment_method),
        )

    def _fees(self) -> list[OneOffFee]:
        found = []
        for place, fee in enumerate(self.fees or ()):
            with element("fees", place):
                found.append(fee.to_value())
        return found


class KeptFeeInput(Input):
    id: UUID
    units: Annotated[Decimal, BeforeValidator(_units)] | None = None
    unit_precise_amount: Annotated[Decimal, BeforeValidator(_units)] | None = None
    invoice_display_name: Annotated[OptionalText, at_most(255)] = None

    def to_value(self) -> KeptFee:
        """A fee to be made anew."""
        price = self.unit_precise_amount
        return KeptFee(
            fee_id=self.id,
            units=None if self.units is None else Fraction(self.units),
            unit_amount=None if price is None else Fraction(price),
            invoice_display_name=self.invoice_display_name,
        )


class AdjustmentFields(Input):
    fee_id: UUID | None = None
    subscription_id: UUID | None = None
    charge_id: UUID | None = None
    charge_filter_id: UUID | None = None
    fixed_charge_id: UUID | None = None
    units: Annotated[Decimal, BeforeValidator(_units)] | None = None
    unit_precise_amount: Annotated[Decimal, BeforeValidator(_units)] | None = None
    invoice_display_name: Annotated[OptionalText, at_most(255)] = None

    def to_value(self) -> AdjustmentInput:
        """What is told otherwise."""
        return AdjustmentInput(**self.sent)


class AdjustmentRequest(BaseModel):
    adjusted_fee: Annotated[AdjustmentFields, NotEmpty]


class AdjustedFeeOutput(BaseModel):
    lago_id: UUID
    lago_invoice_id: UUID
    lago_subscription_id: UUID
    lago_charge_id: UUID | None
    lago_charge_filter_id: UUID | None
    lago_fixed_charge_id: UUID | None
    fee_type: str
    grouped_by: dict[str, Any]
    units: DecimalText | None
    unit_precise_amount: DecimalText | None
    invoice_display_name: str | None
    created_at: Instant

    @classmethod
    def of(cls, one: AdjustedFee) -> AdjustedFeeOutput:
        """Show what was told otherwise of a fee."""
        ids = ("invoice_id", "subscription_id", "charge_id", "charge_filter_id", "fixed_charge_id")
        return cls(
            **{f"lago_{name}": getattr(one, name) for name in ids},
            lago_id=one.id,
            fee_type=one.fee_type,
            grouped_by=dict(one.grouped_by),
            units=one.units,
            unit_precise_amount=one.unit_precise_amount,
            invoice_display_name=one.invoice_display_name,
            created_at=one.created_at,
        )


class AdjustedFeeResponse(BaseModel):
    adjusted_fee: AdjustedFeeOutput


class AdjustedFeesResponse(BaseModel):
    adjusted_fees: list[AdjustedFeeOutput]


class RegenerateInput(Input):
    fees: Annotated[list[KeptFeeInput], Field(min_length=1)]


class RegenerateRequest(BaseModel):
    invoice: Annotated[RegenerateInput, NotEmpty]


class ForeseenFeeOutput(BaseModel):
    lago_id: UUID
    """Of the fee on the void invoice."""
    amount_cents: int


class ForeseenCreditsOutput(BaseModel):
    """Credits that an invoice in place of a void one would sell."""

    lago_wallet_id: UUID
    """Of the wallet that they go into."""
    wallet_name: str | None
    wallet_code: str
    is_moved: bool
    """Whether that is another than the void invoice was for, which has ended."""
    rate_amount: DecimalText
    credit_amount: DecimalText
    settled_amount_cents: int
    """What the void invoice has brought into its wallet: it was paid, and both stay."""

    @classmethod
    def of(cls, found: ForeseenCredits) -> ForeseenCreditsOutput:
        """Show what would be bought."""
        return cls(
            lago_wallet_id=found.wallet_id,
            wallet_name=found.wallet_name,
            wallet_code=found.wallet_code,
            is_moved=found.is_moved,
            rate_amount=found.rate,
            credit_amount=round_half_away(found.credits, SHOWN_DECIMALS),
            settled_amount_cents=found.settled_cents,
        )


class RegenerationPreviewOutput(BaseModel):
    """What an invoice in place of a void one would come to, before credit notes and wallets pay of it."""

    currency: str
    fees: list[ForeseenFeeOutput]
    fees_amount_cents: int
    progressive_billing_credit_amount_cents: int
    coupons_amount_cents: int
    sub_total_excluding_taxes_amount_cents: int
    taxes_amount_cents: int
    sub_total_including_taxes_amount_cents: int
    credits: ForeseenCreditsOutput | None
    """Of an invoice of credits alone."""

    @classmethod
    def of(cls, foreseen: Foreseen) -> RegenerationPreviewOutput:
        """Show what would be issued."""
        amounts = [name for name in cls.model_fields if name.endswith("_amount_cents")]
        return cls(
            currency=foreseen.currency,
            fees=[ForeseenFeeOutput(lago_id=of, amount_cents=cents) for of, cents in foreseen.fees.items()],
            credits=None if foreseen.credits is None else ForeseenCreditsOutput.of(foreseen.credits),
            **{name: getattr(foreseen.totals, name) for name in amounts},
        )


class RegenerationPreviewResponse(BaseModel):
    regeneration_preview: RegenerationPreviewOutput


class RetryPaymentRequest(Input):
    payment_method: PaymentMethodInput = None


class PayerDetails(BaseModel):
    lago_customer_id: UUID
    external_customer_id: str
    payment_provider: str | None
    payment_url: str

    @staticmethod
    def columns(page: Page) -> dict[str, Any]:
        """Who pays, and where."""
        assert page.url is not None, "it was made"
        return {
            "lago_customer_id": page.customer.id,
            "external_customer_id": page.customer.external_id,
            "payment_provider": page.customer.payment_provider,
            "payment_url": page.url,
        }


class PaymentDetails(PayerDetails):
    lago_invoice_id: UUID

    @classmethod
    def of(cls, page: Page) -> PaymentDetails:
        """Show where an invoice is paid."""
        return cls(**cls.columns(page), lago_invoice_id=page.invoice_id)


class PurchaseDetails(PayerDetails):
    lago_wallet_transaction_id: UUID

    @classmethod
    def of_purchase(cls, page: Page, transaction_id: UUID) -> PurchaseDetails:
        """Show where credits are paid that are being bought."""
        return cls(**cls.columns(page), lago_wallet_transaction_id=transaction_id)


class PurchaseUrlResponse(BaseModel):
    wallet_transaction_payment_details: PurchaseDetails


class PaymentUrlResponse(BaseModel):
    invoice_payment_details: PaymentDetails


class OneOffRequest(BaseModel):
    invoice: Annotated[OneOffInvoiceInput, NotEmpty]


MOST_FINALIZATIONS = 50


class FinalizationsRequest(Input):
    """Drafts that are to be issued: what a list shows, chosen by hand."""

    lago_ids: Annotated[list[RecordId], Field(min_length=1, max_length=MOST_FINALIZATIONS)]


class FinalizationOutput(BaseModel):
    """What came of one of them."""

    lago_id: UUID
    invoice_status: InvoiceStatus | None
    """Null where it was not issued, and `code` tells why."""
    number: str | None
    code: str | None


class FinalizationsResponse(BaseModel):
    finalizations: list[FinalizationOutput]


class AdjustedAmountOutput(BaseModel):
    units: DecimalText
    precise_unit_amount: DecimalText
    amount_cents: int

    @classmethod
    def of(cls, fee: Fee) -> AdjustedAmountOutput:
        """Show what a fee comes to."""
        return cls(
            units=fee.units, precise_unit_amount=fee.precise_unit_amount, amount_cents=fee.amount_cents
        )


class AdjustmentPreviewOutput(BaseModel):
    """A fee as it is, and as it would be told otherwise; before coupons and taxes."""

    current: AdjustedAmountOutput
    adjusted: AdjustedAmountOutput
    difference_amount_cents: int


class AdjustmentPreviewResponse(BaseModel):
    adjustment_preview: AdjustmentPreviewOutput
