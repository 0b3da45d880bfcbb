"""Who changed what lets somebody in, or where something goes (platform §10.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from tests.kit import advance, call, get, post

from tallymark.db.tables import security_logs
from tallymark.jobs.security import EVENTS
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.security_logs.jobs import forget_old

START = "2026-01-01T00:00:00Z"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


@pytest.fixture
async def organization(make_organization):
    return await make_organization(START)


@pytest.fixture
async def client(organization):
    return organization.client


async def logs(client, **query):
    """Entries, the oldest first."""
    query.setdefault("to_date", "2026-12-31")
    return (await get(client, "/security_logs", **query))["security_logs"][::-1]


async def endpoint(client, url="https://a.test"):
    body = {"webhook_endpoint": {"webhook_url": url, "name": "A"}}
    return (await post(client, "/webhook_endpoints", body))["webhook_endpoint"]


class TestEntries:
    async def test_of_webhook_endpoints(self, client, organization):
        client.headers["User-Agent"] = AGENT
        made = await endpoint(client, "https://me:secret@a.test")
        path = f"/webhook_endpoints/{made['lago_id']}"
        await call(client, "PUT", path, {"webhook_endpoint": {"name": "B", "signature_algo": "hmac"}})
        await call(client, "DELETE", path)
        created, updated, deleted = await logs(client)
        shown = {"lago_id": made["lago_id"], "webhook_url": "https://[FILTERED]@a.test"}
        assert created == {
            "log_id": created["log_id"],
            "log_type": "webhook_endpoint",
            "log_event": "webhook_endpoint.created",
            "user_email": None,
            "api_key": {
                "lago_id": created["api_key"]["lago_id"],
                "name": "default",
                "ending": organization.api_key[-4:],
            },
            "logged_at": START,
            "created_at": START,
            "resources": shown,
            "device_info": {
                "user_agent": AGENT,
                "ip_address": "127.0.0.1",
                "browser": "Chrome",
                "os": "Linux",
                "device_type": "desktop",
            },
        }
        assert updated["resources"] == {
            **shown,
            "name": {"deleted": "A", "added": "B"},
            "signature_algo": {"deleted": "jwt", "added": "hmac"},
        }
        assert (deleted["log_event"], deleted["resources"]) == ("webhook_endpoint.deleted", shown)
        assert (await get(client, f"/security_logs/{created['log_id']}"))["security_log"] == created

    async def test_of_issuers(self, client):
        await post(client, "/billing_entities", {"billing_entity": {"code": "e", "name": "E"}})
        await call(client, "PUT", "/billing_entities/e", {"billing_entity": {"name": "F"}})
        created, updated = await logs(client)
        assert created["resources"]["billing_entity_code"] == "e"
        assert updated["log_event"] == "billing_entity.updated"
        assert updated["resources"]["name"] == {"deleted": "E", "added": "F"}

    async def test_of_keys_have_four_characters_of_them(self, client, organization, database):
        now = datetime(2026, 1, 2, tzinfo=UTC)
        async with database.tenant(organization.id) as tx:
            key, value = await organizations.create_api_key(tx, name="k", now=now)
            await organizations.set_permissions(tx, key.id, {"tax": ["read"]}, now=now)
            _, next_value = await organizations.rotate_api_key(
                tx, key.id, name="n", now=now, old_ends_at=now + timedelta(days=1)
            )
            await organizations.delete_api_key(tx, key.id, now=now)
        await advance(client, "2026-01-03")
        created, updated, rotated, deleted = await logs(client, **{"api_key_ids[]": str(key.id)})
        assert created["resources"] == {"name": "k", "value": f"…{value[-4:]}"}
        assert (updated["log_event"], updated["resources"]) == (
            "api_key.updated",
            {"name": "k", "permissions": {"deleted": None, "added": {"tax": ["read"]}}},
        )
        assert (rotated["log_event"], rotated["resources"]) == (
            "api_key.rotated",
            {"name": "n", "value": f"…{next_value[-4:]}"},
        )
        assert (deleted["log_event"], deleted["resources"]) == ("api_key.deleted", {"name": "k"})
        assert set(created["device_info"].values()) == {None}
        # The key that an entry is about did nothing.
        assert [one["api_key"] for one in (created, updated, rotated, deleted)] == [None] * 4

    async def test_name_the_key_that_was_used_when_it_has_ended_too(self, client, organization, database):
        now = datetime(2026, 1, 1, tzinfo=UTC)
        async with database.tenant(organization.id) as tx:
            key, value = await organizations.create_api_key(tx, name="Importer", now=now)
        own = client.headers["Authorization"]
        client.headers["Authorization"] = f"Bearer {value}"
        await endpoint(client)
        client.headers["Authorization"] = own
        async with database.tenant(organization.id) as tx:
            await organizations.change_api_key(tx, key.id, {"name": "Old importer"}, now=now)
            await organizations.delete_api_key(tx, key.id, now=now)
        (entry,) = await logs(client, **{"log_types[]": "webhook_endpoint"})
        assert entry["api_key"] == {"lago_id": str(key.id), "name": "Old importer", "ending": value[-4:]}

    async def test_of_what_is_refused_are_not_there(self, client):
        await endpoint(client)
        taken = {"webhook_endpoint": {"webhook_url": "https://a.test"}}
        await post(client, "/webhook_endpoints", taken, expect=422)
        assert len(await logs(client)) == 1

    async def test_are_nobody_elses(self, client, other_client):
        await endpoint(client)
        (entry,) = await logs(client)
        assert await logs(other_client, to_date="2099-01-01") == []
        path = f"/security_logs/{entry['log_id']}"
        for who, at in (
            (other_client, path),
            (client, f"/security_logs/{uuid4()}"),
            (client, "/security_logs/x"),
        ):
            assert (await get(who, at, expect=404))["code"] == "security_log_not_found"


class TestLists:
    async def test_are_filtered(self, client):
        await endpoint(client)
        await advance(client, "2026-01-03")
        await post(client, "/billing_entities", {"billing_entity": {"code": "e", "name": "E"}})
        first, second = "webhook_endpoint.created", "billing_entity.created"
        for query, found in (
            ({}, [first, second]),
            ({"to_date": "2026-01-02"}, [first]),
            ({"from_date": "2026-01-02"}, [second]),
            ({"log_types[]": "billing_entity"}, [second]),
            ({"log_events[]": [first, "api_key.created"]}, [first]),
            ({"api_key_ids[]": str(uuid4())}, []),
            ({"user_ids[]": "x"}, []),
        ):
            assert [one["log_event"] for one in await logs(client, **query)] == found, query
        listed = await get(client, "/security_logs", to_date="2026-12-31", per_page=1)
        assert listed["security_logs"][0]["log_event"] == second
        assert listed["meta"]["total_count"] == 2

    @pytest.mark.parametrize(
        ("query", "details"),
        [
            ({}, {"to_date": ["value_is_mandatory"]}),
            ({"to_date": "x"}, {"to_date": ["invalid_date"]}),
            ({"to_date": "2026-01-01", "from_date": "x"}, {"from_date": ["invalid_date"]}),
            ({"to_date": "2026-01-01", "log_types[]": "plan"}, {"log_types": ["value_is_invalid"]}),
            ({"to_date": "2026-01-01", "log_events[]": "plan.created"}, {"log_events": ["value_is_invalid"]}),
        ],
    )
    async def test_name_a_filter_that_is_none(self, client, query, details):
        assert (await get(client, "/security_logs", expect=422, **query))["error_details"] == details

    def test_know_the_events_of_the_page_and_ours(self):
        assert len(EVENTS - {"organization.updated", "user.invite_revoked"}) == 4 + 2 + 1 + 3 + 3 + 7 + 3


class TestRetention:
    async def test_is_of_90_days(self, client, organization, database):
        await endpoint(client)
        (entry,) = await logs(client)
        await advance(client, "2026-03-31T23:59")
        assert len(await logs(client)) == 1
        await forget_old(database, now=datetime.now(UTC))
        assert len(await logs(client)) == 1
        await advance(client, "2026-04-01T00:01")
        assert await logs(client) == []
        await get(client, f"/security_logs/{entry['log_id']}", expect=404)
        await forget_old(database, now=datetime.now(UTC) - timedelta(days=1))
        async with database.tenant(organization.id) as tx:
            assert (await tx.execute(select(security_logs))).all() == []

    async def test_a_tenant_changes_and_deletes_none(self, client, organization, database):
        await endpoint(client)
        for statement in ("DELETE FROM security_logs", "UPDATE security_logs SET log_event = ''"):
            with pytest.raises(Exception, match="permission denied"):
                async with database.tenant(organization.id) as tx:
                    await tx.execute(text(statement))
