"""Features, what plans grant of them, and what subscriptions make of that (platform §11)."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from tests import kit
from tests.kit import call, get, post

from tallymark.db.tables import entitlement_removals, entitlements, outbox

SEATS = [
    {"code": "max", "name": "Most", "value_type": "integer"},
    {"code": "guests", "value_type": "boolean"},
]
SSO = [{"code": "provider", "value_type": "select", "config": {"select_options": ["google", "okta"]}}]
RATE = [{"code": "rate", "value_type": "integer"}]
PLAN, OWN = "/plans/p/entitlements", "/subscriptions/s/entitlements"


@pytest.fixture
async def client(make_organization, database):
    """A client; `told()` are the types and objects of the messages that were left since it was asked last."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client, seen = organization.client, 0

    async def told():
        nonlocal seen
        async with database.tenant(organization.id) as tx:
            rows = (await tx.execute(select(outbox).order_by(outbox.c.id))).all()
        fresh, seen = rows[seen:], len(rows)
        return [row.webhook_type for row in fresh]

    async def count(table):
        async with database.tenant(organization.id) as tx:
            return len((await tx.execute(select(table))).all())

    client.told, client.count = told, count
    return client


async def feature(client, code, privileges=(), **more):
    body = {"feature": {"code": code, "privileges": list(privileges), **more}}
    return (await post(client, "/features", body))["feature"]


async def give(client, path, method="POST", **features):
    return (await call(client, method, path, {"entitlements": features}))["entitlements"]


def values(listed):
    return {one["code"]: {part["code"]: part["value"] for part in one["privileges"]} for one in listed}


@pytest.fixture
async def sold(client):
    """The features of §19.5, and a plan that grants two of them."""
    await feature(client, "seats", SEATS)
    await feature(client, "sso", SSO)
    await feature(client, "api", RATE)
    await kit.plan(client, code="p")
    await give(client, PLAN, seats={"max": 10, "guests": True}, sso={"provider": "okta"})
    return client


@pytest.fixture
async def joined(sold):
    who = await kit.customer(sold, external_id="c")
    await kit.subscribe(sold, who, {"code": "p"}, external_id="s")
    await sold.told()
    return sold


class TestFeatures:
    async def test_are_made_read_listed_and_found(self, client):
        made = await feature(client, " seats ", [*SEATS, *SSO], name="Seats", description="Who works")
        assert made == {
            "code": "seats",
            "name": "Seats",
            "description": "Who works",
            "privileges": [
                {"code": "max", "name": "Most", "value_type": "integer", "config": {}},
                {"code": "guests", "name": None, "value_type": "boolean", "config": {}},
                {
                    "code": "provider",
                    "name": None,
                    "value_type": "select",
                    "config": {"select_options": ["google", "okta"]},
                },
            ],
            "created_at": "2026-01-01T00:00:00Z",
        }
        assert await client.told() == ["feature.created"]
        other = await feature(client, "a/b.c")
        assert (other["privileges"], other["name"]) == ([], None)
        assert (await get(client, "/features/seats"))["feature"] == made
        assert (await get(client, "/features/a/b.c"))["feature"] == other
        listed = await get(client, "/features", per_page=1)
        assert [one["code"] for one in listed["features"]] == ["a/b.c"]
        assert listed["meta"]["total_count"] == 2
        for term, found in (("WORK", ["seats"]), ("/B", ["a/b.c"]), ("%", []), (" ", ["a/b.c", "seats"])):
            listed = await get(client, "/features", search_term=term)
            assert [one["code"] for one in listed["features"]] == found
        assert (await get(client, "/features/x", expect=404))["code"] == "feature_not_found"

    async def test_a_privilege_is_a_text_unless_it_says_otherwise(self, client):
        made = await feature(client, "f", [{"code": "p"}])
        assert made["privileges"][0]["value_type"] == "string"

    @pytest.mark.parametrize(
        ("sent", "details"),
        [
            ({"name": "n"}, {"code": ["value_is_mandatory"]}),
            ({"code": "  "}, {"code": ["value_is_mandatory"]}),
            ({"code": ["x"]}, {"code": ["value_is_invalid"]}),
            (
                {"code": "x" * 256, "name": "x" * 256, "description": "x" * 601},
                {field: ["value_is_too_long"] for field in ("code", "name", "description")},
            ),
            ({"code": "seats"}, {"code": ["value_already_exist"]}),
            (
                {"code": "x", "privileges": [{"code": "a"}, {"code": "b"}, {"code": "a"}]},
                {"privilege.code": ["value_is_duplicated"]},
            ),
            (
                {"code": "x", "privileges": [{"name": "x" * 256, "value_type": "float"}]},
                {
                    "privilege.code": ["value_is_mandatory"],
                    "privilege.name": ["value_is_too_long"],
                    "privilege.value_type": ["value_is_invalid"],
                },
            ),
        ],
    )
    async def test_are_refused_in_the_words_of_the_contract(self, client, sent, details):
        await feature(client, "seats")
        answer = await post(client, "/features", {"feature": sent}, expect=422)
        assert answer["error_details"] == details

    @pytest.mark.parametrize(
        ("value_type", "config"),
        [
            ("select", None),
            ("select", {}),
            ("select", {"select_options": []}),
            ("select", {"select_options": ["a", 1]}),
            ("select", {"select_options": "a"}),
            ("select", {"select_options": ["a"], "more": 1}),
            ("integer", {"select_options": ["a"]}),
            ("string", {"x": 1}),
        ],
    )
    async def test_options_are_of_a_select_alone_and_some(self, client, value_type, config):
        privilege = {"code": "p", "value_type": value_type, "config": config}
        answer = await post(
            client, "/features", {"feature": {"code": "f", "privileges": [privilege]}}, expect=422
        )
        assert answer["error_details"] == {"privilege.config": ["invalid_format"]}

    async def test_without_a_root_nothing_is_done(self, client):
        assert (await post(client, "/features", {}, expect=400))["error"].endswith("invalid: feature")
        await post(client, "/features", {"feature": {}}, expect=400)

    async def test_a_change_adds_privileges_and_options_and_takes_none(self, client):
        await feature(client, "f", [*SEATS, *SSO], name="Old", description="Stays")
        await client.told()
        listed = [
            {"code": "new", "value_type": "boolean"},
            {"code": "provider", "name": "By", "config": {"select_options": ["okta", "saml"]}},
            {"code": "max", "name": None},
        ]
        body = {"feature": {"name": "New", "privileges": listed}}
        changed = (await call(client, "PUT", "/features/f", body))["feature"]
        assert (changed["name"], changed["description"]) == ("New", "Stays")
        assert [(one["code"], one["name"], one["value_type"]) for one in changed["privileges"]] == [
            ("max", None, "integer"),
            ("guests", None, "boolean"),
            ("provider", "By", "select"),
            ("new", None, "boolean"),
        ]
        assert changed["privileges"][2]["config"] == {"select_options": ["google", "okta", "saml"]}
        assert (await get(client, "/features/f"))["feature"] == changed
        again = (await call(client, "PATCH", "/features/f", {"feature": {"name": "New"}}))["feature"]
        assert again == changed
        assert await client.told() == ["feature.updated"] * 2

    @pytest.mark.parametrize(
        ("sent", "details"),
        [
            ({"code": "g"}, {"code": ["modification_not_allowed"]}),
            (
                {"privileges": [{"code": "max", "value_type": "string"}]},
                {"privilege.value_type": ["modification_not_allowed"]},
            ),
            (
                {"privileges": [{"code": "max", "config": {"select_options": ["1"]}}]},
                {"privilege.config": ["invalid_format"]},
            ),
            (
                {"privileges": [{"code": "max"}, {"code": "max"}]},
                {"privilege.code": ["value_is_duplicated"]},
            ),
        ],
    )
    async def test_codes_and_types_are_for_good(self, client, sent, details):
        before = await feature(client, "f", SEATS)
        answer = await call(client, "PUT", "/features/f", {"feature": sent}, expect=422)
        assert answer["error_details"] == details
        same = {"code": "f", "privileges": [{"code": "max", "value_type": "integer", "name": "Most"}]}
        assert (await call(client, "PUT", "/features/f", {"feature": same}))["feature"] == before

    async def test_are_nobody_elses(self, client, other_client):
        await feature(client, "f", SEATS)
        await get(other_client, "/features/f", expect=404)
        await call(other_client, "DELETE", "/features/f", expect=404)
        assert (await feature(other_client, "f"))["privileges"] == []


class TestDeletion:
    async def test_of_a_feature_takes_it_from_plans_and_subscriptions(self, joined):
        await kit.plan(joined, code="q")
        await give(joined, "/plans/q/entitlements", seats={})
        await give(joined, OWN, "PATCH", seats={"max": 25})
        await call(joined, "DELETE", f"{OWN}/sso")
        await joined.told()
        gone = (await call(joined, "DELETE", "/features/seats"))["feature"]
        assert [one["code"] for one in gone["privileges"]] == ["max", "guests"]
        assert await joined.told() == ["plan.updated", "plan.updated", "feature.deleted"]
        assert values((await get(joined, PLAN))["entitlements"]) == {"sso": {"provider": "okta"}}
        assert (await get(joined, OWN))["entitlements"] == []
        await get(joined, "/features/seats", expect=404)
        await call(joined, "DELETE", "/features/seats", expect=404)
        await feature(joined, "seats", RATE)
        assert (await get(joined, OWN))["entitlements"] == []

    async def test_of_a_removed_feature_forgets_the_removal(self, joined):
        await call(joined, "DELETE", f"{OWN}/sso")
        await call(joined, "DELETE", "/features/sso")
        assert await joined.count(entitlement_removals) == 0

    async def test_of_a_privilege_takes_its_values_and_tells_plans_that_had_one(self, joined):
        await kit.plan(joined, code="q")
        await give(joined, "/plans/q/entitlements", seats={"guests": False})
        await give(joined, OWN, "PATCH", seats={"max": 25})
        await joined.told()
        left = (await call(joined, "DELETE", "/features/seats/privileges/max"))["feature"]
        assert [one["code"] for one in left["privileges"]] == ["guests"]
        assert await joined.told() == ["plan.updated", "feature.updated"]
        assert values((await get(joined, PLAN))["entitlements"])["seats"] == {"guests": True}
        assert values((await get(joined, OWN))["entitlements"])["seats"] == {"guests": True}
        for path, code in (("seats/privileges/max", "privilege"), ("x/privileges/max", "feature")):
            answer = await call(joined, "DELETE", f"/features/{path}", expect=404)
            assert answer["code"] == f"{code}_not_found"
        body = {"feature": {"privileges": [{"code": "max", "value_type": "string"}]}}
        assert (await call(joined, "PUT", "/features/seats", body))["feature"]["privileges"][1][
            "code"
        ] == "max"

    async def test_of_a_plan_takes_what_it_granted(self, sold):
        await call(sold, "DELETE", "/plans/p")
        assert await sold.count(entitlements) == 0
        await kit.plan(sold, code="p")
        assert (await get(sold, PLAN))["entitlements"] == []


class TestPlans:
    async def test_grant_features_in_the_order_of_their_coming(self, sold):
        shown = (await get(sold, PLAN))["entitlements"]
        assert shown[0] == {
            "code": "seats",
            "name": None,
            "description": None,
            "privileges": [
                {"code": "max", "name": "Most", "value_type": "integer", "config": {}, "value": 10},
                {"code": "guests", "name": None, "value_type": "boolean", "config": {}, "value": True},
            ],
        }
        assert [one["code"] for one in shown] == ["seats", "sso"]
        assert (await get(sold, f"{PLAN}/seats"))["entitlement"] == shown[0]
        for shown_plan in (
            (await get(sold, "/plans/p"))["plan"],
            (await get(sold, "/plans"))["plans"][0],
            (await call(sold, "PUT", "/plans/p", {"plan": {"name": "New"}}))["plan"],
            (await call(sold, "DELETE", "/plans/p"))["plan"],
        ):
            assert shown_plan["entitlements"] == shown

    async def test_are_given_others_by_a_post(self, sold):
        await sold.told()
        given = await give(sold, PLAN, api={"rate": 5}, seats={"max": 3})
        assert values(given) == {"seats": {"max": 3}, "api": {"rate": 5}}
        assert [one["code"] for one in given] == ["seats", "api"]
        assert await sold.told() == ["plan.updated"]
        # An empty object leaves the values of a feature that is granted (quirk), and grants another without any.
        assert values(await give(sold, PLAN, seats={}, sso={})) == {"seats": {"max": 3}, "sso": {}}
        assert await give(sold, PLAN) == []

    async def test_are_given_more_by_a_patch(self, sold):
        await sold.told()
        given = await give(sold, PLAN, "PATCH", seats={"max": 3}, api={})
        assert values(given) == {
            "seats": {"max": 3, "guests": True},
            "sso": {"provider": "okta"},
            "api": {},
        }
        assert await give(sold, PLAN, "PATCH") == given
        assert await sold.told() == ["plan.updated"] * 2

    async def test_lose_one_feature_or_one_value(self, sold):
        await sold.told()
        left = (await call(sold, "DELETE", f"{PLAN}/seats/privileges/max"))["entitlement"]
        assert values([left]) == {"seats": {"guests": True}}
        gone = (await call(sold, "DELETE", f"{PLAN}/sso"))["entitlement"]
        assert values([gone]) == {"sso": {"provider": "okta"}}
        assert values((await get(sold, PLAN))["entitlements"]) == {"seats": {"guests": True}}
        assert await sold.told() == ["plan.updated"] * 2

    @pytest.mark.parametrize(
        ("method", "path", "code"),
        [
            ("GET", "/plans/x/entitlements", "plan"),
            ("GET", "/plans/x/entitlements/seats", "plan"),
            ("GET", f"{PLAN}/api", "entitlement"),
            ("GET", f"{PLAN}/unheard", "entitlement"),
            ("DELETE", f"{PLAN}/api", "entitlement"),
            ("DELETE", f"{PLAN}/api/privileges/rate", "entitlement"),
            ("DELETE", f"{PLAN}/seats/privileges/unheard", "privilege"),
        ],
    )
    async def test_what_is_not_there_is_named(self, sold, method, path, code):
        assert (await call(sold, method, path, expect=404))["code"] == f"{code}_not_found"

    @pytest.mark.parametrize("method", ["POST", "PATCH"])
    @pytest.mark.parametrize(
        ("sent", "code"),
        [
            ({"seats": {"max": 1}, "unheard": {}}, "feature_not_found"),
            ({"seats": {"max": 1, "rate": 1}}, "privilege_not_found"),
        ],
    )
    async def test_unknown_codes_change_nothing(self, sold, method, sent, code):
        before = await get(sold, PLAN)
        await sold.told()
        assert (await call(sold, method, PLAN, {"entitlements": sent}, expect=404))["code"] == code
        assert await get(sold, PLAN) == before
        assert await sold.told() == []

    @pytest.mark.parametrize("body", [{}, {"entitlements": None}, {"entitlements": ["seats"]}])
    async def test_no_object_is_no_request(self, sold, body):
        before = await get(sold, PLAN)
        assert (await post(sold, PLAN, body, expect=400))["error"].endswith("invalid: entitlements")
        answer = await post(sold, PLAN, {"entitlements": {"seats": None}}, expect=422)
        assert answer["error_details"] == {"entitlements": ["value_is_invalid"]}
        assert await get(sold, PLAN) == before


class TestValues:
    @pytest.mark.parametrize(
        ("value_type", "sent", "shown"),
        [
            ("integer", 10, 10),
            ("integer", "10", 10),
            ("integer", "-7", -7),
            ("integer", 0, 0),
            ("boolean", False, False),
            ("boolean", "true", True),
            ("boolean", "false", False),
            ("string", "10", "10"),
            ("string", "true", "true"),
            ("select", "a", "a"),
        ],
    )
    async def test_are_cast_to_their_type(self, client, value_type, sent, shown):
        config = {"select_options": ["a", "b"]} if value_type == "select" else {}
        await feature(client, "f", [{"code": "p", "value_type": value_type, "config": config}])
        await kit.plan(client, code="p")
        (given,) = await give(client, PLAN, f={"p": sent})
        assert given["privileges"][0]["value"] is shown or given["privileges"][0]["value"] == shown
        assert type(given["privileges"][0]["value"]) is type(shown)

    @pytest.mark.parametrize(
        ("value_type", "sent", "field", "code"),
        [
            ("integer", "010", "p_privilege_value", "value_is_invalid"),
            ("integer", "1.0", "p_privilege_value", "value_is_invalid"),
            ("integer", 1.5, "p_privilege_value", "value_is_invalid"),
            ("integer", True, "p_privilege_value", "value_is_invalid"),
            ("integer", 2**63, "p_privilege_value", "value_is_invalid"),
            ("boolean", "yes", "p_privilege_value", "value_is_invalid"),
            ("boolean", 1, "p_privilege_value", "value_is_invalid"),
            ("string", 1, "p_privilege_value", "value_is_invalid"),
            ("string", ["a"], "p_privilege_value", "value_is_invalid"),
            ("select", "c", "p_privilege_value", "value_not_in_select_options"),
            ("select", 1, "p_privilege_value", "value_not_in_select_options"),
            ("string", "", "privilege.value", "value_is_mandatory"),
            ("boolean", None, "privilege.value", "value_is_mandatory"),
        ],
    )
    async def test_of_another_type_are_refused(self, client, value_type, sent, field, code):
        config = {"select_options": ["a", "b"]} if value_type == "select" else {}
        await feature(client, "f", [{"code": "p", "value_type": value_type, "config": config}])
        await kit.plan(client, code="p")
        answer = await post(client, PLAN, {"entitlements": {"f": {"p": sent}}}, expect=422)
        assert answer["error_details"] == {field: [code]}
        assert (await get(client, PLAN))["entitlements"] == []

    async def test_are_refused_together(self, sold):
        sent = {"seats": {"max": "x", "guests": None}, "sso": {"provider": "saml"}}
        answer = await call(sold, "PATCH", PLAN, {"entitlements": sent}, expect=422)
        assert answer["error_details"] == {
            "max_privilege_value": ["value_is_invalid"],
            "privilege.value": ["value_is_mandatory"],
            "provider_privilege_value": ["value_not_in_select_options"],
        }


class TestSubscriptions:
    async def test_the_worked_example(self, joined):
        """§19.5."""
        await give(joined, OWN, "PATCH", seats={"max": 25})
        await call(joined, "DELETE", f"{OWN}/sso")
        seats, api = await give(joined, OWN, "PATCH", api={"rate": 100})
        assert seats == {
            "code": "seats",
            "name": None,
            "description": None,
            "privileges": [
                {
                    "code": "max", "name": "Most", "value_type": "integer", "config": {},
                    "value": 25, "plan_value": 10, "override_value": 25,
                },
                {
                    "code": "guests", "name": None, "value_type": "boolean", "config": {},
                    "value": True, "plan_value": True, "override_value": None,
                },
            ],
            "overrides": {"max": 25},
        }  # fmt: skip
        (rate,) = api["privileges"]
        assert (rate["value"], rate["plan_value"], rate["override_value"]) == (100, None, 100)
        seats, _ = await give(joined, OWN, "PATCH", seats={"max": 10, "guests": True})
        assert (seats["overrides"], seats["privileges"][0]["override_value"]) == ({}, None)
        given = await give(joined, OWN, "PATCH", sso={"provider": "okta"})
        assert [one["code"] for one in given] == ["seats", "sso", "api"]
        assert await joined.count(entitlement_removals) == 0
        assert given == (await get(joined, OWN))["entitlements"]

    async def test_start_from_their_plan(self, joined):
        shown = (await get(joined, OWN))["entitlements"]
        assert values(shown) == {"seats": {"max": 10, "guests": True}, "sso": {"provider": "okta"}}
        assert [one["overrides"] for one in shown] == [{}, {}]
        assert (await get(joined, "/subscriptions/s"))["subscription"]["entitlements"] == shown

    async def test_which_answers_show_them(self, sold):
        who = await kit.customer(sold)
        made = await kit.subscribe(sold, who, {"code": "p"}, external_id="s")
        assert values(made["entitlements"])["sso"] == {"provider": "okta"}
        assert values(made["plan"]["entitlements"]) == values(made["entitlements"])
        body = {"subscription": {"name": "N"}}
        changed = (await call(sold, "PUT", "/subscriptions/s", body))["subscription"]
        assert "entitlements" not in changed
        assert changed["plan"]["entitlements"] == made["plan"]["entitlements"]
        assert "entitlements" not in (await get(sold, "/subscriptions"))["subscriptions"][0]

    async def test_one_value_like_the_plans_drops_its_override_alone(self, joined):
        await give(joined, OWN, "PATCH", seats={"max": 25, "guests": False})
        seats, _ = await give(joined, OWN, "PATCH", seats={"max": 10})
        assert seats["overrides"] == {"guests": False}

    async def test_a_privilege_is_removed_and_comes_back(self, joined):
        listed = (await call(joined, "DELETE", f"{OWN}/seats/privileges/max"))["entitlements"]
        assert values(listed) == {"seats": {"guests": True}, "sso": {"provider": "okta"}}
        assert values(await give(joined, OWN, "PATCH", seats={"max": 7}))["seats"] == {
            "max": 7,
            "guests": True,
        }
        await call(joined, "DELETE", f"{OWN}/seats/privileges/max")
        assert values(await give(joined, OWN, "PATCH", seats={"max": 10}))["seats"]["max"] == 10
        await call(joined, "DELETE", f"{OWN}/seats/privileges/max")
        await give(joined, OWN, "PATCH", seats={"max": 10, "guests": True})
        assert await joined.count(entitlement_removals) == 0

    async def test_a_removed_feature_comes_back_with_what_is_given(self, joined):
        await give(joined, OWN, "PATCH", seats={"max": 25})
        listed = (await call(joined, "DELETE", f"{OWN}/seats"))["entitlements"]
        assert values(listed) == {"sso": {"provider": "okta"}}
        # The override is gone with it.
        assert values(await give(joined, OWN, "PATCH", seats={}))["seats"] == {"max": 10, "guests": True}

    async def test_a_feature_of_its_own_goes_and_leaves_nothing(self, joined):
        await give(joined, OWN, "PATCH", api={"rate": 1})
        (await call(joined, "DELETE", f"{OWN}/api/privileges/rate"))
        assert values((await get(joined, OWN))["entitlements"])["api"] == {}
        await call(joined, "DELETE", f"{OWN}/api")
        assert "api" not in values((await get(joined, OWN))["entitlements"])
        assert await joined.count(entitlement_removals) == 0

    async def test_an_override_outlives_the_plans_grant(self, joined):
        await give(joined, OWN, "PATCH", seats={"max": 25})
        await call(joined, "DELETE", f"{PLAN}/seats")
        assert values((await get(joined, OWN))["entitlements"]) == {
            "sso": {"provider": "okta"},
            "seats": {"max": 25},
        }

    async def test_what_is_neither_granted_nor_overridden_is_removed_in_silence(self, joined):
        before = (await get(joined, OWN))["entitlements"]
        for path in ("api", "api/privileges/rate"):
            assert (await call(joined, "DELETE", f"{OWN}/{path}"))["entitlements"] == before
        assert await joined.told() == []
        assert await joined.count(entitlement_removals) == 0

    async def test_changes_are_told(self, joined):
        await give(joined, OWN, "PATCH", seats={"max": 25})
        await give(joined, OWN, "PATCH")
        await call(joined, "DELETE", f"{OWN}/seats/privileges/guests")
        await call(joined, "DELETE", f"{OWN}/seats")
        assert await joined.told() == ["subscription.updated"] * 4

    @pytest.mark.parametrize(
        ("method", "path", "code"),
        [
            ("GET", "/subscriptions/x/entitlements", "subscription"),
            ("GET", f"{OWN}?subscription_status=terminated", "subscription"),
            ("DELETE", f"{OWN}/unheard", "feature"),
            ("DELETE", f"{OWN}/unheard/privileges/max", "feature"),
            ("DELETE", f"{OWN}/seats/privileges/rate", "privilege"),
        ],
    )
    async def test_what_is_not_there_is_named(self, joined, method, path, code):
        assert (await call(joined, method, path, expect=404))["code"] == f"{code}_not_found"

    async def test_faults_change_nothing(self, joined):
        before = (await get(joined, OWN))["entitlements"]
        for sent, status in (
            ({"seats": {"max": 1}, "unheard": {}}, 404),
            ({"api": {"rate": 1}, "seats": {"max": "x"}}, 422),
        ):
            await call(joined, "PATCH", OWN, {"entitlements": sent}, expect=status)
        await call(joined, "PATCH", OWN, {}, expect=400)
        assert (await get(joined, OWN))["entitlements"] == before
        assert await joined.told() == []

    async def test_that_wait_or_are_over_are_asked_for_by_status(self, joined):
        later = {"subscription": {"external_customer_id": "c", "plan_code": "p", "external_id": "w"}}
        later["subscription"]["subscription_at"] = "2026-03-01"
        await post(joined, "/subscriptions", later)
        path = "/subscriptions/w/entitlements"
        await get(joined, path, expect=404)
        await call(joined, "PATCH", f"{path}?subscription_status=pending", {"entitlements": {"api": {}}})
        shown = (await get(joined, path, status="pending"))["entitlements"]
        assert [one["code"] for one in shown] == ["seats", "sso", "api"]

    async def test_on_a_plan_of_their_own_start_from_its_parent(self, joined):
        own = {"subscription": {"plan_overrides": {"amount_cents": 5}}}
        changed = (await call(joined, "PUT", "/subscriptions/s", own))["subscription"]
        assert changed["plan"]["parent_id"] is not None
        assert values(changed["plan"]["entitlements"])["sso"] == {"provider": "okta"}
        seats, _ = await give(joined, OWN, "PATCH", seats={"max": 3})
        assert (seats["overrides"], seats["privileges"][0]["plan_value"]) == ({"max": 3}, 10)

    async def test_a_change_of_plan_starts_again(self, joined):
        await kit.plan(joined, code="big", amount_cents=100_000)
        await give(joined, "/plans/big/entitlements", seats={"max": 99})
        await give(joined, OWN, "PATCH", seats={"max": 25}, api={"rate": 1})
        await kit.subscribe(joined, {"external_id": "c"}, {"code": "big"}, external_id="s")
        assert values((await get(joined, OWN))["entitlements"]) == {"seats": {"max": 99}}
        before = await get(joined, OWN, subscription_status="terminated")
        assert values(before["entitlements"])["api"] == {"rate": 1}
