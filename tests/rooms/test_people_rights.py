"""What people who have signed in may do, route by route (platform §6, decision 25)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import text
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import call, get, post
from tests.people import Person, sign_up

from tallymark.api.role_permissions import PERMISSIONS, PREDEFINED
from tallymark.api.routing import MemberRoute, OrganizationRoute, TenantRoute
from tallymark.rooms.organizations.model import Connections
from tallymark.rooms.users import service
from tallymark.routers import ROUTERS

# Worked out by hand from the names of platform §6: what some routes need, and what it is called there.
NEEDED = [
    ("GET", "/customers", "customers:view"),
    ("POST", "/customers", "customers:create customers:update"),
    ("DELETE", "/customers/{external_id:path}", "customers:delete"),
    ("GET", "/customers/{external_customer_id}/current_usage", "customers:view subscriptions:view"),
    ("POST", "/customers/{external_id}/wallets", "wallets:create"),
    ("PUT", "/customers/{external_id}/wallets/{code}", "wallets:update"),
    ("DELETE", "/customers/{external_id}/wallets/{code}", "wallets:terminate"),
    ("DELETE", "/wallets/{lago_id}", "wallets:terminate"),
    ("DELETE", "/wallets/{lago_id}/metadata", "wallets:update"),
    ("POST", "/wallet_transactions", "wallets:top_up"),
    ("POST", "/subscriptions", "subscriptions:create"),
    ("DELETE", "/subscriptions/{external_id:path}", "subscriptions:update"),
    ("POST", "/subscriptions/{external_id}/alerts", "subscriptions:update"),
    ("DELETE", "/customers/{external_id}/wallets/{wallet_code}/alerts/{code}", "wallets:update"),
    ("POST", "/plans", "plans:create"),
    ("DELETE", "/plans/{code:path}", "plans:delete"),
    ("POST", "/plans/{code:path}/entitlements", "plans:update"),
    ("DELETE", "/plans/{code:path}/metadata/{key}", "plans:update"),
    ("POST", "/plans/{code:path}/charges", "charges:create"),
    ("PATCH", "/plans/{code:path}/fixed_charges/{fixed_charge_code:path}", "charges:update"),
    ("DELETE", "/plans/{code:path}/charges/{charge_code:path}", "charges:delete"),
    ("DELETE", "/plans/{code:path}/charges/{charge_code}/filters/{lago_id}", "charges:update"),
    ("POST", "/pricing_units", "pricing_units:create"),
    ("POST", "/applied_coupons", "coupons:attach"),
    ("DELETE", "/customers/{external_id}/applied_coupons/{lago_id}", "coupons:detach"),
    ("POST", "/invoices", "invoices:create"),
    ("POST", "/invoices/preview", "invoices:view"),
    ("POST", "/invoices/{lago_id}/void", "invoices:void"),
    ("POST", "/invoices/{lago_id}/download", "invoices:view"),
    ("POST", "/invoices/{lago_id}/resend_email", "invoices:send"),
    ("PUT", "/invoices/{lago_id}/finalize", "invoices:update"),
    ("DELETE", "/invoices/{lago_id}", "invoices:delete"),
    ("DELETE", "/invoices/{lago_id}/adjusted_fees/{adjusted_id}", "invoices:update"),
    ("PUT", "/credit_notes/{lago_id}/void", "credit_notes:void"),
    ("POST", "/credit_notes/{lago_id}/resend_email", "credit_notes:send"),
    ("POST", "/payments", "payments:create"),
    ("GET", "/payment_receipts", "payment_receipts:view"),
    ("POST", "/payment_receipts/{lago_id}/resend_email", "payment_receipts:send"),
    ("PUT", "/organizations", "organization:update"),
    ("POST", "/billing_entities", "billing_entities:create"),
    ("POST", "/taxes", "organization:taxes:update"),
    ("GET", "/taxes", "organization:taxes:view"),
    ("GET", "/analytics/mrr", "analytics:view"),
    ("GET", "/security_logs", "security_logs:view"),
    ("GET", "/activity_logs", "audit_logs:view"),
    ("POST", "/webhook_endpoints", "developers:manage"),
    ("DELETE", "/webhook_endpoints/{lago_id}", "developers:manage"),
    ("GET", "/events", "developers:manage"),
    ("POST", "/data_exports", "invoices:export credit_notes:export"),
    ("GET", "/data_exports/{lago_id}", "invoices:export credit_notes:export"),
]


def routes(kind):
    return [route for router in ROUTERS for route in router.routes if isinstance(route, kind)]


async def become(database, person: Person, *roles: str) -> None:
    """Let somebody be something else in their own organization."""
    async with database.system() as connection:
        await connection.execute(
            text("UPDATE memberships SET roles = :roles WHERE organization_id = :id"),
            {"roles": list(roles), "id": person.organization_id},
        )


@pytest.fixture
async def person(application):
    found = await sign_up(application)
    found.browser.base_url = "http://test/api/v1"
    found.browser.headers["X-Lago-Organization"] = found.organization_id
    return found


class TestRoutes:
    @pytest.mark.parametrize(("method", "path", "needed"), NEEDED)
    def test_need_what_platform_6_calls_it(self, method, path, needed):
        (route,) = [
            one for one in routes(TenantRoute) if method in one.methods and one.path == f"/api/v1{path}"
        ]
        assert route.need.permissions == frozenset(needed.split())

    def test_need_permissions_that_there_are(self):
        assert {name for route in routes(OrganizationRoute) for name in route.need.permissions} <= PERMISSIONS

    async def test_are_closed_to_whoever_lacks_them(self, database, person):
        await become(database, person)
        for route in routes(TenantRoute):
            path = re.sub(r"{[^}]*}", "x", route.path.removeprefix("/api/v1"))
            for method in route.methods:
                answer = await call(person.browser, method, path, expect=403)
                assert answer == {
                    "status": 403,
                    "error": "Forbidden",
                    "code": "forbidden",
                    "required_permissions": sorted(route.need.permissions),
                }, (method, path)

    async def test_of_the_web_app_are_closed_to_whoever_lacks_them(self, database, person):
        await become(database, person)
        person.browser.base_url = "http://test"
        guarded = [route for route in routes(MemberRoute) if route.need.permissions]
        assert len(guarded) > 15
        for route in guarded:
            for method in route.methods:
                answer = await call(
                    person.browser, method, re.sub(r"{[^}]*}", "x", route.path), {}, expect=403
                )
                assert answer["required_permissions"] == sorted(route.need.permissions), (method, route.path)

    async def test_of_the_web_app_are_closed_to_keys(self, client):
        client.base_url = "http://test"
        for route in routes(MemberRoute):
            for method in route.methods:
                await call(client, method, re.sub(r"{[^}]*}", "x", route.path), expect=401)


class TestPeople:
    async def test_do_what_keys_do(self, person):
        await kit.customer(person.browser, external_id="c1")
        assert (await get(person.browser, "/customers/c1"))["customer"]["external_id"] == "c1"

    @pytest.mark.parametrize(("role", "allowed", "refused"), [
        ("finance", "/invoices", "/billable_metrics"),
        ("manager", "/customers", "/analytics/mrr"),
    ])  # fmt: skip
    async def test_do_what_their_role_may(self, database, person, role, allowed, refused):
        await become(database, person, role)
        await get(person.browser, allowed)
        await get(person.browser, refused, expect=403)

    async def test_do_what_any_of_their_roles_may(self, database, person):
        await become(database, person, "finance", "manager")
        await get(person.browser, "/analytics/mrr")
        await kit.customer(person.browser)

    async def test_make_customers_or_change_them_as_they_may(self, database, person):
        """The same call does both; a role may hold one of the two permissions."""
        await kit.customer(person.browser, external_id="known")
        for permission, allowed, refused, lacking in (
            ("customers:create", "new", "known", "customers:update"),
            ("customers:update", "known", "newer", "customers:create"),
        ):
            code = permission.replace(":", "_")
            role = {"code": code, "name": code, "permissions": ["customers:view", permission]}
            await become(database, person, "admin")
            await post(person.browser, "http://test/app/v1/roles", role)
            await become(database, person, code)
            await kit.customer(person.browser, external_id=allowed, name=code)
            answer = await post(
                person.browser,
                "/customers",
                {"customer": {"external_id": refused, "name": "No"}},
                expect=403,
            )
            assert answer["required_permissions"] == [lacking]
        assert (await get(person.browser, "/customers/known"))["customer"]["name"] == "customers_update"
        await get(person.browser, "/customers/newer", expect=404)

    async def test_say_where_webhooks_go_as_developers_alone(self, database, person):
        """Who may change the organization's address may not for that read what happens in it."""
        await become(database, person, "finance")
        body = {"organization": {"city": "Rome", "webhook_url": "https://a.test"}}
        answer = await call(person.browser, "PUT", "/organizations", body, expect=403)
        assert answer["required_permissions"] == ["developers:manage"]
        found = (await get(person.browser, "/organizations"))["organization"]
        assert (found["city"], found["webhook_urls"]) == (None, [])

    async def test_see_what_the_installation_is_connected_with(self, application, person, monkeypatch):
        """Whether, and not where."""
        found = Connections(emails=True, telemetry=False, error_reports=True)
        monkeypatch.setattr(application.asgi.state, "connections", found)
        assert await get(person.browser, "http://test/app/v1/installation") == {
            "installation": {"emails": True, "telemetry": False, "error_reports": True}
        }

    async def test_may_no_more_once_they_have_left(self, database, person):
        async with database.system() as connection:
            await connection.execute(
                text("UPDATE memberships SET status = 'revoked' WHERE organization_id = :id"),
                {"id": person.organization_id},
            )
        assert (await get(person.browser, "/customers", expect=404))["code"] == "organization_not_found"

    async def test_enter_their_own_organizations_alone(self, application, person):
        other = await sign_up(application)
        own = person.user["memberships"][0]["organization"]
        for name, status in (
            (own["slug"], 200),
            (own["lago_id"].upper(), 200),
            (other.organization_id, 404),
            ("", 404),
            ("nobody", 404),
        ):
            await call_in(person, name, status)
        del person.browser.headers["X-Lago-Organization"]
        assert (await get(person.browser, "/customers", expect=404))["code"] == "organization_not_found"

    async def test_enter_one_named_like_anothers_id(self, application, database, person):
        other = await sign_up(application)
        async with database.system() as connection:
            await connection.execute(
                text("UPDATE organizations SET slug = :slug WHERE id = :id"),
                {"slug": person.organization_id, "id": other.organization_id},
            )
            await service.join(
                connection,
                UUID(person.user["lago_id"]),
                UUID(other.organization_id),
                [],
                now=datetime.now(UTC),
            )
        assert await get(person.browser, "/customers"), "its own, in which it may"

    async def test_may_not_enter_where_their_method_is_none(self, database, person):
        async with database.system() as connection:
            await connection.execute(
                text("UPDATE organizations SET authentication_methods = '{okta}' WHERE id = :id"),
                {"id": person.organization_id},
            )
        refused = await get(person.browser, "/customers", expect=403)
        assert refused["code"] == "login_method_not_authorized"

    async def test_are_asked_to_sign_in_again_when_a_session_is_over(self, database, person):
        async with database.system() as connection:
            await connection.execute(text("UPDATE user_sessions SET expires_at = created_at"))
        assert (await get(person.browser, "/customers", expect=401))["code"] == "expired_jwt_token"
        person.browser.cookies.clear()
        assert "code" not in await get(person.browser, "/customers", expect=401)

    async def test_change_nothing_from_other_sites(self, person):
        body = {"customer": {"external_id": "c1"}}
        answer = await person.browser.post("/customers", json=body, headers={"Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin_request")
        await get(person.browser, "/customers", expect=200)
        await get(person.browser, "/customers/c1", expect=404)

    async def test_are_named_in_the_logs_of_what_they_do(self, person):
        await kit.customer(person.browser, external_id="c1")
        await post(
            person.browser, "/webhook_endpoints", {"webhook_endpoint": {"webhook_url": "https://a.test"}}
        )
        (entry,) = (await get(person.browser, "/activity_logs"))["activity_logs"]
        assert (entry["activity_source"], entry["user_email"]) == ("front", person.email)
        assert entry["api_key"] is None
        today = datetime.now(UTC).date().isoformat()
        newest = (await get(person.browser, "/security_logs", to_date=today))["security_logs"][0]
        assert (newest["log_event"], newest["user_email"]) == ("webhook_endpoint.created", person.email)
        found = await get(
            person.browser, "/security_logs", to_date=today, **{"user_ids[]": person.user["lago_id"]}
        )
        assert len(found["security_logs"]) == 2
        for email, events in ((person.email, found["security_logs"]), ("else@acme.test", [])):
            by_email = await get(person.browser, "/security_logs", to_date=today, **{"user_emails[]": email})
            assert by_email["security_logs"] == events
        assert (await get(person.browser, "/api_logs"))["api_logs"] == [], (
            "calls of the web app are none of the API"
        )

    async def test_repeat_a_post_by_its_key(self, person):
        body = {"customer": {"external_id": "c1"}}
        headers = {"Idempotency-Key": "k"}
        first = await person.browser.post("/customers", json=body, headers=headers)
        again = await person.browser.post("/customers", json=body, headers=headers)
        assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")

    async def test_send_no_events(self, person):
        await post(person.browser, "/events", {"event": {"transaction_id": "t", "code": "c"}}, expect=401)

    async def test_with_a_key_are_the_key(self, person, organization):
        headers = {"Authorization": f"Bearer {organization.api_key}"}
        answer = await person.browser.get("/organizations", headers=headers)
        assert answer.json()["organization"]["lago_id"] == str(organization.id)


async def call_in(person, organization, status):
    answer = await person.browser.get("/customers", headers={"X-Lago-Organization": organization})
    assert answer.status_code == status, organization


class TestKeysOfAnOrganization:
    @pytest.fixture
    def app(self, person):
        person.browser.base_url = "http://test/app/v1"
        return person.browser

    async def test_are_made_shown_changed_and_ended(self, application, app, nobody):
        made = (await post(app, "/api_keys", {"name": "reader", "permissions": {"customer": ["read"]}}))[
            "api_key"
        ]
        value = made.pop("value")
        headers = {"Authorization": f"Bearer {value}"}
        listed = (await get(app, "/api_keys"))["api_keys"]
        assert listed[1] == made
        assert listed[1]["ending"] == value[-4:]
        assert listed[1]["permissions"] == {"customer": ["read"]}
        assert (await nobody.get("/api/v1/customers", headers=headers)).status_code == 200
        assert (await nobody.get("/api/v1/plans", headers=headers)).status_code == 403
        path = f"/api_keys/{made['lago_id']}"
        changed = (await call(app, "PUT", path, {"permissions": {"plan": ["read"]}}))["api_key"]
        assert (changed["name"], changed["permissions"]) == ("reader", {"plan": ["read"]})
        assert (await nobody.get("/api/v1/plans", headers=headers)).status_code == 200, "at once"
        changed = (await call(app, "PUT", path, {"name": "planner"}))["api_key"]
        assert (changed["name"], changed["permissions"]) == ("planner", {"plan": ["read"]})
        rotated = (await post(app, f"{path}/rotate", {"name": "new"}))["api_key"]
        assert (rotated["name"], rotated["permissions"]) == ("new", {"plan": ["read"]})
        assert (await nobody.get("/api/v1/plans", headers=headers)).status_code == 401, "at once"
        await call(app, "DELETE", f"/api_keys/{rotated['lago_id']}")
        headers = {"Authorization": f"Bearer {rotated['value']}"}
        assert (await nobody.get("/api/v1/plans", headers=headers)).status_code == 401
        (last,) = (await get(app, "/api_keys"))["api_keys"]
        ever = (await get(app, "/api_keys", with_ended="true"))["api_keys"]
        assert [one["lago_id"] for one in ever] == [last["lago_id"], made["lago_id"], rotated["lago_id"]]
        assert await get(app, "/api_keys", with_ended="no") == {"api_keys": [last]}
        refused = await call(app, "DELETE", f"/api_keys/{last['lago_id']}", expect=422)
        assert refused["error_details"] == {"base": ["last_non_expiring_api_key"]}

    @pytest.mark.parametrize(
        ("permissions", "code"),
        [
            ({}, "value_is_mandatory"),
            ({"coffee": ["read"]}, "contains forbidden keys: coffee"),
            ({"plan": ["drink"]}, "value_is_invalid"),
            ({"plan": "read"}, "value_is_invalid"),
            ([], "value_is_invalid"),
            ({"plan": [["read"]]}, "value_is_invalid"),
        ],
    )
    async def test_may_do_what_there_is(self, app, permissions, code):
        refused = await post(app, "/api_keys", {"permissions": permissions}, expect=422)
        assert refused["error_details"] == {"permissions": [code]}

    async def test_are_a_matter_of_who_may_manage_them(self, database, person, app):
        await become(database, person, "finance", "manager")
        refused = await get(app, "/api_keys", expect=403)
        assert refused["required_permissions"] == ["developers:keys:manage"]

    @pytest.mark.parametrize("frozen_time", ["2999-01-01T00:00:00Z", "2001-01-01T00:00:00Z"])
    async def test_end_at_once_whatever_their_clock_shows(
        self, app, person, nobody, make_organization, frozen_time
    ):
        """A key lets somebody in by the system's time: a clock that is ahead would let it live on, one behind never show it as ended."""
        made = await make_organization(frozen_time)
        belongs = {"user_id": person.user["lago_id"], "organization_id": str(made.id)}
        operator = {"X-Admin-API-Key": ADMIN_KEY}
        assert (await nobody.post("/admin/memberships", json=belongs, headers=operator)).status_code == 200
        app.headers["X-Lago-Organization"] = str(made.id)
        (first,) = (await get(app, "/api_keys"))["api_keys"]
        second = (await post(app, f"/api_keys/{first['lago_id']}/rotate", {}))["api_key"]
        assert (await made.client.get("/customers")).status_code == 401
        third = (await post(app, "/api_keys", {}))["api_key"]
        await call(app, "DELETE", f"/api_keys/{second['lago_id']}")
        headers = {"Authorization": f"Bearer {second['value']}"}
        assert (await nobody.get("/api/v1/customers", headers=headers)).status_code == 401
        shown = (await get(app, "/api_keys"))["api_keys"]
        assert [(key["lago_id"], key["created_at"]) for key in shown] == [(third["lago_id"], frozen_time)]

    async def test_are_nobody_elses(self, application, app, person):
        other = await sign_up(application)
        other.browser.headers["X-Lago-Organization"] = other.organization_id
        (theirs,) = (await get(other.browser, "/api_keys"))["api_keys"]
        for method, path in (("PUT", ""), ("POST", "/rotate"), ("DELETE", "")):
            refused = await call(app, method, f"/api_keys/{theirs['lago_id']}{path}", {}, expect=404)
            assert refused["code"] == "api_key_not_found"
        await call(app, "DELETE", "/api_keys/x", expect=404)


def test_the_predefined_roles_hold_what_the_table_says():
    """Some rows of platform §6, and its 130 names."""
    assert len(PERMISSIONS) == 130
    assert PREDEFINED["admin"] == PERMISSIONS
    for name, holders in {
        "addons:view": {"finance", "manager"},
        "addons:create": set(),
        "analytics:view": {"finance"},
        "coupons:attach": {"manager"},
        "credit_notes:export": {"finance", "manager"},
        "customers:create": {"manager"},
        "developers:keys:manage": set(),
        "invoices:delete": set(),
        "invoices:void": {"finance", "manager"},
        "organization:integrations:delete": {"finance"},
        "organization:invoices:update": {"finance"},
        "organization:members:view": set(),
        "organization:taxes:view": set(),
        "pricing_units:view": {"finance"},
        "wallets:terminate": {"manager"},
    }.items():
        assert {role for role in ("finance", "manager") if name in PREDEFINED[role]} == holders, name
