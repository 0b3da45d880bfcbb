"""What an API key may do, route by route (platform §1.1, §2, §5)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update
from tests import kit
from tests.kit import get, post

from tallymark.api.routing import TenantRoute
from tallymark.db.tables import api_keys
from tallymark.domain.errors import Invalid, NotFound
from tallymark.rooms.organizations import service
from tallymark.routers import ROUTERS

# The first that fits, of paths below /api/v1: the italics of platform §2, and below them what is Tallymark's own.
RESOURCES = [
    (r"/customers/[^/]+/(current|projected|past)_usage", "customer_usage"),
    (r"/customers/[^/]+/applied_coupons", "applied_coupon"),
    (r"/customers/[^/]+/credit_notes", "credit_note"),
    (r"/customers/[^/]+/invoices", "invoice"),
    (r"/customers/[^/]+/payments", "payment"),
    (r"/customers/[^/]+/payment_requests", "payment_request"),
    (r"/customers/[^/]+/subscriptions", "subscription"),
    (r"/customers/[^/]+/payment_methods", "payment_method"),
    (r"/customers/[^/]+/wallets/[^/]+/alerts", "alert"),
    (r"/customers/[^/]+/wallets", "wallet"),
    (r"/customers", "customer"),
    (r"/subscriptions/[^/]+/lifetime_usage", "lifetime_usage"),
    (r"/subscriptions/[^/]+/alerts", "alert"),
    (r"/subscriptions", "subscription"),
    (r"/billable_metrics", "billable_metric"),
    (r"/plans", "plan"),
    (r"/add_ons", "add_on"),
    (r"/coupons", "coupon"),
    (r"/applied_coupons", "applied_coupon"),
    (r"/taxes", "tax"),
    (r"/features", "feature"),
    (r"/events", "event"),
    (r"/event_backfills", "event"),
    (r"/invoice_custom_sections", "invoice_custom_section"),
    (r"/fees", "fee"),
    (r"/invoices", "invoice"),
    (r"/credit_notes", "credit_note"),
    (r"/payments", "payment"),
    (r"/payment_receipts", "invoice"),
    (r"/payment_requests", "payment_request"),
    (r"/wallets/[^/]+/wallet_transactions", "wallet_transaction"),
    (r"/wallets", "wallet"),
    (r"/wallet_transactions", "wallet_transaction"),
    (r"/organizations", "organization"),
    (r"/billing_entities", "billing_entity"),
    (r"/webhook_endpoints", "webhook_endpoint"),
    (r"/webhooks/(json_)?public_key", "webhook_jwt_public_key"),
    (r"/activity_logs", "activity_log"),
    (r"/api_logs", "api_log"),
    (r"/security_logs", "security_log"),
    (r"/analytics", "analytic"),
    (r"/test_clock", "organization"),
    (r"/journal_entries", "invoice"),
    (r"/data_exports", "invoice"),
    (r"/pricing_units", "plan"),
    (r"/event_backfills", "event"),
]


def expected(path: str) -> str:
    return next(resource for start, resource in RESOURCES if re.match(start, path))


def routes() -> list[tuple[str, str]]:
    found = [
        (method, re.sub(r"{[^}]*}", "x", route.path.removeprefix("/api/v1")))
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, TenantRoute)
        for method in route.methods or ()
    ]
    return [*found, ("POST", "/events"), ("POST", "/events/batch")]


@pytest.fixture
async def make_client(application, organization, database, client):
    """A client of the organization with a key that may do no more than this."""
    opened = []

    async def make(permissions):
        async with database.tenant(organization.id) as tx:
            _, value = await service.create_api_key(
                tx, name=None, now=datetime.now(UTC), permissions=permissions
            )
        transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {value}"}
        opened.append(httpx.AsyncClient(transport=transport, base_url=client.base_url, headers=headers))
        return opened[-1]

    yield make
    for one in opened:
        await one.aclose()


class TestAKey:
    async def test_may_do_what_it_is_permitted(self, make_client, client):
        """Platform §19.2."""
        limited = await make_client({"customer": ["read"], "event": ["write"]})
        await kit.customer(client, external_id="c1")
        await get(limited, "/customers")
        body = {"customer": {"external_id": "c2"}}
        refused = await post(limited, "/customers", body, expect=403)
        assert refused == {
            "status": 403,
            "error": "Forbidden",
            "code": "write_action_not_allowed_for_customer",
        }
        refused = await get(limited, "/events/x", expect=403)
        assert refused["code"] == "read_action_not_allowed_for_event"
        event = {"event": {"code": "c", "external_subscription_id": "s"}}
        await post(limited, "/events/estimate_fees", event, expect=404)
        await post(limited, "/events", {"event": {**event["event"], "transaction_id": "t"}})
        refused = await get(limited, "/customers/c1/current_usage", expect=403)
        assert refused["code"] == "read_action_not_allowed_for_customer_usage"
        await get(client, "/customers/c2", expect=404)

    async def test_is_refused_on_every_route_by_the_name_of_its_resource(self, make_client):
        """Before its body, its parents and its header are looked at."""
        limited = await make_client({"quote": ["read", "write"]})
        codes, wanted = {}, {}
        for method, path in routes():
            answer = await limited.request(method, path, headers={"Idempotency-Key": ""})
            codes[method, path] = answer.status_code, answer.json().get("code")
            mode = "read" if method == "GET" or path == "/data_exports" else "write"
            wanted[method, path] = 403, f"{mode}_action_not_allowed_for_{expected(path)}"
        assert len(wanted) > 200
        assert codes == wanted

    async def test_that_reads_does_not_write_and_the_other_way_round(self, make_client):
        reader, writer = await make_client({"tax": ["read"]}), await make_client({"tax": ["write"]})
        body = {"tax": {"name": "VAT", "code": "v", "rate": "20"}}
        await post(reader, "/taxes", body, expect=403)
        await post(writer, "/taxes", body)
        await get(writer, "/taxes/v", expect=403)
        await get(reader, "/taxes/v")

    async def test_may_do_everything_when_it_is_made(self, make_client):
        full = await make_client(None)
        for method, path in routes():
            if method == "GET":
                assert "action_not_allowed" not in (await full.get(path)).text

    async def test_that_is_refused_is_not_in_the_api_logs(self, make_client, client):
        limited = await make_client({"tax": ["read"]})
        await post(limited, "/taxes", {}, expect=403)
        assert (await get(client, "/api_logs"))["api_logs"] == []

    async def test_is_asked_for_in_the_statement_that_finds_it(self, make_client, count_statements):
        limited = await make_client({"webhook_jwt_public_key": ["read"]})
        with count_statements() as statements:
            await get(limited, "/webhooks/json_public_key")
            await get(limited, "/webhooks/json_public_key")
        about_keys = [one.split()[0] for one in statements if "api_keys" in one]
        assert about_keys == ["SELECT", "UPDATE"], "found once, and its use noted once"

    async def test_tells_when_it_was_used_last(self, make_client, database, organization):
        """Platform §5; to about half a minute, for a process asks for a key no more often."""
        limited = await make_client({"tax": ["read"]})
        began = datetime.now(UTC)
        async with database.tenant(organization.id) as tx:
            before = await service.list_api_keys(tx, now=began)
        await get(limited, "/taxes")
        async with database.tenant(organization.id) as tx:
            after = await service.list_api_keys(tx, now=began)
        ((unused, used),) = [
            (old.last_used_at, new.last_used_at)
            for old, new in zip(before, after, strict=True)
            if old.last_used_at != new.last_used_at
        ]
        assert unused is None
        assert used is not None
        assert used >= began

    async def test_tells_how_an_older_key_ends_once_it_is_used(self, make_client, database, organization):
        """Keys of before the ends of their values were kept; one that is kept stays."""
        limited = await make_client({"tax": ["read"]})
        value = limited.headers["Authorization"].removeprefix("Bearer ")

        async def endings():
            async with database.tenant(organization.id) as tx:
                return [key.ending for key in await service.list_api_keys(tx, now=datetime.now(UTC))]

        kept = (await endings())[0]
        async with database.system() as connection:
            hashed = service.hash_key(value)
            await connection.execute(
                update(api_keys).where(api_keys.c.key_hash == hashed).values(ending=None)
            )
        assert await endings() == [kept, None]
        await get(limited, "/taxes")
        assert await endings() == [kept, value[-4:]]


class TestPermissions:
    @pytest.mark.parametrize(
        ("permissions", "code"),
        [
            ({}, "value_is_mandatory"),
            ({"coffee": ["read"], "tea": [], "tax": ["read"]}, "contains forbidden keys: coffee, tea"),
            ({"tax": ["read", "drink"]}, "value_is_invalid"),
        ],
    )
    async def test_are_of_resources_and_modes_that_there_are(self, database, organization, permissions, code):
        now = datetime.now(UTC)
        async with database.tenant(organization.id) as tx:
            (key,) = await service.list_api_keys(tx, now=now)
            with pytest.raises(Invalid) as refused:
                await service.set_permissions(tx, key.id, permissions, now=now)
            assert refused.value.details == {"permissions": [code]}
            with pytest.raises(Invalid):
                await service.create_api_key(tx, name=None, now=now, permissions=permissions)

    async def test_change(self, database, organization):
        now = datetime.now(UTC)
        async with database.tenant(organization.id) as tx:
            (key,) = await service.list_api_keys(tx, now=now)
            for permissions in ({"tax": ["read"]}, None):
                changed = await service.set_permissions(tx, key.id, permissions, now=now)
                assert [changed] == await service.list_api_keys(tx, now=now)
                assert changed.permissions == permissions


class TestRotation:
    async def test_hands_permissions_on(self, database, organization):
        """Mended."""
        now, later = datetime.now(UTC), datetime.now(UTC) + timedelta(days=1)
        async with database.tenant(organization.id) as tx:
            old, _ = await service.create_api_key(tx, name="old", now=now, permissions={"tax": ["read"]})
            new, _ = await service.rotate_api_key(tx, old.id, name="new", now=now, old_ends_at=later)
            assert (new.name, new.permissions, new.expires_at) == ("new", {"tax": ["read"]}, None)
            listed = {key.name: key.expires_at for key in await service.list_api_keys(tx, now=now)}
            assert listed == {"default": None, "old": later, "new": None}
            await service.rotate_api_key(tx, new.id, name="newest", now=now)
            assert {key.name for key in await service.list_api_keys(tx, now=later)} == {"default", "newest"}

    async def test_is_of_keys_that_have_not_ended(self, database, organization, other_client):
        now = datetime.now(UTC)
        async with database.tenant(organization.id) as tx:
            past, _ = await service.create_api_key(tx, name=None, now=now, expires_at=now)
            for key_id in (past.id, uuid4()):
                with pytest.raises(NotFound):
                    await service.rotate_api_key(tx, key_id, name=None, now=now)
                with pytest.raises(NotFound):
                    await service.delete_api_key(tx, key_id, now=now)

    async def test_of_the_last_one_that_never_ends_leaves_one(self, database, organization):
        now = datetime.now(UTC)
        async with database.tenant(organization.id) as tx:
            (only,) = await service.list_api_keys(tx, now=now)
            new, _ = await service.rotate_api_key(tx, only.id, name=None, now=now)
            assert await service.list_api_keys(tx, now=now) == [new]
            with pytest.raises(Invalid) as refused:
                await service.delete_api_key(tx, new.id, now=now)
            assert refused.value.details == {"base": ["last_non_expiring_api_key"]}
