"""What an act would come to is told before it is done, and is what it comes to (ui §1.4)."""

from __future__ import annotations

import pytest
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import call, get, post
from tests.people import join, sign_up
from tests.rooms import test_corrections_of_what_is_billed as corrections
from tests.rooms.test_people_rights import become


@pytest.fixture
async def shop(application, make_organization):
    """An organization on the first of January, and somebody in it who has signed in."""
    made = await make_organization("2026-01-01T00:00:00Z")
    person = await join(application, made.id, ADMIN_KEY)
    yield made.client, person.browser
    await person.browser.aclose()


async def told(browser, path, *, expect=200):
    answer = await get(browser, f"/consequences/{path}", expect=expect)
    return answer["consequences"] if expect == 200 else answer


async def used(browser, kind, *codes):
    found = (await post(browser, f"/uses/{kind}", {"codes": codes}))["uses"]
    assert [one["code"] for one in found] == list(codes), "in the order of the codes"
    return {one["code"]: one["count"] for one in found}


async def coupon(client, code, cents):
    body = {
        "name": code, "code": code, "coupon_type": "fixed_amount", "amount_cents": cents, "amount_currency": "EUR",
        "frequency": "once", "expiration": "no_expiration",
    }  # fmt: skip
    await post(client, "/coupons", {"coupon": body})


async def test_features_are_used_by_who_is_entitled_to_them(shop):
    """By a plan, by a plan of one's own made of it, by oneself; not by whoever is without it."""
    client, browser = shop
    for code in ("sso", "audit"):
        await post(client, "/features", {"feature": {"code": code, "name": code}})
    granting = await kit.plan(client, code="a")
    await post(client, "/plans/a/entitlements", {"entitlements": {"sso": {}}})
    bare = await kit.plan(client, code="b")
    for n, (plan, more) in enumerate(
        [(granting, {}), (granting, {"plan_overrides": {"amount_cents": 5}}), (bare, {})]
    ):
        await kit.subscribe(client, await kit.customer(client), plan, external_id=f"s{n}", **more)
    assert await used(browser, "features", "sso", "audit") == {"sso": 2, "audit": 0}
    own: kit.Json = {"entitlements": {"sso": {}, "audit": {}}}
    await call(client, "PATCH", "/subscriptions/s2/entitlements", own)
    await call(client, "DELETE", "/subscriptions/s0/entitlements/sso")
    assert await used(browser, "features", "sso", "audit") == {"sso": 2, "audit": 1}


async def test_add_ons_are_counted_by_customers(shop):
    """Ada runs with it twice and bought it, too; Bob bought it twice; Cyd's subscription has ended. Nobody has the other one."""
    client, browser = shop
    made = {}
    for code in ("setup", "other"):
        body = {"name": code, "code": code, "amount_cents": 500, "amount_currency": "EUR"}
        made[code] = (await post(client, "/add_ons", {"add_on": body}))["add_on"]
    fixed = {
        "add_on_id": made["setup"]["lago_id"],
        "charge_model": "standard",
        "properties": {"amount": "1"},
        "units": 1,
    }
    plan = await kit.plan(client, code="a", fixed_charges=[fixed])
    ada, bob, cyd = [
        await kit.customer(client, external_id=name, currency="EUR") for name in ("ada", "bob", "cyd")
    ]
    for n, who in enumerate((ada, ada, cyd)):
        await kit.subscribe(client, who, plan, external_id=f"s{n}")
    await call(client, "DELETE", "/subscriptions/s2")
    for who in (ada, bob, bob):
        one_off = {
            "external_customer_id": who["external_id"],
            "currency": "EUR",
            "fees": [{"add_on_code": "setup"}],
        }
        await post(client, "/invoices", {"invoice": one_off})
    assert await used(browser, "add_ons", "setup", "other") == {"setup": 2, "other": 0}


async def test_uses_are_asked_for_some_codes(shop):
    _, browser = shop
    for codes in ([], ["a"] * 1001, [1]):
        assert await post(browser, "/uses/plans", {"codes": codes}, expect=422)


class TestDeletions:
    async def test_are_counted(self, shop):
        """Two plans charge for the metric; one has an override of its own; of three subscriptions one is for another plan."""
        client, browser = shop
        tax = await kit.tax(client, code="vat", applied_to_organization=False)
        metric = await kit.metric(client, code="calls")
        add_on = {
            "name": "Setup",
            "code": "setup",
            "amount_cents": 100,
            "amount_currency": "EUR",
            "tax_codes": ["vat"],
        }
        sold = (await post(client, "/add_ons", {"add_on": add_on}))["add_on"]
        fixed = {
            "code": "f",
            "add_on_id": sold["lago_id"],
            "charge_model": "standard",
            "units": "1",
            "properties": {"amount": "1"},
        }
        charge = {**kit.charge(metric), "tax_codes": ["vat"]}
        plan = await kit.plan(client, charge, code="a", fixed_charges=[fixed], tax_codes=["vat"])
        other = await kit.plan(client, kit.charge(metric), {**kit.charge(metric), "code": "again"}, code="b")
        free = await kit.plan(client, code="c")
        await coupon(client, "off", 1)
        for n, (to, more) in enumerate(
            [(plan, {}), (plan, {"plan_overrides": {"amount_cents": 5}}), (free, {})]
        ):
            who = await kit.customer(
                client, billing_configuration={"invoice_grace_period": 3}, tax_codes=["vat"] if n else []
            )
            await kit.subscribe(client, who, to, external_id=f"s{n}", **more)
            await post(
                client,
                "/applied_coupons",
                {"applied_coupon": {"external_customer_id": who["external_id"], "coupon_code": "off"}},
            )
        again = {"external_customer_id": who["external_id"], "coupon_code": "off"}
        await post(client, "/applied_coupons", {"applied_coupon": again})
        alert = {
            "alert_type": "billable_metric_current_usage_amount",
            "billable_metric_code": "calls",
            "code": "x",
            "thresholds": [{"value": 1}],
        }
        await post(client, "/subscriptions/s0/alerts", {"alert": alert})
        await kit.send(client, {"external_id": "s0"}, metric, 1)
        await kit.send(client, {"external_id": "s1"}, metric, 1)
        late = await kit.customer(client)
        await kit.subscribe(client, late, plan, external_id="later", subscription_at="2026-03-01T00:00:00Z")
        await kit.advance(client, "2026-02-02")
        drafts = [one for one in (await get(client, "/invoices"))["invoices"] if one["status"] == "draft"]
        assert len(drafts) == 3, "one of them is of the free plan"

        assert await told(browser, "billable_metrics/calls") == {
            "plans_count": 2,
            "charges_count": 3,
            "active_subscriptions_count": 2,
            "draft_invoices_count": 2,
            "alerts_count": 1,
        }
        assert await told(browser, "plans/a") == {
            "active_subscriptions_count": 2,
            "pending_subscriptions_count": 1,
            "customers_count": 3,
            "draft_invoices_count": 2,
            "overridden_plans_count": 1,
        }
        assert await told(browser, "plans/b") == dict.fromkeys(
            (
                "active_subscriptions_count",
                "pending_subscriptions_count",
                "customers_count",
                "draft_invoices_count",
                "overridden_plans_count",
            ),
            0,
        )
        assert await told(browser, "taxes/vat") == {
            "customers_count": 2,
            "billing_entities_count": 0,
            "plans_count": 1,
            "charges_count": 1,
            "fixed_charges_count": 0,
            "add_ons_count": 1,
            "commitments_count": 0,
            "draft_invoices_count": 3,
        }
        assert await told(browser, "add_ons/setup") == {
            "plans_count": 1,
            "fixed_charges_count": 1,
            "active_subscriptions_count": 2,
        }
        assert await told(browser, "coupons/off") == {"applied_coupons_count": 4, "customers_count": 3}
        assert (tax["code"], other["code"]) == ("vat", "b")

        assert await used(browser, "plans", "b", "a", "none") == {"b": 0, "a": 2, "none": 0}
        assert await used(browser, "add_ons", "setup") == {"setup": 2}
        assert await used(browser, "coupons", "off") == {"off": 3}

    async def test_of_a_tax_count_who_pays_it_for_their_billing_entity_does(self, shop):
        client, browser = shop
        await kit.tax(client, code="vat")
        await kit.tax(client, code="own", applied_to_organization=False)
        await kit.customer(client)
        await kit.customer(client, tax_codes=["own"])
        found = await told(browser, "taxes/vat")
        assert (found["customers_count"], found["billing_entities_count"]) == (1, 1)
        await call(client, "DELETE", "/taxes/vat")
        assert (await told(browser, "taxes/vat", expect=404))["code"] == "tax_not_found"

    @pytest.mark.parametrize(("path", "code"), [
        ("billable_metrics/none", "billable_metric_not_found"), ("plans/none", "plan_not_found"), ("taxes/none", "tax_not_found"),
        ("add_ons/none", "add_on_not_found"), ("coupons/none", "coupon_not_found"), ("terminations/none", "subscription_not_found"),
        ("voids/none", "invoice_not_found"), ("plans/a/b", "plan_not_found"),
    ])  # fmt: skip
    async def test_of_nothing_are_none(self, shop, path, code):
        _, browser = shop
        assert (await told(browser, path, expect=404))["code"] == code

    async def test_ask_once(self, shop, count_statements):
        client, browser = shop
        await kit.metric(client, code="calls")
        await told(browser, "billable_metrics/calls")
        with count_statements() as statements:
            await told(browser, "billable_metrics/calls")
        assert len([one for one in statements if "concerned" in one]) == 1

    async def test_are_told_to_whoever_may_delete(self, application, database):
        person = await sign_up(application)
        person.browser.headers["X-Lago-Organization"] = person.organization_id
        await become(database, person, "finance")
        for path, needed in {
            "billable_metrics/x": "billable_metrics:delete",
            "plans/x": "plans:delete",
            "taxes/x": "organization:taxes:update",
            "add_ons/x": "addons:delete",
            "coupons/x": "coupons:delete",
            "terminations/x": "subscriptions:update",
        }.items():
            refused = await told(person.browser, path, expect=403)
            assert refused["required_permissions"] == [needed]
        await told(person.browser, "voids/x", expect=404)


class TestTerminations:
    async def test_are_told_by_each_way_of_giving_back_and_come_to_that(self, shop):
        """31.00 for January, in advance; on the tenth 21 days are left, and 5.00 were used."""
        client, browser = shop
        metric = await kit.metric(client)
        plan = await kit.plan(client, kit.charge(metric), amount_cents=3100, pay_in_advance=True)
        for option in ("credit", "refund", "offset", "skip"):
            who = await kit.customer(client, external_id=option)
            await kit.subscribe(client, who, plan, external_id=f"of_{option}")
            await kit.send(client, {"external_id": f"of_{option}"}, metric, 5)
            (bill,) = await kit.invoices(client, who)
            if option != "offset":
                payment = {"invoice_id": bill["lago_id"], "amount_cents": 3100, "reference": option}
                await post(client, "/payments", {"payment": payment})
        await kit.advance(client, "2026-01-10T12:00")
        for option, note, due in (
            ("credit", (2100, 0, 0), 0), ("refund", (0, 2100, 0), 500), ("offset", (0, 0, 2100), 500), ("skip", None, 500),
        ):  # fmt: skip
            found = await told(browser, f"terminations/of_{option}")
            assert (found["plan_code"], found["canceled_plan_code"]) == (plan["code"], None)
            assert [one["on_termination_credit_note"] for one in found["outcomes"]] == [
                "credit",
                "refund",
                "offset",
                "skip",
            ]
            (outcome,) = [one for one in found["outcomes"] if one["on_termination_credit_note"] == option]
            amounts = [
                (one["credit_amount_cents"], one["refund_amount_cents"], one["offset_amount_cents"])
                for one in outcome["credit_notes"]
            ]
            assert amounts == ([] if note is None else [note])
            assert (outcome["invoice"]["fees_amount_cents"], outcome["invoice"]["total_amount_cents"]) == (
                500,
                due,
            )
            assert [fee["amount_cents"] for fee in outcome["invoice"]["fees"]] == [500]

            await call(client, "DELETE", f"/subscriptions/of_{option}", on_termination_credit_note=option)
            last = (await kit.invoices(client, {"external_id": option}))[-1]
            assert last["total_amount_cents"] == outcome["invoice"]["total_amount_cents"]
            assert last["credit_notes_amount_cents"] == outcome["invoice"]["credit_notes_amount_cents"]
            made = (await get(client, "/credit_notes", external_customer_id=option))["credit_notes"]
            assert [one["total_amount_cents"] for one in made] == [
                one["total_amount_cents"] for one in outcome["credit_notes"]
            ]
            await told(browser, f"terminations/of_{option}", expect=404)

    async def test_in_arrears_have_one_way_and_call_off_what_waits(self, shop):
        client, browser = shop
        dear, cheap = (
            await kit.plan(client, code="dear", amount_cents=3100),
            await kit.plan(client, code="cheap", amount_cents=100),
        )
        who = await kit.customer(client)
        await kit.subscribe(client, who, dear, external_id="s/1")
        await kit.advance(client, "2026-01-10T12:00")
        await kit.subscribe(client, who, cheap, external_id="s/1")
        before = await kit.invoices(client, who)
        found = await told(browser, "terminations/s/1")
        assert found["canceled_plan_code"] == "cheap"
        assert found["on_termination_invoice"] == "generate"
        (outcome,) = found["outcomes"]
        assert outcome["on_termination_credit_note"] is None
        assert (outcome["credit_notes"], outcome["invoice"]["total_amount_cents"]) == ([], 1000)
        assert await kit.invoices(client, who) == before, "nothing is written"
        assert found["waiting_invoice"] is None

    async def test_without_a_last_invoice_tell_what_is_still_billed_of_earlier_periods(self, shop):
        """12 for 10 calls of January at 2.00 are 4.00 that wait, and 20 %; 20.00 of February are let go of (decision 29)."""
        client, browser = shop
        await call(client, "PUT", "/organizations", {"organization": corrections.NEXT})
        await kit.tax(client, "20", applied_to_organization=True)
        metric = await kit.metric(client, code="calls")
        who = await kit.customer(client, currency="EUR")
        await kit.subscribe(
            client, who, await kit.plan(client, kit.charge(metric, amount="2")), external_id="sub"
        )
        await corrections.send(client, "one", 10)
        await kit.advance(client, "2026-02-02T00:00")
        await corrections.send(client, "two", 10)
        await corrections.correct(client, "one", properties={"value": 12})
        found = await told(browser, "terminations/sub")
        (outcome,) = found["outcomes"]
        assert outcome["invoice"]["fees_amount_cents"] == 2400, "a last invoice has both"
        waiting = found["waiting_invoice"]
        assert [(fee["amount_cents"], fee["fee_type"], fee["name"]) for fee in waiting.pop("fees")] == [
            (400, "charge", "calls (adjustment 2026-01-01 – 2026-01-31)")
        ]
        amounts = {"fees_amount_cents": 400, "taxes_amount_cents": 80, "total_amount_cents": 480}
        assert waiting == {"currency": "EUR", **amounts}
        await call(client, "DELETE", "/subscriptions/sub", on_termination_invoice="skip")
        (made,) = await corrections.one_offs(client, who)
        assert {name: made[name] for name in amounts} == amounts


class TestVoids:
    async def test_tell_what_comes_back_and_give_that_back(self, shop):
        """10.00, less a coupon of 2.00, a credit of 1.00 and 3.00 from a wallet; another wallet that gave 1.00 has ended."""
        client, browser = shop
        who = await kit.customer(client, external_id="payer", currency="EUR")
        add_on = {"name": "Setup", "code": "setup", "amount_cents": 100, "amount_currency": "EUR"}
        await post(client, "/add_ons", {"add_on": add_on})
        one_off = {"external_customer_id": "payer", "currency": "EUR", "fees": [{"add_on_code": "setup"}]}
        first = (await post(client, "/invoices", {"invoice": one_off}))["invoice"]
        await post(
            client,
            "/payments",
            {"payment": {"invoice_id": first["lago_id"], "amount_cents": 100, "reference": "wire"}},
        )
        note = {
            "invoice_id": first["lago_id"],
            "items": [{"fee_id": first["fees"][0]["lago_id"], "amount_cents": 100}],
            "credit_amount_cents": 100,
        }
        credit = (await post(client, "/credit_notes", {"credit_note": note}))["credit_note"]
        await coupon(client, "off", 200)
        await post(
            client,
            "/applied_coupons",
            {"applied_coupon": {"external_customer_id": "payer", "coupon_code": "off"}},
        )
        wallets = {}
        for code, granted in (("main", "3"), ("old", "1")):
            body = {
                "external_customer_id": "payer",
                "code": code,
                "name": code,
                "rate_amount": "1",
                "currency": "EUR",
                "granted_credits": granted,
            }
            wallets[code] = (await post(client, "/wallets", {"wallet": body}))["wallet"]
        plan = await kit.plan(client, amount_cents=1000, pay_in_advance=True)
        await kit.subscribe(client, who, plan)
        (bill,) = [one for one in await kit.invoices(client, who) if one["invoice_type"] == "subscription"]
        assert bill["total_amount_cents"] == 300
        await call(client, "DELETE", f"/wallets/{wallets['old']['lago_id']}")

        found = await told(browser, f"voids/{bill['lago_id']}")
        releases = [
            (one["kind"], one["code"], one["amount_cents"], one["is_given_back"]) for one in found["releases"]
        ]
        assert releases == [
            ("coupon", "off", 200, True),
            ("credit_note", credit["number"], 100, True),
            ("wallet", "main", 300, True),
            ("wallet", "old", 100, False),
        ]
        assert (
            found["total_amount_cents"],
            found["total_due_amount_cents"],
            found["total_paid_amount_cents"],
        ) == (300, 300, 0)
        assert (found["creditable_amount_cents"], found["refundable_amount_cents"]) == (800, 0)

        await post(client, f"/invoices/{bill['lago_id']}/void", {})
        restored = (await get(client, f"/credit_notes/{credit['lago_id']}"))["credit_note"]
        assert restored["balance_amount_cents"] == 100
        assert (await get(client, f"/wallets/{wallets['main']['lago_id']}"))["wallet"]["balance_cents"] == 300
        assert (await get(client, f"/wallets/{wallets['old']['lago_id']}"))["wallet"]["balance_cents"] == 0
        refused = await told(browser, f"voids/{bill['lago_id']}", expect=405)
        assert refused["code"] == "not_voidable"
