"""Plans that are deleted or repriced while people are on them (pricing §4.3, §4.4)."""

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    made = await make_organization("2025-01-01T00:00:00Z")
    return made.client


async def of_status(seller, subscription, status):
    path = f"/subscriptions/{subscription['external_id']}"
    return (await kit.get(seller, path, status=status))["subscription"]


async def delete(seller, plan, **more):
    return await kit.call(seller, "DELETE", f"/plans/{plan['code']}", **more)


async def reprice(seller, plan, amount_cents):
    body = {"plan": {"amount_cents": amount_cents}}
    return await kit.call(seller, "PUT", f"/plans/{plan['code']}", body)


class TestDeletion:
    async def test_ends_subscriptions_and_issues_their_drafts(self, seller):
        """January is 28.00; eleven of February's 28 days are 11.00: both drafts are issued with the plan's end (§4.4)."""
        plan = await kit.plan(seller, amount_cents=2800)
        customer = await kit.customer(seller, billing_configuration={"invoice_grace_period": 60})
        subscription = await kit.subscribe(seller, customer, plan)
        await kit.advance(seller, "2025-02-11T10:00")
        assert [found["status"] for found in await kit.invoices(seller, customer)] == ["draft"]
        answer = await delete(seller, plan)
        assert (answer["plan"]["lago_id"], answer["plan"]["pending_deletion"]) == (plan["lago_id"], True)
        made = await kit.invoices(seller, customer)
        assert [(found["status"], found["fees_amount_cents"]) for found in made] == [
            ("finalized", 2800),
            ("finalized", 1100),
        ]
        assert (await of_status(seller, subscription, "terminated"))["plan_code"] == plan["code"]
        assert (await kit.get(seller, f"/plans/{plan['code']}", expect=404))["code"] == "plan_not_found"
        again = await kit.plan(seller, code=plan["code"])
        assert again["lago_id"] != plan["lago_id"]

    async def test_cancels_what_has_not_begun_and_leaves_other_plans_alone(self, seller):
        plan, other = await kit.plan(seller), await kit.plan(seller)
        customer = await kit.customer(seller)
        to_come = await kit.subscribe(seller, customer, plan, subscription_at="2025-03-01T00:00:00Z")
        stays = await kit.subscribe(seller, customer, other)
        await delete(seller, plan)
        assert (await of_status(seller, to_come, "canceled"))["terminated_at"] is None
        assert (await of_status(seller, stays, "active"))["plan_code"] == other["code"]

    async def test_waits_for_the_subscriptions_of_every_customer(self, seller):
        plan = await kit.plan(seller, amount_cents=2800)
        everybody = [await kit.customer(seller) for _ in range(3)]
        on_it = [await kit.subscribe(seller, who, plan) for who in everybody]
        await kit.advance(seller, "2025-01-15T10:00")
        await delete(seller, plan)
        for subscription in on_it:
            assert (await of_status(seller, subscription, "terminated"))["status"] == "terminated"
        await kit.get(seller, f"/plans/{plan['code']}", expect=404)

    async def test_of_a_plan_paid_in_advance_gives_unused_time_back(self, seller):
        plan = await kit.plan(seller, amount_cents=2800, pay_in_advance=True)
        customer = await kit.customer(seller)
        await kit.subscribe(seller, customer, plan)
        (paid,) = await kit.invoices(seller, customer)
        await delete(seller, plan)
        found = await kit.get(seller, "/credit_notes", external_customer_id=customer["external_id"])
        (note,) = found["credit_notes"]
        assert note["lago_invoice_id"] == paid["lago_id"]
        await kit.get(seller, f"/plans/{plan['code']}", expect=404)


class TestNewPrice:
    """A change of plan that waits for the end of the period follows the amounts as they are now (§4.3)."""

    @pytest.fixture
    async def downgrade(self, seller):
        dear = await kit.plan(seller, amount_cents=3100)
        cheap = await kit.plan(seller, amount_cents=1000)
        customer = await kit.customer(seller)
        current = await kit.subscribe(seller, customer, dear)
        await kit.subscribe(seller, customer, cheap, external_id=current["external_id"])
        assert (await of_status(seller, current, "active"))["next_plan_code"] == cheap["code"]
        return current, dear, cheap

    async def test_below_the_plan_waited_for_calls_the_downgrade_off(self, seller, downgrade):
        current, dear, _ = downgrade
        await reprice(seller, dear, 1000)
        await of_status(seller, current, "pending")
        await reprice(seller, dear, 999)
        found = await of_status(seller, current, "active")
        assert (found["plan_code"], found["next_plan_code"]) == (dear["code"], None)
        await kit.get(seller, f"/subscriptions/{current['external_id']}", status="pending", expect=404)

    async def test_of_the_plan_waited_for_makes_it_an_upgrade_at_once(self, seller, downgrade):
        """Ten days of the old plan are 10 × 31.00 / 31 = 10.00; the day of the change is the new one's."""
        current, dear, cheap = downgrade
        await kit.advance(seller, "2025-01-11T10:00")
        await reprice(seller, cheap, 3099)
        assert (await of_status(seller, current, "active"))["plan_code"] == dear["code"]
        await reprice(seller, cheap, 3100)
        assert (await of_status(seller, current, "active"))["plan_code"] == cheap["code"]
        assert (await of_status(seller, current, "terminated"))["plan_code"] == dear["code"]
        await kit.advance(seller, "2025-01-11T10:01")
        listed = (await kit.get(seller, "/invoices"))["invoices"]
        assert [found["fees_amount_cents"] for found in listed] == [1000]

    async def test_that_cascades_decides_for_child_plans_as_well(self, seller, downgrade):
        """A child with the parent's amount gets the new one (§12.3), and with it the waiting change is looked at (§4.3)."""
        current, dear, cheap = downgrade
        path = f"/subscriptions/{current['external_id']}"
        await kit.call(seller, "PUT", path, {"subscription": {"plan_overrides": {"name": "Ours"}}})
        assert (await of_status(seller, current, "active"))["next_plan_code"] == cheap["code"]
        await reprice(seller, dear, 900)
        assert (await of_status(seller, current, "active"))["next_plan_code"] == cheap["code"]
        await reprice(seller, dear, 3100)
        body = {"plan": {"amount_cents": 900, "cascade_updates": True}}
        await kit.call(seller, "PUT", f"/plans/{dear['code']}", body)
        found = await of_status(seller, current, "active")
        assert (found["plan_amount_cents"], found["next_plan_code"]) == (900, None)

    async def test_of_ones_own_decides_as_well(self, seller, downgrade):
        current, _, cheap = downgrade
        path = f"/subscriptions/{current['external_id']}"
        own = {"subscription": {"plan_overrides": {"amount_cents": 3100}}, "status": "pending"}
        await kit.advance(seller, "2025-01-11T10:00")
        await kit.call(seller, "PUT", path, own)
        assert (await of_status(seller, current, "active"))["plan_code"] == cheap["code"]

    async def test_of_ones_own_below_the_plan_waited_for_calls_the_downgrade_off(self, seller, downgrade):
        current, dear, _ = downgrade
        path = f"/subscriptions/{current['external_id']}"
        await kit.call(seller, "PUT", path, {"subscription": {"plan_overrides": {"amount_cents": 999}}})
        found = await of_status(seller, current, "active")
        assert (found["plan_code"], found["next_plan_code"]) == (dear["code"], None)

    async def test_does_not_take_the_period_away_that_a_change_ends(self, seller):
        """January at 10.00 by now, which is no dearer than the plan waited for, is billed whole.

        It is on the draft, too, that is computed anew when that plan has become the dearer one.
        """
        of = await kit.metric(seller, "count_agg")
        dear, cheap = [
            await kit.plan(seller, kit.charge(of, amount="7"), amount_cents=cents) for cents in (3100, 1000)
        ]
        customer = await kit.customer(seller, billing_configuration={"invoice_grace_period": 3})
        current = await kit.subscribe(seller, customer, dear)
        await kit.subscribe(seller, customer, cheap, external_id=current["external_id"])
        await kit.send(seller, current, of, 1)
        await reprice(seller, dear, 1000)
        await kit.advance(seller, "2025-02-02")
        assert [found["fees_amount_cents"] for found in await kit.invoices(seller, customer)] == [1700]
        await reprice(seller, cheap, 5000)
        await kit.advance(seller, "2025-02-05")
        (found,) = await kit.invoices(seller, customer)
        assert (found["status"], found["fees_amount_cents"]) == ("finalized", 1700)
