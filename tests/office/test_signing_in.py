"""Who comes into the back office: by the tailnet or by a link, and nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.office.conftest import ANN, HOST, deeds

from tallymark.people import make_staff_link
from tallymark.rooms.staff import service
from tallymark.rooms.staff.model import LINK_LASTS, SESSION_LASTS

LOGIN = "Tailscale-User-Login"


class TestTheTailnet:
    @pytest.mark.parametrize("login", [ANN, "Ann@Acme.test", "bob@ops.test"])
    async def test_signs_in_who_is_on_the_list(self, caller, login):
        answer = await caller(headers=[(LOGIN, login)]).get("/")
        assert answer.status_code == 200
        assert login.lower() in answer.text

    @pytest.mark.parametrize(
        "login", ["eve@acme.test", "*@ops.test", "", f"{ANN}, eve@acme.test", "eve@evil-ops.test"]
    )
    async def test_is_asked_for_a_link_of_anybody_else(self, caller, login):
        answer = await caller(headers=[(LOGIN, login)]).get("/")
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (
            303,
            f"http://{HOST}/office/login",
        )

    @pytest.mark.parametrize(
        ("call", "headers"),
        [
            pytest.param({"peer": "10.0.0.7"}, [(LOGIN, ANN)], id="from another machine"),
            pytest.param({"peer": "100.64.0.7"}, [(LOGIN, ANN)], id="straight from the tailnet"),
            pytest.param({"peer": "10.0.0.7"}, [(LOGIN, ANN), ("X-Forwarded-For", "127.0.0.1")], id="that lies about it"),
            pytest.param({}, [(LOGIN, ANN), (LOGIN, ANN)], id="twice"),
            pytest.param({}, [(LOGIN, ANN), (LOGIN, "eve@acme.test")], id="of two"),
            pytest.param({}, [(LOGIN, ANN), ("Tailscale-Funnel-Request", "?1")], id="through a funnel"),
            pytest.param({}, [("Tailscale-Funnel-Request", "?1")], id="of nobody through a funnel"),
            pytest.param({"host": "127.0.0.1:8788"}, [(LOGIN, ANN)], id="for a host of no tailnet"),
            pytest.param({"host": "rebound.evil.test"}, [(LOGIN, ANN)], id="by a name that was bound to this machine"),
        ],
    )  # fmt: skip
    async def test_is_not_believed(self, caller, call, headers, caplog):
        client = caller(headers=headers, **call)
        for path in ("/", "/organizations/list", "/login", "/enter/x"):
            answer = await client.get(path)
            assert (answer.status_code, answer.text) == (403, "Forbidden\n")

    async def test_shows_nothing_to_the_world(self, caller):
        """A funnel that somebody pointed here: metrics and health are the tailnet's, too."""
        client = caller(headers=[("Tailscale-Funnel-Request", "?1")])
        for path in ("/", "/metrics", "/health", "/ready"):
            answer = await client.get(f"http://{HOST}{path}")
            assert (answer.status_code, answer.text) == (403, "Forbidden\n")

    async def test_says_nothing_on_the_public_listener(self, nobody):
        headers = {LOGIN: ANN, "Host": HOST, "X-Forwarded-For": "127.0.0.1"}
        assert (await nobody.get("/app/v1/session", headers=headers)).status_code == 401
        assert (await nobody.get("/api/v1/customers", headers=headers)).status_code == 401
        office = await nobody.get("/office/organizations/list", headers=headers)
        assert "Organizations" not in office.text


class TestALink:
    async def test_is_good_once(self, caller, database, database_url):
        token = await make_staff_link(database_url, "Cyd@acme.test")
        visitor = caller(host="localhost:8788")
        page = await visitor.get(f"/enter/{token}")
        assert "cyd@acme.test" in page.text
        form = {"csrftoken": visitor.cookies["starlette_admin_csrftoken"]}
        entered = await visitor.post(f"/enter/{token}", data=form)
        assert (entered.status_code, entered.headers["location"]) == (303, "http://localhost:8788/office/")
        cookie = entered.headers["set-cookie"]
        assert all(word in cookie for word in ("tallymark_office=", "HttpOnly", "SameSite=strict", "Path=/"))
        assert (await visitor.get("/organizations/list")).status_code == 200
        again = caller(host="localhost:8788")
        assert (await again.get(f"/enter/{token}")).status_code == 404
        left = await visitor.post("/logout", data=form)
        assert left.headers["location"] == "http://localhost:8788/office/login"
        assert (await visitor.get("/organizations/list")).status_code == 303
        verbs = [deed.verb for deed in await deeds(database, login="cyd@acme.test")]
        assert verbs == ["made_link", "signed_in", "signed_out"]

    async def test_and_its_session_end_by_themselves(self, database):
        now = datetime(2026, 1, 1, tzinfo=UTC)
        moment = timedelta(seconds=1)
        async with database.system() as connection:
            token = await service.open_link(connection, ANN, now=now)
            assert await service.check_link(connection, token, now=now + LINK_LASTS - moment) == ANN
            with pytest.raises(Exception, match="staff_link_not_found"):
                await service.take_link(connection, token, ip_address=None, now=now + LINK_LASTS)
            begun = await service.take_link(connection, token, ip_address=None, now=now)
            assert await service.find_session(connection, begun, now=now + SESSION_LASTS - moment) == ANN
            assert await service.find_session(connection, begun, now=now + SESSION_LASTS) is None

    async def test_is_asked_for_by_the_pages_own_site_alone(self, caller, database_url):
        token = await make_staff_link(database_url, ANN)
        visitor = caller(host="localhost:8788")
        await visitor.get(f"/enter/{token}")
        form = {"csrftoken": visitor.cookies["starlette_admin_csrftoken"]}
        for headers in (
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "http://evil.test"},
        ):
            assert (await visitor.post(f"/enter/{token}", data=form, headers=headers)).status_code == 403
        assert (await visitor.post(f"/enter/{token}", data={"csrftoken": "x"})).status_code == 403
        large = {**form, "reason": "x" * 70_000}
        assert (await visitor.post(f"/enter/{token}", data=large)).status_code == 403


async def test_nobody_reads_or_does_anything_without_having_come_in(caller, internal, make_organization):
    await make_organization(name="Hidden Tenant")
    stranger = caller(host="localhost:8788")
    await stranger.get("/login")
    headers = {"X-CSRFToken": stranger.cookies["starlette_admin_csrftoken"]}
    office = next(route for route in internal.routes if getattr(route, "path", "") == "/office")
    paths = {
        (method, route.path.replace("{key}", "organizations"))
        for route in office.routes
        for method in getattr(route, "methods", None) or ()
        if route.name not in ("login", "enter", "letters", "static")
    }
    assert {path for _, path in paths} >= {
        "/",
        "/organizations/list",
        "/organizations/detail",
        "/_api/organizations/row-action",
    }
    for method, path in paths:
        answer: httpx.Response = await stranger.request(method, path, headers=headers)
        assert answer.status_code in (303, 404, 405), (method, path)
        assert "Hidden Tenant" not in answer.text


async def test_pages_load_nothing_from_elsewhere(ann):
    page = await ann.get("/organizations/list")
    policy = page.headers["content-security-policy"]
    nonce = policy.partition("'nonce-")[2].partition("'")[0]
    assert page.text.count("<script") == page.text.count(f'<script nonce="{nonce}"') > 3
    assert "onchange=" not in page.text
    assert (page.headers["cache-control"], page.headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert "frame-ancestors 'none'" in policy
    static = await ann.get("/static/office/office.css")
    assert static.status_code == 200
    assert "https:" not in page.text.replace("https://test", "")


async def test_links_are_https_where_the_tailnets_proxy_is(caller):
    page = await caller(headers=[(LOGIN, ANN), ("X-Forwarded-Proto", "https")]).get("/")
    assert f"https://{HOST}/office/static/" in page.text
    assert f"http://{HOST}" not in page.text
