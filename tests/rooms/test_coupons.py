"""Coupons from offer to invoice (pricing §16)."""

import itertools
from uuid import UUID

import pytest
from tests import kit

from tallymark.integrations.documents.data import invoice_data
from tallymark.rooms.invoices import service as invoices

_numbers = itertools.count(1)


async def coupon(client, **terms):
    code = f"coupon_{next(_numbers)}"
    body = {
        "name": code, "code": code, "coupon_type": "fixed_amount", "amount_cents": 1000, "amount_currency": "EUR",
        "frequency": "once", "expiration": "no_expiration", **terms,
    }  # fmt: skip
    return (await kit.post(client, "/coupons", {"coupon": body}))["coupon"]


async def give(client, who, what, *, expect=200, **terms):
    body = {"external_customer_id": who["external_id"], "coupon_code": what["code"], **terms}
    answer = await kit.post(client, "/applied_coupons", {"applied_coupon": body}, expect=expect)
    return answer.get("applied_coupon", answer)


async def given(client, who):
    path = f"/customers/{who['external_id']}/applied_coupons"
    return (await kit.get(client, path))["applied_coupons"]


async def bill(client, to):
    await kit.advance(client, to)


async def amounts(client, who, *names):
    found = await kit.invoices(client, who)
    return [
        tuple(invoice[name] for name in names) for invoice in sorted(found, key=lambda i: i["issuing_date"])
    ]


@pytest.fixture
async def seller(make_organization):
    """An organization on 10 January 2025 with a customer who pays 31.00 a month in arrears, and 20 % tax."""
    organization = await make_organization("2025-01-01T00:00:00Z")
    client = organization.client
    await kit.tax(client, "20", applied_to_organization=True)
    client.organization_id = organization.id
    client.plan = await kit.plan(client, amount_cents=3100)
    client.who = await kit.customer(client)
    client.subscription = await kit.subscribe(client, client.who, client.plan)
    return client


SHOWN = ("coupons_amount_cents", "taxes_amount_cents", "total_amount_cents")


async def test_a_fixed_amount_given_once_goes_on_until_it_is_used_up(seller):
    """50.00 on invoices of 31.00: all of the first, 19.00 of the second; (31.00 - 19.00) x 1.2 = 14.40."""
    await give(seller, seller.who, await coupon(seller, amount_cents=5000))
    await bill(seller, "2025-04-01T01:00")
    assert await amounts(seller, seller.who, *SHOWN) == [(3100, 0, 0), (1900, 240, 1440), (0, 620, 3720)]
    (applied,) = await given(seller, seller.who)
    assert (applied["status"], applied["amount_cents_remaining"]) == ("terminated", 0)
    assert [credit["amount_cents"] for credit in applied["credits"]] == [3100, 1900]


async def test_a_recurring_one_counts_its_invoices(seller):
    """10 % of 31.00 on two invoices; (31.00 - 3.10) x 1.2 = 33.48."""
    terms = {
        "coupon_type": "percentage",
        "percentage_rate": "10",
        "amount_cents": None,
        "amount_currency": None,
    }
    sold = await coupon(seller, frequency="recurring", frequency_duration=2, **terms)
    await give(seller, seller.who, sold)
    await bill(seller, "2025-04-01T01:00")
    assert await amounts(seller, seller.who, *SHOWN) == [(310, 558, 3348), (310, 558, 3348), (0, 620, 3720)]
    (applied,) = await given(seller, seller.who)
    assert (applied["status"], applied["frequency_duration_remaining"]) == ("terminated", 0)


async def test_one_forever_never_ends(seller):
    await give(seller, seller.who, await coupon(seller, frequency="forever"))
    await bill(seller, "2025-04-01T01:00")
    assert await amounts(seller, seller.who, "coupons_amount_cents") == [(1000,)] * 3
    (applied,) = await given(seller, seller.who)
    assert (applied["status"], applied["amount_cents_remaining"]) == ("active", None)


async def test_terms_are_copied_when_it_is_given(seller):
    sold = await coupon(seller, amount_cents=1000, frequency="forever")
    applied = await give(seller, seller.who, sold, amount_cents=700, frequency="once")
    assert (applied["amount_cents"], applied["frequency"], applied["amount_cents_remaining"]) == (
        700,
        "once",
        700,
    )
    await bill(seller, "2025-03-01T01:00")
    assert await amounts(seller, seller.who, "coupons_amount_cents") == [(700,), (0,)]


async def test_a_draft_uses_none_and_its_finalization_does(seller):
    body = {
        "customer": {
            "external_id": seller.who["external_id"],
            "billing_configuration": {"invoice_grace_period": 3},
        }
    }
    await kit.post(seller, "/customers", body)
    await give(seller, seller.who, await coupon(seller))
    await bill(seller, "2025-02-02T01:00")
    (draft,) = await kit.invoices(seller, seller.who)
    assert (draft["status"], draft["coupons_amount_cents"]) == ("draft", 0)
    await bill(seller, "2025-02-05T01:00")
    (final,) = await kit.invoices(seller, seller.who)
    assert (final["status"], final["coupons_amount_cents"], final["total_amount_cents"]) == (
        "finalized",
        1000,
        2520,
    )
    shown = (await kit.get(seller, f"/invoices/{final['lago_id']}"))["invoice"]
    (credit,) = shown["credits"]
    assert (credit["before_taxes"], credit["item"]["type"], credit["amount_cents"]) == (True, "coupon", 1000)
    assert shown["fees"][0]["precise_coupons_amount_cents"] == "1000.0"


async def test_limits_to_metrics_come_first_and_do_not_overlap(seller):
    """Given in the wrong order, of 31.00 + 10.00: 10 % of the metric's 10.00 is 1.00, and 5 % of the 40.00 left is 2.00."""
    sold = await kit.metric(seller, "sum_agg", field_name="value")
    plan = await kit.plan(seller, kit.charge(sold, amount="1"), amount_cents=3100)
    who = await kit.customer(seller)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.send(seller, subscription, sold, 10)
    percent = {
        "coupon_type": "percentage",
        "amount_cents": None,
        "amount_currency": None,
        "frequency": "forever",
    }
    of_metric = {"billable_metric_codes": [sold["code"]]}
    await give(seller, who, await coupon(seller, percentage_rate="5", **percent))
    of_plan = await coupon(seller, percentage_rate="10", applies_to={"plan_codes": [plan["code"]]}, **percent)
    await give(seller, who, of_plan)
    limited = await coupon(seller, percentage_rate="10", applies_to=of_metric, **percent)
    refused = await give(seller, who, limited, expect=405)
    assert refused["code"] == "plan_overlapping"
    (applied, *_) = [one for one in await given(seller, who) if one["coupon_code"] == of_plan["code"]]
    path = f"/customers/{who['external_id']}/applied_coupons/{applied['lago_id']}"
    await kit.call(seller, "DELETE", path)
    await give(seller, who, limited)
    await bill(seller, "2025-02-01T01:00")
    (invoice,) = await kit.invoices(seller, who)
    shown = (await kit.get(seller, f"/invoices/{invoice['lago_id']}"))["invoice"]
    assert [credit["amount_cents"] for credit in shown["credits"]] == [100, 200]


async def test_another_currency_takes_nothing_off(seller):
    await give(seller, seller.who, await coupon(seller, amount_currency="USD"))
    await bill(seller, "2025-02-01T01:00")
    assert await amounts(seller, seller.who, "coupons_amount_cents") == [(0,)]


async def test_one_that_is_not_reusable_is_given_once(seller):
    sold = await coupon(seller, reusable=False)
    applied = await give(seller, seller.who, sold)
    path = f"/customers/{seller.who['external_id']}/applied_coupons/{applied['lago_id']}"
    ended = await kit.call(seller, "DELETE", path)
    assert ended["applied_coupon"]["status"] == "terminated"
    refused = await give(seller, seller.who, sold, expect=422)
    assert refused["error_details"] == {"coupon": ["coupon_is_not_reusable"]}


async def test_the_end_of_a_coupon_stops_new_ones_only(seller):
    sold = await coupon(
        seller, frequency="forever", expiration="time_limit", expiration_at="2025-01-20T00:00:00Z"
    )
    await give(seller, seller.who, sold)
    await bill(seller, "2025-01-20T00:00")
    shown = (await kit.get(seller, f"/coupons/{sold['code']}"))["coupon"]
    assert shown["terminated_at"] == "2025-01-20T00:00:00Z"
    assert (await give(seller, seller.who, sold, expect=404))["code"] == "coupon_not_found"
    await bill(seller, "2025-02-01T01:00")
    assert await amounts(seller, seller.who, "coupons_amount_cents") == [(1000,)]


async def test_deleting_a_coupon_takes_it_from_all_and_frees_its_code(seller):
    sold = await coupon(seller, frequency="forever")
    await give(seller, seller.who, sold)
    await kit.call(seller, "DELETE", f"/coupons/{sold['code']}")
    (applied,) = await given(seller, seller.who)
    assert (applied["status"], applied["coupon_deleted_at"]) == ("terminated", "2025-01-01T00:00:00Z")
    await kit.get(seller, f"/coupons/{sold['code']}", expect=404)
    assert (await coupon(seller, code=sold["code"]))["lago_id"] != sold["lago_id"]


async def test_a_coupon_that_was_given_keeps_its_terms(seller):
    sold = await coupon(seller)
    await give(seller, seller.who, sold)
    path = f"/coupons/{sold['code']}"
    body = {"coupon": {"name": "Other", "amount_cents": 1000, "frequency": "forever"}}
    refused = await kit.call(seller, "PUT", path, body, expect=422)
    assert refused["error_details"] == {"frequency": ["modification_not_allowed"]}
    changed = await kit.call(seller, "PUT", path, {"coupon": {"name": "Other", "amount_cents": 1000}})
    assert changed["coupon"]["name"] == "Other"


@pytest.mark.parametrize(
    ("terms", "details"),
    [
        ({"amount_cents": None}, {"amount_cents": ["value_is_mandatory"]}),
        ({"coupon_type": "percentage"}, {"percentage_rate": ["value_is_mandatory"]}),
        ({"coupon_type": "gift"}, {"coupon_type": ["value_is_invalid"]}),
        ({"frequency": "recurring"}, {"frequency_duration": ["value_is_mandatory", "is not a number"]}),
        (
            {"frequency": "recurring", "frequency_duration": 0},
            {"frequency_duration": ["value_is_out_of_range"]},
        ),
        ({"expiration": "some day"}, {"expiration": ["value_is_invalid"]}),
        (
            {"expiration": "time_limit", "expiration_at": "2024-12-31T00:00:00Z"},
            {"expiration_at": ["invalid_date"]},
        ),
        ({"amount_cents": 0}, {"amount_cents": ["value_is_out_of_range"]}),
        ({"amount_currency": "XXZ"}, {"amount_currency": ["value_is_invalid"]}),
    ],
)
async def test_terms_that_make_no_coupon_are_refused(seller, terms, details):
    body = {
        "name": "bad", "code": "bad", "coupon_type": "fixed_amount", "amount_cents": 1000, "amount_currency": "EUR",
        "frequency": "once", "expiration": "no_expiration", **terms,
    }  # fmt: skip
    refused = await kit.post(seller, "/coupons", {"coupon": body}, expect=422)
    assert refused["error_details"] == details
    await kit.get(seller, "/coupons/bad", expect=404)


async def test_limits_of_two_kinds_or_to_nothing_known_are_refused(seller):
    base = {
        "name": "bad", "code": "bad", "coupon_type": "fixed_amount", "amount_cents": 1000, "amount_currency": "EUR",
        "frequency": "once", "expiration": "no_expiration",
    }  # fmt: skip
    both = {"plan_codes": ["a"], "billable_metric_codes": ["b"]}
    refused = await kit.post(seller, "/coupons", {"coupon": {**base, "applies_to": both}}, expect=405)
    assert refused["code"] == "only_one_limitation_type_per_coupon_allowed"
    for limits, code in (
        ({"plan_codes": ["a"]}, "plans_not_found"),
        ({"billable_metric_codes": ["b"]}, "billable_metrics_not_found"),
    ):
        refused = await kit.post(seller, "/coupons", {"coupon": {**base, "applies_to": limits}}, expect=404)
        assert refused["code"] == code


async def test_another_organizations_coupons_do_not_exist(seller, make_organization):
    sold = await coupon(seller)
    stranger = (await make_organization("2025-01-01T00:00:00Z")).client
    await kit.get(stranger, f"/coupons/{sold['code']}", expect=404)
    who = await kit.customer(stranger)
    assert (await give(stranger, who, sold, expect=404))["code"] == "coupon_not_found"


async def test_a_deleted_customer_has_no_coupons_left(seller, make_organization):
    await give(seller, seller.who, await coupon(seller, frequency="forever"))
    await kit.call(seller, "DELETE", f"/customers/{seller.who['external_id']}")
    found = (await kit.get(seller, "/applied_coupons", status="active"))["applied_coupons"]
    assert found == []


async def test_two_invoices_of_one_run_share_what_is_left(seller):
    """Two subscriptions with an invoice each: 50.00 in all, of 31.00 and 31.00."""
    who = await kit.customer(seller)
    for _ in range(2):
        await kit.subscribe(seller, who, seller.plan, consolidate_invoice=False)
    await give(seller, who, await coupon(seller, amount_cents=5000))
    await bill(seller, "2025-02-01T01:00")
    found = await amounts(seller, who, "coupons_amount_cents")
    assert sorted(found) == [(1900,), (3100,)]


async def test_the_document_names_what_was_taken_off(seller, database):
    """Fees, coupon, subtotal: the rows add up to the total as a reader adds them."""
    sold = await coupon(seller, name="Welcome")
    await give(seller, seller.who, sold)
    await bill(seller, "2025-02-01T01:00")
    (invoice,) = await kit.invoices(seller, seller.who)
    async with database.tenant(seller.organization_id) as tx:
        stored = await invoices.get_invoice(tx, UUID(invoice["lago_id"]))
        (view,) = await invoices.get_views(tx, [stored], now=stored.created_at)
    rows = [(row["kind"], row["amount_cents"]) for row in invoice_data(view)["totals"]]
    assert rows == [("fees", 3100), ("coupon", -1000), ("subtotal_excl", 2100), ("tax", 420), ("total", 2520)]
