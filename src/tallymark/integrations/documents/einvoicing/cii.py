"""A document in the syntax of UN/CEFACT CII D16B, as Factur-X and ZUGFeRD embed it in a PDF (invoicing §15.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from xml.etree.ElementTree import Element

from tallymark.domain.einvoicing import ElectronicDocument, Line, Party, Place, TaxCategory, TaxGroup
from tallymark.integrations.documents.einvoicing.terms import (
    OUTSIDE_SCOPE,
    OUTSIDE_SCOPE_CODE,
    PIECE,
    VAT,
    discount_reason,
)
from tallymark.integrations.documents.einvoicing.xml import (
    Vocabulary,
    amount,
    compact_day,
    number,
    serialized,
)

GUIDELINE = "urn:cen.eu:en16931:2017"
_STANDARD = "urn:un:unece:uncefact:data:standard"

el = Vocabulary(
    {
        "rsm": f"{_STANDARD}:CrossIndustryInvoice:100",
        "ram": f"{_STANDARD}:ReusableAggregateBusinessInformationEntity:100",
        "udt": f"{_STANDARD}:UnqualifiedDataType:100",
    }
)


def write_cii(document: ElectronicDocument) -> bytes:
    """The document as a `CrossIndustryInvoice`."""
    return serialized(
        el(
            "rsm:CrossIndustryInvoice",
            el(
                "rsm:ExchangedDocumentContext",
                el("ram:GuidelineSpecifiedDocumentContextParameter", el("ram:ID", GUIDELINE)),
            ),
            el(
                "rsm:ExchangedDocument",
                el("ram:ID", document.number),
                el("ram:TypeCode", document.document_type.value),
                el("ram:IssueDateTime", _day(document.issuing_date)),
                el("ram:IncludedNote", el("ram:Content", document.note)),
            ),
            el(
                "rsm:SupplyChainTradeTransaction",
                *(_line(index, line, document) for index, line in enumerate(document.lines, 1)),
                _agreement(document),
                el(
                    "ram:ApplicableHeaderTradeDelivery",
                    el(
                        "ram:ActualDeliverySupplyChainEvent",
                        el("ram:OccurrenceDateTime", _day(document.delivered_on)),
                    ),
                ),
                _settlement(document),
            ),
        )
    )


def _day(day: date | None) -> Element | None:
    return el("udt:DateTimeString", compact_day(day), format="102") if day else None


def _period(first: date | None, last: date | None) -> Element | None:
    return el(
        "ram:BillingSpecifiedPeriod", el("ram:StartDateTime", _day(first)), el("ram:EndDateTime", _day(last))
    )


def _line(index: int, line: Line, document: ElectronicDocument) -> Element | None:
    has_rate = line.category is not TaxCategory.OUTSIDE
    return el(
        "ram:IncludedSupplyChainTradeLineItem",
        el("ram:AssociatedDocumentLineDocument", el("ram:LineID", str(index))),
        el("ram:SpecifiedTradeProduct", el("ram:Name", line.name), el("ram:Description", line.description)),
        el(
            "ram:SpecifiedLineTradeAgreement",
            el("ram:NetPriceProductTradePrice", el("ram:ChargeAmount", number(line.unit_amount))),
        ),
        el(
            "ram:SpecifiedLineTradeDelivery",
            el("ram:BilledQuantity", number(line.units), unitCode=PIECE),
        ),
        el(
            "ram:SpecifiedLineTradeSettlement",
            el(
                "ram:ApplicableTradeTax",
                el("ram:TypeCode", VAT),
                el("ram:CategoryCode", line.category),
                el("ram:RateApplicablePercent", number(line.tax_rate)) if has_rate else None,
            ),
            _period(line.first_day, line.last_day),
            el(
                "ram:SpecifiedTradeSettlementLineMonetarySummation",
                el("ram:LineTotalAmount", amount(line.amount_cents, document.currency)),
            ),
        ),
    )


def _agreement(document: ElectronicDocument) -> Element | None:
    return el(
        "ram:ApplicableHeaderTradeAgreement",
        el("ram:BuyerReference", document.buyer_reference),
        el("ram:SellerTradeParty", *_party(document.seller, with_contact=True)),
        el("ram:BuyerTradeParty", *_party(document.buyer, with_contact=False)),
        el("ram:BuyerOrderReferencedDocument", el("ram:IssuerAssignedID", document.purchase_order_number)),
    )


def _party(party: Party, *, with_contact: bool) -> Iterator[Element | None]:
    yield el("ram:ID", party.identifier)
    yield el("ram:Name", party.name)
    yield el("ram:SpecifiedLegalOrganization", el("ram:ID", party.legal_number))
    if with_contact:
        phone = el("ram:TelephoneUniversalCommunication", el("ram:CompleteNumber", party.phone))
        email = el("ram:EmailURIUniversalCommunication", el("ram:URIID", party.email))
        if phone is not None or email is not None:
            yield el("ram:DefinedTradeContact", el("ram:PersonName", party.name), phone, email)
    yield _address(party.place)
    yield el("ram:URIUniversalCommunication", el("ram:URIID", party.email, schemeID="EM"))
    yield el("ram:SpecifiedTaxRegistration", el("ram:ID", party.vat_number, schemeID="VA"))


def _address(place: Place) -> Element | None:
    return el(
        "ram:PostalTradeAddress",
        el("ram:PostcodeCode", place.zipcode),
        el("ram:LineOne", place.line1),
        el("ram:LineTwo", place.line2),
        el("ram:CityName", place.city),
        el("ram:CountryID", place.country),
        el("ram:CountrySubDivisionName", place.state),
    )


def _settlement(document: ElectronicDocument) -> Element | None:
    code, totals = document.currency, document.totals
    before = document.predecessor
    return el(
        "ram:ApplicableHeaderTradeSettlement",
        el("ram:PaymentReference", document.number),
        el("ram:InvoiceCurrencyCode", code),
        el("ram:SpecifiedTradeSettlementPaymentMeans", el("ram:TypeCode", document.payment_means)),
        *(_tax(group, code) for group in document.tax_groups),
        *(_allowance(group, code) for group in document.tax_groups if group.allowance_cents),
        el(
            "ram:SpecifiedTradePaymentTerms",
            el("ram:Description", document.payment_terms),
            el("ram:DueDateDateTime", _day(document.due_date)),
        ),
        el(
            "ram:SpecifiedTradeSettlementHeaderMonetarySummation",
            el("ram:LineTotalAmount", amount(totals.lines_cents, code)),
            el("ram:AllowanceTotalAmount", amount(totals.allowances_cents, code)),
            el("ram:TaxBasisTotalAmount", amount(totals.tax_basis_cents, code)),
            el("ram:TaxTotalAmount", amount(totals.taxes_cents, code), currencyID=code),
            el("ram:GrandTotalAmount", amount(totals.inclusive_cents, code)),
            el("ram:TotalPrepaidAmount", amount(totals.prepaid_cents, code)),
            el("ram:DuePayableAmount", amount(totals.payable_cents, code)),
        ),
        el(
            "ram:InvoiceReferencedDocument",
            el("ram:IssuerAssignedID", before.number),
        )
        if before
        else None,
    )


def _tax(group: TaxGroup, code: str) -> Element | None:
    is_outside = group.category is TaxCategory.OUTSIDE
    return el(
        "ram:ApplicableTradeTax",
        el("ram:CalculatedAmount", amount(group.tax_cents, code)),
        el("ram:TypeCode", VAT),
        el("ram:ExemptionReason", OUTSIDE_SCOPE) if is_outside else None,
        el("ram:BasisAmount", amount(group.base_cents, code)),
        el("ram:CategoryCode", group.category),
        el("ram:ExemptionReasonCode", OUTSIDE_SCOPE_CODE) if is_outside else None,
        None if is_outside else el("ram:RateApplicablePercent", number(group.rate)),
    )


def _allowance(group: TaxGroup, code: str) -> Element | None:
    has_rate = group.category is not TaxCategory.OUTSIDE
    return el(
        "ram:SpecifiedTradeAllowanceCharge",
        el("ram:ChargeIndicator", el("udt:Indicator", "false")),
        el("ram:ActualAmount", amount(group.allowance_cents, code)),
        el("ram:Reason", discount_reason(group)),
        el(
            "ram:CategoryTradeTax",
            el("ram:TypeCode", VAT),
            el("ram:CategoryCode", group.category),
            el("ram:RateApplicablePercent", number(group.rate)) if has_rate else None,
        ),
    )
