"""Whatever comes when, and however it is corrected: each event is billed once, is usage, or is told to count nowhere (beyond.md §2, §3)."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from tests import kit

START = datetime(2026, 1, 1, tzinfo=UTC)
LONGEST = 75 * 24

steps = st.lists(
    st.one_of(
        # How many hours go by, and how many before that an event happened.
        st.tuples(st.just("send"), st.integers(0, 15 * 24), st.integers(-10, 50 * 24)),
        st.tuples(st.just("send"), st.integers(0, 3), st.integers(-10, 5 * 24)),
        st.tuples(
            st.just("settings"), st.sampled_from([None, 1, 5, 30]), st.sampled_from(["reject", "open_period"])
        ),
        st.tuples(st.just("move"), st.integers(0, 20), st.integers(0, 10 * 24)),
        st.tuples(st.just("void"), st.integers(0, 20), st.none()),
        st.tuples(st.just("restore"), st.integers(0, 20), st.none()),
        st.tuples(st.just("upgrade"), st.none(), st.none()),
    ),
    min_size=5,
    max_size=16,
)


class Life:
    """One subscription that is billed monthly with five days of grace, by number of units; event n has 2^n of them."""

    def __init__(self, client):
        self.client, self.hour, self.sent, self.plans = client, 0, 0, 0

    async def start(self):
        client = self.client
        self.metric = await kit.metric(client, code="calls")
        self.who = await kit.customer(
            client, currency="EUR", billing_configuration={"invoice_grace_period": 5}
        )
        await self.upgrade()

    async def upgrade(self, *_):
        self.plans += 1
        plan = await kit.plan(self.client, kit.charge(self.metric), amount_cents=self.plans * 100)
        self.subscription = await kit.subscribe(self.client, self.who, plan, external_id="sub")

    async def send(self, later, before):
        await self.wait(later)
        event: kit.Json = {
            "transaction_id": f"e{self.sent}",
            "external_subscription_id": "sub",
            "code": "calls",
        }
        at = START + timedelta(hours=max(self.hour - before, 0))
        event |= {"timestamp": at.timestamp(), "properties": {"value": 2**self.sent}}
        self.sent += 1
        await kit.post(self.client, "/events", {"event": event})

    async def wait(self, hours):
        self.hour = min(self.hour + hours, LONGEST)
        await kit.advance(self.client, (START + timedelta(hours=self.hour)).strftime("%Y-%m-%dT%H:%M"))

    async def settings(self, days, policy):
        metering = {"late_event_window_days": days, "late_event_policy": policy}
        await kit.call(self.client, "PUT", "/organizations", {"organization": {"metering": metering}})

    async def move(self, number, before):
        at = START + timedelta(hours=max(self.hour - before, 0))
        await self.correct(number, "amend", timestamp=at.timestamp())

    async def void(self, number, _):
        await self.correct(number, "void")

    async def restore(self, number, _):
        await self.correct(number, "amend")

    async def correct(self, number, how, **changes):
        """What is billed is refused: that is right too."""
        if self.sent:
            body = {"event": {"external_subscription_id": "sub", "reason": "r", **changes}}
            path = f"/events/e{number % self.sent}/{how}"
            answer = await self.client.post(path, json=body)
            assert answer.status_code in (200, 405), answer.text

    async def found(self):
        """Where each event is, as often as it is there."""
        client = self.client
        places = Counter[int]()
        for invoice in await kit.invoices(client, self.who):
            if invoice["status"] == "draft":
                path = f"/invoices/{invoice['lago_id']}/refresh"
                invoice = (await kit.call(client, "PUT", path))["invoice"]
            places += self.events_of(
                fee["units"] for fee in invoice["fees"] if fee["item"]["type"] == "charge"
            )
        (charge,) = (await kit.usage(client, self.who, self.subscription))["charges_usage"]
        places += self.events_of([charge["units"]])
        unmatched = (await kit.get(client, "/events", unmatched="true"))["events"]
        places += Counter(int(event["transaction_id"][1:]) for event in unmatched)
        return places

    def events_of(self, units):
        told = list(units)
        return Counter(number for number in range(self.sent) for text in told if int(float(text)) & 2**number)

    async def expected(self):
        """Once each, but what is voided."""
        found = Counter[int]()
        for number in range(self.sent):
            path = f"/events/e{number}/versions"
            versions = (await kit.get(self.client, path, external_subscription_id="sub"))["versions"]
            found[number] = int(versions[-1]["status"] == "counted")
        return +found


@settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(told=steps)
async def test_each_event_is_in_one_place(make_organization, database, told):
    organization = await make_organization("2026-01-01T00:00:00Z")
    life = Life(organization.client)
    await life.start()
    note(str(told))
    for what, *how in told:
        await getattr(life, what)(*how)
    assert await life.found() == await life.expected()
    await life.wait(40 * 24)
    assert await life.found() == await life.expected()
    await kit.assert_audit_clean(database, organization.id)
