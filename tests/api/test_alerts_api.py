"""Alerts on subscriptions: making, changing, deleting, and every error of the table (wallets §9)."""

import json

import pytest
from tests import kit

GOOD = {"alert_type": "current_usage_amount", "code": "a", "thresholds": [{"value": 1000, "code": "warn"}]}


@pytest.fixture
async def subscribed(make_organization):
    """A client with a metric, a plan on it and a subscription; and the path to its alerts."""
    client = (await make_organization("2026-05-01T00:00:00Z")).client
    of = await kit.metric(client)
    plan = await kit.plan(client, kit.charge(of))
    subscription = await kit.subscribe(client, await kit.customer(client), plan)
    return client, of, subscription, f"/subscriptions/{subscription['external_id']}/alerts"


async def refused(client, path, expect=422, method="POST", **changes):
    """What is wrong with a good alert once it is changed; `...` leaves a field out."""
    body = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
    answer = await kit.call(client, method, path, {"alert": body}, expect=expect)
    return answer.get("error_details", answer["code"])


class TestMaking:
    async def test_it_is_shown_as_it_was_made(self, subscribed):
        client, of, subscription, path = subscribed
        body = {
            **GOOD,
            "alert_type": "billable_metric_current_usage_units",
            "billable_metric_code": of["code"],
            "name": "Units",
            "thresholds": [{"value": "12.5", "code": "warn"}, {"value": 3, "recurring": True}],
        }
        made = (await kit.post(client, path, {"alert": body}))["alert"]
        assert made["lago_organization_id"]
        assert made["lago_id"]
        assert made["billable_metric"]["code"] == of["code"]
        assert made["thresholds"] == [
            {"code": "warn", "value": "12.5", "recurring": False},
            {"code": None, "value": "3.0", "recurring": True},
        ]
        shown = {name: made[name] for name in (
            "alert_type", "code", "name", "direction", "external_subscription_id", "lago_wallet_id", "wallet_code")}  # fmt: skip
        assert shown == {
            "alert_type": "billable_metric_current_usage_units",
            "code": "a",
            "name": "Units",
            "direction": "increasing",
            "external_subscription_id": subscription["external_id"],
            "lago_wallet_id": None,
            "wallet_code": None,
        }
        assert (made["previous_value"], made["last_processed_at"]) == ("0.0", None)
        read = (await kit.get(client, f"{path}/a"))["alert"]
        # It has been looked at before the call returned.
        assert read == {**made, "last_processed_at": "2026-05-01T00:00:00Z"}

    @pytest.mark.parametrize(
        ("changes", "details"),
        [
            ({"alert_type": ...}, {"alert_type": ["value_is_mandatory", "value_is_invalid"]}),
            ({"alert_type": "nonsense"}, {"alert_type": ["invalid_type"]}),
            ({"alert_type": "wallet_balance_amount"}, {"alert_type": ["invalid_type"]}),
            ({"thresholds": ...}, {"thresholds": ["value_is_mandatory"]}),
            ({"thresholds": []}, {"thresholds": ["value_is_mandatory"]}),
            ({"thresholds": [{"value": n} for n in range(1, 22)]}, {"thresholds": ["too_many_thresholds"]}),
            (
                {"thresholds": [{"value": 5}, {"value": "5.00"}]},
                {"thresholds": ["duplicate_threshold_values"]},
            ),
            ({"thresholds": [{"code": "x"}]}, {"thresholds:value": ["value_is_mandatory"]}),
            ({"thresholds": [{"value": "a lot"}]}, {"thresholds:value": ["value_is_invalid"]}),
            ({"thresholds": [{"value": "NaN"}]}, {"thresholds:value": ["value_is_invalid"]}),
            ({"thresholds": [{"value": True}]}, {"thresholds:value": ["value_is_invalid"]}),
            (
                {"thresholds": [{"value": 0, "recurring": True}]},
                {"thresholds:value": ["recurring_value_is_negative"]},
            ),
            (
                {"thresholds": [{"value": "0.000001", "recurring": True}]},
                {"thresholds:value": ["recurring_value_is_negative"]},
            ),
            (
                {"thresholds": [{"value": 1, "recurring": True}, {"value": 2, "recurring": True}]},
                {"base": ["alert_already_exists"]},
            ),
            (
                {"alert_type": "billable_metric_current_usage_units"},
                {"billable_metric": ["value_is_mandatory"]},
            ),
            ({"code": ...}, {"code": ["value_is_mandatory"]}),
            ({"code": " "}, {"code": ["value_is_mandatory"]}),
            (
                {"code": None, "thresholds": None},
                {"code": ["value_is_mandatory"], "thresholds": ["value_is_mandatory"]},
            ),
        ],
    )
    async def test_what_is_refused(self, subscribed, changes, details):
        client, _, _, path = subscribed
        assert await refused(client, path, **changes) == details
        assert (await kit.get(client, path))["alerts"] == []

    async def test_a_metric_is_for_its_own_types_alone_and_must_exist(self, subscribed):
        client, of, _, path = subscribed
        superfluous = await refused(client, path, billable_metric_code=of["code"])
        assert superfluous == {"billable_metric": ["value_must_be_blank"]}
        unknown = await refused(client, path, expect=404, billable_metric_code="unknown")
        assert unknown == "billable_metric_not_found"

    async def test_a_code_and_a_type_are_taken_once(self, subscribed):
        client, of, _, path = subscribed
        await kit.post(client, path, {"alert": GOOD})
        assert await refused(client, path, code="b") == {"base": ["alert_already_exists"]}
        on_metric = {"alert_type": "billable_metric_current_usage_amount", "billable_metric_code": of["code"]}
        assert await refused(client, path, **on_metric) == {"code": ["value_already_exist"]}
        await kit.post(client, path, {"alert": {**GOOD, **on_metric, "code": "b"}})
        another = await kit.metric(client)
        body = {**GOOD, **on_metric, "code": "c", "billable_metric_code": another["code"]}
        await kit.post(client, path, {"alert": body})

    async def test_twenty_thresholds_are_not_too_many(self, subscribed):
        client, _, _, path = subscribed
        body = {**GOOD, "thresholds": [{"value": n} for n in range(1, 21)]}
        made = (await kit.post(client, path, {"alert": body}))["alert"]
        assert len(made["thresholds"]) == 20

    async def test_without_a_root_nothing_is_asked_for(self, subscribed):
        client, _, _, path = subscribed
        nothing: list[kit.Json] = [{}, {"alert": {}}, {"alerts": []}, {"alert": None, "alerts": None}]
        for body in nothing:
            answer = await kit.post(client, path, body, expect=400)
            assert answer["error"].endswith("invalid: alert")

    async def test_an_unknown_subscription_has_none(self, subscribed):
        client, _, _, path = subscribed
        for method, unknown in (("POST", "/subscriptions/x/alerts"), ("GET", f"{path}?status=pending")):
            answer = await kit.call(client, method, unknown, {"alert": GOOD}, expect=404)
            assert answer["code"] == "subscription_not_found"


class TestBatches:
    async def test_all_are_made(self, subscribed):
        client, of, _, path = subscribed
        on_metric = {**GOOD, "code": "b", "alert_type": "billable_metric_current_usage_amount",
                     "billable_metric_code": of["code"]}  # fmt: skip
        made = await kit.post(client, path, {"alerts": [GOOD, on_metric]})
        assert [alert["code"] for alert in made["alerts"]] == ["a", "b"]
        listed = await kit.get(client, path)
        assert listed["meta"]["total_count"] == 2

    async def test_or_none_and_what_is_wrong_is_told_by_index(self, subscribed):
        client, _, _, path = subscribed
        twin, unknown = {**GOOD, "code": "b"}, {**GOOD, "billable_metric_code": "unknown"}
        sent = [GOOD, twin, {"code": "c"}, unknown]
        answer = await kit.post(client, path, {"alerts": sent}, expect=422)
        details = answer["error_details"]
        assert details["1"]["params"] == twin
        words = "Validation errors: "
        assert details["1"]["errors"] == words + '{"base":["alert_already_exists"]}'
        assert json.loads(details["2"]["errors"].removeprefix(words)) == {
            "alert_type": ["value_is_mandatory", "value_is_invalid"],
            "thresholds": ["value_is_mandatory"],
        }
        assert details["3"] == {"params": unknown, "errors": "billable_metric_not_found"}
        assert set(details) == {"1", "2", "3"}
        assert (await kit.get(client, path))["alerts"] == []


class TestChanging:
    async def test_only_what_is_sent_changes_and_thresholds_as_a_whole(self, subscribed):
        client, _, _, path = subscribed
        made = (await kit.post(client, path, {"alert": {**GOOD, "name": "N"}}))["alert"]
        sent = {"thresholds": [{"value": 7}], "alert_type": "lifetime_usage_amount"}
        changed = (await kit.call(client, "PUT", f"{path}/a", {"alert": sent}))["alert"]
        assert changed["thresholds"] == [{"code": None, "value": "7.0", "recurring": False}]
        assert (changed["name"], changed["alert_type"]) == ("N", made["alert_type"])
        kept = (await kit.call(client, "PATCH", f"{path}/a", {"alert": {"thresholds": [], "name": None}}))[
            "alert"
        ]
        assert (kept["thresholds"], kept["name"]) == (changed["thresholds"], None)
        await kit.call(client, "PUT", f"{path}/a", {"alert": {"code": "z"}})
        assert (await kit.get(client, f"{path}/a", expect=404))["code"] == "alert_not_found"
        assert (await kit.get(client, f"{path}/z"))["alert"]["lago_id"] == made["lago_id"]

    async def test_what_is_refused(self, subscribed):
        client, of, _, path = subscribed
        await kit.post(client, path, {"alert": GOOD})
        other = {**GOOD, "code": "b", "alert_type": "billable_metric_current_usage_units",
                 "billable_metric_code": of["code"]}  # fmt: skip
        await kit.post(client, path, {"alert": other})

        async def put(body, expect=422):
            answer = await kit.call(client, "PUT", f"{path}/b", {"alert": body}, expect=expect)
            return answer.get("error_details") or answer.get("code") or answer["error"]

        assert await put({"code": "a"}) == {"code": ["value_already_exist"]}
        assert await put({"code": None}) == {"code": ["value_is_mandatory"]}
        assert await put({"billable_metric_code": None}) == {"billable_metric": ["value_is_mandatory"]}
        assert await put({"billable_metric_code": "x"}, 404) == "billable_metric_not_found"
        assert await put({"thresholds": [{"value": "x"}]}) == {"thresholds:value": ["value_is_invalid"]}
        assert (await put({}, 400)).endswith("invalid: alert")
        unknown = await kit.call(client, "PUT", f"{path}/x", {"alert": {"name": "x"}}, expect=404)
        assert unknown["code"] == "alert_not_found"


class TestDeleting:
    async def test_one_and_its_code_and_type_are_free_again(self, subscribed):
        client, _, _, path = subscribed
        made = (await kit.post(client, path, {"alert": GOOD}))["alert"]
        gone = (await kit.call(client, "DELETE", f"{path}/a"))["alert"]
        assert gone["lago_id"] == made["lago_id"]
        assert (await kit.call(client, "DELETE", f"{path}/a", expect=404))["code"] == "alert_not_found"
        again = (await kit.post(client, path, {"alert": GOOD}))["alert"]
        assert again["lago_id"] != made["lago_id"]

    async def test_all_of_one_subscription_and_no_other(self, subscribed):
        client, _, _subscription, path = subscribed
        other = await kit.subscribe(client, await kit.customer(client), await kit.plan(client))
        others = f"/subscriptions/{other['external_id']}/alerts"
        for where in (path, others):
            await kit.post(client, where, {"alert": GOOD})
        answer = await client.delete(path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert (await kit.get(client, path))["alerts"] == []
        assert len((await kit.get(client, others))["alerts"]) == 1

    async def test_a_deleted_metric_takes_its_alerts_with_it(self, subscribed):
        """metering §2.2."""
        client, of, _, path = subscribed
        on_metric = {"alert_type": "billable_metric_current_usage_units", "billable_metric_code": of["code"]}
        await kit.post(client, path, {"alert": {**GOOD, **on_metric}})
        await kit.call(client, "DELETE", f"/billable_metrics/{of['code']}")
        assert (await kit.get(client, path))["alerts"] == []


async def test_nobody_elses_alerts_are_seen(subscribed, other_client):
    client, _, subscription, path = subscribed
    await kit.post(client, path, {"alert": GOOD})
    await kit.subscribe(
        other_client,
        await kit.customer(other_client),
        await kit.plan(other_client),
        external_id=subscription["external_id"],
    )
    assert (await kit.get(other_client, path))["alerts"] == []
    assert (await kit.get(other_client, f"{path}/a", expect=404))["code"] == "alert_not_found"


async def test_a_page_at_a_time_newest_first(subscribed):
    client, _of, _, path = subscribed
    await kit.post(client, path, {"alert": GOOD})
    await kit.post(client, path, {"alert": {**GOOD, "code": "b", "alert_type": "lifetime_usage_amount"}})
    first = await kit.get(client, path, per_page=1)
    assert ([alert["code"] for alert in first["alerts"]], first["meta"]["total_pages"]) == (["b"], 2)
