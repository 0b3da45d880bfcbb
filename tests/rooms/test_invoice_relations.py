"""Which invoice took the place of which (ui §3.3)."""

import httpx
import pytest
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import get, post
from tests.people import sign_up


@pytest.fixture
async def shop(application, make_organization):
    """An organization, somebody in it who has signed in, and what an add-on of 1.00 is invoiced by."""
    made, person = await make_organization("2026-01-01T00:00:00Z"), await sign_up(application)
    body = {"user_id": person.user["lago_id"], "organization_id": str(made.id)}
    transport = httpx.ASGITransport(application.asgi)
    headers = {"X-Admin-API-Key": ADMIN_KEY}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as operator:
        await post(operator, "/admin/memberships", body)
    person.browser.headers["X-Lago-Organization"] = str(made.id)
    await kit.customer(made.client, external_id="payer", currency="EUR")
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 100, "amount_currency": "EUR"}
    await post(made.client, "/add_ons", {"add_on": add_on})
    yield made.client, person.browser
    await person.browser.aclose()


async def relations(browser, invoice, *, expect=200):
    answer = await get(browser, f"/invoices/{invoice['lago_id']}/relations", expect=expect)
    return answer.get("relations", answer)


async def test_a_void_invoice_and_the_one_in_its_place_name_each_other(shop):
    client, browser = shop
    body = {"external_customer_id": "payer", "currency": "EUR", "fees": [{"add_on_code": "setup"}]}
    old = (await post(client, "/invoices", {"invoice": body}))["invoice"]
    none = {"voided_invoice": None, "regenerated_invoice": None}
    assert await relations(browser, old) == {**none, "is_regenerable": False}
    await post(client, f"/invoices/{old['lago_id']}/void", {})
    assert await relations(browser, old) == {**none, "is_regenerable": True}
    kept = {"invoice": {"fees": [{"id": old["fees"][0]["lago_id"]}]}}
    new = (await post(client, f"/invoices/{old['lago_id']}/regenerate", kept))["invoice"]
    assert await relations(browser, old) == {
        "voided_invoice": None,
        "regenerated_invoice": {"lago_id": new["lago_id"], "number": new["number"]},
        "is_regenerable": False,
    }
    assert await relations(browser, new) == {
        "voided_invoice": {"lago_id": old["lago_id"], "number": old["number"]},
        "regenerated_invoice": None,
        "is_regenerable": False,
    }


async def test_an_invoice_is_made_anew_once_it_is_void_for_who_is_there(shop):
    """Of one that is due, three void ones, and a stranger's id: not the first, not the one that was made anew, not a deleted customer's."""
    client, browser = shop
    await kit.customer(client, external_id="gone", currency="EUR")
    made = []
    for who in ("payer", "payer", "payer", "gone"):
        body = {"external_customer_id": who, "currency": "EUR", "fees": [{"add_on_code": "setup"}]}
        made.append((await post(client, "/invoices", {"invoice": body}))["invoice"])
    due, void, anew, gone = made
    for one in (void, anew, gone):
        await post(client, f"/invoices/{one['lago_id']}/void", {})
    kept = {"invoice": {"fees": [{"id": anew["fees"][0]["lago_id"]}]}}
    await post(client, f"/invoices/{anew['lago_id']}/regenerate", kept)
    await kit.call(client, "DELETE", "/customers/gone")
    ids = [due["lago_id"], void["lago_id"], anew["lago_id"], gone["lago_id"], due["customer"]["lago_id"]]
    found = await post(browser, "/invoices/regenerable", {"lago_ids": ids})
    assert found == {"regenerable": [void["lago_id"]]}


async def test_another_organizations_invoice_is_none(shop, make_organization):
    _, browser = shop
    other = (await make_organization("2026-01-01T00:00:00Z")).client
    await kit.customer(other, external_id="payer", currency="EUR")
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 100, "amount_currency": "EUR"}
    await post(other, "/add_ons", {"add_on": add_on})
    body = {"external_customer_id": "payer", "currency": "EUR", "fees": [{"add_on_code": "setup"}]}
    theirs = (await post(other, "/invoices", {"invoice": body}))["invoice"]
    answer = await relations(browser, theirs, expect=404)
    assert answer["code"] == "invoice_not_found"
