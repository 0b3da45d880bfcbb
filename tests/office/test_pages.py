"""What staff see of all tenants, what they do, and what is noted of it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests import kit, people
from tests.office.conftest import ANN, act, deeds


class TestOrganizations:
    async def test_are_all_there_with_their_counts(self, ann, make_organization):
        one = await make_organization(name="Northwind")
        await make_organization(name="Southwind")
        for name in ("a", "b"):
            await kit.customer(one.client, external_id=name)
        page = await ann.get("/organizations/list")
        assert "Northwind" in page.text
        assert "Southwind" in page.text
        found = await ann.get("/organizations/list", params={"q": "northw"})
        assert "Southwind" not in found.text
        assert "of 1 entries" in found.text
        assert "of 2 entries" in (await ann.get("/organizations/list", params={"q": "thwind"})).text
        detail = await ann.get("/organizations/detail", params={"pk": str(one.id)})
        rows = " ".join(detail.text.split())
        assert '<strong>Customers</strong> </div> </td> <td data-label="Value"> 2 </td>' in rows

    async def test_names_are_texts_and_no_markup(self, ann, make_organization):
        name = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
        made = await make_organization(name=name)
        for path in ("/organizations/list", f"/organizations/detail?pk={made.id}", "/switches/list"):
            page = (await ann.get(path)).text
            assert "alert(1)&lt;/script&gt;" in page
            assert "<script>alert" not in page
            assert "<img src=x" not in page

    async def test_that_there_are_not(self, ann):
        for pk in ("x", "00000000-0000-7000-8000-000000000000"):
            assert (await ann.get("/organizations/detail", params={"pk": pk})).status_code == 404


class TestInvoices:
    async def test_are_read_only(self, ann, make_organization):
        organization = await make_organization(name="Billed")
        setup = {"name": "Setup", "code": "setup", "amount_cents": 123456, "amount_currency": "EUR"}
        await kit.post(organization.client, "/add_ons", {"add_on": setup})
        who = await kit.customer(organization.client, currency="EUR")
        body = {
            "external_customer_id": who["external_id"],
            "currency": "EUR",
            "fees": [{"add_on_code": "setup"}],
        }
        made = (await kit.post(organization.client, "/invoices", {"invoice": body}))["invoice"]
        page = await ann.get("/invoices/list", params={"q": made["number"]})
        assert "1,234.56 EUR" in page.text
        for method, path in (("GET", "/invoices/create"), ("GET", f"/invoices/edit?pk={made['lago_id']}")):
            assert (await ann.request(method, path)).status_code == 403
        for name in ("delete", "export", "edit"):
            refused = await act(ann, "invoices", name, made["lago_id"])
            assert refused.status_code == 400
        assert (await kit.get(organization.client, f"/invoices/{made['lago_id']}"))["invoice"] == made


class TestPeople:
    async def test_are_suspended_and_reinstated(self, ann, application, database):
        person = await people.sign_up(application, name="Suspended")
        key = person.user["lago_id"]
        assert (await act(ann, "people", "suspend", key, reason="Asked by their admin")).status_code == 200
        assert (await person.browser.get("/session")).status_code == 401
        refused = await people.sign_in(person.browser, person.email, expect=422)
        assert refused["error_details"] == {"base": ["user_is_suspended"]}
        assert (await act(ann, "people", "suspend", key)).status_code == 400, "they are already"
        assert (await act(ann, "people", "reinstate", key, reason="Sorted out")).status_code == 200
        await people.sign_in(person.browser, person.email)
        assert (await act(ann, "people", "end_sessions", key)).status_code == 200
        assert (await person.browser.get("/session")).status_code == 401
        noted = [
            (deed.verb, deed.reason, deed.before, deed.after)
            for deed in await deeds(database, subject_id=key)
        ]
        assert noted == [
            ("suspended", "Asked by their admin", {"is_suspended": False, "sessions": 1}, {"is_suspended": True, "sessions": 0}),
            ("reinstated", "Sorted out", {"is_suspended": True}, {"is_suspended": False}),
            ("ended_sessions", "A ticket", {"sessions": 1}, {"sessions": 0}),
        ]  # fmt: skip

    async def test_nothing_is_done_without_a_reason(self, ann, application, database):
        person = await people.sign_up(application)
        for reason in ("", "  ", "x" * 501):
            refused = await act(ann, "people", "suspend", person.user["lago_id"], reason=reason)
            assert refused.status_code == 400
        assert (await person.browser.get("/session")).status_code == 200
        assert await deeds(database, subject_id=person.user["lago_id"]) == []


class TestTheAudit:
    async def test_says_who_did_what_from_where(self, ann, application, database):
        person = await people.sign_up(application)
        await act(ann, "people", "end_sessions", person.user["lago_id"], reason="A lost laptop")
        (deed,) = await deeds(database, subject_id=person.user["lago_id"])
        assert (deed.login, deed.via, deed.ip_address, deed.subject) == (
            ANN,
            "tailscale",
            "100.64.0.7",
            person.email,
        )
        assert "A lost laptop" in (await ann.get("/audit/list")).text
        for name in ("delete", "edit"):
            assert (await act(ann, "audit", name, deed.id)).status_code == 400

    @pytest.mark.parametrize(
        "statement", ["UPDATE staff_deeds SET login = 'x'", "DELETE FROM staff_deeds", "TRUNCATE staff_deeds"]
    )
    async def test_is_changed_by_nobody(self, database, statement):
        with pytest.raises(DBAPIError, match="append-only"):
            async with database.system() as connection:
                await connection.execute(text(statement))

    async def test_is_seen_by_no_tenant(self, database, organization):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.tenant(organization.id) as tx:
                await tx.execute(text("SELECT FROM staff_deeds"))
