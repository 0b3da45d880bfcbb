"""Webhooks: endpoints, and deliveries to a real server on this machine (platform §9, beyond.md §6)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from sqlalchemy import select, text, update
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.kit import call, get, post
from tests.people import sign_up

import tallymark
from tallymark.app import running
from tallymark.db.tables import organizations, untold_messages, webhook_endpoints, webhook_sequences, webhooks
from tallymark.integrations.webhooks import WebhookPost, is_public
from tallymark.rooms.organizations.switches import Switch, turn
from tallymark.rooms.webhooks import service
from tallymark.rooms.webhooks.bodies import AS_STORED, LOADERS, envelope
from tallymark.rooms.webhooks.model import KNOWN_TYPES, Answer, Told, pause_after
from tallymark.rooms.webhooks.signing import sign_hmac
from tallymark.settings import Settings
from tallymark.worker import run_worker

PATH = "/webhook_endpoints"
ROOT = Path(__file__).parents[2]
CONTRACT = ROOT.parent / "shared" / "openapi" / "lago.json"


@pytest.fixture(scope="module")
async def application(database_url, tmp_path_factory):
    options = Settings(
        admin_api_key=ADMIN_KEY,
        public_url="http://test/",
        data_dir=tmp_path_factory.mktemp("data"),
        webhooks_allow_private_networks=True,
        webhook_timeout_seconds=2,
    )
    async with running(options, database_url) as parts:
        yield parts


@dataclass
class Receiver:
    """A receiver that answers what it is told to, and keeps what it gets."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    hangs: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
            headers = {name.lower(): value for name, value in headers.items()}
            body = await reader.readexactly(int(headers["content-length"]))
            self.got.append((headers, body))
            self.arrived.set()
            while self.hangs:
                await asyncio.sleep(0.02)
            status = self.answers.pop(0) if self.answers else 200
            more = "Location: /elsewhere\r\n" if status == 302 else ""
            writer.write(
                f"HTTP/1.1 {status} X\r\n{more}Content-Length: 2\r\nConnection: close\r\n\r\nok".encode()
            )
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    made.hangs = False
    server.close()


async def add(client, url: str, **more: Any) -> dict[str, Any]:
    body = {"webhook_endpoint": {"webhook_url": url, "signature_algo": "hmac", **more}}
    return (await post(client, PATH, body))["webhook_endpoint"]


async def rows(database, organization_id, table):
    async with database.tenant(organization_id) as tx:
        return [row._mapping for row in await tx.execute(select(table))]


async def make_due(database, organization_id):
    """As if the pause before the next attempt were over."""
    async with database.tenant(organization_id) as tx:
        await tx.execute(update(webhooks).values(next_attempt_at=datetime(2020, 1, 1, tzinfo=UTC)))


class TestEndpoints:
    async def test_are_named_by_the_organization_whose_first_one_it_sets(self, client):
        """Platform §3: the oldest one's URL; one is made where there is none."""

        async def ask(expect=200, **sent):
            return await call(client, "PUT", "/organizations", {"organization": sent}, expect=expect)

        shown = (await get(client, "/organizations"))["organization"]
        assert (shown["webhook_url"], shown["webhook_urls"]) == ("", [])
        made = (await ask(webhook_url="https://b.test/1"))["organization"]
        assert (made["webhook_url"], made["webhook_urls"]) == ("https://b.test/1", ["https://b.test/1"])
        await post(client, PATH, {"webhook_endpoint": {"webhook_url": "https://a.test"}})
        changed = (await ask(webhook_url="https://b.test/2"))["organization"]
        assert changed["webhook_urls"] == ["https://b.test/2", "https://a.test"]
        await ask(webhook_url=None, net_payment_term=3)
        refused = await ask(422, webhook_url="https://a.test", net_payment_term=9)
        assert refused["error_details"] == {"webhook_url": ["value_already_exist"]}
        found = (await get(client, "/organizations"))["organization"]
        assert (found["webhook_url"], found["net_payment_term"]) == ("https://b.test/2", 3)

    async def test_are_made_read_changed_and_deleted(self, client, organization):
        made = (
            await post(client, PATH, {"webhook_endpoint": {"webhook_url": "https://a.test/x", "name": "A"}})
        )["webhook_endpoint"]
        assert made["signature_algo"] == "jwt"
        assert made["event_types"] is None
        assert made["lago_organization_id"] == str(organization.id)
        path = f"{PATH}/{made['lago_id']}"
        change = {
            "webhook_endpoint": {
                "webhook_url": "https://b.test",
                "event_types": [" Fee.Created ", "fee.created", ""],
            }
        }
        changed = (await call(client, "PUT", path, change))["webhook_endpoint"]
        assert (changed["webhook_url"], changed["event_types"]) == ("https://b.test", ["fee.created"])
        assert changed["name"] == "A"
        assert (await get(client, path))["webhook_endpoint"] == changed
        assert (await call(client, "DELETE", path))["webhook_endpoint"] == changed
        assert (await get(client, path, expect=404))["code"] == "webhook_endpoint_not_found"

    @pytest.mark.parametrize(
        ("sent", "details"),
        [
            ({"webhook_url": " "}, {"webhook_url": ["value_is_mandatory", "url_is_invalid"]}),
            ({"webhook_url": "ftp://a.test"}, {"webhook_url": ["url_is_invalid"]}),
            ({"webhook_url": "https://"}, {"webhook_url": ["url_is_invalid"]}),
            (
                {"webhook_url": "https://a.test", "signature_algo": "md5"},
                {"signature_algo": ["value_is_invalid"]},
            ),
            (
                {"webhook_url": "https://a.test", "event_types": "fee.created"},
                {"event_types": ["must_be_array"]},
            ),
            (
                {"webhook_url": "https://a.test", "event_types": ["no", "fee.created", "nor.this"]},
                {"event_types": ["contains invalid types: no, nor.this"]},
            ),
        ],
    )
    async def test_are_refused_in_the_words_of_the_contract(self, client, sent, details):
        answer = await post(client, PATH, {"webhook_endpoint": sent}, expect=422)
        assert answer["error_details"] == details

    @pytest.mark.parametrize(("sent", "kept"), [(["*"], None), ([], []), (None, None)])
    async def test_may_want_everything_or_nothing(self, client, sent, kept):
        made = await add(client, "https://a.test", event_types=sent)
        assert made["event_types"] == kept

    async def test_have_urls_of_their_own_and_are_ten_at_the_most(self, client):
        for number in (3, 1, 2, 4, 5, 6, 7, 8, 9):
            await add(client, f"https://{number}.test")
        taken = await post(client, PATH, {"webhook_endpoint": {"webhook_url": "https://1.test"}}, expect=422)
        assert taken["error_details"] == {"webhook_url": ["value_already_exist"]}
        await add(client, "https://0.test")
        full = await post(client, PATH, {"webhook_endpoint": {"webhook_url": "https://11.test"}}, expect=422)
        assert full["error_details"] == {"base": ["exceeded_limit"]}
        listed = await get(client, PATH, per_page=2)
        assert [one["webhook_url"] for one in listed["webhook_endpoints"]] == [
            "https://0.test",
            "https://1.test",
        ]
        assert listed["meta"]["total_count"] == 10

    async def test_are_nobody_elses(self, client, other_client, database, organization, make_organization):
        made = await add(client, "https://a.test")
        path = f"{PATH}/{made['lago_id']}"
        await get(other_client, path, expect=404)
        await call(other_client, "DELETE", path, expect=404)
        await kit.customer(client)
        stranger = await make_organization()
        for table in (webhook_endpoints, untold_messages, webhooks, webhook_sequences):
            assert await rows(database, stranger.id, table) == []
        assert len(await rows(database, organization.id, untold_messages)) == 1


class TestDeliveries:
    async def test_carry_the_object_and_a_signature_over_the_body(
        self, client, organization, application, database, receiver
    ):
        await add(client, receiver.url("/hook"))
        made = await kit.customer(client, name="Müller <& Söhne>\u2028")
        await application.courier.deliver(organization.id)
        ((headers, body),) = receiver.got
        told = json.loads(body)
        assert list(told) == ["webhook_type", "object_type", "organization_id", "customer"]
        assert (told["webhook_type"], told["organization_id"]) == ("customer.created", str(organization.id))
        assert told["customer"]["lago_id"] == made["lago_id"]
        assert told["customer"]["name"] == made["name"]
        assert "M\u00fcller \\u003c\\u0026 S\u00f6hne\\u003e\\u2028".encode() in body
        async with database.tenant(organization.id) as tx:
            key = str((await tx.execute(select(organizations.c.hmac_key))).scalar_one())
        expected = base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
        assert headers["x-lago-signature"] == expected
        assert headers["x-lago-signature-algorithm"] == "hmac"
        assert headers["content-type"] == "application/json"
        (row,) = await rows(database, organization.id, webhooks)
        assert headers["x-lago-unique-key"] == str(row["id"])
        assert (row["status"], row["http_status"], row["response"]) == ("succeeded", 200, "ok")

    async def test_are_signed_with_the_key_of_the_installation(
        self, client, organization, application, receiver
    ):
        await add(client, receiver.url(), signature_algo="jwt")
        await kit.customer(client)
        await application.courier.deliver(organization.id)
        ((headers, body),) = receiver.got
        plain = (await client.get("/webhooks/public_key")).text
        assert (await get(client, "/webhooks/json_public_key")) == {"webhook": {"public_key": plain}}
        assert {len(line) for line in plain.splitlines()[:-1]} == {60}
        public = serialization.load_pem_public_key(base64.b64decode(plain))
        assert isinstance(public, rsa.RSAPublicKey)
        told, _, signature = headers["x-lago-signature"].rpartition(".")
        public.verify(_unpadded(signature), told.encode(), padding.PKCS1v15(), hashes.SHA256())
        head, claims = (json.loads(_unpadded(part)) for part in told.split("."))
        assert head["alg"] == "RS256"
        assert claims == {"data": body.decode(), "iss": "http://test/"}

    async def test_go_to_whom_wants_their_type(self, client, organization, application, receiver):
        await add(client, receiver.url("/plans"), event_types=["plan.created"])
        await add(client, receiver.url("/none"), event_types=[])
        await kit.customer(client)
        await kit.plan(client)
        await application.courier.deliver(organization.id)
        assert [body["webhook_type"] for body in receiver.bodies()] == ["plan.created"]

    async def test_wait_while_staff_hold_them_and_then_go_in_order(
        self, client, organization, application, database, receiver
    ):
        await add(client, receiver.url())
        async with database.system() as connection:
            await turn(connection, organization.id, Switch.HOLD_WEBHOOKS, is_on=True, now=datetime.now(UTC))
        await kit.customer(client)
        await kit.plan(client)
        await application.courier.deliver(organization.id)
        assert receiver.got == []
        assert [row["status"] for row in await rows(database, organization.id, webhooks)] == ["pending"] * 2
        async with database.system() as connection:
            await turn(connection, organization.id, Switch.HOLD_WEBHOOKS, is_on=False, now=datetime.now(UTC))
        await application.courier.deliver(organization.id)
        assert {body["webhook_type"] for body in receiver.bodies()} == {"customer.created", "plan.created"}

    async def test_are_tried_again_with_the_same_body_and_number(
        self, client, organization, application, database, receiver
    ):
        receiver.answers = [500]
        await add(client, receiver.url())
        await kit.customer(client)
        before = datetime.now(UTC)
        await application.courier.deliver(organization.id)
        (row,) = await rows(database, organization.id, webhooks)
        assert (row["status"], row["retries"], row["http_status"]) == ("retrying", 1, 500)
        waits = row["next_attempt_at"] - before
        assert timedelta(seconds=3) <= waits <= timedelta(seconds=20)
        await application.courier.deliver(organization.id)
        assert len(receiver.got) == 1, "not before its time"
        await make_due(database, organization.id)
        await application.courier.deliver(organization.id)
        (first, body), (second, again) = receiver.got
        assert body == again
        for name in ("x-lago-unique-key", "x-tallymark-sequence", "x-lago-signature"):
            assert first[name] == second[name]
        (row,) = await rows(database, organization.id, webhooks)
        assert (row["status"], row["retries"]) == ("succeeded", 1)

    @pytest.mark.parametrize("status", [203, 302, 404, 500])
    async def test_fail_after_three_attempts(
        self, client, organization, application, database, receiver, status
    ):
        receiver.answers = [status] * 3
        await add(client, receiver.url())
        await kit.customer(client)
        for _ in range(4):
            await application.courier.deliver(organization.id)
            await make_due(database, organization.id)
        (row,) = await rows(database, organization.id, webhooks)
        assert (row["status"], row["retries"], row["http_status"]) == ("failed", 3, status)
        assert len(receiver.got) == 3

    async def test_of_a_lost_dispute_carry_its_invoice(self, client, organization, application, receiver):
        await add(client, receiver.url(), event_types=["invoice.payment_dispute_lost"])
        who = await kit.customer(client, currency="EUR")
        add_on = {"name": "a", "code": "a", "amount_cents": 500, "amount_currency": "EUR"}
        await post(client, "/add_ons", {"add_on": add_on})
        body = {"external_customer_id": who["external_id"], "fees": [{"add_on_code": "a"}]}
        made = (await post(client, "/invoices", {"invoice": body}))["invoice"]
        await post(client, f"/invoices/{made['lago_id']}/lose_dispute", {})
        await application.courier.deliver(organization.id)
        (told,) = receiver.bodies()
        assert told["object_type"] == "payment_dispute_lost"
        assert told["payment_dispute_lost"].keys() == {"invoice"}
        shown = told["payment_dispute_lost"]["invoice"]
        assert (shown["lago_id"], shown["customer"]["external_id"]) == (made["lago_id"], who["external_id"])

    async def test_number_each_object_on_its_own(self, client, organization, application, database, receiver):
        await add(client, receiver.url())
        one, other = await kit.customer(client), await kit.customer(client)
        await kit.customer(client, external_id=one["external_id"], name="new")
        await application.courier.deliver(organization.id)
        async with database.tenant(organization.id) as tx:
            await tx.execute(webhooks.delete())  # as the purge does after a while
        await kit.customer(client, external_id=one["external_id"], name="newer")
        await application.courier.deliver(organization.id)
        seen = [
            (headers["x-tallymark-object"], headers["x-tallymark-sequence"]) for headers, _ in receiver.got
        ]
        of_one = [number for key, number in seen if key == f"customer:{one['lago_id']}"]
        assert of_one == ["1", "2", "3"]
        assert [number for key, number in seen if key == f"customer:{other['lago_id']}"] == ["1"]

    async def test_end_with_their_endpoint(self, client, organization, application, database, receiver):
        made = await add(client, receiver.url())
        await kit.customer(client)
        await application.courier.deliver(organization.id)
        await call(client, "DELETE", f"{PATH}/{made['lago_id']}")
        assert await rows(database, organization.id, webhooks) == []
        await kit.customer(client)
        assert await rows(database, organization.id, untold_messages) == []

    async def test_that_have_no_body_hold_back_no_others(
        self, client, organization, application, database, receiver
    ):
        await add(client, receiver.url())
        await kit.customer(client)
        async with database.tenant(organization.id) as tx:
            await tx.execute(text("UPDATE outbox SET object_id = gen_random_uuid()"))
        made = await kit.customer(client)
        await application.courier.deliver(organization.id)
        assert [body["customer"]["lago_id"] for body in receiver.bodies()] == [made["lago_id"]]
        (left,) = await rows(database, organization.id, untold_messages)
        assert "is not there" in left["error"]


@pytest.fixture
async def people(application, database):
    """Somebody with an organization, at the web app; their browser calls the REST API by whole addresses."""
    found = await sign_up(application)
    found.browser.headers["X-Lago-Organization"] = found.organization_id
    return found


REST = "http://test/api/v1"


class TestInspection:
    """What people see of deliveries, and how they have one sent again (§9.3)."""

    async def test_lists_deliveries_by_whatever_is_asked_and_shows_one_whole(
        self, people, application, database, receiver
    ):
        browser, owner = people.browser, UUID(people.organization_id)
        hooks = {}
        for name, types in (("all", None), ("plans", ["plan.created"])):
            body = {"webhook_url": receiver.url(f"/{name}"), "signature_algo": "hmac", "event_types": types}
            made = await post(browser, f"{REST}/webhook_endpoints", {"webhook_endpoint": body})
            hooks[name] = made["webhook_endpoint"]
        who = (await post(browser, f"{REST}/customers", {"customer": {"external_id": "c"}}))["customer"]
        receiver.answers = [404]
        await application.courier.deliver(owner)
        plan = {"name": "P", "code": "p", "interval": "monthly", "amount_cents": 1, "amount_currency": "EUR"}
        plan = (await post(browser, f"{REST}/plans", {"plan": {**plan, "pay_in_advance": False}}))["plan"]
        await application.courier.deliver(owner)

        async def found(**query):
            listed = await get(browser, "/webhook_deliveries", **query)
            assert listed["meta"]["total_count"] == len(listed["webhook_deliveries"])
            return [
                (one["webhook_type"], one["webhook_url"].rpartition("/")[2])
                for one in listed["webhook_deliveries"]
            ]

        of_customer = ("customer.created", "all")
        of_plan = {("plan.created", "all"), ("plan.created", "plans")}
        everything = await found()
        assert (everything[-1], {*everything[:2]}, len(everything)) == (of_customer, of_plan, 3)
        assert await found(webhook_endpoint_id=hooks["plans"]["lago_id"]) == [("plan.created", "plans")]
        assert await found(webhook_endpoint_id="nobody's") == []
        assert await found(status="retrying") == [of_customer]
        assert {*await found(**{"status[]": ["succeeded", "failed"]})} == of_plan
        assert {*await found(webhook_type="plan.created")} == of_plan
        for http_status in ("404", "4xx", "400-410"):
            assert await found(http_status=http_status) == [of_customer], http_status
        assert await found(http_status="timeout") == []
        assert len(await found(**{"http_status[]": ["404", "200"]})) == 3
        assert await found(search_term=who["lago_id"]) == [of_customer]
        assert {*await found(search_term=plan["lago_id"])} == of_plan
        assert await found(search_term="c") == []
        assert await found(from_date="2030-01-01") == []
        assert len(await found(from_date="2020-01-01", to_date="2030-01-01")) == 3
        page = await get(browser, "/webhook_deliveries", page=2, per_page=2)
        assert [one["webhook_type"] for one in page["webhook_deliveries"]] == ["customer.created"]

        (listed,) = (await get(browser, "/webhook_deliveries", status="retrying"))["webhook_deliveries"]
        assert "payload" not in listed
        assert listed["lago_webhook_endpoint_id"] == hooks["all"]["lago_id"]
        assert (listed["object_type"], listed["lago_object_id"]) == ("customer", who["lago_id"])
        assert (listed["retries"], listed["http_status"], listed["sequence"]) == (1, 404, 1)
        assert await found(search_term=listed["lago_id"]) == [of_customer]
        one = (await get(browser, f"/webhook_deliveries/{listed['lago_id']}"))["webhook_delivery"]
        assert one == {**listed, "payload": receiver.bodies()[0], "response": "ok"}
        (row,) = [row for row in await rows(database, owner, webhooks) if str(row["id"]) == listed["lago_id"]]
        assert listed["next_attempt_at"] == f"{row['next_attempt_at']:%Y-%m-%dT%H:%M:%SZ}"

    async def test_show_the_secret_that_signs_with_hmac(self, people, database):
        shown = await get(people.browser, "/webhook_secret")
        async with database.tenant(UUID(people.organization_id)) as tx:
            key = (await tx.execute(select(organizations.c.hmac_key))).scalar_one()
        assert shown == {"webhook_secret": {"hmac_key": str(key)}}

    async def test_refuses_what_no_delivery_can_be(self, people):
        for query in (
            "status=sent",
            "webhook_type=x",
            "http_status=6xx",
            "http_status=410-400",
            "from_date=x",
        ):
            refused = await get(people.browser, f"/webhook_deliveries?{query}", expect=422)
            assert [*refused["error_details"]] == [query.partition("=")[0]]
        for path in ("/webhook_deliveries/x", f"/webhook_deliveries/{UUID(int=1)}"):
            assert (await get(people.browser, path, expect=404))["code"] == "webhook_not_found"
            assert (await post(people.browser, f"{path}/retry", {}, expect=404))[
                "code"
            ] == "webhook_not_found"

    async def test_sends_again_what_has_not_arrived(self, people, application, database, receiver):
        """Worked example 4: a resend that fails too leaves `failed`, with four failures."""
        browser, owner = people.browser, UUID(people.organization_id)
        endpoint = {"webhook_url": receiver.url(), "signature_algo": "hmac"}
        await post(browser, f"{REST}/webhook_endpoints", {"webhook_endpoint": endpoint})
        await post(browser, f"{REST}/customers", {"customer": {"external_id": "c"}})
        receiver.answers = [500] * 4
        for _ in range(4):
            await application.courier.deliver(owner)
            await make_due(database, owner)
        (failed,) = (await get(browser, "/webhook_deliveries", status="failed"))["webhook_deliveries"]
        assert (failed["retries"], failed["next_attempt_at"], len(receiver.got)) == (3, None, 3)
        path = f"/webhook_deliveries/{failed['lago_id']}"
        asked = (await post(browser, f"{path}/retry", {}))["webhook_delivery"]
        assert (asked["status"], asked["retries"]) == ("retrying", 3)
        await application.courier.deliver(owner)
        again = (await get(browser, path))["webhook_delivery"]
        assert (again["status"], again["retries"], len(receiver.got)) == ("failed", 4, 4)
        await post(browser, f"{path}/retry", {})
        await application.courier.deliver(owner)
        assert (await get(browser, path))["webhook_delivery"]["status"] == "succeeded"
        assert len({headers["x-lago-unique-key"] for headers, _ in receiver.got}) == 1
        assert len({body for _, body in receiver.got}) == 1
        refused = await post(browser, f"{path}/retry", {}, expect=405)
        assert refused["code"] == "is_succeeded"

    async def test_tries_once_more_beside_an_attempt_that_is_under_way(self, people, database):
        """Whichever answers first: what has arrived stays so, and no failure is lost."""
        browser, owner = people.browser, UUID(people.organization_id)
        endpoint = {"webhook_url": "https://a.test", "signature_algo": "hmac"}
        made = (await post(browser, f"{REST}/webhook_endpoints", {"webhook_endpoint": endpoint}))[
            "webhook_endpoint"
        ]
        await post(browser, f"{REST}/customers", {"customer": {"external_id": "c"}})
        now = datetime(2026, 1, 1, tzinfo=UTC)
        failure, success = Answer(status=500, text="no"), Answer(status=200, text="ok")

        async def claim():
            async with database.tenant(owner) as tx:
                lost_at = now + timedelta(seconds=10)
                claimed = await service.claim(tx, UUID(made["lago_id"]), now=now, lost_at=lost_at, limit=9)
            assert claimed is not None
            return claimed[1][0]

        async def answered(delivery, answer):
            async with database.tenant(owner) as tx:
                again_at = await service.record(tx, delivery, answer, attempts=3, chance=Fraction(0), now=now)
            (row,) = await rows(database, owner, webhooks)
            return row["status"], row["retries"], again_at is not None

        async with database.tenant(owner) as tx:
            messages, endpoints = await service.begin_telling(tx, limit=9)
            await service.make_deliveries(tx, [(one, "{}") for one in messages], endpoints, now=now)
        assert await answered(await claim(), failure) == ("retrying", 1, True)
        now += timedelta(minutes=1)
        first = await claim()
        async with database.tenant(owner) as tx:
            await service.resend(tx, first.id, now=now)
        now += timedelta(seconds=1)
        second = await claim()
        assert await answered(first, failure) == ("retrying", 2, False), "the second has the word"
        assert await answered(second, success) == ("succeeded", 2, False)
        assert await answered(first, failure) == ("succeeded", 2, False)

    async def test_is_for_members_who_may(self, application, database, people, receiver):
        browser, owner = people.browser, UUID(people.organization_id)
        endpoint = {"webhook_url": receiver.url(), "signature_algo": "hmac"}
        await post(browser, f"{REST}/webhook_endpoints", {"webhook_endpoint": endpoint})
        await post(browser, f"{REST}/customers", {"customer": {"external_id": "c"}})
        await application.courier.deliver(owner)
        ((delivery,),) = [(await get(browser, "/webhook_deliveries"))["webhook_deliveries"]]
        stranger = await sign_up(application)
        stranger.browser.headers["X-Lago-Organization"] = stranger.organization_id
        path = f"/webhook_deliveries/{delivery['lago_id']}"
        assert (await get(stranger.browser, "/webhook_deliveries"))["webhook_deliveries"] == []
        await get(stranger.browser, path, expect=404)
        await post(stranger.browser, f"{path}/retry", {}, expect=404)
        async with database.system() as connection:
            await connection.execute(
                text("UPDATE memberships SET roles = '{manager}' WHERE organization_id = :id"), {"id": owner}
            )
        for method, at in (("GET", "/webhook_deliveries"), ("GET", path), ("POST", f"{path}/retry")):
            refused = await call(browser, method, at, expect=403)
            assert refused["required_permissions"] == ["developers:manage"]


class TestWorker:
    async def test_delivers_at_once_and_a_dead_endpoint_delays_no_other(
        self, make_organization, application, database, receiver
    ):
        """Also where the clock stands still."""
        organization = await make_organization("2023-06-05T00:00:00Z")
        dead = Receiver(hangs=True)
        server = await asyncio.start_server(dead.serve, "127.0.0.1", 0)
        dead.port = server.sockets[0].getsockname()[1]
        stop = asyncio.Event()
        await add(organization.client, dead.url("/a"))
        await add(organization.client, receiver.url("/b"))
        async with asyncio.TaskGroup() as group:
            group.create_task(
                run_worker(
                    database, tasks=application.tasks, concurrency=1, stop=stop, beside=[application.courier]
                )
            )
            try:
                for number in range(3):
                    receiver.arrived.clear()
                    await kit.customer(organization.client, name=f"customer {number}")
                    await asyncio.wait_for(receiver.arrived.wait(), 30)
                await asyncio.wait_for(dead.arrived.wait(), 30)
            finally:
                dead.hangs = False
                stop.set()
        server.close()
        assert [body["customer"]["name"] for body in receiver.bodies()] == [f"customer {n}" for n in range(3)]


class TestAddresses:
    async def test_that_are_private_are_refused(self, receiver):
        send = WebhookPost(timeout_seconds=2, allows_private=False)
        for host in ("127.0.0.1", "localhost"):
            answer = await send(f"http://{host}:{receiver.port}/", b"{}", {})
            assert answer.status is None
            assert "private" in answer.text
        assert receiver.got == []

    @pytest.mark.parametrize(
        "address",
        ["10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
         "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "224.0.0.1"],
    )  # fmt: skip
    def test_of_inner_networks_are_not_public(self, address):
        assert not is_public(address)

    @pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
    def test_of_everybody_are(self, address):
        assert is_public(address)

    async def test_that_do_not_answer_are_failures(self):
        send = WebhookPost(timeout_seconds=1, allows_private=True)
        answer = await send("http://127.0.0.1:1/", b"{}", {})
        assert (answer.status, answer.is_accepted) == (None, False)


class TestTypes:
    def test_that_are_emitted_are_in_the_catalogue_and_have_bodies(self):
        source = "\n".join(
            path.read_text() for path in Path(tallymark.__file__).parent.rglob("rooms/**/*.py")
        )
        types = set(re.findall(r'webhook_type="([^"]+)"', source))
        assert len(types) > 10
        assert types <= KNOWN_TYPES
        objects = set(re.findall(r'object_type="([^"]+)"', source))
        objects |= set(re.findall(r'\bname = "(payment_[a-z_]+_error)"', source))
        assert len(objects) > 8
        assert objects - {"invoice"} <= {*LOADERS, *AS_STORED}

    def test_of_the_contract_are_each_told_in_a_test_or_wait_for_their_cause(self):
        """docs/rules/webhook-types.md has all of them; the tests that it names speak of the type."""
        if not CONTRACT.exists():
            pytest.skip("the contract's document does not lie beside this checkout")
        page = (ROOT / "docs" / "rules" / "webhook-types.md").read_text()
        described = json.dumps(json.loads(CONTRACT.read_text())["webhooks"])
        wanted = set(re.findall(r'"webhook_type": \{[^{}]*"enum": \["([^"]+)"\]', described))
        told = dict(re.findall(r"^\| (\S+) \| `([\w/]+\.py)[:\w]+` \|$", page, re.MULTILINE))
        untold = set(re.findall(r"^\| (\w+\.\w+) \| [^`\n]+ \|$", page, re.MULTILINE))
        assert len(wanted) == 61
        assert {*told, *untold} == wanted
        for webhook_type, path in told.items():
            source, (of, _, _) = (ROOT / "tests" / path).read_text(), webhook_type.partition(".")
            assert f'"{webhook_type}"' in source or f'f"{of}.{{' in source, webhook_type

    def test_pauses_grow_with_the_fourth_power(self):
        chances = Fraction(0), Fraction(1)
        seconds = [[pause_after(n, chance=c).total_seconds() for c in chances] for n in (1, 2, 3, 4)]
        assert seconds == [[3, 3.15], [18, 20.4], [83, 95.15], [258, 296.4]]

    def test_a_body_is_compact_and_in_order_and_signed_as_the_contract_works_it_out(self):
        """platform §19.3: 151 bytes, and their signature."""
        told = Told(
            message_id=1,
            webhook_type="customer.created",
            object_type="customer",
            object_id=None,
            payload=None,
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        body = envelope(UUID("11111111-1111-4111-8111-111111111111"), told, {"external_id": "acme"})
        assert len(body) == 151
        key = "8c2f0a52-9d0e-4c4b-9f67-0a6f4c1f7e10"
        assert sign_hmac(body.encode(), key) == "3Mk/xxG22Uamg/lBCjpQ1ypSmhtjqlx381TEKOxUtCA="


async def test_a_year_of_billing_leaves_nothing_untold(make_organization, application, database, receiver):
    """Every kind of message that a plain life leaves has a body."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    await add(client, receiver.url())
    api = await kit.metric(client)
    plan = await kit.plan(client, kit.charge(api), amount_cents=1000)
    who = await kit.customer(client, currency="EUR")
    subscription = await kit.subscribe(client, who, plan)
    wallet = {
        "external_customer_id": who["external_id"],
        "rate_amount": "1",
        "currency": "EUR",
        "granted_credits": "5",
    }
    await post(client, "/wallets", {"wallet": wallet})
    await kit.send(client, subscription, api, 3)
    await kit.advance(client, "2026-02-02")
    await call(client, "DELETE", f"/subscriptions/{subscription['external_id']}")
    await call(client, "DELETE", f"/plans/{plan['code']}")
    await call(client, "DELETE", f"/billable_metrics/{api['code']}")
    for _ in range(3):
        await application.courier.deliver(organization.id)
    assert await rows(database, organization.id, untold_messages) == []
    types = {body["webhook_type"] for body in receiver.bodies()}
    assert types >= {
        "billable_metric.created", "plan.created", "customer.created", "subscription.started", "wallet.created",
        "wallet_transaction.created", "invoice.created", "subscription.terminated",
        "billable_metric.deleted",
    }  # fmt: skip
    for body in receiver.bodies():
        assert body[body["object_type"]], body
    statuses = {row["status"] for row in await rows(database, organization.id, webhooks)}
    assert statuses == {"succeeded"}


def _unpadded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def test_entitlements_are_told_where_the_catalogue_includes_them(
    make_organization, application, receiver
):
    """§9.4: with plans that come and change, and subscriptions that start and change."""
    organization = await make_organization("2026-01-01T00:00:00Z")
    client = organization.client
    await add(client, receiver.url())
    privileges = [{"code": "max", "value_type": "integer"}]
    await post(client, "/features", {"feature": {"code": "seats", "privileges": privileges}})
    await kit.plan(client, code="p")
    await post(client, "/plans/p/entitlements", {"entitlements": {"seats": {"max": 3}}})
    await kit.subscribe(client, await kit.customer(client), {"code": "p"}, external_id="s")
    await application.courier.deliver(organization.id)
    await call(client, "DELETE", "/subscriptions/s")
    await call(client, "DELETE", "/plans/p")
    await call(client, "DELETE", "/features/seats")
    await application.courier.deliver(organization.id)
    bodies = {body["webhook_type"]: body for body in receiver.bodies()}
    for told in ("feature.created", "feature.deleted"):
        assert (bodies[told]["feature"]["code"], len(bodies[told]["feature"]["privileges"])) == ("seats", 1)
    for of, told in (("plan", "updated"), ("subscription", "started")):
        (granted,) = bodies[f"{of}.{told}"][of]["entitlements"]
        assert granted["privileges"][0]["value"] == 3
    for of, told in (("plan", "deleted"), ("subscription", "terminated")):
        assert "entitlements" not in bodies[f"{of}.{told}"][of]
