"""The worked examples of wallets §22, over the API and to the cent."""

import pytest
from tests import kit


class Purse:
    """A customer with prepaid credits, of an organization whose clock stands at the first of January 2026."""

    def __init__(self, client, who):
        self.client, self.who = client, who

    async def wallet(self, *, expect=200, **more):
        body = {
            "external_customer_id": self.who["external_id"],
            "rate_amount": "1",
            "currency": "EUR",
            **more,
        }
        answer = await kit.post(self.client, "/wallets", {"wallet": body}, expect=expect)
        return answer["wallet"] if expect == 200 else answer["error_details"]

    async def now(self, wallet):
        return (await kit.get(self.client, f"/wallets/{wallet['lago_id']}"))["wallet"]

    async def move(self, wallet, **asked):
        body = {"wallet_transaction": {"wallet_id": wallet["lago_id"], **asked}}
        return (await kit.post(self.client, "/wallet_transactions", body))["wallet_transactions"]

    async def moves(self, wallet, **query):
        path = f"/wallets/{wallet['lago_id']}/wallet_transactions"
        return (await kit.get(self.client, path, **query))["wallet_transactions"]

    async def use(self, *charges, amount_cents=0):
        """A month of (price, metric) charges, one unit each, on a plan in arrears; its invoice."""
        plan = await kit.plan(
            self.client,
            *(kit.charge(metric, amount=price) for price, metric in charges),
            amount_cents=amount_cents,
        )
        subscription = await kit.subscribe(self.client, self.who, plan)
        for _, metric in charges:
            await kit.send(self.client, subscription, metric, 1)
        await kit.advance(self.client, "2026-02-01T01:00")
        return (await kit.invoices(self.client, self.who))[-1]


@pytest.fixture
async def make_purse(make_organization):
    async def make(*, tax=None, currency="EUR"):
        client = (await make_organization("2026-01-01T00:00:00Z")).client
        if tax:
            await kit.tax(client, tax)
        return Purse(client, await kit.customer(client, currency=currency))

    return make


@pytest.mark.parametrize(
    ("currency", "rate", "asked", "amount", "credits"),
    [
        pytest.param("EUR", "1.5", "10.12345", "15.19", "10.12667", id="rounded once"),
        pytest.param("EUR", "0.25", "7.777777", "1.94", "7.76", id="cut at five decimals first"),
        pytest.param("JPY", "120", "1.004", "120.0", "1.0", id="a currency without decimals"),
    ],
)
async def test_1_conversion(make_purse, currency, rate, asked, amount, credits):
    purse = await make_purse(currency=currency)
    wallet = await purse.wallet(rate_amount=rate, currency=currency)
    (bought,) = await purse.move(wallet, paid_credits=asked)
    assert (bought["amount"], bought["credit_amount"]) == (amount, credits)


async def test_1_what_is_worth_nothing_is_refused(make_purse):
    purse = await make_purse(currency="USD")
    refused = await purse.wallet(expect=422, rate_amount="0.001", currency="USD", paid_credits="4")
    assert refused == {"paid_credits": ["amount_rounds_to_zero"]}


async def test_2_voids_name_parts_of_a_cent(make_purse):
    purse = await make_purse()
    wallet = await purse.wallet(granted_credits="100")
    for amount, left, cents in (("14.28", "85.71556", 8572), ("14.29", "71.43112", 7143)):
        (gone,) = await purse.move(wallet, voided_credits="14.28444999")
        assert (gone["credit_amount"], gone["amount"]) == ("14.28444", amount)
        now = await purse.now(wallet)
        assert (now["credits_balance"], now["balance_cents"]) == (left, cents)


async def test_3_three_wallets(make_purse):
    """Base price 30.00, api 10.00 and storage 5.00, with 20 % of tax."""
    purse = await make_purse(tax="20")
    api, storage = await kit.metric(purse.client, code="api"), await kit.metric(purse.client, code="storage")
    for code, more in (
        ("a", {"priority": 1, "granted_credits": "20", "applies_to": {"fee_types": ["subscription"]}}),
        ("b", {"priority": 2, "granted_credits": "15", "applies_to": {"billable_metric_codes": ["api"]}}),
        ("c", {"priority": 50, "granted_credits": "100"}),
    ):
        await purse.wallet(code=code, **more)
    invoice = await purse.use(("10", api), ("5", storage), amount_cents=3000)
    assert (invoice["prepaid_credit_amount_cents"], invoice["total_amount_cents"]) == (5400, 0)
    wallets = (await kit.get(purse.client, "/wallets"))["wallets"]
    assert {one["code"]: one["balance_cents"] for one in wallets} == {"a": 0, "b": 300, "c": 7800}


@pytest.mark.parametrize(
    ("balance", "paid"),
    [
        pytest.param("10", {"s": "10.0", "u": "4.37"}, id="the base price is paid in part"),
        pytest.param("50", {"s": "10.78", "u": "3.59"}, id="both in full"),
    ],
)
async def test_4_fractions_of_taxes(make_purse, balance, paid):
    purse = await make_purse(tax="7.7")
    metric = await kit.metric(purse.client)
    only = {"applies_to": {"fee_types": ["subscription"]}}
    made = {
        "s": await purse.wallet(code="s", priority=1, granted_credits=balance, **only),
        "u": await purse.wallet(code="u", priority=2, granted_credits="50"),
    }
    invoice = await purse.use(("3.33", metric), amount_cents=1001)
    assert (invoice["taxes_amount_cents"], invoice["total_amount_cents"]) == (103, 0)
    for code, amount in paid.items():
        (out,) = await purse.moves(made[code], transaction_status="invoiced")
        assert out["amount"] == amount


async def test_5_the_order_of_consumption(make_purse):
    purse = await make_purse()
    await kit.subscribe(purse.client, purse.who, await kit.plan(purse.client, amount_cents=600))
    wallet = await purse.wallet(paid_credits="5")
    (bill,) = (await kit.get(purse.client, "/invoices", invoice_type="credit"))["invoices"]
    paid = {"invoice_id": bill["lago_id"], "amount_cents": 500, "reference": "paid"}
    await kit.post(purse.client, "/payments", {"payment": paid})
    await kit.advance(purse.client, "2026-01-05")
    (first,) = await purse.move(wallet, granted_credits="3")
    await kit.advance(purse.client, "2026-01-09")
    (second,) = await purse.move(wallet, granted_credits="2", priority=10)
    await kit.advance(purse.client, "2026-02-01T01:00")
    invoice = (await kit.invoices(purse.client, purse.who))[-1]
    assert invoice["prepaid_credit_amount_cents"] == 600
    assert invoice["prepaid_granted_credit_amount_cents"] == 500
    assert invoice["prepaid_purchased_credit_amount_cents"] == 100
    left = {
        one["lago_id"]: one["remaining_amount_cents"]
        for one in await purse.moves(wallet, transaction_type="inbound")
    }
    bought = next(id_ for id_ in left if id_ not in (first["lago_id"], second["lago_id"]))
    assert (left[second["lago_id"]], left[first["lago_id"]], left[bought]) == (0, 0, 400)


async def test_11_partial_payments(make_purse):
    """100.00, of which a note offsets 20.00."""
    purse = await make_purse()
    item = {"name": "Setup", "code": "setup", "amount_cents": 10000, "amount_currency": "EUR"}
    await kit.post(purse.client, "/add_ons", {"add_on": item})
    body = {"external_customer_id": purse.who["external_id"], "fees": [{"add_on_code": "setup"}]}
    invoice = (await kit.post(purse.client, "/invoices", {"invoice": body}))["invoice"]
    items = [{"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": 2000}]
    note = {"invoice_id": invoice["lago_id"], "items": items, "offset_amount_cents": 2000}
    await kit.post(purse.client, "/credit_notes", {"credit_note": note})

    async def pay(cents, *, expect=200):
        asked = {"invoice_id": invoice["lago_id"], "amount_cents": cents, "reference": f"{cents}"}
        answer = await kit.post(purse.client, "/payments", {"payment": asked}, expect=expect)
        now = (await kit.get(purse.client, f"/invoices/{invoice['lago_id']}"))["invoice"]
        return answer, (now["payment_status"], now["total_due_amount_cents"])

    assert (await pay(3000))[1] == ("pending", 5000)
    refused, state = await pay(5001, expect=422)
    assert (refused["error_details"], state) == (
        {"amount_cents": ["value_is_out_of_range"]},
        ("pending", 5000),
    )
    assert (await pay(5000))[1] == ("succeeded", 0)
