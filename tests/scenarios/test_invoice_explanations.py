"""Whoever holds an invoice's explanation can recompute its totals from it alone (beyond.md §1)."""

from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

import pytest
from tests import kit

CENT = Decimal(1)


def rounded(cents):
    return int(cents.quantize(CENT, ROUND_HALF_UP))


def recompute(steps):
    """The totals, written down from the specification without a line of the engine."""
    by_name = {step["step"]: step for step in steps}
    left = {fee["lago_fee_id"]: Decimal(fee["amount_cents"]) for fee in by_name["fees"]["fees"]}
    fees = sum(left.values())
    taken = {"progressive_billing_credits": 0, "coupons": 0}
    for name in taken:
        for credit in by_name.get(name, {"credits": []})["credits"]:
            if "base_cents" in credit:
                base = Decimal(credit["base_cents"])
                whole = int(base.quantize(CENT, ROUND_DOWN))
                most = credit.get("at_most_cents")
                if most is None:
                    most = rounded(whole * Decimal(credit["percentage_rate"]) / 100)
                assert credit["amount_cents"] == min(most, whole)
            taken[name] += credit["amount_cents"]
            for share in credit["shares"]:
                left[share["lago_fee_id"]] -= Decimal(share["amount_cents"])
    taxes = Decimal(0)
    for tax in by_name.get("taxes", {"taxes": []})["taxes"]:
        taxes += sum(left[fee_id] for fee_id in tax["lago_fee_ids"]) * Decimal(tax["rate"]) / 100
    total = int(fees) - sum(taken.values()) + rounded(taxes)
    for name in ("credit_notes", "wallets"):
        total -= sum(part["amount_cents"] for part in by_name.get(name, {"credits": []})["credits"])
    return total


async def explained(client, invoice):
    path = f"/invoices/{invoice['lago_id']}/explanation"
    return (await kit.get(client, path))["explanation"]


@pytest.fixture
async def organization(make_organization):
    return await make_organization("2025-01-01T00:00:00Z")


async def coupon(client, who, code, **terms):
    body = {"name": code, "code": code, "expiration": "no_expiration", **terms}
    await kit.post(client, "/coupons", {"coupon": body})
    given = {"external_customer_id": who["external_id"], "coupon_code": code}
    await kit.post(client, "/applied_coupons", {"applied_coupon": given})


async def test_coupons_and_taxes_follow_from_their_shares(organization, database):
    """4900 + 1234 + 777 of which a coupon of 500 is for the last metric, then 10 % of 6411: 641; 20 % of 5770 is 1154."""
    client = organization.client
    await kit.tax(client, "20")
    one, two = await kit.metric(client), await kit.metric(client)
    plan = await kit.plan(
        client, kit.charge(one, amount="12.34"), kit.charge(two, amount="7.77"), amount_cents=4900
    )
    who = await kit.customer(client)
    limited = {"coupon_type": "fixed_amount", "amount_cents": 500, "amount_currency": "EUR"}
    limited |= {"applies_to": {"billable_metric_codes": [two["code"]]}}
    await coupon(client, who, "metric", frequency="once", **limited)
    await coupon(client, who, "tenth", frequency="once", coupon_type="percentage", percentage_rate="10")
    subscription = await kit.subscribe(client, who, plan)
    for metric in (one, two):
        await kit.send(client, subscription, metric, 1)
    await kit.advance(client, "2025-02-01T01:00")
    (invoice,) = await kit.invoices(client, who)
    explanation = await explained(client, invoice)
    steps = explanation["steps"]
    assert [step["step"] for step in steps] == ["fees", "coupons", "taxes", "totals"]
    first, second = steps[1]["credits"]
    assert (first["base_cents"], first["at_most_cents"], first["amount_cents"]) == ("777", 500, 500)
    assert (second["base_cents"], second["percentage_rate"], second["amount_cents"]) == ("6411", "10", 641)
    shares = [share["amount_cents"] for share in second["shares"]]
    assert shares == ["489.92357", "123.38075", "27.69568"]
    assert (steps[2]["amount_cents"], steps[2]["taxes"][0]["base_cents"]) == (1154, "5770")
    assert recompute(steps) == explanation["total_amount_cents"] == invoice["total_amount_cents"] == 6924
    await kit.assert_audit_clean(database, organization.id)


async def test_a_rate_is_of_whole_cents(organization, database):
    """22.13 % of usage of 10.00 beside 50.00 is 2.21: 57.79 are taken over, 9.63167 of them of what is 11.65 in the end.

    2.01833 are left of it, of which 2.01 count: 22.13 % are 44.4813 cents, 44; of all that is left they were 44.67, 45.
    """
    client = organization.client
    one, two = await kit.metric(client), await kit.metric(client)
    charges = kit.charge(one, amount="1"), kit.charge(two, amount="1")
    plan = await kit.plan(client, *charges, usage_thresholds=[{"amount_cents": 6000}])
    who = await kit.customer(client)
    limited = {"applies_to": {"billable_metric_codes": [two["code"]]}}
    rate = {"coupon_type": "percentage", "percentage_rate": "22.13"}
    await coupon(client, who, "part", frequency="forever", **rate, **limited)
    subscription = await kit.subscribe(client, who, plan)
    for metric, units in (one, 50), (two, 10), (two, "1.65"):
        await kit.send(client, subscription, metric, units)
    await kit.advance(client, "2025-02-01T01:00")
    before, last = await kit.invoices(client, who)
    assert (before["fees_amount_cents"], before["coupons_amount_cents"]) == (6000, 221)
    assert last["progressive_billing_credit_amount_cents"] == 5779
    assert (last["coupons_amount_cents"], last["total_amount_cents"]) == (44, 6165 - 5779 - 44)
    explanation = await explained(client, last)
    assert recompute(explanation["steps"]) == last["total_amount_cents"]
    await kit.assert_audit_clean(database, organization.id)


async def test_credit_notes_are_in_it_and_nothing_changes_it_any_more(organization, database):
    """31.00 in advance ended on the 20th: 11.00 back, which pay the next invoice; paying or voiding it explains nothing anew."""
    client = organization.client
    who = await kit.customer(client)
    first = await kit.subscribe(client, who, await kit.plan(client, amount_cents=3100, pay_in_advance=True))
    await kit.advance(client, "2025-01-20T12:00")
    await kit.call(client, "DELETE", f"/subscriptions/{first['external_id']}")
    await kit.subscribe(client, who, await kit.plan(client, amount_cents=3100, pay_in_advance=True))
    (invoice,) = [one for one in await kit.invoices(client, who) if one["credit_notes_amount_cents"]]
    explanation = await explained(client, invoice)
    # 12 of 31 days of 31.00 are 12.00.
    assert explanation["steps"][1]["credits"][0]["amount_cents"] == 1100
    assert recompute(explanation["steps"]) == invoice["total_amount_cents"] == 100
    await kit.post(client, f"/invoices/{invoice['lago_id']}/void", {})
    assert await explained(client, invoice) == explanation
    await kit.assert_audit_clean(database, organization.id)


async def test_a_draft_is_explained_as_it_stands(organization):
    client = organization.client
    who = await kit.customer(client, billing_configuration={"invoice_grace_period": 3})
    await kit.subscribe(client, who, await kit.plan(client, amount_cents=3100))
    await kit.advance(client, "2025-02-01T01:00")
    (draft,) = await kit.invoices(client, who)
    assert recompute((await explained(client, draft))["steps"]) == draft["total_amount_cents"] == 3100


async def test_an_unknown_invoice_is_not_found(client, other_client):
    for id_ in ("nothing", "01a22468-e486-755b-8a9f-b36b7ad00a6a"):
        answer = await kit.get(client, f"/invoices/{id_}/explanation", expect=404)
        assert answer["code"] == "invoice_not_found"
