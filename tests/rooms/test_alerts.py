"""What is watched and when it is told: usage (wallets §9, invariant 13)."""

import pytest
from sqlalchemy import select
from tests import kit

from tallymark.db.tables import outbox

MARKS = [{"value": 1500, "code": "warn"}, {"value": 3000, "code": "alert"}]


@pytest.fixture
async def simulated(make_organization):
    return await make_organization("2026-05-01T00:00:00Z")


class Watched:
    """A plan with `ops` at 5.00 and `api` at 100.00 a unit, a subscription to it, and what its alerts told."""

    def __init__(self, organization, database):
        self.organization, self.client, self.database = organization, organization.client, database
        self.read = 0

    async def begin(self, *charges):
        self.ops, self.api = await kit.metric(self.client), await kit.metric(self.client)
        priced = charges or (kit.charge(self.ops, amount="5"), kit.charge(self.api, amount="100"))
        self.plan = await kit.plan(self.client, *priced)
        self.customer = await kit.customer(self.client)
        self.subscription = await kit.subscribe(self.client, self.customer, self.plan)
        self.path = f"/subscriptions/{self.subscription['external_id']}/alerts"
        return self

    async def alert(self, alert_type, thresholds=MARKS, **more):
        body = {"alert_type": alert_type, "code": "a", "thresholds": thresholds, **more}
        return (await kit.post(self.client, self.path, {"alert": body}))["alert"]

    async def use(self, of, *values, **more):
        await kit.send(self.client, self.subscription, of, *values, **more)

    async def told(self):
        """The messages since the last look."""
        async with self.database.tenant(self.organization.id) as tx:
            rows = await tx.execute(
                select(outbox).where(outbox.c.webhook_type == "alert.triggered").order_by(outbox.c.id)
            )
            found = [row.payload for row in rows]
        fresh, self.read = found[self.read :], len(found)
        return fresh

    async def crossings(self):
        """(previous, current, what was crossed) of each message since the last look."""
        return [
            (
                one["previous_value"],
                one["current_value"],
                [(mark["code"], mark["value"]) for mark in one["crossed_thresholds"]],
            )
            for one in await self.told()
        ]

    async def previous(self, code="a"):
        return (await kit.get(self.client, f"{self.path}/{code}"))["alert"]["previous_value"]


@pytest.fixture
async def watched(simulated, database):
    return await Watched(simulated, database).begin()


class TestValues:
    async def test_current_usage_before_tax_once_for_all_that_came_together(self, watched):
        await kit.tax(watched.client, "20")
        alert = await watched.alert("current_usage_amount")
        await watched.use(watched.ops, 2)
        assert (await watched.crossings(), await watched.previous()) == ([], "1000.0")
        await watched.use(watched.ops, 1, 3)
        (told,) = await watched.told()
        assert told == {
            "lago_id": told["lago_id"],
            "lago_organization_id": str(watched.organization.id),
            "lago_alert_id": alert["lago_id"],
            "lago_subscription_id": watched.subscription["lago_id"],
            "external_subscription_id": watched.subscription["external_id"],
            "lago_wallet_id": None,
            "external_customer_id": watched.customer["external_id"],
            "billable_metric_code": None,
            "alert_name": None,
            "alert_code": "a",
            "alert_type": "current_usage_amount",
            "current_value": "3000.0",
            "previous_value": "1000.0",
            "crossed_thresholds": [
                {"code": "warn", "value": "1500.0", "recurring": False},
                {"code": "alert", "value": "3000.0", "recurring": False},
            ],
            "triggered_at": "2026-05-01T00:00:00Z",
            "subscription_external_id": watched.subscription["external_id"],
            "customer_external_id": watched.customer["external_id"],
        }

    async def test_of_one_metric_the_sum_of_all_its_charges_and_buckets(self, simulated, database):
        """Mended: the reference watches the largest single fee."""
        watched = Watched(simulated, database)
        client = simulated.client
        of = await kit.metric(client, filters=[{"key": "region", "values": ["eu", "us"]}])
        filters = [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}]
        twice = {**kit.charge(of, amount="5", pricing_group_keys=["team"]), "code": "twice"}
        await watched.begin({**kit.charge(of, amount="1"), "filters": filters}, twice)
        on = {"billable_metric_code": of["code"]}
        await watched.alert("billable_metric_current_usage_amount", [{"value": 2700}], **on)
        units = [{"value": 8}]
        await watched.alert("billable_metric_current_usage_units", units, code="u", **on)
        for region, team, value in (("eu", "a", 1), ("us", "a", 2), ("us", "b", 1)):
            await watched.use(of, value, properties={"region": region, "team": team, "value": value})
        # 1 × 2 + 3 × 1 + 4 × 5 = 25 in money; 4 units twice.
        (units_told,) = await watched.told()
        assert (units_told["alert_code"], units_told["current_value"]) == ("u", "8.0")
        assert await watched.previous() == "2500.0"
        await watched.use(of, 1, properties={"region": "us", "team": "b", "value": 1})
        (amount_told,) = await watched.told()
        assert (amount_told["billable_metric_code"], amount_told["current_value"]) == (of["code"], "3100.0")

    async def test_a_metric_without_a_charge_in_the_plan_is_skipped(self, watched):
        other = await kit.metric(watched.client)
        on = {"billable_metric_code": other["code"]}
        await watched.alert("billable_metric_current_usage_units", [{"value": 0}], **on)
        await watched.alert("billable_metric_lifetime_usage_units", [{"value": 0}], code="l", **on)
        await watched.use(watched.ops, 2)
        for code in ("a", "l"):
            alert = (await kit.get(watched.client, f"{watched.path}/{code}"))["alert"]
            assert (alert["previous_value"], alert["last_processed_at"]) == ("0.0", None)

    async def test_lifetime_usage_goes_on_where_a_period_ends(self, watched):
        await watched.alert("lifetime_usage_amount")
        await watched.alert(
            "billable_metric_lifetime_usage_units",
            [{"value": 5, "code": "u"}],
            code="units",
            billable_metric_code=watched.ops["code"],
        )
        await watched.use(watched.ops, 4)
        assert await watched.crossings() == [("0.0", "2000.0", [("warn", "1500.0")])]
        await kit.advance(watched.client, "2026-06-10")
        sent = {"external_historical_usage_amount_cents": 100}
        lifetime = f"/subscriptions/{watched.subscription['external_id']}/lifetime_usage"
        await kit.call(watched.client, "PUT", lifetime, {"lifetime_usage": sent})
        await watched.use(watched.ops, 2)
        assert await watched.crossings() == [
            ("2000.0", "3100.0", [("alert", "3000.0")]),
            ("4.0", "6.0", [("u", "5.0")]),
        ]


class TestWhen:
    async def test_a_new_alert_is_told_what_was_passed_already(self, watched):
        await watched.use(watched.ops, 4)
        await watched.alert("current_usage_amount")
        assert await watched.crossings() == [("0.0", "2000.0", [("warn", "1500.0")])]

    async def test_changed_thresholds_are_looked_at_and_what_was_seen_stays_seen(self, watched):
        await watched.alert("current_usage_amount", [{"value": 99999}])
        await watched.use(watched.ops, 4)
        sent = {"alert": {"thresholds": [{"value": 1000}, {"value": 2500}]}}
        await kit.call(watched.client, "PUT", f"{watched.path}/a", sent)
        assert await watched.crossings() == []
        await watched.use(watched.ops, 1)
        assert await watched.crossings() == [("2000.0", "2500.0", [(None, "2500.0")])]

    async def test_each_crossing_once_and_again_in_a_new_period(self, watched):
        await watched.alert(
            "current_usage_amount", [*MARKS, {"value": 1000, "code": "more", "recurring": True}]
        )
        await watched.use(watched.ops, 8)
        assert await watched.crossings() == [
            ("0.0", "4000.0", [("warn", "1500.0"), ("alert", "3000.0"), ("more", "4000.0")])
        ]
        await watched.use(watched.ops, 1)
        assert await watched.crossings() == []
        await kit.advance(watched.client, "2026-06-02")
        await watched.use(watched.ops, 2)
        assert (await watched.crossings(), await watched.previous()) == ([], "1000.0")
        await watched.use(watched.ops, 2)
        assert await watched.crossings() == [("1000.0", "2000.0", [("warn", "1500.0")])]

    async def test_it_survives_a_change_of_plan_and_a_new_subscription(self, watched):
        await watched.alert("current_usage_amount")
        dearer = await kit.plan(watched.client, kit.charge(watched.ops, amount="10"), amount_cents=100)
        same = {"external_id": watched.subscription["external_id"]}
        await kit.subscribe(watched.client, watched.customer, dearer, **same)
        await watched.use(watched.ops, 2)
        assert await watched.crossings() == [("0.0", "2000.0", [("warn", "1500.0")])]
        await kit.call(watched.client, "DELETE", f"/subscriptions/{same['external_id']}")
        await watched.use(watched.ops, 50)
        assert await watched.crossings() == []
        await kit.advance(watched.client, "2026-05-03")
        await kit.subscribe(watched.client, watched.customer, watched.plan, **same)
        await watched.use(watched.ops, 1)
        assert await watched.previous() == "500.0"

    async def test_a_deleted_alert_tells_nothing(self, watched):
        await watched.alert("current_usage_amount")
        await kit.call(watched.client, "DELETE", f"{watched.path}/a")
        await watched.use(watched.ops, 50)
        assert await watched.crossings() == []
