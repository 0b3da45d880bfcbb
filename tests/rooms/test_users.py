"""People who sign in: by a password, by a link, as the first of all (platform §6, §7)."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from argon2 import PasswordHasher, Type
from pydantic import ValidationError
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from tests.conftest import cloned
from tests.kit import call
from tests.people import PASSWORD, browser, sign_in, sign_up
from tests.rooms.test_emails import Mailbox

from tallymark.api.role_permissions import PERMISSIONS, PREDEFINED
from tallymark.api.sessions import SessionCookie
from tallymark.app import running
from tallymark.db.tables import password_resets, security_logs, sign_ups, user_sessions, users
from tallymark.rooms.organizations.census import create_first_organization
from tallymark.rooms.users import guessing, passwords, service
from tallymark.rooms.users.jobs import forget_ended, send_password_reset
from tallymark.rooms.users.model import Device, hash_token
from tallymark.settings import Settings

WRONG = {"base": ["incorrect_login_or_password"]}
DEVICE = Device(user_agent="Browser/1", ip_address="10.9.9.9")


@pytest.fixture
async def anybody(application):
    async with browser(application, address="10.1.1.1") as client:
        yield client


async def entries(database, organization_id):
    """The events of an organization's security log, in order, with whose they are."""
    async with database.system() as connection:
        rows = await connection.execute(
            select(security_logs.c.log_event, security_logs.c.user_email)
            .where(security_logs.c.organization_id == organization_id)
            .order_by(security_logs.c.id)
        )
        return [tuple(row) for row in rows]


async def user_of(connection, email) -> Any:
    return await service.find_user(connection, email)


async def forgive_all(database):
    async with database.system() as connection:
        await connection.execute(text("DELETE FROM guesses"))


async def age_session(database, email, left):
    """Let a user's sessions end so soon."""
    async with database.system() as connection:
        whose = select(users.c.id).where(users.c.email == email).scalar_subquery()
        await connection.execute(
            update(user_sessions)
            .where(user_sessions.c.user_id == whose)
            .values(expires_at=datetime.now(UTC) + left)
        )


class TestSigningIn:
    async def test_shows_who_came_in(self, application, anybody):
        person = await sign_up(application)
        told = await sign_in(anybody, f" {person.email.upper()}")
        assert told["user"] == person.user
        assert (await call(anybody, "GET", "/session"))["user"] == person.user

    async def test_is_refused_alike_whatever_is_wrong(self, application, database, anybody):
        person, alone = await sign_up(application), await sign_up(application)
        async with database.system() as connection:
            await connection.execute(
                text("UPDATE memberships SET status = 'revoked' WHERE organization_id = :id"),
                {"id": alone.organization_id},
            )
        for email, password in (
            (person.email, "wrong"),
            (person.email, ""),
            (person.email, PASSWORD + "x" * 1000),
            ("nobody@acme.test", PASSWORD),
            ("", ""),
            (alone.email, PASSWORD),
        ):
            assert (await sign_in(anybody, email, password, expect=422))["error_details"] == WRONG

    async def test_takes_as_much_work_for_nobody(self, application, anybody, monkeypatch):
        person = await sign_up(application)
        compared = []
        compare = passwords._compare

        def note(kept, password):
            compared.append(kept)
            return compare(kept, password)

        monkeypatch.setattr(passwords, "_compare", note)
        for email in (person.email, "nobody@acme.test"):
            await sign_in(anybody, email, "wrong", expect=422)
        kept, nobodys = compared
        assert kept != nobodys
        assert kept.split("$")[:4] == nobodys.split("$")[:4], "the same parameters"

    async def test_needs_a_method_that_an_organization_takes(self, application, database, anybody):
        person = await sign_up(application)
        async with database.system() as connection:
            await connection.execute(
                text("UPDATE organizations SET authentication_methods = '{okta}' WHERE id = :id"),
                {"id": person.organization_id},
            )
        answer = await sign_in(anybody, person.email, expect=422)
        assert answer["error_details"] == {"email_password": ["login_method_not_authorized"]}
        async with database.system() as connection:
            user = await user_of(connection, person.email)
            (other,) = (
                await connection.execute(
                    text("SELECT id FROM organizations WHERE id <> :id LIMIT 1"),
                    {"id": person.organization_id},
                )
            ).one()
            await service.join(connection, user.id, other, ["finance"], now=datetime.now(UTC))
        belongs = (await sign_in(anybody, person.email))["user"]["memberships"]
        open_to = {one["organization"]["lago_id"]: one["organization"]["is_accessible"] for one in belongs}
        assert open_to == {person.organization_id: False, str(other): True}
        (there,) = [one for one in belongs if one["roles"] == ["finance"]]
        assert there["permissions"] == sorted(PREDEFINED["finance"])

    async def test_from_a_new_device_is_logged(self, application, database):
        person = await sign_up(application)
        for agent in ("Browser/1", "Browser/2", "Browser/2"):
            async with browser(application, agent=agent) as client:
                await sign_in(client, person.email)
        assert [event for event, _ in await entries(database, person.organization_id)] == [
            "user.signed_up",
            "user.new_device_logged_in",
        ]

    async def test_keeps_no_password_and_no_token(self, application, database):
        person = await sign_up(application)
        token = person.browser.cookies["tallymark_session"]
        async with database.system() as connection:
            user = await user_of(connection, person.email)
            (session,) = await connection.execute(
                select(user_sessions).where(user_sessions.c.user_id == user.id)
            )
        assert user.password_hash.startswith("$argon2id$")
        assert PASSWORD not in repr(user)
        assert user.password_hash not in repr(user)
        assert session.token_hash == hash_token(token)
        assert len(token) == 40

    def test_is_hashed_as_is_recommended(self, hasher_of_servers):
        """RFC 9106, section 4, second recommendation; of its lanes and passes none fewer."""
        strength = (hasher_of_servers.time_cost, hasher_of_servers.memory_cost, hasher_of_servers.parallelism)
        assert (hasher_of_servers.type, strength) == (Type.ID, (3, 65_536, 4))

    async def test_makes_a_weak_hash_stronger(self, application, database, anybody):
        person = await sign_up(application)
        weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
        async with database.system() as connection:
            await connection.execute(
                update(users).where(users.c.email == person.email).values(password_hash=weak)
            )
        await sign_in(anybody, person.email)
        async with database.system() as connection:
            user = await user_of(connection, person.email)
        assert user.password_hash != weak
        assert not passwords.is_outdated(user.password_hash)


class TestGuessing:
    async def test_ends_after_ten_times_from_one_place(self, application, database):
        await forgive_all(database)
        person = await sign_up(application)
        async with browser(application, address="10.2.0.1") as guesser:
            for _ in range(10):
                await sign_in(guesser, person.email, "wrong", expect=422)
            answer = await guesser.post("/session", json={"email": person.email, "password": PASSWORD})
            assert answer.status_code == 429
            assert answer.json() == {
                "status": 429,
                "error": "Too Many Requests",
                "code": "too_many_attempts",
            }
            assert answer.headers["x-ratelimit-limit"] == "10"
            assert answer.headers["x-ratelimit-remaining"] == "0"
            assert 0 < int(answer.headers["x-ratelimit-reset"]) <= 900
        async with browser(application, address="10.2.0.2") as owner:
            await sign_in(owner, person.email)

    async def test_of_addresses_from_one_place_ends_too(self, application, database):
        await forgive_all(database)
        async with database.system() as connection:
            now = datetime.now(UTC)
            for number in range(100):
                refused = await guessing.count(
                    connection, guessing.LOGIN, what="login", address=f"{number}", caller="10.2.0.3", now=now
                )
                assert refused is None
        async with browser(application, address="10.2.0.3") as guesser:
            await sign_in(guesser, "another@acme.test", "wrong", expect=429)

    async def test_is_not_what_comes_in(self, application, database):
        await forgive_all(database)
        person = await sign_up(application)
        async with browser(application, address="10.2.0.4") as owner:
            for _ in range(12):
                await sign_in(owner, person.email)

    async def test_is_forgotten_after_a_quarter_of_an_hour(self, database):
        await forgive_all(database)
        now = datetime.now(UTC)
        count = {"what": "login", "address": "a@b.test", "caller": "10.2.0.5"}
        async with database.system() as connection:
            tries = [await guessing.count(connection, guessing.LOGIN, now=now, **count) for _ in range(11)]
            assert [refused is None for refused in tries] == [True] * 10 + [False]
            assert tries[-1] is not None
            assert tries[-1].wait == timedelta(minutes=15)
            later = now + timedelta(minutes=15)
            assert await guessing.count(connection, guessing.LOGIN, now=later, **count) is None
        await forget_ended(database, now=now + timedelta(minutes=31))
        async with database.system() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM guesses"))).scalar_one() == 0


class TestSessions:
    async def test_last_three_hours_and_longer_while_they_are_used(self, application, database):
        person = await sign_up(application)
        await age_session(database, person.email, timedelta(minutes=59))
        await call(person.browser, "GET", "/session")
        async with database.system() as connection:
            now = datetime.now(UTC)
            session = await service.find_session(
                connection, person.browser.cookies["tallymark_session"], now=now
            )
        assert session is not None
        assert timedelta(hours=2, minutes=59) < session.expires_at - now <= timedelta(hours=3)
        await age_session(database, person.email, timedelta(0))
        answer = await call(person.browser, "GET", "/session", expect=401)
        assert answer == {"status": 401, "error": "Unauthorized", "code": "expired_jwt_token"}

    async def test_end_when_somebody_signs_out(self, application):
        person = await sign_up(application)
        token = person.browser.cookies["tallymark_session"]
        await call(person.browser, "DELETE", "/session")
        assert "tallymark_session" not in person.browser.cookies
        async with browser(application) as thief:
            thief.cookies.set("tallymark_session", token)
            assert (await call(thief, "GET", "/session", expect=401))["code"] == "expired_jwt_token"
            await call(thief, "DELETE", "/session")

    async def test_are_nobodys_without_a_cookie(self, anybody):
        assert await call(anybody, "GET", "/session", expect=401) == {"status": 401, "error": "Unauthorized"}

    async def test_are_forgotten_when_they_are_over(self, application, database):
        person = await sign_up(application)
        await forget_ended(database, now=datetime.now(UTC) + timedelta(hours=3))
        async with database.system() as connection:
            user = await user_of(connection, person.email)
            left = await connection.execute(select(user_sessions).where(user_sessions.c.user_id == user.id))
            assert left.first() is None

    async def test_come_in_a_cookie_that_no_script_and_no_other_site_reads(
        self, application, database_url, tmp_path
    ):
        person = await sign_up(application)
        async with browser(application) as client:
            answer = await client.post("/session", json={"email": person.email, "password": PASSWORD})
            assert re.fullmatch(
                r"tallymark_session=[0-9a-f]{40}; HttpOnly; Path=/; SameSite=lax",
                answer.headers["set-cookie"],
            )
        options = Settings(public_url="https://test", data_dir=tmp_path)
        async with running(options, database_url) as secure, browser(secure) as client:
            answer = await client.post("/session", json={"email": person.email, "password": PASSWORD})
            assert re.fullmatch(
                r"__Host-tallymark_session=[0-9a-f]{40}; HttpOnly; Path=/; SameSite=lax; Secure",
                answer.headers["set-cookie"],
            )
        assert SessionCookie("https://a").name.startswith("__Host-")


class TestOtherSites:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.test"},
            {"Origin": "null"},
        ],
    )
    async def test_change_nothing(self, application, headers):
        person = await sign_up(application)
        for method, path, body in (
            ("DELETE", "/session", None),
            ("PUT", "/password", {"password": PASSWORD, "new_password": "x"}),
            ("POST", "/session", {"email": person.email, "password": PASSWORD}),
        ):
            answer = await person.browser.request(method, path, json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin_request")
        await call(person.browser, "GET", "/session")

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "same-origin", "Origin": "https://x.test"},
            {"Sec-Fetch-Site": "none"},
            {"Origin": "http://test"},
        ],
    )
    async def test_are_not_this_one(self, application, headers):
        person = await sign_up(application)
        assert (await person.browser.delete("/session", headers=headers)).status_code == 200


class TestOwnPasswords:
    async def test_are_changed_by_who_knows_them(self, application, database):
        person = await sign_up(application)
        async with browser(application) as elsewhere:
            await sign_in(elsewhere, person.email)
            answer = await call(
                person.browser, "PUT", "/password", {"password": "wrong", "new_password": "n"}, expect=422
            )
            assert answer["error_details"] == {"password": ["value_is_invalid"]}
            answer = await call(person.browser, "PUT", "/password", {"password": PASSWORD}, expect=422)
            assert answer["error_details"] == {"new_password": ["value_is_mandatory"]}
            await call(person.browser, "PUT", "/password", {"password": PASSWORD, "new_password": "new"})
            await call(person.browser, "GET", "/session")
            await call(elsewhere, "GET", "/session", expect=401)
            await sign_in(elsewhere, person.email, expect=422)
            await sign_in(elsewhere, person.email, "new")
        assert ("user.password_edited", person.email) in await entries(database, person.organization_id)


@pytest.fixture(scope="module")
def mail_server():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    controller = Controller(Mailbox(), hostname="127.0.0.1", port=port)
    controller.start()
    yield controller
    controller.stop()


@pytest.fixture
async def with_mail(mail_server, database_url, tmp_path):
    async with running(mailing(mail_server, tmp_path), database_url) as parts:
        yield parts


def mailing(mail_server, folder, **more):
    """Settings of an installation that sends e-mails."""
    return Settings(
        public_url="http://test",
        front_url="https://billing.test/",
        data_dir=folder,
        smtp_host="127.0.0.1",
        smtp_port=mail_server.port,
        smtp_security="none",
        **more,
    )


async def waiting(database, task="send_password_reset"):
    """What waits in the queue for a task; it is taken out."""
    async with database.system() as connection:
        rows = await connection.execute(
            text("DELETE FROM procrastinate_jobs WHERE task_name = :task RETURNING args"), {"task": task}
        )
        return [row.args for row in rows]


@pytest.fixture
async def opened(mail_server, database_url, tmp_path):
    """An installation at which anybody may sign up."""
    async with running(mailing(mail_server, tmp_path, sign_up="open"), database_url) as parts:
        await forgive_all(parts.database)
        mail_server.handler.take()
        yield parts


class TestSigningUp:
    async def letter(self, parts, mail_server):
        """The one e-mail that is sent to who wants to sign up, and its text."""
        (asked,) = await waiting(parts.database, "send_sign_up")
        await parts.tasks.send_sign_up(**asked)
        (letter,) = mail_server.handler.take()
        texts = [part.get_content() for part in letter.walk() if part.get_content_type() == "text/plain"]
        return letter, "\n".join(texts)

    async def link(self, parts, mail_server, client, email):
        """The token of the link that an address is sent."""
        answer = await client.post("/sign_ups", json={"email": email})
        assert (answer.status_code, answer.content) == (200, b"")
        letter, words = await self.letter(parts, mail_server)
        assert letter.recipients == [email.strip().lower()]
        assert letter["Subject"] == "Confirm your address"
        (token,) = re.findall(r"https://billing\.test/sign-up/([0-9a-f]{40})", words)
        return token

    async def test_is_closed_unless_it_is_opened(self, application, anybody):
        shown = (await call(anybody, "GET", "/configuration"))["configuration"]
        assert shown == {
            "is_sign_up_open": False,
            "sends_emails": False,
            "has_google": False,
            "error_reporting": None,
        }
        for method, path, body in (
            ("POST", "/sign_ups", {"email": "a@closed.test"}),
            ("POST", "/sign_ups", {"email": "none"}),
        ):
            assert (await call(anybody, method, path, body, expect=405))["code"] == "signup_disabled"
        person = await sign_up(application)
        assert person.user["may_create_organizations"] is False
        answer = await call(person.browser, "POST", "/organizations", {"name": "B"}, expect=403)
        assert answer["code"] == "organization_creation_disabled"
        assert len((await call(person.browser, "GET", "/session"))["user"]["memberships"]) == 1

    async def test_confirms_the_address_and_makes_an_admin_of_an_organization(self, opened, mail_server):
        async with browser(opened, address="10.4.0.1") as client:
            assert (await call(client, "GET", "/configuration"))["configuration"]["is_sign_up_open"]
            token = await self.link(opened, mail_server, client, " Ilse@Hooli.Test ")
            async with opened.database.system() as connection:
                (kept,) = await connection.execute(select(sign_ups.c.token_hash))
            assert kept.token_hash == hash_token(token)
            shown = await call(client, "GET", f"/sign_ups/{token}")
            assert shown == {"sign_up": {"email": "ilse@hooli.test"}}
            answer = await call(client, "POST", f"/sign_ups/{token}", {}, expect=422)
            assert answer["error_details"] == {
                "organization_name": ["value_is_mandatory"],
                "password": ["value_is_mandatory"],
            }
            too_long = {"password": "x" * 1001, "organization_name": "x" * 256}
            answer = await call(client, "POST", f"/sign_ups/{token}", too_long, expect=422)
            assert answer["error_details"] == {
                "organization_name": ["value_is_too_long"],
                "password": ["value_is_too_long"],
            }
            body = {"password": PASSWORD, "organization_name": " Hooli Inc "}
            user = (await call(client, "POST", f"/sign_ups/{token}", body))["user"]
            (membership,) = user["memberships"]
            assert (user["email"], user["has_password"]) == ("ilse@hooli.test", True)
            assert user["may_create_organizations"] is True
            assert membership["roles"] == ["admin"]
            assert membership["permissions"] == sorted(PERMISSIONS)
            organization = membership["organization"]
            assert (organization["name"], organization["slug"]) == ("Hooli Inc", "hooli-inc")
            assert (await call(client, "GET", "/session"))["user"] == user
            for method, sent in (("GET", None), ("POST", body)):
                answer = await call(client, method, f"/sign_ups/{token}", sent, expect=404)
                assert answer["code"] == "sign_up_not_found"
        assert await entries(opened.database, organization["lago_id"]) == [
            ("user.signed_up", "ilse@hooli.test")
        ]
        async with opened.database.system() as connection:
            numbering = await connection.execute(
                text("SELECT document_numbering FROM billing_entities WHERE organization_id = :id"),
                {"id": organization["lago_id"]},
            )
        assert numbering.scalar_one() == "per_billing_entity"

    async def test_tells_nobody_but_its_owner_that_an_address_is_known(self, opened, mail_server):
        person = await sign_up(opened)
        async with browser(opened, address="10.4.0.2") as client:
            answer = await client.post("/sign_ups", json={"email": person.email.upper()})
            assert (answer.status_code, answer.content) == (200, b"")
        letter, words = await self.letter(opened, mail_server)
        assert (letter.recipients, letter["Subject"]) == ([person.email], "You have an account")
        assert "https://billing.test/sign-in" in words
        assert "https://billing.test/forgot-password" in words
        assert "/sign-up" not in words
        async with opened.database.system() as connection:
            assert (
                await connection.execute(select(sign_ups.c.email).where(sign_ups.c.email == person.email))
            ).all() == []

    async def test_links_end_after_a_day_and_with_the_next(self, opened, mail_server):
        async with browser(opened, address="10.4.0.3") as client:
            first = await self.link(opened, mail_server, client, "late@hooli.test")
            second = await self.link(opened, mail_server, client, "late@hooli.test")
            for token, status in ((first, 404), (second, 200)):
                await call(client, "GET", f"/sign_ups/{token}", expect=status)
            async with opened.database.system() as connection:
                ends = (
                    await connection.execute(
                        select(sign_ups.c.expires_at).where(sign_ups.c.email == "late@hooli.test")
                    )
                ).scalar_one()
                assert timedelta(hours=23) < ends - datetime.now(UTC) <= timedelta(hours=24)
                await connection.execute(update(sign_ups).values(expires_at=datetime.now(UTC)))
            body = {"password": PASSWORD, "organization_name": "Late"}
            await call(client, "POST", f"/sign_ups/{second}", body, expect=404)
            await call(client, "GET", "/session", expect=401)
        await forget_ended(opened.database, now=datetime.now(UTC))
        async with opened.database.system() as connection:
            assert (await connection.execute(select(sign_ups.c.email))).all() == []

    async def test_does_not_take_over_who_has_joined_meanwhile(self, opened, mail_server):
        async with browser(opened, address="10.4.0.4") as client:
            token = await self.link(opened, mail_server, client, "quick@hooli.test")
            person = await sign_up(opened, email="quick@hooli.test")
            body = {"password": "other", "organization_name": "Second"}
            answer = await call(client, "POST", f"/sign_ups/{token}", body, expect=422)
            assert answer["error_details"] == {"email": ["user_already_exists"]}
            await sign_in(client, person.email)

    async def test_lets_those_begin_anew_who_belong_nowhere_any_more(self, opened, mail_server):
        person = await sign_up(opened)
        async with opened.database.system() as connection:
            await connection.execute(
                text("UPDATE memberships SET status = 'revoked' WHERE organization_id = :id"),
                {"id": person.organization_id},
            )
        async with browser(opened, address="10.4.0.5") as client:
            token = await self.link(opened, mail_server, client, person.email)
            body = {"password": "another", "organization_name": "Second"}
            user = (await call(client, "POST", f"/sign_ups/{token}", body))["user"]
            assert [one["organization"]["name"] for one in user["memberships"]] == ["Second"]
            await call(person.browser, "GET", "/session", expect=401)
            await sign_in(client, person.email, "another")

    async def test_is_not_asked_for_by_the_dozen(self, opened):
        async with browser(opened, address="10.4.0.6") as client:
            for expected in [200] * 5 + [429]:
                await call(client, "POST", "/sign_ups", {"email": "a@b.test"}, expect=expected)
        await waiting(opened.database, "send_sign_up")

    async def test_can_be_for_addresses_of_some_domains(self, mail_server, database_url, tmp_path):
        options = mailing(mail_server, tmp_path, sign_up="domains", sign_up_domains="Hooli.test, aviato.test")
        async with running(options, database_url) as parts, browser(parts, address="10.4.0.7") as client:
            for address in ("a@pied.test", "a@sub.hooli.test", "hooli.test@pied.test"):
                answer = await call(client, "POST", "/sign_ups", {"email": address}, expect=422)
                assert answer["error_details"] == {"email": ["domain_not_allowed"]}
            await self.link(parts, mail_server, client, "a@AVIATO.test")
            inside = await sign_up(parts, email="in@hooli.test")
            outside = await sign_up(parts, email="out@pied.test")
            assert inside.user["may_create_organizations"]
            assert not outside.user["may_create_organizations"]
            answer = await call(outside.browser, "POST", "/organizations", {"name": "B"}, expect=403)
            assert answer["code"] == "organization_creation_disabled"

    @pytest.mark.parametrize(
        "options",
        [
            {"sign_up": "open"},
            {"sign_up": "domains", "smtp_host": "mail.test"},
            {"sign_up": "open", "sign_up_domains": "a.test", "smtp_host": "mail.test"},
            {"sign_up": "anybody", "smtp_host": "mail.test"},
        ],
    )
    def test_is_refused_at_the_start_where_it_could_not_work(self, options):
        with pytest.raises(ValidationError):
            Settings(**options)

    def test_is_closed_by_one_setting_whatever_the_other_says(self):
        assert not Settings(sign_up="open", smtp_host="mail.test", disable_signup=True).is_sign_up_open


class TestOneMoreOrganization:
    async def test_is_for_who_may_sign_up(self, opened):
        person, other = await sign_up(opened), await sign_up(opened)
        made = (await call(person.browser, "POST", "/organizations", {"name": " Second "}))["membership"]
        assert (made["organization"]["name"], made["roles"]) == ("Second", ["admin"])
        belongs = (await call(person.browser, "GET", "/session"))["user"]["memberships"]
        assert {one["organization"]["name"] for one in belongs} == {"Acme", "Second"}
        organization_id = made["organization"]["lago_id"]
        assert await entries(opened.database, organization_id) == [("user.signed_up", person.email)]
        person.browser.headers["X-Lago-Organization"] = organization_id
        assert len((await call(person.browser, "GET", "/members"))["members"]) == 1
        other.browser.headers["X-Lago-Organization"] = organization_id
        await call(other.browser, "GET", "/members", expect=404)

    async def test_needs_a_session_and_a_name(self, opened):
        async with browser(opened, address="10.4.1.1") as client:
            await call(client, "POST", "/organizations", {"name": "B"}, expect=401)
        person = await sign_up(opened)
        for name, code in ((" ", "value_is_mandatory"), ("x" * 256, "value_is_too_long")):
            answer = await call(person.browser, "POST", "/organizations", {"name": name}, expect=422)
            assert answer["error_details"] == {"name": [code]}
        for expected in [200] * 5 + [429]:
            await call(person.browser, "POST", "/organizations", {"name": "B"}, expect=expected)

    async def test_is_not_for_whom_an_organizations_provider_let_in(self, opened):
        person = await sign_up(opened)
        async with opened.database.system() as connection:
            await connection.execute(
                update(user_sessions)
                .where(user_sessions.c.user_id == person.user["lago_id"])
                .values(provider_organization_id=person.organization_id)
            )
        assert not (await call(person.browser, "GET", "/session"))["user"]["may_create_organizations"]
        answer = await call(person.browser, "POST", "/organizations", {"name": "B"}, expect=403)
        assert answer["code"] == "login_method_not_authorized"


class TestForgottenPasswords:
    async def link(self, parts, mail_server, email):
        """The link that somebody is sent who asks for one."""
        async with browser(parts, address="10.3.0.1") as client:
            await call(client, "POST", "/password_resets", {"email": email})
        (asked,) = await waiting(parts.database)
        await parts.tasks.send_password_reset(**asked)
        (letter,) = mail_server.handler.take()
        assert letter.recipients == [email]
        assert letter["Subject"] == "Set a new password"
        texts = [part.get_content() for part in letter.walk() if part.get_content_maintype() == "text"]
        found = {
            one
            for text in texts
            for one in re.findall(r"https://billing\.test/reset-password/([0-9a-f]{40})", text)
        }
        (token,) = found
        return token

    async def test_are_replaced_by_a_link_once(self, with_mail, mail_server):
        await forgive_all(with_mail.database)
        person = await sign_up(with_mail)
        token = await self.link(with_mail, mail_server, person.email)
        async with with_mail.database.system() as connection:
            (kept,) = await connection.execute(select(password_resets.c.token_hash))
        assert kept.token_hash == hash_token(token)
        async with browser(with_mail) as client:
            await call(client, "GET", f"/password_resets/{token}")
            answer = await call(client, "PUT", "/password_resets", {}, expect=422)
            assert answer["error_details"] == {
                "token": ["missing_token"],
                "new_password": ["missing_password"],
            }
            body = {"token": token, "new_password": "new"}
            assert (await call(client, "PUT", "/password_resets", body))["user"]["email"] == person.email
            await call(client, "GET", "/session")
            await call(person.browser, "GET", "/session", expect=401)
            again = await call(client, "PUT", "/password_resets", body, expect=404)
            assert again["code"] == "password_reset_not_found"
            assert (await call(client, "GET", f"/password_resets/{token}", expect=404))["code"] == again[
                "code"
            ]
            await sign_in(client, person.email, "new")
        events = [event for event, _ in await entries(with_mail.database, person.organization_id)]
        assert events == ["user.signed_up", "user.password_reset_requested", "user.password_edited"]

    async def test_links_end_after_half_an_hour_and_with_the_next(self, with_mail, mail_server):
        await forgive_all(with_mail.database)
        person = await sign_up(with_mail)
        first = await self.link(with_mail, mail_server, person.email)
        second = await self.link(with_mail, mail_server, person.email)
        async with browser(with_mail) as client:
            for token, status in ((first, 404), (second, 200)):
                await call(client, "GET", f"/password_resets/{token}", expect=status)
            async with with_mail.database.system() as connection:
                ends = (
                    await connection.execute(
                        select(password_resets.c.expires_at).where(
                            password_resets.c.token_hash == hash_token(second)
                        )
                    )
                ).scalar_one()
                assert timedelta(minutes=29) < ends - datetime.now(UTC) <= timedelta(minutes=30)
                await connection.execute(update(password_resets).values(expires_at=datetime.now(UTC)))
            body = {"token": second, "new_password": "new"}
            await call(client, "PUT", "/password_resets", body, expect=404)
            await sign_in(client, person.email)

    async def test_of_nobody_are_answered_alike(self, with_mail, mail_server):
        await forgive_all(with_mail.database)
        person = await sign_up(with_mail)
        answers, asked = [], []
        async with browser(with_mail, address="10.3.0.2") as client:
            for email in (person.email, "nobody@acme.test"):
                answer = await client.post("/password_resets", json={"email": email})
                answers.append((answer.status_code, answer.content))
                asked += await waiting(with_mail.database)
        assert answers == [(200, b""), (200, b"")]
        assert [one["email"] for one in asked] == [person.email, "nobody@acme.test"]
        for one in asked:
            await with_mail.tasks.send_password_reset(**one)
        assert [letter.recipients for letter in mail_server.handler.take()] == [[person.email]]

    async def test_are_not_asked_for_by_the_dozen(self, with_mail):
        await forgive_all(with_mail.database)
        async with browser(with_mail, address="10.3.0.3") as client:
            for expected in [200] * 5 + [429]:
                await call(client, "POST", "/password_resets", {"email": "a@b.test"}, expect=expected)
        await waiting(with_mail.database)

    async def test_that_the_server_refuses_are_tried_again_with_another_link(self, with_mail, mail_server):
        await forgive_all(with_mail.database)
        person = await sign_up(with_mail)
        mail_server.handler.answers.append("451 later")
        sent = {"email": person.email, "user_agent": "", "ip_address": None}
        with pytest.raises(Exception, match="451"):
            await with_mail.tasks.send_password_reset(**sent)
        await with_mail.tasks.send_password_reset(**sent)
        assert len(mail_server.handler.take()) == 1

    async def test_need_a_mail_server(self, anybody, database):
        body = {"email": "a@b.test"}
        answer = await call(anybody, "POST", "/password_resets", body, expect=403)
        assert answer["code"] == "feature_unavailable"
        await send_password_reset(database, None, "", email="a@b.test", device=DEVICE, now=datetime.now(UTC))

    async def test_need_an_address(self, with_mail):
        async with browser(with_mail, address="10.3.0.4") as client:
            answer = await call(client, "POST", "/password_resets", {"email": "x"}, expect=422)
        assert answer["error_details"] == {"email": ["invalid_email_format"]}


class TestTheFirst:
    async def test_comes_in_by_the_printed_link_once(self, server_url, tmp_path):
        options = Settings(public_url="http://test", data_dir=tmp_path)
        with cloned(server_url) as url:
            async with running(options, url) as parts, browser(parts) as client:
                await self.come_in(parts.database, client)

    async def come_in(self, database, client):
        async with database.system() as connection:
            made = await create_first_organization(connection, now=datetime.now(UTC))
            assert made is not None
            token = await service.open_welcome(connection)
            kept = (
                await connection.execute(text("SELECT value FROM secrets WHERE name = 'welcome'"))
            ).scalar_one()
        assert kept == hash_token(token)
        body = {"token": "0" * 40, "email": "first@acme.test", "password": "p"}
        assert (await call(client, "POST", "/welcome", body, expect=404))["code"] == "welcome_not_found"
        await call(client, "GET", f"/welcome/{'0' * 40}", expect=404)
        await call(client, "GET", f"/welcome/{token}")
        answer = await call(client, "POST", "/welcome", {"token": token}, expect=422)
        assert answer["error_details"] == {
            "email": ["value_is_mandatory"],
            "password": ["value_is_mandatory"],
        }
        (membership,) = (await call(client, "POST", "/welcome", {**body, "token": token}))["user"][
            "memberships"
        ]
        assert membership["organization"]["lago_id"] == str(made.organization_id)
        assert membership["roles"] == ["admin"]
        await call(client, "GET", f"/welcome/{token}", expect=404)
        await call(client, "POST", "/welcome", {**body, "token": token, "email": "b@acme.test"}, expect=404)

    async def test_is_the_first(self, server_url, tmp_path):
        options = Settings(public_url="http://test", data_dir=tmp_path)
        with cloned(server_url) as url:
            async with running(options, url) as parts, browser(parts) as client:
                async with parts.database.system() as connection:
                    await create_first_organization(connection, now=datetime.now(UTC))
                    token = await service.open_welcome(connection)
                await sign_up(parts)
                body = {"token": token, "email": "late@acme.test", "password": "p"}
                await call(client, "POST", "/welcome", body, expect=404)


async def test_an_organization_sees_its_members_and_no_passwords(application, database):
    person, other = await sign_up(application), await sign_up(application)
    async with database.tenant(UUID(person.organization_id)) as tx:
        seen = set((await tx.execute(select(users.c.email))).scalars())
        assert person.email in seen
        assert other.email not in seen
    for statement in (
        "SELECT password_hash FROM users",
        "SELECT token_hash FROM user_sessions",
        "SELECT token_hash FROM password_resets",
        "SELECT user_id FROM user_devices",
        "SELECT bucket FROM guesses",
        "UPDATE users SET email = 'x'",
    ):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with database.tenant(UUID(person.organization_id)) as tx:
                await tx.execute(text(statement))


class TestAdmins:
    async def told(self, parts, mail_server):
        """What the admins are sent of what waits."""
        async with parts.database.system() as connection:
            rows = await connection.execute(
                text("DELETE FROM procrastinate_jobs WHERE task_name = 'send_notice' RETURNING args")
            )
            waiting = [row.args for row in rows]
        for one in waiting:
            await parts.tasks.send_notice(**{**one, "organization_id": UUID(one["organization_id"])})
        return mail_server.handler.take()

    async def test_are_told_of_keys_unseen_by_each_other(self, with_mail, mail_server):
        person, second = await sign_up(with_mail, name="Hooli\nInc"), await sign_up(with_mail)
        await sign_up(with_mail)
        await self.told(with_mail, mail_server)
        async with with_mail.database.system() as connection:
            whose = UUID(person.organization_id)
            now = datetime.now(UTC)
            await service.join(connection, UUID(second.user["lago_id"]), whose, ["admin"], now=now)
            third = await user_of(connection, (await sign_up(with_mail)).email)
            await service.join(connection, third.id, whose, ["manager"], now=now)
        person.browser.headers["X-Lago-Organization"] = person.organization_id
        made = (await call(person.browser, "POST", "/api_keys", {"name": "reader"}))["api_key"]
        await call(person.browser, "POST", f"/api_keys/{made['lago_id']}/rotate", {"name": None})
        await call(person.browser, "DELETE", f"/api_keys/{made['lago_id']}", expect=404)
        letters = await self.told(with_mail, mail_server)
        assert [letter["Subject"] for letter in letters] == [
            "Hooli Inc: an API key was created",
            "Hooli Inc: an API key was rotated",
        ]
        for letter in letters:
            assert sorted(letter.recipients) == sorted([person.email, second.email])
            assert person.email not in letter.as_string()
            assert made["value"] not in letter.as_string()
            assert "“reader”" in letter.get_body(("plain",)).get_content()

    async def test_are_told_of_login_methods_that_change(self, with_mail, mail_server):
        person = await sign_up(with_mail)
        await self.told(with_mail, mail_server)
        person.browser.headers["X-Lago-Organization"] = person.organization_id
        for methods in (["email_password"], ["email_password"]):
            body = {"authentication_methods": methods}
            await call(person.browser, "PUT", "/authentication_methods", body)
        (letter,) = await self.told(with_mail, mail_server)
        assert letter["Subject"] == "Acme: login methods were changed"
        assert "email_password" in letter.get_body(("html",)).get_content()

    async def test_are_told_nothing_without_a_mail_server(self, application, database):
        person = await sign_up(application)
        await application.tasks.send_notice(
            organization_id=UUID(person.organization_id), kind="api_key.created", about="x"
        )
