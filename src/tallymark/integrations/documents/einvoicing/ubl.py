"""A document in the syntax of UBL 2.1: invoice, credit note, and the response that tells of a payment (invoicing §15.1)."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tallymark.domain.einvoicing import (
    ElectronicDocument,
    Line,
    Party,
    Place,
    Receipt,
    TaxCategory,
    TaxGroup,
)
from tallymark.integrations.documents.einvoicing.terms import (
    OUTSIDE_SCOPE,
    OUTSIDE_SCOPE_CODE,
    PIECE,
    VAT,
    discount_reason,
)
from tallymark.integrations.documents.einvoicing.xml import Vocabulary, amount, number, serialized

CORE = "urn:cen.eu:en16931:2017"
XRECHNUNG = f"{CORE}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
BILLING = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
PAID = "PD"

_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
el = Vocabulary(
    {
        "cac": f"{_UBL}:CommonAggregateComponents-2",
        "cbc": f"{_UBL}:CommonBasicComponents-2",
        "invoice": f"{_UBL}:Invoice-2",
        "note": f"{_UBL}:CreditNote-2",
        "response": f"{_UBL}:ApplicationResponse-2",
    }
)


def write_ubl(document: ElectronicDocument) -> bytes:
    """The document as an `Invoice` or a `CreditNote`."""
    kind = "CreditNote" if document.is_credit_note else "Invoice"
    is_german = document.seller.place.country == "DE"
    return serialized(
        el(
            "note:CreditNote" if document.is_credit_note else "invoice:Invoice",
            el("cbc:CustomizationID", XRECHNUNG if is_german else CORE),
            el("cbc:ProfileID", BILLING) if is_german else None,
            el("cbc:ID", document.number),
            el("cbc:IssueDate", document.issuing_date.isoformat()),
            _due_date(document),
            el(f"cbc:{kind}TypeCode", document.document_type.value),
            el("cbc:Note", document.note),
            el("cbc:DocumentCurrencyCode", document.currency),
            el("cbc:BuyerReference", document.buyer_reference),
            el("cac:OrderReference", el("cbc:ID", document.purchase_order_number)),
            _predecessor(document),
            el("cac:AccountingSupplierParty", _party(document.seller, with_contact=True)),
            el("cac:AccountingCustomerParty", _party(document.buyer, with_contact=False)),
            el("cac:Delivery", el("cbc:ActualDeliveryDate", document.delivered_on.isoformat())),
            el(
                "cac:PaymentMeans",
                el("cbc:PaymentMeansCode", document.payment_means),
                el("cbc:PaymentID", document.number),
            ),
            el("cac:PaymentTerms", el("cbc:Note", document.payment_terms)),
            *(_allowance(group, document.currency) for group in document.tax_groups if group.allowance_cents),
            _taxes(document),
            _totals(document),
            *(_line(index, line, document) for index, line in enumerate(document.lines, 1)),
        )
    )


def write_receipt(receipt: Receipt) -> bytes:
    """A payment as an `ApplicationResponse`: one paid document response for each invoice."""
    return serialized(
        el(
            "response:ApplicationResponse",
            el("cbc:UBLVersionID", "2.1"),
            el("cbc:ID", receipt.number),
            el("cbc:IssueDate", receipt.issuing_date.isoformat()),
            el("cbc:Note", receipt.reference),
            el("cac:SenderParty", *_identity(receipt.sender)),
            el("cac:ReceiverParty", *_identity(receipt.receiver)),
            *(
                el(
                    "cac:DocumentResponse",
                    el(
                        "cac:Response",
                        el("cbc:ResponseCode", PAID),
                        el(
                            "cbc:Description",
                            f"{amount(receipt.amount_cents, receipt.currency)} {receipt.currency}",
                        ),
                    ),
                    el("cac:DocumentReference", el("cbc:ID", number)),
                )
                for number in receipt.invoice_numbers
            ),
        )
    )


def _due_date(document: ElectronicDocument) -> Element | None:
    # A credit note has nowhere to say when it is due.
    if document.due_date is None or document.is_credit_note:
        return None
    return el("cbc:DueDate", document.due_date.isoformat())


def _predecessor(document: ElectronicDocument) -> Element | None:
    before = document.predecessor
    if before is None:
        return None
    return el(
        "cac:BillingReference",
        el(
            "cac:InvoiceDocumentReference",
            el("cbc:ID", before.number),
            el("cbc:IssueDate", before.issuing_date.isoformat()),
        ),
    )


def _identity(party: Party) -> Iterator[Element | None]:
    """Who it is, as short as can be."""
    yield el("cbc:EndpointID", party.email, schemeID="EM")
    yield el("cac:PartyIdentification", el("cbc:ID", party.identifier))
    yield el("cac:PartyName", el("cbc:Name", party.name))


def _party(party: Party, *, with_contact: bool) -> Element | None:
    contact = None
    if with_contact and (party.phone or party.email):
        contact = el(
            "cac:Contact",
            el("cbc:Name", party.name),
            el("cbc:Telephone", party.phone),
            el("cbc:ElectronicMail", party.email),
        )
    return el(
        "cac:Party",
        *_identity(party),
        _address(party.place),
        el("cac:PartyTaxScheme", el("cbc:CompanyID", party.vat_number), _vat()) if party.vat_number else None,
        el(
            "cac:PartyLegalEntity",
            el("cbc:RegistrationName", party.name),
            el("cbc:CompanyID", party.legal_number),
        ),
        contact,
    )


def _vat() -> Element | None:
    return el("cac:TaxScheme", el("cbc:ID", VAT))


def _address(place: Place) -> Element | None:
    return el(
        "cac:PostalAddress",
        el("cbc:StreetName", place.line1),
        el("cbc:AdditionalStreetName", place.line2),
        el("cbc:CityName", place.city),
        el("cbc:PostalZone", place.zipcode),
        el("cbc:CountrySubentity", place.state),
        el("cac:Country", el("cbc:IdentificationCode", place.country)),
    )


def _category(name: str, group: TaxGroup | Line, *, explains: bool = False) -> Element | None:
    rate = group.rate if isinstance(group, TaxGroup) else group.tax_rate
    is_outside = group.category is TaxCategory.OUTSIDE
    return el(
        name,
        el("cbc:ID", group.category),
        None if is_outside else el("cbc:Percent", number(rate)),
        el("cbc:TaxExemptionReasonCode", OUTSIDE_SCOPE_CODE) if is_outside and explains else None,
        el("cbc:TaxExemptionReason", OUTSIDE_SCOPE) if is_outside and explains else None,
        _vat(),
    )


def _allowance(group: TaxGroup, code: str) -> Element | None:
    return el(
        "cac:AllowanceCharge",
        el("cbc:ChargeIndicator", "false"),
        el("cbc:AllowanceChargeReason", discount_reason(group)),
        el("cbc:Amount", amount(group.allowance_cents, code), currencyID=code),
        _category("cac:TaxCategory", group),
    )


def _taxes(document: ElectronicDocument) -> Element | None:
    code = document.currency
    return el(
        "cac:TaxTotal",
        el("cbc:TaxAmount", amount(document.totals.taxes_cents, code), currencyID=code),
        *(
            el(
                "cac:TaxSubtotal",
                el("cbc:TaxableAmount", amount(group.base_cents, code), currencyID=code),
                el("cbc:TaxAmount", amount(group.tax_cents, code), currencyID=code),
                _category("cac:TaxCategory", group, explains=True),
            )
            for group in document.tax_groups
        ),
    )


def _totals(document: ElectronicDocument) -> Element | None:
    code, totals = document.currency, document.totals
    rows = {
        "LineExtensionAmount": totals.lines_cents,
        "TaxExclusiveAmount": totals.tax_basis_cents,
        "TaxInclusiveAmount": totals.inclusive_cents,
        "AllowanceTotalAmount": totals.allowances_cents,
        "PrepaidAmount": totals.prepaid_cents,
        "PayableAmount": totals.payable_cents,
    }
    return el(
        "cac:LegalMonetaryTotal",
        *(el(f"cbc:{name}", amount(cents, code), currencyID=code) for name, cents in rows.items()),
    )


def _line(index: int, line: Line, document: ElectronicDocument) -> Element | None:
    code = document.currency
    kind, quantity = (
        ("CreditNoteLine", "CreditedQuantity")
        if document.is_credit_note
        else ("InvoiceLine", "InvoicedQuantity")
    )
    return el(
        f"cac:{kind}",
        el("cbc:ID", str(index)),
        el(f"cbc:{quantity}", number(line.units), unitCode=PIECE),
        el("cbc:LineExtensionAmount", amount(line.amount_cents, code), currencyID=code),
        el(
            "cac:InvoicePeriod",
            el("cbc:StartDate", line.first_day.isoformat() if line.first_day else None),
            el("cbc:EndDate", line.last_day.isoformat() if line.last_day else None),
        ),
        el(
            "cac:Item",
            el("cbc:Description", line.description),
            el("cbc:Name", line.name),
            _category("cac:ClassifiedTaxCategory", line),
        ),
        el("cac:Price", el("cbc:PriceAmount", number(line.unit_amount), currencyID=code)),
    )
