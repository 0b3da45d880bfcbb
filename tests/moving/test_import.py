"""An organization moves from a Tallymark to a Tallymark, over the public API of the one it comes from."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select
from tests import kit
from tests.moving import worlds

from tallymark.db.tables import untold_messages
from tallymark.integrations.lago import LagoApi
from tallymark.moving.run import Import
from tallymark.moving.sides import Source, Target
from tallymark.rooms.coupons import service as coupons

MOVE = "2025-02-20T08:00:00Z"


class Killed(BaseException):
    """The process ended in the middle of something."""


class Mortal(LagoApi):
    """Calls of a process that is killed after some of them, whichever side they go to."""

    calls_left = 0

    async def call(self, *arguments, **more):
        if Mortal.calls_left <= 0:
            raise Killed
        Mortal.calls_left -= 1
        return await super().call(*arguments, **more)


async def run_until_killed(there, here, database, calls):
    Mortal.calls_left = calls
    target = worlds.target_of(here, database)
    mortal = Target(
        api=Mortal(here.client, sleep=worlds.no_pause),
        database=database,
        organization_id=target.organization_id,
        is_simulated=True,
    )
    source = Source(api=Mortal(there.client, sleep=worlds.no_pause), name=worlds.NAME)
    with pytest.raises(Killed):
        await Import(source=source, target=mortal).run()


async def lived(there):
    """Two months of the source's life, up to the move."""
    await worlds.seller(there.client)
    await kit.advance(there.client, "2025-01-12T11:00")
    await worlds.use(there.client, month="2025-01")
    await kit.advance(there.client, "2025-02-12T11:00")
    await worlds.use(there.client, month="2025-02")
    await kit.advance(there.client, "2025-02-20T08:00")


async def test_an_organization_moves_whole_though_cut_off_and_both_bill_the_same(make_organization, database):
    there = await make_organization(worlds.START)
    await lived(there)
    here = await make_organization(MOVE)
    for calls in (60, 130):
        await run_until_killed(there, here, database, calls)
    report = await worlds.importing(there, here, database).run()
    assert report.as_json()["failed"] == []
    assert report.is_clean
    assert report.left_out["issued invoices"] == 11
    await _assert_is_a_copy(there.client, here.client)

    again = await worlds.importing(there, here, database).run()
    assert again.is_clean
    assert again.changes_nothing
    assert (await kit.get(here.client, "/invoices"))["invoices"] == []

    for month in ("2025-03", "2025-04"):
        for one in (there, here):
            await kit.advance(one.client, f"{month}-12T11:00")
            await worlds.use(one.client, month=month)
    for one in (there, here):
        await kit.advance(one.client, "2025-05-02T00:00")
    found = await worlds.shadowing(there, here, database).run()
    assert found.mismatches == []
    assert found.missing == []
    assert found.equal == found_by_hand(await kit.get(there.client, "/invoices", per_page="200"))
    await _assert_numbers_by_hand(here.client)

    price = {"charge": {"charge_model": "standard", "properties": {"amount": "6"}}}
    await kit.call(here.client, "PUT", "/plans/usage/charges/seats", price)
    for one in (there, here):
        await kit.advance(one.client, "2025-06-02T00:00")
    changed = await worlds.shadowing(there, here, database).run()
    # Four users are carried over: 4 times 5 there, 4 times 6 here; less 10 % by the coupon, and 20 % tax on either.
    fee = [one for one in changed.mismatches if one.line == "acme-usage charge seats, amount_cents"]
    assert [(one.customer, one.there, one.here) for one in fee] == [("acme", 2000, 2400)]
    total = [one for one in changed.mismatches if one.line == "total_amount_cents"]
    assert [one.here - one.there for one in total] == [432]
    assert changed.unequal == 1
    only_june = {"since": date(2025, 6, 2)}
    assert (await worlds.shadowing(there, here, database, **only_june).run()).equal == 0

    await _assert_the_year_ends_alike(there, here, database)


async def _assert_the_year_ends_alike(there, here, database):
    """The commitment of a year counts what was billed of it there: only its customer is left."""
    for one in (there, here):
        for external_id in ("acme-usage", "acme-ahead", "globex-small", "initech-trial"):
            await kit.call(one.client, "DELETE", f"/subscriptions/{external_id}")
        await kit.advance(one.client, "2026-01-02T00:00")
    found = await worlds.shadowing(there, here, database, since=date(2026, 1, 1)).run()
    assert (found.mismatches, found.equal) == ([], 1)
    (last,) = (await kit.get(here.client, "/invoices", issuing_date_from="2026-01-01"))["invoices"]
    # 356 of 365 days of 365.00 are 356.00; four months of 120 calls at 1 were billed, two of them there; 1000.00 were
    # committed for the year, 975.34 for its 356 days: 975.34 - 356.00 - 480.00 = 139.34 are missing.
    assert last["fees_amount_cents"] == 35_600 + 13_934


def found_by_hand(listed):
    """The invoices that were made after the move; an independent count over the plain list."""
    return sum(row["created_at"] > MOVE for row in listed["invoices"])


async def _assert_is_a_copy(there, here):
    """Field by field, over both APIs: all but ids, and when a row was made."""
    for path in (
        "taxes",
        "billable_metrics",
        "add_ons",
        "features",
        "coupons",
        "customers",
        "applied_coupons",
    ):
        one, other = [(await kit.get(client, f"/{path}"))[path] for client in (there, here)]
        assert told(other) == told(one), path
    for code in ("usage", "ahead", "yearly", "trial", "small", "levels"):
        one, other = [(await kit.get(client, f"/plans/{code}"))["plan"] for client in (there, here)]
        assert told(other) == told(one), code
    for external_id in ("acme-usage", "acme-ahead", "globex-yearly", "globex-small", "initech-trial"):
        path = f"/subscriptions/{external_id}"
        one, other = [(await kit.get(client, path))["subscription"] for client in (there, here)]
        assert told(other) == told(one), external_id
        who = {"external_subscription_id": external_id}
        usage_path = f"/customers/{one['external_customer_id']}/current_usage"
        one, other = [
            (await kit.get(client, usage_path, **who))["customer_usage"] for client in (there, here)
        ]
        assert told(other) == told(one), external_id
    one, other = [(await kit.get(client, "/wallets"))["wallets"][0] for client in (there, here)]
    # What was consumed there is history; the rule's anchor, the wallet's day there, is told here.
    apart = {"consumed_credits": "0.0", "last_consumed_credit_at": None, "last_balance_sync_at": None}
    assert told({**other, **apart, "recurring_transaction_rules": []}) == told(
        {**one, **apart, "recurring_transaction_rules": []}
    )
    # 40 were bought and 30 given; 5 came with the rule. The coupon bore the bills until then.
    left = (await kit.get(here, f"/wallets/{other['lago_id']}/wallet_transactions"))["wallet_transactions"]
    assert sorted((row["transaction_status"], row["remaining_amount_cents"]) for row in left) == [
        ("granted", 500),
        ("granted", 3000),
        ("purchased", 4000),
    ]
    (entry,) = (await kit.get(here, "/journal_entries"))["journal_entries"]
    assert [line["account"] for line in entry["lines"]] == ["opening_balances", "prepaid_credits"]
    (rule,) = other["recurring_transaction_rules"]
    assert (rule["granted_credits"], rule["started_at"]) == ("5.0", "2025-01-10T09:00:00Z")


APART = {
    "created_at", "updated_at", "activated_at", "slug", "billing_entity_code", "credits", "terminated_at",
    "applied_to_billing_entities_codes", "organization_id",
}  # fmt: skip
"""What a copy has of its own: when it was made, and what its organization and its default entity are called."""


def told(value):
    if isinstance(value, dict):
        return {
            name: told(item)
            for name, item in value.items()
            if name not in APART and not name.startswith("lago_") and not name.endswith("_id_")
            if name not in ("parent_id", "invoice_custom_section_id")
        }
    return [told(item) for item in value] if isinstance(value, list) else value


async def _assert_numbers_by_hand(client):
    """March of acme's plan by use: what the source billed in February is nowhere, and all that was left is spent on."""
    listed = (await kit.get(client, "/invoices", external_customer_id="acme", per_page="200"))["invoices"]
    bills = sorted((one for one in listed if one["fees_amount_cents"]), key=lambda one: one["created_at"])
    first = (await kit.get(client, f"/invoices/{bills[0]['lago_id']}"))["invoice"]
    assert first["issuing_date"] == "2025-03-01"
    # The base price 31.00; calls in the EU: 17, so 10 at 2 and 7 at 1 and 3 flat = 30; elsewhere 4 at 2 = 8;
    # two users, of January carried over and of February, at 5 = 10.
    assert sorted(fee["amount_cents"] for fee in first["fees"]) == [800, 1000, 3000, 3100]


async def test_a_customer_moves_whole_or_not_at_all(make_organization, database, monkeypatch):
    there = await make_organization(worlds.START)
    metric = await kit.metric(there.client, code="calls")
    plan = await kit.plan(there.client, kit.charge(metric), code="plan", amount_cents=100)
    who = await kit.customer(there.client, external_id="acme", currency="EUR")
    await kit.subscribe(there.client, who, plan, external_id="one")
    wallet = {"external_customer_id": "acme", "rate_amount": "1", "currency": "EUR", "granted_credits": "9"}
    await kit.post(there.client, "/wallets", {"wallet": wallet})
    here = await make_organization(worlds.START)

    async def fail(*_, **__):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(coupons, "take_over", fail)
        with pytest.raises(Killed):
            await worlds.importing(there, here, database).run()
    assert (await kit.get(here.client, "/subscriptions"))["subscriptions"] == []
    assert (await kit.get(here.client, "/wallets"))["wallets"] == []

    assert (await worlds.importing(there, here, database).run()).is_clean
    assert (await kit.get(here.client, "/wallets"))["wallets"][0]["balance_cents"] == 900

    # Who had nothing moves when they have something; who has moved does not move again.
    who = await kit.customer(there.client, external_id="late")
    assert (await worlds.importing(there, here, database).run()).is_clean
    await kit.subscribe(there.client, who, plan, external_id="two")
    report = await worlds.importing(there, here, database).run()
    assert report.counts["subscriptions"] == {"created": 1, "unchanged": 1}
    assert len((await kit.get(here.client, "/wallets"))["wallets"]) == 1


async def test_nothing_goes_out_before_the_organization_is_live(make_organization, database):
    there = await make_organization(worlds.START)
    endpoint = {"webhook_url": "https://acme.example/hooks", "signature_algo": "hmac"}
    await kit.post(there.client, "/webhook_endpoints", {"webhook_endpoint": endpoint})
    settings = {"organization": {"email_settings": ["invoice.finalized"]}}
    await kit.call(there.client, "PUT", "/organizations", settings)
    metric = await kit.metric(there.client, code="calls")
    plan = await kit.plan(there.client, kit.charge(metric), code="plan", amount_cents=100)
    waiting = await kit.customer(there.client, external_id="waiting", currency="EUR")
    await kit.subscribe(there.client, waiting, plan)
    wallet = {"external_customer_id": "waiting", "rate_amount": "1", "paid_credits": "9"}
    bought = (await kit.post(there.client, "/wallets", {"wallet": wallet}))["wallet"]
    here = await make_organization(worlds.START)

    await worlds.importing(there, here, database).run()
    assert await _outlets(here.client) == ([], [])

    # Nobody hears that those are new who only move.
    held = await worlds.importing(there, here, database, is_live=True).run()
    assert [one.key for one in held.held] == ["waiting"]
    assert await _outlets(here.client) == ([], ["invoice.finalized"])

    await kit.call(there.client, "DELETE", f"/wallets/{bought['lago_id']}")
    live = await worlds.importing(there, here, database, is_live=True).run()
    assert live.is_clean
    assert await _outlets(here.client) == (["https://acme.example/hooks"], ["invoice.finalized"])
    async with database.tenant(here.id) as tx:
        assert (await tx.execute(select(func.count()).select_from(untold_messages))).scalar_one() == 0
    assert (await worlds.importing(there, here, database, is_live=True).run()).changes_nothing

    # What is changed there later is changed here, too.
    named = {"billable_metric": {"name": "Calls of the API"}}
    await kit.call(there.client, "PUT", "/billable_metrics/calls", named)
    changed = await worlds.importing(there, here, database, is_live=True).run()
    assert changed.counts["billable metrics"] == {"changed": 1, "unchanged": 0}
    assert (await kit.get(here.client, "/billable_metrics/calls"))["billable_metric"][
        "name"
    ] == "Calls of the API"


async def _outlets(client):
    endpoints = (await kit.get(client, "/webhook_endpoints"))["webhook_endpoints"]
    settings = (await kit.get(client, "/organizations"))["organization"]["email_settings"]
    return [one["webhook_url"] for one in endpoints], settings
