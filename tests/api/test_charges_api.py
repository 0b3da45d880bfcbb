"""Charges and their filters over the API (pricing §5, §6)."""

import pytest
from tests import kit
from tests.kit import call, get, post

REGION = [{"key": "region", "values": ["eu", "us"]}, {"key": "tier", "values": ["gold"]}]
NOBODY = "00000000-0000-7000-8000-000000000001"


async def sold(client, of="sum_agg", *charges, is_used=False, **metric):
    """A plan `p` with charges on one metric."""
    measured = await kit.metric(client, of, code="m", **metric)
    plan = await kit.plan(client, *[{**kit.charge(measured), **charge} for charge in charges], code="p")
    if is_used:
        await kit.subscribe(client, await kit.customer(client), plan)
    return measured, plan


async def add(client, metric, expect=200, **values):
    body = {"code": "c", **kit.charge(metric), **values}
    answer = await post(client, "/plans/p/charges", {"charge": body}, expect=expect)
    return answer["charge"] if expect == 200 else answer.get("error_details", answer["code"])


async def change(client, of, expect=200, **values):
    answer = await call(client, "PUT", f"/plans/p/charges/{of}", {"charge": values}, expect=expect)
    return answer["charge"] if expect == 200 else answer.get("error_details", answer["code"])


class TestFields:
    """§5.1."""

    async def test_defaults(self, client):
        metric, _ = await sold(client)
        made = await add(client, metric)
        assert made.pop("lago_id")
        assert made.pop("created_at")
        assert made == {
            "lago_billable_metric_id": metric["lago_id"],
            "billable_metric_code": "m",
            "code": "c",
            "charge_model": "standard",
            "invoice_display_name": None,
            "invoiceable": True,
            "regroup_paid_fees": None,
            "pay_in_advance": False,
            "prorated": False,
            "min_amount_cents": 0,
            "accepts_target_wallet": False,
            "properties": {"amount": "1"},
            "filters": [],
            "taxes": [],
            "applied_pricing_unit": None,
            "lago_parent_id": None,
        }

    async def test_a_code_is_mandatory_and_of_one_charge(self, client):
        metric, _ = await sold(client, "sum_agg", {"code": "taken"})
        assert await add(client, metric, 422, code=None) == {"code": ["value_is_mandatory"]}
        assert await add(client, metric, 422, code="taken") == {"code": ["value_already_exist"]}
        await call(client, "DELETE", "/plans/p/charges/taken")
        assert (await add(client, metric, code="taken"))["code"] == "taken"

    @pytest.mark.parametrize("wrong", ["tiered", None, "", [], {}])
    async def test_another_model_is_refused(self, client, wrong):
        metric, _ = await sold(client)
        assert await add(client, metric, 422, charge_model=wrong) == {"charge_model": ["value_is_invalid"]}
        body = {"charge": {"code": "c", "billable_metric_id": metric["lago_id"]}}
        answer = await post(client, "/plans/p/charges", body, expect=422)
        assert answer["error_details"] == {"charge_model": ["value_is_invalid"]}

    @pytest.mark.parametrize("of", ["max_agg", "latest_agg", "weighted_sum_agg"])
    async def test_what_has_no_price_of_one_event_is_not_paid_in_advance(self, client, of):
        metric, _ = await sold(client, of, weighted_interval="seconds")
        wrong = {"pay_in_advance": ["invalid_aggregation_type_or_charge_model"]}
        assert await add(client, metric, 422, pay_in_advance=True) == wrong

    @pytest.mark.parametrize("of", ["count_agg", "sum_agg", "unique_count_agg"])
    async def test_what_has_may_be_but_not_as_a_volume(self, client, of):
        metric, _ = await sold(client, of)
        assert (await add(client, metric, pay_in_advance=True))["pay_in_advance"]
        wrong = {"pay_in_advance": ["invalid_aggregation_type_or_charge_model"]}
        volume = {"charge_model": "volume", "properties": {}, "code": "v"}
        assert await add(client, metric, 422, pay_in_advance=True, **volume) == wrong

    @pytest.mark.parametrize(
        ("values", "details"),
        [
            ({"invoiceable": False}, {"invoiceable": ["must_be_true_unless_pay_in_advance"]}),
            (
                {"regroup_paid_fees": "invoice", "pay_in_advance": True},
                {"regroup_paid_fees": ["only_compatible_with_pay_in_advance_and_non_invoiceable"]},
            ),
            ({"regroup_paid_fees": "monthly"}, {"regroup_paid_fees": ["value_is_invalid"]}),
            ({"min_amount_cents": -1}, {"min_amount_cents": ["value_is_out_of_range"]}),
            (
                {"min_amount_cents": 1, "pay_in_advance": True},
                {"min_amount_cents": ["not_compatible_with_pay_in_advance"]},
            ),
            ({"prorated": True}, {"prorated": ["invalid_billable_metric_or_charge_model"]}),
            (
                {"charge_model": "custom", "properties": {}},
                {"charge_model": ["invalid_aggregation_type_or_charge_model"]},
            ),
            ({"properties": {"amount": 5}}, {"properties": ["invalid_amount"]}),
            ({"properties": []}, {"properties": ["invalid_type"]}),
        ],
    )
    async def test_terms_that_do_not_go_together(self, client, values, details):
        metric, _ = await sold(client)
        assert await add(client, metric, 422, **values) == details

    async def test_a_dynamic_price_is_of_a_sum(self, client):
        metric, _ = await sold(client, "count_agg")
        wrong = {"charge_model": ["invalid_aggregation_type_or_charge_model"]}
        assert await add(client, metric, 422, charge_model="dynamic", properties={}) == wrong

    @pytest.mark.parametrize(
        ("model", "in_advance", "is_fine"),
        [
            ("standard", True, True),
            ("standard", False, True),
            ("volume", False, True),
            ("graduated", False, True),
            ("graduated", True, False),
            ("package", False, False),
            ("percentage", False, False),
            ("graduated_percentage", False, False),
        ],
    )
    async def test_what_recurs_may_be_prorated_in_some_models(self, client, model, in_advance, is_fine):
        metric, _ = await sold(client, "sum_agg", recurring=True)
        values = {"charge_model": model, "properties": {}, "prorated": True, "pay_in_advance": in_advance}
        if is_fine:
            assert (await add(client, metric, **values))["prorated"]
        else:
            wrong = {"prorated": ["invalid_billable_metric_or_charge_model"]}
            assert await add(client, metric, 422, **values) == wrong

    async def test_a_weighted_sum_is_never_prorated(self, client):
        metric, _ = await sold(client, "weighted_sum_agg", recurring=True, weighted_interval="seconds")
        wrong = {"prorated": ["invalid_billable_metric_or_charge_model"]}
        assert await add(client, metric, 422, prorated=True) == wrong

    async def test_group_keys_are_answered_under_both_names(self, client):
        metric, _ = await sold(client)
        properties = {"amount": "1", "grouped_by": ["team", " "], "rate": "5"}
        made = await add(client, metric, properties=properties)
        assert made["properties"] == {"amount": "1", "pricing_group_keys": ["team"], "grouped_by": ["team"]}

    @pytest.mark.parametrize(
        ("unit", "details"),
        [
            ({"code": "none", "conversion_rate": "1"}, {"pricing_unit": ["relation_must_exist"]}),
            ({"code": "cr"}, {"conversion_rate": ["value_is_mandatory", "is not a number"]}),
            ({"code": "cr", "conversion_rate": "0"}, {"conversion_rate": ["value_is_out_of_range"]}),
        ],
    )
    async def test_a_pricing_unit_is_there_and_has_a_rate(self, client, unit, details):
        """§11."""
        body = {"pricing_unit": {"code": "cr", "name": "Credits", "short_name": "cr"}}
        await post(client, "/pricing_units", body)
        metric, _ = await sold(client)
        assert await add(client, metric, 422, applied_pricing_unit=unit) == details


class TestEndpoints:
    """§5.2."""

    async def test_the_newest_is_first(self, client):
        metric, _ = await sold(client, "sum_agg", {"code": "a"})
        await add(client, metric, code="b")
        answer = await get(client, "/plans/p/charges")
        assert [charge["code"] for charge in answer["charges"]] == ["b", "a"]
        assert answer["meta"]["total_count"] == 2
        assert (await get(client, "/plans/p/charges/b"))["charge"] == answer["charges"][0]

    async def test_what_is_unknown(self, client):
        metric, _ = await sold(client, "sum_agg", {"code": "a"})
        body = {"charge": {**kit.charge(metric), "code": "c"}}
        for method, path in (("GET", ""), ("POST", ""), ("GET", "/a"), ("PUT", "/a"), ("DELETE", "/a")):
            answer = await call(client, method, f"/plans/none/charges{path}", body, expect=404)
            assert answer["code"] == "plan_not_found"
        for method in ("GET", "PUT", "DELETE"):
            answer = await call(client, method, "/plans/p/charges/none", body, expect=404)
            assert answer["code"] == "charge_not_found"
        assert await add(client, metric, 404, billable_metric_id=NOBODY) == "billable_metric_not_found"
        assert await add(client, metric, 404, tax_codes=["none"]) == "tax_not_found"
        for method, path in (("POST", ""), ("PUT", "/a")):
            answer = await call(client, method, f"/plans/p/charges{path}", {}, expect=400)
            assert answer["error"].endswith("invalid: charge")

    async def test_only_what_is_sent_changes(self, client):
        metric, plan = await sold(
            client,
            "sum_agg",
            {
                "code": "a",
                "invoice_display_name": "N",
                "min_amount_cents": 5,
                "filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}],
            },
            filters=REGION,
        )
        before = plan["charges"][0]
        changed = await change(client, "a", properties={"amount": "9"})
        assert changed == {**before, "properties": {"amount": "9"}}
        changed = await change(client, "a", invoice_display_name=None)
        assert changed == {**before, "properties": {"amount": "9"}, "invoice_display_name": None}
        assert (await change(client, "a", filters=[]))["filters"] == []
        assert metric["code"] == changed["billable_metric_code"]

    async def test_another_model_starts_from_a_price_of_zero(self, client):
        await sold(client, "sum_agg", {"code": "a"})
        changed = await change(client, "a", charge_model="package")
        assert changed["properties"] == {"package_size": 1, "amount": "0", "free_units": 0}

    async def test_everything_changes_while_nobody_is_on_the_plan(self, client):
        await sold(client, "sum_agg", {"code": "a"})
        other = await kit.metric(client, "count_agg")
        changed = await change(
            client, "a", code="b", pay_in_advance=True, invoiceable=False, regroup_paid_fees="invoice",
            billable_metric_id=other["lago_id"],
        )  # fmt: skip
        assert (changed["code"], changed["pay_in_advance"], changed["invoiceable"]) == ("b", True, False)
        assert (changed["regroup_paid_fees"], changed["billable_metric_code"]) == ("invoice", other["code"])
        wrong = {"min_amount_cents": ["not_compatible_with_pay_in_advance"]}
        assert await change(client, "b", 422, min_amount_cents=5) == wrong

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("code", "b"),
            ("charge_model", "package"),
            ("invoiceable", False),
            ("min_amount_cents", 7),
            ("pay_in_advance", True),
            ("prorated", True),
            ("regroup_paid_fees", "invoice"),
        ],
    )
    async def test_its_shape_stays_once_somebody_is_on_the_plan(self, client, name, value):
        _, plan = await sold(client, "sum_agg", {"code": "a"}, is_used=True, recurring=True)
        before = plan["charges"][0]
        assert await change(client, "a", 422, **{name: value}) == {name: ["modification_not_allowed"]}
        kept = await change(
            client, "a", **{name: before[name]}, properties={"amount": "3"}, invoice_display_name="N",
            accepts_target_wallet=True,
        )  # fmt: skip
        assert kept == {
            **before,
            "properties": {"amount": "3"},
            "invoice_display_name": "N",
            "accepts_target_wallet": True,
        }

    async def test_its_metric_stays_then_too(self, client):
        metric, _ = await sold(client, "sum_agg", {"code": "a"}, is_used=True)
        other = await kit.metric(client)
        wrong = {"billable_metric_id": ["modification_not_allowed"]}
        assert await change(client, "a", 422, billable_metric_id=other["lago_id"]) == wrong
        await change(client, "a", billable_metric_id=metric["lago_id"])

    async def test_what_is_deleted_bills_nothing_of_the_running_period(self, client):
        metric, _ = await sold(client, "sum_agg", {"code": "a"})
        who = await kit.customer(client)
        bought = await kit.subscribe(client, who, {"code": "p"})
        await kit.send(client, bought, metric, 5)
        assert (await kit.usage(client, who, bought))["amount_cents"] == 500
        gone = await call(client, "DELETE", "/plans/p/charges/a")
        assert gone["charge"]["code"] == "a"
        assert (await kit.usage(client, who, bought))["charges_usage"] == []
        await get(client, "/plans/p/charges/a", expect=404)


FILTERS = "/plans/p/charges/a/filters"
EU, US = {"region": ["eu"]}, {"region": ["us"]}


async def filtered(client, **more):
    listed = [{"values": EU, "properties": {"amount": "2"}, "invoice_display_name": "Europe"}]
    return await sold(client, "sum_agg", {"code": "a", "filters": listed}, filters=REGION, **more)


async def add_filter(client, expect=200, **values):
    answer = await post(
        client, FILTERS, {"filter": {"values": US, "properties": {"amount": "3"}, **values}}, expect=expect
    )
    return answer["filter"] if expect == 200 else answer["error_details"]


class TestFilters:
    """§6."""

    async def test_are_made_read_changed_and_deleted(self, client):
        await filtered(client)
        made = await add_filter(client, values={"region": ["us"], "tier": ["gold"]})
        assert made == {
            "lago_id": made["lago_id"],
            "charge_code": "a",
            "invoice_display_name": None,
            "properties": {"amount": "3"},
            "values": {"region": ["us"], "tier": ["gold"]},
        }
        path = f"{FILTERS}/{made['lago_id']}"
        assert (await get(client, path))["filter"] == made
        listed = await get(client, FILTERS)
        assert [item["values"] for item in listed["filters"]] == [EU, made["values"]]
        assert listed["filters"][1] == made
        body = {"filter": {"values": EU, "invoice_display_name": "Name"}}
        changed = (await call(client, "PUT", path, body))["filter"]
        assert changed == {**made, "invoice_display_name": "Name"}
        body = {"filter": {"properties": {"amount": "4"}}}
        changed = (await call(client, "PUT", path, body))["filter"]
        assert changed == {**made, "invoice_display_name": "Name", "properties": {"amount": "4"}}
        assert (await call(client, "DELETE", path))["filter"] == changed
        assert (await get(client, path, expect=404))["code"] == "charge_filter_not_found"

    @pytest.mark.parametrize(
        ("values", "details"),
        [
            ({"values": {}}, {"values": ["value_is_mandatory"]}),
            ({"values": None}, {"values": ["value_is_mandatory"]}),
            ({"values": {"region": []}}, {"values": ["value_is_mandatory"]}),
            ({"values": {"region": ["mars"]}}, {"values": ["value_is_invalid"]}),
            (
                {"values": {"planet": ["mars"]}},
                {"values": ["value_is_invalid"], "billable_metric_filter": ["relation_must_exist"]},
            ),
            ({"properties": {"amount": "x"}}, {"properties": ["invalid_amount"]}),
            ({"properties": {}}, {"properties": ["invalid_amount"]}),
        ],
    )
    async def test_are_refused_by_name_wherever_they_come(self, client, values, details):
        metric, _ = await filtered(client)
        assert await add_filter(client, 422, **values) == details
        item = {"values": US, "properties": {"amount": "3"}, **values}
        assert await add(client, metric, 422, filters=[item]) == details
        assert await change(client, "a", 422, filters=[item]) == details

    async def test_may_be_twice_the_same_on_a_plan(self, client):
        await filtered(client)
        await add_filter(client, values=EU)
        assert [item["values"] for item in (await get(client, FILTERS))["filters"]] == [EU, EU]

    async def test_in_a_list_are_known_by_their_values_and_keep_its_order(self, client):
        _, plan = await filtered(client)
        known = (await get(client, FILTERS))["filters"][0]
        assert plan["charges"][0]["filters"][0]["values"] == EU
        sent = [
            {"values": {"tier": ["gold"], "region": ["us", "eu"]}, "properties": {"amount": "5"}},
            {"values": EU, "properties": {"amount": "6"}},
        ]
        await change(client, "a", filters=sent)
        found = (await get(client, FILTERS))["filters"]
        assert [item["values"] for item in found] == [sent[0]["values"], EU]
        assert found[1] == {**known, "properties": {"amount": "6"}}
        turned = [{"values": {"region": ["eu", "us"], "tier": ["gold"]}, "properties": {"amount": "7"}}]
        await change(client, "a", filters=turned)
        (left,) = (await get(client, FILTERS))["filters"]
        assert (left["lago_id"], left["properties"]) == (found[0]["lago_id"], {"amount": "7"})

    async def test_of_all_values_are_kept_as_they_are_written(self, client):
        await filtered(client)
        made = await add_filter(client, values={"region": ["__ALL_FILTER_VALUES__"]})
        assert made["values"] == {"region": ["__ALL_FILTER_VALUES__"]}

    async def test_have_no_breakdowns_of_their_own(self, client):
        await filtered(client)
        properties = {"amount": "1", "presentation_group_keys": [{"value": "x"}], "pricing_group_keys": ["y"]}
        made = await add_filter(client, properties=properties)
        assert made["properties"] == {"amount": "1", "pricing_group_keys": ["y"], "grouped_by": ["y"]}

    async def test_what_is_unknown(self, client):
        await filtered(client)
        body = {"filter": {"values": US, "properties": {"amount": "1"}}}
        for method, path, code in (
            ("GET", "/plans/none/charges/a/filters", "plan_not_found"),
            ("POST", "/plans/none/charges/a/filters", "plan_not_found"),
            ("GET", "/plans/p/charges/none/filters", "charge_not_found"),
            ("POST", "/plans/p/charges/none/filters", "charge_not_found"),
            ("GET", f"{FILTERS}/{NOBODY}", "charge_filter_not_found"),
            ("PUT", f"{FILTERS}/{NOBODY}", "charge_filter_not_found"),
            ("DELETE", f"{FILTERS}/no-id", "charge_filter_not_found"),
        ):
            assert (await call(client, method, path, body, expect=404))["code"] == code
