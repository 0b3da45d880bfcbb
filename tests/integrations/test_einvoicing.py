"""Electronic documents keep the published schemas and rules of EN 16931 (invoicing §15.1)."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from fractions import Fraction
from types import SimpleNamespace

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.domain.test_credit_notes import after, fee, invoice
from tests.integrations.einvoice_rules import cii_problems, folder, ubl_problems
from tests.integrations.test_documents import document as template_data

from tallymark.domain.einvoicing import (
    DocumentType,
    ElectronicDocument,
    Line,
    Party,
    PaymentMeans,
    Place,
    Predecessor,
    Receipt,
    TaxCategory,
    TaxedAmount,
    Totals,
    compute_tax_groups,
)
from tallymark.domain.invoicing.creditable import Parts
from tallymark.domain.invoicing.notes import compute_note
from tallymark.domain.money import round_cents, round_half_away
from tallymark.integrations.documents import TypstRenderer
from tallymark.integrations.documents.einvoicing import write_cii, write_receipt, write_ubl
from tallymark.integrations.documents.einvoicing.note import note_document

SELLER = Party(
    identifier="acme",
    name="Acme GmbH",
    place=Place(line1="Am Speicher 12", city="Hamburg", zipcode="20457", country="DE"),
    legal_number="HRB 1",
    vat_number="DE123456789",
    email="billing@acme.example",
    phone="+49 40 1234",
)
BUYER = Party(
    identifier="c1",
    name="Brauerei Übersee & Söhne",
    place=Place(line1="Weidenweg 7", city="Lübeck", zipcode="23552", country="DE"),
    vat_number="DE987654321",
    email="einkauf@brauerei.example",
)

ADDRESS = SimpleNamespace(
    address_line1="Weidenweg 7", address_line2=None, city="Lübeck", zipcode="23552", state=None, country="DE"
)


def made(*fees, prepaid_cents=0, **changes):
    """A document of fees: (amount in cents, rate, discount in cents)."""
    is_outside = changes.pop("is_outside", False)
    taxed = [
        TaxedAmount(amount_cents=amount, discount_cents=Fraction(discount), rate=Fraction(rate))
        for amount, rate, discount in fees
    ]
    discount_cents = int(sum((fee.discount_cents for fee in taxed), Fraction(0)))
    exact = sum(((fee.amount_cents - fee.discount_cents) * fee.rate / 100 for fee in taxed), Fraction(0))
    groups = compute_tax_groups(
        taxed, discount_cents=discount_cents, taxes_cents=round_cents(exact), is_outside=is_outside
    )
    category = {group.rate: group.category for group in groups}
    document = ElectronicDocument(
        document_type=DocumentType.INVOICE,
        number="ACM-91F2-007-012",
        issuing_date=date(2026, 2, 1),
        due_date=date(2026, 2, 15),
        payment_terms="14 days",
        currency="EUR",
        seller=SELLER,
        buyer=BUYER,
        buyer_reference="c1",
        purchase_order_number="4500-118273",
        predecessor=None,
        note="Registergericht Hamburg",
        payment_means=PaymentMeans.STANDARD,
        lines=tuple(
            Line(
                name=f"Fee {position} <b>",
                description=None,
                units=Fraction(-1 if fee.amount_cents < 0 else 3),
                unit_amount=abs(Fraction(fee.amount_cents, 300)),
                amount_cents=fee.amount_cents,
                tax_rate=fee.rate,
                category=category[fee.rate],
                first_day=date(2026, 1, 1),
                last_day=date(2026, 1, 31),
            )
            for position, fee in enumerate(taxed)
        ),
        tax_groups=groups,
        totals=Totals(
            lines_cents=sum(fee.amount_cents for fee in taxed),
            allowances_cents=discount_cents,
            taxes_cents=round_cents(exact),
            prepaid_cents=prepaid_cents,
        ),
    )
    return replace(document, **changes)


THREE_RATES = (33333, 19, 121), (1471, 7, 0), (500, 0, 0)


class TestInvoices:
    @pytest.mark.parametrize("country", ["DE", "FR"])
    def test_of_several_rates_and_a_discount(self, country):
        document = made(*THREE_RATES, prepaid_cents=100)
        document = replace(document, seller=replace(SELLER, place=replace(SELLER.place, country=country)))
        assert cii_problems(write_cii(document)) == []
        assert ubl_problems(write_ubl(document)) == []

    def test_of_a_top_up_are_outside_of_vat(self):
        document = made((1000, 0, 0), is_outside=True, document_type=DocumentType.PREPAYMENT)
        document = replace(
            document, seller=replace(SELLER, vat_number=None), buyer=replace(BUYER, vat_number=None)
        )
        assert document.lines[0].category is TaxCategory.OUTSIDE
        assert cii_problems(write_cii(document)) == []
        assert ubl_problems(write_ubl(document)) == []

    def test_paid_by_credits_alone(self):
        document = made((1000, 20, 0), prepaid_cents=1200, payment_means=PaymentMeans.PREPAID_CREDITS)
        assert cii_problems(write_cii(document)) == []
        assert ubl_problems(write_ubl(document)) == []

    def test_say_what_they_are(self):
        ubl = write_ubl(made(*THREE_RATES)).decode()
        assert "xrechnung_3.0" in ubl
        assert "<cbc:BuyerReference>c1</cbc:BuyerReference>" in ubl
        assert "Discount 19%" in ubl
        assert ">380<" in ubl

    def test_names_may_hold_anything_but_control_characters(self):
        document = made((100, 19, 0))
        strange = replace(document, lines=(replace(document.lines[0], name="Tab\tand\x00bell\x07 & <x>"),))
        assert "Tab\tandbell &amp; &lt;x&gt;" in write_cii(strange).decode()
        assert cii_problems(write_cii(strange)) == []

    @settings(max_examples=25)
    @given(
        st.lists(
            st.tuples(st.integers(1, 10**7), st.sampled_from([0, 5, 19, 20]), st.just(0)),
            min_size=1,
            max_size=5,
        )
    )
    def test_of_any_amounts(self, fees):
        document = made(*fees)
        assert cii_problems(write_cii(document)) == []
        assert ubl_problems(write_ubl(document)) == []


class TestCreditNotes:
    def test_are_negative_and_name_their_invoice(self):
        document = made(
            (-10000, 19, 0),
            (-500, 7, 0),
            document_type=DocumentType.CREDIT_NOTE,
            predecessor=Predecessor(number="ACM-91F2-007-011", issuing_date=date(2026, 1, 1)),
        )
        assert cii_problems(write_cii(document)) == []
        ubl = write_ubl(document)
        assert ubl_problems(ubl, "CreditNote") == []
        # 100.00 with 19 % and 5.00 with 7 %: 119.00 + 5.35.
        assert '<cbc:PayableAmount currencyID="EUR">-124.35<' in ubl.decode()

    @settings(max_examples=40)
    @given(
        st.lists(
            st.tuples(st.integers(1, 10**6), st.sampled_from([0, 5, 19, 20]), st.integers(0, 100)),
            min_size=1,
            max_size=4,
        ),
        st.lists(st.integers(1, 100), min_size=1, max_size=3),
    )
    def test_of_any_parts_of_fees_with_coupons(self, fees, percents):
        """(amount in cents, rate, share of coupons in percent) of each fee; notes of so many percent of what is left."""
        of = whole = invoice(
            *(fee(cents, rate, coupons=Fraction(cents * off, 100)) for cents, rate, off in fees)
        )
        for percent in [*percents, 100]:
            items = [
                (position, Fraction(one.creditable_cents * percent // 100))
                for position, one in enumerate(of.fees)
            ]
            amounts = compute_note(of, items)
            document = note_document(note_view(whole, amounts))
            assert sum(line.amount_cents for line in document.lines) == document.totals.lines_cents
            assert sum(one.allowance_cents for one in document.tax_groups) == document.totals.allowances_cents
            assert document.totals.tax_basis_cents == -amounts.sub_total_cents
            assert document.totals.payable_cents == -amounts.total_cents
            if amounts.total_cents:
                assert cii_problems(write_cii(document)) == []
                assert ubl_problems(write_ubl(document), "CreditNote") == []
            of = after(of, amounts, Parts(credit_cents=amounts.total_cents))


def note_view(of, amounts):
    """What a document is made of: the amounts of a note, in the fields that it is kept in."""
    entity = SimpleNamespace(
        code="acme", legal_name="Acme GmbH", name="Acme", address_line1="Am Speicher 12", address_line2=None,
        city="Hamburg", zipcode="20457", state=None, country="DE", legal_number="HRB 1", invoice_footer=None,
        tax_identification_number="DE123456789", email="billing@acme.example", phone="+49 40 1234",
    )  # fmt: skip
    customer = SimpleNamespace(
        external_id="c1", legal_name="Brauerei", legal_number=None, address=ADDRESS,
        tax_identification_number="DE987654321", email="einkauf@brauerei.example",
    )  # fmt: skip
    return SimpleNamespace(
        billing_entity=entity,
        customer=customer,
        invoice=SimpleNamespace(
            invoice_type="subscription",
            purchase_order_number=None,
            number="ACM-1",
            issuing_date=date(2026, 1, 1),
        ),
        note=SimpleNamespace(
            number="ACM-1-CN1",
            issuing_date=date(2026, 2, 1),
            currency="EUR",
            refund_amount_cents=0,
            precise_coupons_adjustment_amount_cents=round_half_away(amounts.coupons_adjustment_cents, 5),
            sub_total_excluding_taxes_amount_cents=amounts.sub_total_cents,
            taxes_amount_cents=amounts.taxes_amount_cents,
        ),
        items=[
            (
                SimpleNamespace(amount_cents=round_cents(cents), precise_amount_cents=cents, currency="EUR"),
                SimpleNamespace(
                    amount_cents=of.fees[position].amount_cents,
                    precise_coupons_amount_cents=round_half_away(of.fees[position].coupons_cents, 5),
                    taxes_rate=of.fees[position].tax_rate,
                    description=None,
                    item_description=None,
                    invoice_display_name=f"Fee {position}",
                    item_name="",
                    grouped_by={},
                    filter_display_name=None,
                    filter_values=None,
                ),
            )
            for position, cents in amounts.items
        ],
    )


def test_a_receipt_answers_each_invoice():
    """No package ships the schema of an `ApplicationResponse`; those of its parts are."""
    content = write_receipt(
        Receipt(
            number="ACM-91F2-007-RCPT-000001",
            issuing_date=date(2026, 2, 3),
            currency="EUR",
            amount_cents=12345,
            reference="wire 17",
            invoice_numbers=("ACM-91F2-007-011", "ACM-91F2-007-012"),
            sender=SELLER,
            receiver=BUYER,
        )
    )
    root = etree.fromstring(content)
    parts = etree.XMLSchema(
        etree.parse(str(folder() / "ubl-2.1/common/UBL-CommonAggregateComponents-2.1.xsd"))
    )
    aggregates = [child for child in root if len(child)]
    assert [etree.QName(child).localname for child in aggregates] == [
        "SenderParty",
        "ReceiverParty",
        "DocumentResponse",
        "DocumentResponse",
    ]
    for child in aggregates:
        assert parts.validate(child), parts.error_log
    codes = [node.text for node in root.iter("{*}ResponseCode")]
    assert codes == ["PD", "PD"]


class TestHybridDocuments:
    """The XML inside of the PDF, as Factur-X and ZUGFeRD want it."""

    def test_carry_the_file_and_say_so(self):
        xml = write_cii(made(*THREE_RATES))
        content = TypstRenderer().render_pdf(template_data(), xml)
        with pikepdf.open(io.BytesIO(content)) as file, file.open_metadata() as meta:
            spec = file.Root.AF[0]
            assert (str(spec.UF), str(spec.AFRelationship)) == ("factur-x.xml", "/Alternative")
            assert spec.EF.F.read_bytes() == xml
            assert (meta["pdfaid:part"], meta["pdfaid:conformance"]) == ("3", "A")
            namespace = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
            assert meta[f"{namespace}ConformanceLevel"] == "EN 16931"
            assert meta[f"{namespace}DocumentFileName"] == "factur-x.xml"
            assert file.Root.Metadata.read_bytes().count(b"<pdfaExtension:schemas>") == 1

    def test_are_found_by_a_reader(self):
        from facturx import get_xml_from_pdf

        xml = write_cii(made(*THREE_RATES))
        content = TypstRenderer().render_pdf(template_data(), xml)
        name, found = get_xml_from_pdf(io.BytesIO(content), check_xsd=True, check_schematron=False)
        assert (name, found) == ("factur-x.xml", xml)
