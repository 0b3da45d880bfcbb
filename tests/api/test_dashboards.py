"""The app's dashboards: revenue by streams, movements of recurring revenue, prepaid credits (platform §12.7)."""

from __future__ import annotations

import pytest
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import get, post
from tests.people import join
from tests.rooms import prepaid


@pytest.fixture
async def shop(application, make_organization):
    """An organization on the first of January, and somebody in it who has signed in."""
    made = await make_organization("2026-01-01T00:00:00Z")
    person = await join(application, made.id, ADMIN_KEY)
    yield made.client, person.browser
    await person.browser.aclose()


def by_period(rows, *names):
    """The first days of periods with so many of their values, zeros left out."""
    return {
        row["start_of_period_dt"]: {
            name: row[f"{name}_amount_cents"] for name in names if row[f"{name}_amount_cents"]
        }
        for row in rows
    }


async def coupon(client, who, **terms):
    """A coupon that recurs forever, for one customer."""
    code = f"off_{who['external_id']}"
    body = {"name": code, "code": code, "frequency": "forever", "expiration": "no_expiration", **terms}
    await post(client, "/coupons", {"coupon": body})
    given = {"external_customer_id": who["external_id"], "coupon_code": code}
    await post(client, "/applied_coupons", {"applied_coupon": given})


FIXED = {"coupon_type": "fixed_amount", "amount_currency": "EUR"}


async def test_revenue_is_told_by_streams_plans_and_customers(shop):
    """31.00 a month in advance and 5.00 of usage, less 1.00 each time; 10.00 at once; 20 % tax counts nowhere."""
    client, browser = shop
    await kit.tax(client)
    metric = await kit.metric(client)
    plan = await kit.plan(client, kit.charge(metric), code="gold", amount_cents=3100, pay_in_advance=True)
    who = await kit.customer(client, external_id="ada", name="Ada", currency="EUR")
    other = await kit.customer(client, external_id="bob", name="Bob", currency="EUR")
    partner = await kit.customer(client, external_id="eve", account_type="partner", currency="EUR")
    await coupon(client, who, **FIXED, amount_cents=100)
    used = await kit.subscribe(client, who, plan)
    await kit.send(client, used, metric, 5)
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 1000, "amount_currency": "EUR"}
    await post(client, "/add_ons", {"add_on": add_on})
    for one in (other, partner):
        body = {
            "external_customer_id": one["external_id"],
            "currency": "EUR",
            "fees": [{"add_on_code": "setup"}],
        }
        await post(client, "/invoices", {"invoice": body})
    await kit.advance(client, "2026-02-02")
    answer = await get(browser, "/analytics/revenue_streams")
    names = ("subscription_fee", "usage_based_fee", "fixed_charge_fee", "commitment_fee", "one_off_fee")
    assert by_period(answer["revenue_streams"], *names, "gross", "coupons", "contra", "net") == {
        "2026-01-01": {
            "subscription_fee": 3100, "one_off_fee": 1000, "gross": 4100, "coupons": 100, "contra": 100, "net": 4000,
        },
        "2026-02-01": {
            "subscription_fee": 3100, "usage_based_fee": 500, "gross": 3600, "coupons": 100, "contra": 100, "net": 3500,
        },
    }  # fmt: skip
    assert (await get(browser, "/analytics/revenue_by_plan"))["plans"] == [
        {
            "plan_code": "gold", "plan_name": "gold", "is_deleted": False, "currency": "EUR",
            "gross_amount_cents": 6700, "net_amount_cents": 6500, "customers_count": 1,
        }
    ]  # fmt: skip
    assert [
        (one["customer_name"], one["gross_amount_cents"], one["net_amount_cents"])
        for one in (await get(browser, "/analytics/revenue_by_customer"))["customers"]
    ] == [("Ada", 6700, 6500), ("Bob", 1000, 1000)]
    assert (await get(browser, "/analytics/revenue_streams", currency="USD"))["revenue_streams"] == []
    (last,) = (await get(browser, "/analytics/revenue_streams", months="1"))["revenue_streams"]
    assert last["start_of_period_dt"] == "2026-02-01"
    for granularity, gross in (
        ("daily", {"2026-02-01": {"gross": 3600}}),  # the last 30 days: from the fourth of January on
        ("weekly", {"2025-12-29": {"gross": 4100}, "2026-01-26": {"gross": 3600}}),  # weeks begin on Mondays
        ("monthly", {"2026-01-01": {"gross": 4100}, "2026-02-01": {"gross": 3600}}),
    ):
        found = await get(browser, "/analytics/revenue_streams", time_granularity=granularity)
        assert by_period(found["revenue_streams"], "gross") == gross
        total = sum(of["gross"] for of in gross.values())
        brought = await get(browser, "/analytics/revenue_by_customer", time_granularity=granularity)
        assert sum(one["gross_amount_cents"] for one in brought["customers"]) == total
    wrong = {"currency": "XXX", "customer_type": "nobody", "time_granularity": "hourly"}
    refused = await get(browser, "/analytics/revenue_streams", **wrong, expect=422)
    assert refused["error_details"] == {name: ["value_is_invalid"] for name in wrong}, "all of it at once"


async def test_what_credits_paid_is_taken_off_by_their_kind(shop):
    """10.00 of January in arrears: 3.00 were given, 5.00 bought; the purchase is no revenue of its own."""
    client, browser = shop
    who = await kit.customer(client, external_id="ada", currency="EUR")
    wallet = await prepaid.wallet(client, who, granted_credits="3")
    await prepaid.transact(client, wallet, paid_credits="5")
    (bought,) = await prepaid.credit_invoices(client, who)
    await prepaid.pay(client, bought)
    await kit.subscribe(client, who, await kit.plan(client, amount_cents=1000))
    await kit.advance(client, "2026-02-02")
    answer = await get(browser, "/analytics/revenue_streams")
    assert by_period(answer["revenue_streams"], "gross", "free_credits", "prepaid_credits", "net") == {
        "2026-02-01": {"gross": 1000, "free_credits": 300, "prepaid_credits": 500, "net": 200}
    }


async def test_recurring_revenue_moves_by_what_is_new_more_less_and_lost(shop):
    """Ada: 10.00, 30.00 from February, 10.00 from March. Bob: 120.00 a year, until March. Cleo: 30.00 less 10 %, from February.

    Dan: 30.00 less 5.00, from March. What a partner is on counts nowhere.
    """
    client, browser = shop
    small, big = (
        await kit.plan(client, code="small", amount_cents=1000),
        await kit.plan(client, code="big", amount_cents=3000),
    )
    year = await kit.plan(client, code="year", amount_cents=12000, interval="yearly")
    ada, bob, cleo, dan, partner = [
        await kit.customer(client, external_id=name, currency="EUR", account_type=kind)
        for name, kind in (
            ("ada", "customer"), ("bob", "customer"), ("cleo", "customer"), ("dan", "customer"), ("eve", "partner"),
        )
    ]  # fmt: skip
    await kit.subscribe(client, ada, small, external_id="of_ada")
    await kit.subscribe(client, bob, year, external_id="of_bob")
    await kit.subscribe(client, partner, big, external_id="of_eve")
    await kit.advance(client, "2026-02-10")
    await kit.subscribe(client, ada, big, external_id="of_ada")
    await coupon(client, cleo, coupon_type="percentage", percentage_rate="10")
    await kit.subscribe(client, cleo, big, external_id="of_cleo")
    await kit.subscribe(client, ada, small, external_id="of_ada")
    await kit.advance(client, "2026-03-10")
    await kit.call(client, "DELETE", "/subscriptions/of_bob")
    await coupon(client, dan, **FIXED, amount_cents=500)
    await kit.subscribe(client, dan, big, external_id="of_dan")
    answer = await get(browser, "/analytics/mrr_movements")
    names = ("starting", "new", "expansion", "contraction", "churn", "change", "ending")
    assert by_period(answer["mrr_movements"], *names) == {
        "2026-01-01": {"new": 2000, "change": 2000, "ending": 2000},
        "2026-02-01": {"starting": 2000, "new": 2700, "expansion": 2000, "change": 4700, "ending": 6700},
        "2026-03-01": {
            "starting": 6700, "new": 2500, "contraction": -2000, "churn": -1000, "change": -500, "ending": 6200,
        },
    }  # fmt: skip
    # Cleo's share is known by subscription, Dan's 5.00 are not.
    plans = (await get(browser, "/analytics/mrr_by_plan"))["plans"]
    assert [(one["plan_code"], one["amount_cents"], one["customers_count"]) for one in plans] == [
        ("big", 5700, 2),
        ("small", 1000, 1),
    ]
    first = (await get(browser, "/analytics/mrr_movements", months="1"))["mrr_movements"]
    assert first == answer["mrr_movements"][2:]
    by_day = await get(browser, "/analytics/mrr_movements", time_granularity="daily")
    days = by_period(by_day["mrr_movements"], *names)
    assert [*days] == [f"2026-02-{day:02}" for day in range(9, 29)] + [
        f"2026-03-{day:02}" for day in range(1, 11)
    ]
    assert {day: moved for day, moved in days.items() if "change" in moved} == {
        "2026-02-10": {"starting": 2000, "new": 2700, "expansion": 2000, "change": 4700, "ending": 6700},
        "2026-03-01": {"starting": 6700, "contraction": -2000, "change": -2000, "ending": 4700},
        "2026-03-10": {"starting": 4700, "new": 2500, "churn": -1000, "change": 1500, "ending": 6200},
    }
    assert days["2026-02-09"] == {"starting": 2000, "ending": 2000}
    assert (await get(browser, "/analytics/mrr_by_plan", time_granularity="daily"))["plans"] == plans
    by_week = (await get(browser, "/analytics/mrr_movements", time_granularity="weekly"))["mrr_movements"]
    changes = by_period(by_week, "change", "ending")
    assert {week: moved for week, moved in changes.items() if "change" in moved} == {
        "2025-12-29": {"change": 2000, "ending": 2000},
        "2026-02-09": {"change": 4700, "ending": 6700},
        "2026-02-23": {"change": -2000, "ending": 4700},
        "2026-03-09": {"change": 1500, "ending": 6200},
    }


async def test_twelfths_are_rounded_once_for_all_of_a_customers_subscriptions(shop):
    """5 and 1 cents a year are half a cent a month together, which is rounded up."""
    client, browser = shop
    who = await kit.customer(client, currency="EUR")
    for cents in (5, 1):
        plan = await kit.plan(client, amount_cents=cents, interval="yearly")
        await kit.subscribe(client, who, plan)
    await kit.advance(client, "2026-01-02")
    (month,) = (await get(browser, "/analytics/mrr_movements"))["mrr_movements"]
    assert (month["new_amount_cents"], month["ending_amount_cents"]) == (1, 1)


async def test_prepaid_credits_are_told_in_money_and_in_credits(shop):
    """A credit is 2.00: 3 were given, 5 bought, 1 voided; an invoice of 7.00 used three and a half."""
    client, browser = shop
    who = await kit.customer(client, currency="EUR")
    wallet = await prepaid.wallet(client, who, rate_amount="2", granted_credits="3")
    await prepaid.transact(client, wallet, paid_credits="5")
    (bought,) = await prepaid.credit_invoices(client, who)
    await prepaid.pay(client, bought)
    await prepaid.transact(client, wallet, voided_credits="1")
    await prepaid.transact(client, wallet, paid_credits="9")  # is not paid for
    await kit.subscribe(client, who, await kit.plan(client, amount_cents=700))
    await kit.advance(client, "2026-02-02")
    rows = (await get(browser, "/analytics/prepaid_credits"))["prepaid_credits"]
    assert by_period(rows, "purchased", "offered", "consumed", "voided") == {
        "2026-01-01": {"purchased": 1000, "offered": 600, "voided": 200},
        "2026-02-01": {"consumed": 700},
    }
    assert [rows[0][f"{name}_credits"] for name in ("purchased", "offered", "voided")] == [
        "5.0",
        "3.0",
        "1.0",
    ]
    assert rows[1]["consumed_credits"] == "3.5"
    for granularity, shown in (("daily", rows[1:]), ("weekly", rows)):
        found = await get(browser, "/analytics/prepaid_credits", time_granularity=granularity)
        starts = {"daily": ["2026-02-01"], "weekly": ["2025-12-29", "2026-01-26"]}[granularity]
        assert found["prepaid_credits"] == [
            {**row, "start_of_period_dt": start} for row, start in zip(shown, starts, strict=True)
        ]


async def test_nobody_sees_what_others_earn(shop, make_organization):
    _, browser = shop
    other = (await make_organization("2026-01-01T00:00:00Z")).client
    who = await kit.customer(other, currency="EUR")
    await kit.subscribe(other, who, await kit.plan(other, amount_cents=100, pay_in_advance=True))
    for name, root in (
        ("revenue_streams", "revenue_streams"),
        ("revenue_by_plan", "plans"),
        ("revenue_by_customer", "customers"),
        ("mrr_movements", "mrr_movements"),
        ("mrr_by_plan", "plans"),
    ):
        assert (await get(browser, f"/analytics/{name}"))[root] == []


class TestNarrowed:
    """Ada, a company in France with a tax number: 10.00 of gold in advance and 20.00 of silver, less a coupon of 3.00 on all of it.

    Bob, in Germany: 10.00 of gold. Everything is billed on the first of January.
    """

    @pytest.fixture
    async def browser(self, shop):
        client, browser = shop
        gold = await kit.plan(client, code="gold", amount_cents=1000, pay_in_advance=True)
        silver = await kit.plan(client, code="silver", amount_cents=2000, pay_in_advance=True)
        ada = await kit.customer(
            client, external_id="ada", currency="EUR", country="FR", customer_type="company",
            tax_identification_number="FR1",
        )  # fmt: skip
        bob = await kit.customer(client, external_id="bob", currency="EUR", country="DE")
        await coupon(client, ada, **FIXED, amount_cents=300)
        await kit.subscribe(client, ada, gold, external_id="a_gold")
        await kit.subscribe(client, ada, silver, external_id="a_silver")
        await kit.subscribe(client, bob, gold, external_id="b_gold")
        await kit.advance(client, "2026-01-15")
        return browser

    @pytest.mark.parametrize(
        ("query", "gross", "customers"),
        [
            ({}, 4000, {"ada": 3000, "bob": 1000}),
            ({"external_customer_id": "ada"}, 3000, {"ada": 3000}),
            ({"external_customer_id": "nobody"}, None, {}),
            ({"customer_country": "de"}, 1000, {"bob": 1000}),
            ({"customer_type": "company"}, 3000, {"ada": 3000}),
            ({"has_tax_identification_number": "false"}, 1000, {"bob": 1000}),
            ({"has_tax_identification_number": "true", "customer_country": "DE"}, None, {}),
            ({"plan_code": "gold"}, 2000, {"ada": 1000, "bob": 1000}),
            ({"external_subscription_id": "a_silver"}, 2000, {"ada": 2000}),
        ],
    )  # fmt: skip
    async def test_revenue_is_of_whom_and_what_was_asked_for(self, browser, query, gross, customers):
        answer = await get(browser, "/analytics/revenue_streams", **query)
        assert [one["gross_amount_cents"] for one in answer["revenue_streams"]] == ([gross] if gross else [])
        by_customer = (await get(browser, "/analytics/revenue_by_customer", **query))["customers"]
        found = {one["external_customer_id"]: one["gross_amount_cents"] for one in by_customer}
        assert found == customers
        by_plan = (await get(browser, "/analytics/revenue_by_plan", **query))["plans"]
        assert sum(one["gross_amount_cents"] for one in by_plan) == sum(customers.values())

    async def test_of_a_plan_is_taken_off_what_its_fees_share_of_coupons(self, browser):
        """3.00 an invoice: both of Ada's have a coupon of their own, so each plan's fee bears 3.00."""
        whole = (await get(browser, "/analytics/revenue_streams", external_customer_id="ada"))[
            "revenue_streams"
        ]
        parts = [
            (await get(browser, "/analytics/revenue_streams", plan_code=code))["revenue_streams"][0]
            for code in ("gold", "silver")
        ]
        assert [one["coupons_amount_cents"] for one in parts] == [300, 300]
        assert [one["net_amount_cents"] for one in parts] == [1700, 1700]
        assert sum(one["coupons_amount_cents"] for one in parts) == whole[0]["coupons_amount_cents"]
        by_plan = (await get(browser, "/analytics/revenue_by_plan"))["plans"]
        assert {one["plan_code"]: one["net_amount_cents"] for one in by_plan} == {
            "gold": 1700,
            "silver": 1700,
        }

    @pytest.mark.parametrize(
        ("query", "ending"),
        [
            ({}, 3700),
            ({"external_customer_id": "ada"}, 2700),
            ({"customer_country": "DE"}, 1000),
            ({"plan_code": "gold"}, 2000),
            ({"external_subscription_id": "a_gold"}, 1000),
        ],
    )
    async def test_recurring_revenue_of_a_plan_is_before_coupons_of_amounts(self, browser, query, ending):
        answer = await get(browser, "/analytics/mrr_movements", **query)
        assert [one["ending_amount_cents"] for one in answer["mrr_movements"]] == [ending]

    @pytest.mark.parametrize("name", ["customer_country", "customer_type", "has_tax_identification_number"])
    async def test_by_what_there_is_not_is_refused(self, shop, name):
        _, browser = shop
        for path in (
            "revenue_streams", "revenue_by_plan", "revenue_by_customer", "mrr_movements", "mrr_by_plan", "prepaid_credits",
        ):  # fmt: skip
            refused = await get(browser, f"/analytics/{path}", **{name: "xx?"}, expect=422)
            assert refused["error_details"] == {name: ["value_is_invalid"]}

    async def test_credits_are_those_of_whom_was_asked_for(self, shop):
        client, browser = shop
        for name, country, credits in (("ada", "FR", "3"), ("bob", "DE", "5")):
            who = await kit.customer(client, external_id=name, currency="EUR", country=country)
            await prepaid.wallet(client, who, granted_credits=credits)
        for query, cents in (
            ({}, 800),
            ({"customer_country": "FR"}, 300),
            ({"external_customer_id": "bob"}, 500),
        ):
            (row,) = (await get(browser, "/analytics/prepaid_credits", **query))["prepaid_credits"]
            assert row["offered_amount_cents"] == cents
