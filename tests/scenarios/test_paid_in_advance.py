"""Months with charges in advance: what renews, what is regrouped once it is paid (pricing §8.2, invoicing §7.4)."""

from uuid import UUID

import pytest
from sqlalchemy import update
from tests import kit

from tallymark.db.tables import charges


@pytest.fixture
def world(make_organization, database):
    """A subscription from 1 May 2026 to a plan with one charge in advance, 4.00 a unit."""

    async def make(metric=("sum_agg", {}), **columns):
        organization = await make_organization("2026-05-01T00:00:00Z")
        client = organization.client
        await kit.tax(client, "20")
        of = await kit.metric(client, metric[0], **metric[1])
        plan = await kit.plan(client, kit.charge(of, amount="4"), amount_cents=1000)
        async with database.system() as connection:
            await connection.execute(
                update(charges)
                .where(charges.c.plan_id == UUID(plan["lago_id"]))
                .values(pay_in_advance=True, **columns)
            )
        customer = await kit.customer(client)
        return client, of, customer, await kit.subscribe(client, customer, plan)

    return make


async def charge_fees(client, **query):
    listed = (await kit.get(client, "/fees", fee_type="charge", per_page=100, **query))["fees"]
    return [(fee["units"], fee["amount_cents"], fee["from_date"][:10]) for fee in listed]


RECURRING = ("sum_agg", {"recurring": True})


class TestRenewal:
    async def test_carried_units_are_billed_in_full_at_each_renewal(self, world):
        """E8 and what follows it: 9 × 4.00 each month, never prorated, beside what each new event adds."""
        client, of, customer, subscription = await world(RECURRING, prorated=True)
        await kit.advance(client, "2026-05-20T14:00")
        await kit.send(client, subscription, of, 9)
        await kit.advance(client, "2026-06-02")
        (event_invoice, renewal) = await kit.invoices(client, customer)
        assert (event_invoice["fees_amount_cents"], renewal["fees_amount_cents"]) == (1394, 1000 + 3600)
        (fee,) = [fee for fee in renewal["fees"] if fee["item"]["type"] == "charge"]
        assert (fee["units"], fee["amount_cents"], fee["from_date"][:10], fee["to_date"][:10]) == (
            "9.0", 3600, "2026-06-01", "2026-06-30")  # fmt: skip
        assert (await kit.usage(client, customer, subscription))["amount_cents"] == 3600
        for day, value in ((5, -2), (6, 2), (16, 3)):
            await kit.advance(client, f"2026-06-{day:02}")
            await kit.send(client, subscription, of, value)
        # 3 units for 15 of 30 days; what only grows back to the carried 9 is paid already.
        assert [fee[1] for fee in await charge_fees(client)] == [1394, 3600, 0, 0, 600]
        usage = await kit.usage(client, customer, subscription)
        assert (usage["charges_usage"][0]["units"], usage["amount_cents"]) == ("12.0", 4200)
        await kit.advance(client, "2026-07-02")
        assert (await charge_fees(client))[-1] == ("12.0", 4800, "2026-07-01")

    async def test_on_no_invoice_the_renewal_stands_alone_even_of_nothing(self, world):
        client, of, customer, subscription = await world(RECURRING, invoiceable=False)
        await kit.advance(client, "2026-06-02")
        assert await charge_fees(client) == [("0.0", 0, "2026-06-01")]
        await kit.send(client, subscription, of, 2)
        await kit.advance(client, "2026-07-02")
        assert (await charge_fees(client))[1:] == [("2.0", 800, "2026-06-01"), ("2.0", 800, "2026-07-01")]
        listed = (await kit.get(client, "/fees", fee_type="charge"))["fees"]
        assert {(fee["lago_invoice_id"], fee["payment_status"]) for fee in listed} == {(None, "pending")}
        assert listed[-1]["taxes_amount_cents"] == 160
        assert [invoice["fees_amount_cents"] for invoice in await kit.invoices(client, customer)] == [
            1000,
            1000,
        ]

    async def test_an_ended_subscription_renews_nothing(self, world):
        client, of, _, subscription = await world(RECURRING)
        await kit.send(client, subscription, of, 2)
        await kit.advance(client, "2026-05-20")
        await kit.call(client, "DELETE", f"/subscriptions/{subscription['external_id']}")
        await kit.advance(client, "2026-07-02")
        assert [fee[1] for fee in await charge_fees(client)] == [800]

    async def test_a_metered_charge_renews_nothing(self, world):
        client, of, _, subscription = await world()
        await kit.send(client, subscription, of, 2)
        await kit.advance(client, "2026-07-02")
        assert [fee[1] for fee in await charge_fees(client)] == [800]

    async def test_after_a_downgrade_the_old_plan_renews_once_more(self, world, database):
        """§8.2: not after an upgrade nor an end, but at the switch to a cheaper plan; paid fees are regrouped then."""
        client, of, customer, subscription = await world(
            RECURRING, invoiceable=False, regroup_paid_fees="invoice"
        )
        await kit.send(client, subscription, of, 2)
        (fee,) = (await kit.get(client, "/fees", fee_type="charge"))["fees"]
        await kit.call(client, "PUT", f"/fees/{fee['lago_id']}", {"fee": {"payment_status": "succeeded"}})
        cheaper = await kit.plan(client, kit.charge(of, amount="1"), amount_cents=500)
        await kit.subscribe(client, customer, cheaper, external_id=subscription["external_id"])
        await kit.advance(client, "2026-06-02")
        assert await charge_fees(client, payment_status="pending") == [("2.0", 800, "2026-06-01")]
        made = {invoice["invoice_type"]: invoice for invoice in await kit.invoices(client, customer)}
        assert made["advance_charges"]["fees_amount_cents"] == 800

    async def test_an_upgrade_renews_nothing_and_leaves_the_level_to_the_new_plan(self, world):
        client, of, customer, subscription = await world(RECURRING, invoiceable=False)
        await kit.send(client, subscription, of, 2)
        dearer = await kit.plan(client, amount_cents=9000)
        await kit.advance(client, "2026-05-20")
        await kit.subscribe(client, customer, dearer, external_id=subscription["external_id"])
        await kit.advance(client, "2026-06-02")
        assert [fee[1] for fee in await charge_fees(client)] == [800]


class TestRegrouping:
    async def pay(self, client, *places):
        listed = (await kit.get(client, "/fees", fee_type="charge"))["fees"]
        for place in places:
            path = f"/fees/{listed[place]['lago_id']}"
            await kit.call(client, "PUT", path, {"fee": {"payment_status": "succeeded"}})

    async def test_paid_fees_of_an_ended_period_come_on_one_paid_invoice(self, world):
        client, of, customer, subscription = await world(invoiceable=False, regroup_paid_fees="invoice")
        await kit.send(client, subscription, of, 1, 2, 3)
        await self.pay(client, 0, 2)
        await kit.advance(client, "2026-06-02")
        made = {invoice["invoice_type"]: invoice for invoice in await kit.invoices(client, customer)}
        invoice = made["advance_charges"]
        assert (invoice["fees_amount_cents"], invoice["taxes_amount_cents"], invoice["total_amount_cents"]) == (
            1600, 320, 1920)  # fmt: skip
        assert (invoice["status"], invoice["payment_status"], invoice["total_due_amount_cents"]) == (
            "finalized", "succeeded", 0)  # fmt: skip
        assert (invoice["issuing_date"], [fee["units"] for fee in invoice["fees"]]) == (
            "2026-06-01",
            ["1.0", "3.0"],
        )
        (period,) = invoice["billing_periods"]
        assert period["invoicing_reason"] == "in_advance_charge_periodic"
        assert (period["charges_from_datetime"], period["charges_to_datetime"]) == (
            "2026-05-01T00:00:00Z", "2026-05-31T23:59:59Z")  # fmt: skip
        assert [(tax["amount_cents"], tax["fees_amount_cents"]) for tax in invoice["applied_taxes"]] == [
            (320, 1600)
        ]
        # What is paid later comes at the next period's end.
        await self.pay(client, 1)
        await kit.advance(client, "2026-07-02")
        later = [i for i in await kit.invoices(client, customer) if i["invoice_type"] == "advance_charges"]
        assert [i["fees_amount_cents"] for i in later] == [1600, 800]

    async def test_another_customer_with_the_same_external_id_has_none_of_them(self, world):
        """5 units are paid after their subscription ended; the one who takes its id is shown 3 of their own: 12.00, not 32.00."""
        client, of, _, subscription = await world(invoiceable=False, regroup_paid_fees="invoice")
        await kit.send(client, subscription, of, 5)
        await kit.call(client, "DELETE", f"/subscriptions/{subscription['external_id']}")
        await kit.advance(client, "2026-05-20")
        other = await kit.customer(client, currency="EUR")
        plan = {"code": subscription["plan_code"]}
        again = await kit.subscribe(client, other, plan, external_id=subscription["external_id"])
        await kit.send(client, again, of, 3)
        await self.pay(client, 0, 1)
        await kit.advance(client, "2026-06-02")
        (made,) = [i for i in await kit.invoices(client, other) if i["invoice_type"] == "advance_charges"]
        assert [fee["units"] for fee in made["fees"]] == ["3.0"]

    async def test_at_the_end_of_the_subscription_too(self, world):
        client, of, customer, subscription = await world(invoiceable=False, regroup_paid_fees="invoice")
        await kit.send(client, subscription, of, 5)
        await self.pay(client, 0)
        await kit.advance(client, "2026-05-20")
        await kit.call(client, "DELETE", f"/subscriptions/{subscription['external_id']}")
        types = [invoice["invoice_type"] for invoice in await kit.invoices(client, customer)]
        assert sorted(types) == ["advance_charges", "subscription"]

    @pytest.mark.parametrize(
        ("setting", "types"), [("skip", ["subscription"]), ("finalize", ["advance_charges", "subscription"])]
    )
    async def test_of_nothing_an_end_is_billed_all_the_same(self, world, setting, types):
        """subscriptions §1.9: a paid fee of 0 units is on an invoice that is closed, where that is wanted."""
        client, of, customer, subscription = await world(invoiceable=False, regroup_paid_fees="invoice")
        who = {"external_id": customer["external_id"], "finalize_zero_amount_invoice": setting}
        await kit.post(client, "/customers", {"customer": who})
        await kit.send(client, subscription, of, 0)
        await self.pay(client, 0)
        await kit.advance(client, "2026-05-20")
        await kit.call(client, "DELETE", f"/subscriptions/{subscription['external_id']}")
        assert sorted(i["invoice_type"] for i in await kit.invoices(client, customer)) == types

    async def test_at_an_end_without_an_invoice_too(self, world):
        """§2.9: always, also where the last invoice is skipped."""
        client, of, customer, subscription = await world(invoiceable=False, regroup_paid_fees="invoice")
        await kit.send(client, subscription, of, 5)
        await self.pay(client, 0)
        await kit.advance(client, "2026-05-20")
        path = f"/subscriptions/{subscription['external_id']}"
        await kit.call(client, "DELETE", path, on_termination_invoice="skip")
        (made,) = await kit.invoices(client, customer)
        assert (made["invoice_type"], made["fees_amount_cents"]) == ("advance_charges", 2000)

    async def test_fees_of_two_order_numbers_come_on_two_invoices(self, world):
        """invoicing §7.4: 5 units under A-1, then another plan and 2 units under B-2, all paid in the end."""
        client, of, customer, subscription = await world(invoiceable=False, regroup_paid_fees="invoice")
        path, external_id = f"/subscriptions/{subscription['external_id']}", subscription["external_id"]
        await kit.call(client, "PUT", path, {"subscription": {"purchase_order_number": "A-1"}})
        await kit.send(client, subscription, of, 5)
        at_once = {"pay_in_advance": True, "invoiceable": False, "regroup_paid_fees": "invoice"}
        other = await kit.plan(client, kit.charge(of, amount="3") | at_once, amount_cents=2000)
        await kit.subscribe(client, customer, other, external_id=external_id, purchase_order_number="B-2")
        await kit.send(client, subscription, of, 2)
        await self.pay(client, 0, 1)
        await kit.advance(client, "2026-06-02")
        assert sorted(
            (invoice["purchase_order_number"], invoice["fees_amount_cents"])
            for invoice in await kit.invoices(client, customer)
            if invoice["invoice_type"] == "advance_charges"
        ) == [("A-1", 2000), ("B-2", 600)]

    async def test_without_regrouping_paid_fees_are_never_invoiced(self, world):
        client, of, customer, subscription = await world(invoiceable=False)
        await kit.send(client, subscription, of, 5)
        await self.pay(client, 0)
        await kit.advance(client, "2026-06-02")
        assert [i["invoice_type"] for i in await kit.invoices(client, customer)] == ["subscription"]
