"""Prices of a subscription's own, and what a plan's changes bring to them (pricing §12, §13.3)."""

import pytest
from tests import kit
from tests.kit import call, get, post


async def world(make_organization, *, children=1):
    """A plan with a filtered charge and a fixed charge; subscriptions `own0`… on child plans, `plain` on the plan."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    metric = await kit.metric(client, filters=[{"key": "region", "values": ["eu", "us"]}])
    add_on = {"name": "seat", "code": "seat", "amount_cents": 100, "amount_currency": "EUR"}
    add_on = (await post(client, "/add_ons", {"add_on": add_on}))["add_on"]
    tax = await kit.tax(client, applied_to_organization=False)
    charge = {
        **kit.charge(metric, amount="10"),
        "code": "use",
        "filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "5"}}],
        "tax_codes": [tax["code"]],
    }
    plan = await kit.plan(
        client,
        charge,
        amount_cents=1000,
        fixed_charges=[
            {
                "add_on_id": add_on["lago_id"],
                "code": "seat",
                "charge_model": "standard",
                "units": 2,
                "properties": {"amount": "3"},
            }
        ],
        minimum_commitment={"amount_cents": 5000},
    )
    await subscribe(client, plan, "plain")
    for number in range(children):
        await subscribe(client, plan, f"own{number}", plan_overrides={"name": "Own"})
    return client, plan


async def subscribe(client, plan, external_id, expect=200, **more):
    body = {
        "external_customer_id": external_id,
        "plan_code": plan["code"],
        "external_id": external_id,
        **more,
    }
    return await post(client, "/subscriptions", {"subscription": body}, expect=expect)


async def plan_of(client, external_id):
    return (await get(client, f"/subscriptions/{external_id}"))["subscription"]["plan"]


async def put_plan(client, plan, **changes):
    return (await call(client, "PUT", f"/plans/{plan['code']}", {"plan": changes}))["plan"]


def prices(plan):
    (charge,) = plan["charges"]
    return charge["properties"]["amount"], {
        f["values"]["region"][0]: f["properties"]["amount"] for f in charge["filters"]
    }


async def test_a_child_copies_all_and_takes_what_is_overridden(make_organization):
    """§12.1: taxes and the commitment come along; charges are named by the parent's ids."""
    client, plan = await world(make_organization, children=0)
    override = {
        "amount_cents": 700,
        "charges": [{"id": plan["charges"][0]["lago_id"], "properties": {"amount": "8"}}],
        "fixed_charges": [{"id": plan["fixed_charges"][0]["lago_id"], "units": 9}],
    }
    await subscribe(client, plan, "own", plan_overrides=override)
    child = await plan_of(client, "own")
    assert (child["parent_id"], child["code"], child["amount_cents"]) == (plan["lago_id"], plan["code"], 700)
    assert prices(child) == ("8", {"eu": "5"})
    assert child["charges"][0]["lago_parent_id"] == plan["charges"][0]["lago_id"]
    assert child["charges"][0]["taxes"][0]["code"] == plan["charges"][0]["taxes"][0]["code"]
    assert child["fixed_charges"][0]["units"] == "9.0"
    assert child["minimum_commitment"]["amount_cents"] == 5000
    assert prices(await plan_of(client, "plain")) == ("10", {"eu": "5"})
    assert (await get(client, "/plans"))["meta"]["total_count"] == 1, "children are not listed"


@pytest.mark.parametrize(
    ("override", "status", "answer"),
    [
        ({"charges": [{"id": "00000000-0000-7000-8000-000000000000"}]}, 404, "charge_not_found"),
        ({"fixed_charges": [{"id": "00000000-0000-7000-8000-000000000000"}]}, 404, "fixed_charge_not_found"),
    ],
)
async def test_an_override_of_what_is_not_there_leaves_nothing_behind(
    make_organization, override, status, answer
):
    client, plan = await world(make_organization, children=0)
    found = await subscribe(client, plan, "own", plan_overrides=override, expect=status)
    assert found["code"] == answer
    await get(client, "/subscriptions/own", expect=404)


async def test_another_charge_model_is_refused(make_organization):
    client, plan = await world(make_organization, children=0)
    charge = {"id": plan["charges"][0]["lago_id"], "charge_model": "package"}
    found = await subscribe(client, plan, "own", plan_overrides={"charges": [charge]}, expect=422)
    assert found["error_details"] == {"charge_model": ["modification_not_allowed"]}
    await get(client, "/subscriptions/own", expect=404)


async def test_no_commitment_is_asked_for_by_an_empty_one(make_organization):
    client, plan = await world(make_organization, children=0)
    await subscribe(client, plan, "own", plan_overrides={"minimum_commitment": {}, "name": "x"})
    assert "minimum_commitment" not in await plan_of(client, "own")


async def test_without_a_cascade_children_stay_as_they_are(make_organization):
    """§18.9."""
    client, plan = await world(make_organization)
    await put_plan(client, plan, amount_cents=2000)
    assert (await plan_of(client, "own0"))["amount_cents"] == 1000


async def test_a_cascade_moves_prices_that_were_the_parents_and_no_others(make_organization):
    """§12.3: the price of own1 was changed, so only its filter, which was not, follows; numbers compare as numbers."""
    client, plan = await world(make_organization, children=2)
    body = {"charge": {"properties": {"amount": "7"}}}
    await call(client, "PUT", "/subscriptions/own1/charges/use", body)
    body = {"charge": {"properties": {"amount": "10.00"}}}
    await call(client, "PUT", "/subscriptions/own0/charges/use", body)
    charge = {
        "id": plan["charges"][0]["lago_id"],
        "properties": {"amount": "12", "pricing_group_keys": ["team"]},
        "filters": [
            {"values": {"region": ["eu"]}, "properties": {"amount": "6"}},
            {"values": {"region": ["us"]}, "properties": {"amount": "4"}},
        ],
    }
    await put_plan(client, plan, amount_cents=1500, charges=[charge], cascade_updates=True)
    first, second = await plan_of(client, "own0"), await plan_of(client, "own1")
    assert (first["amount_cents"], prices(first)) == (1500, ("12", {"eu": "6", "us": "4"}))
    assert (second["amount_cents"], prices(second)) == (1500, ("7", {"eu": "6", "us": "4"}))
    assert second["charges"][0]["properties"]["pricing_group_keys"] == ["team"]


async def test_a_cascade_adds_and_removes_charges_customised_or_not(make_organization):
    client, plan = await world(make_organization)
    await call(client, "PUT", "/subscriptions/own0/charges/use", {"charge": {"properties": {"amount": "7"}}})
    fresh = {
        **kit.charge(await kit.metric(client), amount="1"),
        "code": "fresh",
        "cascade_updates": True,
    }
    await post(client, f"/plans/{plan['code']}/charges", {"charge": fresh})
    assert [c["code"] for c in (await plan_of(client, "own0"))["charges"]] == ["use", "fresh"]
    await call(client, "DELETE", f"/plans/{plan['code']}/charges/use", {"charge": {"cascade_updates": True}})
    assert [c["code"] for c in (await plan_of(client, "own0"))["charges"]] == ["fresh"]


async def test_filters_of_a_subscription_are_its_own(make_organization):
    """§12.2: the first write makes the plan; a filter is known by its values there."""
    client, plan = await world(make_organization, children=0)
    path = "/subscriptions/plain/charges/use/filters"
    (known,) = (await get(client, path))["filters"]
    changed = await call(
        client, "PUT", f"{path}/{known['lago_id']}", {"filter": {"properties": {"amount": "2"}}}
    )
    assert changed["filter"]["lago_id"] != known["lago_id"]
    assert prices(await plan_of(client, "plain")) == ("10", {"eu": "2"})
    again = {"filter": {"values": {"region": ["eu"]}, "properties": {"amount": "1"}}}
    answer = await post(client, path, again, expect=422)
    assert answer["error_details"] == {"values": ["value_already_exists"]}
    (own,) = (await get(client, path))["filters"]
    await call(client, "DELETE", f"{path}/{own['lago_id']}")
    assert (await get(client, path))["filters"] == []
    assert len((await get(client, f"/plans/{plan['code']}"))["plan"]["charges"][0]["filters"]) == 1


async def test_reposting_the_plan_of_a_child_changes_nothing(make_organization):
    """subscriptions §2.4: the child is the plan asked for."""
    client, plan = await world(make_organization)
    before = await plan_of(client, "own0")
    await subscribe(client, plan, "own0", plan_overrides={"amount_cents": 1})
    assert await plan_of(client, "own0") == before


class TestCodes:
    """§12.3, §18.12: codes follow the parent's, and are unique in the child."""

    @pytest.fixture
    async def followed(self, make_organization):
        """A plan with charges and fixed charges `a` and `b`, and a subscription `own` on a child of it."""
        client = (await make_organization("2026-01-01T00:00:00Z")).client
        add_on = {"name": "seat", "code": "seat", "amount_cents": 100, "amount_currency": "EUR"}
        seat = (await post(client, "/add_ons", {"add_on": add_on}))["add_on"]["lago_id"]
        metric = await kit.metric(client)

        def charge(code):
            return {**kit.charge(metric), "code": code}

        def fixed(code):
            return {"add_on_id": seat, "charge_model": "standard", "code": code}

        both = [charge(code) for code in "ab"]
        plan = await kit.plan(client, *both, fixed_charges=[fixed(code) for code in "ab"])
        await subscribe(client, plan, "own", plan_overrides={"name": "Own"})
        return client, plan, {"charges": charge, "fixed_charges": fixed}

    async def codes(self, client, plan, part):
        """The codes of the child, each with that of the charge it was copied from."""
        parents = {
            item["lago_id"]: item["code"]
            for item in (await get(client, f"/plans/{plan['code']}"))["plan"][part]
        }
        child = (await plan_of(client, "own"))[part]
        return {item["code"]: parents.get(item["lago_parent_id"]) for item in child}

    @pytest.mark.parametrize("part", ["charges", "fixed_charges"])
    async def test_of_one_another_are_taken_over(self, followed, part):
        """`b` becomes `c`, `a` becomes `b`, and a new one is `a`."""
        client, plan, new = followed
        ids = {item["code"]: item["lago_id"] for item in plan[part]}
        sent = [{"id": ids["b"], "code": "c"}, {"id": ids["a"], "code": "b"}, new[part]("a")]
        await put_plan(client, plan, cascade_updates=True, **{part: sent})
        assert await self.codes(client, plan, part) == {"a": "a", "b": "b", "c": "c"}

    async def test_of_the_childs_own_charges_stay(self, followed):
        client, plan, new = followed
        own = await plan_of(client, "own")
        kept = [{"id": item["lago_id"]} for item in own["charges"]]
        body = {"plan_overrides": {"charges": [*kept, new["charges"]("x")]}}
        await call(client, "PUT", "/subscriptions/own", {"subscription": body})
        path = f"/plans/{plan['code']}/charges/a"
        await call(client, "PUT", path, {"charge": {"code": "x", "cascade_updates": True}})
        assert await self.codes(client, plan, "charges") == {"b": "b", "x": None, "x_2": "x"}
