"""How much an organization may have: events, members, keys, exports; and that nobody loses an event, or a place, for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, text
from tests.conftest import ADMIN_KEY
from tests.kit import call, get, metric, post
from tests.people import sign_up

from tallymark.api.tenant_limits import Limit
from tallymark.app import running
from tallymark.commands import change_limits
from tallymark.db.engine import plain_url
from tallymark.db.tables import event_counts, events, staff_deeds
from tallymark.domain.errors import TooMany
from tallymark.metering.allowance import UNSAID, Allowance, EventLimits
from tallymark.settings import Settings

MARCH = datetime(2026, 3, 5, 12, tzinfo=UTC)
EXCEEDED = {"base": ["exceeded_limit"]}


class Clock:
    """A clock that stands until it is moved, in seconds."""

    def __init__(self) -> None:
        self.shows = 0.0

    def __call__(self) -> float:
        return self.shows


async def ask(allowance, organization_id, count, limits=UNSAID, now=MARCH):
    """What a request of so many events is refused with; None where it is taken."""
    try:
        await allowance.ticket(organization_id, limits, now).ask(count)
    except TooMany as error:
        return error
    return None


class TestCounting:
    async def test_a_minute_begins_with_its_first_event(self, database):
        clock, acme = Clock(), uuid4()
        allowance = Allowance(database, per_minute=10, clock=clock)
        assert await ask(allowance, acme, 6) is None
        assert await ask(allowance, acme, 4) is None
        clock.shows = 45.0
        refused = await ask(allowance, acme, 1)
        assert (refused.code, refused.limit) == ("events_per_minute_exceeded", 10)
        assert refused.wait == timedelta(seconds=15)
        assert await ask(allowance, uuid4(), 10) is None, "others have minutes of their own"
        clock.shows = 60.0
        assert await ask(allowance, acme, 10) is None

    async def test_a_fresh_minute_takes_one_request_of_any_size(self, database):
        allowance, acme = Allowance(database, per_minute=10, clock=Clock()), uuid4()
        assert await ask(allowance, acme, 25) is None
        assert await ask(allowance, acme, 1) is not None

    async def test_what_was_not_stored_is_given_back(self, database):
        allowance, acme = Allowance(database, per_minute=10, per_month=10, clock=Clock()), uuid4()
        ticket = allowance.ticket(acme, UNSAID, MARCH)
        await ticket.ask(10)
        ticket.give_back()
        ticket.give_back()
        assert await ask(allowance, acme, 10) is None
        assert await ask(allowance, acme, 1) is not None

    async def test_what_is_said_of_an_organization_counts_before_the_settings(self, database):
        allowance = Allowance(database, per_minute=1, per_month=1, clock=Clock())
        free, larger = EventLimits(per_minute=0, per_month=0), EventLimits(per_minute=5, per_month=3)
        one, other = uuid4(), uuid4()
        assert [await ask(allowance, one, 50, free) for _ in range(2)] == [None, None]
        assert [await ask(allowance, other, 1, larger) for _ in range(3)] == [None, None, None]
        refused = await ask(allowance, other, 1, larger)
        assert (refused.code, refused.limit) == ("events_per_month_exceeded", 3)

    async def test_a_month_is_shared_by_processes_and_ends_with_it(self, database, make_organization):
        acme = (await make_organization("2026-03-01T00:00:00Z")).id
        one, other = Allowance(database, per_month=100), Allowance(database, per_month=100)
        assert await ask(one, acme, 60) is None
        await one.sync()
        assert await ask(other, acme, 30) is None
        await other.sync()
        assert await ask(one, acme, 1) is None, "which does not know of the 30 yet"
        await one.sync()
        refused = await ask(one, acme, 10)
        assert refused.code == "events_per_month_exceeded"
        assert refused.wait == timedelta(days=26, hours=12), "from noon of 5 March to April"
        assert await ask(one, acme, 9) is None
        assert await ask(one, acme, 100, now=MARCH + timedelta(days=27)) is None, "of April"
        await one.sync()
        async with database.system() as connection:
            kept = await connection.execute(
                select(event_counts.c.month, event_counts.c.events)
                .where(event_counts.c.organization_id == acme)
                .order_by(event_counts.c.month)
            )
            assert [(f"{row.month:%B}", row.events) for row in kept] == [("March", 100), ("April", 100)]

    async def test_counts_that_could_not_be_added_up_are_not_added_twice(self, database, monkeypatch):
        allowance, nobody = Allowance(database, per_month=100), uuid4()
        assert await ask(allowance, nobody, 60) is None
        with pytest.raises(Exception, match="foreign key"):  # an organization that there is not
            await allowance.sync()
        assert await ask(allowance, nobody, 100) is None


@pytest.fixture
async def limited(database_url, tmp_path):
    """An installation where an organization may have a little of each."""
    options = Settings(
        public_url="http://test",
        data_dir=tmp_path,
        admin_api_key=ADMIN_KEY,
        limit_events_per_month=5,
        limit_members=2,
        limit_api_keys=2,
        limit_exports_under_way=1,
    )
    async with running(options, database_url) as parts:
        yield parts


@pytest.fixture
async def operator(limited):
    transport = httpx.ASGITransport(limited.asgi, raise_app_exceptions=False)
    headers = {"X-Admin-API-Key": ADMIN_KEY}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


@pytest.fixture
async def person(limited):
    found = await sign_up(limited)
    found.browser.headers["X-Lago-Organization"] = found.organization_id
    return found


async def shown(person):
    """What an organization is told of its limits: how much is used, and how much there may be."""
    return {
        one["code"]: (one["used"], one["allowed"]) for one in (await get(person.browser, "/limits"))["limits"]
    }


class TestEvents:
    async def test_beyond_the_month_are_refused_and_none_of_them_taken(self, limited, operator, person):
        key = (await post(person.browser, "/api_keys", {}))["api_key"]["value"]
        client = operator
        client.headers["Authorization"] = f"Bearer {key}"
        client.base_url = "http://test/api/v1"
        await metric(client, "count_agg", code="calls")

        def sent(*names):
            return [
                {"transaction_id": name, "external_subscription_id": "s", "code": "calls"} for name in names
            ]

        await post(client, "/events/batch", {"events": sent("a", "b", "c", "d")})
        again = await post(client, "/events/batch", {"events": sent("a")}, expect=422)
        assert again["error_details"] == {"0": {"transaction_id": ["value_already_exist"]}}
        refused = await client.post("/events/batch", json={"events": sent("e", "f")})
        assert refused.status_code == 429
        assert refused.json() == {
            "status": 429,
            "error": "Too Many Requests",
            "code": "events_per_month_exceeded",
        }
        assert refused.headers["x-ratelimit-limit"] == "5"
        assert refused.headers["retry-after"] == refused.headers["x-ratelimit-reset"]
        assert 0 < int(refused.headers["retry-after"]) <= 31 * 86400
        await post(client, "/events", {"event": sent("g")[0]})
        await post(client, "/events", {"event": sent("h")[0]}, expect=429)
        async with limited.database.tenant(person.organization_id) as tx:
            assert (await tx.execute(select(func.count()).select_from(events))).scalar_one() == 5
        # The operator lets them have more; what was refused is sent again, and taken once.
        path = f"http://test/admin/organizations/{person.organization_id}/limits"
        await call(client, "PUT", path, {"events_per_month": 8})
        await post(client, "/events/batch", {"events": sent("e", "f")})
        async with limited.database.tenant(person.organization_id) as tx:
            assert (await tx.execute(select(func.count()).select_from(events))).scalar_one() == 7


class TestWhatThereIs:
    async def test_members_and_those_who_are_invited(self, person, limited):
        app = person.browser
        invite = (await post(app, "/invites", {"email": "b@acme.test", "roles": ["admin"]}))["invite"]
        refused = await post(app, "/invites", {"email": "c@acme.test", "roles": ["admin"]}, expect=422)
        assert refused["error_details"] == EXCEEDED
        assert (await shown(person))["members"] == (2, 2)
        await call(app, "DELETE", f"/invites/{invite['lago_id']}")
        await post(app, "/invites", {"email": "c@acme.test", "roles": ["admin"]})

    async def test_keys_that_have_not_ended(self, person):
        app = person.browser
        (first,) = (await get(app, "/api_keys"))["api_keys"]
        second = (await post(app, "/api_keys", {}))["api_key"]
        assert (await post(app, "/api_keys", {}, expect=422))["error_details"] == EXCEEDED
        await post(app, f"/api_keys/{first['lago_id']}/rotate", {})
        await call(app, "DELETE", f"/api_keys/{second['lago_id']}")
        await post(app, "/api_keys", {})
        assert (await shown(person))["api_keys"] == (2, 2)

    async def test_exports_under_way(self, person, limited):
        app = person.browser
        app.base_url = "http://test/api/v1"
        wanted = {"data_export": {"resource_type": "invoices", "format": "csv", "filters": {}}}
        export = (await post(app, "/data_exports", wanted))["data_export"]
        assert (await post(app, "/data_exports", wanted, expect=422))["error_details"] == EXCEEDED
        await limited.tasks.export_data(organization_id=person.organization_id, export_id=export["lago_id"])
        await post(app, "/data_exports", wanted)


class TestSettingLimits:
    async def test_is_the_operators(self, limited, person, operator):
        path = f"/admin/organizations/{person.organization_id}/limits"
        answer = await call(operator, "PUT", path, {"members": 0, "api_keys": 7, "events_per_month": None})
        told = {one["code"]: (one["own"], one["allowed"]) for one in answer["limits"]}
        assert told == {
            "events_per_minute": (None, None),
            "events_per_month": (None, 5),
            "members": (0, None),
            "api_keys": (7, 7),
            "exports_under_way": (None, 1),
        }
        assert await call(operator, "GET", path) == answer
        assert await shown(person) == {
            "events_per_minute": (None, None),
            "events_per_month": (0, 5),
            "members": (1, None),
            "api_keys": (1, 7),
            "exports_under_way": (0, 1),
        }
        await call(operator, "PUT", path, {"api_keys": None})
        assert (await shown(person))["api_keys"] == (1, 2)
        assert (await shown(person))["members"] == (1, None), "what is not sent stays"
        other = await sign_up(limited)
        other.browser.headers["X-Lago-Organization"] = other.organization_id
        assert (await shown(other))["members"] == (1, 2), "and is nobody else's"

    async def test_is_noted_in_the_audit_of_staff(self, limited, person, operator, database_url):
        """By the admin API or the shell, one note for each limit that is another one then."""
        path = f"/admin/organizations/{person.organization_id}/limits"
        await call(
            operator, "PUT", path, {"members": 7, "api_keys": None}
        )  # the keys' has been unsaid before
        more = {Limit.MEMBERS: 7, Limit.EXPORTS_UNDER_WAY: 0}
        await change_limits(
            plain_url(database_url), person.organization_id, more, dict.fromkeys(Limit, 0), now=MARCH
        )
        statement = select(staff_deeds).filter_by(about_organization_id=UUID(person.organization_id))
        async with limited.database.system() as connection:
            noted = await connection.execute(statement.order_by(staff_deeds.c.id))
        assert [
            (one.login, one.via, one.verb, one.subject_id, one.reason, one.before, one.after) for one in noted
        ] == [
            (
                "operator",
                via,
                "limited",
                f"{person.organization_id}:{limit}",
                None,
                {"own": None},
                {"own": own},
            )
            for via, limit, own in (("admin_key", "members", 7), ("shell", "exports_under_way", 0))
        ]

    @pytest.mark.parametrize("number", [-1, "5", 1.5, True, 2**53])
    async def test_takes_whole_numbers(self, person, operator, number):
        path = f"/admin/organizations/{person.organization_id}/limits"
        refused = await call(operator, "PUT", path, {"members": number}, expect=422)
        assert list(refused["error_details"]) == ["members"]
        assert (await shown(person))["members"] == (1, 2)

    async def test_says_something(self, person, operator):
        path = f"/admin/organizations/{person.organization_id}/limits"
        for body in ({}, {"seats": 5}):
            refused = await call(operator, "PUT", path, body, expect=422)
            assert refused["error_details"] == {"base": ["value_is_mandatory"]}

    async def test_needs_an_organization(self, operator):
        for name in (uuid4(), "x"):
            for method, body in (("GET", None), ("PUT", {"members": 1})):
                path = f"/admin/organizations/{name}/limits"
                assert (await call(operator, method, path, body, expect=404))[
                    "code"
                ] == "organization_not_found"

    async def test_is_nothing_a_tenant_can_do(self, limited, person):
        async with limited.database.tenant(person.organization_id) as tx:
            for statement in (
                "UPDATE organization_limits SET members = 0",
                "DELETE FROM event_counts",
            ):
                with pytest.raises(Exception, match="permission denied"):
                    async with tx.part():
                        await tx.execute(text(statement))
