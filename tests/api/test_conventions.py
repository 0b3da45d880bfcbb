"""What every route shares: keys, errors, pages (platform §1)."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests import kit

from tallymark.app import running
from tallymark.settings import Settings


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer unknown", "Bearer 00000000-0000-4000-8000-000000000000"]
)
async def test_without_a_known_key_every_route_answers_401(nobody, header):
    headers = {"Authorization": header} if header is not None else {}
    answer = await nobody.get("/api/v1/customers", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"status": 401, "error": "Unauthorized"})


async def test_the_scheme_word_is_not_checked(nobody, organization):
    answer = await nobody.get("/api/v1/customers", headers={"Authorization": f"Token {organization.api_key}"})
    assert answer.status_code == 200


async def test_the_key_is_looked_at_before_the_body(nobody):
    answer = await nobody.post("/api/v1/plans", content=b"{not json")
    assert answer.status_code == 401


async def test_json_is_said_to_be_in_utf_8(client):
    """Platform §1.3: of what is found, refused, made twice by one key, and of events."""
    made = {"content": b'{"customer": {"external_id": "utf-8"}}', "headers": {"Idempotency-Key": "utf-8"}}
    answers = [
        await client.get("/customers"),
        await client.get("/customers/nobody"),
        *[await client.post("/customers", **made) for _ in range(2)],
        await client.post("/events/batch", json={"events": []}),
    ]
    assert {answer.headers["content-type"] for answer in answers} == {"application/json; charset=utf-8"}


async def test_keys_are_kept_as_hashes(database, organization):
    from sqlalchemy import select

    from tallymark.db.tables import api_keys

    async with database.tenant(organization.id) as tx:
        (kept,) = (await tx.execute(select(api_keys.c.key_hash))).scalars()
    assert organization.api_key.encode() not in bytes(kept)
    assert len(kept) == 32


async def test_an_unknown_path_or_method_answers_404_without_a_key(nobody):
    for method, path in (("GET", "/nowhere"), ("PATCH", "/api/v1/organizations"), ("POST", "/health")):
        answer = await nobody.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "resource_not_found"), path


@pytest.mark.parametrize("body", [{}, {"plan": {}}, {"plan": None}, {"plan": []}, {"charge": {}}])
async def test_a_missing_root_is_a_bad_request(client, body):
    answer = await kit.post(client, "/plans", body, expect=400)
    assert answer["error"] == "BadRequest: param is missing or the value is empty or invalid: plan"


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"5"])
async def test_a_body_that_is_no_object_misses_the_root_too(client, content):
    answer = await client.post("/plans", content=content, headers={"content-type": "application/json"})
    missing = "BadRequest: param is missing or the value is empty or invalid: plan"
    assert (answer.status_code, answer.json()) == (400, {"status": 400, "error": missing})


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"nonsense"])
async def test_what_is_no_json_is_a_bad_request(client, content):
    answer = await client.post("/plans", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"status": 400, "error": "Bad Request"})


@pytest.mark.parametrize("text", ["nul\x00byte"])
async def test_a_nul_byte_in_a_text_is_dropped(client, text):
    made = await kit.customer(client, external_id="nul", name=text)
    assert made["name"] == "nulbyte"


async def test_nul_bytes_are_dropped_wherever_a_body_has_them(client):
    metric = await kit.metric(client)
    charge = kit.charge(metric, amount="1", pricing_group_keys=["te\x00am"])
    made = await kit.plan(client, charge, metadata={"k": "v\x00", "back\\u0000slash": "\\"})
    assert made["charges"][0]["properties"]["pricing_group_keys"] == ["team"]
    assert made["metadata"] == {"k": "v", "back\\u0000slash": "\\"}


@pytest.mark.parametrize("path", ["/plans/a%00b", "/plans?page=%00", "/customers?external_id=a%00"])
async def test_a_nul_byte_in_an_address_names_nothing(client, path):
    answer = await client.get(path)
    assert (answer.status_code, answer.json()) == (400, {"status": 400, "error": "Bad Request"})


async def test_unknown_attributes_are_ignored(client):
    assert (await kit.customer(client, external_id="c", colour="blue"))["external_id"] == "c"


class TestPages:
    async def test_every_record_is_on_one_page(self, client):
        for number in range(5):
            await kit.customer(client, external_id=f"c{number}")
        seen = []
        for page in (1, 2, 3):
            answer = await kit.get(client, "/customers", page=page, per_page=2)
            seen += [row["external_id"] for row in answer["customers"]]
        assert seen == ["c4", "c3", "c2", "c1", "c0"]
        assert answer["meta"] == {
            "current_page": 3,
            "next_page": None,
            "prev_page": 2,
            "total_pages": 3,
            "total_count": 5,
        }

    async def test_beyond_the_end_is_empty_and_keeps_its_number(self, client):
        await kit.customer(client)
        answer = await kit.get(client, "/customers", page=9)
        assert answer["customers"] == []
        assert (answer["meta"]["current_page"], answer["meta"]["prev_page"]) == (9, 8)

    async def test_nothing_has_no_page(self, client):
        meta = (await kit.get(client, "/customers"))["meta"]
        assert meta == {
            "current_page": 0,
            "next_page": None,
            "prev_page": None,
            "total_pages": 0,
            "total_count": 0,
        }

    @pytest.mark.parametrize("query", [{"page": "x"}, {"page": "-1"}, {"per_page": "0"}, {"per_page": "ten"}])
    async def test_numbers_that_are_none_fall_back(self, client, query):
        for number in range(26):
            await kit.customer(client, external_id=f"c{number}")
        answer = await kit.get(client, "/customers", **query)
        assert len(answer["customers"]) == (25 if "per_page" in query else 26)


async def test_the_api_describes_itself(nobody):
    document = (await nobody.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/events", "/api/v1/invoices/{lago_id}/download"} <= set(document["paths"])
    assert (await nobody.get("/api-docs")).status_code == 200


async def test_the_description_tells_of_bodies_that_services_read_themselves(nobody):
    document = (await nobody.get("/openapi.json")).json()

    def fields(schema):
        schema = (
            document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
            if "$ref" in schema
            else schema
        )
        return schema["properties"]

    def body(path):
        return fields(
            document["paths"][f"/api/v1{path}"]["post"]["requestBody"]["content"]["application/json"][
                "schema"
            ]
        )

    assert set(fields(body("/webhook_endpoints")["webhook_endpoint"])) == {
        "webhook_url", "signature_algo", "name", "event_types",
    }  # fmt: skip
    alerts = body("/subscriptions/{external_id}/alerts")
    assert fields(alerts["alert"]) == fields(alerts["alerts"]["items"])
    assert set(fields(alerts["alert"]["properties"]["thresholds"]["items"])) == {"code", "value", "recurring"}
    assert "patch" in document["paths"]["/api/v1/wallets/{lago_id}/metadata"]
    listed = document["paths"]["/api/v1/wallets"]["get"]["parameters"]
    assert {"external_customer_id", "currency", "billing_entity_codes[]"} <= {one["name"] for one in listed}


async def test_health_and_readiness(nobody):
    assert (await nobody.get("/health")).json()["message"] == "Success"
    assert (await nobody.get("/ready")).json() == {"status": "ok"}


class TestSecurityTxt:
    """RFC 9116: whom to tell of a vulnerability, and how long that may be relied on."""

    async def test_tells_the_operators_contact(self, database_url, tmp_path):
        options = Settings(
            public_url="https://bill.acme.test", data_dir=tmp_path, security_contact="security@acme.test"
        )
        async with running(options, database_url) as parts:
            transport = httpx.ASGITransport(parts.asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                answer = await client.get("/.well-known/security.txt")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        contact, expires, canonical = answer.text.splitlines()
        assert contact == "Contact: mailto:security@acme.test"
        assert canonical == "Canonical: https://bill.acme.test/.well-known/security.txt"
        left = datetime.fromisoformat(expires.removeprefix("Expires: ")) - datetime.now(UTC)
        assert timedelta(days=178) < left <= timedelta(days=180)

    async def test_is_not_there_where_nobody_has_said(self, nobody):
        answer = await nobody.get("/.well-known/security.txt", headers={"Accept": "text/html"})
        assert (answer.status_code, answer.json()["code"]) == (404, "resource_not_found")


class TestOtherOrigins:
    """Platform §1.1: pages of the web app read answers, where it has an address of its own; other pages do not."""

    async def test_are_the_web_apps_alone(self, database_url, tmp_path):
        options = Settings(
            public_url="https://api.acme.test", front_url="https://app.acme.test/", data_dir=tmp_path
        )
        origin = {"Origin": "https://app.acme.test"}
        asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "x-any"}
        async with running(options, database_url) as parts:
            transport = httpx.ASGITransport(parts.asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
                allowed = await client.options("/events", headers={**origin, **asked})
                read = await client.get("/customers", headers=origin)
                others = await client.get("/customers", headers={"Origin": "https://evil.test"})
        assert allowed.status_code == 200
        methods = set(allowed.headers["access-control-allow-methods"].split(", "))
        assert methods == {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"}
        assert allowed.headers["access-control-allow-headers"] == "x-any"
        assert (read.status_code, read.headers["access-control-allow-origin"]) == (401, origin["Origin"])
        assert read.headers["access-control-expose-headers"] == "x-lago-token"
        assert "access-control-allow-credentials" not in read.headers
        assert "access-control-allow-origin" not in others.headers

    async def test_are_none_where_the_web_app_is_at_the_apis_address(self, nobody):
        answer = await nobody.get("/api/v1/customers", headers={"Origin": "http://test"})
        assert "access-control-allow-origin" not in answer.headers


class TestAdmin:
    async def test_needs_the_operators_key(self, nobody):
        for headers in ({}, {"X-Admin-API-Key": "wrong"}):
            answer = await nobody.post("/admin/organizations", json={"name": "x"}, headers=headers)
            assert answer.status_code == 401

    async def test_a_clock_is_shown_and_moves_forward_only(self, make_organization):
        made = await make_organization("2023-06-29T00:00:00Z")
        clock = await kit.get(made.client, "/test_clock")
        assert clock == {"test_clock": {"frozen_time": "2023-06-29T00:00:00Z", "status": "ready"}}
        moved = await kit.advance(made.client, "2023-07-29T12:12")
        assert moved["test_clock"]["frozen_time"] == "2023-07-29T12:12:00Z"
        for to, code in (("2023-07-01T00:00:00Z", "value_is_in_the_past"), ("soon", "value_is_invalid")):
            answer = await kit.post(
                made.client, "/test_clock/advance", {"test_clock": {"to": to}}, expect=422
            )
            assert answer["error_details"] == {"to": [code]}
        customer = await kit.customer(made.client)
        assert customer["created_at"] == "2023-07-29T12:12:00Z"

    async def test_a_live_organization_has_no_clock(self, client):
        assert (await kit.get(client, "/test_clock", expect=404))["code"] == "test_clock_not_found"

    async def test_writes_wait_for_an_advance_and_reads_do_not(self, make_organization, database):
        from tallymark.rooms.organizations import service

        made = await make_organization("2023-06-29T00:00:00Z")
        async with service.holding_clock(database, made.id) as is_free:
            assert is_free
            async with database.tenant(made.id) as tx:
                await service.start_advancing(tx)
            body = {"customer": {"external_id": "x"}}
            assert (await kit.post(made.client, "/customers", body, expect=409))[
                "code"
            ] == "test_clock_advancing"
            event = {"event": {"transaction_id": "t", "code": "c"}}
            assert (await kit.post(made.client, "/events", event, expect=409))[
                "code"
            ] == "test_clock_advancing"
            assert (await kit.get(made.client, "/test_clock"))["test_clock"]["status"] == "advancing"

    async def test_an_advance_that_died_holds_nobody_up(self, make_organization, database):
        from tallymark.rooms.organizations import service

        made = await make_organization("2023-06-29T00:00:00Z")
        async with database.tenant(made.id) as tx:
            await service.start_advancing(tx)
        assert (await kit.get(made.client, "/test_clock"))["test_clock"]["status"] == "ready"
        await kit.customer(made.client)
        await kit.advance(made.client, "2023-07-01")


async def test_of_many_deletions_at_once_one_deletes(organization):
    client = organization.client
    await kit.metric(client, code="twice")
    who = await kit.customer(client, external_id="twice", currency="EUR")
    await kit.tax(client, code="twice")
    prices = {"name": "A", "code": "twice", "amount_cents": 1, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": prices})
    terms = {"coupon_type": "fixed_amount", "frequency": "once", "expiration": "no_expiration"}
    await kit.post(client, "/coupons", {"coupon": {**prices, **terms}})
    section = {"name": "S", "code": "twice"}
    await kit.post(client, "/invoice_custom_sections", {"invoice_custom_section": section})
    for kind in ("billable_metrics", "taxes", "add_ons", "coupons", "invoice_custom_sections", "customers"):
        answers = await asyncio.gather(*(client.delete(f"/{kind}/twice") for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404], kind
    logged = await kit.get(client, "/activity_logs", **{"resource_ids[]": who["lago_id"]})
    assert [one["activity_type"] for one in logged["activity_logs"]] == [
        "customer.deleted",
        "customer.created",
    ]
