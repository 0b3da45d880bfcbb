"""Calls that change something are kept: what was sent and what was answered (platform §10.2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from tests import kit
from tests.kit import call, get, post

from tallymark.db.tables import api_logs
from tallymark.rooms.api_logs.jobs import forget_old
from tallymark.rooms.taxes import service as taxes

START = "2026-01-01T00:00:00Z"


@pytest.fixture
async def organization(make_organization):
    return await make_organization(START)


@pytest.fixture
async def client(organization):
    return organization.client


async def logs(client, **query):
    return (await get(client, "/api_logs", **query))["api_logs"]


def paths(listed):
    return [one["request_path"].removeprefix("/api/v1") for one in listed]


class TestEntries:
    async def test_tell_what_was_sent_and_answered(self, client):
        asked = str(uuid4())
        headers = {"User-Agent": "Lago Ruby v1.26.0", "X-Request-Id": asked}
        body = {"tax": {"name": "VAT", "code": "v", "rate": "20"}}
        answer = await client.post("/taxes?a=1&b[]=2&b[]=3", json=body, headers=headers)
        assert answer.headers["x-request-id"] == asked
        (entry,) = await logs(client)
        assert entry == {
            "request_id": asked,
            "client": "Lago Ruby v1.26.0",
            "http_method": "post",
            "http_status": 200,
            "request_origin": "http://test/",
            "request_path": "/api/v1/taxes",
            "request_body": {"a": "1", "b[]": ["2", "3"], **body},
            "request_response": answer.json(),
            "api_version": "v1",
            "logged_at": START,
            "created_at": START,
        }
        assert (await get(client, f"/api_logs/{asked}"))["api_log"] == entry

    async def test_have_an_id_of_their_own_where_none_comes_or_it_is_no_uuid(self, client):
        for headers in ({}, {"X-Request-Id": "Root=1-67891233"}):
            made = (await client.delete("/taxes/x", headers=headers)).headers["x-request-id"]
            entry = (await get(client, f"/api_logs/{made}"))["api_log"]
            assert (entry["request_body"], entry["http_method"]) == ({"code": "x"}, "delete")

    async def test_of_one_id_the_last_is_read(self, client):
        headers = {"X-Request-Id": str(uuid4())}
        for path in ("/taxes/a", "/taxes/b"):
            await client.delete(path, headers=headers)
        found = (await get(client, f"/api_logs/{headers['X-Request-Id']}"))["api_log"]
        assert found["request_path"] == "/api/v1/taxes/b"

    async def test_are_not_found_by_unknown_ids_nor_by_others(self, client, other_client):
        made = (await client.delete("/taxes/x")).headers["x-request-id"]
        for who, path in ((client, str(uuid4())), (client, "x"), (other_client, made)):
            assert (await get(who, f"/api_logs/{path}", expect=404))["code"] == "api_log_not_found"
        assert await logs(other_client) == []

    async def test_tell_how_it_failed(self, client, monkeypatch):
        await post(client, "/taxes", {"tax": {"name": "n"}}, expect=422)
        await call(client, "DELETE", "/taxes/x", expect=404)

        async def broken(*_, **__):
            raise RuntimeError

        monkeypatch.setattr(taxes, "delete_tax", broken)
        await kit.tax(client, code="t")
        await call(client, "DELETE", "/taxes/t", expect=500)
        found = await logs(client)
        assert [one["http_status"] for one in found] == [500, 200, 404, 422]
        assert found[0]["request_response"] == {"status": 500, "error": "Internal Server Error"}
        assert found[3]["request_response"]["error_details"]["code"] == ["value_is_mandatory"]

    async def test_that_are_not_json_have_no_response(self, client):
        made = await kit.subscribe(client, await kit.customer(client), await kit.plan(client))
        alerts = f"/subscriptions/{made['external_id']}/alerts"
        assert (await client.delete(alerts)).content == b""
        assert (await logs(client))[0]["request_response"] is None

    async def test_of_patch_are_kept_too(self, client):
        """Mended."""
        await kit.tax(client, code="t")
        await call(client, "PATCH", "/taxes/t", {"tax": {"name": "n"}})
        assert (await logs(client))[0]["http_method"] == "patch"


class TestWhatIsNotKept:
    async def test_reading_and_events(self, client):
        made = await kit.subscribe(client, await kit.customer(client), await kit.plan(client))
        before = len(await logs(client))
        await kit.send(client, made, await kit.metric(client, code="m"), 1)
        await post(client, "/events/replay", {"replay": {}})
        event = {"event": {"code": "m", "external_subscription_id": made["external_id"]}}
        await post(client, "/events/estimate_fees", event, expect=422)
        await get(client, "/taxes")
        assert paths(await logs(client))[:-before] == ["/billable_metrics"]

    async def test_what_did_not_reach_its_action(self, client, nobody):
        await post(client, "/taxes", {}, expect=400)
        await client.post("/taxes", content=b"{", headers={"Content-Type": "application/json"})
        await post(nobody, "/api/v1/taxes", {"tax": {}}, expect=401)
        await post(client, "/nowhere", {}, expect=404)
        assert await logs(client) == []

    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ({"api_key": "s3cret"}, {"api_key": "[FILTERED]"}),
            ({"a": [{"client_secret": "s3cret"}]}, {"a": [{"client_secret": "[FILTERED]"}]}),
            ({"Password": {"x": "s3cret"}, "token": None}, {"Password": "[FILTERED]", "token": None}),
            ({"url": "https://u:s3cret@a.test/x"}, {"url": "https://[FILTERED]@a.test/x"}),
            (
                {"pricing_group_keys": ["a"], "key": "k", "tokens": 1},
                {"pricing_group_keys": ["a"], "key": "k", "tokens": 1},
            ),
        ],
    )
    async def test_secrets(self, client, database, organization, sent, kept):
        body = {"name": "n", "code": "c", "rate": "1", **sent}
        await post(client, f"/taxes?token=s3cret&x={uuid4()}", {"tax": body})
        entry = (await logs(client))[0]
        assert entry["request_body"]["tax"] == {"name": "n", "code": "c", "rate": "1", **kept}
        async with database.tenant(organization.id) as tx:
            row = (await tx.execute(select(api_logs))).one()
        assert "s3cret" not in str(row)
        assert organization.api_key not in str(row)

    async def test_links_that_need_no_key(self, client):
        add_on = {"name": "a", "code": "a", "amount_cents": 100, "amount_currency": "EUR"}
        await post(client, "/add_ons", {"add_on": add_on})
        who = await kit.customer(client)
        one_off = {"external_customer_id": who["external_id"], "fees": [{"add_on_code": "a"}]}
        made = (await post(client, "/invoices", {"invoice": {**one_off, "currency": "EUR"}}))["invoice"]
        answer = await post(client, f"/invoices/{made['lago_id']}/download", None)
        assert "signature=" in answer["invoice"]["file_url"]
        shown = (await logs(client))[0]["request_response"]["invoice"]["file_url"]
        assert shown == answer["invoice"]["file_url"].split("signature=")[0] + "signature=[FILTERED]"

    async def test_nul_characters_and_what_is_no_json(self, client):
        headers = {"Content-Type": "application/json"}
        for unread in (b'"\\ud800"', b"NaN"):
            body = b'{"tax": {"name": "n", "code": "c", "rate": "1", "x": ' + unread + b"}}"
            assert (await client.post("/taxes", content=body, headers=headers)).status_code == 400
        assert await logs(client) == []
        body = b'{"tax": {"name": "n", "code": "c", "rate": "1", "x": "\\u0000"}}'
        await client.post("/taxes", content=body, headers=headers)
        assert (await logs(client))[0]["request_body"]["tax"]["x"] == ""

    async def test_a_path_longer_than_an_index_takes_is_kept(self, client):
        path = "/taxes/" + "x" * 5000
        await call(client, "DELETE", path, expect=404)
        assert paths(await logs(client, request_paths=path)) == [path]


class TestFailures:
    async def test_of_noting_change_no_answer(self, client, application, monkeypatch, database):
        async with database.system() as connection:
            await connection.execute(text("ALTER TABLE api_logs RENAME TO gone"))
        try:
            made = await kit.tax(client, code="t")
        finally:
            async with database.system() as connection:
                await connection.execute(text("ALTER TABLE gone RENAME TO api_logs"))
        assert (await get(client, "/taxes/t"))["tax"]["code"] == made["code"]
        assert await logs(client) == []


class TestLists:
    @pytest.fixture
    async def client(self, organization):
        client = organization.client
        for day, code in enumerate("abc", 1):
            await kit.tax(client, code=code)
            await kit.advance(client, f"2026-01-0{day + 1}")
        await call(client, "PUT", "/taxes/a", {"tax": {"name": "n"}}, expect=200)
        client.headers["User-Agent"] = "other"
        await call(client, "DELETE", "/taxes/x_y", expect=404)
        return client

    async def test_are_newest_first_and_paged(self, client):
        listed = await get(client, "/api_logs", per_page=2)
        assert paths(listed["api_logs"]) == ["/taxes/x_y", "/taxes/a"]
        assert listed["meta"]["total_count"] == 8

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"http_methods[]": ["put", "delete"]}, ["/taxes/x_y", "/taxes/a"]),
            ({"http_statuses[]": "404"}, ["/taxes/x_y"]),
            ({"http_statuses[]": ["failed"]}, ["/taxes/x_y"]),
            ({"http_statuses[]": ["failed", "succeeded"], "from_date": "2026-01-04"}, ["/taxes/x_y", "/taxes/a"]),
            ({"http_statuses[]": "succeeded", "http_methods[]": "delete"}, []),
            ({"api_version": "v2"}, []),
            ({"api_version": "v1", "http_methods[]": "put"}, ["/taxes/a"]),
            ({"request_paths": "/taxes/a"}, ["/taxes/a"]),
            ({"request_paths[]": ["/api/v1/taxes/a", "taxes/x_y/"]}, ["/taxes/x_y", "/taxes/a"]),
            ({"request_paths": "/taxes/*"}, ["/taxes/x_y", "/taxes/a"]),
            ({"request_paths": "*x_y"}, ["/taxes/x_y"]),
            ({"request_paths": "/taxes/x%"}, []),
            ({"request_paths": "*/x*_"}, []),
            ({"clients[]": "other"}, ["/taxes/x_y"]),
            ({"clients[]": "oth"}, []),
            ({"from_date": "2026-01-02T00:00:00Z", "to_date": "2026-01-02"}, ["/test_clock/advance", "/taxes"]),
            ({"to_date": "2026-01-01T00:00:00Z", "request_paths": "/taxes"}, ["/taxes"]),
            ({"to_date": "2025-12-31T23:59:59Z"}, []),
            ({"from_date": "2026-01-05"}, []),
        ],
    )  # fmt: skip
    async def test_are_filtered(self, client, query, found):
        assert paths(await logs(client, **query)) == found

    async def test_are_filtered_by_the_key_that_called(self, client, database, organization):
        async with database.tenant(organization.id) as tx:
            (key,) = set((await tx.execute(select(api_logs.c.api_key_id))).scalars())
        everything = paths(await logs(client))
        assert paths(await logs(client, **{"api_key_ids[]": str(key)})) == everything
        assert paths(await logs(client, **{"api_key_ids[]": [str(uuid4()), str(key)]})) == everything
        for other in (str(uuid4()), "none"):
            assert await logs(client, **{"api_key_ids[]": other}) == []

    @pytest.mark.parametrize(
        ("query", "details"),
        [
            ({"from_date": "x"}, {"from_date": ["invalid_date"]}),
            ({"to_date": "2026-13-01"}, {"to_date": ["invalid_date"]}),
            ({"http_methods[]": "trace"}, {"http_methods": ["value_is_invalid"]}),
            ({"http_statuses[]": "4xx"}, {"http_statuses": ["value_is_invalid"]}),
        ],
    )
    async def test_name_a_filter_that_is_none(self, client, query, details):
        assert (await get(client, "/api_logs", expect=422, **query))["error_details"] == details


class TestRetention:
    async def test_older_ones_are_not_shown(self, client):
        made = (await client.delete("/taxes/x")).headers["x-request-id"]
        await kit.advance(client, "2026-01-30T23:59")
        assert paths(await logs(client)) == ["/test_clock/advance", "/taxes/x"]
        await kit.advance(client, "2026-01-31T00:01")
        assert paths(await logs(client)) == ["/test_clock/advance"]
        await get(client, f"/api_logs/{made}", expect=404)

    async def test_older_ones_go_by_the_clock_of_their_organization(
        self, client, organization, make_organization, database
    ):
        live = await make_organization()
        for one in (client, live.client):
            await call(one, "DELETE", "/taxes/x", expect=404)

        async def left(organization_id: UUID) -> int:
            async with database.tenant(organization_id) as tx:
                return len((await tx.execute(select(api_logs.c.id))).all())

        kept, now = timedelta(days=30), datetime.now(UTC)
        await forget_old(database, now=now, kept=kept)
        assert [await left(organization.id), await left(live.id)] == [1, 1]
        await forget_old(database, now=now + timedelta(days=31), kept=kept)
        assert [await left(organization.id), await left(live.id)] == [1, 0]
        await kit.advance(client, "2026-02-01")
        await forget_old(database, now=now, kept=kept)
        assert await left(organization.id) == 0, "the call that moved its clock was one of January, too"

    async def test_a_tenant_changes_and_deletes_none(self, client, organization, database):
        await call(client, "DELETE", "/taxes/x", expect=404)
        for statement in ("DELETE FROM api_logs", "UPDATE api_logs SET client = ''"):
            with pytest.raises(Exception, match="permission denied"):
                async with database.tenant(organization.id) as tx:
                    await tx.execute(text(statement))
