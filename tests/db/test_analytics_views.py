"""The analytics views tell what the API tells (platform §12), and what they tell beyond it is worked out by hand."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy.engine import make_url
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import call, get, post
from tests.people import join
from tests.rooms import prepaid

from tallymark.cli.analytics import as_markdown
from tallymark.db import readers
from tallymark.db.engine import plain_url
from tallymark.domain.money import CURRENCIES

ROLE = "analytics_views_reader"


@pytest.fixture(scope="module")
def read(database_url, application, now_of_tests):
    """read("customers", of=organization) -> the rows of a view as the role that sees all organizations."""
    readers.grant(database_url, readers.Grant(role=ROLE, organization_id=None), now=now_of_tests)
    url = plain_url(make_url(database_url).set(username=ROLE))
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:

        def rows(view, *, of):
            column = "id" if view == "organizations" else "organization_id"
            return connection.execute(f"SELECT * FROM analytics.{view} WHERE {column} = %s", [of]).fetchall()

        yield rows
    readers.revoke(database_url, ROLE)


@pytest.fixture(scope="module")
def now_of_tests():
    return datetime(2026, 1, 1, tzinfo=UTC)


def bag(rows):
    return Counter(tuple(row) for row in rows)


def month_of(text):
    return date.fromisoformat(text[:10])


async def coupon(client, who, code, **terms):
    body = {"name": code, "code": code, "frequency": "forever", "expiration": "no_expiration", **terms}
    await post(client, "/coupons", {"coupon": body})
    given = {"external_customer_id": who["external_id"], "coupon_code": code}
    await post(client, "/applied_coupons", {"applied_coupon": given})


async def bill(client, who, cents, **more):
    """A one-off invoice over an amount."""
    fee = {"add_on_code": "setup", "unit_amount_cents": cents, "units": "1"}
    body = {
        "external_customer_id": who["external_id"],
        "currency": more.pop("currency", "EUR"),
        "fees": [fee],
        **more,
    }
    return (await post(client, "/invoices", {"invoice": body}))["invoice"]


async def pay(client, invoice, cents, on):
    payment = {"invoice_id": invoice["lago_id"], "amount_cents": cents, "reference": "r", "paid_at": on}
    await post(client, "/payments", {"payment": payment})


async def live(client):
    """Four months of everything that analytics tells of: every interval, coupons, credits, refunds, issuers, a partner."""
    await kit.tax(client)
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 100, "amount_currency": "EUR"}
    await post(client, "/add_ons", {"add_on": add_on})
    await post(client, "/billing_entities", {"billing_entity": {"name": "second", "code": "second"}})
    calls = await kit.metric(client, code="calls")
    advance = await kit.metric(client, "count_agg", code="advance")
    monthly = await kit.plan(client, kit.charge(calls), code="monthly", amount_cents=3100)
    quarterly = await kit.plan(
        client, code="quarterly", amount_cents=9001, interval="quarterly", pay_in_advance=True
    )
    arrears = await kit.plan(client, code="arrears", amount_cents=10007, interval="quarterly")
    yearly = await kit.plan(client, code="yearly", amount_cents=12345, interval="yearly", pay_in_advance=True)
    weekly = await kit.plan(client, code="weekly", amount_cents=701, interval="weekly", pay_in_advance=True)
    yen = await kit.plan(client, code="yen", amount_cents=990, amount_currency="JPY", pay_in_advance=True)
    alone = {**kit.charge(advance), "pay_in_advance": True, "invoiceable": False}
    alone = await kit.plan(client, alone, code="alone")
    ada = await kit.customer(client, external_id="ada", currency="EUR")
    bob = await kit.customer(client, external_id="bob", currency="EUR", billing_entity_code="second")
    cleo = await kit.customer(client, external_id="cleo", currency="EUR", net_payment_term=30)
    dan = await kit.customer(client, external_id="dan", currency="JPY")
    eve = await kit.customer(client, external_id="eve", currency="EUR", account_type="partner")
    await coupon(client, ada, "tenth", coupon_type="percentage", percentage_rate="10")
    await coupon(client, bob, "fixed", coupon_type="fixed_amount", amount_cents=333, amount_currency="EUR")
    used = await kit.subscribe(client, ada, monthly)
    await kit.send(client, used, calls, 10)
    await kit.subscribe(client, ada, arrears)
    await kit.subscribe(client, bob, quarterly)
    await kit.subscribe(client, bob, yearly, external_id="of_bob")
    await kit.subscribe(client, cleo, weekly, external_id="of_cleo")
    await kit.subscribe(client, dan, yen)
    await kit.subscribe(client, eve, monthly)
    unbilled = await kit.subscribe(client, cleo, alone)
    await kit.send(client, unbilled, advance, 1, 1)
    wallet = await prepaid.wallet(client, ada, granted_credits="3")
    await prepaid.transact(client, wallet, paid_credits="5")
    (bought,) = await prepaid.credit_invoices(client, ada)
    await prepaid.pay(client, bought)
    paid = await bill(client, ada, 1000)
    await pay(client, paid, 1200, "2026-01-10")
    await bill(client, cleo, 400)
    void = await bill(client, ada, 200)
    await call(client, "POST", f"/invoices/{void['lago_id']}/void")
    lost = await bill(client, ada, 300)
    await call(client, "POST", f"/invoices/{lost['lago_id']}/lose_dispute")
    await kit.advance(client, "2026-02-20")
    await call(client, "DELETE", "/subscriptions/of_cleo")
    note = {
        "invoice_id": paid["lago_id"],
        "refund_amount_cents": 600,
        "items": [{"fee_id": paid["fees"][0]["lago_id"], "amount_cents": 500}],
    }
    await post(client, "/credit_notes", {"credit_note": note})
    await kit.send(client, used, calls, 7)
    await kit.advance(client, "2026-03-20")
    await kit.subscribe(client, cleo, monthly, external_id="of_cleo_again")
    await kit.advance(client, "2026-04-15")


async def test_every_sum_is_that_of_the_api(read, application, make_organization):
    made = await make_organization("2026-01-10T00:00:00Z")
    client = made.client
    await live(client)
    person = await join(application, made.id, ADMIN_KEY)

    async def answer(name, root, by=client, **query):
        found = (await get(by, f"/analytics/{name}", **query))[root]
        assert found, name
        return found

    gross = await answer("gross_revenue", "gross_revenues")
    names = ("currency", "billing_entity_id", "amount_cents", "invoices_count")
    assert bag(
        (row["month"], str(row["billing_entity_id"]), *(row[n] for n in names if n != "billing_entity_id"))
        for row in read("gross_revenue_by_month", of=made.id)
    ) == bag(
        (
            month_of(row["month"]),
            row["billing_entity_id"],
            *(row[n] for n in names if n != "billing_entity_id"),
        )
        for row in gross
    )

    collected = await answer("invoice_collection", "invoice_collections")
    names = ("payment_status", "currency", "amount_cents", "invoices_count")
    same(
        read("invoice_collection_by_month", of=made.id), [row for row in collected if row["currency"]], names
    )

    billed = [
        {**row, "billable_metric_code": row["code"]}
        for row in await answer("invoiced_usage", "invoiced_usages")
    ]
    same(
        read("invoiced_usage_by_month", of=made.id),
        billed,
        ("billable_metric_code", "currency", "amount_cents"),
    )

    overdue = [
        {**row, "invoices_count": len(row["lago_invoice_ids"])}
        for row in await answer("overdue_balance", "overdue_balances")
    ]
    same(
        read("overdue_balance_by_month", of=made.id), overdue, ("currency", "amount_cents", "invoices_count")
    )

    mrr = [row for row in await answer("mrr", "mrrs") if row["currency"]]
    same(read("mrr_by_month", of=made.id), mrr, ("currency", "amount_cents"))
    assert {row["currency"] for row in mrr} == {"EUR", "JPY"}

    used = await answer("usage", "usages", time_granularity="monthly")
    shown = [
        {"month": row["start_of_period_dt"], "currency": row["amount_currency"], "units": Decimal(row["units"]),
         **{name: row[name] for name in ("billable_metric_code", "amount_cents", "is_billable_metric_deleted")}}
        for row in used
    ]  # fmt: skip
    same(
        read("usage_by_month", of=made.id), shown,
        ("billable_metric_code", "is_billable_metric_deleted", "currency", "units", "amount_cents"),
    )  # fmt: skip
    days = bag(
        (
            date.fromisoformat(row["start_of_period_dt"]),
            row["billable_metric_code"],
            Decimal(row["units"]),
            row["amount_cents"],
        )
        for row in await answer("usage", "usages")
    )
    assert days == bag(
        (row["usage_date"], row["billable_metric_code"], row["units"], row["amount_cents"])
        for row in read("daily_usage", of=made.id)
    )

    streams = await answer("revenue_streams", "revenue_streams", by=person.browser)
    same(
        read("revenue_streams_by_month", of=made.id), by_month(streams),
        [name for name in streams[0] if name != "start_of_period_dt"],
    )  # fmt: skip
    recurring = await get(person.browser, "/analytics/mrr_movements")
    same(
        read("mrr_movements_by_month", of=made.id), by_month(recurring["mrr_movements"]),
        [name for name in recurring["mrr_movements"][0] if name != "start_of_period_dt"],
    )  # fmt: skip
    plans = bag(
        (
            row["plan_code"],
            row["interval"],
            row["is_deleted"],
            row["currency"],
            row["amount_cents"],
            row["customers_count"],
        )
        for row in (await get(person.browser, "/analytics/mrr_by_plan"))["plans"]
    )
    assert plans == bag(
        (
            row["plan_code"],
            row["plan_interval"],
            row["is_plan_deleted"],
            row["currency"],
            row["amount_cents"],
            row["customers_count"],
        )
        for row in read("mrr_by_plan", of=made.id)
    )
    credits = await answer("prepaid_credits", "prepaid_credits", by=person.browser)
    exact = [
        {**row, **{name: Decimal(row[name]) for name in row if name.endswith("_credits")}} for row in credits
    ]
    same(
        read("prepaid_credits_by_month", of=made.id), by_month(exact),
        [name for name in exact[0] if name != "start_of_period_dt"],
    )  # fmt: skip
    await person.browser.aclose()


def by_month(told):
    """Rows of a report by months, each by its month."""
    return [{**row, "month": row["start_of_period_dt"]} for row in told]


def same(rows, told, names):
    """The same months with the same values, however they are ordered."""
    names = list(names)
    assert rows
    assert bag((row["month"], *(row[name] for name in names)) for row in rows) == bag(
        (month_of(row["month"]), *(row[name] for name in names)) for row in told
    )


async def test_rows_are_those_of_the_api(read, make_organization):
    """One by one: what each resource shows is what its view has."""
    made = await make_organization("2026-01-10T00:00:00Z", name="Rows")
    client = made.client
    await kit.tax(client)
    metric = await kit.metric(client, code="calls")
    plan = await kit.plan(client, kit.charge(metric), amount_cents=3100, pay_in_advance=True)
    ada = await kit.customer(
        client, external_id="ada", name="Ada", email="ada@acme.test", country="FR", currency="EUR"
    )
    await kit.subscribe(client, ada, plan, external_id="of_ada")
    (invoice,) = await kit.invoices(client, ada)
    await pay(client, invoice, 1000, "2026-01-10")
    (shown,) = await kit.invoices(client, ada)
    (row,) = read("invoices", of=made.id)
    for name in ("number", "status", "payment_status", "currency", "total_amount_cents", "total_paid_amount_cents", "fees_amount_cents",
                 "total_due_amount_cents", "taxes_amount_cents", "invoice_type"):  # fmt: skip
        assert row[name] == shown[name], name
    # 22 of 31 days of 31.00, with 20 %: 26.40; 10.00 are paid.
    assert (row["total_amount"], row["total_due_amount"]) == (Decimal("26.4"), Decimal("16.4"))
    assert (row["is_counted"], row["paid_at"]) == (True, None), "it is not paid in full"
    (fee,) = read("fees", of=made.id)
    assert (fee["fee_type"], fee["amount_cents"], fee["amount"]) == ("subscription", 2200, Decimal(22))
    (payment,) = read("payments", of=made.id)
    assert (payment["amount_cents"], payment["amount"], payment["payment_status"]) == (
        1000,
        Decimal(10),
        "succeeded",
    )
    (customer,) = read("customers", of=made.id)
    assert (customer["external_id"], customer["name"], customer["country"]) == ("ada", "Ada", "FR")
    assert "ada@acme.test" not in map(str, customer.values())
    (sold,) = read("plans", of=made.id)
    assert (sold["amount_cents"], sold["amount"], sold["interval"]) == (3100, Decimal(31), "monthly")
    (on,) = read("subscriptions", of=made.id)
    assert (on["external_id"], on["plan_id"], on["sold_plan_id"], on["status"]) == (
        "of_ada",
        sold["id"],
        sold["id"],
        "active",
    )
    (organization,) = read("organizations", of=made.id)
    assert (organization["name"], organization["is_simulated"], organization["current_at"].date()) == (
        "Rows",
        True,
        date(2026, 1, 10),
    )
    assert [row["code"] for row in read("billable_metrics", of=made.id)] == ["calls"]
    assert len(read("billing_entities", of=made.id)) == 1
    wallet = await prepaid.wallet(client, ada, rate_amount="2", granted_credits="3")
    (kept,) = read("wallets", of=made.id)
    assert (kept["id"].hex, kept["balance_cents"], kept["balance"], kept["credits_balance"]) == (
        wallet["lago_id"].replace("-", ""), 600, Decimal(6), Decimal(3),
    )  # fmt: skip
    (moved,) = read("wallet_transactions", of=made.id)
    assert (moved["transaction_status"], moved["amount"], moved["credits"]) == (
        "granted",
        Decimal(6),
        Decimal(3),
    )


async def test_customers_come_grow_shrink_go_and_come_back(read, make_organization):
    """Ada: 10.00 in January, none in February, 30.00 from March. Bob: 20.00, 30.00 from February, 20.00 from March."""
    made = await make_organization("2026-01-05T00:00:00Z", name="Churn")
    client = made.client
    small, middle, big = [
        await kit.plan(client, code=f"of_{cents}", amount_cents=cents) for cents in (1000, 2000, 3000)
    ]
    ada, bob = [await kit.customer(client, external_id=name, currency="EUR") for name in ("ada", "bob")]
    await kit.subscribe(client, ada, small, external_id="first")
    await kit.subscribe(client, bob, middle, external_id="of_bob")
    await kit.advance(client, "2026-02-10")
    await call(client, "DELETE", "/subscriptions/first")
    await kit.subscribe(client, bob, big, external_id="of_bob")
    await kit.advance(client, "2026-03-10")
    await kit.subscribe(client, ada, big, external_id="second")
    await kit.subscribe(client, bob, middle, external_id="of_bob")
    await kit.advance(client, "2026-04-10")
    found = {(row["month"].month, row["customer_id"]): row for row in read("customer_mrr", of=made.id)}
    names = {row["id"]: row["external_id"] for row in read("customers", of=made.id)}
    assert {(month, names[who]): (row["movement"], row["change_amount"]) for (month, who), row in found.items()} == {
        (1, "ada"): ("new", 10), (1, "bob"): ("new", 20),
        (2, "ada"): ("churn", -10), (2, "bob"): ("expansion", 10),
        (3, "ada"): ("reactivation", 30), (3, "bob"): ("unchanged", 0),
        (4, "ada"): ("unchanged", 0), (4, "bob"): ("contraction", -10),
    }  # fmt: skip
    moved = {row["month"].month: row for row in read("mrr_movements_by_month", of=made.id)}
    assert (moved[3]["new_amount_cents"], moved[3]["reactivation_amount_cents"]) == (3000, 3000)
    assert (moved[1]["new_amount_cents"], moved[1]["reactivation_amount_cents"]) == (3000, 0)
    churn = {row["month"].month: row for row in read("churn_by_month", of=made.id)}
    # February: one of two is lost, 10.00 of 30.00; Bob's 20.00 became 30.00: all that was there is kept.
    assert (churn[2]["customers_at_start"], churn[2]["customers_churned"], churn[2]["customers_at_end"]) == (
        2,
        1,
        1,
    )
    assert churn[2]["customer_churn_percent"] == 50
    assert churn[2]["revenue_churn_percent"] == Decimal("33.33")
    assert churn[2]["net_revenue_retention_percent"] == 100
    assert (churn[3]["customers_new"], churn[3]["customers_reactivated"]) == (1, 1)
    # April: 60.00 became 50.00.
    assert churn[4]["net_revenue_retention_percent"] == Decimal("83.33")
    assert churn[1]["customer_churn_percent"] is None


async def test_payments_come_in_time_or_late(read, make_organization):
    """Due at once: one paid on its day, one after 5 days, one not, one that is nothing; asked for together: one after 10 days."""
    made = await make_organization("2026-01-10T00:00:00Z", name="Payments")
    client = made.client
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 100, "amount_currency": "EUR"}
    await post(client, "/add_ons", {"add_on": add_on})
    who = await kit.customer(client, external_id="ada", currency="EUR", email="ada@acme.test")
    at_once, late, never, together = [await bill(client, who, cents) for cents in (100, 200, 300, 400)]
    await bill(client, who, 0)
    await pay(client, at_once, 100, "2026-01-10")
    await kit.advance(client, "2026-01-15T12:00")
    await pay(client, late, 200, "2026-01-15")
    await kit.advance(client, "2026-01-20T12:00")
    body = {
        "email": "ada@acme.test",
        "external_customer_id": "ada",
        "lago_invoice_ids": [together["lago_id"]],
    }
    asked = (await post(client, "/payment_requests", {"payment_request": body}))["payment_request"]
    await pay_request(client, asked, 400)
    rows = {row["id"].hex: row for row in read("invoices", of=made.id)}

    def told(invoice):
        row = rows[invoice["lago_id"].replace("-", "")]
        return row["payment_status"], row["days_to_pay"], row["is_paid_in_time"]

    assert told(at_once) == ("succeeded", 0, True)
    assert told(late) == ("succeeded", 5, False)
    assert told(never) == ("pending", None, None)
    assert told(together) == ("succeeded", 10, False)
    (month,) = read("payment_times_by_month", of=made.id)
    assert (
        month["invoices_count"],
        month["paid_count"],
        month["paid_in_time_count"],
        month["paid_late_count"],
    ) == (4, 3, 1, 2)
    assert (month["average_days_to_pay"], month["median_days_to_pay"]) == (5, 5)


async def pay_request(client, asked, cents):
    payment = {"payment_request_id": asked["lago_id"], "amount_cents": cents, "reference": "r"}
    await post(client, "/payments", {"payment": payment})


def test_major_units_are_those_of_each_currency(read, database_url):
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT code, analytics.subunits(code), analytics.major_units(1234, code) FROM unnest(%s::text[]) AS code",
            [list(CURRENCIES)],
        ).fetchall()
    assert found == [(code, one.subunits, Decimal(1234) / one.subunits) for code, one in CURRENCIES.items()]


def test_no_view_reads_an_event(database_url):
    """Usage is read of what was kept by the day: the number of events is no matter."""
    with psycopg.connect(database_url) as connection:
        read = {
            name
            for (name,) in connection.execute(
                "SELECT DISTINCT t.relname FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class"
                " JOIN pg_namespace n ON n.oid = v.relnamespace JOIN pg_depend d ON d.objid = r.oid AND d.classid = 'pg_rewrite'::regclass"
                " JOIN pg_class t ON t.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass"
                " WHERE n.nspname = 'analytics' OR v.relname LIKE 'analytics\\_%'"
            )
        }
    assert "daily_usages" in read
    assert not [name for name in read if name.startswith(("event", "rollup"))]


def test_all_is_described(database_url):
    with psycopg.connect(database_url) as connection:
        silent = connection.execute(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
            " WHERE n.nspname = 'analytics' AND (obj_description(c.oid) IS NULL OR col_description(c.oid, a.attnum) IS NULL)"
        ).fetchall()
    assert silent == []


def test_the_page_says_what_the_views_say_of_themselves(database_url):
    """`tallymark analytics describe` made it."""
    page = (Path(__file__).parents[2] / "docs" / "operations" / "analytics.md").read_text()
    _, _, described = page.partition("## The views\n\n")
    assert described == as_markdown(readers.describe(database_url)) + "\n"
