"""Invoice credits that are bought: untaxed, at once, and paid before they count (wallets §5)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.calendar import new_invoice_dates
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.credit import compute_credit_fee
from tallymark.domain.invoicing import InvoicedFee, compute_invoice
from tallymark.domain.money import currency, round_half_away
from tallymark.domain.periods import local_date
from tallymark.domain.wallets import SHOWN_DECIMALS
from tallymark.rooms.billing.service.rows import amount_columns, total_columns
from tallymark.rooms.customers import service as customers
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices import collecting, copying
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import Invoice, InvoiceStatus
from tallymark.rooms.invoices.numbering import draft_number
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.wallets import service as wallets
from tallymark.rooms.wallets.model import Transaction, Wallet

INVOICE_TYPE = "credit"
ITEM = "credit"


@dataclass(frozen=True, slots=True)
class InPlaceOf:
    """The void invoice of credits that another one is issued for, and its fee."""

    invoice: Invoice
    fee: FeeRecord


async def issue(
    tx: Tx, transaction_id: UUID, *, in_place_of: InPlaceOf | None = None, now: datetime
) -> UUID | None:
    """Invoice a purchase of credits, and issue the invoice unless it has to be paid first; None if that was done before.

    Needs the customer's lock.
    """
    purchase = await wallets.get_transaction(tx, transaction_id)
    if purchase.invoice_id is not None:
        return None
    wallet = await wallets.get_wallet(tx, purchase.wallet_id)
    values = await _invoice(tx, purchase, wallet, now=now)
    draft = await _save(tx, values, _row(purchase, wallet, values), in_place_of)
    await wallets.note_invoice(tx, purchase.id, draft.id, now=now)
    (view,) = await invoices.get_views(tx, [draft], now=now, with_lines=False)
    printed = await wallets.printed_on(tx, purchase, wallet, view.customer)
    await copying.save_sections(tx, [(draft.id, printed)], now=now)
    if not purchase.invoice_requires_successful_payment:
        dates = {
            name: values[name] for name in ("issuing_date", "expected_finalization_date", "payment_due_date")
        }
        await invoices.finalize(tx, [invoices.Settled(view=view, dates=dates)], now=now)
        await wallets.tell_added(tx, draft.id, now=now)
    else:
        await collecting.have_collected(tx, [view], now=now)
    return draft.id


async def _save(
    tx: Tx, values: dict[str, Any], fee: dict[str, Any], in_place_of: InPlaceOf | None
) -> Invoice:
    if in_place_of is None:
        (draft,) = await invoices.save_drafts(tx, [(values, _content(fee))])
        return draft
    anew = {**fee, "original_fee_id": in_place_of.fee.root_id}
    return await invoices.save_regenerated(tx, in_place_of.invoice, values, _content(anew))


async def _invoice(tx: Tx, purchase: Transaction, wallet: Wallet, *, now: datetime) -> dict[str, Any]:
    customer = (await customers.get_customers(tx, {wallet.customer_id}))[wallet.customer_id]
    own = purchase.billing_entity_id or wallet.billing_entity_id or customer.billing_entity_id
    entities = await organizations.get_entities(tx, {own, customer.billing_entity_id})
    of_customer = entities[customer.billing_entity_id]
    zone = ZoneInfo(customer.applicable_timezone(of_customer))
    rules, day = customer.issuing_rules(of_customer), local_date(now, zone)
    dates = new_invoice_dates(rules, day=day, is_recurring=False, has_grace=False)
    waits = purchase.invoice_requires_successful_payment
    return {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "customer_id": customer.id,
        "billing_entity_id": own,
        "number": draft_number(entities[own]),
        "invoice_type": INVOICE_TYPE,
        "status": InvoiceStatus.OPEN if waits else InvoiceStatus.DRAFT,
        "currency": wallet.currency,
        "timezone": zone.key,
        "billing_day": day,
        "billed_at": now,
        "issuing_date": dates.issuing_date,
        "expected_finalization_date": dates.expected_finalization_date,
        "payment_due_date": dates.payment_due_date,
        "net_payment_term": rules.net_payment_term,
        "self_billed": customer.is_partner,
        "purchase_order_number": purchase.purchase_order_number,
        **total_columns(compute_invoice([fee_of(wallet, purchase.amount_cents)])),
        "created_at": now,
        "updated_at": now,
    }


def fee_of(wallet: Wallet, cents: int) -> InvoicedFee:
    """The fee of the credits of a wallet that are bought for an amount in minor units."""
    fee = compute_credit_fee(
        wallet.credits.of_cents(cents),
        rate=Fraction(wallet.rate_amount),
        cents=cents,
        currency=currency(wallet.currency),
    )
    # The explanation keeps the exact credits, for the amount follows from them; those shown have fewer decimals.
    shown = round_half_away(fee.units, SHOWN_DECIMALS)
    return InvoicedFee(fee=replace(fee, units=shown, total_aggregated_units=shown))


def _row(purchase: Transaction, wallet: Wallet, invoice: dict[str, Any]) -> dict[str, Any]:
    (invoiced,) = compute_invoice([fee_of(wallet, purchase.amount_cents)]).fees
    name = purchase.name or ITEM
    return {
        "id": new_id(),
        "organization_id": invoice["organization_id"],
        "invoice_id": invoice["id"],
        "customer_id": invoice["customer_id"],
        "wallet_transaction_id": purchase.id,
        **amount_columns(invoiced, wallet.currency),
        "item_code": ITEM,
        "item_name": name,
        "item_description": ITEM,
        "invoice_display_name": name,
        "created_at": invoice["created_at"],
        "updated_at": invoice["created_at"],
    }


def _content(fee: dict[str, Any]) -> invoices.Content:
    return invoices.Content(records=(), fees=[fee], fee_taxes=(), taxes=())
