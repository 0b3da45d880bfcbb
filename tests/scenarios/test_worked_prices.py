"""The worked examples of pricing §17, from the plan to the cent that is billed."""

import pytest
from tests import kit

GRADUATED = [("0", "100", "0.20", "5"), ("101", "500", "0.15", "3"), ("501", None, "0.08", "0")]
TOUCHING = [("0", "0.5", "4", "0"), ("0.5", "2", "3", "1"), ("2", None, "1", "0")]
SPACED = [("0", "0.5", "4", "0"), ("1.5", "2", "3", "1"), ("3", None, "1", "0")]
VOLUME = [("0", "1000", "0.02", "10"), ("1001", "5000", "0.015", "0"), ("5001", None, "0.01", "25")]
RATES = [("0", "1000", "2", "1"), ("1001", None, "1", "0.5")]
PACKAGE = {"amount": "7.50", "package_size": 100, "free_units": 50}
EVENTS = [120, 80, 200, 50]
SHARE = {"rate": "1.5", "fixed_amount": "0.25"}
BOUNDS = {"per_transaction_min_amount": "1.75", "per_transaction_max_amount": "3"}


def tiers(rows, price="per_unit_amount"):
    return [{"from_value": a, "to_value": b, price: c, "flat_amount": d} for a, b, c, d in rows]


GRADED = {"graduated_ranges": tiers(GRADUATED)}
BY_VOLUME = {"volume_ranges": tiers(VOLUME)}


@pytest.fixture
async def seller(make_organization):
    return (await make_organization("2026-04-01T00:00:00Z")).client


async def sold(seller, model, properties, of="sum_agg", currency="EUR", **charge):
    metric = await kit.metric(seller, of)
    item = {**kit.charge(metric), "charge_model": model, "properties": properties, **charge}
    plan = await kit.plan(seller, item, amount_currency=currency)
    who = await kit.customer(seller)
    return who, await kit.subscribe(seller, who, plan), metric


async def billed(seller, who, subscription):
    """The cents of the charge's fee on the invoice of April, which current usage told before."""
    await kit.advance(seller, "2026-04-30T23:59:59")
    told = await kit.usage(seller, who, subscription)
    await kit.advance(seller, "2026-05-01T01:00")
    (invoice,) = await kit.invoices(seller, who)
    (fee,) = [fee for fee in invoice["fees"] if fee["item"]["type"] == "charge"]
    assert fee["amount_cents"] == told["amount_cents"]
    return fee


@pytest.mark.parametrize(
    ("model", "properties", "units", "cents"),
    [
        pytest.param("graduated", GRADED, "100", 2500, id="1: 20 + 5"),
        pytest.param("graduated", GRADED, "100.5", 2808, id="1: 28.075"),
        pytest.param("graduated", GRADED, "101", 2815, id="1: 25 + 3.15"),
        pytest.param("graduated", GRADED, "650", 10000, id="1: 25 + 63 + 12"),
        pytest.param("graduated", {"graduated_ranges": tiers(TOUCHING)}, "0.5", 200, id="2: half"),
        pytest.param("graduated", {"graduated_ranges": tiers(TOUCHING)}, "2.75", 825, id="2: touching"),
        pytest.param("graduated", {"graduated_ranges": tiers(SPACED)}, "2.75", 825, id="2: spaced"),
        pytest.param("volume", BY_VOLUME, "1000", 3000, id="3: 20 + 10"),
        pytest.param("volume", BY_VOLUME, "1000.4", 1501, id="3: 15.006"),
        pytest.param("volume", BY_VOLUME, "6000", 8500, id="3: 60 + 25"),
        pytest.param("package", PACKAGE, "50", 0, id="3: free"),
        pytest.param("package", PACKAGE, "51", 750, id="3: one opened"),
        pytest.param("package", PACKAGE, "250", 1500, id="3: two full"),
        pytest.param("package", PACKAGE, "251", 2250, id="3: three opened"),
        pytest.param(
            "graduated_percentage",
            {"graduated_percentage_ranges": tiers(RATES, "rate")},
            "1500",
            2650,
            id="3: 21 + 5.5",
        ),
    ],
)
async def test_tiers_and_packages(seller, model, properties, units, cents):
    """§17.1 to §17.3."""
    who, subscription, metric = await sold(seller, model, properties)
    await kit.send(seller, subscription, metric, units)
    assert (await billed(seller, who, subscription))["amount_cents"] == cents


@pytest.mark.parametrize(
    ("model", "properties", "cents"), [("graduated", GRADED, 500), ("volume", BY_VOLUME, 1000)]
)
async def test_the_first_flat_amount_is_due_for_nothing(seller, model, properties, cents):
    """§17.1, §17.3."""
    who, subscription, _ = await sold(seller, model, properties)
    assert (await billed(seller, who, subscription))["amount_cents"] == cents


async def test_an_event_in_advance_costs_what_it_adds(seller):
    """§17.1: 5.20, then 0.20 each, and 3.15 for the first of the second tier."""
    who, subscription, metric = await sold(
        seller, "graduated", GRADED, "count_agg", pay_in_advance=True, invoiceable=False
    )
    await kit.send(seller, subscription, metric, *range(101))
    fees = []
    for page in (1, 2):
        found = await kit.get(seller, "/fees", external_customer_id=who["external_id"], page=page)
        fees += [fee["amount_cents"] for fee in found["fees"]]
    assert sorted(fees) == [20] * 99 + [315, 520]


@pytest.mark.parametrize(
    ("free", "cents"),
    [
        pytest.param({}, 775, id="6.75 + 1.00"),
        pytest.param({"free_units_per_events": 2}, 425, id="3.75 + 0.50"),
        pytest.param({"free_units_per_total_aggregation": "200"}, 450, id="3.75 + 0.75"),
        pytest.param(
            {"free_units_per_events": 3, "free_units_per_total_aggregation": "150"}, 525, id="4.50 + 0.75"
        ),
        pytest.param(BOUNDS, 855, id="2.05 + 1.75 + 3 + 1.75"),
        pytest.param({**BOUNDS, "free_units_per_total_aggregation": "200"}, 650, id="1.75 + 3 + 1.75"),
    ],
)
async def test_percentages(seller, free, cents):
    """§17.4."""
    who, subscription, metric = await sold(seller, "percentage", SHARE | free)
    for value in EVENTS:
        await kit.send(seller, subscription, metric, value)
    assert (await billed(seller, who, subscription))["amount_cents"] == cents


async def test_events_in_advance_are_rounded_one_by_one(seller):
    """§17.5: three of 0.6 cents are 1 + 1 + 1; in arrears 1.8 is 2."""
    price = {"amount": "0.006"}
    first, in_advance, metric = await sold(
        seller, "standard", price, "count_agg", pay_in_advance=True, invoiceable=False
    )
    await kit.send(seller, in_advance, metric, 1, 1, 1)
    found = await kit.get(seller, "/fees", external_customer_id=first["external_id"])
    assert [fee["amount_cents"] for fee in found["fees"]] == [1, 1, 1]
    second, in_arrears, metric = await sold(seller, "standard", price, "count_agg")
    await kit.send(seller, in_arrears, metric, 1, 1, 1)
    assert (await billed(seller, second, in_arrears))["amount_cents"] == 2


async def test_a_commitment_for_a_part_of_the_month(seller):
    """§17.7: 500.00 for 17 of 30 days is 28333; 21340 were used."""
    await kit.advance(seller, "2026-04-14")
    metric = await kit.metric(seller)
    plan = await kit.plan(seller, kit.charge(metric), minimum_commitment={"amount_cents": 50000})
    who = await kit.customer(seller)
    subscription = await kit.subscribe(seller, who, plan)
    await kit.send(seller, subscription, metric, "213.4")
    await kit.advance(seller, "2026-05-01T01:00")
    (invoice,) = await kit.invoices(seller, who)
    fees = {fee["item"]["type"]: fee for fee in invoice["fees"]}
    assert fees["charge"]["amount_cents"] == 21340
    true_up = fees["commitment"]
    assert (true_up["amount_cents"], true_up["units"], true_up["item"]["invoice_display_name"]) == (
        6993,
        "1.0",
        "Minimum commitment",
    )


@pytest.mark.parametrize(
    ("currency", "units", "cents", "precise"),
    [
        ("JPY", "1234.5", 1235, "1234.5"),
        ("KWD", "1.23456", 1235, "1.23456"),
        ("CLF", "0.00015", 2, "0.00015"),
    ],
)
async def test_the_currency_says_where_to_round(seller, currency, units, cents, precise):
    """§17.10: no subunit, thousandths, ten-thousandths."""
    who, subscription, metric = await sold(seller, "standard", {"amount": "1"}, currency=currency)
    await kit.send(seller, subscription, metric, units)
    fee = await billed(seller, who, subscription)
    assert (fee["amount_cents"], fee["precise_amount"]) == (cents, precise)


async def test_coupons_and_taxes(seller):
    """§17.11: 301 of C1, then 1500 of all that is left; 20 % of 5879.03161 and 5.5 % of 1319.96839."""
    full = await kit.tax(seller, "20", code="full", applied_to_organization=False)
    low = await kit.tax(seller, "5.5", code="low", applied_to_organization=False)
    one, two = await kit.metric(seller), await kit.metric(seller)
    plan = await kit.plan(
        seller,
        {**kit.charge(one), "tax_codes": [full["code"]]},
        {**kit.charge(two), "tax_codes": [low["code"]]},
        amount_cents=5000,
        tax_codes=[full["code"]],
    )
    who = await kit.customer(seller)
    subscription = await kit.subscribe(seller, who, plan)
    of_one = {"billable_metric_codes": [one["code"]]}
    limited = {"coupon_type": "percentage", "percentage_rate": "12.5", "applies_to": of_one}
    once = {"coupon_type": "fixed_amount", "amount_cents": 1500, "amount_currency": "EUR"}
    for code, terms in (("k2", once), ("k1", limited)):
        offer = {"name": code, "code": code, "frequency": "once", "expiration": "no_expiration", **terms}
        await kit.post(seller, "/coupons", {"coupon": offer})
        given = {"external_customer_id": who["external_id"], "coupon_code": code}
        await kit.post(seller, "/applied_coupons", {"applied_coupon": given})
    await kit.send(seller, subscription, one, "24.05")
    await kit.send(seller, subscription, two, "15.95")
    await kit.advance(seller, "2026-05-01T01:00")
    (invoice,) = await kit.invoices(seller, who)
    fees = {fee["amount_cents"]: fee for fee in invoice["fees"]}
    assert {cents: fee["precise_coupons_amount_cents"] for cents, fee in fees.items()} == {
        5000: "862.16807",
        2405: "663.80032",
        1595: "275.03161",
    }
    assert [credit["amount_cents"] for credit in invoice["credits"]] == [301, 1500]
    assert {tax["tax_code"]: tax["amount_cents"] for tax in invoice["applied_taxes"]} == {
        "full": 1176,
        "low": 73,
    }
    assert {cents: fee["taxes_amount_cents"] for cents, fee in fees.items()} == {
        5000: 828,
        2405: 348,
        1595: 73,
    }
    totals = ("coupons_amount_cents", "sub_total_excluding_taxes_amount_cents", "taxes_amount_cents")
    assert [invoice[name] for name in (*totals, "total_amount_cents")] == [1801, 7199, 1248, 8447]
