"""Custom sections: selected by code over the API, printed on invoices (platform §13, subscriptions §1.8, invoicing §14)."""

from datetime import UTC, datetime

import pytest
from tests import kit

from tallymark.api.pagination import Page
from tallymark.domain.errors import Invalid, NotFound
from tallymark.rooms.invoice_custom_sections import service

NOW = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
async def tenant(make_organization, database):
    """An organization with the sections `bank`, `terms` and `thanks`, which the web app makes."""
    made = await make_organization("2025-01-01T00:00:00Z")
    async with database.tenant(made.id) as tx:
        for code in ("terms", "bank", "thanks"):
            values = {
                "code": code, "name": code.title(), "display_name": f"{code}:", "details": f"About {code}",
            }  # fmt: skip
            await service.create_section(tx, values, now=NOW)
    return made


@pytest.fixture
def client(tenant):
    return tenant.client


async def upsert(client, expect=200, **fields):
    answer = await kit.post(client, "/customers", {"customer": {"external_id": "c", **fields}}, expect=expect)
    if expect != 200:
        return answer["error_details"]
    shown = answer["customer"]
    codes = [section["code"] for section in shown["applicable_invoice_custom_sections"]]
    return shown["skip_invoice_custom_sections"], codes


async def select_on_entity(client, *codes, expect=200):
    body = {"billing_entity": {"invoice_custom_section_codes": list(codes)}}
    return await kit.call(client, "PUT", "/billing_entities/acme", body, expect=expect)


async def printed(client):
    (invoice,) = await kit.invoices(client, {"external_id": "c"})
    return [section["code"] for section in invoice["applied_invoice_custom_sections"]]


async def bill(client, **plan):
    made = await kit.plan(client, amount_cents=1000, pay_in_advance=True, **plan)
    await kit.subscribe(client, {"external_id": "c"}, made)


async def test_a_customer_prints_what_their_entity_does_by_name(client, tenant):
    shown = (await select_on_entity(client, "terms", "bank"))["billing_entity"]
    first = shown["selected_invoice_custom_sections"][0]
    assert first["organization_id"] == str(tenant.id)
    expected = {"code": "bank", "name": "Bank", "display_name": "bank:", "details": "About bank"}
    assert {name: first[name] for name in expected} == expected
    assert await upsert(client) == (False, ["bank", "terms"])


async def test_an_own_selection_goes_first_and_an_empty_one_falls_back(client):
    await select_on_entity(client, "terms")
    assert await upsert(client, invoice_custom_section_codes=["thanks", "bank"]) == (
        False,
        ["bank", "thanks"],
    )
    assert await upsert(client, name="New") == (False, ["bank", "thanks"])
    assert await upsert(client, invoice_custom_section_codes=[]) == (False, ["terms"])


async def test_skipping_clears_and_codes_end_it(client):
    await select_on_entity(client, "terms")
    await upsert(client, invoice_custom_section_codes=["bank"])
    assert await upsert(client, skip_invoice_custom_sections=True) == (True, [])
    assert await upsert(client, name="New") == (True, [])
    assert await upsert(client, skip_invoice_custom_sections=False) == (False, ["terms"])
    await upsert(client, skip_invoice_custom_sections=True)
    assert await upsert(client, invoice_custom_section_codes=["bank"]) == (False, ["bank"])


async def test_both_at_once_and_unknown_codes_are_refused(client):
    both = {"skip_invoice_custom_sections": True, "invoice_custom_section_codes": ["bank"]}
    assert await upsert(client, expect=422, **both) == {
        "invoice_custom_sections": ["skip_sections_and_selected_ids_sent_together"]
    }
    unknown = {"invoice_custom_section_codes": ["value_is_invalid"]}
    assert await upsert(client, expect=422, invoice_custom_section_codes=["bank", "none"]) == unknown
    assert (await select_on_entity(client, "none", expect=422))["error_details"] == unknown
    await kit.get(client, "/customers/c", expect=404)


async def test_other_organizations_sections_are_unknown(client, other_client):
    assert await upsert(other_client, expect=422, invoice_custom_section_codes=["bank"]) == {
        "invoice_custom_section_codes": ["value_is_invalid"]
    }


async def test_an_invoice_keeps_its_copies(client, tenant, database):
    await select_on_entity(client, "terms", "bank")
    await upsert(client)
    await bill(client)
    (invoice,) = await kit.invoices(client, {"external_id": "c"})
    section = invoice["applied_invoice_custom_sections"][0]
    assert (section["code"], section["display_name"], section["details"]) == ("bank", "bank:", "About bank")
    assert section["lago_invoice_id"] == invoice["lago_id"]
    async with database.tenant(tenant.id) as tx:
        await service.delete_section(tx, "bank", now=NOW)
    assert await printed(client) == ["bank", "terms"]
    assert await upsert(client) == (False, ["terms"])


async def test_a_draft_takes_the_selection_of_its_last_computation(client):
    await upsert(
        client, billing_configuration={"invoice_grace_period": 3}, invoice_custom_section_codes=["bank"]
    )
    await bill(client)
    await upsert(client, invoice_custom_section_codes=["thanks"])
    assert await printed(client) == ["bank"]
    await kit.advance(client, "2025-01-05T00:00:00Z")
    assert await printed(client) == ["thanks"]


async def test_codes_are_unique_among_live_sections(tenant, database):
    async with database.tenant(tenant.id) as tx:
        changed = await service.update_section(tx, "bank", {"details": "New"}, now=NOW)
        assert (changed.details, changed.name) == ("New", "Bank")
        with pytest.raises(Invalid):
            await service.create_section(tx, {"code": "bank", "name": "Bank"}, now=NOW)
        with pytest.raises(Invalid):
            await service.update_section(tx, "bank", {"code": "terms"}, now=NOW)
        await service.delete_section(tx, "bank", now=NOW)
        with pytest.raises(NotFound):
            await service.get_section(tx, code="bank")
        await service.create_section(tx, {"code": "bank", "name": "Bank"}, now=NOW)
        found, total = await service.list_sections(tx, Page())
        assert ([section.code for section in found], total) == (["bank", "terms", "thanks"], 3)


class TestSubscriptions:
    """§1.8: a subscription may override, and a shared invoice adds up what its participants print."""

    async def subscribe(self, client, external_id, expect=200, **choice):
        plan = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
        body = {"external_customer_id": "c", "plan_code": plan["code"], "external_id": external_id}
        body |= {"invoice_custom_section": choice} if choice else {}
        body["subscription_at"] = "2025-01-02T00:00:00Z"
        return await kit.post(client, "/subscriptions", {"subscription": body}, expect=expect)

    @pytest.mark.parametrize(
        ("choices", "expected"),
        [
            pytest.param([{}], ["terms"], id="nothing said: the customer's"),
            pytest.param([{"invoice_custom_section_codes": ["bank"]}], ["bank"], id="an own selection"),
            pytest.param([{"skip_invoice_custom_sections": True}], [], id="all skip"),
            pytest.param(
                [{"invoice_custom_section_codes": ["bank"]}, {"invoice_custom_section_codes": ["thanks"]}],
                ["bank", "thanks"],
                id="own selections add up",
            ),
            pytest.param(
                [{"invoice_custom_section_codes": ["bank"]}, {}], ["bank", "terms"], id="and the customer's"
            ),
            pytest.param(
                [{"invoice_custom_section_codes": ["bank"]}, {"skip_invoice_custom_sections": True}],
                ["bank"],
                id="one that skips is left out",
            ),
        ],
    )
    async def test_an_invoice_takes_what_its_subscriptions_print(self, client, choices, expected):
        await select_on_entity(client, "terms")
        await upsert(client)
        for number, choice in enumerate(choices):
            await self.subscribe(client, f"s{number}", **choice)
        await kit.advance(client, "2025-02-01T01:00:00Z")
        last = (await kit.invoices(client, {"external_id": "c"}))[-1]
        assert len(last["subscriptions"]) == len(choices)
        assert [section["code"] for section in last["applied_invoice_custom_sections"]] == expected

    async def test_what_is_left_out_stays(self, client):
        await upsert(client)
        made = await self.subscribe(client, "s", invoice_custom_section_codes=["bank", "terms"])

        async def change(**choice):
            body = {"subscription": {"invoice_custom_section": choice} if choice else {"name": "New"}}
            return shown(await kit.call(client, "PUT", "/subscriptions/s", body, status="pending"))

        def shown(answer):
            sections = answer["subscription"]["applied_invoice_custom_sections"]
            return [section["invoice_custom_section"]["code"] for section in sections]

        assert shown(made) == ["bank", "terms"]
        assert await change() == ["bank", "terms"]
        assert await change(skip_invoice_custom_sections=False) == ["bank", "terms"]
        assert await change(invoice_custom_section_codes=["thanks"]) == ["thanks"]
        assert await change(skip_invoice_custom_sections=True) == []

    async def test_an_unknown_code_makes_nothing(self, client):
        await upsert(client)
        answer = await self.subscribe(client, "s", expect=422, invoice_custom_section_codes=["none"])
        assert answer["error_details"] == {"invoice_custom_section_codes": ["value_is_invalid"]}
        await kit.get(client, "/subscriptions/s", expect=404, status="pending")


async def test_a_section_says_whether_the_default_entity_has_selected_it(client):
    await select_on_entity(client, "terms")
    body = {"customer": {"external_id": "c", "invoice_custom_section_codes": ["bank", "terms"]}}
    shown = (await kit.post(client, "/customers", body))["customer"]["applicable_invoice_custom_sections"]
    assert {one["code"]: one["applied_to_organization"] for one in shown} == {"bank": False, "terms": True}


class TestSectionsThemselves:
    """Made, changed and deleted over the API; the contract leaves that to the web app (docs/differences.md)."""

    PATH = "/invoice_custom_sections"

    async def make(self, client, expect=200, **fields):
        values = {"code": "vat note", "name": "VAT note", **fields}
        return await kit.post(client, self.PATH, {"invoice_custom_section": values}, expect=expect)

    async def test_are_made_read_listed_changed_and_deleted(self, client):
        made = (await self.make(client, details="Reverse charge", display_name="VAT"))[
            "invoice_custom_section"
        ]
        assert (made["code"], made["details"], made["display_name"]) == ("vat note", "Reverse charge", "VAT")
        assert (made["description"], made["applied_to_organization"]) == (None, False)
        read = await kit.get(client, f"{self.PATH}/vat%20note")
        assert read["invoice_custom_section"] == made
        listed = await kit.get(client, self.PATH, per_page=3)
        assert [one["name"] for one in listed["invoice_custom_sections"]] == ["Bank", "Terms", "Thanks"]
        assert (listed["meta"]["total_count"], listed["meta"]["next_page"]) == (4, 2)
        body = {"invoice_custom_section": {"details": "Other"}}
        changed = await kit.call(client, "PUT", f"{self.PATH}/vat%20note", body)
        assert changed["invoice_custom_section"] == {**made, "details": "Other"}
        await kit.call(client, "DELETE", f"{self.PATH}/vat%20note")
        gone = await kit.get(client, f"{self.PATH}/vat%20note", expect=404)
        assert gone["code"] == "invoice_custom_section_not_found"

    async def test_one_that_was_made_is_printed(self, client):
        await self.make(client, code="made", name="Made", details="By a key")
        await upsert(client, invoice_custom_section_codes=["made"], currency="EUR")
        await kit.post(
            client,
            "/add_ons",
            {"add_on": {"name": "A", "code": "a", "amount_cents": 100, "amount_currency": "EUR"}},
        )
        invoice = {"external_customer_id": "c", "currency": "EUR", "fees": [{"add_on_code": "a"}]}
        await kit.post(client, "/invoices", {"invoice": invoice})
        assert await printed(client) == ["made"]

    @pytest.mark.parametrize(("fields", "wrong"), [
        ({"code": ""}, {"code": ["value_is_mandatory"]}),
        ({"name": None}, {"name": ["value_is_mandatory"]}),
        ({"code": "bank"}, {"code": ["value_already_exist"]}),
        ({"details": "x" * 10_001}, {"details": ["value_is_too_long"]}),
    ])  # fmt: skip
    async def test_bad_values_are_named(self, client, fields, wrong):
        assert (await self.make(client, expect=422, **fields))["error_details"] == wrong

    async def test_of_others_are_unknown(self, client, other_client):
        await kit.get(other_client, f"{self.PATH}/bank", expect=404)
        assert (await kit.get(other_client, self.PATH))["invoice_custom_sections"] == []
        await kit.call(other_client, "DELETE", f"{self.PATH}/bank", expect=404)
