"""A POST with an `Idempotency-Key` is answered once, and has one effect (beyond §5)."""

from __future__ import annotations

import ast
import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import event, func, select, text
from tests import kit
from tests.kit import get

from tallymark import rooms
from tallymark.api.idempotency import is_in_parts
from tallymark.api.routing import PortalRoute, TenantRoute
from tallymark.db.tables import idempotent_answers, invoices
from tallymark.domain.errors import Conflict, NotFound
from tallymark.rooms.idempotency.jobs import forget_old
from tallymark.rooms.idempotency.service import KeptAnswers
from tallymark.rooms.taxes import service as taxes
from tallymark.routers import ROUTERS

START = "2026-01-01T00:00:00Z"
_names = count(1)


@pytest.fixture
async def organization(make_organization):
    return await make_organization(START)


def tax(**more):
    code = f"tax_{next(_names)}"
    return {"tax": {"name": code, "code": code, "rate": "20", **more}}


async def ask(client, path, body, key, **more):
    return await client.post(path, json=body, headers={"Idempotency-Key": key, **more})


def is_replayed(answer):
    return answer.headers.get("Idempotent-Replayed")


async def one_off(client):
    """The body of an invoice of 10.00 for a new customer."""
    who = await kit.customer(client, currency="EUR")
    code = f"add_on_{next(_names)}"
    made = {"name": code, "code": code, "amount_cents": 1000, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": made})
    fees = [{"add_on_code": code}]
    return {"invoice": {"external_customer_id": who["external_id"], "currency": "EUR", "fees": fees}}


async def invoices_of(database, organization):
    async with database.tenant(organization.id) as tx:
        return (await tx.execute(select(func.count()).select_from(invoices))).scalar_one()


class TestAKeyUsedTwice:
    async def test_has_one_effect_and_one_answer(self, client, organization, database):
        body, key = await one_off(client), str(uuid4())
        first = await ask(client, "/invoices", body, key)
        again = await ask(client, "/invoices", body, key)
        assert (first.status_code, is_replayed(first)) == (200, None)
        assert (again.status_code, is_replayed(again)) == (200, "true")
        assert again.content == first.content
        assert again.headers["content-type"] == first.headers["content-type"]
        assert first.json()["invoice"]["total_amount_cents"] == 1000
        assert await invoices_of(database, organization) == 1
        await ask(client, "/invoices", body, str(uuid4()))
        await client.post("/invoices", json=body)
        assert await invoices_of(database, organization) == 3

    async def test_is_told_in_the_activity_logs_once(self, client):
        body = await one_off(client)
        made = (await ask(client, "/invoices", body, "k")).json()["invoice"]
        await ask(client, "/invoices", body, "k")
        told = await get(client, "/activity_logs", **{"activity_types[]": "invoice.one_off_created"})
        assert [one["activity_object"]["lago_id"] for one in told["activity_logs"]] == [made["lago_id"]]

    async def test_is_told_in_the_api_logs_once(self, client):
        """What is given again has done nothing, be it good or a refusal; what is refused for its key is told as refused."""
        good, bad = tax(), tax(rate="x")
        asked = [
            await ask(client, "/taxes", body, key) for body, key in ((good, "a"), (bad, "b")) for _ in "12"
        ]
        other = await ask(client, "/taxes", tax(), "a")
        assert [is_replayed(answer) for answer in [*asked, other]] == [None, "true", None, "true", None]
        told = (await get(client, "/api_logs"))["api_logs"]
        assert {one["request_id"]: one["http_status"] for one in told} == {
            asked[0].headers["x-request-id"]: 200,
            asked[2].headers["x-request-id"]: 422,
            other.headers["x-request-id"]: 422,
        }
        assert len(told) == 3
        again = asked[1].headers["x-request-id"]
        assert (await get(client, f"/api_logs/{again}", expect=404))["code"] == "api_log_not_found"

    async def test_is_told_of_an_advance_once(self, client):
        body = {"test_clock": {"to": "2026-01-02T00:00:00Z"}}
        first, again = [await ask(client, "/test_clock/advance", body, "k") for _ in range(2)]
        assert (first.status_code, is_replayed(again)) == (200, "true")
        (told,) = (await get(client, "/api_logs"))["api_logs"]
        assert told["request_id"] == first.headers["x-request-id"]

    async def test_is_given_what_was_refused_first(self, client):
        refused = tax(rate="x")
        first = await ask(client, "/taxes", refused, "k")
        assert first.status_code == 422
        again = await ask(client, "/taxes", refused, "k")
        assert (again.status_code, again.json(), is_replayed(again)) == (422, first.json(), "true")
        missing = await ask(client, f"/invoices/{uuid4()}/void", {}, "k")
        assert (missing.status_code, is_replayed(missing)) == (404, None)

    @pytest.mark.parametrize("content", [b"{", b"{}"])
    async def test_is_given_what_could_not_be_read(self, client, content):
        headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
        first, again = [await client.post("/taxes", content=content, headers=headers) for _ in range(2)]
        assert (first.status_code, again.status_code, is_replayed(again)) == (400, 400, "true")
        assert again.json() == first.json()

    async def test_is_given_the_first_answer_though_it_would_be_another_now(self, client):
        body = tax()
        await ask(client, "/taxes", body, "k")
        await kit.call(client, "DELETE", f"/taxes/{body['tax']['code']}")
        again = await ask(client, "/taxes", body, "k")
        assert (again.status_code, is_replayed(again)) == (200, "true")
        await get(client, f"/taxes/{body['tax']['code']}", expect=404)

    async def test_gives_an_empty_answer_as_such(self, client):
        body, invoice = {"email": "x"}, uuid4()
        first = await ask(client, f"/invoices/{invoice}/retry_payment", body, "k")
        again = await ask(client, f"/invoices/{invoice}/retry_payment", body, "k")
        assert (again.status_code, again.content) == (first.status_code, first.content)

    async def test_is_refused_with_another_body_or_query(self, client):
        body = tax()
        await ask(client, "/taxes", body, "k")
        for path, other in (("/taxes", tax()), ("/taxes?a=1", body)):
            refused = await ask(client, path, other, "k")
            assert refused.status_code == 422
            assert refused.json()["error_details"] == {"idempotency_key": ["already_used_with_another_body"]}
        listed = (await get(client, "/taxes"))["taxes"]
        assert [one["code"] for one in listed] == [body["tax"]["code"]]

    async def test_is_another_one_on_another_route(self, client):
        first, second = await one_off(client), await one_off(client)
        ids = [(await kit.post(client, "/invoices", one))["invoice"]["lago_id"] for one in (first, second)]
        answers = [await ask(client, f"/invoices/{one}/void", {}, "k") for one in ids]
        assert [answer.json()["invoice"]["lago_id"] for answer in answers] == ids
        assert (await ask(client, "/taxes", tax(), "k")).status_code == 200

    async def test_is_another_one_of_another_organization(self, client, other_client):
        body = tax()
        mine, theirs = await ask(client, "/taxes", body, "k"), await ask(other_client, "/taxes", body, "k")
        assert (mine.status_code, theirs.status_code, is_replayed(theirs)) == (200, 200, None)
        assert mine.json()["tax"]["lago_id"] != theirs.json()["tax"]["lago_id"]

    async def test_is_nothing_to_what_is_no_post(self, client):
        body = tax()
        path = f"/taxes/{body['tax']['code']}"
        await kit.post(client, "/taxes", body)
        for name in ("a", "b"):
            headers = {"Idempotency-Key": "k"}
            answer = await client.put(path, json={"tax": {"name": name}}, headers=headers)
            assert (answer.json()["tax"]["name"], is_replayed(answer)) == (name, None)

    async def test_is_nothing_to_the_event_routes(self, client):
        """They have keys of their own."""
        body = {"event": {"code": "c", "transaction_id": "t", "external_subscription_id": "s"}}
        first, again = [await ask(client, "/events", body, "k") for _ in range(2)]
        assert (first.status_code, again.status_code, is_replayed(again)) == (200, 422, None)


class TestKeys:
    @pytest.mark.parametrize(
        ("key", "code"),
        [("", "value_is_mandatory"), ("  ", "value_is_mandatory"), ("k" * 256, "value_is_too_long")],
    )
    async def test_have_1_to_255_characters(self, client, key, code):
        refused = await ask(client, "/taxes", tax(), key)
        assert (refused.status_code, refused.json()["error_details"]) == (422, {"idempotency_key": [code]})
        assert (await get(client, "/taxes"))["taxes"] == []

    async def test_of_255_characters_are_told_apart_by_the_last(self, client):
        keys = ["k" * 254 + end for end in "ab"]
        answers = [await ask(client, "/taxes", tax(), key) for key in keys]
        assert [answer.status_code for answer in answers] == [200, 200]

    async def test_come_after_authentication(self, nobody):
        refused = await ask(nobody, "/api/v1/taxes", tax(), "")
        assert refused.status_code == 401


class TestAtTheSameTime:
    async def test_one_has_the_effect_and_the_others_are_told(self, client, organization, database):
        body, key = await one_off(client), str(uuid4())
        answers = await asyncio.gather(*(ask(client, "/invoices", body, key) for _ in range(8)))
        assert await invoices_of(database, organization) == 1
        done = [answer for answer in answers if answer.status_code == 200]
        assert len({answer.content for answer in done}) == 1
        assert sum(is_replayed(answer) is None for answer in done) == 1
        for answer in answers:
            if answer.status_code != 200:
                assert answer.json() == {"status": 409, "error": "Conflict", "code": "idempotency_key_in_use"}
        again = await ask(client, "/invoices", body, key)
        assert (again.content, is_replayed(again)) == (done[0].content, "true")

    async def test_while_the_first_is_under_way_it_is_a_conflict(self, client, monkeypatch):
        reached, go_on, create = asyncio.Event(), asyncio.Event(), taxes.create_tax

        async def slow(*args, **more):
            reached.set()
            await go_on.wait()
            return await create(*args, **more)

        monkeypatch.setattr(taxes, "create_tax", slow)
        body = tax()
        first = asyncio.create_task(ask(client, "/taxes", body, "k"))
        await reached.wait()
        in_use = await ask(client, "/taxes", body, "k")
        assert (in_use.status_code, in_use.json()["code"]) == (409, "idempotency_key_in_use")
        go_on.set()
        assert (await first).status_code == 200
        assert is_replayed(await ask(client, "/taxes", body, "k")) == "true"


class TestFailures:
    async def test_an_answer_that_is_lost_after_the_commit_is_given_again(
        self, client, organization, database, application
    ):
        body, key = await one_off(client), str(uuid4())

        async def losing(scope, receive, send):
            async def lose(_):
                raise ConnectionResetError

            await application.asgi(scope, receive, lose)

        transport = httpx.ASGITransport(losing)
        async with httpx.AsyncClient(
            transport=transport, base_url=client.base_url, headers=client.headers
        ) as other:
            with pytest.raises(ConnectionResetError):
                await ask(other, "/invoices", body, key)
        assert await invoices_of(database, organization) == 1
        again = await ask(client, "/invoices", body, key)
        assert (again.status_code, is_replayed(again)) == (200, "true")
        assert await invoices_of(database, organization) == 1

    async def test_an_effect_whose_answer_can_not_be_kept_is_none(
        self, client, organization, database, monkeypatch
    ):
        """Between the two there is nothing: a crash there leaves neither."""
        body, key = await one_off(client), str(uuid4())

        async def crash(*_, **__):
            raise ConnectionError

        with monkeypatch.context() as patch:
            patch.setattr(KeptAnswers, "keep", crash)
            assert (await ask(client, "/invoices", body, key)).status_code == 500
        assert await invoices_of(database, organization) == 0
        again = await ask(client, "/invoices", body, key)
        assert (again.status_code, is_replayed(again)) == (200, None)
        assert await invoices_of(database, organization) == 1

    async def test_a_commit_that_fails_leaves_neither(self, client, organization, database):
        body, key = await one_off(client), str(uuid4())

        def fail(_):
            event.remove(database.engine.sync_engine, "commit", fail)
            raise ConnectionError

        create = KeptAnswers.keep

        async def keep_and_break(self, *args, **more):
            await create(self, *args, **more)
            event.listen(database.engine.sync_engine, "commit", fail)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(KeptAnswers, "keep", keep_and_break)
            assert (await ask(client, "/invoices", body, key)).status_code == 500
        assert await invoices_of(database, organization) == 0
        assert is_replayed(await ask(client, "/invoices", body, key)) is None
        assert await invoices_of(database, organization) == 1

    async def test_a_defect_is_not_kept(self, client, monkeypatch):
        body = tax()

        async def broken(*_, **__):
            raise RuntimeError

        with monkeypatch.context() as patch:
            patch.setattr(taxes, "create_tax", broken)
            assert (await ask(client, "/taxes", body, "k")).status_code == 500
        again = await ask(client, "/taxes", body, "k")
        assert (again.status_code, is_replayed(again)) == (200, None)

    async def test_a_conflict_is_not_kept(self, client, monkeypatch):
        """It says that the same call may go well later."""
        body = tax()

        async def busy(*_, **__):
            raise Conflict("test_clock_advancing")

        with monkeypatch.context() as patch:
            patch.setattr(taxes, "create_tax", busy)
            assert (await ask(client, "/taxes", body, "k")).status_code == 409
        assert (await ask(client, "/taxes", body, "k")).status_code == 200

    async def test_what_a_refused_call_had_done_is_undone(self, client, monkeypatch):
        create, body = taxes.create_tax, tax()

        async def made_and_refused(*args, **more):
            await create(*args, **more)
            raise NotFound("tax")

        monkeypatch.setattr(taxes, "create_tax", made_and_refused)
        answers = [await ask(client, "/taxes", body, "k") for _ in range(2)]
        assert [(one.status_code, is_replayed(one)) for one in answers] == [(404, None), (404, "true")]
        assert (await get(client, "/taxes"))["taxes"] == []


class TestInParts:
    async def test_an_advance_is_answered_again(self, client):
        body = {"test_clock": {"to": "2026-01-02T00:00:00Z"}}
        first = await ask(client, "/test_clock/advance", body, "k")
        await kit.advance(client, "2026-01-02T12:00")
        again = await ask(client, "/test_clock/advance", body, "k")
        assert (first.status_code, again.content, is_replayed(again)) == (200, first.content, "true")
        other = await ask(client, "/test_clock/advance", {"test_clock": {"to": "2026-01-03"}}, "k")
        assert other.json()["error_details"] == {"idempotency_key": ["already_used_with_another_body"]}

    async def test_a_document_is_made_once_at_a_time(self, client, application, monkeypatch):
        invoice = (await kit.post(client, "/invoices", await one_off(client)))["invoice"]
        path = f"/invoices/{invoice['lago_id']}/download"
        reached, go_on = asyncio.Event(), asyncio.Event()
        maker = type(application.asgi.state.documents)
        make = maker.make

        async def slow(*args, **more):
            reached.set()
            await go_on.wait()
            return await make(*args, **more)

        monkeypatch.setattr(maker, "make", slow)
        first = asyncio.create_task(ask(client, path, {}, "k"))
        await reached.wait()
        assert (await ask(client, path, {}, "k")).json()["code"] == "idempotency_key_in_use"
        go_on.set()
        answer = await first
        assert answer.json()["invoice"]["file_url"] is not None
        again = await ask(client, path, {}, "k")
        assert (again.content, is_replayed(again)) == (answer.content, "true")

    def test_is_each_that_opens_more_than_one_transaction_or_its_own(self):
        """Any other has all its effects in the one that its answer is kept in."""
        found = set()
        for path in Path(rooms.__path__[0]).rglob("*routes.py"):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.AsyncFunctionDef):
                    source = ast.unparse(node)
                    outside = (
                        "context.database", "downloading.with_files(context", ".checkout_url(context", ".of_invoice(context", ".of_purchase(context",
                    )  # fmt: skip
                    if source.count(".transaction()") > 1 or any(one in source for one in outside):
                        found.add(node.name)
        posts = {
            route.endpoint.__name__: is_in_parts(route.endpoint)
            for router in ROUTERS
            for route in router.routes
            if isinstance(route, TenantRoute | PortalRoute) and "POST" in (route.methods or ())
        }
        marked = {name for name, is_marked in posts.items() if is_marked}
        assert marked == found & posts.keys()
        assert "advance_test_clock" in marked
        assert "create_one_off" in posts.keys() - marked


class TestRetention:
    async def test_is_24_hours_of_the_organizations_clock(self, client):
        body = tax()
        await ask(client, "/taxes", body, "k")
        await kit.advance(client, "2026-01-01T23:59:59")
        assert is_replayed(await ask(client, "/taxes", body, "k")) == "true"
        await kit.advance(client, "2026-01-02T00:00:01")
        again = await ask(client, "/taxes", body, "k")
        assert (is_replayed(again), again.json()["error_details"]) == (
            None,
            {"code": ["value_already_exist"]},
        )
        assert (await ask(client, "/taxes", body, "k")).content == again.content

    async def test_older_ones_go_by_the_clock_of_their_organization(
        self, client, organization, make_organization, database
    ):
        live = await make_organization()
        for one in (client, live.client):
            await ask(one, "/taxes", tax(), "k")

        async def left(of):
            async with database.tenant(of.id) as tx:
                return len((await tx.execute(select(idempotent_answers.c.slot))).all())

        now = datetime.now(UTC)
        await forget_old(database, now=now)
        assert [await left(organization), await left(live)] == [1, 1]
        await forget_old(database, now=now + timedelta(hours=25))
        assert [await left(organization), await left(live)] == [1, 0]
        await kit.advance(client, "2026-01-02T00:01")
        await forget_old(database, now=now)
        assert await left(organization) == 0

    async def test_nothing_of_a_key_is_kept(self, client, organization, database):
        await ask(client, "/taxes", tax(), "a key that nobody should read")
        async with database.tenant(organization.id) as tx:
            rows = (await tx.execute(text("SELECT idempotent_answers::text FROM idempotent_answers"))).all()
        assert rows
        assert not any("nobody should read" in row[0] for row in rows)


async def test_a_call_without_a_key_runs_no_statement_more(client, count_statements):
    first, second = ({"webhook_endpoint": {"webhook_url": f"https://a.test/{n}"}} for n in range(2))
    await kit.post(client, "/webhook_endpoints", first)
    with count_statements() as statements:
        await kit.post(client, "/webhook_endpoints", second)
    assert not any("idempotent" in one or "try_advisory" in one or "SAVEPOINT" in one for one in statements)
