"""Many at once, each on a connection of their own: one effect, nothing lost or doubled, nobody waits in a circle (invoicing §5.9).

Whatever wins, every law of the audit holds afterwards.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from uuid import UUID

import pytest
from sqlalchemy import select, text, update
from tests import kit

from tallymark.db.tables import agenda, billing_records, outbox, subscriptions
from tallymark.jobs.agenda import Kind
from tallymark.rooms.billing import jobs
from tallymark.rooms.billing.event_run import judge_all_late_events
from tallymark.rooms.events import follow

MONEY = {"amount_currency": "EUR", "frequency": "once", "expiration": "no_expiration"}
_names = count(1)


async def coupon(client, cents, **more):
    code = f"coupon_{next(_names)}"
    body = {"name": code, "code": code, "coupon_type": "fixed_amount", "amount_cents": cents, **MONEY, **more}
    return (await kit.post(client, "/coupons", {"coupon": body}))["coupon"]


async def give(client, who, made, *, expect=200):
    body = {"external_customer_id": who["external_id"], "coupon_code": made["code"]}
    return await kit.post(client, "/applied_coupons", {"applied_coupon": body}, expect=expect)


async def wallet(client, who, **more):
    body = {"external_customer_id": who["external_id"], "rate_amount": "1", "currency": "EUR", **more}
    return (await kit.post(client, "/wallets", {"wallet": body}))["wallet"]


async def balance(client, of):
    return (await kit.get(client, f"/wallets/{of['lago_id']}"))["wallet"]["balance_cents"]


async def add_on(client, cents=1_000):
    code = f"add_on_{next(_names)}"
    body = {"name": code, "code": code, "amount_cents": cents, "amount_currency": "EUR"}
    return (await kit.post(client, "/add_ons", {"add_on": body}))["add_on"]


def one_off(who, of):
    fees = [{"add_on_code": of["code"]}]
    return {"invoice": {"external_customer_id": who["external_id"], "currency": "EUR", "fees": fees}}


async def note(client, invoice, cents):
    """A note of so many cents of an invoice's first fee and 20 % tax, all of it credit."""
    body = {
        "invoice_id": invoice["lago_id"],
        "items": [{"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": cents}],
        "credit_amount_cents": cents * 120 // 100,
    }
    return (await kit.post(client, "/credit_notes", {"credit_note": body}))["credit_note"]


async def at_once(client, method, path, body=None, *, times=4):
    answers = await asyncio.gather(*(client.request(method, path, json=body) for _ in range(times)))
    return sorted(answer.status_code for answer in answers)


async def told(database, organization, webhook_type):
    async with database.tenant(organization.id) as tx:
        found = select(outbox.c.object_id).where(outbox.c.webhook_type == webhook_type)
        return [str(one) for one in (await tx.execute(found)).scalars()]


@pytest.fixture
async def drafted(make_organization):
    """A draft of 31.00 and 3 units at 2.00; a coupon of 10.00, a note of 6.00 and a wallet of 20.00 wait for it.

    37.00 − 10.00 is 27.00, with 20 % tax 32.40; less the note 26.40, less the wallet 6.40.
    """
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    await kit.tax(client, "20")
    who = await kit.customer(client, currency="EUR", billing_configuration={"invoice_grace_period": 3})
    metric = await kit.metric(client)
    plan = await kit.plan(client, kit.charge(metric, amount="2"), amount_cents=3_100)
    subscription = await kit.subscribe(client, who, plan)
    sold = (await kit.post(client, "/invoices", one_off(who, await add_on(client))))["invoice"]
    given = await note(client, sold, 500)
    await kit.send(client, subscription, metric, 3)
    await give(client, who, await coupon(client, 1_000))
    filled = await wallet(client, who, granted_credits="20")
    await kit.advance(client, "2026-02-01T01:00")
    (draft,) = [one for one in await kit.invoices(client, who) if one["status"] == "draft"]
    path = f"/invoices/{draft['lago_id']}"
    return SimpleNamespace(
        organization=organization, client=client, who=who, draft=draft, path=path, note=given, wallet=filled
    )


async def left(world):
    """What is left of the coupon's status, the note and the wallet."""
    (applied,) = (await kit.get(world.client, "/applied_coupons"))["applied_coupons"]
    given = (await kit.get(world.client, f"/credit_notes/{world.note['lago_id']}"))["credit_note"]
    return applied["status"], given["balance_amount_cents"], await balance(world.client, world.wallet)


USED, UNUSED = ("terminated", 0, 0), ("active", 600, 2_000)


class TestOneInvoice:
    async def test_is_finalized_once(self, drafted, database):
        answers = await at_once(drafted.client, "PUT", f"{drafted.path}/finalize")
        assert answers == [200, 404, 404, 404]
        issued = (await kit.get(drafted.client, drafted.path))["invoice"]
        assert (issued["total_amount_cents"], issued["sequential_id"]) == (640, 2)
        assert await left(drafted) == USED
        assert await told(database, drafted.organization, "invoice.created") == [issued["lago_id"]]
        await kit.assert_audit_clean(database, drafted.organization.id)

    async def test_is_finalized_or_deleted(self, drafted, database):
        paths = [("PUT", "/refresh"), ("PUT", "/finalize"), ("DELETE", ""), ("PUT", "/refresh")]
        requests = (drafted.client.request(method, drafted.path + path) for method, path in paths)
        statuses = [answer.status_code for answer in await asyncio.gather(*requests)]
        assert sorted(statuses[1:3]) in ([200, 404], [200, 405])
        assert max(statuses) < 500
        was_issued = statuses[1] == 200
        assert await left(drafted) == (USED if was_issued else UNUSED)
        await kit.get(drafted.client, drafted.path, expect=200 if was_issued else 404)
        await kit.assert_audit_clean(database, drafted.organization.id)

    async def test_is_voided_once(self, drafted, database):
        await kit.call(drafted.client, "PUT", f"{drafted.path}/finalize")
        assert await at_once(drafted.client, "POST", f"{drafted.path}/void", {}) == [200, 405, 405, 405]
        assert await left(drafted) == UNUSED
        assert len(await told(database, drafted.organization, "invoice.voided")) == 1
        await kit.assert_audit_clean(database, drafted.organization.id)

    async def test_is_made_anew_once(self, drafted, database):
        issued = (await kit.call(drafted.client, "PUT", f"{drafted.path}/finalize"))["invoice"]
        await kit.post(drafted.client, f"{drafted.path}/void", {})
        again = {"invoice": {"fees": [{"id": fee["lago_id"]} for fee in issued["fees"]]}}
        answers = await at_once(drafted.client, "POST", f"{drafted.path}/regenerate", again)
        assert answers == [200, 405, 405, 405]
        assert await left(drafted) == USED
        await kit.assert_audit_clean(database, drafted.organization.id)

    async def test_is_paid_credited_and_voided_in_some_order(self, drafted, database):
        issued = (await kit.call(drafted.client, "PUT", f"{drafted.path}/finalize"))["invoice"]
        fee = next(one for one in issued["fees"] if one["amount_cents"] == 3_100)
        paid = {"invoice_id": issued["lago_id"], "amount_cents": 640, "reference": "wire"}
        given = {
            "invoice_id": issued["lago_id"],
            "items": [{"fee_id": fee["lago_id"], "amount_cents": 500}],
            "offset_amount_cents": 438,
        }
        paying, crediting, voiding = await asyncio.gather(
            drafted.client.post("/payments", json={"payment": paid}),
            drafted.client.post("/credit_notes", json={"credit_note": given}),
            drafted.client.post(f"{drafted.path}/void", json={}),
        )
        assert voiding.status_code == 200
        # Whoever is first takes what is due; nobody pays for or credits what is void.
        assert (paying.status_code, crediting.status_code) in [
            (200, 422),
            (422, 200),
            (403, 405),
            (200, 405),
            (403, 200),
        ]
        await kit.assert_audit_clean(database, drafted.organization.id)

    async def test_gives_no_more_back_than_it_has(self, drafted, database):
        """Four notes of 20.00 at once on a fee of 31.00: one is made."""
        issued = (await kit.call(drafted.client, "PUT", f"{drafted.path}/finalize"))["invoice"]
        fee = next(one for one in issued["fees"] if one["amount_cents"] == 3_100)
        items = [{"fee_id": fee["lago_id"], "amount_cents": 2_000}]
        asked = {"credit_note": {"invoice_id": issued["lago_id"], "items": items}}
        estimate = (await kit.post(drafted.client, "/credit_notes/estimate", asked))["estimated_credit_note"]
        asked["credit_note"]["credit_amount_cents"] = estimate["max_creditable_amount_cents"]
        assert await at_once(drafted.client, "POST", "/credit_notes", asked) == [200, 422, 422, 422]
        await kit.assert_audit_clean(database, drafted.organization.id)


class TestOneCustomer:
    async def test_two_invoices_never_use_the_same_cent(self, make_organization, database):
        """Two drafts of 31.00 and 6.20 tax; a coupon of 40.00, a note of 6.00, a wallet of 3.00, whoever is first.

        Coupons take 31.00 of one and 9.00 of the other, which comes to 22.00 and 4.40 tax; 9.00 less: 17.40 are due.
        """
        organization = await make_organization("2026-01-01T00:00:00Z")
        client = organization.client
        await kit.tax(client, "20")
        who = await kit.customer(client, currency="EUR", billing_configuration={"invoice_grace_period": 3})
        plan = await kit.plan(client, amount_cents=3_100)
        for _ in range(2):
            await kit.subscribe(client, who, plan, consolidate_invoice=False)
        sold = (await kit.post(client, "/invoices", one_off(who, await add_on(client))))["invoice"]
        given = await note(client, sold, 500)
        await give(client, who, await coupon(client, 4_000))
        filled = await wallet(client, who, granted_credits="3")
        await kit.advance(client, "2026-02-01T01:00")
        drafts = [one for one in await kit.invoices(client, who) if one["status"] == "draft"]
        paths = [f"/invoices/{one['lago_id']}/finalize" for one in drafts]
        answers = await asyncio.gather(*(client.put(path) for path in paths))
        assert [answer.status_code for answer in answers] == [200, 200]
        issued = [one for one in await kit.invoices(client, who) if one["invoice_type"] == "subscription"]
        assert sorted(one["coupons_amount_cents"] for one in issued) == [900, 3_100]
        assert sum(one["credit_notes_amount_cents"] for one in issued) == 600
        assert sum(one["prepaid_credit_amount_cents"] for one in issued) == 300
        assert sorted(one["total_amount_cents"] for one in issued) == [0, 1_740]
        world = SimpleNamespace(client=client, note=given, wallet=filled)
        assert await left(world) == USED
        await kit.assert_audit_clean(database, organization.id)

    async def test_top_ups_at_once_all_count_and_are_invoiced_once(self, client, database, organization):
        who = await kit.customer(client)
        filled = await wallet(client, who)
        body = {"wallet_id": filled["lago_id"], "granted_credits": "2", "paid_credits": "3"}
        assert (
            await at_once(client, "POST", "/wallet_transactions", {"wallet_transaction": body}) == [200] * 4
        )
        await asyncio.gather(*(jobs.run_due_work(database, organization.id, None) for _ in range(4)))
        bought = await kit.invoices(client, who)
        assert [one["total_amount_cents"] for one in bought] == [300] * 4
        assert sorted(one["sequential_id"] for one in bought) == [1, 2, 3, 4]
        paid = [{"invoice_id": one["lago_id"], "amount_cents": 300, "reference": "r"} for one in bought] * 2
        answers = await asyncio.gather(*(client.post("/payments", json={"payment": one}) for one in paid))
        assert Counter(answer.status_code for answer in answers) == {200: 4, 422: 4}
        assert await balance(client, filled) == 2_000
        await kit.assert_audit_clean(database, organization.id)

    async def test_notes_that_are_added_to_a_wallet_at_once_are_all_kept(self, client):
        filled = await wallet(client, await kit.customer(client))
        path, notes = f"/wallets/{filled['lago_id']}/metadata", {f"k{number}": "v" for number in range(6)}
        await asyncio.gather(
            *(kit.call(client, "PUT", path, {"metadata": {key: value}}) for key, value in notes.items())
        )
        assert (await kit.get(client, f"/wallets/{filled['lago_id']}"))["wallet"]["metadata"] == notes

    async def test_a_coupon_for_once_is_given_once(self, client):
        who, made = await kit.customer(client, currency="EUR"), await coupon(client, 500, reusable=False)
        body = {"external_customer_id": who["external_id"], "coupon_code": made["code"]}
        answers = await at_once(client, "POST", "/applied_coupons", {"applied_coupon": body})
        assert answers == [200, 422, 422, 422]


async def backdate(database, organization):
    """Have every subscription be a year old, and its billing day be the first of this month; tells that day."""
    now = datetime.now(UTC)
    first = datetime(now.year, now.month, 1, tzinfo=UTC)
    began = first - timedelta(days=365)
    async with database.tenant(organization.id) as tx:
        await tx.execute(
            update(subscriptions).values(started_at=began, subscription_at=began, created_at=began)
        )
        due = update(agenda).where(agenda.c.kind == Kind.BILL_PERIOD).values(due_at=first, run_at=first)
        await tx.execute(due)
    return first


class TestOneSubscription:
    """31.00 in advance; what is asked for four times happens once, whoever else is at work."""

    @pytest.fixture
    async def begun(self, client, organization, database):
        await kit.tax(client, "20")
        plan = await kit.plan(client, amount_cents=3_100, pay_in_advance=True)
        better = await kit.plan(client, amount_cents=6_200, pay_in_advance=True)
        who = await kit.customer(client, currency="EUR")
        # By its anniversary: on the last day of a month nothing of a calendar month would be left to give back.
        subscription = await kit.subscribe(client, who, plan, billing_time="anniversary")
        await jobs.run_due_work(database, organization.id, None)
        return SimpleNamespace(client=client, who=who, better=better, id=subscription["external_id"])

    async def work(self, database, organization):
        await asyncio.gather(*(jobs.run_due_work(database, organization.id, None) for _ in range(3)))

    async def test_ends_once(self, begun, organization, database):
        assert await at_once(begun.client, "DELETE", f"/subscriptions/{begun.id}") == [200, 404, 404, 404]
        await self.work(database, organization)
        await self.held(begun, organization, database, reason="subscription_terminating")

    async def test_changes_its_plan_once(self, begun, organization, database):
        body = {"external_customer_id": begun.who["external_id"], "external_id": begun.id}
        asked = {"subscription": {**body, "plan_code": begun.better["code"]}}
        assert await at_once(begun.client, "POST", "/subscriptions", asked) == [200] * 4
        await self.work(database, organization)
        await self.held(begun, organization, database, reason="subscription_starting")
        listed = await begun.client.get("/subscriptions?status[]=active&status[]=terminated")
        assert sorted(one["status"] for one in listed.json()["subscriptions"]) == ["active", "terminated"]

    async def held(self, begun, organization, database, *, reason):
        """One invoice for the start, one for what happened, and one note."""
        found = await kit.invoices(begun.client, begun.who)
        issued = sorted(
            found, key=lambda one: one["sequential_id"]
        )  # made in one second, they are told apart by that
        assert [one["sequential_id"] for one in issued] == [1, 2]
        assert reason in {period["invoicing_reason"] for period in issued[1]["billing_periods"]}
        notes = (await kit.get(begun.client, "/credit_notes"))["credit_notes"]
        assert [one["reason"] for one in notes] == ["order_cancellation"]
        await kit.assert_audit_clean(database, organization.id)


class TestBillingRuns:
    async def test_workers_over_one_due_set_bill_each_period_once(self, client, organization, database):
        """Eight customers with two subscriptions each of 10.00 and one coupon of 15.00: 5.00 and 20 % tax are due."""
        (entity,) = (await kit.get(client, "/billing_entities"))["billing_entities"]
        scheme = {"billing_entity": {"document_numbering": "per_billing_entity"}}
        await kit.call(client, "PUT", f"/billing_entities/{entity['code']}", scheme)
        await kit.tax(client, "20")
        plan, made = await kit.plan(client, amount_cents=1_000), await coupon(client, 1_500)
        owners = [await kit.customer(client, currency="EUR") for _ in range(8)]
        for owner in owners:
            await kit.subscribe(client, owner, plan)
            await kit.subscribe(client, owner, plan, consolidate_invoice=False)
            await give(client, owner, made)
        await backdate(database, organization)
        await asyncio.gather(*(jobs.run_due_work(database, organization.id, None) for _ in range(4)))
        totals: Counter[tuple[int, ...]] = Counter()
        numbers: list[int] = []
        for owner in owners:
            issued = await kit.invoices(client, owner)
            totals[tuple(sorted(one["total_amount_cents"] for one in issued))] += 1
            numbers += [int(one["number"].rsplit("-", 1)[1]) for one in issued]
        assert totals == {(0, 600): 8}
        assert sorted(numbers) == list(range(1, 17))
        async with database.tenant(organization.id) as tx:
            found = select(billing_records.c.subscription_id).where(billing_records.c.is_recurring)
            billed = Counter((await tx.execute(found)).scalars())
        assert Counter(billed.values()) == {1: 16}
        await kit.assert_audit_clean(database, organization.id)

    async def test_a_coupon_given_meanwhile_is_used_once_and_no_further(self, client, organization, database):
        """31.00 for the period, and ten events in advance of 2.00 each: 51.00, of which the coupon takes 40.00 or less."""
        sold = await kit.metric(client)
        price = {**kit.charge(sold, amount="2"), "pay_in_advance": True}
        plan, who = (
            await kit.plan(client, price, amount_cents=3_100),
            await kit.customer(client, currency="EUR"),
        )
        subscription, made = await kit.subscribe(client, who, plan), await coupon(client, 4_000)
        await backdate(database, organization)
        await asyncio.gather(
            give(client, who, made),
            *(kit.send(client, subscription, sold, 1) for _ in range(10)),
            *(jobs.run_due_work(database, organization.id, None) for _ in range(3)),
        )
        await asyncio.gather(*(jobs.run_due_work(database, organization.id, None) for _ in range(3)))
        issued = await kit.invoices(client, who)
        assert sum(one["fees_amount_cents"] for one in issued) == 5_100
        used = sum(one["coupons_amount_cents"] for one in issued)
        (applied,) = (await kit.get(client, "/applied_coupons"))["applied_coupons"]
        assert used <= 4_000
        assert (applied["status"] == "terminated") == (used == 4_000)
        await kit.assert_audit_clean(database, organization.id)


class TestEvents:
    async def test_sent_during_a_billing_run_are_usage_of_the_new_period(
        self, client, organization, database
    ):
        """Five units before and forty of now meanwhile: the bill of last month has none, current usage all of them."""
        metric = await kit.metric(client)
        who, plan = await kit.customer(client), await kit.plan(client, kit.charge(metric))
        subscription = await kit.subscribe(client, who, plan)
        first = await backdate(database, organization)
        last_month = int((first - timedelta(days=2)).timestamp())
        await kit.send(client, subscription, metric, 5, timestamp=last_month)
        await asyncio.gather(
            *(jobs.run_due_work(database, organization.id, None) for _ in range(3)),
            *(kit.send(client, subscription, metric, 1, 1) for _ in range(20)),
        )
        (issued,) = await kit.invoices(client, who)
        assert [fee["units"] for fee in issued["fees"] if fee["units"] != "1.0"] == ["5.0"]
        (charged,) = (await kit.usage(client, who, subscription))["charges_usage"]
        assert charged["units"] == "40.0"
        await kit.assert_audit_clean(database, organization.id)

    async def test_that_came_while_a_finalization_waited_are_billed_and_not_told_to_be_late(
        self, client, organization, database
    ):
        metric = await kit.metric(client)
        who = await kit.customer(client, billing_configuration={"invoice_grace_period": 60})
        subscription = await kit.subscribe(client, who, await kit.plan(client, kit.charge(metric)))
        last_month = int((await backdate(database, organization) - timedelta(days=2)).timestamp())
        await jobs.run_due_work(database, organization.id, None)
        (draft,) = await kit.invoices(client, who)
        path = f"/invoices/{draft['lago_id']}"
        async with database.tenant(organization.id) as tx:
            await tx.lock("customer", UUID(who["lago_id"]))
            finalizing = asyncio.create_task(kit.call(client, "PUT", f"{path}/finalize"))
            await somebody_waits(database)
            await kit.send(client, subscription, metric, 7, timestamp=last_month)
        await finalizing
        await kit.send(client, subscription, metric, 5, timestamp=last_month)
        await follow.note_received(database, now=datetime.now(UTC) + timedelta(minutes=1))
        issued = (await kit.get(client, path))["invoice"]
        assert [fee["units"] for fee in issued["fees"] if fee["item"]["type"] == "charge"] == ["7.0"]
        late = (await kit.get(client, "/events", unmatched="true"))["events"]
        assert [event["properties"]["value"] for event in late] == [5]

    @pytest.mark.parametrize("is_billed_first", [False, True])
    async def test_of_a_backfill_that_is_closed_while_its_period_is_billed(
        self, client, organization, database, is_billed_first
    ):
        """Whichever comes first: the invoice has what it brings, or it is refused."""
        metric = await kit.metric(client)
        who = await kit.customer(client, currency="EUR")
        subscription = await kit.subscribe(client, who, await kit.plan(client, kit.charge(metric)))
        first = await backdate(database, organization)
        last_month = first - timedelta(days=3)
        body = {
            "external_subscription_id": subscription["external_id"],
            "code": metric["code"],
            "from": last_month.isoformat(),
            "to": first.isoformat(),
            "reason": "the meter was off",
        }
        made = (await kit.post(client, "/event_backfills", {"event_backfill": body}))["event_backfill"]
        event = {"transaction_id": "new", "timestamp": last_month.timestamp(), "properties": {"value": 9}}
        path = f"/event_backfills/{made['lago_id']}"
        await kit.post(client, f"{path}/events", {"events": [event]})
        closing = asyncio.create_task(client.post(f"{path}/close"))
        if is_billed_first:
            await asyncio.sleep(0)
        billing = asyncio.create_task(jobs.run_due_work(database, organization.id, UUID(who["lago_id"])))
        if is_billed_first:
            await billing
        answer = await closing
        await billing
        (issued,) = await kit.invoices(client, who)
        assert (answer.status_code, issued["fees_amount_cents"]) in ((200, 900), (405, 0))
        await kit.assert_audit_clean(database, organization.id)

    async def test_late_ones_judged_while_their_period_is_finalized_are_billed_once(
        self, client, organization, database
    ):
        """Seven units of last month, too old for its draft: whatever is first, they are of this month, and of it alone."""
        metering = {"late_event_window_days": 1, "late_event_policy": "open_period"}
        await kit.call(client, "PUT", "/organizations", {"organization": {"metering": metering}})
        metric = await kit.metric(client)
        who = await kit.customer(client, billing_configuration={"invoice_grace_period": 60})
        subscription = await kit.subscribe(client, who, await kit.plan(client, kit.charge(metric)))
        last_month = int((await backdate(database, organization) - timedelta(days=2)).timestamp())
        await jobs.run_due_work(database, organization.id, None)
        (draft,) = await kit.invoices(client, who)
        path = f"/invoices/{draft['lago_id']}"
        await kit.send(client, subscription, metric, 7, timestamp=last_month)
        await asyncio.gather(
            kit.call(client, "PUT", f"{path}/finalize"),
            *(judge_all_late_events(database, clock=lambda: datetime.now(UTC)) for _ in range(3)),
        )
        issued = (await kit.get(client, path))["invoice"]
        (charged,) = (await kit.usage(client, who, subscription))["charges_usage"]
        assert (issued["fees_amount_cents"], charged["units"]) == (0, "7.0")
        await kit.assert_audit_clean(database, organization.id)


async def somebody_waits(database):
    """Return once a transaction waits for a lock that another holds."""
    asked = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    async with database.system() as connection:
        for _ in range(1_000):
            if (await connection.execute(asked)).scalar_one():
                return
            await asyncio.sleep(0.01)
    raise AssertionError("nobody waits")


class TestEverything:
    """Whatever is asked for at once of two customers, nobody fails, and the books are right."""

    @pytest.mark.parametrize("seed", range(2))
    async def test_at_once(self, client, organization, database, seed):
        chance = random.Random(seed)
        await kit.tax(client, "20")
        sold, goods = await kit.metric(client), await add_on(client)
        price = {**kit.charge(sold, amount="0.335"), "pay_in_advance": True}
        plan = await kit.plan(client, price, amount_cents=3_100, pay_in_advance=True)
        owners, wallets, bought, living = [], [], [], []
        for _ in range(2):
            owner = await kit.customer(client, currency="EUR")
            owners.append(owner)
            living.append(await kit.subscribe(client, owner, plan))
            wallets.append(await wallet(client, owner, granted_credits="7"))
            bought += [
                (await kit.post(client, "/invoices", one_off(owner, goods)))["invoice"] for _ in range(4)
            ]
        coupons = [await coupon(client, 777) for _ in range(4)]

        def something():
            owner, invoice = chance.randrange(2), chance.choice(bought)
            fee = {"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": chance.randint(1, 1_000)}
            top_up = {"wallet_id": wallets[owner]["lago_id"], "granted_credits": "1", "paid_credits": "2"}
            voided = {"wallet_id": wallets[owner]["lago_id"], "voided_credits": "1.5"}
            paid = {
                "invoice_id": invoice["lago_id"],
                "reference": "r",
                "amount_cents": chance.randint(1, 1_200),
            }
            given = {
                "external_customer_id": owners[owner]["external_id"],
                "coupon_code": chance.choice(coupons)["code"],
            }
            whole = round(fee["amount_cents"] * 1.2)
            noted = {"invoice_id": invoice["lago_id"], "items": [fee], "credit_amount_cents": whole}
            offset = {"invoice_id": invoice["lago_id"], "items": [fee], "offset_amount_cents": whole}
            event = {
                "transaction_id": f"storm_{next(_names)}", "code": sold["code"], "properties": {"value": "1.5"},
                "external_subscription_id": living[owner]["external_id"],
            }  # fmt: skip
            return chance.choice([
                ("/wallet_transactions", {"wallet_transaction": top_up}),
                ("/wallet_transactions", {"wallet_transaction": voided}),
                ("/payments", {"payment": paid}),
                ("/credit_notes", {"credit_note": noted}),
                ("/credit_notes", {"credit_note": offset}),
                ("/applied_coupons", {"applied_coupon": given}),
                ("/invoices", one_off(owners[owner], goods)),
                (f"/invoices/{invoice['lago_id']}/void", {}),
                ("/events", {"event": event}),
                ("/events", {"event": event}),
                ("/events", {"event": event}),
            ])  # fmt: skip

        asked = [something() for _ in range(80)]
        answers = await asyncio.gather(
            *(client.post(path, json=body) for path, body in asked),
            *(jobs.run_due_work(database, organization.id, None) for _ in range(4)),
        )
        failed = [answer.text for answer in answers if answer is not None and answer.status_code >= 500]
        assert failed == []
        await jobs.run_due_work(database, organization.id, None)
        async with database.tenant(organization.id) as tx:
            tried = (
                (await tx.execute(select(agenda.c.last_error).where(agenda.c.attempts > 0))).scalars().all()
            )
        assert tried == []
        await kit.assert_audit_clean(database, organization.id)
