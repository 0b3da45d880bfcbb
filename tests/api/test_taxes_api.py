"""Taxes: who carries them, and what follows from changing them (pricing §2)."""

import pytest
from tests import kit


@pytest.fixture
async def client(make_organization):
    """A simulated organization's."""
    return (await make_organization("2025-01-01T00:00:00Z")).client


async def draft_of(client, customer=None, **plan):
    """A draft of 10.00 for a customer with five days of grace."""
    customer = customer or await kit.customer(client, billing_configuration={"invoice_grace_period": 5})
    made = await kit.plan(client, amount_cents=1000, pay_in_advance=True, **plan)
    await kit.subscribe(client, customer, made)
    return customer


async def taxed(client, customer):
    (invoice,) = await kit.invoices(client, customer)
    applied = {tax["tax_code"]: tax["tax_name"] for tax in invoice["applied_taxes"]}
    return invoice["status"], invoice["taxes_amount_cents"], applied


def put(client, known_code, expect=200, **fields):
    return kit.call(client, "PUT", f"/taxes/{known_code}", {"tax": fields}, expect=expect)


async def test_a_new_rate_reaches_the_drafts_of_all_who_inherit_it(client):
    await kit.tax(client, "20", code="vat", name="VAT")
    customer = await draft_of(client)
    assert await taxed(client, customer) == ("draft", 200, {"vat": "VAT"})
    await put(client, "vat", rate="10", name="New VAT")
    assert await taxed(client, customer) == ("draft", 100, {"vat": "New VAT"})


@pytest.mark.parametrize("level", ["plan", "customer"])
async def test_a_new_rate_reaches_drafts_from_every_level(client, level):
    await kit.tax(client, "20", code="vat", name="VAT", applied_to_organization=False)
    grace = {"invoice_grace_period": 5}
    if level == "plan":
        customer = await draft_of(client, tax_codes=["vat"])
    else:
        customer = await kit.customer(client, billing_configuration=grace, tax_codes=["vat"])
        await draft_of(client, customer)
    await put(client, "vat", rate="10")
    assert await taxed(client, customer) == ("draft", 100, {"vat": "VAT"})
    await kit.call(client, "DELETE", "/taxes/vat")
    assert await taxed(client, customer) == ("draft", 0, {})


async def test_attaching_to_and_detaching_from_the_organization_moves_drafts(client):
    await kit.tax(client, "20", code="vat", name="VAT", applied_to_organization=False)
    customer = await draft_of(client)
    assert (await taxed(client, customer))[1] == 0
    shown = (await put(client, "vat", applied_to_organization=True))["tax"]
    assert shown["applied_to_billing_entities_codes"] == ["acme"]
    assert (await taxed(client, customer))[1] == 200
    await put(client, "vat", applied_to_organization=False)
    assert (await taxed(client, customer))[1] == 0


async def test_finalized_documents_keep_their_copy(client):
    await kit.tax(client, "20", code="vat", name="VAT")
    customer = await draft_of(client, await kit.customer(client))
    await put(client, "vat", rate="10", name="New", code="gst")
    await kit.call(client, "DELETE", "/taxes/gst")
    assert await taxed(client, customer) == ("finalized", 200, {"vat": "VAT"})


async def test_an_entitys_tax_is_told_by_its_code(client):
    """The shown flag is computed: attached to the default entity or not; nested taxes show the stored one."""
    await kit.post(client, "/billing_entities", {"billing_entity": {"code": "second", "name": "Second"}})
    await kit.tax(client, "20", code="vat")
    for code in ("second", "acme"):
        body = {"billing_entity": {"tax_codes": ["vat"]}}
        await kit.call(client, "PUT", f"/billing_entities/{code}", body)
    shown = (await kit.get(client, "/taxes/vat"))["tax"]
    assert shown["applied_to_billing_entities_codes"] == ["acme", "second"]
    await kit.call(client, "PUT", "/billing_entities/acme", {"billing_entity": {"tax_codes": []}})
    (shown,) = (await kit.get(client, "/taxes"))["taxes"]
    assert (shown["applied_to_organization"], shown["applied_to_billing_entities_codes"]) == (
        False,
        ["second"],
    )
    nested = (await kit.customer(client, tax_codes=["vat"]))["taxes"][0]
    assert nested["applied_to_organization"] is True
    assert "applied_to_billing_entities_codes" not in nested
    counts = ("add_ons_count", "customers_count", "plans_count", "charges_count", "commitments_count")
    assert [nested[name] for name in counts] == [0] * 5


async def test_deletion_takes_it_off_everything(client):
    await kit.tax(client, "20", code="vat")
    add_on = {"name": "A", "code": "a", "amount_cents": 1, "amount_currency": "EUR", "tax_codes": ["vat"]}
    await kit.post(client, "/add_ons", {"add_on": add_on})
    await kit.customer(client, external_id="c", tax_codes=["vat"])
    await kit.plan(
        client, kit.charge(await kit.metric(client)) | {"tax_codes": ["vat"]}, code="p", tax_codes=["vat"]
    )
    await kit.call(client, "DELETE", "/taxes/vat")
    assert (await kit.get(client, "/add_ons/a"))["add_on"]["taxes"] == []
    assert (await kit.get(client, "/customers/c"))["customer"]["taxes"] == []
    assert (await kit.get(client, "/billing_entities/acme"))["billing_entity"]["taxes"] == []
    plan = (await kit.get(client, "/plans/p"))["plan"]
    assert (plan["taxes"], plan["charges"][0]["taxes"]) == ([], [])


async def test_another_organizations_are_unknown(client, other_client):
    await kit.tax(client, code="vat")
    assert (await put(other_client, "vat", expect=404, rate="1"))["code"] == "tax_not_found"
    await kit.call(other_client, "DELETE", "/taxes/vat", expect=404)
    body = {"customer": {"external_id": "c", "tax_codes": ["vat"]}}
    assert (await kit.post(other_client, "/customers", body, expect=404))["code"] == "tax_not_found"


@pytest.mark.parametrize("rate", ["61709e963786885", "-1e999999999", "1000001", "0.00000000001"])
async def test_a_rate_that_is_none_is_refused(client, rate):
    """Also one larger than decimals are reckoned with: only compared, it overflows nothing."""
    await kit.tax(client, "20", code="vat")
    assert (await put(client, "vat", expect=422, rate=rate))["error_details"] == {
        "rate": ["value_is_out_of_range"]
    }
