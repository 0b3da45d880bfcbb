"""The worked examples of invoicing §17, over the API and to the cent."""

from datetime import date

import pytest
from tests import kit


class Shop:
    """A customer of an organization whose clock stands at the first of January 2026."""

    def __init__(self, client, who):
        self.client, self.who = client, who

    async def bill(self, *charges, to="2026-02-01T01:00", coupons=(), wallets=(), **plan):
        """The invoice of a month on a plan in arrears; each charge has an amount and units."""
        plan = await kit.plan(self.client, *(charge for charge, _ in charges), **plan)
        for coupon in coupons:
            await self.discount(**coupon, plan=plan)
        for wallet in wallets:
            await self.prepay(**wallet)
        subscription = await kit.subscribe(self.client, self.who, plan)
        for charge, units in charges:
            await kit.send(self.client, subscription, {"code": charge["code_of_metric"]}, units)
        await kit.advance(self.client, to)
        return (await self.invoices())[-1]

    async def priced(self, amount, **more):
        metric = await kit.metric(self.client)
        return {**kit.charge(metric, amount=amount), "code_of_metric": metric["code"], **more}

    async def discount(self, *, plan=None, of_plan=False, of_metric=None, **coupon):
        code = f"coupon {len((await kit.get(self.client, '/coupons'))['coupons'])}"
        limits = {"plan_codes": [plan["code"]]} if of_plan else {}
        limits = {"billable_metric_codes": [of_metric]} if of_metric else limits
        body = {
            "name": code,
            "code": code,
            "frequency": "once",
            "expiration": "no_expiration",
            "applies_to": limits,
        }
        body |= (
            {"coupon_type": "percentage"}
            if "percentage_rate" in coupon
            else {"coupon_type": "fixed_amount", "amount_currency": "EUR"}
        )
        await kit.post(self.client, "/coupons", {"coupon": {**body, **coupon}})
        given = {"external_customer_id": self.who["external_id"], "coupon_code": code}
        await kit.post(self.client, "/applied_coupons", {"applied_coupon": given})

    async def prepay(self, **wallet):
        body = {
            "external_customer_id": self.who["external_id"],
            "rate_amount": "1",
            "currency": "EUR",
            **wallet,
        }
        return (await kit.post(self.client, "/wallets", {"wallet": body}))["wallet"]

    async def one_off(self, *amounts, taxes=None):
        fees = []
        for number, amount in enumerate(amounts):
            code = f"item {number}"
            item = {"name": code, "code": code, "amount_cents": amount, "amount_currency": "EUR"}
            await kit.call(self.client, "POST", "/add_ons", {"add_on": item}, expect=200)
            fees.append({"add_on_code": code} | ({"tax_codes": taxes[number]} if taxes else {}))
        body = {"external_customer_id": self.who["external_id"], "currency": "EUR", "fees": fees}
        return (await kit.post(self.client, "/invoices", {"invoice": body}))["invoice"]

    async def invoices(self):
        return await kit.invoices(self.client, self.who)

    async def notes(self):
        return (await kit.get(self.client, "/credit_notes"))["credit_notes"]

    async def pay(self, invoice, cents):
        payment = {"invoice_id": invoice["lago_id"], "amount_cents": cents, "reference": "paid"}
        await kit.post(self.client, "/payments", {"payment": payment})


@pytest.fixture
async def make_shop(make_organization):
    async def make(*, rate="20", at="2026-01-01T00:00:00Z", **customer):
        client = (await make_organization(at)).client
        if rate:
            await kit.tax(client, rate)
        return Shop(client, await kit.customer(client, currency="EUR", **customer))

    return make


def of(invoice, name, *types):
    """A field of an invoice's fees, the base price first."""
    ranks = {"subscription": 0, "charge": 1, "add_on": 2}
    fees = sorted(invoice["fees"], key=lambda fee: (ranks[fee["item"]["type"]], -fee["amount_cents"]))
    return [fee[name] for fee in fees if not types or fee["item"]["type"] in types]


async def test_1_the_whole_pipeline(make_shop):
    shop = await make_shop()
    gone = await shop.one_off(1250)
    items = [{"fee_id": gone["fees"][0]["lago_id"], "amount_cents": 1250}]
    note = {"invoice_id": gone["lago_id"], "items": items, "credit_amount_cents": 1500}
    await kit.post(shop.client, "/credit_notes", {"credit_note": note})
    charges = [(await shop.priced("12.34"), 1), (await shop.priced("7.77"), 1)]
    more = {"coupons": [{"percentage_rate": "10"}], "wallets": [{"granted_credits": "30"}]}
    invoice = await shop.bill(*charges, amount_cents=4900, **more)
    assert invoice["fees_amount_cents"] == 6911
    assert of(invoice, "precise_coupons_amount_cents") == ["489.9291", "123.38214", "77.68876"]
    assert invoice["coupons_amount_cents"] == 691
    assert invoice["sub_total_excluding_taxes_amount_cents"] == 6220
    assert (of(invoice, "taxes_amount_cents"), invoice["taxes_amount_cents"]) == ([882, 222, 140], 1244)
    assert invoice["sub_total_including_taxes_amount_cents"] == 7464
    assert (invoice["credit_notes_amount_cents"], invoice["prepaid_credit_amount_cents"]) == (1500, 3000)
    assert invoice["total_amount_cents"] == 2964


async def test_2_taxes_of_fees_are_not_those_of_the_invoice(make_shop):
    invoice = await (await make_shop(rate="10")).one_off(105, 105, 105)
    assert of(invoice, "taxes_amount_cents") == [11, 11, 11]
    assert (invoice["taxes_amount_cents"], invoice["total_amount_cents"]) == (32, 347)


async def test_3_two_taxes(make_shop):
    shop = await make_shop(rate=None)
    low, high = await kit.tax(shop.client, "10"), await kit.tax(shop.client, "20")
    invoice = await shop.one_off(104, 102, taxes=[[low["code"]], [high["code"]]])
    applied = {tax["tax_rate"]: tax["amount_cents"] for tax in invoice["applied_taxes"]}
    assert applied == {10: 10, 20: 20}
    assert (invoice["taxes_amount_cents"], invoice["taxes_rate"]) == (31, 14.95146)


async def test_4_the_order_of_coupons(make_shop):
    """One for a metric, then one for the plan, then one for all, which keeps 2.30.

    A metric's coupon is refused beside one for a plan that charges it: this plan charges it later.
    """
    shop = await make_shop()
    large, small = await shop.priced("12.34"), await shop.priced("7.77")
    plan = await kit.plan(shop.client, large, amount_cents=4900)
    await shop.discount(amount_cents=6000)
    await shop.discount(percentage_rate="10", of_plan=True, plan=plan)
    await shop.discount(amount_cents=500, of_metric=small["code_of_metric"])
    await kit.post(shop.client, f"/plans/{plan['code']}/charges", {"charge": {**small, "code": "small"}})
    subscription = await kit.subscribe(shop.client, shop.who, plan)
    for charge in (large, small):
        await kit.send(shop.client, subscription, {"code": charge["code_of_metric"]}, 1)
    await kit.advance(shop.client, "2026-02-01T01:00")
    (invoice,) = await shop.invoices()
    assert sorted(credit["amount_cents"] for credit in invoice["credits"]) == [500, 641, 5770]
    assert (invoice["coupons_amount_cents"], invoice["total_amount_cents"]) == (6911, 0)
    assert (invoice["status"], invoice["payment_status"]) == ("finalized", "succeeded")
    given = (await kit.get(shop.client, "/applied_coupons"))["applied_coupons"]
    left = {coupon["amount_cents"]: (coupon["status"], coupon["amount_cents_remaining"]) for coupon in given}
    assert left[6000] == ("active", 230)
    assert left[500][0] == "terminated"


@pytest.mark.parametrize(
    ("option", "paid", "parts"),
    [
        pytest.param("credit", 0, (1320, 0, 0), id="credit"),
        pytest.param("refund", 3720, (0, 1320, 0), id="refund of all that was paid"),
        pytest.param("refund", 3000, (720, 600, 0), id="refund of a part, the rest as credit"),
        pytest.param("refund", 1000, (1320, 0, 0), id="nothing was paid beyond what was used"),
        pytest.param("offset", 3000, (0, 600, 720), id="what is due is offset, the rest refunded"),
    ],
)
async def test_7_the_end_of_a_plan_in_advance(make_shop, option, paid, parts):
    """11 days of 31.00 a month are left on the 20th, and their tax."""
    shop = await make_shop()
    subscription = await kit.subscribe(
        shop.client, shop.who, await kit.plan(shop.client, amount_cents=3100, pay_in_advance=True)
    )
    (invoice,) = await shop.invoices()
    assert invoice["total_amount_cents"] == 3720
    if paid:
        await shop.pay(invoice, paid)
    await kit.advance(shop.client, "2026-01-20T10:00")
    path = f"/subscriptions/{subscription['external_id']}"
    await kit.call(shop.client, "DELETE", path, on_termination_credit_note=option)
    (note,) = await shop.notes()
    assert note["total_amount_cents"] == 1320
    names = ("credit_amount_cents", "refund_amount_cents", "offset_amount_cents")
    assert tuple(note[name] for name in names) == parts


async def test_7_an_upgrade_gives_its_day_back_too(make_shop):
    shop = await make_shop()
    first = await kit.subscribe(
        shop.client, shop.who, await kit.plan(shop.client, amount_cents=3100, pay_in_advance=True)
    )
    dearer = await kit.plan(shop.client, amount_cents=6200, pay_in_advance=True)
    await kit.advance(shop.client, "2026-01-20T10:00")
    await kit.subscribe(shop.client, shop.who, dearer, external_id=first["external_id"])
    (note,) = await shop.notes()
    assert note["credit_amount_cents"] == 1440


async def test_9_wallets_pay_what_they_are_for(make_shop):
    shop = await make_shop()
    charge = await shop.priced("30")
    wallets = [
        {
            "code": "a",
            "priority": 1,
            "granted_credits": "50",
            "applies_to": {"billable_metric_codes": [charge["code_of_metric"]]},
        },
        {"code": "b", "priority": 2, "granted_credits": "40"},
    ]
    invoice = await shop.bill((charge, 1), amount_cents=5000, wallets=wallets)
    assert (invoice["prepaid_credit_amount_cents"], invoice["total_amount_cents"]) == (7600, 2000)
    left = {one["code"]: one["balance_cents"] for one in (await kit.get(shop.client, "/wallets"))["wallets"]}
    assert left == {"a": 1400, "b": 0}


async def test_10_what_a_minimum_lacks(make_shop):
    """12 of 30 days of 100.00 are 40.00; 15.00 and 9.00 were used, in two filters."""
    shop = await make_shop(at="2026-06-19T00:00:00Z")
    metric = await kit.metric(shop.client, filters=[{"key": "zone", "values": ["eu", "us"]}])
    filters = [{"properties": {"amount": "1"}, "values": {"zone": [zone]}} for zone in ("eu", "us")]
    charge = {**kit.charge(metric), "min_amount_cents": 10000, "filters": filters}
    subscription = await kit.subscribe(shop.client, shop.who, await kit.plan(shop.client, charge))
    for zone, value in (("eu", 15), ("us", 9)):
        await kit.send(shop.client, subscription, metric, value, properties={"value": value, "zone": zone})
    await kit.advance(shop.client, "2026-07-01T01:00")
    (invoice,) = await shop.invoices()
    assert sorted(of(invoice, "amount_cents", "charge")) == [0, 900, 1500, 1600]
    (true_up,) = [fee for fee in invoice["fees"] if fee["lago_true_up_parent_fee_id"]]
    (parent,) = [fee for fee in invoice["fees"] if fee["lago_id"] == true_up["lago_true_up_parent_fee_id"]]
    assert (true_up["amount_cents"], parent["amount_cents"], parent["item"]["filters"]) == (1600, 0, None)


@pytest.mark.parametrize(
    ("anchor", "adjustment", "issued", "due"),
    [
        ("next_period_start", "align_with_finalization_date", date(2026, 2, 4), date(2026, 2, 19)),
        ("next_period_start", "keep_anchor", date(2026, 2, 1), date(2026, 2, 16)),
        ("current_period_end", "keep_anchor", date(2026, 1, 31), date(2026, 2, 15)),
    ],
)
async def test_11_dates(make_shop, anchor, adjustment, issued, due):
    """Three days of grace, fifteen to pay."""
    configuration = {
        "invoice_grace_period": 3,
        "subscription_invoice_issuing_date_anchor": anchor,
        "subscription_invoice_issuing_date_adjustment": adjustment,
    }
    shop = await make_shop(net_payment_term=15, billing_configuration=configuration)
    draft = await shop.bill(amount_cents=3100)
    assert (draft["status"], draft["expected_finalization_date"]) == ("draft", "2026-02-04")
    assert (draft["issuing_date"], draft["payment_due_date"]) == (str(issued), str(due))
    await kit.advance(shop.client, "2026-02-04T12:00")
    (final,) = await shop.invoices()
    assert (final["status"], final["issuing_date"], final["payment_due_date"]) == (
        "finalized",
        str(issued),
        str(due),
    )
    await kit.advance(shop.client, f"{due}T23:30")
    assert (await shop.invoices())[0]["payment_overdue"] is False
    await kit.advance(shop.client, f"{date.fromordinal(due.toordinal() + 1)}T01:00")
    assert (await shop.invoices())[0]["payment_overdue"] is True


async def test_12_numbers(make_shop):
    shop = await make_shop()
    for _ in range(5):
        await kit.customer(shop.client)
    shop.who = await kit.customer(shop.client, external_id="seventh", currency="EUR")
    await kit.call(
        shop.client, "PUT", "/organizations", {"organization": {"document_number_prefix": "ACM-91F2"}}
    )
    await shop.one_off(100)
    body = {"external_customer_id": "seventh", "currency": "EUR", "fees": [{"add_on_code": "item 0"}]}
    second = (await kit.post(shop.client, "/invoices", {"invoice": body}))["invoice"]
    assert second["number"] == "ACM-91F2-007-002"
    items = [{"fee_id": second["fees"][0]["lago_id"], "amount_cents": 50}]
    note = {"invoice_id": second["lago_id"], "items": items, "credit_amount_cents": 60}
    made = (await kit.post(shop.client, "/credit_notes", {"credit_note": note}))["credit_note"]
    assert made["number"] == "ACM-91F2-007-002-CN001"
    await shop.pay(second, 120)
    (receipt,) = (await kit.get(shop.client, "/payment_receipts"))["payment_receipts"]
    assert receipt["number"].endswith("-007-RCPT-000001")
    await kit.call(
        shop.client, "PUT", "/organizations", {"organization": {"document_numbering": "per_organization"}}
    )
    third = (await kit.post(shop.client, "/invoices", {"invoice": body}))["invoice"]
    # Two were issued before: the entity counts on.
    assert third["number"] == "ACM-91F2-202601-003"
