"""What usage leaves of wallets, what fills them by itself, and who is told of it (wallets §7, §8, §9)."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import func, select
from tests import kit

from tallymark.db.tables import agenda, outbox
from tallymark.jobs.agenda import Kind
from tallymark.jobs.schedule import enqueue_what_is_due
from tallymark.rooms.billing import jobs
from tallymark.rooms.billing.service.ongoing import refresh_wallets


class Purse:
    """A customer with a wallet and a subscription to a metric at 1.00 a unit."""

    def __init__(self, organization, database):
        self.organization, self.client, self.database = organization, organization.client, database
        self.read = 0

    async def begin(self, *, grace=5, in_advance=False, like=None, **wallet):
        client = self.client
        self.metric = like.metric if like else await kit.metric(client)
        priced = {**kit.charge(self.metric), "pay_in_advance": in_advance}
        self.customer = await kit.customer(
            client, currency="EUR", billing_configuration={"invoice_grace_period": grace}
        )
        self.wallet = await self.open(**wallet)
        plan = await kit.plan(client, priced)
        begins = {"subscription_at": like.subscription["subscription_at"]} if like else {}
        self.subscription = await kit.subscribe(client, self.customer, plan, **begins)
        return self

    async def open(self, **more):
        body = {
            "external_customer_id": self.customer["external_id"],
            "rate_amount": "1",
            "currency": "EUR",
            **more,
        }
        return (await kit.post(self.client, "/wallets", {"wallet": body}))["wallet"]

    async def use(self, *values):
        await kit.send(self.client, self.subscription, self.metric, *values)

    async def now(self, of=None):
        return (await kit.get(self.client, f"/wallets/{(of or self.wallet)['lago_id']}"))["wallet"]

    async def ongoing(self, of=None):
        """Balance, what usage takes, and what it leaves, in cents."""
        wallet = await self.now(of)
        left = wallet["balance_cents"] - wallet["ongoing_usage_balance_cents"]
        assert wallet["ongoing_balance_cents"] == left
        assert Decimal(wallet["credits_ongoing_balance"]) * Decimal(wallet["rate_amount"]) * 100 == left
        return wallet["balance_cents"], wallet["ongoing_usage_balance_cents"]

    async def moves(self, **query):
        path = f"/wallets/{self.wallet['lago_id']}/wallet_transactions"
        found = (await kit.get(self.client, path, **query))["wallet_transactions"]
        return [(one["source"], one["transaction_status"], one["status"], one["amount"]) for one in found]

    async def told(self, webhook_type):
        async with self.database.tenant(self.organization.id) as tx:
            found = select(outbox).where(outbox.c.webhook_type == webhook_type).order_by(outbox.c.id)
            return (await tx.execute(found)).all()

    async def alert(self, alert_type, *thresholds, **more):
        marks = [
            {"value": value, "code": code, "recurring": bool(recurring)}
            for value, code, *recurring in thresholds
        ]
        body = {"alert_type": alert_type, "code": "low", "thresholds": marks, **more}
        return (await kit.post(self.client, self.alerts, {"alert": body}))["alert"]

    @property
    def alerts(self):
        return f"/customers/{self.customer['external_id']}/wallets/{self.wallet['code']}/alerts"

    async def crossings(self):
        """(current, what was crossed) of each alert since the last look."""
        found = [row.payload for row in await self.told("alert.triggered")]
        fresh, self.read = found[self.read :], len(found)
        return [
            (one["current_value"], [mark["value"] for mark in one["crossed_thresholds"]]) for one in fresh
        ]

    async def previous(self):
        return (await kit.get(self.client, f"{self.alerts}/low"))["alert"]["previous_value"]


@pytest.fixture
async def purse(make_organization, database):
    return Purse(await make_organization("2026-05-01T00:00:00Z"), database)


class TestOngoingBalance:
    async def test_usage_with_taxes_then_the_draft_then_what_was_paid(self, purse):
        await kit.tax(purse.client, "10")
        await purse.begin(granted_credits="100")
        assert await purse.ongoing() == (10000, 0)
        await purse.use(30, 20)
        assert await purse.ongoing() == (10000, 5500)
        await kit.advance(purse.client, "2026-06-02")
        assert await purse.ongoing() == (10000, 5500)  # the draft
        await purse.use(10)
        assert await purse.ongoing() == (10000, 6600)
        await kit.advance(purse.client, "2026-06-07")
        assert await purse.ongoing() == (4500, 1100)

    async def test_what_is_paid_in_advance_is_paid_already(self, purse):
        await purse.begin(granted_credits="100", in_advance=True)
        await purse.use(30, 20)
        assert await purse.ongoing() == (5000, 0)

    async def test_wallets_share_usage_in_the_order_in_which_they_pay(self, purse):
        await purse.begin(granted_credits="10", priority=1)
        other = await purse.open(granted_credits="20", priority=2, code="other")
        await purse.use(25)
        assert (await purse.ongoing(), await purse.ongoing(other)) == ((1000, 1000), (2000, 1500))
        await purse.use(15)  # the last one may go below zero
        assert (await purse.ongoing(), await purse.ongoing(other)) == ((1000, 1000), (2000, 3000))
        await kit.call(purse.client, "DELETE", f"/wallets/{other['lago_id']}")
        assert await purse.ongoing() == (1000, 4000)

    async def test_a_changed_reach_is_looked_at(self, purse):
        await purse.begin(granted_credits="100")
        await purse.use(25)
        other = await kit.metric(purse.client)
        limits = {"applies_to": {"billable_metric_codes": [other["code"]]}}
        await kit.call(purse.client, "PUT", f"/wallets/{purse.wallet['lago_id']}", {"wallet": limits})
        assert await purse.ongoing() == (10000, 0)

    async def test_the_end_of_a_subscription_that_is_not_invoiced(self, purse):
        await purse.begin(granted_credits="100")
        await purse.use(25)
        path = f"/subscriptions/{purse.subscription['external_id']}?on_termination_invoice=skip"
        await kit.call(purse.client, "DELETE", path)
        assert await purse.ongoing() == (10000, 0)

    async def test_depletion_is_told_when_it_comes_to_it(self, purse):
        await purse.begin(granted_credits="30")
        assert await purse.told("wallet.depleted_ongoing_balance") == []
        await purse.use(30)
        await purse.use(1)
        (told,) = await purse.told("wallet.depleted_ongoing_balance")
        assert (told.object_type, str(told.object_id)) == ("wallet", purse.wallet["lago_id"])
        await kit.post(
            purse.client,
            "/wallet_transactions",
            {"wallet_transaction": {"wallet_id": purse.wallet["lago_id"], "granted_credits": "10"}},
        )
        await purse.use(20)
        assert len(await purse.told("wallet.depleted_ongoing_balance")) == 2

    async def test_progressive_invoices_are_paid_already(self, purse):
        client = purse.client
        await kit.tax(client, "10")
        await purse.begin(granted_credits="1000", grace=0)
        plan = await kit.plan(client, kit.charge(purse.metric), usage_thresholds=[{"amount_cents": 2000}])
        purse.subscription = await kit.subscribe(client, purse.customer, plan)
        await purse.use(15)
        assert await purse.ongoing() == (100000, 1650)
        await purse.use(10)  # 25.00 and taxes are invoiced, and paid by the wallet
        assert await purse.ongoing() == (97250, 0)
        await purse.use(4)
        assert await purse.ongoing() == (97250, 440)

    async def test_a_live_organizations_worker_does_it(self, organization, database):
        purse = await Purse(organization, database).begin(granted_credits="100")
        owner = UUID(purse.customer["lago_id"])
        await purse.use(25)
        async with database.system() as connection:
            await enqueue_what_is_due(connection, now=datetime.now(UTC))
        await jobs.run_due_work(database, organization.id, owner)
        assert await purse.ongoing() == (10000, 2500)


def rule(trigger="threshold", **more):
    return [{"trigger": trigger, "threshold_credits": "10", "method": "fixed", **more}]


class TestThreshold:
    async def test_it_is_filled_two_seconds_later_and_once(self, purse):
        terms = rule(paid_credits="20", granted_credits="5")
        await purse.begin(granted_credits="30", recurring_transaction_rules=terms)
        await purse.use(22)  # 8 are left: 20 are bought and 5 given
        await purse.use(1)
        assert await purse.moves(transaction_status="purchased") == []
        await kit.advance(purse.client, "2026-05-01T00:00:03")
        assert await purse.moves(source="threshold", transaction_status="purchased") == [
            ("threshold", "purchased", "pending", "20.0")
        ]
        assert await purse.ongoing() == (3500, 2300)

    async def test_pending_purchases_count_and_usage_beyond_them_buys_more(self, purse):
        terms = rule(paid_credits="20")
        await purse.begin(granted_credits="30", recurring_transaction_rules=terms)
        await purse.use(22)
        await kit.advance(purse.client, "2026-05-02")
        await purse.use(1)  # 7 and 20 pending
        await kit.advance(purse.client, "2026-05-03")
        assert len(await purse.moves(transaction_status="purchased")) == 1
        await purse.use(20)  # −13 and 20 pending: 3 are missing to be above 10
        await kit.advance(purse.client, "2026-05-04")
        assert [amount for *_, amount in await purse.moves(transaction_status="purchased")] == [
            "20.0",
            "20.0",
        ]

    async def test_a_target_is_granted_where_the_rule_says_so(self, purse):
        terms = rule(method="target", target_ongoing_balance="100", grants_target_top_up=True)
        await purse.begin(granted_credits="30", recurring_transaction_rules=terms)
        await purse.use(25)
        await kit.advance(purse.client, "2026-05-02")
        assert await purse.ongoing() == (12500, 2500)
        assert ("threshold", "granted", "settled", "95.0") in await purse.moves()

    async def test_it_may_be_overdrawn_where_another_wallet_would_pay(self, purse):
        terms = rule(paid_credits="20")
        await purse.begin(granted_credits="20", priority=1, recurring_transaction_rules=terms)
        other = await purse.open(granted_credits="50", priority=2, code="other")
        await purse.use(25)
        assert (await purse.ongoing(), await purse.ongoing(other)) == ((2000, 2500), (5000, 0))

    async def test_nothing_is_bought_where_nothing_has_changed(self, purse):
        """An empty wallet is below its threshold from its birth; only what moves it fires."""
        await purse.begin(recurring_transaction_rules=rule(paid_credits="20"))
        await kit.advance(purse.client, "2026-05-02")
        assert await purse.moves() == []

    async def test_a_void_moves_it(self, purse):
        await purse.begin(granted_credits="30", recurring_transaction_rules=rule(granted_credits="7"))
        sent = {"wallet_id": purse.wallet["lago_id"], "voided_credits": "25"}
        await kit.post(purse.client, "/wallet_transactions", {"wallet_transaction": sent})
        await kit.advance(purse.client, "2026-05-02")
        assert await purse.ongoing() == (1200, 0)

    async def test_what_was_noted_is_dropped_where_it_is_not_needed_any_more(self, purse):
        await purse.begin(granted_credits="30", recurring_transaction_rules=rule(paid_credits="20"))
        await purse.use(25)
        sent = {"wallet_id": purse.wallet["lago_id"], "granted_credits": "50"}
        await kit.post(purse.client, "/wallet_transactions", {"wallet_transaction": sent})
        await kit.advance(purse.client, "2026-05-02")
        assert await purse.moves(transaction_status="purchased") == []
        async with purse.database.tenant(purse.organization.id) as tx:
            waiting = select(func.count()).where(agenda.c.kind == int(Kind.TOP_UP_AT_THRESHOLD))
            assert (await tx.execute(waiting)).scalar_one() == 0

    async def test_after_a_failure_an_hour_passes(self, purse):
        await purse.begin(granted_credits="30", recurring_transaction_rules=rule(paid_credits="20"))
        await purse.use(25)
        await kit.advance(purse.client, "2026-05-02T00:00")
        (bought,) = (await kit.get(
            purse.client, f"/wallets/{purse.wallet['lago_id']}/wallet_transactions", status="pending"
        ))["wallet_transactions"]  # fmt: skip
        failed = {"invoice": {"payment_status": "failed"}}
        await kit.call(purse.client, "PUT", f"/invoices/{bought['lago_invoice_id']}", failed)
        await purse.use(1)
        await kit.advance(purse.client, "2026-05-02T00:30")
        assert await purse.moves(status="pending") == []
        await kit.advance(purse.client, "2026-05-02T01:30")
        await purse.use(1)
        await kit.advance(purse.client, "2026-05-02T02:00")
        assert len(await purse.moves(status="pending")) == 1


BALANCES = {
    # type, granted, rate, thresholds, [(usage, value afterwards, what is crossed)]
    "several at once": ("wallet_balance_amount", "100", "1", [(9000, "a"), (7000, "b"), (5000, "c")],
                        [(5, "9500.0", []), (55, "4000.0", ["5000.0", "7000.0", "9000.0"])]),
    "recurring": ("wallet_balance_amount", "100", "1", [(8000, "a"), (2000, "b", True)],
                  [(5, "9500.0", []), (25, "7000.0", ["8000.0"]), (20, "5000.0", ["6000.0"])]),
    "credits at another rate": ("wallet_credits_balance", "50", "2", [(40, "a"), (30, "b")],
                                [(10, "45.0", []), (30, "30.0", ["30.0", "40.0"])]),
    "a step that was told is not told again": (
        "wallet_credits_balance", "100", "1", [(90, "a"), (10, "b", True)],
        [(5, "95.0", []), (25, "70.0", ["90.0", "70.0", "80.0"]), (20, "50.0", ["50.0", "60.0"])]),
}  # fmt: skip
ONGOING = {
    "once": ("wallet_credits_ongoing_balance", "100", "1", [(50, "a")],
             [(25, "75.0", []), (30, "45.0", ["50.0"]), (20, "25.0", [])]),
    "below zero": ("wallet_ongoing_balance_amount", "100", "1", [(5000, "a"), (-5000, "b")],
                   [(55, "4500.0", ["5000.0"]), (100, "-5500.0", ["-5000.0"])]),
    "recurring below zero": ("wallet_credits_ongoing_balance", "20", "1", [(15, "a"), (10, "b", True)],
                             [(10, "10.0", ["15.0"]), (10, "0.0", ["5.0"]), (10, "-10.0", ["-5.0"])]),
}  # fmt: skip


class TestAlerts:
    @pytest.mark.parametrize("name", BALANCES)
    async def test_on_what_a_wallet_holds(self, purse, name):
        await self.check(purse, *BALANCES[name], in_advance=True)

    @pytest.mark.parametrize("name", ONGOING)
    async def test_on_what_usage_leaves_of_it(self, purse, name):
        await self.check(purse, *ONGOING[name], in_advance=False)

    async def check(self, purse, alert_type, granted, rate, thresholds, steps, *, in_advance):
        await purse.begin(grace=0, granted_credits=granted, rate_amount=rate, in_advance=in_advance)
        made = await purse.alert(alert_type, *thresholds)
        assert (made["direction"], made["lago_wallet_id"]) == ("decreasing", purse.wallet["lago_id"])
        assert (made["wallet_code"], made["external_subscription_id"]) == (purse.wallet["code"], None)
        for usage, value, crossed in steps:
            await purse.use(usage)
            assert await purse.crossings() == ([(value, crossed)] if crossed else [])
            assert await purse.previous() == value

    async def test_the_whole_message(self, purse):
        await purse.begin(granted_credits="100")
        made = await purse.alert("wallet_ongoing_balance_amount", (8000, "warn"), name="Low")
        assert made["previous_value"] == "10000.0"
        await purse.use(25)
        (row,) = await purse.told("alert.triggered")
        told = row.payload
        assert (row.object_type, str(row.object_id)) == ("triggered_alert", told["lago_id"])
        assert {**told, "lago_id": None} == {
            "lago_id": None,
            "lago_organization_id": str(purse.organization.id),
            "lago_alert_id": made["lago_id"],
            "lago_subscription_id": None,
            "external_subscription_id": None,
            "lago_wallet_id": purse.wallet["lago_id"],
            "external_customer_id": purse.customer["external_id"],
            "billable_metric_code": None,
            "alert_name": "Low",
            "alert_code": "low",
            "alert_type": "wallet_ongoing_balance_amount",
            "current_value": "7500.0",
            "previous_value": "10000.0",
            "crossed_thresholds": [{"code": "warn", "value": "8000.0", "recurring": False}],
            "triggered_at": "2026-05-01T00:00:00Z",
            "subscription_external_id": None,
            "customer_external_id": purse.customer["external_id"],
        }

    async def test_a_top_up_arms_it_again(self, purse):
        await purse.begin(granted_credits="100")
        await purse.alert("wallet_credits_ongoing_balance", (80, "warn"))
        await purse.use(25)
        sent = {"wallet_id": purse.wallet["lago_id"], "granted_credits": "20"}
        await kit.post(purse.client, "/wallet_transactions", {"wallet_transaction": sent})
        assert await purse.previous() == "95.0"
        await purse.use(20)
        assert await purse.crossings() == [("75.0", ["80.0"]), ("75.0", ["80.0"])]

    async def test_of_a_type_there_is_one_and_of_usage_none(self, purse):
        await purse.begin(granted_credits="100")
        await purse.alert("wallet_balance_amount", (5000, "a"))
        for alert_type, code, details in (
            ("wallet_balance_amount", "b", {"base": ["alert_already_exists"]}),
            ("wallet_credits_balance", "low", {"code": ["value_already_exist"]}),
            ("current_usage_amount", "b", {"alert_type": ["invalid_type"]}),
        ):
            body = {"alert_type": alert_type, "code": code, "thresholds": [{"value": 1}]}
            answer = await kit.post(purse.client, purse.alerts, {"alert": body}, expect=422)
            assert answer["error_details"] == details

    async def test_who_and_what_is_unknown_is_told(self, purse):
        await purse.begin(granted_credits="100")
        own = purse.customer["external_id"]
        for path, code in (
            ("/customers/x/wallets/default/alerts", "customer_not_found"),
            (f"/customers/{own}/wallets/x/alerts", "wallet_not_found"),
            (f"{purse.alerts}/x", "alert_not_found"),
        ):
            assert (await kit.get(purse.client, path, expect=404))["code"] == code


async def test_a_wave_of_customers_takes_the_statements_of_one(organization, database, count_statements):
    """Of the same metric and window; other metrics are other questions."""
    first = await Purse(organization, database).begin(granted_credits="100")
    others = [await Purse(organization, database).begin(granted_credits="100", like=first) for _ in range(4)]
    purses = others  # they began at the same second
    for purse in purses:
        await purse.use(25)
        await purse.alert("wallet_ongoing_balance_amount", (8000, "warn"))
    ids = [UUID(purse.customer["lago_id"]) for purse in purses]
    counts = []
    for some in (ids[:1], ids[1:]):
        async with database.tenant(organization.id) as tx:
            with count_statements() as statements:
                await refresh_wallets(tx, some, now=datetime.now(UTC))
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 31
    assert [await purse.ongoing() for purse in purses] == [(10000, 2500)] * 4


class TestAfterABillingRun:
    """Four customers are billed together; the last one has used 3 of the new period already."""

    @pytest.mark.parametrize(
        ("priced", "expected_cents"),
        [
            pytest.param({"amount": "1"}, [0, 0, 0, 300], id="nothing costs nothing"),
            pytest.param(
                {
                    "graduated_ranges": [
                        {"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "5"}
                    ]
                },
                [500, 500, 500, 800],
                id="a first tier costs 5.00 whatever is used",
            ),
        ],
    )
    async def test_each_has_what_its_own_running_period_comes_to(
        self, make_organization, priced, expected_cents
    ):
        organization = await make_organization("2026-01-10T00:00:00Z")
        client = organization.client
        metric = await kit.metric(client)
        model = "standard" if "amount" in priced else "graduated"
        plan = await kit.plan(client, kit.charge(metric, model, **priced))
        wallets, subscriptions = [], []
        for _ in expected_cents:
            who = await kit.customer(client, currency="EUR")
            body = {
                "external_customer_id": who["external_id"],
                "rate_amount": "1",
                "currency": "EUR",
                "granted_credits": "20",
            }
            wallets.append((await kit.post(client, "/wallets", {"wallet": body}))["wallet"])
            subscriptions.append(await kit.subscribe(client, who, plan))
            await kit.send(client, subscriptions[-1], metric, 2)
        await kit.advance(client, "2026-02-01T00:05")
        await kit.send(client, subscriptions[-1], metric, 3)
        await kit.advance(client, "2026-02-01T00:11")
        shown = [
            (await kit.get(client, f"/wallets/{wallet['lago_id']}"))["wallet"]["ongoing_usage_balance_cents"]
            for wallet in wallets
        ]
        assert shown == expected_cents

    async def test_what_recurs_is_carried_over_for_each(self, make_organization):
        """2, 3 and 4 seats go on at 1.00 each, though nothing happened in the new period."""
        organization = await make_organization("2026-01-10T00:00:00Z")
        client = organization.client
        seats = await kit.metric(client, "sum_agg", recurring=True)
        plan = await kit.plan(client, kit.charge(seats))
        shown = []
        wallets = []
        for count in (2, 3, 4):
            who = await kit.customer(client, currency="EUR")
            body = {"external_customer_id": who["external_id"], "rate_amount": "1", "currency": "EUR"}
            wallets.append((await kit.post(client, "/wallets", {"wallet": body}))["wallet"])
            await kit.send(client, await kit.subscribe(client, who, plan), seats, count)
        await kit.advance(client, "2026-02-01T00:11")
        for wallet in wallets:
            found = (await kit.get(client, f"/wallets/{wallet['lago_id']}"))["wallet"]
            shown.append(found["ongoing_usage_balance_cents"])
        assert shown == [200, 300, 400]
