"""An invoice as the template's data: a view of what is stored; the template formats, orders and computes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tallymark.domain.european_vat import EXEMPT, REVERSE_CHARGE
from tallymark.domain.fees.model import FeeType
from tallymark.domain.money import currency, major_units, plain_text
from tallymark.domain.periods import TICK, local_date
from tallymark.integrations.documents.breakdown import breakdown
from tallymark.integrations.documents.formats import country_name, currency_symbol, formats_of
from tallymark.integrations.documents.naming import fee_name
from tallymark.integrations.documents.settlement import headline, settlement
from tallymark.rooms.customers.model import Address, Customer
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices.model import CreditLine, Invoice, InvoiceView
from tallymark.rooms.organizations.model import BillingEntity
from tallymark.rooms.subscriptions.model import SubscriptionView

TEMPLATES = Path(__file__).parent / "templates"
ACCENT = "#0f5c63"
LETTER_COUNTRIES = frozenset({"US", "CA", "MX"})
STATE_FIRST_COUNTRIES = frozenset({"US", "CA", "AU"})
TAX_INVOICE_COUNTRIES = frozenset({"AU", "AE", "NZ", "ID", "SG"})
"""Where an invoice must be called a tax invoice (invoicing §15)."""

NOTICES = {REVERSE_CHARGE: "reverse_charge", EXEMPT: "outside_vat"}
"""Which automatic taxes of nought say why they are."""

FALLBACK = "en"
Json = dict[str, Any]


@cache
def words_of(code: str) -> str:
    """The locale whose words are at hand: its own, else English."""
    return code if (TEMPLATES / "locales" / f"{code}.json").exists() else FALLBACK


@cache
def labels_of(code: str) -> Json:
    """The words of a locale."""
    found: Json = json.loads((TEMPLATES / "locales" / f"{words_of(code)}.json").read_text())["labels"]
    return found


def _title(view: InvoiceView) -> str:
    """What the law or the trade calls it (invoicing §15)."""
    if view.invoice.self_billed:
        return "self_billed_invoice"
    if view.invoice.invoice_type == "credit":
        return "advance_invoice"
    is_tax_invoice = view.billing_entity.country in TAX_INVOICE_COUNTRIES
    if view.invoice.invoice_type == "advance_charges":
        return "paid_tax_invoice" if is_tax_invoice else "paid_invoice"
    return "tax_invoice" if is_tax_invoice else "invoice"


def invoice_data(view: InvoiceView, *, as_issued: bool = False) -> Json:
    """Everything that the template shows of an invoice, with what has settled it since, or as it was issued."""
    invoice, entity = view.invoice, view.billing_entity
    words = words_of(view.customer.document_locale or view.customer_entity.document_locale)
    sections, totals = lines_and_totals(view, words)
    return {
        **base_data(entity, view.customer, invoice.currency, words),
        "kind": "invoice",
        "title": _title(view),
        "number": invoice.number,
        "issuing_date": invoice.issuing_date.isoformat(),
        "facts": list(_facts(view)),
        "headline": headline(view, as_issued=as_issued),
        "sections": sections,
        "totals": [*totals, *settlement(view, as_issued=as_issued)],
        "notices": notices((tax.tax_code for tax in view.applied_taxes), words),
        "reached": list(_reached(view)),
        "custom_sections": [
            {"name": section.display_name or section.name, "details": section.details or ""}
            for section in view.sections
        ],
    }


def base_data(entity: BillingEntity, customer: Customer, currency_code: str, words: str) -> Json:
    """What every document shows: who, in which language and currency, on which paper."""
    return {
        "words": words,
        "formats": formats_of(words),
        "paper": "us-letter" if (customer.address.country or entity.country) in LETTER_COUNTRIES else "a4",
        "currency": {
            "code": currency_code,
            "symbol": currency_symbol(currency_code, words),
            "digits": currency(currency_code).exponent,
        },
        "brand": {"accent": entity.brand_color or ACCENT, "powered_by": True},
        "issuer": _issuer(entity, words),
        "customer": _customer(customer, words),
        **({"footer": entity.invoice_footer} if entity.invoice_footer else {}),
    }


def lines_and_totals(view: InvoiceView, words: str) -> tuple[list[Json], list[Json]]:
    """The sections of an invoice with its fees, and the rows from their sum to its total."""
    return _sections(view, words), list(_totals(view))


def notices(tax_codes: Iterable[str], words: str) -> list[str]:
    """Why a document bears no VAT, where the European setting chose so: the law wants it told (invoicing §15)."""
    said = labels_of(words)["notice"]
    codes = set(tax_codes)
    return [said[name] for code, name in NOTICES.items() if code in codes]


def _issuer(entity: BillingEntity, words: str) -> Json:
    address = Address(
        address_line1=entity.address_line1,
        address_line2=entity.address_line2,
        city=entity.city,
        zipcode=entity.zipcode,
        state=entity.state,
        country=entity.country,
    )
    return _party(entity.legal_name or entity.name, address, words) | _present(
        email=entity.email,
        tax_identification_number=entity.tax_identification_number,
        legal_number=entity.legal_number,
    )


def _customer(customer: Customer, words: str) -> Json:
    name = customer.legal_name or customer.display_name
    return _party(name, customer.address, words) | _present(
        type=customer.customer_type,
        email=customer.email,
        tax_identification_number=customer.tax_identification_number,
        legal_number=customer.legal_number,
    )


def _party(name: str, address: Address, words: str) -> Json:
    lines = (
        address.address_line1,
        address.address_line2,
        _town(address),
        country_name(address.country, words),
    )
    return {"legal_name": name, "address_lines": [line for line in lines if line]}


def _town(address: Address) -> str:
    """The line of the town: "Oakland, CA 94607" where the state leads to the zip code, else "94607 Oakland"."""
    if address.country in STATE_FIRST_COUNTRIES:
        tail = " ".join(part for part in (address.state, address.zipcode) if part)
        return ", ".join(part for part in (address.city, tail) if part)
    town = " ".join(part for part in (address.zipcode, address.city) if part)
    return ", ".join(part for part in (town, address.state) if part)


def _present(**values: str | None) -> Json:
    return {name: value for name, value in values.items() if value}


def _facts(view: InvoiceView) -> Iterator[Json]:
    invoice = view.invoice
    yield {"kind": "invoice", "value": invoice.number}
    yield {"kind": "issue_date", "type": "date", "value": invoice.issuing_date.isoformat()}
    yield {"kind": "payment_term", "type": "days", "value": invoice.net_payment_term}
    yield {"kind": "due_date", "type": "date", "value": invoice.payment_due_date.isoformat()}
    if invoice.purchase_order_number:
        yield {"kind": "purchase_order", "value": invoice.purchase_order_number}
    for note in view.customer.metadata:
        if note.display_in_invoice:
            yield {"label": note.key, "value": note.value}


def _sections(view: InvoiceView, words: str) -> list[Json]:
    """One section a subscription, each with its base price and its usage."""
    names = labels_of(words)["group"]
    if view.invoice.invoice_type == "one_off":
        return [_one_off_section(view, words)]
    if view.invoice.invoice_type == "credit":
        return [_credits_section(view, words)]
    sections = []
    for shown in view.subscriptions:
        subscription = shown.contract.subscription
        fees = [fee for fee in view.fees if fee.subscription_id == subscription.id]
        groups = [
            _group(names["subscription"], _base_fees(fees), view, words),
            _group(names["fixed_charges"], _shown(fees, FeeType.FIXED_CHARGE), view, words),
            _group(names["usage"], _shown(fees, FeeType.CHARGE), view, words),
            _group(names["commitment"], _shown(fees, FeeType.COMMITMENT), view, words),
        ]
        kept = [group for group in groups if group["fees"]]
        record = next(record for record in view.records if record.subscription_id == subscription.id)
        period = _days(record.from_at, record.wire_to_at + TICK, view)
        sections.append(
            {
                "name": _section_name(shown),
                "period": period,
                "amount_cents": sum(fee.amount_cents for fee in fees),
                "groups": kept or [{"title": names["subscription"], "period": period, "fees": []}],
            }
        )
    return sections


def _one_off_section(view: InvoiceView, words: str) -> Json:
    """Add-ons, by their periods (invoicing §15)."""
    by_period = groupby(
        sorted(view.fees, key=lambda fee: (str(fee.from_at), str(fee.to_at), fee.position)),
        key=lambda fee: (fee.from_at, fee.to_at),
    )
    names = labels_of(words)["group"]
    return {
        "name": _title(view),
        "amount_cents": view.invoice.fees_amount_cents,
        "groups": [_group(names["add_ons"], list(fees), view, words) for _, fees in by_period],
    }


def _credits_section(view: InvoiceView, words: str) -> Json:
    """The one line of credits that were bought."""
    title = labels_of(words)["total"]["prepaid_credits"]
    return {
        "name": title,
        "amount_cents": view.invoice.fees_amount_cents,
        "groups": [_group(title, view.fees, view, words)],
    }


def _section_name(shown: SubscriptionView) -> str:
    return shown.contract.subscription.name or shown.contract.plan.invoice_name


def _base_fees(fees: Sequence[FeeRecord]) -> list[FeeRecord]:
    """The base price; one of zero is not shown where there is something else (invoicing §15)."""
    base = [fee for fee in fees if fee.fee_type is FeeType.SUBSCRIPTION]
    others = any(fee.amount_cents for fee in fees if fee.fee_type is not FeeType.SUBSCRIPTION)
    return [fee for fee in base if fee.amount_cents or not others]


def _shown(fees: Sequence[FeeRecord], fee_type: FeeType) -> list[FeeRecord]:
    """The fees of a type by name, true-ups under their parents; of zero ones only such parents (invoicing §15)."""
    true_ups = {fee.true_up_parent_fee_id: fee for fee in fees if fee.true_up_parent_fee_id}
    kept = [
        fee
        for fee in fees
        if fee.fee_type is fee_type
        and fee.true_up_parent_fee_id is None
        and (fee.units or fee.amount_cents or fee.id in true_ups)
    ]
    in_order = sorted(kept, key=lambda fee: fee_name(fee).lower())
    return [shown for fee in in_order for shown in (fee, true_ups.get(fee.id)) if shown is not None]


def _group(title: str, fees: Sequence[FeeRecord], view: InvoiceView, words: str) -> Json:
    group: Json = {"title": title, "fees": [_fee(fee, view, words) for fee in fees]}
    if fees and fees[0].from_at and fees[0].to_at:
        group["period"] = _days(fees[0].from_at, fees[0].to_at, view)
    return group


def _days(start: datetime, end: datetime, view: InvoiceView) -> Json:
    """Local days, the last one included."""
    zone = ZoneInfo(view.invoice.timezone)
    last = max(end - TICK, start)
    return {"from": local_date(start, zone).isoformat(), "to": local_date(last, zone).isoformat()}


def _fee(fee: FeeRecord, view: InvoiceView, words: str) -> Json:
    lines = breakdown(fee.charge_model, fee.amount_details) or _proration(fee, view)
    name = fee_name(fee)
    if fee.true_up_parent_fee_id is not None:
        name = f"{name} • {labels_of(words)['group']['true_up']}"
    line: Json = {"name": name, "amount_cents": fee.amount_cents}
    if fee.taxes:
        line["taxes_rate"] = plain_text(fee.taxes_rate, 5)
    if fee.true_up_parent_fee_id is not None:
        return line  # What is missing of a minimum has neither a quantity nor a price.
    line["units"] = plain_text(fee.units, 6)
    if lines:
        return {**line, "breakdown": lines}
    return {**line, "unit_amount": plain_text(fee.precise_unit_amount, 12)}


def _proration(fee: FeeRecord, view: InvoiceView) -> list[Json]:
    """How many days of a base price were charged."""
    step = next((step for step in fee.explanation if step["step"] == "proration"), None)
    if fee.fee_type is not FeeType.SUBSCRIPTION or step is None or fee.from_at is None or fee.to_at is None:
        return []
    counted, full = str(step["fraction"]).split("/")
    unit = currency(fee.currency)
    plan_cents = int(fee.amount_details["plan_amount_cents"])
    return [
        {
            "kind": "days",
            "period": _days(fee.from_at, fee.to_at, view),
            "days": int(counted),
            "of": int(full),
            "units": "1",
            "unit_amount": plain_text(major_units(plan_cents, unit), 15),
            "amount": plain_text(major_units(fee.precise_amount_cents, unit), 4),
        }
    ]


def _totals(view: InvoiceView) -> Iterator[Json]:
    """The rows from the sum of the fees to the total; what only repeats the row before is left out."""
    invoice = view.invoice
    before = [_deduction(line) for line in view.credits if line.before_taxes]
    after = [_deduction(line) for line in view.credits if not line.before_taxes]
    if before:
        yield {"kind": "fees", "amount_cents": invoice.fees_amount_cents}
        yield from before
    yield {"kind": "subtotal_excl", "amount_cents": invoice.sub_total_excluding_taxes_amount_cents}
    for tax in view.applied_taxes:
        yield {
            "kind": "tax",
            "name": tax.tax_name,
            "rate": plain_text(tax.tax_rate, 5),
            "basis_cents": tax.fees_amount_cents,
            "amount_cents": tax.amount_cents,
        }
    if not view.applied_taxes:
        yield {"kind": "no_tax", "amount_cents": 0}
    rounding = invoice.taxes_amount_cents - sum(tax.amount_cents for tax in view.applied_taxes)
    if rounding:
        yield {"kind": "tax_rounding", "amount_cents": rounding}
    after += list(_prepaid(invoice))
    if after:
        yield {"kind": "subtotal_incl", "amount_cents": invoice.sub_total_including_taxes_amount_cents}
        yield from after
    yield {"kind": "total", "amount_cents": invoice.total_amount_cents}


def _prepaid(invoice: Invoice) -> Iterator[Json]:
    """What wallets paid: credits that were given, and credits that were bought; all as bought where that is not known."""
    granted = invoice.prepaid_granted_credit_amount_cents or 0
    parts = (("free_credits", granted), ("prepaid_credits", invoice.prepaid_credit_amount_cents - granted))
    yield from ({"kind": kind, "amount_cents": -cents} for kind, cents in parts if cents)


def _deduction(line: CreditLine) -> Json:
    """A coupon by its name, a credit note and an invoice of a period's usage so far by their numbers."""
    kind = "progressive_credit" if line.item_type == "invoice" else line.item_type
    name = {"name": line.item_name} if line.item_type == "coupon" else {"ref": line.item_code}
    return {"kind": kind, **name, "amount_cents": -line.amount_cents}


def _reached(view: InvoiceView) -> Iterator[Json]:
    """The highest threshold that a progressive invoice was made for, and the usage that reached it."""
    passed = sorted(view.applied_thresholds, key=lambda item: item.level_cents)
    for item in passed[-1:]:
        yield {"usage_cents": item.lifetime_usage_amount_cents, "threshold_cents": item.level_cents}
