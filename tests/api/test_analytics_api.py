"""Analytics by month, day and metric (platform §12.1–12.6)."""

import pytest
from tests import kit
from tests.kit import call, get, post

MONTH = "{}-01T00:00:00.000Z"


async def rows(client, name, root, **query):
    """The rows of an answer as tuples of what they hold, the month as "2026-01"."""
    found = (await get(client, f"/analytics/{name}", **query))[root]
    for row in found:
        assert row["month"] == MONTH.format(row["month"][:7])
    return [{**row, "month": row["month"][:7]} for row in found]


async def bill(client, who, cents, *, tax=None, **more):
    """A one-off invoice over an amount."""
    add_on = await client_add_on(client)
    fee = {"add_on_code": add_on, "unit_amount_cents": cents, "units": "1"}
    if tax is not None:
        fee["tax_codes"] = [tax["code"]]
    body = {"external_customer_id": who["external_id"], "currency": "EUR", "fees": [fee], **more}
    return (await post(client, "/invoices", {"invoice": body}))["invoice"]


async def client_add_on(client):
    found = (await get(client, "/add_ons"))["add_ons"]
    if found:
        return found[0]["code"]
    body = {"name": "setup", "code": "setup", "amount_cents": 100, "amount_currency": "EUR"}
    return (await post(client, "/add_ons", {"add_on": body}))["add_on"]["code"]


async def seller(make_organization, start="2026-01-10T00:00:00Z"):
    client = (await make_organization(start)).client
    return client, await kit.customer(client)


async def entity(client, code):
    body = {"name": code, "code": code}
    return (await post(client, "/billing_entities", {"billing_entity": body}))["billing_entity"]


class TestGrossRevenue:
    async def test_is_what_invoices_come_to_less_refunds_of_their_month(self, make_organization):
        """January: 10.00 + 20.00 - 5.00 given back in February = 25.00 of 2 invoices; February: 7.00."""
        client, who = await seller(make_organization)
        first = await bill(client, who, 1000)
        await bill(client, who, 2000)
        await post(
            client, "/payments",
            {"payment": {"invoice_id": first["lago_id"], "amount_cents": 1000, "reference": "r",
                         "paid_at": "2026-01-10"}},
        )  # fmt: skip
        await kit.advance(client, "2026-02-03")
        fee = first["fees"][0]["lago_id"]
        note = {
            "invoice_id": first["lago_id"],
            "refund_amount_cents": 500,
            "items": [{"fee_id": fee, "amount_cents": 500}],
        }
        await post(client, "/credit_notes", {"credit_note": note})
        await bill(client, who, 700)
        found = await rows(client, "gross_revenue", "gross_revenues")
        assert [(r["month"], r["amount_cents"], r["currency"], r["invoices_count"]) for r in found] == [
            ("2026-01", 2500, "EUR", 2),
            ("2026-02", 700, "EUR", 1),
        ]

    async def test_counts_fees_in_advance_on_no_invoice(self, make_organization):
        """2 events at 1.00 each that are never invoiced, 20 % tax left out."""
        client, who = await seller(make_organization)
        await kit.tax(client)
        metric = await kit.metric(client, "count_agg")
        charge = {**kit.charge(metric), "pay_in_advance": True, "invoiceable": False}
        subscription = await kit.subscribe(client, who, await kit.plan(client, charge))
        await kit.send(client, subscription, metric, 1, 1)
        (found,) = await rows(client, "gross_revenue", "gross_revenues")
        assert (found["month"], found["amount_cents"], found["invoices_count"]) == ("2026-01", 200, 0)

    async def test_leaves_out_partners_void_invoices_and_lost_disputes(self, make_organization):
        client, who = await seller(make_organization)
        partner = await kit.customer(client, account_type="partner")
        await bill(client, partner, 100)
        void = await bill(client, who, 200)
        await call(client, "POST", f"/invoices/{void['lago_id']}/void")
        lost = await bill(client, who, 400)
        await call(client, "POST", f"/invoices/{lost['lago_id']}/lose_dispute")
        await bill(client, who, 800)
        for name, root in (
            ("gross_revenue", "gross_revenues"),
            ("invoice_collection", "invoice_collections"),
        ):
            assert [row["amount_cents"] for row in await rows(client, name, root)] == [800]

    async def test_is_of_one_customer_currency_or_issuer(self, make_organization):
        client, who = await seller(make_organization)
        other = await kit.customer(client)
        made = await entity(client, "second")
        away = await kit.customer(client, billing_entity_code="second")
        for customer, cents in ((who, 100), (other, 200), (away, 400)):
            await bill(client, customer, cents)
        found = await rows(client, "gross_revenue", "gross_revenues")
        assert sorted(row["amount_cents"] for row in found) == [300, 400]
        for query, amounts in (
            ({"external_customer_id": who["external_id"]}, [100]),
            ({"external_customer_id": "nobody"}, []),
            ({"billing_entity_code": "second"}, [400]),
            ({"currency": "eur", "billing_entity_code": "second"}, [400]),
            ({"currency": "USD"}, []),
        ):
            found = await rows(client, "gross_revenue", "gross_revenues", **query)
            assert [row["amount_cents"] for row in found] == amounts, query
        (row,) = await rows(client, "gross_revenue", "gross_revenues", billing_entity_code="second")
        assert row["billing_entity_id"] == made["lago_id"]


class TestMonths:
    async def test_begin_with_the_organizations_and_end_with_the_current_one(self, make_organization):
        client, who = await seller(make_organization)
        for month in ("2026-01-10", "2026-02-10", "2026-03-10"):
            await kit.advance(client, month + "T01:00")
            await bill(client, who, 100)
        for months, shown in ((None, 3), ("2", 2), ("1", 1), ("0", 1), ("-3", 1), ("999999999", 3)):
            query = {} if months is None else {"months": months}
            assert len(await rows(client, "gross_revenue", "gross_revenues", **query)) == shown

    async def test_what_is_no_question_is_refused(self, make_organization):
        client, _ = await seller(make_organization)
        for name in ("gross_revenue", "invoice_collection", "invoiced_usage", "overdue_balance", "mrr"):
            answer = await get(client, f"/analytics/{name}", expect=422, months="a few", currency="XXY")
            assert answer["error_details"] == {
                "currency": ["value_is_invalid"],
                "months": ["value_is_invalid"],
            }
            answer = await get(client, f"/analytics/{name}", expect=404, billing_entity_code="none")
            assert answer["code"] == "billing_entity_not_found"


async def test_invoices_are_collected_by_payment_status(make_organization):
    """January: 3.00 of 2 invoices wait, 4.00 are paid; February has none, and says so unless a currency is asked for."""
    client, who = await seller(make_organization)
    await bill(client, who, 100)
    await bill(client, who, 200)
    paid = await bill(client, who, 400)
    body = {"payment_status": "succeeded"}
    await call(client, "PUT", f"/invoices/{paid['lago_id']}", {"invoice": body})
    await kit.advance(client, "2026-03-01T01:00")
    await bill(client, who, 800)
    found = await rows(client, "invoice_collection", "invoice_collections")
    assert [
        (r["month"], r["payment_status"], r["invoices_count"], r["amount_cents"], r["currency"])
        for r in found
    ] == [
        ("2026-01", "pending", 2, 300, "EUR"),
        ("2026-01", "succeeded", 1, 400, "EUR"),
        ("2026-02", None, 0, 0, None),
        ("2026-03", "pending", 1, 800, "EUR"),
    ]
    assert len(await rows(client, "invoice_collection", "invoice_collections", currency="EUR")) == 3


async def test_invoiced_usage_is_by_metric_after_coupons(make_organization):
    """January's calls 10 x 1.00 and hours 3 x 1.00 are billed on 1 February; 10 % off: 9.00 and 2.70; a draft counts nowhere."""
    client, who = await seller(make_organization)
    calls = await kit.metric(client, code="calls")
    hours = await kit.metric(client, code="hours")
    plan = await kit.plan(client, kit.charge(calls), kit.charge(hours), amount_cents=5000)
    coupon = {
        "name": "ten", "code": "ten", "coupon_type": "percentage", "percentage_rate": "10",
        "frequency": "forever", "expiration": "no_expiration",
    }  # fmt: skip
    await post(client, "/coupons", {"coupon": coupon})
    applied = {"external_customer_id": who["external_id"], "coupon_code": "ten"}
    await post(client, "/applied_coupons", {"applied_coupon": applied})
    subscription = await kit.subscribe(client, who, plan)
    await kit.send(client, subscription, calls, 10)
    await kit.send(client, subscription, hours, 3)
    waits = await kit.customer(client, billing_configuration={"invoice_grace_period": 20})
    await kit.send(client, await kit.subscribe(client, waits, plan), calls, 100)
    await kit.advance(client, "2026-02-10")
    found = await rows(client, "invoiced_usage", "invoiced_usages")
    assert [(r["month"], r["code"], r["currency"], r["amount_cents"]) for r in found] == [
        ("2026-02", "calls", "EUR", 900),
        ("2026-02", "hours", "EUR", 270),
    ]
    await kit.advance(client, "2026-03-05")
    newest = await rows(client, "invoiced_usage", "invoiced_usages")
    assert [(r["month"], r["code"], r["amount_cents"]) for r in newest] == [
        ("2026-02", "calls", 10900),
        ("2026-02", "hours", 270),
    ]


async def test_overdue_balances_are_by_the_month_of_the_due_date(make_organization):
    """10.00 due on 10 January, 3.00 paid and 2.00 offset: 5.00; 4.00 due on 9 February; 8.00 not due yet."""
    client, who = await seller(make_organization)
    first = await bill(client, who, 1000)
    payment = {"invoice_id": first["lago_id"], "amount_cents": 300, "reference": "r", "paid_at": "2026-01-10"}
    await post(client, "/payments", {"payment": payment})
    note = {
        "invoice_id": first["lago_id"],
        "offset_amount_cents": 200,
        "items": [{"fee_id": first["fees"][0]["lago_id"], "amount_cents": 200}],
    }
    await post(client, "/credit_notes", {"credit_note": note})
    later = await kit.customer(client, net_payment_term=30)
    second = await bill(client, later, 400)
    await kit.advance(client, "2026-02-11")
    await bill(client, later, 800)
    found = await rows(client, "overdue_balance", "overdue_balances")
    assert [(r["month"], r["amount_cents"], r["currency"], r["lago_invoice_ids"]) for r in found] == [
        ("2026-01", 500, "EUR", [first["lago_id"]]),
        ("2026-02", 400, "EUR", [second["lago_id"]]),
    ]
    of_one = await rows(
        client, "overdue_balance", "overdue_balances", external_customer_id=later["external_id"]
    )
    assert [row["amount_cents"] for row in of_one] == [400]


class TestMrr:
    async def test_a_month_counts_where_it_is_issued(self, make_organization):
        """22 of 31 days of 31.00 = 22.00, with 20 % tax 26.40, issued on 1 February; January has none."""
        client, who = await seller(make_organization)
        await kit.tax(client)
        await kit.subscribe(client, who, await kit.plan(client, amount_cents=3100))
        await kit.advance(client, "2026-02-02")
        found = await rows(client, "mrr", "mrrs")
        assert [(r["month"], r["amount_cents"], r["currency"]) for r in found] == [
            ("2026-01", None, None),
            ("2026-02", 2640, "EUR"),
        ]
        assert len(await rows(client, "mrr", "mrrs", currency="EUR")) == 1

    async def test_a_quarter_in_advance_counts_in_the_months_to_come(self, make_organization):
        """90.00 for 1 January to 31 March: 3044.02 a month for two months, 2911.95 in the last; hidden until reached."""
        client, who = await seller(make_organization, "2026-01-01T00:00:00Z")
        plan = await kit.plan(client, amount_cents=9000, interval="quarterly", pay_in_advance=True)
        await kit.subscribe(client, who, plan)
        found = await rows(client, "mrr", "mrrs")
        assert [(r["month"], r["amount_cents"]) for r in found] == [("2026-01", 3044)]
        await kit.advance(client, "2026-03-15")
        found = await rows(client, "mrr", "mrrs")
        assert [(r["month"], r["amount_cents"]) for r in found] == [
            ("2026-01", 3044),
            ("2026-02", 3044),
            ("2026-03", 2912),
        ]
        assert [r["month"] for r in await rows(client, "mrr", "mrrs", months=2)] == ["2026-02", "2026-03"]

    async def test_a_quarter_in_arrears_counts_in_the_months_before(self, make_organization):
        """The same, issued on 1 April: April, March, and what is left in February."""
        client, who = await seller(make_organization, "2026-01-01T00:00:00Z")
        plan = await kit.plan(client, amount_cents=9000, interval="quarterly")
        await kit.subscribe(client, who, plan)
        await kit.advance(client, "2026-04-02")
        found = await rows(client, "mrr", "mrrs")
        assert [(r["month"], r["amount_cents"]) for r in found] == [
            ("2026-01", None),
            ("2026-02", 2912),
            ("2026-03", 3044),
            ("2026-04", 3044),
        ]

    async def test_weeks_are_the_mean_of_each_subscription(self, make_organization):
        """Weeks begin on Monday and are paid in advance.

        A, 7.00 a week from Saturday the 10th: 2.00, then 7.00 three times: mean 23.00 / 4 = 5.75. B, 14.00 a week from
        Monday the 19th: 14.00 twice: mean 14.00. (5.75 + 14.00) x 4.33 = 85.5175.
        """
        client, who = await seller(make_organization)
        weekly = {"interval": "weekly", "pay_in_advance": True}
        await kit.subscribe(client, who, await kit.plan(client, amount_cents=700, **weekly))
        await kit.advance(client, "2026-01-19T00:00")
        await kit.subscribe(
            client, await kit.customer(client), await kit.plan(client, amount_cents=1400, **weekly)
        )
        await kit.advance(client, "2026-01-31")
        (found,) = await rows(client, "mrr", "mrrs")
        assert (found["month"], found["amount_cents"]) == ("2026-01", 8552)


class TestUsage:
    @pytest.fixture
    async def used(self, make_organization):
        """Calls: 3 on Saturday 10 January, 2 on Monday 12th, 4 on 3 February. Hours, recurring: 1 on 12 January."""
        client, who = await seller(make_organization)
        await call(
            client, "POST", "/customers",
            {"customer": {**who, "country": "FR", "customer_type": "company"}},
        )  # fmt: skip
        calls = await kit.metric(client, code="calls")
        hours = await kit.metric(client, code="hours", recurring=True)
        plan = await kit.plan(client, kit.charge(calls), kit.charge(hours, amount="2"), code="p")
        subscription = await kit.subscribe(client, who, plan, external_id="s")
        await kit.send(client, subscription, calls, 3)
        await kit.advance(client, "2026-01-12T10:00")
        await kit.send(client, subscription, calls, 2)
        await kit.send(client, subscription, hours, 1)
        await kit.advance(client, "2026-02-03T10:00")
        await kit.send(client, subscription, calls, 4)
        await kit.advance(client, "2026-02-04T01:00")
        return client

    async def of(self, client, **query):
        found = (await get(client, "/analytics/usage", **query))["usages"]
        return [
            (r["start_of_period_dt"], r["end_of_period_dt"], r["billable_metric_code"], r["units"], r["amount_cents"])
            for r in found
            if r["amount_cents"]
        ]  # fmt: skip

    async def test_by_day(self, used):
        assert await self.of(used) == [
            ("2026-01-10", "2026-01-10", "calls", "3.0", 300),
            ("2026-01-12", "2026-01-12", "calls", "2.0", 200),
            ("2026-01-12", "2026-01-12", "hours", "1.0", 200),
            ("2026-02-01", "2026-02-01", "hours", "1.0", 200),
            ("2026-02-03", "2026-02-03", "calls", "4.0", 400),
        ]

    async def test_by_week_from_monday_and_by_month(self, used):
        assert await self.of(used, time_granularity="weekly") == [
            ("2026-01-05", "2026-01-11", "calls", "3.0", 300),
            ("2026-01-12", "2026-01-18", "calls", "2.0", 200),
            ("2026-01-12", "2026-01-18", "hours", "1.0", 200),
            ("2026-01-26", "2026-02-01", "hours", "1.0", 200),
            ("2026-02-02", "2026-02-08", "calls", "4.0", 400),
        ]
        assert await self.of(used, time_granularity="monthly") == [
            ("2026-01-01", "2026-01-31", "calls", "5.0", 500),
            ("2026-01-01", "2026-01-31", "hours", "1.0", 200),
            ("2026-02-01", "2026-02-28", "calls", "4.0", 400),
            ("2026-02-01", "2026-02-28", "hours", "1.0", 200),
        ]

    async def test_narrowed(self, used):
        everything = await self.of(used)
        customer = (await get(used, "/customers"))["customers"][0]["external_id"]
        for query in (
            {"currency": "eur"},
            {"customer_type": "company"},
            {"customer_country": "fr"},
            {"external_customer_id": customer},
            {"external_subscription_id": "s"},
            {"plan_code": "p"},
            {"from_date": "2026-01-10", "to_date": "2026-02-03"},
        ):
            assert await self.of(used, **query) == everything, query
        for query in (
            {"currency": "USD"},
            {"customer_type": "individual"},
            {"customer_country": "DE"},
            {"external_customer_id": "x"},
            {"external_subscription_id": "x"},
            {"plan_code": "x"},
            {"billable_metric_code": "x"},
        ):
            assert await self.of(used, **query) == [], query
        of_hours = [row for row in everything if row[2] == "hours"]
        assert await self.of(used, billable_metric_code="hours") == of_hours
        assert await self.of(used, is_billable_metric_recurring="true") == of_hours
        assert await self.of(used, from_date="2026-01-11", to_date="2026-01-31") == everything[1:3]

    async def test_shape(self, used):
        body = (await get(used, "/organizations"))["organization"]
        found = (await get(used, "/analytics/usage"))["usages"][0]
        assert found == {
            "organization_id": body["lago_id"],
            "start_of_period_dt": "2026-01-10",
            "end_of_period_dt": "2026-01-10",
            "amount_currency": "EUR",
            "amount_cents": 300,
            "billable_metric_code": "calls",
            "units": "3.0",
            "is_billable_metric_deleted": False,
        }
        await call(used, "DELETE", "/billable_metrics/calls")
        shown = (await get(used, "/analytics/usage", billable_metric_code="calls"))["usages"]
        assert {row["is_billable_metric_deleted"] for row in shown} == {True}

    async def test_what_is_no_question_is_refused(self, used):
        answer = await get(
            used, "/analytics/usage", expect=422, time_granularity="hourly", currency="no", from_date="soon",
            customer_type="robot", customer_country="XX", is_billable_metric_recurring="maybe",
        )  # fmt: skip
        wrong = (
            "time_granularity",
            "currency",
            "customer_type",
            "customer_country",
            "is_billable_metric_recurring",
        )
        assert answer["error_details"] == {
            **{name: ["value_is_invalid"] for name in wrong},
            "from_date": ["invalid_date"],
        }
        answer = await get(used, "/analytics/usage", expect=422, from_date="2026-02-01", to_date="2026-01-31")
        assert answer["error_details"] == {"to_date": ["value_is_out_of_range"]}


async def test_nobody_sees_what_others_earn(make_organization, other_client):
    client, who = await seller(make_organization)
    await bill(client, who, 100)
    assert await rows(other_client, "gross_revenue", "gross_revenues") == []
    assert (await get(other_client, "/analytics/usage"))["usages"] == []
