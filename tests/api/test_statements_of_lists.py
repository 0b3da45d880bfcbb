"""A list costs the same statements whatever its length: nothing is read record by record."""

from __future__ import annotations

import re

import pytest
from tests import kit

FEW, MORE = 2, 3


def lists() -> list[str]:
    """Every path below `/api/v1` that answers with pages."""
    paths = kit.description()["paths"]
    return [
        path.removeprefix("/api/v1")
        for path, methods in paths.items()
        if path.startswith("/api/v1/")
        and any(one["name"] == "per_page" for one in methods.get("get", {}).get("parameters", ()))
    ]


LISTS = lists()
# One record of its parent's here, or none, however many there are of others.
STILL = [
    "/plans/{code}/charges/{charge_code}/filters",
    "/subscriptions/{external_id}/charges/{code}/filters",
    "/wallet_transactions/{lago_id}/fundings",
    "/webhook_endpoints",
    "/customers/{external_id}/payment_methods",
]
# A wallet has one alert of each type, a customer six wallets at the most.
ALERT_TYPES = (
    "wallet_balance_amount",
    "wallet_credits_balance",
    "wallet_ongoing_balance_amount",
    "wallet_credits_ongoing_balance",
)


async def fill(client, numbers: range) -> None:
    """Records of every list, each with what hangs on it."""
    for n in numbers:
        tax = await kit.tax(client, code=f"tax_{n}")
        add_on = {"name": "a", "code": f"addon_{n}", "amount_cents": 100, "amount_currency": "EUR"}
        made = (await kit.post(client, "/add_ons", {"add_on": add_on}))["add_on"]
        metric = await kit.metric(client, code=f"m{n}", filters=[{"key": "region", "values": ["eu", "us"]}])
        charge = {
            **kit.charge(metric),
            "code": f"c{n}",
            "tax_codes": [tax["code"]],
            "filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}],
        }
        fixed = {"code": f"f{n}", "add_on_id": made["lago_id"], "charge_model": "standard", "units": "1"}
        fixed["properties"] = {"amount": "1"}
        if n == 0:
            await kit.plan(client, code="big", charges=[charge], fixed_charges=[fixed])
            await kit.customer(client, external_id="payer", metadata=[{"key": "k", "value": "v"}])
        else:
            await kit.post(client, "/plans/big/charges", {"charge": charge})
            await kit.post(client, "/plans/big/fixed_charges", {"fixed_charge": fixed})
        own = await kit.plan(client, charge, code=f"p{n}", amount_cents=1000)
        await kit.customer(client, external_id=f"customer_of_{n}", metadata=[{"key": "k", "value": "v"}])
        payer = {"external_id": "payer"}
        await kit.subscribe(client, payer, {"code": "big"} if n == 0 else own, external_id=f"s{n}")
        coupon = {
            "name": "c", "code": f"coupon_{n}", "coupon_type": "fixed_amount", "amount_cents": 1,
            "amount_currency": "EUR", "frequency": "forever", "expiration": "no_expiration",
        }  # fmt: skip
        await kit.post(client, "/coupons", {"coupon": coupon})
        applied = {"external_customer_id": "payer", "coupon_code": f"coupon_{n}"}
        await kit.post(client, "/applied_coupons", {"applied_coupon": applied})
        privileges = [{"code": "max", "value_type": "integer"}]
        await kit.post(client, "/features", {"feature": {"code": f"f{n}", "privileges": privileges}})
        await kit.call(client, "PATCH", f"/plans/p{n}/entitlements", {"entitlements": {f"f{n}": {"max": n}}})
        await kit.post(client, "/billing_entities", {"billing_entity": {"code": f"e{n}", "name": "e"}})
        unit = {"code": f"unit_{n}", "name": "u", "short_name": "u"}
        await kit.post(client, "/pricing_units", {"pricing_unit": unit})
        one_off = {
            "external_customer_id": "payer",
            "currency": "EUR",
            "fees": [{"add_on_code": f"addon_{n}"}],
        }
        bill = (await kit.post(client, "/invoices", {"invoice": one_off}))["invoice"]
        await pay(client, bill, n)
        await save_up(client, n)
        for code in (f"m{n}", "unheard"):
            await kit.send(client, {"external_id": f"s{n}"}, {"code": code}, 1)
        backfill = {
            "external_subscription_id": f"s{n}",
            "code": f"m{n}",
            "from": "2026-06-01",
            "to": "2026-06-02",
        }
        await kit.post(client, "/event_backfills", {"event_backfill": {**backfill, "reason": "r"}})
        section = {"code": f"section_{n}", "name": f"Section {n}"}
        await kit.post(client, "/invoice_custom_sections", {"invoice_custom_section": section})
        await kit.post(client, "/data_exports", {"data_export": {"resource_type": "invoices"}})


async def pay(client, bill, n: int) -> None:
    """Half a euro of an invoice, of which 0.10 and the taxes of 20 % so far are given back."""
    payment = {"invoice_id": bill["lago_id"], "amount_cents": 50, "reference": f"wire {n}"}
    await kit.post(client, "/payments", {"payment": payment})
    note = {
        "invoice_id": bill["lago_id"],
        "items": [{"fee_id": bill["fees"][0]["lago_id"], "amount_cents": 10}],
        "refund_amount_cents": 10 + 2 * (n + 1),
    }
    await kit.post(client, "/credit_notes", {"credit_note": note})


async def remind(client, numbers: range) -> None:
    """Ask for all that is overdue by now, each time anew, so that a longer list has longer requests too."""
    listed = await kit.get(client, "/invoices", external_customer_id="payer", payment_overdue="true")
    overdue = [one["lago_id"] for one in listed["invoices"] if one["total_due_amount_cents"]]
    assert len(overdue) >= numbers.stop
    body = {"external_customer_id": "payer", "lago_invoice_ids": overdue}
    for _ in numbers:
        await kit.post(client, "/payment_requests", {"payment_request": body})


async def save_up(client, n: int) -> None:
    """A wallet with an alert on it, another one on a subscription; the first wallet pays 10.00 and taxes a month."""
    who = await kit.customer(client, external_id="saver")
    wallet = {
        "external_customer_id": "saver", "name": f"w{n}", "code": f"w{n}", "rate_amount": "1", "currency": "EUR",
        "granted_credits": "1000",
    }  # fmt: skip
    await kit.post(client, "/wallets", {"wallet": wallet})
    mark = {"code": f"alert_{n}", "thresholds": [{"value": 100, "code": "low"}]}
    for alert_type in ALERT_TYPES[n : n + 1]:
        low = {"alert_type": alert_type, **mark}
        await kit.post(client, "/customers/saver/wallets/w0/alerts", {"alert": low})
    metric = {"alert_type": "billable_metric_current_usage_amount", "billable_metric_code": f"m{n}", **mark}
    await kit.post(client, "/subscriptions/s0/alerts", {"alert": metric})
    if n == 0:
        await kit.subscribe(client, who, {"code": "p0"}, external_id="saving")


async def place(client, path: str) -> str:
    """A path with the world's ids in it."""
    if "lago_id" in path:
        return path.replace("{lago_id}", (await first_ids(client))[path.split("/")[1], path.split("/")[-1]])
    if path.startswith("/customers/"):
        owner = "saver" if "wallets" in path else "payer"
        return re.sub(r"\{\w+\}", "w0", re.sub(r"\{\w+\}", owner, path, count=1))
    owner = "s0" if path.startswith("/subscriptions/") else "big"
    first = re.sub(r"\{\w+\}", owner, path, count=1)
    return re.sub(r"\{\w+\}", "c0", first)


async def first_ids(client) -> dict[tuple[str, str], str]:
    """The first wallet, its first credits and the first draw on them, by the lists that are theirs."""
    listed = await kit.get(client, "/wallets", external_customer_id="saver")
    (wallet,) = [one["lago_id"] for one in listed["wallets"] if one["code"] == "w0"]
    moves = (await kit.get(client, f"/wallets/{wallet}/wallet_transactions"))["wallet_transactions"]
    oldest = {one["transaction_type"]: one["lago_id"] for one in moves}
    return {
        ("wallets", "wallet_transactions"): wallet,
        ("wallet_transactions", "consumptions"): oldest["inbound"],
        ("wallet_transactions", "fundings"): oldest["outbound"],
    }


async def measure(client, count_statements) -> dict[str, tuple[int, int]]:
    """(statements, records) of each list."""
    found = {}
    for path in LISTS:
        query = {"external_subscription_id": "s0"} if path.endswith("past_usage") else {}
        if path == "/security_logs":
            query = {"to_date": "2026-12-31"}
        if path == "/events/unmatched_summary":
            query = {}
        found_at = await place(client, path)
        with count_statements() as statements:
            answer = await kit.get(client, found_at, **query)
        found[path] = len(statements), answer["meta"]["total_count"]
    return found


@pytest.fixture
async def client(make_organization):
    return (await make_organization("2026-01-01T00:00:00Z")).client


async def test_no_list_reads_record_by_record(client, count_statements, application):
    async def rest():
        """What is written beside the queue is, once for all."""
        while await application.chronicler.close_some():
            pass

    await fill(client, range(FEW))
    await kit.advance(client, "2026-02-02")
    await remind(client, range(FEW))
    await rest()
    await measure(client, count_statements)  # whatever is remembered between requests is, from here on
    before = await measure(client, count_statements)
    await fill(client, range(FEW, FEW + MORE))
    await kit.advance(client, "2026-03-02")
    await remind(client, range(FEW, FEW + MORE))
    await rest()
    after = await measure(client, count_statements)
    grown = [path for path in LISTS if after[path][1] > before[path][1]]
    worse = {path: (before[path], after[path]) for path in LISTS if after[path][0] > before[path][0]}
    assert not worse
    assert [path for path in LISTS if path not in grown] == STILL
