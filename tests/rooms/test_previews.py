"""A preview is the invoice that then comes of the same facts (invoicing §10.5)."""

import random
from datetime import date

import pytest
from tests import kit
from tests.rooms.test_coupons import coupon, give

TOTALS = (
    "currency", "issuing_date", "payment_due_date", "expected_finalization_date", "net_payment_term",
    "fees_amount_cents", "progressive_billing_credit_amount_cents", "coupons_amount_cents",
    "sub_total_excluding_taxes_amount_cents", "taxes_amount_cents", "taxes_rate",
    "sub_total_including_taxes_amount_cents", "credit_notes_amount_cents", "prepaid_credit_amount_cents",
    "total_amount_cents", "payment_status", "purchase_order_number", "self_billed",
)  # fmt: skip
FEE = (
    "amount_cents", "precise_amount", "units", "total_aggregated_units", "events_count", "taxes_amount_cents",
    "taxes_precise_amount", "precise_coupons_amount_cents", "from_date", "to_date", "amount_details",
    "pay_in_advance", "lago_charge_id", "lago_fixed_charge_id", "precise_unit_amount",
)  # fmt: skip
PERIOD = (
    "lago_plan_id", "subscription_from_datetime", "subscription_to_datetime", "charges_from_datetime",
    "charges_to_datetime", "fixed_charges_from_datetime", "fixed_charges_to_datetime", "invoicing_reason",
)  # fmt: skip


def essence(invoice):
    """What of an invoice does not depend on whether it was made."""

    def of_item(fee):
        return [
            fee["item"][name]
            for name in ("type", "code", "name", "filters", "invoice_display_name", "grouped_by")
        ]

    return {
        **{name: invoice[name] for name in TOTALS},
        "fees": [([fee[name] for name in FEE], of_item(fee)) for fee in invoice["fees"]],
        "taxes": [(tax["tax_code"], tax["amount_cents"], tax["fees_amount_cents"]) for tax in invoice["applied_taxes"]],
        "credits": [(line["item"]["type"], line["item"]["code"], line["amount_cents"]) for line in invoice["credits"]],
        "periods": [[period[name] for name in PERIOD] for period in invoice["billing_periods"]],
        "sections": [section["code"] for section in invoice["applied_invoice_custom_sections"]],
    }  # fmt: skip


async def preview(client, who, *, expect=200, **body):
    """`who` is a customer that there is, or the attributes of one."""
    customer = {"external_id": who["external_id"]} if "lago_id" in who else who
    answer = await kit.post(client, "/invoices/preview", {"customer": customer, **body}, expect=expect)
    return answer.get("invoice", answer)


async def of(client, who, *subscriptions, expect=200, **more):
    ids = [one["external_id"] for one in subscriptions]
    return await preview(client, who, expect=expect, subscriptions={"external_ids": ids, **more})


async def newest(client, who):
    return (await kit.invoices(client, who))[-1]


@pytest.fixture
async def seller(make_organization):
    """An organization on 10 January 2025 with 20 % tax."""
    organization = await make_organization("2025-01-10T08:00:00Z")
    client = organization.client
    await kit.tax(client, "20", applied_to_organization=True)
    return client


async def metered(client, **more):
    """31.00 a month and 2.00 a unit."""
    sold = await kit.metric(client, "sum_agg", field_name="value")
    return sold, await kit.plan(client, kit.charge(sold, amount="2"), amount_cents=3100, **more)


async def seats(client, **more):
    """31.00 a month, and 15.00 of fixed charges in advance."""
    body = {"name": "Seat", "code": "seat", "amount_cents": 500, "amount_currency": "EUR"}
    add_on = (await kit.post(client, "/add_ons", {"add_on": body}))["add_on"]
    fixed = {
        "add_on_id": add_on["lago_id"], "charge_model": "standard", "units": 3, "pay_in_advance": True,
        "properties": {"amount": "5"},
    }  # fmt: skip
    return await kit.plan(client, amount_cents=3100, fixed_charges=[fixed], **more)


async def test_the_next_bill_of_a_subscription_with_its_usage_so_far(seller):
    """22 of 31 days of 31.00, and 3 x 2.00: 28.00, with 20 % 33.60."""
    sold, plan = await metered(seller)
    who = await kit.customer(seller, net_payment_term=10)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.send(seller, subscription, sold, 1, 2)
    shown = await of(seller, who, subscription)
    assert (shown["fees_amount_cents"], shown["total_amount_cents"]) == (2800, 3360)
    assert (shown["issuing_date"], shown["payment_due_date"]) == ("2025-02-01", "2025-02-11")
    await kit.advance(seller, "2025-02-01T01:00")
    assert essence(shown) == essence(await newest(seller, who))


async def test_nothing_is_written_and_ids_are_null(client, count_statements):
    await kit.tax(client, "20", applied_to_organization=True)
    sold, plan = await metered(client)
    who = await kit.customer(client)
    subscription = await kit.subscribe(client, who, plan)
    await kit.send(client, subscription, sold, 1)
    with count_statements() as statements:
        shown = await of(client, who, subscription)
    written = [
        text for text in statements if text.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
    ]
    # The call itself is noted, and that its key was used.
    assert [text for text in written if "api_logs" not in text and "api_keys" not in text] == []
    assert (shown["lago_id"], shown["web_url"]) == (None, None)
    assert {fee["lago_id"] for fee in shown["fees"]} == {None}
    assert {tax["lago_id"] for tax in shown["applied_taxes"]} == {None}
    assert shown["customer"]["lago_id"] == who["lago_id"]
    assert shown["subscriptions"][0]["lago_id"] == subscription["lago_id"]
    assert await kit.invoices(client, who) == []


async def test_a_proposal_to_someone_unknown(seller):
    """In advance from the 10th: 22 of 31 days of 31.00 at once, 20 % tax; in arrears the same on 1 February."""
    plan = await kit.plan(seller, amount_cents=3100, pay_in_advance=True)
    shown = await preview(seller, {"name": "Nobody", "timezone": "Europe/Paris"}, plan_code=plan["code"])
    assert (shown["fees_amount_cents"], shown["total_amount_cents"]) == (2200, 2640)
    assert shown["issuing_date"] == "2025-01-10"
    assert shown["customer"]["lago_id"] is None
    assert shown["customer"]["external_id"] is None
    assert shown["customer"]["name"] == "Nobody"
    assert shown["subscriptions"][0]["lago_id"] is None
    assert shown["subscriptions"][0]["plan_code"] == plan["code"]
    later = await kit.plan(seller, amount_cents=3100)
    shown = await preview(seller, {"name": "Nobody"}, plan_code=later["code"])
    assert (shown["fees_amount_cents"], shown["issuing_date"]) == (2200, "2025-02-01")


async def test_a_proposal_is_the_first_invoice_of_that_subscription(seller):
    """Anniversary from the 10th: a whole month; fixed charges in advance come with it."""
    plan = await seats(seller, pay_in_advance=True)
    who = await kit.customer(seller)
    shown = await preview(seller, who, plan_code=plan["code"], billing_time="anniversary")
    assert shown["fees_amount_cents"] == 3100 + 1500
    await kit.subscribe(seller, who, plan, billing_time="anniversary")
    assert essence(shown) == essence(await newest(seller, who))


@pytest.mark.parametrize(
    ("in_advance", "trial_days", "start", "day", "cents"),
    [
        pytest.param(True, 0, "2024-12-20T10:00:00Z", "2025-02-01", 3100, id="past, by the calendar"),
        pytest.param(False, 0, "2024-12-20T10:00:00Z", "2025-02-01", 3100, id="past, in arrears"),
        pytest.param(True, 10, "2024-12-20T10:00:00Z", "2025-01-10", 3100, id="past, its trial over"),
        pytest.param(True, 10, "2025-01-10T08:00:00Z", "2025-01-20", 1200, id="in a trial, at its end"),
        pytest.param(True, 40, "2025-01-10T08:00:00Z", "2025-02-01", 0, id="in a longer trial"),
        pytest.param(False, 0, "2025-01-25T15:00:00Z", "2025-02-01", 700, id="later, from the day's start"),
    ],
)
async def test_a_proposal_is_billed_first_when_it_would_be(seller, in_advance, trial_days, start, day, cents):
    """Earlier periods are never billed, and a start in a trial has no invoice (subscriptions §2.5, §4.5)."""
    _, plan = await metered(seller, pay_in_advance=in_advance, trial_period=trial_days)
    who = await kit.customer(seller)
    asked = {"billing_time": "calendar", "subscription_at": start}
    shown = await preview(seller, who, plan_code=plan["code"], **asked)
    assert (shown["issuing_date"], shown["fees_amount_cents"]) == (day, cents)
    await kit.subscribe(seller, who, plan, **asked)
    await kit.advance(seller, f"{day}T09:00")
    assert essence(shown) == essence(await newest(seller, who))


async def test_what_is_billed_at_the_start_counts_for_the_first_commitment(seller):
    """22 of 31 days: 70.97 of 100.00, less 22.00 and the 15.00 of seats that the start billed, is 33.97."""
    plan = await seats(seller, pay_in_advance=False, minimum_commitment={"amount_cents": 10_000})
    who = await kit.customer(seller)
    shown = await preview(seller, who, plan_code=plan["code"])
    assert sorted(fee["amount_cents"] for fee in shown["fees"]) == [1500, 2200, 3397]
    await kit.subscribe(seller, who, plan, billing_time="calendar")
    await kit.advance(seller, "2025-02-01T01:00")
    assert essence(shown) == essence(await newest(seller, who))


async def test_the_end_of_a_trial_is_billed_before_the_next_bill(seller):
    """12 days from 20 January are 12.00 then, less the coupon 7.00, with tax 8.40 of a wallet of 10.00, of which 1.60 are left.

    Of 22 days' commitment, 35.48, 23.48 lack.
    """
    _, plan = await metered(
        seller, pay_in_advance=True, trial_period=10, minimum_commitment={"amount_cents": 5000}
    )
    who = await kit.customer(seller)
    await give(seller, who, await coupon(seller, amount_cents=500))
    wallet = {"external_customer_id": who["external_id"], "rate_amount": "1", "currency": "EUR"}
    await kit.post(seller, "/wallets", {"wallet": {**wallet, "granted_credits": "10"}})
    subscription = await kit.subscribe(seller, who, plan, billing_time="calendar")
    shown = await of(seller, who, subscription)
    assert sorted(fee["amount_cents"] for fee in shown["fees"]) == [2348, 3100]
    paid = [shown[f"{name}_amount_cents"] for name in ("coupons", "credit_notes", "prepaid_credit")]
    assert paid == [0, 0, 160]
    await kit.advance(seller, "2025-02-01T01:00")
    assert essence(shown) == essence(await newest(seller, who))


async def test_coupons_of_the_request_count_where_the_customer_has_none(seller):
    plan = await kit.plan(seller, amount_cents=3100, pay_in_advance=True)
    who = await kit.customer(seller)
    half = {"code": "half", "coupon_type": "percentage", "percentage_rate": "50"}
    shown = await preview(seller, who, plan_code=plan["code"], coupons=[half])
    assert (shown["coupons_amount_cents"], shown["total_amount_cents"]) == (1100, 1320)
    assert shown["credits"][0]["item"] == {
        "lago_item_id": None, "type": "coupon", "code": "half", "name": "half", "description": None,
    }  # fmt: skip
    stored = await coupon(seller, amount_cents=200)
    shown = await preview(seller, who, plan_code=plan["code"], coupons=[{"code": stored["code"]}])
    assert shown["coupons_amount_cents"] == 200
    await give(seller, who, stored, amount_cents=300)
    shown = await preview(seller, who, plan_code=plan["code"], coupons=[half])
    assert shown["coupons_amount_cents"] == 300
    await kit.subscribe(seller, who, plan)
    assert essence(shown) == essence(await newest(seller, who))


async def test_an_end_gives_unused_time_back_first(seller):
    """31.00 paid on 1 February for 28 days; an end on the 14th leaves 14 days: 15.50 and 20 %, 18.60, against its usage of 5 x 2.00."""
    sold, plan = await metered(seller, pay_in_advance=True)
    who = await kit.customer(seller)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.advance(seller, "2025-02-13T09:00")
    await kit.send(seller, subscription, sold, 5)
    shown = await of(seller, who, subscription, terminated_at="2025-02-14T10:00:00Z")
    assert (shown["fees_amount_cents"], shown["credit_notes_amount_cents"]) == (1000, 1200)
    await kit.advance(seller, "2025-02-14T10:00")
    await kit.call(seller, "DELETE", f"/subscriptions/{subscription['external_id']}")
    assert essence(shown) == essence(await newest(seller, who))


async def test_an_end_that_is_noted_comes_before_the_next_bill(seller):
    _, plan = await metered(seller)
    who = await kit.customer(seller)
    subscription = await kit.subscribe(seller, who, plan, ending_at="2025-01-20T12:00:00Z")
    shown = await of(seller, who, subscription)
    assert shown["billing_periods"][0]["invoicing_reason"] == "subscription_terminating"
    await kit.advance(seller, "2025-01-20T01:00")
    assert essence(shown) == essence(await newest(seller, who))


@pytest.mark.parametrize(
    ("price", "day"),
    [pytest.param(6200, "2025-01-15T10:00", id="dearer, at once"), pytest.param(1000, "2025-02-01T01:00", id="cheaper, later")],
)  # fmt: skip
@pytest.mark.parametrize("in_advance", [True, False])
async def test_a_change_of_plan_bills_the_old_and_the_new(seller, price, day, in_advance):
    sold, plan = await metered(seller, pay_in_advance=True)
    other = await kit.plan(
        seller, kit.charge(sold, amount="1"), amount_cents=price, pay_in_advance=in_advance
    )
    who = await kit.customer(seller)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.advance(seller, "2025-01-15T10:00")
    await kit.send(seller, subscription, sold, 7)
    shown = await of(seller, who, subscription, plan_code=other["code"])
    await kit.subscribe(seller, who, other, external_id=subscription["external_id"])
    if day != "2025-01-15T10:00":
        waiting = await of(seller, who, subscription)
        assert essence(waiting) == essence(shown)
        await kit.advance(seller, day)
    made = [
        invoice for invoice in await kit.invoices(seller, who)
        if "subscription_terminating" in [p["invoicing_reason"] for p in invoice["billing_periods"]]
    ]  # fmt: skip
    assert [essence(shown)] == [essence(invoice) for invoice in made]


async def test_several_subscriptions_share_their_next_bill(seller):
    _, plan = await metered(seller)
    who = await kit.customer(seller)
    first, second = [await kit.subscribe(seller, who, plan) for _ in range(2)]
    shown = await of(seller, who, first, second)
    await kit.advance(seller, "2025-02-01T01:00")
    assert essence(shown) == essence(await newest(seller, who))


async def test_a_subscription_to_come_as_of_its_start(seller):
    plan = await kit.plan(seller, amount_cents=3100, pay_in_advance=True)
    who = await kit.customer(seller)
    subscription = await kit.subscribe(seller, who, plan, subscription_at="2025-01-25T15:00:00Z")
    shown = await of(seller, who, subscription)
    await kit.advance(seller, "2025-01-25T01:00")
    assert essence(shown) == essence(await newest(seller, who))


async def test_what_a_draft_will_come_to(seller):
    """With days of grace the preview is the invoice when it is final: coupons and all."""
    sold, plan = await metered(seller)
    who = await kit.customer(seller, billing_configuration={"invoice_grace_period": 3})
    subscription = await kit.subscribe(seller, who, plan)
    await give(seller, who, await coupon(seller, amount_cents=500))
    await kit.send(seller, subscription, sold, 1)
    shown = await of(seller, who, subscription)
    assert shown["coupons_amount_cents"] == 500
    await kit.advance(seller, "2025-02-04T01:00")
    assert essence(shown) == essence(await newest(seller, who))


@pytest.mark.parametrize("start", ["2025-01-10T12:00:00Z", "2025-01-11T07:42:00+19:42"])
async def test_what_there_is_of_the_customer_may_be_told_otherwise(seller, start):
    """In Auckland the 10th at 08:00 UTC is the 10th too, 21:00; at 12:00 UTC it is the 11th: 21 days of 31."""
    plan = await kit.plan(seller, amount_cents=3100, pay_in_advance=True)
    who = await kit.customer(seller, name="Old")
    asked = {"external_id": who["external_id"], "name": "New", "timezone": "Pacific/Auckland"}
    shown = await preview(seller, asked, plan_code=plan["code"], subscription_at=start)
    assert (shown["customer"]["name"], shown["fees_amount_cents"]) == ("New", 2100)
    assert (await kit.get(seller, f"/customers/{who['external_id']}"))["customer"]["name"] == "Old"


async def test_what_is_refused(seller):
    _, plan = await metered(seller)
    other = await kit.plan(seller, amount_cents=9900, amount_currency="USD")
    yearly = await kit.plan(seller, amount_cents=9900, interval="yearly")
    who = await kit.customer(seller)
    one = await kit.subscribe(seller, who, plan)
    two = await kit.subscribe(seller, who, yearly)

    async def refused(expect, customer=who, **body):
        return await preview(seller, customer, expect=expect, **body)

    def chosen(*external_ids, **more):
        return {"external_ids": list(external_ids), **more}

    first, second = one["external_id"], two["external_id"]
    assert (await refused(400, coupons={}))["error"] == "coupons_must_be_an_array"
    assert (await refused(400, subscriptions=[]))["error"] == "subscriptions_must_be_an_object"
    code = (await refused(404, plan_code="gone", billing_entity_code="gone"))["code"]
    assert code == "billing_entity_not_found"
    assert (await refused(404, {"external_id": "gone"}, plan_code="gone"))["code"] == "customer_not_found"
    assert (await refused(404, plan_code="gone"))["code"] == "plan_not_found"
    assert (await refused(404))["code"] == "plan_not_found"
    assert (await refused(404, subscriptions=chosen("gone")))["code"] == "subscription_not_found"
    for body, details in (
        ({"subscriptions": chosen(first, second, terminated_at="2025-02-01")},
         {"subscriptions": ["only_one_subscription_allowed_for_termination"]}),
        ({"subscriptions": chosen(first, second, plan_code=yearly["code"])},
         {"subscriptions": ["only_one_subscription_allowed_for_plan_change"]}),
        ({"subscriptions": chosen(first, terminated_at="soon")}, {"terminated_at": ["invalid_timestamp"]}),
        ({"subscriptions": chosen(first, terminated_at="9999-12-31")}, {"terminated_at": ["invalid_timestamp"]}),
        ({"subscriptions": chosen(first, terminated_at="2025-01-01")}, {"terminated_at": ["cannot_be_in_past"]}),
        ({"subscriptions": chosen(first, plan_code=plan["code"])},
         {"base": ["new_plan_should_be_different_from_existing_plan"]}),
        ({"subscriptions": chosen(first, plan_code=other["code"])}, {"base": ["subscription_currencies_does_not_match"]}),
        ({"subscriptions": chosen(first, second)}, {"base": ["billing_periods_does_not_match"]}),
        ({"plan_code": plan["code"], "coupons": [{"code": "new"}]}, {"coupon_type": ["value_is_mandatory"]}),
        ({"plan_code": plan["code"], "billing_time": "lunar"}, {"billing_time": ["value_is_invalid"]}),
    ):  # fmt: skip
        assert (await refused(422, **body))["error_details"] == details
    details = (await refused(422, {"name": "Nobody"}, subscriptions=chosen(first)))["error_details"]
    assert details == {"customer": ["must_be_persisted"]}
    taxed = {
        "name": "Nobody",
        "integration_customers": [{"integration_type": "anrok", "integration_code": "a"}],
    }
    details = (await refused(422, taxed, plan_code=plan["code"]))["error_details"]
    assert details == {"integration_customers": ["unsupported_value"]}


async def test_nobody_sees_the_subscriptions_of_another(seller, other_client):
    _, plan = await metered(seller)
    who = await kit.customer(seller)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.customer(other_client, external_id=who["external_id"])
    await of(other_client, who, subscription, expect=404)


def drawn_plan(draw, sold, add_on):
    """A plan of some timing with usage, a fixed charge and a commitment."""
    charges = [
        kit.charge(sold, amount=str(draw.choice(["0.333", "1.5", "2"])))
        | draw.choice([{}, {}, {"min_amount_cents": draw.randrange(1, 9000)}])
        for _ in range(draw.randrange(3))
    ]
    fixed = [
        {
            "add_on_id": add_on["lago_id"], "charge_model": "standard", "units": draw.randrange(1, 5),
            "properties": {"amount": "7.77"}, "pay_in_advance": draw.random() < 0.5,
            "prorated": draw.random() < 0.5,
        }
        for _ in range(draw.randrange(2))
    ]  # fmt: skip
    more = {}
    if draw.random() < 0.4:
        more["minimum_commitment"] = {"amount_cents": draw.randrange(1, 20_000)}
    interval = draw.choice(["weekly", "monthly", "yearly"])
    if interval == "yearly":
        more["bill_charges_monthly"] = draw.random() < 0.5
    return charges, {
        "amount_cents": draw.randrange(0, 20_000),
        "interval": interval,
        "pay_in_advance": draw.random() < 0.5,
        "fixed_charges": fixed,
        "trial_period": draw.choice([0, 0, 0, 5, 40]),
        **more,
    }


@pytest.mark.parametrize("seed", range(8))
async def test_a_preview_is_the_invoice_that_comes(make_organization, seed):
    """Whatever the plan, coupons and taxes: the next bill, an end or a change is what was shown before."""
    draw = random.Random(seed)
    organization = await make_organization("2025-01-10T08:00:00Z")
    client = organization.client
    await kit.tax(client, draw.choice(["0", "7.7", "20"]), applied_to_organization=True)
    sold = await kit.metric(client, "sum_agg", field_name="value")
    body = {"name": "Seat", "code": "seat", "amount_cents": 500, "amount_currency": "EUR"}
    add_on = (await kit.post(client, "/add_ons", {"add_on": body}))["add_on"]
    plans = []
    for _ in range(2):
        charges, more = drawn_plan(draw, sold, add_on)
        plans.append(await kit.plan(client, *charges, **more))
    zone = draw.choice(["UTC", "America/Los_Angeles", "Asia/Tokyo"])
    who = await kit.customer(client, timezone=zone)
    if draw.random() < 0.6:
        await give(
            client, who, await coupon(client, amount_cents=draw.randrange(1, 5000), frequency="forever")
        )
    subscription = await kit.subscribe(
        client, who, plans[0], billing_time=draw.choice(["calendar", "anniversary"])
    )
    await kit.send(client, subscription, sold, *[draw.randrange(50) for _ in range(3)])
    await kit.advance(client, date(2025, 1, draw.randrange(11, 29)).isoformat() + "T10:00")
    before = {invoice["lago_id"] for invoice in await kit.invoices(client, who)}
    question = draw.choice(["next", "end", "change"])
    if question == "change" and plans[0]["interval"] == "yearly":
        question = "end"  # a cheaper plan would begin a year later
    external_id = subscription["external_id"]
    if question == "next":
        shown = await of(client, who, subscription)
        await kit.advance(client, f"{shown['expected_finalization_date']}T23:59")
    elif question == "end":
        now = (await kit.get(client, "/test_clock"))["test_clock"]["frozen_time"]
        shown = await of(client, who, subscription, terminated_at=now)
        await kit.call(client, "DELETE", f"/subscriptions/{external_id}")
    else:
        shown = await of(client, who, subscription, plan_code=plans[1]["code"])
        await kit.subscribe(client, who, plans[1], external_id=external_id)
        await kit.advance(client, f"{shown['expected_finalization_date']}T23:59")
    reasons = {period["invoicing_reason"] for period in shown["billing_periods"]}
    fresh = [invoice for invoice in await kit.invoices(client, who) if invoice["lago_id"] not in before]
    made = [
        invoice for invoice in fresh
        if reasons & {period["invoicing_reason"] for period in invoice["billing_periods"]}
    ]  # fmt: skip
    assert essence(shown) == essence(made[0])


async def test_what_was_billed_progressively_is_credited(seller):
    """15 x 2.00 passes the threshold of 20.00; on 1 February they are on the invoice and credited."""
    sold = await kit.metric(seller, "sum_agg", field_name="value")
    plan = await kit.plan(
        seller, kit.charge(sold, amount="2"), amount_cents=3100, usage_thresholds=[{"amount_cents": 2000}]
    )
    who = await kit.customer(seller)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.send(seller, subscription, sold, 15)
    body = {"lifetime_usage": {"external_historical_usage_amount_cents": 0}}
    await kit.call(seller, "PUT", f"/subscriptions/{subscription['external_id']}/lifetime_usage", body)
    (progressive,) = await kit.invoices(seller, who)
    assert (progressive["invoice_type"], progressive["fees_amount_cents"]) == ("progressive_billing", 3000)
    shown = await of(seller, who, subscription)
    assert (shown["fees_amount_cents"], shown["progressive_billing_credit_amount_cents"]) == (5200, 3000)
    await kit.advance(seller, "2025-02-01T01:00")
    assert essence(shown) == essence(await newest(seller, who))
