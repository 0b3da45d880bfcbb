"""A page's data in one call: each part is answered as if it had been called by itself (decision 25)."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.people import browser, sign_up
from tests.rooms.test_people_rights import become

from tallymark.api import asking, batches
from tallymark.app import running
from tallymark.rooms.customers import service as customers
from tallymark.settings import Settings


@pytest.fixture(scope="module")
async def person(application):
    found = await sign_up(application)
    found.browser.headers["X-Lago-Organization"] = found.organization_id
    yield found
    await found.browser.aclose()


async def batch(client, *paths, expect=200, **more):
    """Ask for several paths; what was answered, part by part."""
    body = {"requests": [{"path": path} for path in paths]}
    answer = await client.post("http://test/app/v1/batch", json=body, **more)
    assert answer.status_code == expect, answer.text
    return answer.json()["responses"] if expect == 200 else answer.json()


class TestABatch:
    async def test_answers_each_part_as_a_call_of_its_own(self, person):
        api = httpx.AsyncClient(
            transport=person.browser._transport,
            base_url="http://test/api/v1",
            headers=person.browser.headers,
            cookies=person.browser.cookies,
        )
        for name in ("a/b", "c ü"):
            await kit.customer(api, external_id=name)
        paths = [
            "/api/v1/customers?per_page=1&page=2",
            "/api/v1/customers/a%2Fb",
            "/api/v1/customers?search_term=%C3%BC",
            "/api/v1/customers/none",
            "/api/v1/invoices?issuing_date_from=x",
            "/api/v1/nowhere",
            "/app/v1/session",
            "/app/v1/members?roles[]=admin",
            "/api/v1/webhooks/public_key",
        ]
        found = await batch(person.browser, *paths)
        for path, part in zip(paths, found, strict=True):
            alone = await person.browser.get(f"http://test{path}")
            is_object = alone.headers["content-type"].startswith("application/json")
            assert part == {
                "status": alone.status_code,
                "headers": {"content-type": alone.headers["content-type"]},
                "body": alone.json() if is_object else None,
            }, path
        assert [part["status"] for part in found] == [200, 200, 200, 404, 422, 404, 200, 200, 200]
        assert found[0]["body"]["customers"][0]["external_id"] == "a/b"
        assert found[2]["body"]["customers"][0]["external_id"] == "c ü"

    async def test_lets_each_part_ask_for_its_own_permission(self, application, database):
        accountant = await sign_up(application)
        await become(database, accountant, "finance")
        accountant.browser.headers["X-Lago-Organization"] = accountant.organization_id
        allowed, refused = await batch(accountant.browser, "/api/v1/invoices", "/api/v1/billable_metrics")
        assert allowed["status"] == 200
        assert refused["status"] == 403
        assert refused["body"]["required_permissions"] == ["billable_metrics:view"]

    async def test_enters_the_organization_that_its_header_names(self, application, person):
        other = await sign_up(application)
        headers = {"X-Lago-Organization": other.organization_id}
        paths = ("/api/v1/customers", "/app/v1/session")
        ours, session = await batch(person.browser, *paths, headers=headers)
        assert (ours["status"], ours["body"]["code"]) == (404, "organization_not_found")
        assert session["status"] == 200, "a session is of no organization"

    async def test_has_a_defect_in_one_part_alone(self, person, monkeypatch):
        async def fail(*_, **__):
            raise RuntimeError("a defect")

        monkeypatch.setattr(customers, "list_customers", fail)
        broken, whole = await batch(person.browser, "/api/v1/customers", "/api/v1/plans")
        assert (broken["status"], broken["body"]) == (500, {"status": 500, "error": "Internal Server Error"})
        assert whole["status"] == 200

    async def test_costs_what_its_parts_cost_and_one_look_at_the_session(self, person, count_statements):
        paths = ["/api/v1/customers", "/api/v1/plans", "/app/v1/members"]
        await batch(person.browser, *paths)
        with count_statements() as alone:
            for path in paths:
                await person.browser.get(f"http://test{path}")
        with count_statements() as session:
            await batch(person.browser, "/api/v1/nowhere")
        with count_statements() as together:
            await batch(person.browser, *paths)
        assert len(together) == len(alone) + len(session)
        assert sorted(together) == sorted([*alone, *session])

    async def test_leaves_connections_to_others(self, person, monkeypatch, database):
        """Four parts at a time, and never more than half of the pool."""
        under_way, most = 0, 0

        async def ask(*args, **more):
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            answer = await asking.ask(*args, **more)
            under_way -= 1
            return answer

        monkeypatch.setattr(batches, "ask", ask)
        for pool_size, expected in ((10, 4), (4, 2), (1, 1)):
            monkeypatch.setattr(database, "pool_size", pool_size)
            most = 0
            found = await batch(person.browser, *["/api/v1/plans"] * 20)
            assert [part["status"] for part in found] == [200] * 20
            assert most == expected


class TestCallers:
    async def test_have_signed_in(self, application, organization, person):
        async with browser(application) as stranger:
            refused = await batch(stranger, "/api/v1/customers", expect=401)
            assert refused == {"status": 401, "error": "Unauthorized"}
            key = {"Authorization": f"Bearer {organization.api_key}"}
            await batch(stranger, "/api/v1/customers", expect=401, headers=key)

    async def test_are_who_has_signed_in_whatever_key_they_bring(self, organization, person):
        key = {"Authorization": f"Bearer {organization.api_key}"}
        (part,) = await batch(person.browser, "/api/v1/organizations", headers=key)
        assert part["body"]["organization"]["lago_id"] == person.organization_id

    async def test_come_from_this_site(self, person):
        refused = await batch(
            person.browser, "/api/v1/customers", expect=403, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert refused["code"] == "cross_origin_request"


class TestParts:
    @pytest.mark.parametrize("path", [
        "", "/", "customers", "/api/v1/", "/api/v2/customers", "/admin/organizations", "/health", "/files/x", "/mcp",
        "http://test/api/v1/customers", "//test/api/v1/customers", "https://evil.test/api/v1/customers",
        "/api/v1/customers#x", "/api/v1/cust omers", "/api/v1/\r\nX: y", "/api/v1/customers?a=ü",
        "/app/v1/batch", "/app/v1/batch/", "/app/v1/%62atch", "/app/v1/batch?x=/api/v1/customers", "\\api\\v1\\customers",
        "/API/v1/customers", "/api/v1/" + "x" * 8000, 1, None, ["/api/v1/customers"], {},
    ])  # fmt: skip
    async def test_are_paths_of_the_api_and_nothing_else(self, person, path):
        refused = await batch(person.browser, "/api/v1/customers", path, expect=422)
        assert list(refused["error_details"]) == ["path"]

    @pytest.mark.parametrize(
        "path",
        ["/api/v1/../../admin/organizations", "/app/v1/../v1/batch", "/api/v1/%2e%2e/health", "/api/v1/%00"],
    )
    async def test_lead_nowhere_by_the_way(self, person, path):
        (part,) = await batch(person.browser, path)
        assert part["status"] in (400, 404)

    @pytest.mark.parametrize("method", ["POST", "DELETE", "get", "", None, 1])
    async def test_change_nothing(self, person, method):
        body = {"requests": [{"path": "/api/v1/customers", "method": method}]}
        answer = await person.browser.post("/batch", json=body)
        assert (answer.status_code, answer.json()["error_details"]) == (422, {"method": ["value_is_invalid"]})
        answer = await person.browser.post(
            "/batch", json={"requests": [{**body["requests"][0], "method": "GET"}]}
        )
        assert answer.status_code == 200

    @pytest.mark.parametrize(("requests", "status", "codes"), [
        ([], 422, ["value_is_mandatory"]),
        ([{"path": "/api/v1/plans"}] * 21, 422, ["value_is_too_long"]),
        ("/api/v1/plans", 422, ["value_is_invalid"]),
        ({"path": "/api/v1/plans"}, 422, ["value_is_invalid"]),
    ])  # fmt: skip
    async def test_are_1_to_20(self, person, requests, status, codes):
        answer = await person.browser.post("/batch", json={"requests": requests})
        assert (answer.status_code, answer.json()["error_details"]) == (status, {"requests": codes})
        assert (await person.browser.post("/batch", json={})).status_code == 400

    async def test_set_no_cookies_and_tell_no_more_than_they_need(self, person):
        (part,) = await batch(person.browser, "/app/v1/session")
        assert set(part["headers"]) == {"content-type"}


async def test_parts_count_as_calls(database_url, tmp_path):
    """Platform §1.7: a batch of four is four calls; what is over the limit is refused part by part."""
    options = Settings(
        admin_api_key=ADMIN_KEY, public_url="http://test", data_dir=tmp_path, rate_limit_per_minute=7
    )
    async with running(options, database_url) as parts:
        # Signing up looks at the session, the first of the seven.
        person = await sign_up(parts)
        person.browser.headers["X-Lago-Organization"] = person.organization_id
        path = "/api/v1/customers"
        found = await batch(person.browser, path, path, path, path)
        assert [part["status"] for part in found] == [200] * 4
        assert found[-1]["headers"]["x-ratelimit-limit"] == "7"
        answer = await person.browser.get("/session")
        assert answer.headers["x-ratelimit-remaining"] == "1"
        found = await batch(person.browser, path, path)
        assert [part["status"] for part in found] == [200, 429]
        assert found[1]["body"]["code"] == "too_many_requests"
        await batch(person.browser, path, expect=429)
        await person.browser.aclose()
