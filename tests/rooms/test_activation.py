"""Subscriptions that are active once their first invoice is paid (subscriptions §2.10).

The plan costs 31.00 a month in advance, and there is a tax of 20 %. On 11 January 21 days of it are left: 21.00, with tax 25.20.
"""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from tests import kit
from tests.collecting import (
    AWAY,
    PENDING,
    REFUSED,
    RULES,
    SUCCEEDED,
    Provider,
    Seller,
    collection_of,
    give_method,
    linked,
    open_application,
)

from tallymark.db.tables import agenda, invoice_credits, journal_entries, subscriptions
from tallymark.jobs import agenda as agenda_jobs
from tallymark.jobs.agenda import Batch, Kind
from tallymark.rooms.billing import jobs
from tallymark.rooms.billing.service import gate


@pytest.fixture(scope="module")
def provider():
    return Provider()


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory, provider):
    async with open_application(database_url, tmp_path_factory.mktemp("data"), provider) as parts:
        yield parts


@pytest.fixture
async def seller(make_organization, database, provider):
    provider.reset()
    organization = await make_organization("2026-01-11T12:00:00Z")
    await kit.tax(organization.client, "20")
    return Seller(organization, database, provider)


@pytest.fixture
async def plan(seller):
    return await kit.plan(seller.client, amount_cents=3100, pay_in_advance=True)


async def refused(seller, who, plan, **more):
    body = {"external_customer_id": who["external_id"], "plan_code": plan["code"], "external_id": "s", **more}
    body.setdefault("activation_rules", RULES)
    answer = await kit.post(seller.client, "/subscriptions", {"subscription": body}, expect=422)
    return answer["error_details"]


class TestRules:
    """What rules look like, and what keeps them from being set."""

    async def test_what_a_customer_lacks(self, seller, plan):
        nobody = await kit.customer(seller.client)
        bare = await kit.customer(seller.client, billing_configuration={"payment_provider": "stripe"})
        who, partner = await seller.linked(), await seller.linked(account_type="partner")
        other = await give_method(seller.database, seller.id, bare, "pm_2")
        await kit.call(seller.client, "DELETE", f"/customers/{bare['external_id']}/payment_methods/{other}")
        manual, provider = {"payment_method_type": "manual"}, {"payment_method_type": "provider"}
        for customer, method, code in (
            (nobody, None, "no_linked_payment_provider"),
            (partner, None, "no_linked_payment_provider"),
            (bare, None, "no_default_payment_method"),
            (bare, provider, "payment_method_not_found"),
            (who, manual, "manual_payment_method_invalid_for_payment_activation_rules"),
        ):
            chosen = {} if method is None else {"payment_method": method}
            assert await refused(seller, customer, plan, **chosen) == {"customer": [code]}
        unknown = await refused(seller, who, plan, payment_method={**provider, "payment_method_id": other})
        assert unknown == {
            "payment_method": ["invalid_payment_method"],
            "customer": ["payment_method_not_found"],
        }
        assert await seller.stored(subscriptions, "id") == []

    async def test_are_shown_wherever_the_subscription_is(self, seller, plan):
        who = await seller.linked()
        made = await kit.subscribe(
            seller.client, who, plan, subscription_at="2026-02-11", activation_rules=[{"type": "payment"}]
        )
        (rule,) = made["activation_rules"]
        assert {name: rule[name] for name in ("type", "timeout_hours", "status", "expires_at")} == {
            "type": "payment", "timeout_hours": 0, "status": "inactive", "expires_at": None,
        }  # fmt: skip
        assert (await seller.again(made))["activation_rules"] == [rule]

    async def test_setting_them_replaces_all(self, seller, plan):
        who = await seller.linked()
        made = await kit.subscribe(
            seller.client, who, plan, subscription_at="2026-02-11", activation_rules=RULES
        )
        path = f"/subscriptions/{made['external_id']}"

        async def put(**changes):
            changed = await kit.call(seller.client, "PUT", path, {"subscription": changes})
            return [rule["timeout_hours"] for rule in changed["subscription"]["activation_rules"]]

        assert await put(activation_rules=[{"type": "payment", "timeout_hours": 5}]) == [5]
        assert await put(activation_rules=[{"type": "payment", "timeout_hours": "7.9"}]) == [7]
        assert await put(name="N") == [7]
        assert await put(activation_rules=[]) == []

    async def test_a_method_of_its_own_is_kept_and_asked(self, seller, plan):
        who = await seller.linked()
        own = (await kit.get(seller.client, f"/customers/{who['external_id']}/payment_methods"))[
            "payment_methods"
        ][0]
        await give_method(seller.database, seller.id, who, "pm_2")  # the new one is the default
        method = {"payment_method_type": "provider", "payment_method_id": own["lago_id"]}
        made = await seller.gate(who, plan, payment_method=method)
        assert (made["payment_method"], own["is_default"]) == (method, True)
        assert [order.provider_method_id for order in seller.provider.orders] == ["pm_1"]

    async def test_do_not_apply_where_nothing_is_paid_at_the_start(self, seller):
        arrears = await kit.plan(seller.client, amount_cents=3100)
        trial = await kit.plan(seller.client, amount_cents=3100, pay_in_advance=True, trial_period=5)
        for of in (arrears, trial):
            made = await seller.gate(await seller.linked(), of)
            assert (made["status"], made["activation_rules"][0]["status"]) == ("active", "not_applicable")
        assert seller.provider.orders == []

    async def test_do_not_apply_to_the_past(self, seller, plan):
        made = await seller.gate(await seller.linked(), plan, subscription_at="2026-01-05")
        assert (made["status"], made["activation_rules"][0]["status"]) == ("active", "not_applicable")
        assert (seller.provider.orders, await seller.invoices()) == ([], [])


class TestPaid:
    """A payment that comes in, at once or later."""

    async def test_at_once(self, seller, plan):
        who = await seller.linked()
        await seller.told()
        made = await kit.subscribe(seller.client, who, plan, activation_rules=RULES)
        seen = await seller.again(made)
        assert (seen["status"], seen["started_at"], seen["activated_at"]) == (
            "active", "2026-01-11T12:00:00.000Z", "2026-01-11T12:00:00Z",
        )  # fmt: skip
        assert seen["activation_rules"][0]["status"] == "satisfied"
        (invoice,) = await kit.invoices(seller.client, who)
        assert [invoice[name] for name in ("status", "payment_status", "total_amount_cents", "total_paid_amount_cents")] == [
            "finalized", "succeeded", 2520, 2520,
        ]  # fmt: skip
        assert invoice["number"].endswith("-001-001")
        (payment,) = (await kit.get(seller.client, "/payments"))["payments"]
        assert {name: payment[name] for name in ("type", "payment_status", "status", "payment_provider_type", "amount_cents")} == {
            "type": "provider", "payment_status": "succeeded", "status": "paid", "payment_provider_type": "stripe", "amount_cents": 2520,
        }  # fmt: skip
        assert payment["provider_payment_id"] == f"pi_{payment['lago_id']}"
        assert len((await kit.get(seller.client, "/payment_receipts"))["payment_receipts"]) == 1
        assert await seller.told("subscription", "invoice", "payment") == [
            "subscription.incomplete", "invoice.created", "invoice.payment_status_updated", "payment.succeeded",
            "subscription.started",
        ]  # fmt: skip

    async def test_what_the_provider_is_asked(self, seller, plan):
        who = await seller.linked()
        await seller.gate(who, plan)
        (order,) = seller.provider.orders
        (invoice,) = await kit.invoices(seller.client, who)
        assert order.idempotency_key == f"payment-{order.payment_id}"
        assert (order.amount_cents, order.currency, order.provider_customer_id) == (2520, "EUR", "cus_1")
        assert order.reference.startswith("Acme - Invoice ")
        assert order.metadata["lago_invoice_id"] == invoice["lago_id"]
        assert order.metadata["lago_customer_id"] == who["lago_id"]

    async def test_later(self, seller, plan):
        """Until then nobody sees the invoice, nothing is posted, and it has no number."""
        seller.provider.answer = PENDING
        who = await seller.linked()
        waiting = await seller.gate(who, plan)
        assert (waiting["status"], waiting["activated_at"], waiting["started_at"]) == (
            "incomplete", None, "2026-01-11T12:00:00.000Z",
        )  # fmt: skip
        (rule,) = waiting["activation_rules"]
        assert (rule["status"], rule["expires_at"]) == ("pending", "2026-01-13T12:00:00Z")
        assert await seller.invoices() == [("open", 2520, "DRAFT")]
        assert await seller.payments() == [("processing", 2520, "on its way")]
        assert await kit.invoices(seller.client, who) == []
        for path in ("/fees", "/payments", "/journal_entries"):
            assert (await kit.get(seller.client, path))["meta"]["total_count"] == 0
        order = seller.provider.orders[0]
        hidden = order.metadata["lago_invoice_id"]
        await kit.get(seller.client, f"/invoices/{hidden}", expect=404)
        by_hand = {"invoice_id": hidden, "amount_cents": 2520, "reference": "wire"}
        await kit.post(seller.client, "/payments", {"payment": by_hand}, expect=404)
        await kit.assert_audit_clean(seller.database, seller.id)
        await seller.advance("2026-01-12T08:00")
        await seller.hear(SUCCEEDED)
        await seller.hear(SUCCEEDED)
        active = await seller.again(waiting)
        assert (active["status"], active["activated_at"], active["started_at"]) == (
            "active", "2026-01-12T08:00:00Z", "2026-01-11T12:00:00.000Z",
        )  # fmt: skip
        (invoice,) = await kit.invoices(seller.client, who)
        assert (invoice["issuing_date"], invoice["payment_status"]) == ("2026-01-11", "succeeded")
        assert len(await seller.stored(journal_entries, "id")) == 2  # issued, and paid

    async def test_with_a_grace_period_it_is_no_draft_and_is_dated_like_one(self, seller, plan):
        who = await seller.linked(billing_configuration={"invoice_grace_period": 3})
        await seller.gate(who, plan)
        (invoice,) = await kit.invoices(seller.client, who)
        assert (invoice["status"], invoice["issuing_date"]) == ("finalized", "2026-01-14")

    async def test_a_renewal_follows(self, seller, plan):
        who = await seller.linked()
        await seller.gate(who, plan)
        await seller.advance("2026-02-01T01:00")
        first, second = await kit.invoices(seller.client, who)
        assert (first["fees_amount_cents"], second["fees_amount_cents"]) == (2100, 3100)

    async def test_in_a_later_period_one_periodic_invoice_is_added(self, seller):
        """Started on 11 January, paid on 5 March: March in advance and February's usage; nothing of February's price."""
        metric = await kit.metric(seller.client)
        plan = await kit.plan(
            seller.client, kit.charge(metric, amount="1"), amount_cents=3100, pay_in_advance=True
        )
        who = await seller.linked()
        seller.provider.answer = PENDING
        waiting = await seller.gate(who, plan, activation_rules=[{"type": "payment", "timeout_hours": 0}])
        assert waiting["activation_rules"][0]["expires_at"] is None
        for day, units in (("2026-01-20", 5), ("2026-02-10", 7)):
            await seller.advance(day)
            await kit.send(seller.client, waiting, metric, units, timestamp=kit.epoch(day))
        await seller.advance("2026-03-05T10:00")
        await seller.hear(SUCCEEDED)
        first, second = await kit.invoices(seller.client, who)
        assert [fee["amount_cents"] for fee in first["fees"]] == [2100]
        assert sorted((fee["item"]["type"], fee["amount_cents"]) for fee in second["fees"]) == [
            ("charge", 700), ("subscription", 3100),
        ]  # fmt: skip
        assert second["issuing_date"] == "2026-03-01"
        await seller.advance("2026-04-01T01:00")
        assert [
            fee["amount_cents"]
            for fee in (await kit.invoices(seller.client, who))[-1]["fees"]
            if fee["amount_cents"]
        ] == [3100]

    async def test_one_month_later_usage_of_the_first_is_billed(self, seller):
        metric = await kit.metric(seller.client)
        plan = await kit.plan(
            seller.client, kit.charge(metric, amount="1"), amount_cents=3100, pay_in_advance=True
        )
        who = await seller.linked()
        seller.provider.answer = PENDING
        waiting = await seller.gate(who, plan, activation_rules=[{"type": "payment", "timeout_hours": 0}])
        await seller.advance("2026-01-20")
        await kit.send(seller.client, waiting, metric, 5, timestamp=kit.epoch("2026-01-20"))
        await seller.advance("2026-02-03T10:00")
        await seller.hear(SUCCEEDED)
        _, second = await kit.invoices(seller.client, who)
        assert sorted(fee["amount_cents"] for fee in second["fees"]) == [500, 3100]

    async def test_nothing_to_pay_is_paid(self, seller, plan):
        """A coupon of 100.00 leaves nothing: nobody is asked."""
        who = await seller.linked()
        await coupon(seller, who, amount_cents=10_000)
        made = await seller.gate(who, plan)
        assert (made["status"], made["activation_rules"][0]["status"]) == ("active", "satisfied")
        assert await seller.invoices() == [("finalized", 0, "001")]
        assert seller.provider.orders == []

    async def test_fixed_charges_in_advance_are_paid_first_too(self, seller):
        """Five seats at 2.00 a month, of a plan in arrears: 10.00, with tax 12.00."""
        body = {"name": "S", "code": "seat", "amount_cents": 200, "amount_currency": "EUR"}
        add_on = (await kit.post(seller.client, "/add_ons", {"add_on": body}))["add_on"]
        seats = {
            "add_on_id": add_on["lago_id"], "charge_model": "standard", "units": 5, "pay_in_advance": True,
            "properties": {"amount": "2"},
        }  # fmt: skip
        plan = await kit.plan(seller.client, amount_cents=3100, fixed_charges=[seats])
        who = await seller.linked()
        seller.provider.answer = PENDING
        waiting = await seller.gate(who, plan)
        assert (waiting["status"], await seller.invoices()) == ("incomplete", [("open", 1200, "DRAFT")])
        await seller.advance("2026-01-12")
        await seller.hear(SUCCEEDED)
        assert await seller.invoices() == [("finalized", 1200, "001")]

    async def test_units_that_change_meanwhile_are_billed_once_it_runs(self, seller):
        """Five seats at 2.00 are paid first, 12.00 with tax; three more of the plan's count at once: 6.00, with tax 7.20."""
        body = {"name": "S", "code": "seat", "amount_cents": 200, "amount_currency": "EUR"}
        add_on = (await kit.post(seller.client, "/add_ons", {"add_on": body}))["add_on"]
        seats = {
            "add_on_id": add_on["lago_id"], "charge_model": "standard", "units": 5, "pay_in_advance": True,
            "properties": {"amount": "2"},
        }  # fmt: skip
        plan = await kit.plan(seller.client, amount_cents=3100, fixed_charges=[seats])
        seller.provider.answer = PENDING
        waiting = await seller.gate(await seller.linked(), plan)
        more = {"id": plan["fixed_charges"][0]["lago_id"], "units": 8, "apply_units_immediately": True}
        changed = {"plan": {"fixed_charges": [more]}}
        await kit.call(seller.client, "PUT", f"/plans/{plan['code']}", changed)
        await seller.advance("2026-01-12")
        assert await seller.invoices() == [("open", 1200, "DRAFT")]
        await seller.hear(SUCCEEDED)
        assert (await seller.again(waiting))["status"] == "active"
        assert await seller.invoices() == [("finalized", 1200, "001"), ("finalized", 720, "002")]

    async def test_of_a_live_organization(self, make_organization, database, provider):
        """Each part is a job: the customer's bill, then the payment, which is its own owner."""
        provider.reset()
        organization = await make_organization()
        plan = await kit.plan(organization.client, amount_cents=3100, pay_in_advance=True, interval="weekly")
        who = await linked(organization.client, database, organization.id)
        made = await kit.subscribe(
            organization.client, who, plan, activation_rules=RULES, billing_time="anniversary"
        )
        collection = await collection_of(database, provider)
        for _ in range(2):
            async with database.system() as connection:
                due = await agenda_jobs.due_owners(connection, now=datetime.now(UTC))
            for one in due:
                if one.organization_id == organization.id:
                    await jobs.run_due_work(database, one.organization_id, one.owner_id, outside=collection)
        seen = await kit.get(organization.client, f"/subscriptions/{made['external_id']}")
        assert seen["subscription"]["status"] == "active"
        (invoice,) = await kit.invoices(organization.client, who)
        assert (invoice["payment_status"], invoice["total_amount_cents"]) == ("succeeded", 3100)
        assert len(provider.orders) == 1

    async def test_a_future_start_waits_on_its_day(self, seller, plan):
        """28 days of February are 31.00, with tax 37.20."""
        seller.provider.answer = PENDING
        made = await seller.gate(await seller.linked(), plan, subscription_at="2026-02-01")
        assert (made["status"], seller.provider.orders) == ("pending", [])
        await seller.advance("2026-02-01T02:00")
        waiting = await seller.again(made)
        assert (waiting["status"], waiting["started_at"]) == ("incomplete", "2026-02-01T00:00:00.000Z")
        assert waiting["activation_rules"][0]["expires_at"] == "2026-02-03T00:00:00Z"
        await seller.hear(SUCCEEDED)
        assert (await seller.again(made))["status"] == "active"
        assert await seller.invoices() == [("finalized", 3720, "001")]

    async def test_a_start_moved_to_today_waits_and_one_to_the_past_does_not(self, seller, plan):
        seller.provider.answer = PENDING
        for day, status, rules in (("2026-01-11", "incomplete", ["pending"]), ("2026-01-05", "active", [])):
            made = await seller.gate(await seller.linked(), plan, subscription_at="2026-02-01")
            moved = {"subscription": {"subscription_at": day}}
            await kit.call(seller.client, "PUT", f"/subscriptions/{made['external_id']}", moved)
            seen = await seller.again(made)
            assert (seen["status"], [one["status"] for one in seen["activation_rules"]]) == (status, rules)


async def coupon(seller, who, **terms):
    code = f"coupon_{who['external_id']}"
    body = {
        "name": code, "code": code, "coupon_type": "fixed_amount", "amount_currency": "EUR", "frequency": "once",
        "expiration": "no_expiration", **terms,
    }  # fmt: skip
    await kit.post(seller.client, "/coupons", {"coupon": body})
    applied = {"external_customer_id": who["external_id"], "coupon_code": code}
    return (await kit.post(seller.client, "/applied_coupons", {"applied_coupon": applied}))["applied_coupon"]


async def wallet(seller, who, **credits):
    body = {"external_customer_id": who["external_id"], "rate_amount": "1", "currency": "EUR", **credits}
    return (await kit.post(seller.client, "/wallets", {"wallet": body}))["wallet"]


async def credit_of(seller, who, cents):
    """A credit note of so much on a one-off invoice that was collected."""
    body = {"name": "A", "code": "a", "amount_cents": cents, "amount_currency": "EUR"}
    await kit.post(seller.client, "/add_ons", {"add_on": body})
    await kit.tax(seller.client, "0", code="none", applied_to_organization=False)
    fees = [{"add_on_code": "a", "tax_codes": ["none"]}]
    asked = {"external_customer_id": who["external_id"], "currency": "EUR", "fees": fees}
    invoice = (await kit.post(seller.client, "/invoices", {"invoice": asked}))["invoice"]
    note = {
        "invoice_id": invoice["lago_id"], "credit_amount_cents": cents,
        "items": [{"fee_id": invoice["fees"][0]["lago_id"], "amount_cents": cents}],
    }  # fmt: skip
    return (await kit.post(seller.client, "/credit_notes", {"credit_note": note}))["credit_note"]


class TestNotPaid:
    """A payment that is refused, or never decided."""

    async def test_refused(self, seller, plan):
        seller.provider.answer = REFUSED
        who = await seller.linked()
        await seller.told()
        gone = await seller.gate(who, plan)
        assert (gone["status"], gone["cancellation_reason"], gone["canceled_at"]) == (
            "canceled", "payment_failed", "2026-01-11T12:00:00Z",
        )  # fmt: skip
        assert gone["activation_rules"][0]["status"] == "failed"
        assert await seller.invoices() == [("closed", 2520, "DRAFT")]
        assert await seller.payments() == [("failed", 2520, "declined")]
        assert await seller.stored(journal_entries, "id") == []
        assert await seller.told("subscription", "invoice", "payment") == [
            "subscription.incomplete", "subscription.canceled", "invoice.payment_failure",
        ]  # fmt: skip
        again = await seller.gate(who, plan, external_id=gone["external_id"])
        assert again["status"] == "canceled"
        seller.provider.answer = SUCCEEDED
        assert (await seller.gate(who, plan, external_id=gone["external_id"]))["status"] == "active"
        assert (await seller.invoices())[-1] == ("finalized", 2520, "001")

    async def test_what_is_told_of_it(self, seller, plan):
        """The bodies show the subscription, and the provider's reason; the invoice is not shown to anybody."""
        seller.provider.answer = REFUSED
        who = await seller.linked()
        gone = await seller.gate(who, plan)
        bodies = await seller.bodies()
        told = bodies["subscription.canceled"]["subscription"]
        assert told["lago_id"] == gone["lago_id"]
        assert (told["status"], told["cancellation_reason"], told["activation_rules"][0]["status"]) == (
            "canceled", "payment_failed", "failed",
        )  # fmt: skip
        assert told["customer"]["external_id"] == who["external_id"]
        assert bodies["subscription.incomplete"]["subscription"]["lago_id"] == gone["lago_id"]
        failure = bodies["invoice.payment_failure"]["payment_provider_invoice_payment_error"]
        assert failure["provider_error"] == {"message": "No.", "error_code": "card_declined"}
        assert (failure["provider_customer_id"], failure["payment_provider"]) == ("cus_1", "stripe")

    @pytest.mark.parametrize("outcome", [SUCCEEDED, REFUSED, AWAY])
    async def test_what_it_takes_of_coupons_notes_and_wallets(self, seller, plan, outcome):
        """A coupon of 4.00 leaves 17.00, with tax 20.40; a note has 3.00 of that, a wallet 5.00 bought and 2.00 granted: 10.40 due."""
        who = await seller.linked()
        own = await wallet(seller, who, paid_credits="5", granted_credits="2")
        note = await credit_of(seller, who, 300)
        applied = await coupon(seller, who, amount_cents=400)
        seller.provider.answer = PENDING
        waiting = await seller.gate(who, plan)
        assert seller.provider.orders[-1].amount_cents == 1040

        async def left():
            one = (await kit.get(seller.client, f"/wallets/{own['lago_id']}"))["wallet"]
            held = (await kit.get(seller.client, f"/credit_notes/{note['lago_id']}"))["credit_note"]
            given = (await kit.get(seller.client, "/applied_coupons"))["applied_coupons"]
            active = [item["status"] for item in given if item["lago_id"] == applied["lago_id"]]
            return one["balance_cents"], one["consumed_credits"], held["balance_amount_cents"], active

        assert await left() == (0, "7.0", 0, ["terminated"])
        await kit.assert_audit_clean(seller.database, seller.id)
        if outcome is AWAY:
            await seller.advance("2026-01-13T12:01")
        else:
            await seller.hear(outcome)
        status = (await seller.again(waiting))["status"]
        if outcome is SUCCEEDED:
            assert (status, await left()) == ("active", (0, "7.0", 0, ["terminated"]))
            return
        assert (status, await left()) == ("canceled", (700, "0.0", 300, ["active"]))
        moved = (await kit.get(seller.client, f"/wallets/{own['lago_id']}/wallet_transactions"))[
            "wallet_transactions"
        ]
        assert sorted((one["transaction_status"], one["status"]) for one in moved) == [
            ("granted", "settled"), ("invoiced", "failed"), ("purchased", "settled"),
        ]  # fmt: skip
        # All of it is there for the next one; two days later that is of 19 days: 15.00, with tax 18.00, and 8.00 due.
        seller.provider.answer = SUCCEEDED
        await seller.gate(who, plan)
        assert seller.provider.orders[-1].amount_cents == (800 if outcome is AWAY else 1040)

    async def test_a_note_that_is_voided_while_it_is_held(self, seller, plan):
        """A note of 30.00 pays an invoice of 12.60, and 17.40 of one of 25.20 that is not paid yet. The first one is voided
        and the 12.60 come back; the note is voided, and so is what the second one gives back.
        """
        who = await seller.linked()
        note = await credit_of(seller, who, 3000)
        path = f"/credit_notes/{note['lago_id']}"
        small = await kit.plan(seller.client, amount_cents=1550, pay_in_advance=True)
        assert (await seller.gate(who, small))["status"] == "active"
        seller.provider.answer = PENDING
        await seller.gate(who, plan)
        assert seller.provider.orders[-1].amount_cents == 780
        await kit.call(seller.client, "PUT", f"{path}/void", expect=405)
        (paid,) = [one for one in await kit.invoices(seller.client, who) if one["fees_amount_cents"] == 1050]
        await kit.post(seller.client, f"/invoices/{paid['lago_id']}/void", {})
        await kit.call(seller.client, "PUT", f"{path}/void")
        await kit.assert_audit_clean(seller.database, seller.id)
        await seller.hear(REFUSED)
        seen = (await kit.get(seller.client, path))["credit_note"]
        assert (seen["credit_status"], seen["balance_amount_cents"]) == ("voided", 0)

    async def test_the_waiting_ends(self, seller, plan):
        seller.provider.answer = PENDING
        waiting = await seller.gate(await seller.linked(), plan)
        await seller.advance("2026-01-13T11:59")
        assert (await seller.again(waiting))["status"] == "incomplete"
        await seller.told()
        await seller.advance("2026-01-13T15:00")
        gone = await seller.again(waiting)
        assert (gone["status"], gone["cancellation_reason"], gone["canceled_at"]) == (
            "canceled", "timeout", "2026-01-13T12:00:00Z",
        )  # fmt: skip
        assert gone["activation_rules"][0]["status"] == "expired"
        assert await seller.invoices() == [("closed", 2520, "DRAFT")]
        assert await seller.payments() == [("failed", 2520, "canceled")]
        assert seller.provider.canceled == [seller.provider.orders[0].idempotency_key]
        assert await seller.told("subscription", "invoice") == ["subscription.canceled"]

    async def test_money_that_comes_too_late_goes_back(self, seller, plan):
        seller.provider.answer = PENDING
        waiting = await seller.gate(await seller.linked(), plan)
        await seller.advance("2026-01-13T12:01")
        await seller.hear(SUCCEEDED)
        assert (await seller.again(waiting))["status"] == "canceled"
        assert (await seller.payments(), await seller.invoices()) == (
            [("failed", 2520, "canceled")], [("closed", 2520, "DRAFT")],
        )  # fmt: skip
        assert seller.provider.canceled == [seller.provider.orders[0].idempotency_key] * 2

    async def test_a_refusal_after_the_end_changes_nothing(self, seller, plan):
        seller.provider.answer = PENDING
        await seller.gate(await seller.linked(), plan)
        await seller.advance("2026-01-13T12:01")
        await seller.hear(REFUSED)
        assert (await seller.payments(), len(seller.provider.canceled)) == ([("failed", 2520, "canceled")], 1)

    async def test_a_refusal_after_success_changes_nothing(self, seller, plan):
        made = await seller.gate(await seller.linked(), plan)
        await seller.hear(REFUSED)
        assert (await seller.again(made))["status"] == "active"
        assert await seller.payments() == [("succeeded", 2520, "paid")]

    async def test_a_customer_whose_methods_are_gone_when_it_begins(self, seller, plan):
        who = await seller.linked()
        made = await seller.gate(who, plan, subscription_at="2026-02-01")
        methods = f"/customers/{who['external_id']}/payment_methods"
        (own,) = (await kit.get(seller.client, methods))["payment_methods"]
        await kit.call(seller.client, "DELETE", f"{methods}/{own['lago_id']}")
        await seller.advance("2026-02-01T02:00")
        assert (await seller.again(made))["cancellation_reason"] == "payment_failed"
        assert await seller.invoices() == [("closed", 3720, "DRAFT")]

    async def test_a_provider_that_is_away_is_asked_again(self, seller, plan):
        seller.provider.answer = AWAY
        waiting = await seller.gate(await seller.linked(), plan)
        assert (waiting["status"], len(seller.provider.orders)) == ("incomplete", 1)
        seller.provider.answer = SUCCEEDED
        await seller.advance("2026-01-11T12:01")
        assert (await seller.again(waiting))["status"] == "active"
        assert len({order.idempotency_key for order in seller.provider.orders}) == 1

    async def test_one_that_stays_away_ends_with_the_waiting(self, seller, plan):
        seller.provider.answer = AWAY
        waiting = await seller.gate(await seller.linked(), plan)
        await seller.advance("2026-01-13T12:01", fails=True)
        assert (await seller.again(waiting))["cancellation_reason"] == "timeout"
        assert len(seller.provider.orders) == 6


class TestUpgrades:
    """The plan before costs 31.00 in advance, the dearer one 62.00; the change is asked for on 11 January, of 31 days."""

    @pytest.fixture
    async def dear(self, seller):
        return await kit.plan(seller.client, amount_cents=6200, pay_in_advance=True)

    @pytest.fixture
    async def running(self, make_organization, database, provider):
        """A seller whose customer is on a plan at 31.00 since 1 January."""
        provider.reset()
        organization = await make_organization("2026-01-01T00:00:00Z")
        await kit.tax(organization.client, "20")
        seller = Seller(organization, database, provider)
        plan = await kit.plan(seller.client, amount_cents=3100, pay_in_advance=True)
        dear = await kit.plan(seller.client, amount_cents=6200, pay_in_advance=True)
        cheap = await kit.plan(seller.client, amount_cents=1000, pay_in_advance=True)
        who = await seller.linked()
        old = await kit.subscribe(seller.client, who, plan)
        await seller.advance("2026-01-11T12:00")
        seller.provider.answer = PENDING
        seller.who, seller.old, seller.dear, seller.cheap, seller.plan = who, old, dear, cheap, plan
        return seller

    async def change(self, seller, to):
        return await seller.gate(seller.who, to, external_id=seller.old["external_id"])

    async def test_the_old_one_goes_on_until_the_new_one_is_paid(self, running):
        """21 days of 62.00 are 42.00, with tax 50.40. Paid on the 13th, 19 days of 31.00 come back: 19.00, with tax 22.80."""
        new = await self.change(running, running.dear)
        assert (new["status"], new["previous_plan_code"]) == ("incomplete", running.plan["code"])
        assert (await running.again(running.old))["status"] == "active"
        assert running.provider.orders[-1].amount_cents == 5040
        await running.advance("2026-01-13T09:00")
        await running.told()
        await running.hear(SUCCEEDED)
        old, new = await running.again(running.old), await running.again(new)
        assert (old["status"], old["terminated_at"]) == ("terminated", "2026-01-13T09:00:00Z")
        assert (new["status"], new["started_at"]) == ("active", "2026-01-11T12:00:00.000Z")
        (note,) = (await kit.get(running.client, "/credit_notes"))["credit_notes"]
        assert (note["credit_amount_cents"], note["balance_amount_cents"]) == (2280, 2280)
        first, second, third = await kit.invoices(running.client, running.who)
        assert (first["total_amount_cents"], second["total_amount_cents"]) == (3720, 5040)
        # The old one is billed alone: nothing of it is in arrears.
        assert [one["lago_subscription_id"] for one in third["billing_periods"]] == [running.old["lago_id"]]
        assert third["fees_amount_cents"] == 0
        assert await running.told("subscription") == ["subscription.terminated", "subscription.started"]

    async def test_usage_until_then_is_the_old_ones(self, running):
        """3 units before the change at 1.00, 4 while it waits, 5 afterwards at 2.00: each is billed once."""
        metric = await kit.metric(running.client)
        plan = await kit.plan(running.client, kit.charge(metric, amount="1"), amount_cents=3100)
        dear = await kit.plan(
            running.client, kit.charge(metric, amount="2"), amount_cents=6200, pay_in_advance=True
        )
        who = await running.linked()
        running.provider.answer = SUCCEEDED
        old = await kit.subscribe(running.client, who, plan)
        running.provider.answer = PENDING
        await running.advance("2026-01-12T00:00")
        await kit.send(running.client, old, metric, 3, timestamp=kit.epoch("2026-01-12"))
        new = await running.gate(who, dear, external_id=old["external_id"])
        await running.advance("2026-01-12T20:00")
        await kit.send(running.client, old, metric, 4, timestamp=kit.epoch("2026-01-12T18:00"))
        used = await kit.usage(running.client, who, old)
        assert used["amount_cents"] == 700
        await running.advance("2026-01-13T09:00")
        await running.hear(SUCCEEDED)
        await running.advance("2026-01-15T00:00")
        await kit.send(running.client, new, metric, 5, timestamp=kit.epoch("2026-01-14"))
        assert (await kit.usage(running.client, who, new))["amount_cents"] == 1000
        await running.advance("2026-02-01T01:00")
        charges = [
            fee["amount_cents"]
            for invoice in await kit.invoices(running.client, who)
            for fee in invoice["fees"]
            if fee["item"]["type"] == "charge"
        ]
        assert charges == [700, 1000]
        unmatched = await kit.get(running.client, "/events", unmatched="true")
        assert unmatched["events"] == []

    async def test_refused_the_old_one_stays(self, running):
        new = await self.change(running, running.dear)
        await running.advance("2026-01-12T00:00")
        await running.hear(REFUSED)
        assert (await running.again(new))["status"] == "canceled"
        old = await running.again(running.old)
        assert (old["status"], old["next_plan_code"]) == ("active", None)
        await running.advance("2026-02-01T01:00")
        totals = [one["total_amount_cents"] for one in await kit.invoices(running.client, running.who)]
        assert totals == [3720, 3720]

    async def test_nothing_else_is_done_to_them_meanwhile(self, running):
        new = await self.change(running, running.dear)
        path = f"/subscriptions/{running.old['external_id']}"
        answer = await kit.call(running.client, "DELETE", path, expect=422)
        assert answer["error_details"] == {"base": ["next_subscription_incomplete"]}
        body = {
            "external_customer_id": running.who["external_id"], "plan_code": running.cheap["code"],
            "external_id": running.old["external_id"],
        }  # fmt: skip
        answer = await kit.post(running.client, "/subscriptions", {"subscription": body}, expect=422)
        assert answer["error_details"] == {"subscription": ["subscription_incomplete"]}
        changes = {"subscription": {"name": "N"}, "status": "incomplete"}
        assert (await kit.call(running.client, "PUT", path, changes, expect=405))[
            "code"
        ] == "subscription_incomplete"
        assert (await kit.call(running.client, "PUT", path, {"subscription": {"name": "N"}}))["subscription"][
            "status"
        ] == "active"
        assert (await running.again(new))["name"] is None

    async def test_an_end_of_the_old_one_by_its_date(self, running):
        """It ends on 12 January by its own date; paid afterwards, the new one begins with nothing to follow, and ends as well."""
        ends = {"subscription": {"ending_at": "2026-01-12"}}
        await kit.call(running.client, "PUT", f"/subscriptions/{running.old['external_id']}", ends)
        new = await self.change(running, running.dear)
        await running.advance("2026-01-12T10:00")
        assert (await running.again(running.old))["status"] == "terminated"
        await running.hear(SUCCEEDED)
        seen = await running.again(new)
        assert (seen["status"], seen["previous_plan_code"]) == ("terminated", None)

    async def test_a_queued_downgrade_waits_at_its_switch(self, running):
        """Paid at once, it is what it would have been: February at 10.00, with tax 12.00, and the old one's last invoice."""
        queued = await self.change(running, running.cheap)
        assert (queued["lago_id"], queued["next_plan_code"]) == (
            running.old["lago_id"],
            running.cheap["code"],
        )
        running.provider.answer = SUCCEEDED
        await running.advance("2026-02-01T02:00")
        listed = await kit.get(running.client, "/subscriptions", external_id=running.old["external_id"])
        (new,) = listed["subscriptions"]
        assert (new["plan_code"], new["started_at"]) == (running.cheap["code"], "2026-02-01T00:00:00.000Z")
        old = await running.again(running.old)
        assert (old["status"], old["terminated_at"]) == ("terminated", "2026-02-01T00:00:00Z")
        totals = [one["total_amount_cents"] for one in await kit.invoices(running.client, running.who)]
        assert sorted(totals) == [0, 1200, 3720]
        assert (await kit.get(running.client, "/credit_notes"))["credit_notes"] == []

    async def test_a_downgrade_that_is_not_paid(self, running):
        """The old one is billed for February, and goes on."""
        await self.change(running, running.cheap)
        await running.advance("2026-02-01T02:00")
        (waiting,) = (await kit.get(running.client, "/subscriptions", **{"status[]": "incomplete"}))[
            "subscriptions"
        ]
        assert (await running.again(running.old))["status"] == "active"
        await running.advance("2026-02-03T00:00")
        assert (await running.again(waiting))["status"] == "canceled"
        totals = [one["total_amount_cents"] for one in await kit.invoices(running.client, running.who)]
        assert totals == [3720, 3720]

    async def test_a_downgrade_that_is_paid_after_the_period_was_billed(self, running):
        """The old one is billed for February, 31.00; paid on the 2nd, 27 of 28 days come back: 29.89, with tax 35.87."""
        await self.change(running, running.cheap)
        await running.advance("2026-02-02T00:00")
        await running.hear(SUCCEEDED, cents=1200)
        old = await running.again(running.old)
        assert (old["status"], old["terminated_at"]) == ("terminated", "2026-02-02T00:00:00Z")
        (note,) = (await kit.get(running.client, "/credit_notes"))["credit_notes"]
        assert note["credit_amount_cents"] == 3587
        totals = sorted(one["total_amount_cents"] for one in await kit.invoices(running.client, running.who))
        assert totals == [0, 1200, 3720, 3720]


class TestWhileItWaits:
    """What can be done with one that is incomplete, and what becomes of it."""

    @pytest.fixture
    async def waiting(self, seller, plan):
        seller.provider.answer = PENDING
        seller.who = await seller.linked()
        return await seller.gate(seller.who, plan)

    async def test_is_found_by_its_status(self, seller, waiting):
        listed = await kit.get(seller.client, "/subscriptions", **{"status[]": "incomplete"})
        assert [one["lago_id"] for one in listed["subscriptions"]] == [waiting["lago_id"]]
        path = f"/subscriptions/{waiting['external_id']}"
        assert (await kit.get(seller.client, path, status="incomplete"))["subscription"][
            "status"
        ] == "incomplete"
        await kit.get(seller.client, path, expect=404)
        assert (await kit.get(seller.client, "/subscriptions"))["subscriptions"] == []

    async def test_is_neither_ended_nor_changed(self, seller, waiting):
        path = f"/subscriptions/{waiting['external_id']}"
        answer = await kit.call(seller.client, "DELETE", path, expect=422)
        assert answer["error_details"] == {"base": ["subscription_incomplete"]}
        answer = await kit.call(seller.client, "PUT", path, {"subscription": {"name": "N"}}, expect=405)
        assert answer["code"] == "subscription_incomplete"
        other = await kit.customer(seller.client)
        assert await refused(
            seller,
            other,
            {"code": waiting["plan_code"]},
            external_id=waiting["external_id"],
            activation_rules=[],
        ) == {"external_id": ["value_already_exist"]}

    async def test_its_prices_stay(self, seller):
        metric = await kit.metric(seller.client)
        body = {"name": "S", "code": "seat", "amount_cents": 200, "amount_currency": "EUR"}
        add_on = (await kit.post(seller.client, "/add_ons", {"add_on": body}))["add_on"]
        seats = {
            "add_on_id": add_on["lago_id"],
            "charge_model": "standard",
            "units": 5,
            "properties": {"amount": "2"},
        }
        plan = await kit.plan(
            seller.client, kit.charge(metric), amount_cents=3100, pay_in_advance=True, fixed_charges=[seats]
        )
        seller.provider.answer = PENDING
        waiting = await seller.gate(await seller.linked(), plan)
        path = f"/subscriptions/{waiting['external_id']}"
        for below, change in (
            (f"fixed_charges/{plan['fixed_charges'][0]['code']}", {"fixed_charge": {"units": 7}}),
            (f"charges/{plan['charges'][0]['code']}", {"charge": {"min_amount_cents": 7}}),
        ):
            url = f"{path}/{below}?subscription_status=incomplete"
            answer = await kit.call(seller.client, "PUT", url, change, expect=422)
            assert answer["error_details"] == {"base": ["subscription_incomplete"]}

    async def test_events_are_of_nobody_until_it_is_paid(self, seller):
        """3 units while it waits, in no usage; then they are its own."""
        metric = await kit.metric(seller.client)
        plan = await kit.plan(
            seller.client, kit.charge(metric, amount="1"), amount_cents=3100, pay_in_advance=True
        )
        who = await seller.linked()
        seller.provider.answer = PENDING
        waiting = await seller.gate(who, plan)
        await seller.advance("2026-01-12T00:00")
        await kit.send(seller.client, waiting, metric, 3, timestamp=kit.epoch("2026-01-11T20:00"))
        query = {"external_subscription_id": waiting["external_id"]}
        await kit.get(seller.client, f"/customers/{who['external_id']}/current_usage", expect=405, **query)
        (event,) = (await kit.get(seller.client, "/events", unmatched="true"))["events"]
        assert event["unmatched_reason"] == "outside_subscription"
        await seller.hear(SUCCEEDED)
        assert (await kit.usage(seller.client, who, waiting))["amount_cents"] == 300
        assert (await kit.get(seller.client, "/events", unmatched="true"))["events"] == []

    async def test_a_deleted_customers_is_left_to_expire(self, seller, waiting):
        await kit.call(seller.client, "DELETE", f"/customers/{seller.who['external_id']}")
        assert [one[0] for one in await seller.stored(subscriptions, "status")] == ["incomplete"]
        await seller.advance("2026-01-13T12:01")
        assert await seller.stored(subscriptions, "status", "cancellation_reason") == [
            ("canceled", "timeout")
        ]

    async def test_paid_after_its_customer_was_deleted_it_ends_and_gives_back(self, seller, waiting):
        """Paid on the day after: 19 of 21 days come back, 19.00 with tax 22.80."""
        await kit.call(seller.client, "DELETE", f"/customers/{seller.who['external_id']}")
        await seller.advance("2026-01-12T12:00")
        await seller.hear(SUCCEEDED)
        assert [one[0] for one in await seller.stored(subscriptions, "status")] == ["terminated"]
        (note,) = (await kit.get(seller.client, "/credit_notes"))["credit_notes"]
        assert note["credit_amount_cents"] == 2280

    async def test_goes_with_its_plan(self, seller, plan, waiting):
        await kit.call(seller.client, "DELETE", f"/plans/{plan['code']}")
        assert await seller.stored(subscriptions, "status", "cancellation_reason") == [("canceled", None)]
        assert await seller.invoices() == [("closed", 2520, "DRAFT")]
        assert len(seller.provider.canceled) == 1
        await kit.get(seller.client, f"/plans/{plan['code']}", expect=404)

    async def test_a_trial_is_not_used_up_by_one_that_was_called_off(self, seller):
        """A trial of 10 days counts from a start that came to something: canceled on 11 January, begun on the 20th, it ends on the 30th."""
        seats = await kit.plan(seller.client, amount_cents=3100, pay_in_advance=True)
        trial = await kit.plan(seller.client, amount_cents=3100, pay_in_advance=True, trial_period=10)
        who = await seller.linked()
        seller.provider.answer = REFUSED
        gone = await seller.gate(who, seats)
        await seller.advance("2026-01-20T00:00")
        await kit.subscribe(seller.client, who, trial, external_id=gone["external_id"])
        await seller.advance("2026-01-30T01:00")
        assert [one["fees_amount_cents"] for one in await kit.invoices(seller.client, who)] == [200]

    async def test_of_another_tenant_nothing_is_seen(self, seller, waiting, make_organization):
        other = await make_organization("2026-01-11T12:00:00Z")
        async with seller.database.tenant(other.id) as tx:
            for table in ("activation_rules", "payment_methods", "payments"):
                found = await tx.connection.exec_driver_sql(f"SELECT count(*) FROM {table}")
                assert found.scalar_one() == 0

    async def test_its_taxes_are_awaited_first(self, make_organization, database, provider):
        """While a VAT number is looked up the invoice is pending; then it waits for its payment: 21.00 without a tax."""
        provider.reset()
        organization = await make_organization("2026-01-11T12:00:00Z")
        seller = Seller(organization, database, provider)
        entity = {"country": "FR", "eu_tax_management": True}
        await kit.call(seller.client, "PUT", "/billing_entities/acme", {"billing_entity": entity})
        plan = await kit.plan(seller.client, amount_cents=3100, pay_in_advance=True)
        who = await seller.linked(country="DE", tax_identification_number="DE129273398")
        provider.answer = PENDING
        waiting = await seller.gate(who, plan)
        assert (waiting["status"], await seller.invoices()) == ("incomplete", [("pending", 2100, "DRAFT")])
        assert provider.orders == []
        away = {"external_id": who["external_id"], "country": "US", "tax_identification_number": None}
        await kit.post(seller.client, "/customers", {"customer": away})
        assert await seller.invoices() == [("open", 2100, "DRAFT")]
        await seller.hear(SUCCEEDED)
        assert (await seller.again(waiting))["status"] == "active"


class TestAtTheSameTime:
    """Whoever comes first decides, and the other one changes nothing."""

    @pytest.mark.parametrize("outcome", [SUCCEEDED, REFUSED])
    async def test_an_outcome_and_the_end_of_the_waiting(self, seller, plan, outcome):
        seller.provider.answer = PENDING
        waiting = await seller.gate(await seller.linked(), plan)
        await asyncio.gather(seller.advance("2026-01-13T12:01"), seller.hear_now(outcome))
        await seller.advance("2026-01-13T12:01")
        seen = await seller.again(waiting)
        (invoice,), (payment,) = await seller.invoices(), await seller.payments()
        if seen["status"] == "active":
            assert (outcome, invoice, payment) == (
                SUCCEEDED,
                ("finalized", 2520, "001"),
                ("succeeded", 2520, "paid"),
            )
        else:
            assert (seen["status"], invoice) == ("canceled", ("closed", 2520, "DRAFT"))
            is_late = outcome is SUCCEEDED
            assert (payment[0], is_late) == ("failed", outcome is SUCCEEDED)
            assert not is_late or seller.provider.canceled

    async def test_the_same_success_twice_at_once(self, seller, plan):
        seller.provider.answer = PENDING
        waiting = await seller.gate(await seller.linked(), plan)
        await asyncio.gather(*(seller.hear_now(SUCCEEDED) for _ in range(4)))
        assert (await seller.again(waiting))["status"] == "active"
        assert await seller.payments() == [("succeeded", 2520, "paid")]
        assert len(await seller.stored(journal_entries, "id")) == 2

    async def test_it_expires_while_the_provider_thinks(self, seller, plan):
        """The answer is success, and comes when nobody waits any more: it is paid back."""
        who = await seller.linked()

        async def expire():
            async with seller.database.tenant(seller.id, is_simulated=True) as tx:
                rows = await tx.execute(select(subscriptions.c.id, subscriptions.c.customer_id))
                row = rows.one()
                await tx.lock("customer", row.customer_id)
                batch = agenda_batch(row.id, row.customer_id, await seller.now())
                await gate.expire(tx, batch, await seller.now())

        seller.provider.meanwhile = expire
        gone = await seller.gate(who, plan)
        assert (gone["status"], gone["cancellation_reason"]) == ("canceled", "timeout")
        assert await seller.payments() == [("failed", 2520, "canceled")]
        assert await seller.stored(invoice_credits, "id") == []
        assert seller.provider.canceled
        async with seller.database.tenant(seller.id) as tx:
            left = await tx.execute(select(agenda.c.kind).where(agenda.c.kind == int(Kind.CANCEL_PAYMENT)))
            assert left.all() == []


def agenda_batch(subscription_id, customer_id, at):
    return Batch(
        kind=Kind.EXPIRE_ACTIVATION, owner_ids=(customer_id,), due_at=at, run_at=at, attempts=0,
        subject_ids=(subscription_id,),
    )  # fmt: skip


class TestPaymentMethods:
    """§13: known from a provider's events alone; the newest is the default."""

    async def test_one_is_the_default(self, seller):
        who = await seller.linked()
        second = await give_method(seller.database, seller.id, who, "pm_2")
        assert await give_method(seller.database, seller.id, who, "pm_2") == second
        path = f"/customers/{who['external_id']}/payment_methods"

        async def shown():
            listed = (await kit.get(seller.client, path))["payment_methods"]
            return {one["provider_method_id"]: one["is_default"] for one in listed}

        assert await shown() == {"pm_1": False, "pm_2": True}
        first = next(
            one["lago_id"]
            for one in (await kit.get(seller.client, path))["payment_methods"]
            if one["provider_method_id"] == "pm_1"
        )
        chosen = await kit.call(seller.client, "PUT", f"{path}/{first}/set_as_default")
        assert chosen["payment_method"]["is_default"]
        assert await shown() == {"pm_1": True, "pm_2": False}
        await kit.call(seller.client, "DELETE", f"{path}/{first}")
        assert await shown() == {"pm_2": False}
        await kit.call(seller.client, "DELETE", f"{path}/{first}", expect=404)

    async def test_those_of_one_method_share_an_invoice(self, seller, plan):
        """One names the default, one nothing, one another method: two invoices on 1 February (subscriptions §5.2)."""
        who = await seller.linked()
        second = await give_method(seller.database, seller.id, who, "pm_2")
        listed = await kit.get(seller.client, f"/customers/{who['external_id']}/payment_methods")
        first = next(one["lago_id"] for one in listed["payment_methods"] if not one["is_default"])
        for method in (second, None, first):
            chosen = {"payment_method_type": "provider", "payment_method_id": method}
            await kit.subscribe(seller.client, who, plan, payment_method=chosen)
        await seller.advance("2026-02-01T01:00")
        renewed = [
            one for one in await kit.invoices(seller.client, who) if one["issuing_date"] == "2026-02-01"
        ]
        assert sorted(one["fees_amount_cents"] for one in renewed) == [3100, 6200]

    async def test_another_provider_knows_none_of_them(self, seller):
        who = await seller.linked()
        body = {"external_id": who["external_id"], "billing_configuration": {"payment_provider": "adyen"}}
        await kit.post(seller.client, "/customers", {"customer": body})
        listed = await kit.get(seller.client, f"/customers/{who['external_id']}/payment_methods")
        assert listed["payment_methods"] == []
