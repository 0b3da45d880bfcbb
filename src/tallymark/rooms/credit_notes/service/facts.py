"""What an invoice's notes follow from: its fees, what earlier notes gave back of them, and what was paid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing import TaxRate
from tallymark.domain.invoicing.creditable import CreditableFee, CreditableInvoice, Given
from tallymark.rooms.credit_notes import repository
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord, FeeTax
from tallymark.rooms.invoices.model import Invoice
from tallymark.rooms.wallets import service as wallets

TOP_UP = "credit"
"""The type of invoices for credits that are bought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """An invoice, its fees in the order of their lines, and both as the domain knows them."""

    invoice: Invoice
    fees: tuple[FeeRecord, ...]
    creditable: CreditableInvoice

    @property
    def taxes(self) -> Mapping[TaxRate, FeeTax]:
        """The taxes of the fees, as they were applied."""
        return {rate_of(tax): tax for fee in self.fees for tax in fee.taxes}


def rate_of(tax: FeeTax) -> TaxRate:
    """A tax of a fee as the domain knows it."""
    return TaxRate(
        code=tax.tax_code, name=tax.tax_name, description=tax.tax_description, rate=Fraction(tax.tax_rate)
    )


async def gather(tx: Tx, invoice: Invoice) -> Facts:
    """The facts of an invoice, as they stand; with the customer's lock they stay so.

    Raises `NotAllowed("invalid_type_or_status")` for credits that were bought for a wallet that is not active any more.
    """
    (facts,) = await gather_all(tx, [invoice])
    return facts


async def gather_all(tx: Tx, of: Sequence[Invoice]) -> list[Facts]:
    """The facts of invoices, in the order given; takes the statements of one, unless they sold wallet credits."""
    ids = [invoice.id for invoice in of]
    lines = await fees.of_invoices(tx, ids)
    credited = await repository.credited_of(tx, [fee.id for of_one in lines.values() for fee in of_one])
    given = await repository.given_of(tx, ids)
    return [
        _facts(
            invoice,
            lines.get(invoice.id, []),
            credited,
            given.get(invoice.id, Given()),
            wallet_cents=await _wallet_cents(tx, invoice),
        )
        for invoice in of
    ]


def _facts(
    invoice: Invoice,
    lines: Sequence[FeeRecord],
    credited: Mapping[UUID, tuple[int, Fraction]],
    given: Given,
    *,
    wallet_cents: int | None,
) -> Facts:
    creditable = CreditableInvoice(
        fees=tuple(_creditable(fee, *credited.get(fee.id, (0, Fraction(0)))) for fee in lines),
        sub_total_cents=invoice.sub_total_excluding_taxes_amount_cents,
        taxes_cents=invoice.taxes_amount_cents,
        total_cents=invoice.total_amount_cents,
        paid_cents=invoice.total_paid_amount_cents,
        is_paid=invoice.payment_status == "succeeded",
        given=given,
        wallet_cents=wallet_cents,
    )
    return Facts(invoice=invoice, fees=tuple(lines), creditable=creditable)


async def _wallet_cents(tx: Tx, invoice: Invoice) -> int | None:
    """What a wallet still has of credits that were bought, in minor units; None for every other invoice."""
    if invoice.invoice_type != TOP_UP:
        return None
    left = await wallets.refundable_cents(tx, invoice.id)
    return left if invoice.payment_status == "succeeded" else 0


def _creditable(fee: FeeRecord, credited_cents: int, precise_credited_cents: Fraction) -> CreditableFee:
    return CreditableFee(
        amount_cents=fee.amount_cents,
        coupons_cents=Fraction(fee.precise_coupons_amount_cents),
        taxes=tuple(rate_of(tax) for tax in fee.taxes),
        credited_cents=credited_cents,
        precise_credited_cents=precise_credited_cents,
    )
