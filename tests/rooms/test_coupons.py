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


@pytest.mark.parametrize(
    ("frequency", "left"), [("once", ("terminated", None)), ("recurring", ("active", 1))]
)
async def test_a_use_that_rounds_to_nothing_is_a_use(seller, frequency, left):
    """0.01 % of 31.00 is 0.31 of a cent: the invoice has its line, of nothing, and the coupon one time less."""
    terms = {
        "coupon_type": "percentage",
        "percentage_rate": "0.01",
        "amount_cents": None,
        "amount_currency": None,
        "frequency_duration": 2 if frequency == "recurring" else None,
    }
    await give(seller, seller.who, await coupon(seller, frequency=frequency, **terms))
    await bill(seller, "2025-02-01T01:00")
    assert await amounts(seller, seller.who, *SHOWN) == [(0, 620, 3720)]
    (invoice,) = await kit.invoices(seller, seller.who)
    assert [(one["item"]["type"], one["amount_cents"]) for one in invoice["credits"]] == [("coupon", 0)]
    (applied,) = await given(seller, seller.who)
    assert (applied["status"], applied["frequency_duration_remaining"]) == left


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


async def test_a_list_says_who_the_customers_are(seller):
    sold = await coupon(seller)
    for who in (seller.who, await kit.customer(seller, name="Ada Lovelace")):
        await give(seller, who, sold)
    found = (await kit.get(seller, "/applied_coupons"))["applied_coupons"]
    names = sorted(one["customer_name"] for one in found)
    assert names == sorted(["Ada Lovelace", seller.who["name"] or seller.who["external_id"]])


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


class TestOverlaps:
    """§16.2: a limited coupon is refused where an active one is for the same plans or metrics, or for one through the other."""

    @pytest.fixture
    async def limits(self, seller):
        """Limits of coupons: plans `one` and `two`, metrics `used` (charged by `one`) and `other`."""
        used, other = await kit.metric(seller, code="used"), await kit.metric(seller, code="other")
        await kit.plan(seller, kit.charge(used), code="one")
        await kit.plan(seller, kit.charge(other), code="two")
        return {
            "all": None,
            "one": {"plan_codes": ["one"]},
            "two": {"plan_codes": ["two"]},
            "both": {"plan_codes": ["two", "one"]},
            "used": {"billable_metric_codes": ["used"]},
            "other": {"billable_metric_codes": ["other"]},
        }

    @pytest.mark.parametrize(
        ("first", "second", "overlaps"),
        [
            ("one", "one", True),
            ("one", "both", True),
            ("one", "two", False),
            ("used", "used", True),
            ("used", "other", False),
            ("one", "used", True),
            ("used", "one", True),
            ("one", "other", False),
            ("all", "one", False),
            ("one", "all", False),
            ("all", "all", False),
        ],
    )
    async def test_are_refused(self, seller, limits, first, second, overlaps):
        for name, status in ((first, 200), (second, 405 if overlaps else 200)):
            offer = await coupon(seller, **({"applies_to": limits[name]} if limits[name] else {}))
            answer = await give(seller, seller.who, offer, expect=status)
        assert answer.get("code") == ("plan_overlapping" if overlaps else None)

    async def test_do_not_last_longer_than_the_first(self, seller, limits):
        offer = await coupon(seller, applies_to=limits["one"])
        first = await give(seller, seller.who, offer)
        path = f"/customers/{seller.who['external_id']}/applied_coupons/{first['lago_id']}"
        assert (await kit.call(seller, "DELETE", path))["applied_coupon"]["status"] == "terminated"
        await give(seller, seller.who, offer)


async def test_what_is_unknown(seller):
    """§16.1, §16.2: the customer first, then the coupon."""
    nothing = {"code": "none"}
    assert (await give(seller, {"external_id": "none"}, nothing, expect=404))["code"] == "customer_not_found"
    assert (await give(seller, seller.who, nothing, expect=404))["code"] == "coupon_not_found"
    assert (await kit.get(seller, "/coupons/none", expect=404))["code"] == "coupon_not_found"
    path = f"/customers/{seller.who['external_id']}/applied_coupons/none"
    assert (await kit.call(seller, "DELETE", path, expect=404))["code"] == "applied_coupon_not_found"


async def test_a_void_invoice_gives_its_use_back(seller):
    """§16.3: a recurring one has one more use; one that had ended begins again, unless the coupon itself has ended."""
    recurring = await coupon(seller, frequency="recurring", frequency_duration=2)
    once = await coupon(seller, amount_cents=100)
    ended = await coupon(seller, amount_cents=200)
    for one in (recurring, once, ended):
        await give(seller, seller.who, one)
    await bill(seller, "2025-02-01T01:00")
    before = {one["coupon_code"]: one for one in await given(seller, seller.who)}
    assert [before[one["code"]]["status"] for one in (recurring, once, ended)] == [
        "active",
        "terminated",
        "terminated",
    ]
    expired = {"coupon": {"expiration": "time_limit", "expiration_at": "2025-02-02T00:00:00Z"}}
    await kit.call(seller, "PUT", f"/coupons/{ended['code']}", expired)
    await bill(seller, "2025-02-03T01:00")
    (invoice,) = await kit.invoices(seller, seller.who)
    await kit.post(seller, f"/invoices/{invoice['lago_id']}/void", {})
    after = {one["coupon_code"]: one for one in await given(seller, seller.who)}
    assert after[recurring["code"]]["frequency_duration_remaining"] == 2
    shown = [
        (after[one["code"]]["status"], after[one["code"]]["amount_cents_remaining"]) for one in (once, ended)
    ]
    assert shown == [("active", 100), ("terminated", 200)]


async def test_those_on_offer_are_listed_first_then_by_their_end(seller):
    """§16.1: by status, expiration and its day."""
    open_end = await coupon(seller)
    late, soon, over = [
        await coupon(seller, expiration="time_limit", expiration_at=f"2025-0{month}-01T00:00:00Z")
        for month in (5, 4, 2)
    ]
    await bill(seller, "2025-02-02")
    listed = [one["code"] for one in (await kit.get(seller, "/coupons"))["coupons"]]
    assert listed == [one["code"] for one in (open_end, soon, late, over)]


@pytest.mark.parametrize(("sent", "kept"), [("12.3456789", "12.34568"), ("7", "7.0"), ("250", "250.0")])
async def test_a_rate_has_five_decimals_and_no_upper_bound(seller, sent, kept):
    """§1.4, §16.1."""
    made = await coupon(seller, coupon_type="percentage", percentage_rate=sent, amount_cents=None)
    assert made["percentage_rate"] == kept


async def test_a_discount_is_no_more_than_there_is(seller):
    """§18.11: 250 % of 31.00 is 31.00."""
    offer = await coupon(seller, coupon_type="percentage", percentage_rate="250", amount_cents=None)
    await give(seller, seller.who, offer)
    await bill(seller, "2025-02-01T01:00")
    assert await amounts(seller, seller.who, *SHOWN) == [(3100, 0, 0)]


@pytest.mark.parametrize(
    ("terms", "shown"),
    [
        ({}, ("once", None, 1000, "EUR")),
        ({"frequency": "recurring", "frequency_duration": 4}, ("recurring", 4, 1000, "EUR")),
        ({"amount_cents": 70, "amount_currency": "USD"}, ("once", None, 70, "USD")),
    ],
)
async def test_terms_are_the_coupons_unless_sent(seller, terms, shown):
    made = await give(seller, seller.who, await coupon(seller), **terms)
    names = ("frequency", "frequency_duration", "amount_cents", "amount_currency")
    assert tuple(made[name] for name in names) == shown
    assert made["frequency_duration_remaining"] == made["frequency_duration"]


async def test_a_fixed_one_gives_the_customer_its_currency(seller):
    who = await kit.customer(seller)
    await give(
        seller, who, await coupon(seller, coupon_type="percentage", percentage_rate="5", amount_cents=None)
    )
    assert (await kit.get(seller, f"/customers/{who['external_id']}"))["customer"]["currency"] is None
    await give(seller, who, await coupon(seller, amount_currency="USD"))
    assert (await kit.get(seller, f"/customers/{who['external_id']}"))["customer"]["currency"] == "USD"


@pytest.mark.parametrize(
    ("limit", "taken"), [("plan", 3100 + 1000), ("metric", 1000), ("other plan", 0), (None, 3100 + 1000)]
)
async def test_what_a_limit_covers(seller, limit, taken):
    """§16.3: all fees of subscriptions on the plan or its children, or the charge fees of the metric."""
    used = await kit.metric(seller, code="m")
    plan = await kit.plan(seller, kit.charge(used), code="p", amount_cents=3000)
    who = await kit.customer(seller)
    subscription = await kit.subscribe(seller, who, plan, plan_overrides={"amount_cents": 3100})
    await kit.send(seller, subscription, used, 10)
    limits = {
        "plan": {"plan_codes": ["p"]},
        "metric": {"billable_metric_codes": ["m"]},
        "other plan": {"plan_codes": [seller.plan["code"]]},
    }
    terms = {"applies_to": limits[limit]} if limit else {}
    await give(seller, who, await coupon(seller, amount_cents=999999, **terms))
    await bill(seller, "2025-02-01T01:00")
    (invoice,) = await kit.invoices(seller, who)
    assert invoice["coupons_amount_cents"] == taken
