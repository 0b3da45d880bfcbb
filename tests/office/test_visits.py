"""Staff look into an organization as one of its members: for a while, for a reason, under their own name, and not beyond it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from tests import people
from tests.office.conftest import ANN, act, deeds

from tallymark.db.tables import memberships, staff_visits, user_sessions
from tallymark.jobs.deeds import Staff, Via
from tallymark.rooms.staff import visits


@pytest.fixture
async def host(application):
    """An admin of an organization of their own."""
    person = await people.sign_up(application, name="Visited")
    person.browser.headers["X-Lago-Organization"] = person.organization_id
    return person


async def membership_of(database, person):
    async with database.system() as connection:
        own = select(memberships.c.id).where(memberships.c.user_id == UUID(person.user["lago_id"]))
        return (await connection.execute(own)).scalars().first()


async def ask(ann, membership_id, **form):
    """Fill in the form of a visit, and send it."""
    path = f"/visit?member={membership_id}"
    page = await ann.get(path)
    assert page.status_code == 200
    body = {
        "mode": "look",
        "minutes": "30",
        "reason": "Ticket 42",
        "csrftoken": ann.cookies["starlette_admin_csrftoken"],
    }
    return await ann.post(path, data={**body, **form})


async def look_in(application, ann, database, host, **form):
    """A browser of staff who look in as the host."""
    sent = await ask(ann, await membership_of(database, host), **form)
    assert sent.status_code == 303
    site, _, token = sent.headers["location"].rpartition("/")
    assert site == "http://test/visit"
    visitor = people.browser(application)
    visitor.headers["X-Lago-Organization"] = host.organization_id
    begun = await visitor.post("/visits", json={"token": token})
    assert begun.status_code == 200, begun.text
    again = await people.browser(application).post("/visits", json={"token": token})
    assert (again.status_code, again.json()["code"]) == (404, "visit_not_found"), "a link is good once"
    return visitor, begun.json()["user"]


class TestAVisit:
    async def test_shows_what_the_member_sees_and_changes_nothing(self, application, ann, database, host):
        visitor, user = await look_in(application, ann, database, host)
        assert (user["email"], user["visit"]["staff"], user["visit"]["reason"]) == (
            host.email,
            ANN,
            "Ticket 42",
        )
        assert user["visit"]["is_read_only"] is True
        (membership,) = user["memberships"]
        assert all(name.endswith(":view") for name in membership["permissions"])
        assert (await visitor.get("http://test/api/v1/customers")).status_code == 200
        refused = await visitor.post("http://test/api/v1/customers", json={"customer": {"external_id": "x"}})
        assert refused.status_code == 403
        assert (await visitor.get("http://test/api/v1/customers/x")).status_code == 404

    async def test_that_may_change_things_is_in_the_activity_log_by_staffs_own_name(
        self, application, ann, database, host
    ):
        visitor, _ = await look_in(application, ann, database, host, mode="act")
        made = await visitor.post("http://test/api/v1/customers", json={"customer": {"external_id": "acme"}})
        assert made.status_code == 200, made.text
        logged = (await host.browser.get("http://test/api/v1/activity_logs")).json()["activity_logs"]
        entry = next(entry for entry in logged if entry["activity_type"] == "customer.created")
        assert (entry["user_email"], entry["activity_source"]) == (ANN, "front")

    async def test_makes_nothing_that_outlasts_it(self, application, ann, database, host):
        visitor, user = await look_in(application, ann, database, host, mode="act")
        assert (await visitor.post("/api_keys", json={"name": "Mine"})).status_code == 403
        invite = {"email": "eve@acme.test", "roles": ["admin"]}
        assert (await visitor.post("/invites", json=invite)).status_code == 403
        password = {"password": people.PASSWORD, "new_password": "another of mine"}
        assert (await visitor.put("/password", json=password)).status_code == 403
        held = set(user["memberships"][0]["permissions"])
        assert {"customers:create", "organization:members:view"} <= held
        assert not held & {
            "developers:keys:manage",
            "roles:create",
            "authentication_methods:update",
            "organization:integrations:update",
        }

    async def test_is_of_one_organization(self, application, ann, database, host, make_organization):
        other = await people.sign_up(application, name="Not visited")
        visitor, user = await look_in(application, ann, database, host)
        assert [one["organization"]["lago_id"] for one in user["memberships"]] == [host.organization_id]
        answer = await visitor.get(
            "http://test/api/v1/customers", headers={"X-Lago-Organization": other.organization_id}
        )
        assert answer.status_code == 404

    async def test_ends_in_its_time_however_much_it_is_used(self, application, ann, database, host):
        visitor, user = await look_in(application, ann, database, host, minutes="15")
        until = datetime.fromisoformat(user["visit"]["expires_at"])
        assert timedelta(minutes=14) < until - datetime.now(UTC) <= timedelta(minutes=15)
        assert (await visitor.get("/session")).json()["user"]["visit"]["expires_at"] == user["visit"][
            "expires_at"
        ]
        async with database.system() as connection:
            own = user_sessions.c.visit_id.is_not(None)
            await connection.execute(update(user_sessions).where(own).values(expires_at=datetime.now(UTC)))
        assert (await visitor.get("/session")).status_code == 401

    async def test_is_ended_by_who_looks_in_or_by_other_staff(self, application, ann, database, host):
        first, _ = await look_in(application, ann, database, host)
        second, _ = await look_in(application, ann, database, host)
        assert (await first.delete("/session")).status_code == 200
        async with database.system() as connection:
            own = staff_visits.c.user_id == UUID(host.user["lago_id"])
            rows = (
                await connection.execute(select(staff_visits).where(own).order_by(staff_visits.c.id))
            ).all()
        assert [row.ended_at is not None for row in rows] == [True, False]
        page = await ann.get("/visits/list")
        assert "under way" in page.text
        assert (await act(ann, "visits", "end", rows[1].id, reason="Enough seen")).status_code == 200
        assert (await second.get("/session")).status_code == 401
        assert (await act(ann, "visits", "end", rows[1].id)).status_code == 400, "it is over"

    async def test_is_noted_before_it_begins(self, ann, database, host):
        assert (await ask(ann, await membership_of(database, host))).status_code == 303
        (deed,) = await deeds(database, verb="visited", subject_id=host.user["lago_id"])
        assert (deed.login, deed.reason, deed.subject) == (ANN, "Ticket 42", host.email)
        assert str(deed.about_organization_id) == host.organization_id
        assert deed.after["is_read_only"] is True


class TestNoVisit:
    @pytest.mark.parametrize("form", [{"reason": " "}, {"minutes": "600"}, {"minutes": ""}])
    async def test_without_a_reason_or_for_ever(self, ann, database, host, form):
        assert (await ask(ann, await membership_of(database, host), **form)).status_code == 422
        assert await deeds(database, verb="visited", subject_id=host.user["lago_id"]) == []

    async def test_of_somebody_who_is_suspended(self, ann, database, host):
        membership_id = await membership_of(database, host)
        await act(ann, "people", "suspend", host.user["lago_id"])
        assert (await ann.get(f"/visit?member={membership_id}")).status_code == 404

    async def test_by_a_link_that_is_a_minute_old(self, database, host):
        now = datetime(2026, 1, 1, tzinfo=UTC)
        wanted = visits.Wanted(
            membership_id=await membership_of(database, host), minutes=30, is_read_only=True, reason="Late"
        )
        async with database.system() as connection:
            staff = Staff(login=ANN, via=Via.LINK)
            token = await visits.open_visit(connection, staff, wanted, now=now)
            with pytest.raises(Exception, match="visit_not_found"):
                await visits.begin_visit(connection, token, now=now + timedelta(minutes=1))
