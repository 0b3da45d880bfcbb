"""From which address and which client an event came: kept with it, shown by the app alone (ui §5, metering §1.1, decision 46)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.people import join

from tallymark.app import running
from tallymark.metering import senders
from tallymark.rooms.events.jobs import forget_senders
from tallymark.settings import Settings

AGENT = "Lago Ruby v1.0"


def an_event(**more):
    return {"transaction_id": uuid4().hex, "code": "calls", "external_subscription_id": "sub", **more}


async def send(client, *events, agent=AGENT):
    """Events in one request, as a client of that name sends them; their ids."""
    single = len(events) == 1
    body = {"event": events[0]} if single else {"events": list(events)}
    answer = await client.post(
        "/events" if single else "/events/batch", json=body, headers={"User-Agent": agent}
    )
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return [one["lago_id"] for one in ([found["event"]] if single else found["events"])]


async def sender(browser, event_id, *, expect=200):
    found = await kit.get(browser, f"http://test/app/v1/events/{event_id}/sender", expect=expect)
    return (found["event_sender"]["ip_address"], found["event_sender"]["client"]) if expect == 200 else found


async def kept(database, organization_id):
    """Month, address and client of all senders of an organization."""
    asked = text(
        "SELECT month, ip_address, client FROM event_senders WHERE organization_id = :id ORDER BY id"
    )
    async with database.system() as connection:
        return [tuple(row) for row in await connection.execute(asked, {"id": organization_id})]


@pytest.fixture
async def shop(application, make_organization):
    """An organization on the first of January, and somebody in it who has signed in."""
    made = await make_organization("2026-01-01T00:00:00Z")
    person = await join(application, made.id, ADMIN_KEY)
    yield made, person.browser
    await person.browser.aclose()


def from_address(application, organization, address):
    transport = httpx.ASGITransport(application.asgi, client=(address, 1234))
    headers = {"Authorization": f"Bearer {organization.api_key}"}
    return httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", headers=headers)


class TestWhatIsKept:
    async def test_is_the_address_and_the_client_of_each_request(self, application, database, shop):
        """A single event from one address, a batch from another: two rows for three events."""
        organization, browser = shop
        (one,) = await send(organization.client, an_event())
        async with from_address(application, organization, "2001:db8::7") as other:
            two, three = await send(other, an_event(), an_event(), agent="curl/8.5.0")
        assert await sender(browser, one) == ("127.0.0.1", AGENT)
        assert await sender(browser, two) == await sender(browser, three) == ("2001:db8::7", "curl/8.5.0")
        january = date(2026, 1, 1)
        assert await kept(database, organization.id) == [
            (january, "127.0.0.1", AGENT), (january, "2001:db8::7", "curl/8.5.0"),
        ]  # fmt: skip

    async def test_is_one_row_a_month_by_the_clock_of_the_organization(self, database, shop):
        organization, browser = shop
        first = await send(organization.client, an_event(), an_event())
        await kit.advance(organization.client, "2026-02-01")
        last = await send(organization.client, an_event())
        assert {await sender(browser, one) for one in first + last} == {("127.0.0.1", AGENT)}
        assert [month for month, *_ in await kept(database, organization.id)] == [
            date(2026, 1, 1), date(2026, 2, 1),
        ]  # fmt: skip

    async def test_is_cut_off_where_it_is_endless_and_empty_where_it_is_unsaid(self, shop):
        organization, browser = shop
        (long,) = await send(organization.client, an_event(), agent="x" * 300)
        (unsaid,) = await send(organization.client, an_event(), agent="")
        assert await sender(browser, long) == ("127.0.0.1", "x" * 255)
        assert await sender(browser, unsaid) == ("127.0.0.1", None)

    async def test_stays_what_it_was_whoever_sends_or_amends_the_event_again(self, shop):
        organization, browser = shop
        sent = an_event()
        (one,) = await send(organization.client, sent)
        again = {"json": {"event": sent}, "headers": {"User-Agent": "another"}}
        assert (await organization.client.post("/events", **again)).status_code == 422
        change = {"external_subscription_id": "sub", "reason": "wrong", "properties": {"value": 2}}
        await kit.post(organization.client, f"/events/{sent['transaction_id']}/amend", {"event": change})
        assert await sender(browser, one) == ("127.0.0.1", AGENT)

    async def test_of_a_batch_that_is_refused_is_no_loss(self, shop):
        """Its transaction is taken back; who sent it is known all the same, and is there for the next."""
        organization, browser = shop
        known = an_event()
        await send(organization.client, known, agent="first")
        batch = {"json": {"events": [an_event(), known]}, "headers": {"User-Agent": "second"}}
        assert (await organization.client.post("/events/batch", **batch)).status_code == 422
        (one,) = await send(organization.client, an_event(), agent="second")
        assert await sender(browser, one) == ("127.0.0.1", "second")

    async def test_of_backfilled_events_is_who_added_them(self, shop):
        organization, browser = shop
        client = organization.client
        calls = await kit.metric(client, code="calls")
        who = await kit.customer(client, external_id="acme", currency="EUR")
        await kit.subscribe(client, who, await kit.plan(client, kit.charge(calls)), external_id="sub")
        await kit.advance(client, "2026-01-10")
        body = {"external_subscription_id": "sub", "code": "calls", "from": "2026-01-02", "to": "2026-01-05"}
        begun = await kit.post(client, "/event_backfills", {"event_backfill": {**body, "reason": "lost"}})
        path = f"/event_backfills/{begun['event_backfill']['lago_id']}"
        events = [an_event(timestamp=kit.epoch(f"2026-01-0{day}")) for day in (2, 3)]
        for event, agent in zip(events, ("meter 1", "meter 2"), strict=True):
            added = await client.post(
                f"{path}/events", json={"events": [event]}, headers={"User-Agent": agent}
            )
            assert added.status_code == 200, added.text
        await kit.post(client, f"{path}/close", None)
        for event, agent in zip(events, ("meter 1", "meter 2"), strict=True):
            stored = (await kit.get(client, f"/events/{event['transaction_id']}"))["event"]
            assert await sender(browser, stored["lago_id"]) == ("127.0.0.1", agent)

    async def test_is_of_so_many_senders_a_month_and_of_no_more(self, database, shop, monkeypatch):
        """Whoever calls itself anew with each request fills no table; those that are known stay so."""
        organization, browser = shop
        monkeypatch.setattr(senders, "MOST", 2)
        ids = [(await send(organization.client, an_event(), agent=f"agent {n}"))[0] for n in range(4)]
        found = [(await sender(browser, one))[1] for one in ids]
        assert found == ["agent 0", "agent 1", None, None]
        (again,) = await send(organization.client, an_event(), agent="agent 1")
        assert await sender(browser, again) == ("127.0.0.1", "agent 1")
        assert len(await kept(database, organization.id)) == 2

    async def test_is_nothing_where_the_operator_wants_so(self, database, database_url, shop, tmp_path):
        organization, browser = shop
        options = Settings(
            admin_api_key=ADMIN_KEY, public_url="http://test", data_dir=tmp_path, event_senders=False
        )
        async with (
            running(options, database_url) as silent,
            from_address(silent, organization, "203.0.113.9") as client,
        ):
            (one,) = await send(client, an_event())
        assert await sender(browser, one) == (None, None)
        assert await kept(database, organization.id) == []


class TestWhoSeesIt:
    async def test_is_somebody_of_the_organization_and_no_key(
        self, application, database, shop, make_organization
    ):
        organization, browser = shop
        (one,) = await send(organization.client, an_event())
        await kit.get(organization.client, f"http://test/app/v1/events/{one}/sender", expect=401)
        other = await make_organization()
        stranger = await join(application, other.id, ADMIN_KEY)
        assert (await sender(stranger.browser, one, expect=404))["code"] == "event_not_found"
        await stranger.browser.aclose()
        assert (await sender(browser, uuid4(), expect=404))["code"] == "event_not_found"
        manages = text("UPDATE memberships SET roles = '{manager}' WHERE organization_id = :id")
        async with database.system() as connection:
            await connection.execute(manages, {"id": organization.id})
        refused = await sender(browser, one, expect=403)
        assert refused["required_permissions"] == ["developers:manage"]

    async def test_tenants_write_none_of_others_and_change_none(self, database, shop):
        organization, _ = shop
        await send(organization.client, an_event())
        row = "VALUES (gen_random_uuid(), '2026-01-01', 'a', 'c')"
        for statement, why in (
            ("UPDATE event_senders SET client = ''", "permission denied"),
            ("DELETE FROM event_senders", "permission denied"),
            (f"INSERT INTO event_senders (organization_id, month, ip_address, client) {row}", "row-level"),
        ):
            with pytest.raises(Exception, match=why):
                async with database.tenant(organization.id) as tx:
                    await tx.execute(text(statement))

    async def test_the_api_tells_nothing_of_it(self, shop):
        """The contract's event has no such field (metering §1.1)."""
        organization, _ = shop
        sent = an_event()
        await send(organization.client, sent)
        shown = (await kit.get(organization.client, f"/events/{sent['transaction_id']}"))["event"]
        assert not {name for name in shown if "ip" in name.split("_") or "client" in name or "sender" in name}


class TestForgetting:
    async def test_takes_away_months_by_the_clock_of_their_organization(
        self, database, shop, make_organization
    ):
        """In March, one full month back is February: what came in January is forgotten, of the organization alone whose March it is."""
        organization, browser = shop
        (old,) = await send(organization.client, an_event())
        await kit.advance(organization.client, "2026-02-01")
        (new,) = await send(organization.client, an_event())
        live = await make_organization()
        await send(live.client, an_event())
        await forget_senders(database, now=datetime.now(UTC), months=1)
        assert len(await kept(database, organization.id)) == 2, "January is the full month before February"
        await kit.advance(organization.client, "2026-03-01")
        await forget_senders(database, now=datetime.now(UTC), months=1)
        assert await sender(browser, old) == (None, None)
        assert await sender(browser, new) == ("127.0.0.1", AGENT)
        assert len(await kept(database, live.id)) == 1
