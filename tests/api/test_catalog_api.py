"""Taxes, billable metrics and plans over the API (pricing §2, §4, §5; metering §2)."""

import pytest
from tests import kit

OPEN = {"from_value": 0, "to_value": None}


async def errors(client, path, body, **query):
    return (await kit.post(client, path, body, expect=422, **query))["error_details"]


class TestTaxes:
    async def test_one_of_the_organization_hangs_on_its_default_entity(self, client):
        made = await kit.tax(client, "19.6", code="vat")
        assert (made["rate"], made["applied_to_organization"]) == (19.6, True)
        assert made["applied_to_billing_entities_codes"] == ["acme"]
        changed = await kit.call(client, "PUT", "/taxes/vat", {"tax": {"applied_to_organization": False}})
        assert changed["tax"]["applied_to_billing_entities_codes"] == []
        assert changed["tax"]["rate"] == 19.6

    async def test_a_code_is_taken_once_and_free_after_deletion(self, client):
        await kit.tax(client, code="vat")
        body = {"tax": {"name": "x", "code": "vat", "rate": "1"}}
        assert await errors(client, "/taxes", body) == {"code": ["value_already_exist"]}
        await kit.call(client, "DELETE", "/taxes/vat")
        assert (await kit.get(client, "/taxes/vat", expect=404))["code"] == "tax_not_found"
        await kit.post(client, "/taxes", body)

    @pytest.mark.parametrize("rate", ["abc", True, "NaN", "Infinity", [1]])
    async def test_a_rate_is_a_number(self, client, rate):
        details = await errors(client, "/taxes", {"tax": {"name": "x", "code": "x", "rate": rate}})
        assert details == {"rate": ["is not a number"]}

    async def test_what_is_missing_is_told_at_once(self, client):
        details = await errors(client, "/taxes", {"tax": {"description": "x"}})
        assert details == {name: ["value_is_mandatory"] for name in ("name", "code", "rate")}


class TestMetrics:
    async def test_one_is_read_as_it_was_made(self, client):
        made = await kit.metric(
            client, "sum_agg", code="a.b/c", rounding_function="ceil", rounding_precision=-2
        )
        read = (await kit.get(client, "/billable_metrics/a.b/c"))["billable_metric"]
        assert read == {name: value for name, value in made.items() if not name.endswith("_count")}
        assert (read["field_name"], read["recurring"], read["rounding_precision"]) == ("value", False, -2)

    async def test_a_count_has_no_field(self, client):
        assert (await kit.metric(client, "count_agg", field_name="x"))["field_name"] is None

    @pytest.mark.parametrize(
        ("wrong", "details"),
        [
            ({"aggregation_type": "median"}, {"aggregation_type": ["value_is_invalid"]}),
            ({"aggregation_type": None}, {"aggregation_type": ["value_is_invalid"]}),
            ({"field_name": None}, {"field_name": ["value_is_mandatory"]}),
            ({"name": " "}, {"name": ["value_is_mandatory"]}),
            (
                {"aggregation_type": "max_agg", "recurring": True},
                {"recurring": ["not_compatible_with_aggregation_type"]},
            ),
            ({"rounding_function": "trunc"}, {"rounding_function": ["value_is_invalid"]}),
            ({"filters": [{"key": "a", "values": []}]}, {"values": ["value_is_mandatory"]}),
            ({"filters": [{"key": " ", "values": ["b"]}]}, {"key": ["value_is_mandatory"]}),
            ({"filters": [{"key": "a", "values": ["b"]}] * 2}, {"key": ["value_is_duplicated"]}),
            ({"aggregation_type": "weighted_sum_agg"}, {"weighted_interval": ["value_is_invalid"]}),
            ({"expression": "1 +"}, {"expression": ["invalid_expression"]}),
        ],
    )
    async def test_bad_values_are_refused_by_name(self, client, wrong, details):
        body = {"name": "m", "code": "m", "aggregation_type": "sum_agg", "field_name": "value", **wrong}
        assert await errors(client, "/billable_metrics", {"billable_metric": body}) == details
        assert (await kit.get(client, "/billable_metrics"))["meta"]["total_count"] == 0

    async def test_the_reserved_aggregation_is_forbidden(self, client):
        body = {"name": "m", "code": "m", "aggregation_type": "custom_agg"}
        answer = await kit.post(client, "/billable_metrics", {"billable_metric": body}, expect=403)
        assert answer["code"] == "feature_unavailable"

    async def test_one_in_use_changes_its_name_and_description_only(self, client):
        """metering §2.2."""
        metric = await kit.metric(client)
        await kit.plan(client, kit.charge(metric))
        path = f"/billable_metrics/{metric['code']}"
        changed = await kit.call(
            client, "PUT", path, {"billable_metric": {"name": "New", "aggregation_type": "sum_agg"}}
        )
        assert changed["billable_metric"]["name"] == "New"
        answer = await kit.call(client, "PUT", path, {"billable_metric": {"field_name": "other"}}, expect=422)
        assert answer["error_details"] == {"field_name": ["modification_not_allowed"]}

    async def test_deleting_one_deletes_its_charges_and_frees_its_code(self, client):
        metric = await kit.metric(client, code="m")
        plan = await kit.plan(client, kit.charge(metric))
        await kit.call(client, "DELETE", "/billable_metrics/m")
        assert (await kit.get(client, f"/plans/{plan['code']}"))["plan"]["charges"] == []
        await kit.metric(client, code="m")


class TestPlans:
    @pytest.mark.parametrize(
        ("wrong", "details"),
        [
            ({"interval": "daily"}, {"interval": ["value_is_invalid"]}),
            ({"amount_cents": -1}, {"amount_cents": ["value_is_out_of_range"]}),
            ({"amount_cents": "many"}, {"amount_cents": ["value_is_invalid"]}),
            ({"amount_currency": "XXX"}, {"amount_currency": ["value_is_invalid"]}),
            ({"pay_in_advance": None}, {"pay_in_advance": ["value_is_invalid"]}),
            ({"name": None}, {"name": ["value_is_mandatory"]}),
            ({"minimum_commitment": {"amount_cents": 0}}, {"amount_cents": ["value_is_out_of_range"]}),
            ({"usage_thresholds": [{}]}, {"usage_thresholds": ["missing_amount_cents"]}),
            ({"usage_thresholds": [{"amount_cents": 1}] * 2}, {"usage_thresholds": ["duplicated_values"]}),
            ({"usage_thresholds": [{"amount_cents": 0}]}, {"amount_cents": ["value_is_out_of_range"]}),
            (
                {"usage_thresholds": [{"amount_cents": n, "recurring": True} for n in (1, 2)]},
                {"usage_thresholds": ["multiple_recurring_thresholds"]},
            ),
            ({"trial_period": -3}, {"trial_period": ["value_is_out_of_range"]}),
            ({"metadata": {"k": "v" * 256}}, {"value": ["value_is_too_long"]}),
        ],
    )
    async def test_bad_values_are_refused_by_name(self, client, wrong, details):
        body = {
            "name": "p",
            "code": "p",
            "interval": "monthly",
            "amount_cents": 100,
            "amount_currency": "EUR",
            "pay_in_advance": False,
            **wrong,
        }
        assert await errors(client, "/plans", {"plan": body}) == details
        assert (await kit.get(client, "/plans"))["meta"]["total_count"] == 0

    async def test_an_amount_may_be_a_numeric_string_whose_fraction_is_cut(self, client):
        """pricing §1.1."""
        assert (await kit.plan(client, amount_cents="199.9"))["amount_cents"] == 199

    @pytest.mark.parametrize(
        ("charge_model", "properties", "codes"),
        [
            ("standard", {"amount": 5}, ["invalid_amount"]),
            ("standard", {"amount": "-1"}, ["invalid_amount"]),
            ("standard", {"amount": "1e15"}, ["invalid_amount"]),
            ("package", {"amount": "x", "package_size": 0, "free_units": -1},
             ["invalid_amount", "invalid_package_size", "invalid_free_units"]),
            ("graduated", {"graduated_ranges": []}, ["missing_graduated_ranges"]),
            ("graduated", {"graduated_ranges": [{**OPEN, "from_value": 5, "per_unit_amount": "1", "flat_amount": "0"}]},
             ["invalid_graduated_ranges"]),
            ("percentage", {"rate": "1", "fixed_amount": "x"}, ["invalid_fixed_amount"]),
            ("standard", {"amount": "1", "pricing_group_keys": "region"}, ["invalid_type"]),
        ],
    )  # fmt: skip
    async def test_a_charge_that_makes_no_price_is_refused(self, client, charge_model, properties, codes):
        metric = await kit.metric(client)
        body = {
            "name": "p", "code": "p", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR",
            "pay_in_advance": False, "charges": [kit.charge(metric, charge_model) | {"properties": properties}],
        }  # fmt: skip
        assert await errors(client, "/plans", {"plan": body}) == {"properties": codes}
        assert (await kit.get(client, "/plans"))["meta"]["total_count"] == 0

    async def test_an_unknown_metric_is_not_found_and_nothing_is_saved(self, client):
        charge = {"billable_metric_id": "00000000-0000-7000-8000-000000000000", "charge_model": "standard"}
        body = {
            "name": "p", "code": "p", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR",
            "pay_in_advance": False, "charges": [charge],
        }  # fmt: skip
        assert (await kit.post(client, "/plans", {"plan": body}, expect=404))[
            "code"
        ] == "billable_metrics_not_found"
        assert (await kit.get(client, "/plans"))["meta"]["total_count"] == 0

    async def test_charges_take_the_metrics_code_and_number_it_when_taken(self, client):
        """pricing §5.1."""
        metric = await kit.metric(client, code="api")
        plan = await kit.plan(client, *[kit.charge(metric)] * 3)
        assert [charge["code"] for charge in plan["charges"]] == ["api", "api_2", "api_3"]

    async def test_empty_properties_are_a_price_of_zero(self, client):
        metric = await kit.metric(client)
        plan = await kit.plan(client, kit.charge(metric, "package"))
        assert plan["charges"][0]["properties"] == {"package_size": 1, "amount": "0", "free_units": 0}

    async def test_monthly_flags_are_kept_for_long_plans_only(self, client):
        monthly = await kit.plan(client, bill_charges_monthly=True)
        yearly = await kit.plan(client, interval="yearly", bill_charges_monthly=True)
        assert (monthly["bill_charges_monthly"], yearly["bill_charges_monthly"]) == (None, True)
        assert yearly["bill_fixed_charges_monthly"] is False
        body = {"plan": {"interval": "quarterly"}}
        changed = await kit.call(client, "PUT", f"/plans/{yearly['code']}", body)
        assert changed["plan"]["bill_charges_monthly"] is None

    async def test_no_trial_and_one_of_no_days_are_the_same_to_a_plan_in_use(self, client):
        """pricing §4.1, §4.3: the stored value is no change."""
        plan = await kit.plan(client, interval="yearly")
        await kit.subscribe(client, await kit.customer(client), plan)
        body = {"plan": {"trial_period": 0, "bill_charges_monthly": None}}
        await kit.call(client, "PUT", f"/plans/{plan['code']}", body)
        body = {"plan": {"trial_period": 1, "bill_charges_monthly": True}}
        answer = await kit.call(client, "PUT", f"/plans/{plan['code']}", body, expect=422)
        assert answer["error_details"] == {
            "trial_period": ["modification_not_allowed"],
            "bill_charges_monthly": ["modification_not_allowed"],
        }

    async def test_charges_sent_are_the_full_list(self, client):
        """pricing §4.3: known ids are changed, others added, the rest deleted."""
        metric = await kit.metric(client)
        plan = await kit.plan(client, kit.charge(metric), kit.charge(metric, amount="2"))
        kept = plan["charges"][1]
        changed = await kit.call(
            client,
            "PUT",
            f"/plans/{plan['code']}",
            {
                "plan": {
                    "charges": [
                        {"id": kept["lago_id"], "properties": {"amount": "3"}},
                        kit.charge(metric, amount="4"),
                    ]
                }
            },
        )
        found = [
            (charge["lago_id"] == kept["lago_id"], charge["properties"])
            for charge in changed["plan"]["charges"]
        ]
        assert found == [(True, {"amount": "3"}), (False, {"amount": "4"})]

    async def test_a_plan_in_use_keeps_its_shape(self, client):
        """pricing §4.3, §5.2."""
        metric = await kit.metric(client)
        plan = await kit.plan(client, kit.charge(metric), amount_cents=100)
        await kit.subscribe(client, await kit.customer(client), plan)
        path = f"/plans/{plan['code']}"
        answer = await kit.call(
            client, "PUT", path, {"plan": {"interval": "weekly", "code": "new"}}, expect=422
        )
        assert answer["error_details"] == {
            "code": ["modification_not_allowed"],
            "interval": ["modification_not_allowed"],
        }
        changed = await kit.call(client, "PUT", path, {"plan": {"amount_cents": 200, "interval": "monthly"}})
        assert changed["plan"]["amount_cents"] == 200
        charge = f"{path}/charges/{plan['charges'][0]['code']}"
        answer = await kit.call(client, "PUT", charge, {"charge": {"charge_model": "package"}}, expect=422)
        assert answer["error_details"] == {"charge_model": ["modification_not_allowed"]}
        changed = await kit.call(client, "PUT", charge, {"charge": {"properties": {"amount": "9"}}})
        assert changed["charge"]["properties"] == {"amount": "9"}

    async def test_a_plan_that_nobody_is_on_is_gone_at_once(self, client):
        free = await kit.plan(client, code="free")
        await kit.call(client, "DELETE", "/plans/free")
        assert (await kit.get(client, "/plans/free", expect=404))["code"] == "plan_not_found"
        assert (await kit.plan(client, code="free"))["lago_id"] != free["lago_id"]

    async def test_a_list_costs_the_same_number_of_statements_however_long(self, client, count_statements):
        metric = await kit.metric(client)

        async def cost():
            with count_statements() as statements:
                await kit.get(client, "/plans")
            return len(statements)

        await kit.plan(client, kit.charge(metric))
        one = await cost()
        for _ in range(9):
            await kit.plan(client, kit.charge(metric), kit.charge(metric))
        assert await cost() == one


async def test_a_number_that_decimals_are_not_reckoned_with_is_refused(make_organization):
    client = (await make_organization("2025-01-01T00:00:00Z")).client
    unit = {"code": "credits", "conversion_rate": "61709e963786885"}
    charge = {**kit.charge(await kit.metric(client)), "applied_pricing_unit": unit}
    plan = {"name": "P", "code": "p", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR"}
    body = {"plan": {**plan, "pay_in_advance": False, "charges": [charge]}}
    await kit.call(client, "POST", "/plans", body, expect=422)
