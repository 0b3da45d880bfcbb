"""Invoices as PDF: archivable, readable aloud, in every language, and what a customer typed stays text."""

from __future__ import annotations

import io
import re

import pikepdf
import pypdf
import pytest

from tallymark.api.validation import LOCALES
from tallymark.integrations.documents import TypstRenderer
from tallymark.integrations.documents.breakdown import breakdown
from tallymark.integrations.documents.data import labels_of, notices, words_of
from tallymark.integrations.documents.formats import currency_symbol, formats_of


@pytest.fixture(scope="module")
def renderer() -> TypstRenderer:
    return TypstRenderer()


def document(code="en", fees=3, name="Halden & Rowe", **more):
    words = words_of(code)
    lines = [
        {
            "name": f"Charge {n}",
            "units": "12.5",
            "unit_amount": "0.0021",
            "taxes_rate": "20",
            "amount_cents": 3,
        }
        for n in range(fees)
    ]
    return {
        "kind": "invoice",
        "title": "invoice",
        "words": words,
        "formats": formats_of(words),
        "paper": "a4",
        "currency": {"code": "EUR", "symbol": currency_symbol("EUR", words), "digits": 2},
        "brand": {"accent": "#0f5c63", "powered_by": True},
        "number": "ACM-91F2-007-012",
        "issuing_date": "2026-02-01",
        "issuer": {"legal_name": "Acme", "address_lines": ["1 Road"]},
        "customer": {"legal_name": name, "address_lines": ["2 Street", "Dublin"], "email": "a@b.example"},
        "facts": [
            {"kind": "invoice", "value": "ACM-91F2-007-012"},
            {"kind": "payment_term", "type": "days", "value": 0},
        ],
        "headline": {"kind": "due", "date": "2026-03-03", "amount_cents": 1234567},
        "sections": [
            {
                "name": "Scale",
                "period": {"from": "2026-01-01", "to": "2026-01-31"},
                "amount_cents": 3 * fees,
                "groups": [
                    {"title": "Usage", "period": {"from": "2026-01-01", "to": "2026-01-31"}, "fees": lines}
                ],
            }
        ],
        "totals": [
            {"kind": "subtotal_excl", "amount_cents": 3 * fees},
            {"kind": "total", "amount_cents": 3 * fees},
        ],
        **more,
    }


def opened(content: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(content))


@pytest.mark.parametrize("code", LOCALES)
def test_every_language_of_the_contract_is_archivable_and_tagged(renderer, code):
    with opened(renderer.render_pdf(document(code))) as file, file.open_metadata() as meta:
        assert (meta["pdfaid:part"], meta["pdfaid:conformance"]) == ("3", "A")
        assert meta["pdfuaid:part"] == "1"
        assert "/StructTreeRoot" in file.Root
        assert str(file.Root.Lang).startswith(words_of(code).split("-")[0])
        assert "ACM-91F2-007-012" in meta["dc:title"]


@pytest.mark.parametrize(
    ("code", "name", "shown"),
    [
        ("ja", "株式会社計量", ("請求書", "株式会社計量 御中", "ご請求金額（お支払期限 2026/03/03）", "2026/01/01～2026/01/31")),
        ("zh-TW", "計量股份有限公司", ("請款單", "計量股份有限公司", "2026年3月3日 前應付金額")),
        ("en", "株式会社計量", ("Invoice", "株式会社計量", "Amount due by Mar 3, 2026")),
        ("de", "계량 주식회사", ("Rechnung", "계량 주식회사")),
    ],
)  # fmt: skip
def test_east_asian_words_are_set_in_their_own_font(renderer, code, name, shown):
    """The text can be read out of the file again, and the file is archivable: no character is missing."""
    content = renderer.render_pdf(document(code, name=name))
    (page,) = pypdf.PdfReader(io.BytesIO(content)).pages
    text = page.extract_text()
    assert [words for words in shown if words not in text] == []
    with opened(content) as file, file.open_metadata() as meta:
        fonts = [str(font.BaseFont) for font in file.pages[0].Resources.Font.values()]
        assert any("NotoSansCJKjp" in font for font in fonts)
        assert meta["pdfaid:part"] == "3"


def test_every_language_says_everything():
    """Each has the labels of English, with the same slots."""
    slots = slots_of(labels_of("en"))
    for code in LOCALES:
        assert words_of(code) == code
        assert slots_of(labels_of(code)) == slots


def slots_of(labels, path=""):
    if isinstance(labels, str):
        return {path: sorted(re.findall(r"\{.*?\}", labels))}
    return {
        place: slots
        for name, inner in labels.items()
        for place, slots in slots_of(inner, f"{path}/{name}").items()
    }


def test_many_fees_break_over_pages(renderer):
    with opened(renderer.render_pdf(document(fees=90))) as file:
        assert len(file.pages) in (3, 4)


@pytest.mark.parametrize(
    "name",
    [
        "#panic()",
        "$x$ *bold* _it_ [a](b) `c` \\ @ref <label>",
        "x" * 300,
        "株式会社",
        "مرحبا",
        "🧾 & Söhne",
        "a\nb",
    ],
)
def test_what_a_customer_typed_stays_text(renderer, name):
    assert renderer.render_pdf(document(name=name)).startswith(b"%PDF-")


def test_the_same_data_makes_the_same_pages(renderer):
    first, second = (renderer.render_png(document(), ppi=40) for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    ("code", "money", "decimal", "date"),
    [
        ("en", "{symbol}{n}", ".", "{mmm} {d}, {yyyy}"),
        ("de", "{n}\u00a0{symbol}", ",", "{dd}.{mm}.{yyyy}"),
        ("fr", "{n}\u00a0{symbol}", ",", "{d} {mmm} {yyyy}"),
        ("pt-BR", "{symbol}\u00a0{n}", ",", "{d} de {mmm} de {yyyy}"),
        ("ja", "{symbol}{n}", ".", "{yyyy}/{mm}/{dd}"),
        ("zh-TW", "{symbol}{n}", ".", "{yyyy}年{m}月{d}日"),
    ],
)
def test_numbers_and_dates_follow_the_locale(code, money, decimal, date):
    found = formats_of(code)
    assert (found["money"], found["number"]["decimal"], found["date"]["pattern"]) == (money, decimal, date)


class TestBreakdown:
    def test_tiers_and_flat_amounts_are_lines(self):
        details = {
            "graduated_ranges": [
                {
                    "from_value": 0, "to_value": 100, "flat_unit_amount": "5.0", "per_unit_amount": "0.2",
                    "units": "100.0", "per_unit_total_amount": "20.0", "total_with_flat_amount": "25.0",
                },
                {
                    "from_value": 101, "to_value": None, "flat_unit_amount": "0.0", "per_unit_amount": "0.15",
                    "units": "0.5", "per_unit_total_amount": "0.075", "total_with_flat_amount": "0.075",
                },
            ]
        }  # fmt: skip
        assert breakdown("graduated", details) == [
            {"kind": "tier", "from": "0", "to": "100", "units": "100", "unit_amount": "0.2", "amount": "20"},
            {"kind": "flat", "units": "1", "unit_amount": "5", "amount": "5"},
            {"kind": "tier", "from": "101", "units": "0.5", "unit_amount": "0.15", "amount": "0.075"},
        ]

    def test_an_opened_package_is_a_whole_one(self):
        details = {
            "free_units": "50.0",
            "paid_units": "201.0",
            "per_package_size": 100,
            "per_package_unit_amount": "7.5",
        }
        assert breakdown("package", details)[1] == {
            "kind": "package",
            "size": "100",
            "units": "3",
            "unit_amount": "7.5",
            "amount": "22.5",
        }

    @pytest.mark.parametrize("charge_model", ["standard", "dynamic", None])
    def test_units_times_price_need_no_lines(self, charge_model):
        assert breakdown(charge_model, {}) == []


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("en", "your usage so far, €62.00, has reached the threshold of €50.00"),
        ("de", "Nutzung von 62,00 € hat die Schwelle von 50,00 € erreicht"),
    ],
)
def test_a_progressive_invoice_says_which_threshold_was_reached(renderer, code, sentence):
    """invoicing §15: after the totals, with the amounts of the invoice's currency."""
    data = document(code, reached=[{"usage_cents": 6200, "threshold_cents": 5000}])
    data["totals"] = [
        {"kind": "fees", "amount_cents": 6200},
        {"kind": "progressive_credit", "ref": "ACM-91F2-007-011", "amount_cents": -5200},
        {"kind": "total", "amount_cents": 1000},
    ]
    pages = pypdf.PdfReader(io.BytesIO(renderer.render_pdf(data))).pages
    text = " ".join("".join(page.extract_text() for page in pages).split())
    assert sentence.replace("\u00a0", " ") in text.replace("\u00a0", " ")
    assert "ACM-91F2-007-011" in text


def words_in(renderer, data):
    pages = pypdf.PdfReader(io.BytesIO(renderer.render_pdf(data))).pages
    return " ".join("".join(page.extract_text() for page in pages).split()).replace("\u00a0", " ")


def test_prices_of_tiers_are_told_where_no_fee_has_one_price(renderer):
    """Ten at 12.25 and one at 10.75: 133.25."""
    data = document(fees=1)
    tiers = [
        {"kind": "tier", "from": "0", "to": "10", "units": "10", "unit_amount": "12.25", "amount": "122.5"},
        {"kind": "tier", "from": "11", "units": "1", "unit_amount": "10.75", "amount": "10.75"},
    ]
    seats = {"name": "Seats", "units": "11", "amount_cents": 13_325, "breakdown": tiers}
    data["sections"][0]["groups"][0]["fees"] = [seats]
    text = words_in(renderer, data)
    assert [told for told in ("Unit price", "12.25", "10.75", "133.25") if told not in text] == []


def test_payments_are_told_with_their_way_and_their_reference(renderer):
    data = document("de", fees=1)
    paid = {
        "kind": "paid",
        "date": "2026-02-14",
        "amount_cents": -3,
        "method": "manual",
        "reference": "RF18 5390",
    }
    data["totals"] += [paid, {"kind": "due", "amount_cents": 0}]
    text = words_in(renderer, data)
    assert "Bezahlt am 14.02.2026 Manuelle Zahlung · RF18 5390" in text
    assert "Zu zahlen" in text


@pytest.mark.parametrize(
    ("code", "tax_code", "sentence"),
    [
        ("en", "lago_eu_reverse_charge", "Reverse charge: VAT is to be accounted for by the recipient"),
        ("de", "lago_eu_reverse_charge", "Steuerschuldnerschaft des Leistungsempfängers"),
        ("fr", "lago_eu_tax_exempt", "Hors du champ d’application de la TVA de l’UE"),
        ("ja", "lago_eu_reverse_charge", "リバースチャージ"),
    ],
)
def test_a_document_without_vat_says_why(renderer, code, tax_code, sentence):
    said = notices(["vat", tax_code], code)
    assert sentence in words_in(renderer, document(code, notices=said))
    assert notices(["vat", "lago_eu_fr_standard"], code) == []
