"""Billing entities and the organization's settings over the API (platform §3, §4)."""

import base64
import io
import struct
import zlib
from datetime import UTC, datetime

import httpx
import pikepdf
import pytest
from tests import kit

from tallymark.domain.errors import Invalid
from tallymark.rooms.billing_entities import service as billing_entities

NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32


def picture(width=4, height=2):
    """A real PNG, all black."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\x00" * (width + 1) * height)
    return PNG[:8] + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def data_uri(content, kind="png"):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


async def entity(client, expect=200, **fields):
    body = {"code": "second", "name": "Second", **fields}
    return await kit.post(client, "/billing_entities", {"billing_entity": body}, expect=expect)


async def change(client, code, expect=200, **fields):
    return await kit.call(
        client, "PUT", f"/billing_entities/{code}", {"billing_entity": fields}, expect=expect
    )


async def organization(client, expect=200, **fields):
    return await kit.call(client, "PUT", "/organizations", {"organization": fields}, expect=expect)


class TestEntities:
    async def test_one_is_changed_below_a_root_or_without_one(self, client):
        """The pages and clients have a root, the contract's document has none; what has neither is no change."""
        await entity(client)
        for body in ({"billing_entity": {"name": "A", "city": "Lyon"}}, {"name": "B"}):
            await kit.call(client, "PUT", "/billing_entities/second", body)
        read = (await kit.get(client, "/billing_entities/second"))["billing_entity"]
        assert (read["name"], read["city"]) == ("B", "Lyon")
        for unread in ({}, {"colour": "red"}, {"billing_entity": {}, "name": "C"}):
            await kit.call(client, "PUT", "/billing_entities/second", unread, expect=400)
        refused = await kit.call(client, "PUT", "/billing_entities/second", {"timezone": "x"}, expect=422)
        assert refused["error_details"] == {"timezone": ["invalid_timezone"]}

    async def test_one_is_made_with_defaults(self, client):
        made = (await entity(client))["billing_entity"]
        assert made["document_number_prefix"] == f"SEC-{made['lago_id'][-4:]}".upper()
        expected = {
            "code": "second", "name": "Second", "is_default": False, "default_currency": "USD", "timezone": "UTC",
            "country": None, "einvoicing": False, "eu_tax_management": False, "net_payment_term": 0,
            "email_settings": [], "document_numbering": "per_customer", "finalize_zero_amount_invoice": True,
            "logo_url": None, "invoice_footer": None, "invoice_grace_period": 0, "document_locale": "en",
            "subscription_invoice_issuing_date_anchor": "next_period_start",
            "subscription_invoice_issuing_date_adjustment": "align_with_finalization_date",
        }  # fmt: skip
        assert {name: made[name] for name in expected} == expected
        assert "taxes" not in made

    async def test_all_settings_are_kept(self, client):
        settings = {
            "default_currency": "EUR", "timezone": "Europe/Paris", "country": "FR", "address_line1": "1, rue A",
            "city": "Paris", "zipcode": "75001", "phone": "+33 1", "email": "a@b.co,c@d.co", "legal_name": "Second SA",
            "legal_number": "1", "tax_identification_number": "FR40303265045", "net_payment_term": 30,
            "email_settings": ["invoice.finalized"], "document_numbering": "per_billing_entity",
            "document_number_prefix": "SEC-2", "finalize_zero_amount_invoice": False,
        }  # fmt: skip
        configuration = {
            "invoice_footer": "Merci",
            "invoice_grace_period": 3,
            "document_locale": "fr",
            "subscription_invoice_issuing_date_anchor": "current_period_end",
            "subscription_invoice_issuing_date_adjustment": "keep_anchor",
        }
        await entity(client, **settings, billing_configuration=configuration)
        read = (await kit.get(client, "/billing_entities/second"))["billing_entity"]
        for name, value in {**settings, **configuration}.items():
            assert read[name] == value, name
        assert (read["taxes"], read["selected_invoice_custom_sections"]) == ([], [])

    async def test_the_oldest_is_the_default_and_listed_first(self, client):
        await entity(client)
        listed = await kit.get(client, "/billing_entities")
        assert [(row["code"], row["is_default"]) for row in listed["billing_entities"]] == [
            ("acme", True),
            ("second", False),
        ]
        assert "meta" not in listed

    @pytest.mark.parametrize(
        ("wrong", "details"),
        [
            ({"code": None}, {"code": ["value_is_mandatory"]}),
            ({"name": ""}, {"name": ["value_is_mandatory"]}),
            ({"code": "acme"}, {"code": ["value_already_exist"]}),
            ({"document_numbering": "per_moon"}, {"document_numbering": ["value_is_invalid"]}),
            ({"document_number_prefix": "x" * 11}, {"document_number_prefix": ["value_is_too_long"]}),
            ({"country": "XX"}, {"country": ["not_a_valid_country_code"]}),
            ({"timezone": "Mars"}, {"timezone": ["invalid_timezone"]}),
            ({"email": "nobody"}, {"email": ["invalid_email_format"]}),
            ({"email_settings": ["invoice.lost"]}, {"email_settings": ["unsupported_value"]}),
            ({"net_payment_term": -1}, {"net_payment_term": ["value_is_out_of_range"]}),
            (
                {"billing_configuration": {"invoice_grace_period": -1}},
                {"invoice_grace_period": ["value_is_out_of_range"]},
            ),
            (
                {"billing_configuration": {"document_locale": "xx"}},
                {"document_locale": ["not_a_valid_language_code"]},
            ),
            (
                {"billing_configuration": {"invoice_footer": "x" * 601}},
                {"invoice_footer": ["value_is_too_long"]},
            ),
            (
                {"billing_configuration": {"subscription_invoice_issuing_date_anchor": "x"}},
                {"subscription_invoice_issuing_date_anchor": ["value_is_invalid"]},
            ),
            ({"eu_tax_management": True}, {"eu_tax_management": ["billing_entity_must_be_in_eu"]}),
            (
                {"eu_tax_management": True, "country": "US"},
                {"eu_tax_management": ["billing_entity_must_be_in_eu"]},
            ),
            ({"logo": "data:image/gif;base64,R0lG"}, {"logo": ["invalid_content_type"]}),
            ({"logo": data_uri(b"no picture")}, {"logo": ["invalid_content_type"]}),
            ({"logo": data_uri(PNG + b"\x00" * 800 * 1024)}, {"logo": ["invalid_size"]}),
            ({"einvoicing": True}, {"einvoicing": ["country_must_be_present"]}),
            ({"einvoicing": True, "country": "IT"}, {"einvoicing": ["country_not_supported"]}),
        ],
    )
    async def test_bad_values_are_refused_and_nothing_is_made(self, client, wrong, details):
        assert (await entity(client, expect=422, **wrong))["error_details"] == details
        assert len((await kit.get(client, "/billing_entities"))["billing_entities"]) == 1

    async def test_an_update_changes_only_what_is_sent(self, client):
        await entity(client, net_payment_term=7, legal_name="Second SA", document_number_prefix="abc")
        changed = (await change(client, "second", legal_name=None, net_payment_term=None))["billing_entity"]
        assert (changed["legal_name"], changed["net_payment_term"]) == (None, 7)
        assert changed["document_number_prefix"] == "ABC"
        assert (await change(client, "none", expect=404, name="x"))["code"] == "billing_entity_not_found"

    async def test_taxes_are_replaced_whatever_the_case_of_their_codes(self, client):
        for code in ("vat", "gst"):
            await kit.tax(client, code=code, applied_to_organization=False)
        await entity(client)
        changed = await change(client, "second", tax_codes=["VAT"])
        assert [tax["code"] for tax in changed["billing_entity"]["taxes"]] == ["vat"]
        assert (await kit.get(client, "/taxes/vat"))["tax"]["applied_to_billing_entities_codes"] == ["second"]
        assert (await change(client, "second", expect=404, tax_codes=["none"]))["code"] == "tax_not_found"
        changed = await change(client, "second", tax_codes=["gst"])
        assert [tax["code"] for tax in changed["billing_entity"]["taxes"]] == ["gst"]

    async def test_a_logo_is_kept_and_taken_off(self, client, nobody):
        made = (await entity(client, logo=data_uri(PNG)))["billing_entity"]
        picture = await nobody.get(httpx.URL(made["logo_url"]).raw_path.decode())
        assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
        assert (await change(client, "second", name="New"))["billing_entity"]["logo_url"] == made["logo_url"]
        assert (await change(client, "second", logo=None))["billing_entity"]["logo_url"] is None

    @pytest.mark.parametrize(("logo", "images"), [(picture(), 1), (PNG, 0)], ids=["shown", "broken"])
    async def test_documents_show_the_logo(self, make_organization, nobody, logo, images):
        """One that can't be read is left out; the document is made nevertheless."""
        client = (await make_organization("2025-01-01T00:00:00Z")).client
        await change(client, "acme", logo=data_uri(logo))
        customer = await kit.customer(client)
        await kit.subscribe(client, customer, await kit.plan(client, amount_cents=100, pay_in_advance=True))
        (invoice,) = await kit.invoices(client, customer)
        made = await kit.post(client, f"/invoices/{invoice['lago_id']}/download", {})
        file = await nobody.get(httpx.URL(made["invoice"]["file_url"]).raw_path.decode())
        with pikepdf.open(io.BytesIO(file.content)) as pdf:
            assert len(pdf.pages[0].get_images()) == images

    async def test_another_organizations_are_unknown(self, client, other_client):
        await entity(client)
        await kit.get(other_client, "/billing_entities/second", expect=404)
        await change(other_client, "second", expect=404, name="Mine")
        await entity(other_client)
        assert (await kit.get(client, "/billing_entities/second"))["billing_entity"]["name"] == "Second"


class TestOrganization:
    async def test_its_settings_are_its_default_entitys(self, client):
        settings = {
            "default_currency": "eur",
            "timezone": "Europe/Rome",
            "document_numbering": "per_organization",
        }
        answer = await organization(
            client, **settings, email_settings=["invoice.finalized"], document_number_prefix="abc"
        )
        shown = answer["organization"]
        assert (shown["default_currency"], shown["timezone"]) == ("EUR", "Europe/Rome")
        assert (shown["document_numbering"], shown["document_number_prefix"]) == ("per_organization", "ABC")
        default = (await kit.get(client, "/billing_entities/acme"))["billing_entity"]
        assert (default["document_numbering"], default["document_number_prefix"]) == (
            "per_billing_entity",
            "ABC",
        )
        assert default["email_settings"] == ["invoice.finalized"]

    async def test_a_change_answers_its_taxes_and_a_read_does_not(self, client):
        await kit.tax(client, code="vat")
        assert [
            tax["code"] for tax in (await organization(client, city="Rome"))["organization"]["taxes"]
        ] == ["vat"]
        assert "taxes" not in (await kit.get(client, "/organizations"))["organization"]

    async def test_slugs_are_of_customers_prefix_not_the_entitys(self, client):
        """`document_number_prefix` of the organization numbers customers, that of the entity documents."""
        await organization(client, document_number_prefix="org")
        await change(client, "acme", document_number_prefix="ent")
        assert (await kit.customer(client))["slug"] == "ORG-001"

    @pytest.mark.parametrize(
        ("wrong", "details"),
        [
            ({"slug": "ab"}, {"slug": ["value_is_too_short"]}),
            ({"slug": "a" * 41}, {"slug": ["value_is_too_long"]}),
            ({"slug": "-abc"}, {"slug": ["invalid_format"]}),
            ({"slug": "admin"}, {"slug": ["value_is_reserved"]}),
            ({"document_numbering": "per_moon"}, {"document_numbering": ["value_is_invalid"]}),
            ({"eu_tax_management": True}, {"eu_tax_management": ["org_must_be_in_eu"]}),
            ({"webhook_url": "no address"}, {"webhook_url": ["url_is_invalid"]}),
        ],
    )
    async def test_bad_values_are_refused(self, client, wrong, details):
        before = (await kit.get(client, "/organizations"))["organization"]
        assert (await organization(client, expect=422, city="Rome", **wrong))["error_details"] == details
        assert (await kit.get(client, "/organizations"))["organization"] == before

    async def test_a_slug_is_unique_among_all(self, client, other_client):
        assert (await organization(client, slug=" My-Shop "))["organization"]["slug"] == "my-shop"
        answer = await organization(other_client, expect=422, slug="my-shop", city="Rome")
        assert answer["error_details"] == {"slug": ["value_already_exist"]}
        assert (await kit.get(other_client, "/organizations"))["organization"]["city"] is None


class TestArchiving:
    """platform §4: done by whoever runs the installation, not over the API."""

    async def archive(self, database, tenant, code="second"):
        async with database.tenant(tenant.id) as tx:
            return await billing_entities.archive_entity(tx, code, now=NEW_YEAR)

    async def refused(self, database, tenant, why, code="second"):
        with pytest.raises(Invalid) as refusal:
            await self.archive(database, tenant, code)
        assert refusal.value.details == {"base": [why]}

    async def test_takes_it_out_of_use_and_keeps_what_it_issued(self, make_organization, database):
        tenant = await make_organization("2025-01-01T00:00:00Z")
        client = tenant.client
        who = await kit.customer(client, external_id="c", billing_entity_code="acme", currency="EUR")
        await entity(client)
        moved = {"external_id": "c", "billing_entity_code": "second"}
        await kit.post(client, "/customers", {"customer": moved})
        item = {"name": "a", "code": "a", "amount_cents": 1000, "amount_currency": "EUR"}
        await kit.post(client, "/add_ons", {"add_on": item})
        body = {"external_customer_id": "c", "currency": "EUR", "fees": [{"add_on_code": "a"}]}
        await kit.post(client, "/invoices", {"invoice": body})
        await self.refused(database, tenant, "billing_entity_in_use")
        await kit.post(client, "/customers", {"customer": {**moved, "billing_entity_code": "acme"}})
        await self.archive(database, tenant)
        listed = (await kit.get(client, "/billing_entities"))["billing_entities"]
        assert [one["code"] for one in listed] == ["acme"]
        await kit.get(client, "/billing_entities/second", expect=404)
        gone = await kit.post(client, "/customers", {"customer": {**moved, "external_id": "d"}}, expect=404)
        assert gone["code"] == "billing_entity_not_found"
        refused = await entity(client, expect=422)
        assert refused["error_details"] == {"code": ["value_already_exist"]}, "its numbers are its own"
        (invoice,) = await kit.invoices(client, who)
        assert invoice["billing_entity_code"] == "second"
        found = await kit.get(client, "/invoices", **{"billing_entity_codes[]": "second"})
        assert [one["lago_id"] for one in found["invoices"]] == [invoice["lago_id"]]
        gone = {"activity_types[]": "billing_entities.deleted"}
        (entry,) = (await kit.get(client, "/activity_logs", **gone))["activity_logs"]
        assert (entry["activity_object"]["code"], entry["activity_source"]) == ("second", "system")
        changed = {"log_events[]": "billing_entity.updated", "to_date": "2025-12-31"}
        (told,) = (await kit.get(client, "/security_logs", **changed))["security_logs"]
        assert told["resources"]["archived_at"] == {"deleted": None, "added": "2025-01-01T00:00:00Z"}

    async def test_waits_until_nothing_names_it_and_leaves_one(self, make_organization, database):
        tenant = await make_organization("2025-01-01T00:00:00Z")
        client = tenant.client
        await self.refused(database, tenant, "last_billing_entity", "acme")
        await entity(client)
        who = await kit.customer(client, external_id="c", billing_entity_code="second", currency="EUR")
        await self.archive(database, tenant, "acme")
        assert (await kit.get(client, "/organizations"))["organization"]["lago_id"] == str(tenant.id)
        assert (await kit.customer(client, external_id="d"))["billing_entity_code"] == "second", "the default"
        await entity(client, code="third", name="Third")
        plan = await kit.plan(client, amount_cents=1000)
        await kit.subscribe(client, who, plan, external_id="s", billing_entity_code="third")
        await self.refused(database, tenant, "billing_entity_in_use", "third")
        await kit.call(client, "DELETE", "/subscriptions/s")
        await self.archive(database, tenant, "third")


class TestDraftsFollow:
    """platform §4: side effects of an update."""

    async def draft(self, client, entity_code="second", **customer):
        """A draft of 1 January with 5 days of grace."""
        if customer.pop("makes_entity", True):
            await entity(client, billing_configuration={"invoice_grace_period": 5})
        made = await kit.customer(client, billing_entity_code=entity_code, **customer)
        plan = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
        await kit.subscribe(client, made, plan)
        (invoice,) = await kit.invoices(client, made)
        assert invoice["status"] == "draft"
        return made, invoice

    async def dates(self, client, customer):
        (invoice,) = await kit.invoices(client, customer)
        names = ("issuing_date", "expected_finalization_date", "payment_due_date", "net_payment_term")
        return tuple(invoice[name] for name in names)

    async def test_a_longer_grace_period_moves_the_dates(self, make_organization):
        """§1.5: issuing and finalization move by the difference, 5 → 8 days; due is issuing + term."""
        client = (await make_organization("2025-01-01T00:00:00Z")).client
        customer, _ = await self.draft(client)
        assert await self.dates(client, customer) == ("2025-01-06", "2025-01-06", "2025-01-06", 0)
        await change(client, "second", billing_configuration={"invoice_grace_period": 8})
        assert await self.dates(client, customer) == ("2025-01-09", "2025-01-09", "2025-01-09", 0)

    async def test_own_terms_are_not_inherited(self, make_organization):
        client = (await make_organization("2025-01-01T00:00:00Z")).client
        customer, _ = await self.draft(
            client, billing_configuration={"invoice_grace_period": 4}, net_payment_term=10
        )
        before = await self.dates(client, customer)
        assert before == ("2025-01-05", "2025-01-05", "2025-01-15", 10)
        await change(client, "second", net_payment_term=30, billing_configuration={"invoice_grace_period": 8})
        assert await self.dates(client, customer) == before

    async def test_a_payment_term_moves_what_is_due(self, make_organization):
        client = (await make_organization("2025-01-01T00:00:00Z")).client
        customer, _ = await self.draft(client)
        await change(client, "second", net_payment_term=30)
        assert await self.dates(client, customer) == ("2025-01-06", "2025-01-06", "2025-02-05", 30)

    async def test_without_grace_what_is_due_is_finalized_at_once(self, make_organization):
        client = (await make_organization("2025-01-01T00:00:00Z")).client
        customer, _ = await self.draft(client)
        await kit.advance(client, "2025-01-03T00:00:00Z")
        await change(client, "second", billing_configuration={"invoice_grace_period": 1})
        (invoice,) = await kit.invoices(client, customer)
        assert (invoice["status"], invoice["expected_finalization_date"]) == ("finalized", "2025-01-02")

    async def test_other_entities_drafts_stay(self, make_organization):
        client = (await make_organization("2025-01-01T00:00:00Z")).client
        customer, _ = await self.draft(client)
        await change(client, "acme", net_payment_term=30, billing_configuration={"invoice_grace_period": 8})
        assert await self.dates(client, customer) == ("2025-01-06", "2025-01-06", "2025-01-06", 0)

    async def test_new_taxes_are_computed_in(self, make_organization):
        client = (await make_organization("2025-01-01T00:00:00Z")).client
        await kit.tax(client, "20", code="vat", applied_to_organization=False)
        await kit.tax(client, "7", code="own", applied_to_organization=False)
        customer, _ = await self.draft(client)
        taxed, _ = await self.draft(client, makes_entity=False, tax_codes=["own"])
        await change(client, "second", tax_codes=["vat"])
        (invoice,) = await kit.invoices(client, customer)
        assert (invoice["taxes_amount_cents"], invoice["total_amount_cents"]) == (200, 1200)
        (invoice,) = await kit.invoices(client, taxed)
        assert invoice["taxes_amount_cents"] == 70

    async def test_a_zone_moves_the_billing_of_those_who_live_in_it(self, make_organization):
        """The 1 February begins at 23:00 UTC of the 31 January in Paris."""
        client = (await make_organization("2025-01-10T00:00:00Z")).client
        await entity(client)
        plan = await kit.plan(client, amount_cents=3100)
        inheriting = await kit.customer(client, billing_entity_code="second")
        own = await kit.customer(client, billing_entity_code="second", timezone="UTC")
        for customer in (inheriting, own):
            await kit.subscribe(client, customer, plan)
        await change(client, "second", timezone="Europe/Paris")
        await kit.advance(client, "2025-01-31T23:30:00Z")
        assert len(await kit.invoices(client, inheriting)) == 1
        assert await kit.invoices(client, own) == []


async def test_numbering_by_the_entity_goes_on_where_the_count_stands(make_organization):
    """platform §4: the latest number becomes the count of numbered invoices, each time the entity switches."""
    client = (await make_organization("2025-01-01T00:00:00Z")).client
    await entity(client, document_number_prefix="B")
    plan = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
    customers = [await kit.customer(client, billing_entity_code="second") for _ in range(2)]
    for customer in customers:
        await kit.subscribe(client, customer, plan)

    async def last_numbers():
        return sorted([(await kit.invoices(client, customer))[-1]["number"] for customer in customers])

    assert await last_numbers() == ["B-001-001", "B-002-001"]
    await change(client, "second", document_numbering="per_billing_entity")
    await kit.advance(client, "2025-02-01T01:00:00Z")
    assert await last_numbers() == ["B-202502-003", "B-202502-004"]
    await change(client, "second", document_numbering="per_customer")
    await kit.advance(client, "2025-03-01T01:00:00Z")
    assert await last_numbers() == ["B-001-003", "B-002-003"]
    await change(client, "second", document_numbering="per_billing_entity")
    await kit.advance(client, "2025-04-01T01:00:00Z")
    assert await last_numbers() == ["B-202504-007", "B-202504-008"]
