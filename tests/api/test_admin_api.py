"""The operator's API: organizations are made and renamed, users let in, documents made anew (platform §17)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import call, get, post
from tests.people import sign_up

ROUTES = (
    ("POST", "/admin/organizations"),
    ("PUT", f"/admin/organizations/{uuid4()}"),
    ("POST", "/admin/memberships"),
    ("POST", f"/admin/invoices/{uuid4()}/regenerate"),
)


@pytest.fixture
def operator(nobody):
    nobody.headers["X-Admin-API-Key"] = ADMIN_KEY
    return nobody


async def test_is_closed_to_whoever_has_another_key_whatever_they_send(nobody, organization):
    for headers in ({}, {"X-Admin-API-Key": "wrong"}, {"Authorization": f"Bearer {organization.api_key}"}):
        for method, path in ROUTES:
            answer = await nobody.request(method, path, json={}, headers=headers)
            assert answer.status_code == 401, (method, path)
            assert answer.json() == {"status": 401, "error": "Unauthorized"}


async def test_is_not_there_without_an_operators_key(operator, application):
    application.asgi.state.admin_api_key = None
    try:
        for method, path in ROUTES:
            await call(operator, method, path, {}, expect=404)
    finally:
        application.asgi.state.admin_api_key = ADMIN_KEY


class TestOrganizations:
    async def test_are_renamed_and_keep_the_rest(self, operator, make_organization):
        made = await make_organization("2026-01-01T00:00:00Z", name="Hooli")
        before = (await get(made.client, "/organizations"))["organization"]
        path = f"/admin/organizations/{made.id}"
        renamed = (await call(operator, "PUT", path, {"name": "  Pied Piper "}))["organization"]
        after = (await get(made.client, "/organizations"))["organization"]
        assert renamed == after == {**before, "name": after["name"]}
        assert after["name"].strip() == "Pied Piper"
        (entity,) = (await get(made.client, "/billing_entities"))["billing_entities"]
        assert entity["name"] == "Hooli", "who issues invoices is another matter"

    async def test_that_there_are_not_or_without_a_name_are_refused(self, operator, organization):
        for unknown in (uuid4(), "x"):
            path = f"/admin/organizations/{unknown}"
            answer = await call(operator, "PUT", path, {"name": "New"}, expect=404)
            assert answer["code"] == "organization_not_found"
        for body, code in (
            ({"name": None}, "value_is_mandatory"),
            ({"name": " "}, "value_is_mandatory"),
            ({"name": "x" * 256}, "value_is_too_long"),
        ):
            path = f"/admin/organizations/{organization.id}"
            answer = await call(operator, "PUT", path, body, expect=422)
            assert answer["error_details"] == {"name": [code]}
        assert (await get(organization.client, "/organizations"))["organization"]["name"] == "Acme"


class TestMemberships:
    async def test_let_a_user_in_as_admin_at_the_organizations_time(
        self, application, operator, make_organization
    ):
        person = await sign_up(application)
        made = await make_organization("2026-01-01T00:00:00Z")
        body = {"user_id": person.user["lago_id"], "organization_id": str(made.id)}
        membership = (await post(operator, "/admin/memberships", body))["membership"]
        assert membership == {
            "lago_id": membership["lago_id"],
            "lago_user_id": person.user["lago_id"],
            "email": person.email,
            "roles": ["admin"],
            "created_at": "2026-01-01T00:00:00Z",
        }
        person.browser.headers["X-Lago-Organization"] = str(made.id)
        assert (await get(person.browser, "/members"))["members"] == [membership]
        (entry,) = (await get(made.client, "/security_logs", to_date="2026-01-02"))["security_logs"]
        assert (entry["log_event"], entry["user_email"]) == ("user.signed_up", None)
        assert entry["resources"] == {"email": person.email, "roles": ["admin"]}

        again = await post(operator, "/admin/memberships", body, expect=422)
        assert again["error_details"] == {"user_id": ["value_already_exist"]}

    async def test_of_nobody_or_nowhere_are_refused(self, application, operator, organization):
        person = await sign_up(application)
        known = {"user_id": person.user["lago_id"], "organization_id": str(organization.id)}
        for name, code in (("user_id", "user_not_found"), ("organization_id", "organization_not_found")):
            for unknown in (str(uuid4()), "x"):
                answer = await post(operator, "/admin/memberships", {**known, name: unknown}, expect=404)
                assert answer["code"] == code
        nulls = dict.fromkeys(known)
        answer = await post(operator, "/admin/memberships", nulls, expect=422)
        assert answer["error_details"] == {name: ["value_is_mandatory"] for name in known}
        await post(operator, "/admin/memberships", {}, expect=400)


class TestDocuments:
    async def test_are_made_anew_under_their_links(self, application, operator, make_organization):
        made = await make_organization("2026-01-01T00:00:00Z")
        add_on = {"name": "Setup", "code": "setup", "amount_cents": 5_000, "amount_currency": "EUR"}
        await post(made.client, "/add_ons", {"add_on": add_on})
        who = await kit.customer(made.client)
        one_off = {
            "external_customer_id": who["external_id"],
            "currency": "EUR",
            "fees": [{"add_on_code": "setup"}],
        }
        invoice = (await post(made.client, "/invoices", {"invoice": one_off}))["invoice"]
        path = f"/admin/invoices/{invoice['lago_id']}/regenerate"

        first = (await post(operator, path, None))["invoice"]
        assert first["total_amount_cents"] == 5_000
        assert (await operator.get(first["file_url"])).content.startswith(b"%PDF")

        key = first["file_url"].partition(f"/files/{made.id}/")[2].partition("?")[0]
        await application.asgi.state.documents.keep(made.id, key, b"spoilt")
        assert (await operator.get(first["file_url"])).content == b"spoilt"
        second = (await post(operator, path, None))["invoice"]
        assert second == first
        assert (await operator.get(first["file_url"])).content.startswith(b"%PDF")
        read = (await get(made.client, f"/invoices/{invoice['lago_id']}"))["invoice"]
        assert read["file_url"] == first["file_url"]

        query = {"activity_types[]": "invoice.generated", "to_date": "2026-01-02"}
        entries = (await get(made.client, "/activity_logs", **query))["activity_logs"]
        assert [one["activity_source"] for one in entries] == ["api"] * 2

    async def test_of_what_is_not_issued_are_refused(self, operator, organization):
        client = organization.client
        await post(client, "/add_ons", {"add_on": {"name": "A", "code": "a", "amount_cents": 5, "amount_currency": "EUR"}})  # fmt: skip
        who = await kit.customer(client)
        one_off = {"external_customer_id": who["external_id"], "currency": "EUR", "fees": [{"add_on_code": "a"}]}  # fmt: skip
        voided = (await post(client, "/invoices", {"invoice": one_off}))["invoice"]["lago_id"]
        await post(client, f"/invoices/{voided}/void", {})
        for unknown in (voided, uuid4(), "x"):
            answer = await post(operator, f"/admin/invoices/{unknown}/regenerate", None, expect=404)
            assert answer["code"] == "invoice_not_found"
