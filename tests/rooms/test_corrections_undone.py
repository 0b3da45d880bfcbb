"""What was corrected and put right again leaves usage, drafts and balances as they were (beyond.md §3)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from tests import kit

KINDS: tuple[tuple[str, kit.Json], ...] = (
    ("count_agg", {}),
    ("sum_agg", {}),
    ("sum_agg", {"recurring": True}),
    ("max_agg", {}),
    ("latest_agg", {}),
    ("unique_count_agg", {"recurring": True}),
    ("weighted_sum_agg", {"weighted_interval": "seconds", "recurring": True}),
)
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 10, tzinfo=UTC)

hours = st.integers(0, 40 * 24 - 1)
values = st.sampled_from([0, 1, 2, 5, 7, -3, "x"])
codes = st.sampled_from([f"m{index}" for index in range(len(KINDS))])
corrections = st.one_of(
    st.tuples(st.just("amend"), st.integers(0, 20), values, hours),
    st.tuples(st.just("void"), st.integers(0, 20)),
    st.tuples(st.just("backfill"), codes, hours, st.integers(1, 400), st.lists(values, max_size=3)),
)


def at(hour):
    return START + timedelta(hours=hour)


class Meter:
    """A customer whose January is a draft, with a wallet, and events that are corrected."""

    def __init__(self, client, sent):
        self.client, self.sent, self.begun = client, sent, 0

    async def start(self):
        client = self.client
        charges = [
            kit.charge(await kit.metric(client, kind, code=f"m{index}", **more), amount="1.37")
            for index, (kind, more) in enumerate(KINDS)
        ]
        # The last price reads single events: it is never read from roll-ups.
        charges[1] = {
            **charges[1],
            "charge_model": "percentage",
            "properties": {"rate": "10", "fixed_amount": "0.5", "free_units_per_events": 1},
        }
        who = await kit.customer(client, currency="EUR", billing_configuration={"invoice_grace_period": 60})
        self.who = who
        self.subscription = await kit.subscribe(
            client, who, await kit.plan(client, *charges), external_id="sub"
        )
        wallet = {"external_customer_id": who["external_id"], "rate_amount": "1", "currency": "EUR"}
        await kit.post(client, "/wallets", {"wallet": {**wallet, "granted_credits": "100"}})
        await kit.advance(client, NOW.strftime("%Y-%m-%d"))
        for index, (code, value, hour) in enumerate(self.sent):
            event = {"transaction_id": f"e{index}", "external_subscription_id": "sub", "code": code}
            event |= {"timestamp": at(hour).timestamp(), "properties": {"value": value}}
            await kit.post(client, "/events", {"event": event})

    async def seen(self):
        """All that follows from events, in short."""
        client = self.client
        (draft,) = await kit.invoices(client, self.who)
        draft = (await kit.call(client, "PUT", f"/invoices/{draft['lago_id']}/refresh"))["invoice"]
        usage = await kit.usage(client, self.who, self.subscription)
        (wallet,) = (await kit.get(client, "/wallets"))["wallets"]
        unmatched = (await kit.get(client, "/events", unmatched="true"))["events"]
        return (
            sorted((fee["item"]["code"], fee["units"], fee["amount_cents"]) for fee in draft["fees"]),
            [
                (one["billable_metric"]["code"], one["units"], one["events_count"], one["amount_cents"])
                for one in usage["charges_usage"]
            ],
            wallet["ongoing_balance_cents"],
            sorted((one["transaction_id"], one["unmatched_reason"]) for one in unmatched),
        )

    async def do(self, how, *told):
        """Do a correction; what undoes it."""
        return await getattr(self, how)(*told)

    async def amend(self, number, value, hour):
        name = f"e{number % len(self.sent)}"
        changes = {"properties": {"value": value}, "timestamp": at(hour).timestamp()}
        before = await self.newest(name)
        await self.correct(name, "amend", **changes)
        return lambda: self.restore(name, before)

    async def void(self, number):
        name = f"e{number % len(self.sent)}"
        before = await self.newest(name)
        if before["status"] == "voided":
            await self.correct(name, "amend")
        else:
            await self.correct(name, "void")
        return lambda: self.restore(name, before)

    async def newest(self, name):
        found = await kit.get(self.client, f"/events/{name}/versions", external_subscription_id="sub")
        return found["versions"][-1]

    async def restore(self, name, before):
        at_time = datetime.fromisoformat(before["timestamp"]).timestamp()
        await self.correct(name, "amend", properties=before["properties"], timestamp=at_time)
        if before["status"] == "voided":
            await self.correct(name, "void")

    async def correct(self, name, how, **changes):
        body = {"event": {"external_subscription_id": "sub", "reason": "r", **changes}}
        await kit.post(self.client, f"/events/{name}/{how}", body)

    async def backfill(self, code, hour, length, brought):
        self.begun += 1
        asked = {"external_subscription_id": "sub", "code": code, "reason": "r"}
        asked |= {"from": at(hour).isoformat(), "to": at(hour + length).isoformat()}
        made = (await kit.post(self.client, "/event_backfills", {"event_backfill": asked}))["event_backfill"]
        events = [
            {
                "transaction_id": f"b{self.begun} {index}",
                "timestamp": (at(hour) + timedelta(minutes=index)).timestamp(),
                "properties": {"value": value},
            }
            for index, value in enumerate(brought)
        ]
        path = f"/event_backfills/{made['lago_id']}"
        if events:
            await kit.post(self.client, f"{path}/events", {"events": events})
        await kit.post(self.client, f"{path}/close", None)
        return lambda: kit.post(self.client, f"{path}/revert", None)


@pytest.mark.parametrize("is_rolled", [False, True], ids=["from events", "from roll-ups"])
@settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    sent=st.lists(st.tuples(codes, values, hours), min_size=4, max_size=10),
    told=st.lists(corrections, min_size=2, max_size=5),
)
async def test_all_is_as_it_was(make_organization, database, is_rolled, sent, told):
    organization = await make_organization("2026-01-01T00:00:00Z")
    meter = Meter(organization.client, sent)
    await meter.start()
    note(f"{sent} {told}")
    if is_rolled:
        await kit.roll_up(database, organization.id)
    before, undo = [], []
    for correction in told:
        before.append(await meter.seen())
        undo.append(await meter.do(*correction))
        if is_rolled and len(undo) == 2:
            await kit.roll_up(database, organization.id)
    for put_right in reversed(undo):
        await put_right()
        assert await meter.seen() == before.pop()
    await kit.assert_audit_clean(database, organization.id)
