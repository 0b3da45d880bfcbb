"""How the portal looks to the web app (ui §8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.pagination import Meta
from tallymark.api.validation import Emails, Locale
from tallymark.api.wire import DecimalText, Input, Instant, NotEmpty, OptionalText, one_of
from tallymark.rooms.billing.service.pages import Page
from tallymark.rooms.customers.model import ADDRESS, Customer
from tallymark.rooms.customers.schemas import AddressInput, AddressOutput, Free, Short
from tallymark.rooms.daily_usages.model import DayOfPeriod
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.portal.model import Balance, Sold
from tallymark.rooms.usage.projected_schemas import ProjectedUsageOutput
from tallymark.rooms.wallets.model import Transaction, Wallet
from tallymark.rooms.wallets.schemas.outputs import CreditsText


class PortalUrl(BaseModel):
    portal_url: str


class PortalUrlResponse(BaseModel):
    customer: PortalUrl


class PortalCustomerOutput(AddressOutput):
    """`locale` is the language to speak: the customer's own (`document_locale`), else their billing entity's."""

    lago_id: UUID
    external_id: str
    display_name: str
    name: str | None
    firstname: str | None
    lastname: str | None
    legal_name: str | None
    legal_number: str | None
    tax_identification_number: str | None
    customer_type: Literal["company", "individual"] | None
    email: str | None
    currency: str | None
    applicable_timezone: str
    document_locale: str | None
    locale: str
    shipping_address: AddressOutput

    @classmethod
    def of(cls, customer: Customer, entity: BillingEntity) -> PortalCustomerOutput:
        """Show a customer to themselves."""
        own = ("lago_id", "applicable_timezone", "locale", "shipping_address", *ADDRESS)
        return cls(
            **{name: getattr(customer, name) for name in cls.model_fields if name not in own},
            **{name: getattr(customer.address, name) for name in ADDRESS},
            lago_id=customer.id,
            applicable_timezone=customer.applicable_timezone(entity),
            locale=customer.document_locale or entity.document_locale,
            shipping_address=AddressOutput(
                **{name: getattr(customer.shipping_address, name) for name in ADDRESS}
            ),
        )


class IssuerOutput(BaseModel):
    """Who bills the customer; `brand_color` is `#rrggbb`, null for the house's own."""

    name: str
    legal_name: str | None
    email: str | None
    logo_url: str | None
    brand_color: str | None

    @classmethod
    def of(cls, entity: BillingEntity, logo_url: str | None) -> IssuerOutput:
        """Show an issuer."""
        same = ("name", "legal_name", "email", "brand_color")
        return cls(**{name: getattr(entity, name) for name in same}, logo_url=logo_url)


class BalanceOutput(BaseModel):
    """What the issued invoices of one currency come to."""

    currency: str
    invoices_count: int
    invoiced_amount_cents: int
    due_amount_cents: int
    overdue_invoices_count: int
    overdue_amount_cents: int

    @classmethod
    def of(cls, balance: Balance) -> BalanceOutput:
        """Show a balance."""
        return cls(**{name: getattr(balance, name) for name in cls.model_fields})


class MeResponse(BaseModel):
    """Whose portal it is. Without issued invoices there are no balances."""

    customer: PortalCustomerOutput
    issuer: IssuerOutput
    balances: list[BalanceOutput]
    pays_on_pages: bool
    """Whether their payment provider has pages on which invoices are paid."""


class OwnFields(AddressInput):
    """What a customer may change of themselves (platform §8); all else stays, whatever is sent."""

    customer_type: Annotated[str | None, one_of("company", "individual", None)] = None
    name: Short = None
    firstname: Free = None
    lastname: Free = None
    legal_name: Free = None
    tax_identification_number: Free = None
    email: Emails = None
    document_locale: Locale | None = None
    shipping_address: AddressInput | None = None

    def to_values(self) -> Mapping[str, Any]:
        """The columns that the request names."""
        values = self.sent
        values.pop("shipping_address", None)
        if self.shipping_address is not None:
            values |= {f"shipping_{name}": value for name, value in self.shipping_address.sent.items()}
        return values


class OwnRequest(BaseModel):
    customer: Annotated[OwnFields, NotEmpty]


class PortalSubscriptionOutput(BaseModel):
    """A subscription; its price is for an interval, without taxes.

    A pending one has `starts_on`, an active one `renews_on`, or `ends_on` where it ends before: days where the customer is.
    """

    lago_id: UUID
    external_id: str
    name: str | None
    status: Literal["active", "pending"]
    plan_name: str
    plan_interval: Literal["weekly", "monthly", "quarterly", "semiannual", "yearly"]
    amount_cents: int
    currency: str
    has_usage: bool
    """Whether its plan has prices of usage."""
    started_at: Instant | None
    starts_on: date | None
    renews_on: date | None
    ends_on: date | None
    next_plan_name: str | None

    @classmethod
    def of(cls, sold: Sold) -> PortalSubscriptionOutput:
        """Show a subscription."""
        one, plan = sold.contract.subscription, sold.contract.plan
        return cls(
            lago_id=one.id,
            external_id=one.external_id,
            name=one.name,
            status=one.status.value,
            plan_name=plan.invoice_name,
            plan_interval=plan.interval,
            amount_cents=plan.amount_cents,
            currency=plan.amount_currency,
            has_usage=bool(plan.charges),
            started_at=one.started_at,
            starts_on=sold.starts_on,
            renews_on=sold.renews_on,
            ends_on=sold.ends_on,
            next_plan_name=sold.next_plan,
        )


class PortalSubscriptionsResponse(BaseModel):
    subscriptions: list[PortalSubscriptionOutput]


class DayOfChargeOutput(BaseModel):
    lago_charge_id: UUID
    units: DecimalText
    amount_cents: int


class DayOutput(BaseModel):
    """What a day added to the period's usage; a day that added nothing may be missing."""

    date: date
    amount_cents: int
    charges: list[DayOfChargeOutput]

    @classmethod
    def of(cls, day: DayOfPeriod) -> DayOutput:
        """Show a day."""
        return cls(
            date=day.date,
            amount_cents=day.amount_cents,
            charges=[
                DayOfChargeOutput(
                    lago_charge_id=one.charge_id, units=one.units, amount_cents=one.amount_cents
                )
                for one in day.charges
            ],
        )


class PortalUsageResponse(BaseModel):
    """The running period, without taxes. The days add up to what it has come to; the last one is the running day."""

    usage: ProjectedUsageOutput
    days: list[DayOutput]


class PortalWalletOutput(BaseModel):
    """A wallet. The ongoing balance is what usage not yet invoiced leaves of it; the limits are those of one purchase."""

    lago_id: UUID
    name: str | None
    code: str
    priority: int
    currency: str
    rate_amount: CreditsText
    credits_balance: CreditsText
    balance_cents: int
    credits_ongoing_balance: CreditsText
    ongoing_balance_cents: int
    consumed_credits: CreditsText
    consumed_amount_cents: int
    last_consumed_credit_at: Instant | None
    expiration_at: Instant | None
    paid_top_up_min_amount_cents: int | None
    paid_top_up_max_amount_cents: int | None
    created_at: Instant

    @classmethod
    def of(cls, wallet: Wallet) -> PortalWalletOutput:
        """Show a wallet."""
        return cls(
            **{name: getattr(wallet, name) for name in cls.model_fields if name != "lago_id"},
            lago_id=wallet.id,
        )


class PortalWalletResponse(BaseModel):
    wallet: PortalWalletOutput


class PortalWalletsResponse(BaseModel):
    wallets: list[PortalWalletOutput]


class TopUpPriceOutput(BaseModel):
    paid_credits: CreditsText
    amount_cents: int
    currency: str


class TopUpPriceResponse(BaseModel):
    top_up_price: TopUpPriceOutput


class TopUpFields(Input):
    paid_credits: OptionalText = None


class TopUpRequest(BaseModel):
    top_up: Annotated[TopUpFields, NotEmpty]


class TopUpOutput(BaseModel):
    """Credits that were bought: `pending` until their invoice is paid."""

    lago_id: UUID
    lago_wallet_id: UUID
    status: Literal["pending", "settled", "failed"]
    paid_credits: CreditsText
    amount_cents: int
    currency: str
    is_paid_on_page: bool
    """Whether it is left to the customer to pay it, on a page that `payment_url` leads to."""
    created_at: Instant

    @classmethod
    def of(cls, made: Transaction, wallet: Wallet, *, is_paid_on_page: bool) -> TopUpOutput:
        """Show a purchase."""
        return cls(
            lago_id=made.id,
            lago_wallet_id=wallet.id,
            status=made.status.value,
            paid_credits=made.credit_amount(wallet),
            amount_cents=made.amount_cents,
            currency=wallet.currency,
            is_paid_on_page=is_paid_on_page,
            created_at=made.created_at,
        )


class TopUpResponse(BaseModel):
    top_up: TopUpOutput


class PortalInvoiceOutput(BaseModel):
    lago_id: UUID
    number: str
    invoice_type: Literal[
        "subscription", "add_on", "credit", "one_off", "advance_charges", "progressive_billing"
    ]
    issuing_date: date
    payment_due_date: date
    currency: str
    total_amount_cents: int
    total_paid_amount_cents: int
    total_due_amount_cents: int
    payment_status: Literal["pending", "succeeded", "failed"]
    payment_overdue: bool

    @classmethod
    def of(cls, invoice: Invoice) -> PortalInvoiceOutput:
        """Show an invoice in the history."""
        return cls(
            **{name: getattr(invoice, name) for name in cls.model_fields if name != "lago_id"},
            lago_id=invoice.id,
        )


class PortalInvoicesResponse(BaseModel):
    invoices: list[PortalInvoiceOutput]
    meta: Meta

    @classmethod
    def of(cls, found: Sequence[Invoice], meta: Meta) -> PortalInvoicesResponse:
        """Show a page of the history."""
        return cls(invoices=[PortalInvoiceOutput.of(invoice) for invoice in found], meta=meta)


class PortalFileOutput(BaseModel):
    """Links to an invoice's files; `xml_url` is null where its issuer makes no electronic ones."""

    lago_id: UUID
    number: str
    file_url: str
    xml_url: str | None


class PortalFileResponse(BaseModel):
    invoice: PortalFileOutput


class PaymentPageOutput(BaseModel):
    """Where the customer pays: a page of their payment provider's, for a day at the longest."""

    payment_url: str


class PaymentPageResponse(BaseModel):
    payment_page: PaymentPageOutput

    @classmethod
    def of(cls, page: Page) -> PaymentPageResponse:
        """Show where a page is."""
        assert page.url is not None, "a page that was found or made has an address"
        return cls(payment_page=PaymentPageOutput(payment_url=page.url))
