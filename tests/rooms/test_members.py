"""Roles of one's own, members, and who is invited (platform §6)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from tests.conftest import ADMIN_KEY
from tests.kit import advance, call, get, post
from tests.people import PASSWORD, browser, sign_in, sign_up

from tallymark.api.role_permissions import PERMISSIONS
from tallymark.rooms.users import service as users
from tallymark.rooms.users.model import hash_token

SELLER = {"code": "seller", "name": "  Sales   team ", "permissions": ["customers:view", "coupons:view"]}


async def enter(person, organization_id=None):
    """The person's browser in an organization, their own unless another is said."""
    person.browser.headers["X-Lago-Organization"] = organization_id or person.organization_id
    return person.browser


@pytest.fixture
async def admin(application):
    return await sign_up(application)


@pytest.fixture
async def app(admin):
    return await enter(admin)


async def invited(application, app, *roles, email=None):
    """Somebody who has joined as this, signed in at the organization; with the membership's id."""
    email = email or f"{uuid4().hex[:8]}@acme.test"
    invite = (await post(app, "/invites", {"email": email, "roles": list(roles)}))["invite"]
    client = browser(
        application, address=f"10.4.{UUID(invite['lago_id']).bytes[-1]}.{UUID(invite['lago_id']).bytes[-2]}"
    )
    await post(client, f"/invitations/{token_of(invite)}", {"password": PASSWORD})
    client.headers["X-Lago-Organization"] = app.headers["X-Lago-Organization"]
    (member,) = (await get(app, "/members", search=email))["members"]
    return client, member


def token_of(invite):
    (token,) = re.findall(r"^http://test/invitation/([0-9a-f]{40})$", invite["url"])
    return token


async def logged(client, **query):
    """The organization's security log, oldest first: event, who, what."""
    client.base_url = "http://test/api/v1"
    try:
        found = await get(client, "/security_logs", to_date="2099-01-01", **query)
    finally:
        client.base_url = "http://test/app/v1"
    return [
        (one["log_event"], one["user_email"], one["resources"]) for one in reversed(found["security_logs"])
    ]


class TestRoles:
    async def test_are_made_changed_and_deleted(self, admin, app):
        made = (await post(app, "/roles", SELLER))["role"]
        assert made == {
            "lago_id": made["lago_id"],
            "code": "seller",
            "name": "Sales team",
            "description": None,
            "permissions": ["coupons:view", "customers:view"],
            "is_predefined": False,
            "members_count": 0,
            "created_at": made["created_at"],
        }
        assert (await get(app, "/roles/seller"))["role"] == made
        changed = (await call(app, "PUT", "/roles/seller", {"permissions": ["plans:view"]}))["role"]
        assert changed == {**made, "permissions": ["plans:view"]}
        await call(app, "PUT", "/roles/seller", {"permissions": ["plans:view"], "name": "Sales team"})
        await call(app, "DELETE", "/roles/seller")
        assert (await get(app, "/roles/seller", expect=404))["code"] == "role_not_found"
        told = [(event, what) for event, who, what in await logged(app, **{"log_types[]": "role"})]
        assert told == [
            ("role.created", {"code": "seller", "name": "Sales team", "permissions": ["coupons:view", "customers:view"]}),
            ("role.updated", {"code": "seller", "permissions": {
                "deleted": ["coupons:view", "customers:view"], "added": ["plans:view"]}}),
            ("role.deleted", {"code": "seller", "name": "Sales team"}),
        ]  # fmt: skip
        await post(app, "/roles", SELLER)

    async def test_are_listed_with_their_members(self, admin, app):
        await post(app, "/roles", SELLER)
        found = (await get(app, "/roles"))["roles"]
        assert [(role["code"], role["is_predefined"], role["members_count"]) for role in found] == [
            ("admin", True, 1),
            ("finance", True, 0),
            ("manager", True, 0),
            ("seller", False, 0),
        ]
        assert found[0]["permissions"] == sorted(PERMISSIONS)
        assert (await get(app, "/permissions"))["permissions"] == sorted(PERMISSIONS)

    @pytest.mark.parametrize(
        ("sent", "details"),
        [
            ({"code": ""}, {"code": ["value_is_mandatory"]}),
            ({"code": None}, {"code": ["value_is_mandatory"]}),
            ({"code": "a" * 101}, {"code": ["value_is_too_long"]}),
            ({"code": "No Code"}, {"code": ["invalid_format"]}),
            ({"code": "admin"}, {"code": ["value_already_exist"]}),
            ({"code": "manager"}, {"code": ["value_already_exist"]}),
            ({"name": " "}, {"name": ["value_is_mandatory"]}),
            ({"name": "a" * 101}, {"name": ["value_is_too_long"]}),
            ({"description": "a" * 256}, {"description": ["value_is_too_long"]}),
            ({"permissions": []}, {"permissions": ["value_is_mandatory"]}),
            ({"permissions": None}, {"permissions": ["value_is_mandatory"]}),
            ({"permissions": ["coffee:make"]}, {"permissions": ["value_is_invalid"]}),
            ({"permissions": [{}]}, {"permissions": ["value_is_invalid"]}),
            ({"permissions": "plans:view"}, {"permissions": ["value_is_invalid"]}),
            (
                {"code": "", "name": "", "permissions": []},
                {
                    "code": ["value_is_mandatory"],
                    "name": ["value_is_mandatory"],
                    "permissions": ["value_is_mandatory"],
                },
            ),
        ],
    )
    async def test_are_refused_with_all_that_is_wrong(self, app, sent, details):
        answer = await post(app, "/roles", {**SELLER, **sent}, expect=422)
        assert answer["error_details"] == details

    async def test_have_codes_of_their_own_that_stay(self, application, app):
        await post(app, "/roles", {**SELLER, "name": "a" * 100, "description": "b" * 255, "code": "c" * 100})
        await post(app, "/roles", SELLER)
        answer = await post(app, "/roles", SELLER, expect=422)
        assert answer["error_details"] == {"code": ["value_already_exist"]}
        answer = await call(app, "PUT", "/roles/seller", {"code": "other"}, expect=422)
        assert answer["error_details"] == {"code": ["modification_not_allowed"]}
        await call(app, "PUT", "/roles/seller", {"code": "seller", "name": "S"})
        other = await enter(await sign_up(application))
        await post(other, "/roles", SELLER)
        assert (await get(app, "/roles/seller"))["role"]["name"] == "S"

    async def test_that_are_predefined_stay(self, app):
        for method, body in (("PUT", {"name": "x"}), ("DELETE", None)):
            assert (await call(app, method, "/roles/finance", body, expect=403))["code"] == "predefined_role"
        await call(app, "DELETE", "/roles/nobody", expect=404)

    async def test_that_somebody_has_or_will_have_stay(self, application, app):
        await post(app, "/roles", SELLER)
        _, member = await invited(application, app, "seller")
        refused = await call(app, "DELETE", "/roles/seller", expect=403)
        assert refused["code"] == "role_assigned_to_members"
        await call(app, "PUT", f"/members/{member['lago_id']}", {"roles": ["finance"]})
        await call(app, "DELETE", "/roles/seller")
        await post(app, "/roles", SELLER)
        invite = (await post(app, "/invites", {"email": "z@acme.test", "roles": ["seller"]}))["invite"]
        await call(app, "DELETE", "/roles/seller", expect=403)
        await call(app, "DELETE", f"/invites/{invite['lago_id']}")
        await call(app, "DELETE", "/roles/seller")

    async def test_open_what_they_hold_at_once(self, application, app):
        await post(app, "/roles", SELLER)
        client, _ = await invited(application, app, "seller")
        client.base_url = "http://test/api/v1"
        await get(client, "/customers")
        await get(client, "/plans", expect=403)
        await call(app, "PUT", "/roles/seller", {"permissions": ["plans:view"]})
        await get(client, "/plans")
        await get(client, "/customers", expect=403)


class TestMembers:
    async def test_are_listed_found_and_filtered(self, application, admin, app):
        await invited(application, app, "finance", email="b_c@x.test")
        await invited(application, app, "finance", "manager", email="bxc@x.test")
        found = await get(app, "/members")
        assert found["meta"]["total_count"] == 3
        assert [one["email"] for one in found["members"]] == sorted(["b_c@x.test", "bxc@x.test", admin.email])
        for query, emails in (
            ({"search": "B_C"}, ["b_c@x.test"]),
            ({"roles[]": ["manager", "admin"]}, ["bxc@x.test", admin.email]),
            ({"search": "x.test", "per_page": 1, "page": 2}, ["bxc@x.test"]),
        ):
            assert [one["email"] for one in (await get(app, "/members", **query))["members"]] == emails

    async def test_become_something_else(self, application, admin, app):
        _, member = await invited(application, app, "finance")
        path = f"/members/{member['lago_id']}"
        changed = (await call(app, "PUT", path, {"roles": ["manager", "admin", "manager"]}))["member"]
        assert changed == {**member, "roles": ["manager", "admin"]}
        await call(app, "PUT", path, {"roles": ["admin", "manager"]})
        assert (await logged(app))[-1] == (
            "user.role_edited",
            admin.email,
            {"email": member["email"], "roles": {"deleted": ["finance"], "added": ["manager", "admin"]}},
        )
        for roles in ([], ["boss"], ["manager", "boss"]):
            assert (await call(app, "PUT", path, {"roles": roles}, expect=404))["code"] == "role_not_found"
        missing = await call(app, "PUT", f"/members/{uuid4()}", {"roles": ["admin"]}, expect=404)
        assert missing["code"] == "membership_not_found"

    async def test_are_made_admins_by_admins_alone(self, application, admin, app):
        permissions = [name for name in PERMISSIONS if name.startswith("organization:members:")]
        await post(app, "/roles", {"code": "people", "name": "People", "permissions": permissions})
        client, own = await invited(application, app, "people")
        _, other = await invited(application, app, "finance")
        for member in (own, other):
            refused = await call(
                client, "PUT", f"/members/{member['lago_id']}", {"roles": ["admin"]}, expect=403
            )
            assert refused["code"] == "cannot_grant_admin"
        body = {"email": "new@acme.test", "roles": ["admin"]}
        assert (await post(client, "/invites", body, expect=403))["code"] == "cannot_grant_admin"
        invite = (await post(client, "/invites", {**body, "roles": ["finance"]}))["invite"]
        refused = await call(client, "PUT", f"/invites/{invite['lago_id']}", {"roles": ["admin"]}, expect=403)
        assert refused["code"] == "cannot_grant_admin"
        await call(client, "PUT", f"/members/{other['lago_id']}", {"roles": ["people"]})
        await call(app, "PUT", f"/members/{other['lago_id']}", {"roles": ["admin"]})
        changed = await call(client, "PUT", f"/members/{other['lago_id']}", {"roles": ["admin", "finance"]})
        assert changed["member"]["roles"] == ["admin", "finance"], "who is one may be more"

    async def test_keep_an_admin(self, application, admin, app):
        (own,) = (await get(app, "/members"))["members"]
        path = f"/members/{own['lago_id']}"
        assert (await call(app, "PUT", path, {"roles": ["finance"]}, expect=405))["code"] == "last_admin"
        permissions = ["organization:members:delete", "organization:members:view"]
        await post(app, "/roles", {"code": "people", "name": "People", "permissions": permissions})
        client, _ = await invited(application, app, "people")
        assert (await call(client, "DELETE", path, expect=405))["code"] == "last_admin"
        _, second = await invited(application, app, "admin")
        await call(app, "PUT", path, {"roles": ["finance"]})
        refused = await call(app, "PUT", path, {"roles": ["admin"]}, expect=403)
        assert refused["required_permissions"] == ["organization:members:update"]
        await call(client, "DELETE", f"/members/{second['lago_id']}", expect=405)

    async def test_are_put_out_at_once_by_others(self, application, admin, app):
        client, member = await invited(application, app, "admin")
        (own,) = (await get(app, "/members", search=admin.email))["members"]
        refused = await call(app, "DELETE", f"/members/{own['lago_id']}", expect=405)
        assert refused["code"] == "cannot_revoke_own_membership"
        await get(client, "/members")
        await call(app, "DELETE", f"/members/{member['lago_id']}")
        assert (await get(client, "/members", expect=404))["code"] == "organization_not_found"
        assert (await call(client, "GET", "/session"))["user"]["memberships"] == []
        await sign_in(client, member["email"], expect=422)
        assert (await logged(app))[-1] == ("user.deleted", admin.email, {"email": member["email"]})
        gone = await call(app, "DELETE", f"/members/{member['lago_id']}", expect=404)
        assert gone["code"] == "membership_not_found"
        await call(app, "DELETE", "/members/x", expect=404)

    async def test_are_nobody_elses(self, application, admin, app):
        other = await enter(await sign_up(application))
        (theirs,) = (await get(other, "/members"))["members"]
        assert [one["email"] for one in (await get(app, "/members"))["members"]] == [admin.email]
        await call(app, "PUT", f"/members/{theirs['lago_id']}", {"roles": ["admin"]}, expect=404)
        await call(app, "DELETE", f"/members/{theirs['lago_id']}", expect=404)


class TestInvites:
    async def test_let_somebody_new_in(self, application, database, admin, app):
        body = {"email": " New@Acme.Test", "roles": ["finance"]}
        invite = (await post(app, "/invites", body))["invite"]
        assert (invite["email"], invite["roles"], invite["status"]) == (
            "new@acme.test",
            ["finance"],
            "pending",
        )
        listed = await get(app, "/invites")
        assert (listed["invites"], listed["meta"]["total_count"]) == ([invite], 1)
        token = token_of(invite)
        async with database.system() as connection:
            kept = await connection.execute(
                text("SELECT token_hash FROM invites WHERE id = :id"), {"id": invite["lago_id"]}
            )
        assert kept.scalar_one() == hash_token(token)
        async with browser(application) as client:
            assert (await get(client, f"/invitations/{token}"))["invitation"] == {
                "email": "new@acme.test",
                "organization_name": "Acme",
                "authentication_methods": ["email_password", "google_oauth"],
            }
            answer = await post(client, f"/invitations/{token}", {}, expect=422)
            assert answer["error_details"] == {"password": ["value_is_mandatory"]}
            await post(client, f"/invitations/{token}", {"password": "p"})
            (membership,) = (await call(client, "GET", "/session"))["user"]["memberships"]
            assert membership["organization"]["lago_id"] == admin.organization_id
            assert membership["roles"] == ["finance"]
            for method, sent in (("GET", None), ("POST", {"password": "p"})):
                used = await call(client, method, f"/invitations/{token}", sent, expect=404)
                assert used["code"] == "invite_not_found"
        assert (await get(app, "/invites"))["invites"] == []
        told = await logged(app)
        assert ("user.invited", admin.email, {"email": "new@acme.test", "roles": ["finance"]}) in told
        assert ("user.signed_up", "new@acme.test", {"email": "new@acme.test", "roles": ["finance"]}) in told

    @pytest.mark.parametrize(
        ("sent", "details"),
        [
            ({"email": ""}, {"email": ["value_is_mandatory"]}),
            ({"email": "x"}, {"email": ["invalid_email_format"]}),
            ({"roles": []}, {"roles": ["invalid_role"]}),
            ({"roles": ["boss"]}, {"roles": ["invalid_role"]}),
        ],
    )
    async def test_are_of_addresses_and_roles(self, app, sent, details):
        body = {"email": "a@acme.test", "roles": ["finance"], **sent}
        assert (await post(app, "/invites", body, expect=422))["error_details"] == details

    async def test_are_of_who_is_neither_a_member_nor_invited(self, application, admin, app):
        body = {"email": admin.email.upper(), "roles": ["finance"]}
        refused = await post(app, "/invites", body, expect=422)
        assert refused["error_details"] == {"email": ["email_already_used"]}
        body["email"] = "twice@acme.test"
        invite = (await post(app, "/invites", body))["invite"]
        refused = await post(app, "/invites", body, expect=422)
        assert refused["error_details"] == {"invite": ["invite_already_exists"]}
        other = await enter(await sign_up(application))
        await post(other, "/invites", body)
        await call(app, "DELETE", f"/invites/{invite['lago_id']}")
        await post(app, "/invites", body)

    async def test_are_changed_and_taken_back_while_they_wait(self, application, app):
        body = {"email": "late@acme.test", "roles": ["finance"]}
        invite = (await post(app, "/invites", body))["invite"]
        path = f"/invites/{invite['lago_id']}"
        refused = await call(app, "PUT", path, {"roles": ["boss"]}, expect=422)
        assert refused["error_details"] == {"roles": ["invalid_role"]}
        changed = (await call(app, "PUT", path, {"roles": ["manager"]}))["invite"]
        assert changed == {**invite, "roles": ["manager"]}
        gone = (await call(app, "DELETE", path))["invite"]
        assert (gone["status"], gone["url"]) == ("revoked", None)
        assert (await call(app, "DELETE", path, expect=404))["code"] == "invite_not_found"
        refused = await call(app, "PUT", path, {"roles": ["manager"]}, expect=403)
        assert refused["code"] == "cannot_update_revoked_invite"
        async with browser(application) as client:
            await post(client, f"/invitations/{token_of(invite)}", {"password": "p"}, expect=404)
        invite = (await post(app, "/invites", body))["invite"]
        async with browser(application) as client:
            await post(client, f"/invitations/{token_of(invite)}", {"password": "p"})
        path = f"/invites/{invite['lago_id']}"
        refused = await call(app, "PUT", path, {"roles": ["manager"]}, expect=403)
        assert refused["code"] == "cannot_update_accepted_invite"
        await call(app, "DELETE", path, expect=404)
        for method, sent in (("PUT", {"roles": ["manager"]}), ("DELETE", None)):
            assert (await call(app, method, f"/invites/{uuid4()}", sent, expect=404))[
                "code"
            ] == "invite_not_found"

    async def test_show_their_link_to_who_may_invite(self, application, app):
        await post(
            app, "/roles", {"code": "looker", "name": "L", "permissions": ["organization:members:view"]}
        )
        client, _ = await invited(application, app, "looker")
        await post(app, "/invites", {"email": "next@acme.test", "roles": ["admin"]})
        (seen,) = (await get(app, "/invites"))["invites"]
        assert token_of(seen)
        assert (await get(client, "/invites"))["invites"] == [{**seen, "url": None}]

    async def test_make_nobody_somebody_else(self, application, database, admin, app):
        """Whoever has joined elsewhere joins by their password, or signed in."""
        victim = await sign_up(application)
        body = {"email": victim.email, "roles": ["finance"]}
        token = token_of((await post(app, "/invites", body))["invite"])
        async with browser(application, address="10.5.0.1") as client:
            answer = await post(client, f"/invitations/{token}", {"password": "another"}, expect=422)
            assert answer["error_details"] == {"base": ["incorrect_login_or_password"]}
            answer = await post(app, f"/invitations/{token}", {"password": "another"}, expect=422)
            assert answer["error_details"] == {"base": ["incorrect_login_or_password"]}, (
                "signed in as another"
            )
            await post(client, f"/invitations/{token}", {"password": PASSWORD})
            belongs = (await call(client, "GET", "/session"))["user"]["memberships"]
        assert {one["organization"]["lago_id"] for one in belongs} == {
            admin.organization_id,
            victim.organization_id,
        }

    async def test_are_accepted_by_who_has_signed_in(self, application, app):
        person = await sign_up(application)
        token = token_of(
            (await post(app, "/invites", {"email": person.email, "roles": ["finance"]}))["invite"]
        )
        answer = await person.browser.post(f"/invitations/{token}", json={})
        assert (answer.status_code, "set-cookie" in answer.headers) == (200, False)
        assert len((await call(person.browser, "GET", "/session"))["user"]["memberships"]) == 2

    async def test_set_the_password_of_who_belongs_nowhere(self, application, app):
        client, member = await invited(application, app, "finance", email="back@acme.test")
        await call(app, "DELETE", f"/members/{member['lago_id']}")
        token = token_of(
            (await post(app, "/invites", {"email": "back@acme.test", "roles": ["manager"]}))["invite"]
        )
        async with browser(application) as other:
            await post(other, f"/invitations/{token}", {"password": "new"})
            await sign_in(other, "back@acme.test", "new")
        await call(client, "GET", "/session", expect=401)
        (back,) = (await get(app, "/members", search="back@acme.test"))["members"]
        assert (back["roles"], back["lago_user_id"]) == (["manager"], member["lago_user_id"])

    async def test_need_a_method_that_the_organization_takes(self, application, database, admin, app):
        token = token_of(
            (await post(app, "/invites", {"email": "sso@acme.test", "roles": ["finance"]}))["invite"]
        )
        person = await sign_up(application)
        second = token_of(
            (await post(app, "/invites", {"email": person.email, "roles": ["finance"]}))["invite"]
        )
        async with database.system() as connection:
            await connection.execute(
                text("UPDATE organizations SET authentication_methods = '{okta}' WHERE id = :id"),
                {"id": admin.organization_id},
            )
        async with browser(application) as client:
            answer = await post(client, f"/invitations/{token}", {"password": "p"}, expect=422)
            assert answer["error_details"] == {"email_password": ["login_method_not_authorized"]}
        answer = await post(person.browser, f"/invitations/{second}", {}, expect=422)
        assert answer["error_details"] == {"email_password": ["login_method_not_authorized"]}

    async def test_are_nobody_elses(self, application, app):
        other = await enter(await sign_up(application))
        theirs = (await post(other, "/invites", {"email": "a@acme.test", "roles": ["finance"]}))["invite"]
        assert (await get(app, "/invites"))["invites"] == []
        for method, sent in (("PUT", {"roles": ["manager"]}), ("DELETE", None)):
            await call(app, method, f"/invites/{theirs['lago_id']}", sent, expect=404)

    async def test_go_by_the_organizations_clock(self, application, database, make_organization):
        organization = await make_organization("2026-01-01T00:00:00Z")
        person = await sign_up(application)
        async with database.system() as connection:
            await users.join(
                connection,
                UUID(person.user["lago_id"]),
                organization.id,
                ["admin"],
                now=datetime(2026, 1, 1, tzinfo=UTC),
            )
        app = await enter(person, str(organization.id))
        await advance(organization.client, "2026-01-05")
        invite = (await post(app, "/invites", {"email": "sim@acme.test", "roles": ["finance"]}))["invite"]
        assert invite["created_at"] == "2026-01-05T00:00:00Z"
        async with browser(application) as client:
            await post(client, f"/invitations/{token_of(invite)}", {"password": "p"})
        (member,) = (await get(app, "/members", search="sim@"))["members"]
        assert member["created_at"] == "2026-01-05T00:00:00Z"
        app.base_url = "http://test/api/v1"
        newest = (await get(app, "/security_logs", to_date="2026-01-06"))["security_logs"]
        assert [one["log_event"] for one in newest] == [
            "user.new_device_logged_in",
            "user.signed_up",
            "user.invited",
        ]

    async def test_come_with_an_organization_that_the_operator_makes(self, application):
        async with browser(application) as client:
            body = {"name": "Hooli", "email": "Boss@hooli.test, ops@hooli.test"}
            headers = {"X-Admin-API-Key": ADMIN_KEY}
            made = await client.post("http://test/admin/organizations", json=body, headers=headers)
            await post(
                client, f"/invitations/{token_of({'url': made.json()['invite_url']})}", {"password": "p"}
            )
            user = (await call(client, "GET", "/session"))["user"]
            assert user["email"] == "boss@hooli.test"
            (membership,) = user["memberships"]
            assert membership["organization"]["lago_id"] == made.json()["organization"]["lago_id"]
            assert membership["roles"] == ["admin"]
            alone = await client.post("http://test/admin/organizations", json={"name": "A"}, headers=headers)
            assert alone.json()["invite_url"] is None
