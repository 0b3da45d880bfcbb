"""Plans over the API: their fields, changes and notes (pricing §4)."""

import pytest
from tests import kit
from tests.kit import call, get, post

BARE = {
    "name": "P",
    "code": "p",
    "interval": "monthly",
    "amount_cents": 100,
    "amount_currency": "EUR",
    "pay_in_advance": False,
}


async def make(client, expect=200, **values):
    answer = await post(client, "/plans", {"plan": {**BARE, **values}}, expect=expect)
    return answer["plan"] if expect == 200 else answer


async def refused(client, **values):
    return (await make(client, 422, **values))["error_details"]


async def change(client, plan, expect=200, **values):
    answer = await call(client, "PUT", f"/plans/{plan}", {"plan": values}, expect=expect)
    return answer["plan"] if expect == 200 else answer.get("error_details", answer)


async def in_use(client, plan, **more):
    return await kit.subscribe(client, await kit.customer(client), plan, **more)


class TestFields:
    """§4.1."""

    async def test_defaults(self, client):
        made = await make(client)
        assert made.pop("lago_id")
        assert made.pop("created_at")
        assert made == {
            **BARE,
            "invoice_display_name": None,
            "description": None,
            "trial_period": None,
            "bill_charges_monthly": None,
            "bill_fixed_charges_monthly": None,
            "parent_id": None,
            "pending_deletion": False,
            "charges": [],
            "fixed_charges": [],
            "taxes": [],
            "usage_thresholds": [],
            "applicable_usage_thresholds": [],
            "entitlements": [],
            "customers_count": 0,
            "active_subscriptions_count": 0,
            "draft_invoices_count": 0,
        }

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("name", "value_is_mandatory"),
            ("code", "value_is_mandatory"),
            ("interval", "value_is_invalid"),
            ("amount_cents", "value_is_mandatory"),
            ("amount_currency", "value_is_mandatory"),
            ("pay_in_advance", "value_is_invalid"),
        ],
    )
    @pytest.mark.parametrize("is_sent", [True, False])
    async def test_what_must_be_there(self, client, name, code, is_sent):
        body = {**BARE, name: None}
        if not is_sent:
            del body[name]
        answer = await post(client, "/plans", {"plan": body}, expect=422)
        assert answer["error_details"] == {name: [code]}

    @pytest.mark.parametrize("wrong", ["daily", "", [], {}, 1])
    async def test_other_intervals_are_refused(self, client, wrong):
        assert await refused(client, interval=wrong) == {"interval": ["value_is_invalid"]}

    @pytest.mark.parametrize("wrong", ["yes", 1, "", []])
    async def test_other_payment_timings_are_refused(self, client, wrong):
        assert await refused(client, pay_in_advance=wrong) == {"pay_in_advance": ["value_is_invalid"]}

    async def test_a_code_is_of_one_live_plan(self, client):
        await make(client)
        assert await refused(client) == {"code": ["value_already_exist"]}
        await make(client, code="P")

    @pytest.mark.parametrize(("sent", "shown"), [(0, 0), (2.5, 2.5), ("3", 3), (None, None)])
    async def test_a_trial_is_in_days_with_fractions(self, client, sent, shown):
        made = await make(client, trial_period=sent)
        assert made["trial_period"] == shown
        assert not isinstance(made["trial_period"], str)

    @pytest.mark.parametrize("interval", ["weekly", "monthly", "quarterly", "semiannual", "yearly"])
    async def test_monthly_parts_are_of_long_plans(self, client, interval):
        made = await make(client, interval=interval, bill_charges_monthly=True)
        expected = (True, False) if interval in ("semiannual", "yearly") else (None, None)
        assert (made["bill_charges_monthly"], made["bill_fixed_charges_monthly"]) == expected

    async def test_commitment_and_metadata_are_shown_when_set(self, client):
        await kit.tax(client, code="vat", applied_to_organization=False)
        made = await make(
            client,
            minimum_commitment={"amount_cents": 500, "invoice_display_name": "M", "tax_codes": ["vat"]},
            metadata={"k": None},
            tax_codes=["vat"],
        )
        commitment = made["minimum_commitment"]
        assert (commitment["amount_cents"], commitment["invoice_display_name"]) == (500, "M")
        assert commitment["interval"] == "monthly"
        assert commitment["plan_code"] == "p"
        assert [tax["code"] for tax in commitment["taxes"]] == ["vat"]
        assert made["metadata"] == {"k": None}
        assert [tax["code"] for tax in made["taxes"]] == ["vat"]

    @pytest.mark.parametrize("key", ["charges", "fixed_charges", "minimum_commitment", ""])
    async def test_an_unknown_tax_saves_nothing(self, client, key):
        add_on = await kit_add_on(client)
        metric = await kit.metric(client)
        codes = {"tax_codes": ["none"]}
        of_key: dict[str, dict[str, object]] = {
            "": dict(codes),
            "charges": {"charges": [kit.charge(metric) | codes]},
            "fixed_charges": {
                "fixed_charges": [{"add_on_id": add_on["lago_id"], "charge_model": "standard", **codes}]
            },
            "minimum_commitment": {"minimum_commitment": {"amount_cents": 1, **codes}},
        }
        assert (await make(client, 404, **of_key[key]))["code"] == "tax_not_found"
        await get(client, "/plans/p", expect=404)


async def kit_add_on(client, **more):
    body = {"name": "Seat", "code": "seat", "amount_cents": 100, "amount_currency": "EUR", **more}
    return (await post(client, "/add_ons", {"add_on": body}))["add_on"]


class TestReading:
    """§4.2."""

    async def test_the_newest_is_first_and_the_list_has_no_fixed_charges(self, client):
        add_on = await kit_add_on(client)
        fixed = [{"add_on_id": add_on["lago_id"], "charge_model": "standard", "units": 1}]
        for code in ("a", "b"):
            await make(client, code=code, fixed_charges=fixed)
        listed = (await get(client, "/plans"))["plans"]
        assert [plan["code"] for plan in listed] == ["b", "a"]
        assert "fixed_charges" not in listed[0]
        alone = (await get(client, "/plans/b"))["plan"]
        assert [charge["code"] for charge in alone.pop("fixed_charges")] == ["seat"]
        assert alone == listed[0]

    async def test_plans_of_subscriptions_alone_are_not_reached(self, client):
        plan = await make(client)
        await in_use(client, plan, plan_overrides={"name": "Own"})
        assert (await get(client, "/plans"))["meta"]["total_count"] == 1
        assert (await get(client, "/plans/p"))["plan"]["name"] == "P"

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    async def test_an_unknown_one(self, client, other_client, method):
        await make(other_client)
        answer = await call(client, method, "/plans/p", {"plan": {"name": "x"}}, expect=404)
        assert answer["code"] == "plan_not_found"

    async def test_without_its_root(self, client):
        bodies: list[object] = [{}, {"plan": {}}, BARE]
        for body in bodies:
            answer = await post(client, "/plans", body, expect=400)
            assert answer["error"].endswith("invalid: plan")

    async def test_ids_that_are_none_are_unknown(self, client):
        """§4.2, §5.1: an id, never a code."""
        metric, add_on = await kit.metric(client, code="api"), await kit_add_on(client)
        assert add_on["code"] == "seat"
        charge = {**kit.charge(metric), "billable_metric_id": "api"}
        assert (await make(client, 404, charges=[charge]))["code"] == "billable_metrics_not_found"
        fixed = {"add_on_id": "seat", "charge_model": "standard"}
        assert (await make(client, 404, fixed_charges=[fixed]))["code"] == "add_ons_not_found"
        await make(client)
        answer = await post(client, "/plans/p/charges", {"charge": {**charge, "code": "c"}}, expect=404)
        assert answer["code"] == "billable_metric_not_found"
        body = {"fixed_charge": {**fixed, "code": "c"}}
        assert (await post(client, "/plans/p/fixed_charges", body, expect=404))["code"] == "add_on_not_found"


class TestMetadata:
    """§4.2."""

    async def test_is_replaced_merged_and_removed(self, client):
        await make(client)
        path = "/plans/p/metadata"
        assert await post(client, path, {"metadata": {"a": "1", "b": None}}) == {
            "metadata": {"a": "1", "b": None}
        }
        assert await post(client, path, {"metadata": {"c": "3"}}) == {"metadata": {"c": "3"}}
        for method in ("PATCH", "PUT"):
            merged = await call(client, method, path, {"metadata": {"d": method, "c": "4"}})
            assert merged == {"metadata": {"c": "4", "d": method}}
        assert await call(client, "DELETE", f"{path}/c") == {"metadata": {"d": "PUT"}}
        assert await call(client, "DELETE", f"{path}/none") == {"metadata": {"d": "PUT"}}
        assert await call(client, "DELETE", path) == {"metadata": None}
        assert "metadata" not in (await get(client, "/plans/p"))["plan"]
        assert (await call(client, "DELETE", f"{path}/c", expect=404))["code"] == "metadata_not_found"
        for method, end in (("POST", ""), ("PATCH", ""), ("DELETE", ""), ("DELETE", "/k")):
            answer = await call(client, method, f"/plans/none/metadata{end}", {"metadata": {}}, expect=404)
            assert answer["code"] == "plan_not_found"

    async def test_of_a_plans_body_replaces(self, client):
        await make(client, metadata={"a": "1"})
        assert (await change(client, "p", name="N"))["metadata"] == {"a": "1"}
        assert (await change(client, "p", metadata={"b": "2"}))["metadata"] == {"b": "2"}
        assert "metadata" not in await change(client, "p", metadata=None)

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"k": "v" * 256}, "value_is_too_long"),
            ({"k" * 101: "v"}, "value_is_too_long"),
            ({str(n): "" for n in range(51)}, "value_is_too_long"),
            ({"k": {}}, "value_is_invalid"),
            ([], "value_is_invalid"),
            ("text", "value_is_invalid"),
        ],
    )
    async def test_is_bounded(self, client, wrong, code):
        assert await refused(client, metadata=wrong) == {"value": [code]}
        await make(client, metadata={"x": "y"})
        for method in ("POST", "PATCH"):
            answer = await call(client, method, "/plans/p/metadata", {"metadata": wrong}, expect=422)
            assert answer["error_details"] == {"value": [code]}

    async def test_has_fifty_keys_when_merged_too(self, client):
        await make(client, metadata={f"a{n}": "" for n in range(49)})
        path = "/plans/p/metadata"
        await call(client, "PATCH", path, {"metadata": {"b": ""}})
        answer = await call(client, "PATCH", path, {"metadata": {"c": ""}}, expect=422)
        assert answer["error_details"] == {"value": ["value_is_too_long"]}


class TestChanging:
    """§4.3."""

    async def test_only_what_is_sent_changes(self, client):
        metric = await kit.metric(client)
        made = await make(
            client, interval="yearly", bill_charges_monthly=True, trial_period=3, description="D",
            invoice_display_name="I", charges=[kit.charge(metric)], metadata={"a": "b"},
            minimum_commitment={"amount_cents": 9}, usage_thresholds=[{"amount_cents": 7}],
        )  # fmt: skip
        changed = await change(client, "p", name="N")
        assert changed == {**made, "name": "N"}

    async def test_everything_changes_while_nobody_is_on_it(self, client):
        await make(client)
        changed = await change(
            client, "p", code="q", interval="yearly", pay_in_advance=True, amount_currency="USD",
            trial_period=2, bill_charges_monthly=True,
        )  # fmt: skip
        assert (changed["code"], changed["interval"], changed["pay_in_advance"]) == ("q", "yearly", True)
        assert (changed["amount_currency"], changed["trial_period"]) == ("USD", 2)
        assert changed["bill_charges_monthly"] is True
        await make(client)
        assert await change(client, "q", 422, code="p") == {"code": ["value_already_exist"]}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("code", "other"),
            ("interval", "weekly"),
            ("pay_in_advance", True),
            ("amount_currency", "USD"),
            ("trial_period", 5),
            ("bill_charges_monthly", False),
            ("bill_fixed_charges_monthly", True),
        ],
    )
    async def test_of_a_plan_that_somebody_was_ever_on_its_shape_stays(self, client, name, value):
        made = await make(client, interval="yearly", bill_charges_monthly=True)
        bought = await in_use(client, made)
        await call(client, "DELETE", f"/subscriptions/{bought['external_id']}")
        refused = await change(client, "p", 422, name="N", **{name: value})
        assert refused == {name: ["modification_not_allowed"]}
        kept = await change(client, "p", **{name: made[name]}, name="N", description="D", amount_cents=7)
        assert (kept["name"], kept["description"], kept["amount_cents"]) == ("N", "D", 7)

    async def test_a_child_does_not_attach_its_parent(self, client):
        await in_use(client, await make(client), plan_overrides={"amount_cents": 5})
        assert (await change(client, "p", interval="weekly"))["interval"] == "weekly"

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("name", "value_is_mandatory"),
            ("code", "value_is_mandatory"),
            ("interval", "value_is_invalid"),
            ("amount_cents", "value_is_mandatory"),
            ("amount_currency", "value_is_mandatory"),
            ("pay_in_advance", "value_is_invalid"),
        ],
    )
    async def test_what_must_be_there_does_not_go(self, client, name, code):
        await make(client)
        assert await change(client, "p", 422, **{name: None}) == {name: [code]}

    async def test_a_commitment_is_made_changed_kept_and_dropped(self, client):
        await make(client)
        made = await change(client, "p", minimum_commitment={"amount_cents": 500})
        known = made["minimum_commitment"]
        changed = await change(client, "p", minimum_commitment={"invoice_display_name": "M"})
        assert changed["minimum_commitment"]["lago_id"] == known["lago_id"]
        assert changed["minimum_commitment"]["amount_cents"] == 500
        assert changed["minimum_commitment"]["invoice_display_name"] == "M"
        assert (await change(client, "p", minimum_commitment=None))["minimum_commitment"][
            "amount_cents"
        ] == 500
        assert "minimum_commitment" not in await change(client, "p", minimum_commitment={})
        assert await change(client, "p", 422, minimum_commitment={"invoice_display_name": "M"}) == {
            "amount_cents": ["value_is_mandatory"]
        }

    async def test_taxes_are_replaced(self, client):
        for code in ("a", "b"):
            await kit.tax(client, code=code, applied_to_organization=False)
        await make(client, tax_codes=["a"])
        assert [tax["code"] for tax in (await change(client, "p", name="N"))["taxes"]] == ["a"]
        assert [tax["code"] for tax in (await change(client, "p", tax_codes=["b"]))["taxes"]] == ["b"]
        assert (await change(client, "p", 404, tax_codes=["none"]))["code"] == "tax_not_found"
        assert (await change(client, "p", tax_codes=[]))["taxes"] == []

    async def test_lists_of_charges_are_full_ones(self, client):
        metric, add_on = await kit.metric(client), await kit_add_on(client)
        fixed = {"add_on_id": add_on["lago_id"], "charge_model": "standard"}
        made = await make(client, charges=[kit.charge(metric)] * 2, fixed_charges=[fixed] * 2)
        assert [charge["code"] for charge in made["fixed_charges"]] == ["seat", "seat_2"]
        kept = made["fixed_charges"][1]
        changed = await change(client, "p", fixed_charges=[{"id": kept["lago_id"], "units": "4"}, fixed])
        assert [(c["code"], c["units"]) for c in changed["fixed_charges"]] == [
            ("seat_2", "4.0"),
            ("seat", "0.0"),
        ]
        assert len(changed["charges"]) == 2
        gone = await change(client, "p", charges=[], fixed_charges=[])
        assert (gone["charges"], gone["fixed_charges"]) == ([], [])

    async def test_a_code_that_another_gives_up_may_be_taken(self, client):
        metric, add_on = await kit.metric(client), await kit_add_on(client)
        fixed = {"add_on_id": add_on["lago_id"], "charge_model": "standard"}
        made = await make(
            client,
            charges=[kit.charge(metric) | {"code": code} for code in "ab"],
            fixed_charges=[fixed | {"code": code} for code in "ab"],
        )
        for name, fresh in (("charges", kit.charge(metric)), ("fixed_charges", fixed)):
            first = made[name][0]
            sent = [{"id": first["lago_id"], "code": "b"}, fresh | {"code": "a"}]
            changed = await change(client, "p", **{name: sent})
            assert [each["code"] for each in changed[name]] == ["b", "a"]
            sent = [{"id": each["lago_id"], "code": "z"} for each in changed[name]]
            assert await change(client, "p", 422, **{name: sent}) == {"code": ["value_already_exist"]}
            sent = [{"id": changed[name][0]["lago_id"], "code": "y"}, fresh | {"code": "y"}]
            assert await change(client, "p", 422, **{name: sent}) == {"code": ["value_already_exist"]}

    async def test_thresholds_are_all_made_anew(self, client):
        made = await make(client, usage_thresholds=[{"amount_cents": 7, "threshold_display_name": "T"}])
        (known,) = made["usage_thresholds"]
        assert (known["amount_cents"], known["threshold_display_name"], known["recurring"]) == (7, "T", False)
        changed = await change(client, "p", usage_thresholds=[{"amount_cents": 7}])
        assert changed["usage_thresholds"][0]["lago_id"] != known["lago_id"]
        assert (await change(client, "p", name="N"))["usage_thresholds"] == changed["usage_thresholds"]
        assert (await change(client, "p", usage_thresholds=[]))["usage_thresholds"] == []
