"""Which automatic tax a customer carries (subscriptions §1.7)."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.domain.european_vat import (
    MEMBERS,
    Place,
    Verdict,
    automatic_taxes,
    choose_after_check,
    choose_code,
    read_vat_number,
)

ROOT = Path(__file__).parents[2]
FRENCH_NUMBER = "FR40303265045"


def place(country=None, zipcode=None, vat_number=None, entity_country="FR"):
    return Place(country=country, zipcode=zipcode, vat_number=vat_number, entity_country=entity_country)


class TestWithoutTheRegister:
    @pytest.mark.parametrize(
        ("where", "code"),
        [
            pytest.param(place(), "lago_eu_fr_standard", id="no country: the issuer's"),
            pytest.param(place("DE"), "lago_eu_de_standard", id="a member state"),
            pytest.param(place("US"), "lago_eu_tax_exempt", id="elsewhere"),
            pytest.param(place("GB", "BT1"), "lago_eu_tax_exempt", id="no member any more"),
            pytest.param(place("DE", vat_number="DE123"), None, id="a number has to be checked"),
            pytest.param(place(None, vat_number="X"), None, id="even where the country is unknown"),
            pytest.param(place("ES", "35 001"), "lago_eu_es_exception_canary_islands", id="spaces removed"),
            pytest.param(place("ES", "51001"), "lago_eu_es_exception_ceuta", id="Ceuta"),
            pytest.param(place("ES", "52006"), "lago_eu_es_exception_melilla", id="Melilla"),
            pytest.param(place("ES", "28001"), "lago_eu_es_standard", id="Madrid"),
            pytest.param(place("IT", "22061"), "lago_eu_it_exception_campione_d_italia", id="Campione"),
            pytest.param(place("IT", "23041"), "lago_eu_it_exception_livigno", id="Livigno"),
            pytest.param(place("FI", "22100"), "lago_eu_fi_exception_aland_islands", id="Aland"),
            pytest.param(place("GR", "63086"), "lago_eu_gr_exception_mount_athos", id="Athos"),
            pytest.param(place("PT", "9000-001"), "lago_eu_pt_exception_madeira", id="Madeira"),
            pytest.param(place("PT", "9500-321"), "lago_eu_pt_exception_azores", id="Azores"),
            pytest.param(place("AT", "6691"), "lago_eu_at_exception_jungholz", id="Jungholz"),
            pytest.param(place("AT", "6993"), "lago_eu_at_exception_mittelberg", id="Mittelberg"),
            pytest.param(place("DE", "27498"), "lago_eu_de_exception_heligoland", id="Heligoland"),
            pytest.param(
                place("DE", "78266", vat_number="DE129273398"),
                "lago_eu_de_exception_busingen_am_hochrhein",
                id="a territory goes before the number",
            ),
            pytest.param(place("FR", "97100"), "lago_eu_fr_standard", id="France's need a number"),
            pytest.param(place("FR", "97100", "12"), None, id="one that is written as numbers are"),
            pytest.param(place("FR", "97100", FRENCH_NUMBER), "lago_eu_fr_exception_guadeloupe", id="so"),
            pytest.param(place("FR", "97400", FRENCH_NUMBER), "lago_eu_fr_exception_reunion", id="Reunion"),
        ],
    )
    def test_the_place_decides(self, where, code):
        assert choose_code(where) == code


class TestAfterTheRegister:
    @pytest.mark.parametrize(
        ("where", "verdict", "code"),
        [
            pytest.param(
                place("DE"), Verdict(is_valid=True, country="DE"), "lago_eu_reverse_charge", id="abroad"
            ),
            pytest.param(
                place("FR"), Verdict(is_valid=True, country="FR"), "lago_eu_fr_standard", id="at home"
            ),
            pytest.param(
                place("US"), Verdict(is_valid=True, country="FR"), "lago_eu_fr_standard", id="of the number"
            ),
            pytest.param(
                place("DE"), Verdict(is_valid=False, country="DE"), "lago_eu_de_standard", id="invalid"
            ),
            pytest.param(
                place("US"), Verdict(is_valid=False, country=None), "lago_eu_tax_exempt", id="malformed"
            ),
            pytest.param(
                place(), Verdict(is_valid=False, country="FR"), "lago_eu_fr_standard", id="no country"
            ),
            pytest.param(
                place("ES", "35001", entity_country="ES"),
                Verdict(is_valid=True, country="ES"),
                "lago_eu_es_exception_canary_islands",
                id="a territory at home",
            ),
        ],
    )
    def test_the_answer_decides(self, where, verdict, code):
        assert choose_after_check(where, verdict) == code


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "prefix", "country"),
        [
            ("FR 40 303 265 045", "FR", "FR"),
            ("de129.273.398", "DE", "DE"),
            ("EL123456789", "EL", "GR"),
            ("GR123456789", "EL", "GR"),
            ("NL-123456789-B01", "NL", "NL"),
            ("XI123456789", "XI", "XI"),
        ],
    )
    def test_people_write_them_in_many_ways(self, text, prefix, country):
        number = read_vat_number(text)
        assert number is not None
        assert (number.prefix, number.country) == (prefix, country)

    @pytest.mark.parametrize("text", ["", "IT123", "US123456789", "DE12345678X", "DE١٢٣٤٥٦٧٨٩", "303265045"])
    def test_what_no_member_writes_is_none(self, text):
        assert read_vat_number(text) is None


COUNTRIES = st.sampled_from([None, "US", "GB", "XK", *MEMBERS])
ZIPCODES = st.one_of(
    st.none(), st.text(max_size=8), st.sampled_from(["35001", "97100", "78266", "22061", "9000-001", "6691"])
)
NUMBERS = st.one_of(st.none(), st.text(min_size=1, max_size=14), st.just(FRENCH_NUMBER))
PLACES = st.builds(
    Place, country=COUNTRIES, zipcode=ZIPCODES, vat_number=NUMBERS, entity_country=st.sampled_from([*MEMBERS])
)
VERDICTS = st.one_of(
    st.builds(Verdict, is_valid=st.just(True), country=st.sampled_from([*MEMBERS, "XI"])),
    st.builds(Verdict, is_valid=st.just(False), country=COUNTRIES),
)


@given(PLACES, VERDICTS)
def test_a_tax_follows_for_every_place_and_answer(where, verdict):
    """Where the register is not asked a tax follows at once, else from any answer; and that tax is made."""
    made = {tax.code for tax in automatic_taxes()}
    chosen = choose_code(where)
    assert (chosen is None) <= (where.vat_number is not None)
    assert {chosen or choose_after_check(where, verdict), choose_after_check(where, verdict)} <= made


def test_every_code_that_is_chosen_is_made():
    made = {tax.code: tax.rate for tax in automatic_taxes()}
    assert len(MEMBERS) == 27
    assert {f"lago_eu_{country.lower()}_standard" for country in MEMBERS} < set(made)
    assert (made["lago_eu_reverse_charge"], made["lago_eu_tax_exempt"]) == (0, 0)
    assert made["lago_eu_fi_standard"] == Decimal("25.5")
    assert len(made) == 27 + 18 + 2


def test_the_web_app_offers_it_to_entities_in_the_members():
    told = (ROOT / "web/src/pages/settings/european-union.ts").read_text()
    (codes,) = re.findall(r'"([A-Z]{2}[A-Z ]+)"', told)
    assert codes.split() == sorted(MEMBERS)
