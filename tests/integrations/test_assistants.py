"""Assistants: the protocol at `/mcp` through its own client, and over standard input (platform §16)."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from sqlalchemy import text, update
from tests import kit

from tallymark.api.permissions import Right
from tallymark.api.routing import TenantRoute
from tallymark.db.tables import api_keys
from tallymark.domain.errors import Invalid
from tallymark.integrations.assistants.bridge import bridge
from tallymark.integrations.assistants.tools import READING, TOOLS, TOOLS_BY_NAME, WRITING
from tallymark.routers import ROUTERS


@pytest.fixture
async def sold(make_organization):
    """40 calls at 2.00 by `c` on `s` in March 2026, 20 % tax."""
    organization = await make_organization("2026-03-01T00:00:00Z")
    client = organization.client
    await kit.tax(client, "20")
    of = await kit.metric(client, code="calls")
    plan = await kit.plan(client, kit.charge(of, "standard", amount="2"), code="p")
    who = await kit.customer(client, external_id="c", name="Halden & Rowe")
    await kit.subscribe(client, who, plan, external_id="s")
    await kit.send(client, {"external_id": "s"}, of, 40)
    return organization


@asynccontextmanager
async def assistant(application, client):
    """A session of the protocol's own client with the key of a REST client."""
    transport = httpx2.ASGITransport(application.asgi)
    headers = {"Authorization": client.headers["Authorization"]}
    async with (
        httpx2.AsyncClient(transport=transport, base_url="http://tallymark", headers=headers) as http,
        streamable_http_client("http://tallymark/mcp", http_client=http) as (reader, writer, *_),
        ClientSession(reader, writer) as session,
    ):
        await session.initialize()
        yield session


async def used(session, tool, **arguments):
    found = await session.call_tool(tool, arguments)
    assert json.loads(found.content[0].text) == found.structured_content
    return found.is_error, found.structured_content


async def narrow(database, organization, **permissions):
    async with database.system() as connection:
        of = api_keys.c.organization_id == organization.id
        await connection.execute(update(api_keys).where(of).values(permissions=permissions))


class TestTools:
    def test_ask_for_the_right_of_the_route_that_they_call(self):
        """What is listed for a key is what the API lets it do."""
        routes = {
            (method, route.path): route.need.rights[0]
            for router in ROUTERS
            for route in router.routes
            if isinstance(route, TenantRoute)
            for method in route.methods or ()
        }
        by_shape = {(method, _bare(path)): right for (method, path), right in routes.items()}
        for tool in TOOLS:
            if (tool.method, tool.path) != ("POST", "/events"):  # the fast lane's
                assert by_shape[tool.method, _bare(f"/api/v1{tool.path}")] == tool.right, tool.name
        assert TOOLS_BY_NAME["send_event"].right == Right("write", "event")

    def test_say_which_ones_change_something(self):
        assert {tool.method for tool in READING} == {"GET"}
        assert not any(tool.method == "GET" for tool in WRITING)

    @pytest.mark.parametrize(
        ("name", "arguments", "wrong"),
        [
            ("get_customer", {}, {"external_id": ["value_is_mandatory"]}),
            ("get_customer", {"external_id": "c", "sql": "x"}, {"sql": ["unknown_argument"]}),
        ],
    )
    def test_refuse_what_is_missing_or_unknown(self, name, arguments, wrong):
        with pytest.raises(Invalid) as error:
            TOOLS_BY_NAME[name].call(arguments)
        assert error.value.details == wrong

    def test_lists_and_flags_go_into_the_query(self):
        call = TOOLS_BY_NAME["list_invoices"].call({"statuses": ["draft", "voided"], "payment_overdue": True})
        assert call.query == (
            ("per_page", "20"), ("statuses[]", "draft"), ("statuses[]", "voided"), ("payment_overdue", "true"),
        )  # fmt: skip


def _bare(path):
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


class TestOverHttp:
    async def test_usage_its_derivation_and_its_invoice(self, application, sold):
        """40 at 2.00 are 80.00, and 96.00 with the tax."""
        async with assistant(application, sold.client) as session:
            asked = {"external_customer_id": "c", "external_subscription_id": "s"}
            _, usage = await used(session, "get_current_usage", **asked)
            assert usage["customer_usage"]["total_amount_cents"] == 9600
            _, explained = await used(session, "explain_current_usage", **asked)
            assert explained["explanations"][0]["amount_cents"] == 8000
            await kit.advance(sold.client, "2026-04-01T01:00")
            _, listed = await used(session, "list_invoices", external_customer_id="c")
            (invoice,) = listed["invoices"]
            _, why = await used(session, "explain_invoice", lago_id=invoice["lago_id"])
            assert (invoice["total_amount_cents"], why["explanation"]["total_amount_cents"]) == (9600, 9600)

    async def test_a_tool_that_writes(self, application, database, sold):
        async with assistant(application, sold.client) as session:
            failed, made = await used(session, "save_customer", external_id="d", name="Dora")
            assert (failed, made["customer"]["name"]) == (False, "Dora")
            event = {"transaction_id": "t1", "external_subscription_id": "s", "code": "calls"}
            failed, _ = await used(session, "send_event", **event, properties={"value": 2})
            assert not failed
        # It is the assistant that sent it, and not the server that it asked.
        sent_by = text(
            "SELECT s.ip_address, s.client FROM events e JOIN event_senders s ON s.id = e.sender_id"
            " WHERE e.organization_id = :id AND e.transaction_id = 't1'"
        )
        async with database.system() as connection:
            address, name = (await connection.execute(sent_by, {"id": sold.id})).one()
        assert (address, name.startswith("python-httpx")) == ("127.0.0.1", True)
        shown = await kit.usage(sold.client, {"external_id": "c"}, {"external_id": "s"})
        assert shown["charges_usage"][0]["units"] == "42.0"

    async def test_what_the_api_refuses_is_an_error_with_its_reason(self, application, sold):
        async with assistant(application, sold.client) as session:
            assert await used(session, "get_customer", external_id="nobody") == (
                True, {"status": 404, "error": "Not Found", "code": "customer_not_found"},
            )  # fmt: skip
            failed, told = await used(session, "get_customer")
            assert (failed, told["error_details"]) == (True, {"external_id": ["value_is_mandatory"]})
            failed, told = await used(session, "drop_database")
            assert (failed, told) == (True, {"error": "there is no tool drop_database"})

    async def test_a_key_sees_and_uses_what_it_may(self, application, database, sold):
        await narrow(database, sold, customer=["read"], invoice=["read", "write"])
        application.asgi.state.gatekeeper.forget()
        async with assistant(application, sold.client) as session:
            names = {tool.name for tool in (await session.list_tools()).tools}
            assert names == {
                "list_customers", "get_customer", "list_invoices", "get_invoice", "explain_invoice", "finalize_invoice",
                "void_invoice",
            }  # fmt: skip
            failed, told = await used(session, "save_customer", external_id="d")
            assert (failed, told["code"]) == (True, "write_action_not_allowed_for_customer")

    async def test_another_organizations_customer_is_unknown(self, application, sold, other_client):
        async with assistant(application, other_client) as session:
            failed, told = await used(session, "get_customer", external_id="c")
            assert (failed, told["code"]) == (True, "customer_not_found")

    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nobody"}])
    async def test_without_a_key_nothing_is_told(self, application, headers: dict[str, str]):
        transport = httpx.ASGITransport(application.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://tallymark") as http:
            answer = await http.post(
                "/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, headers=headers
            )
        assert (answer.status_code, answer.json()) == (401, {"status": 401, "error": "Unauthorized"})


def answered(status, content=b"", **headers):
    def handle(request):
        return httpx.Response(status, content=content, headers=headers)

    return httpx.Client(transport=httpx.MockTransport(handle), base_url="http://tallymark")


class TestOverStandardInput:
    def test_a_message_is_handed_on_with_the_version_that_was_agreed_on(self):
        seen: list[str | None] = []

        def handle(request):
            seen.append(request.headers.get("MCP-Protocol-Version"))
            result: Any = {"protocolVersion": "2025-06-18"} if len(seen) == 1 else {"tools": []}
            return httpx.Response(200, json={"jsonrpc": "2.0", "id": len(seen), "result": result})

        client = httpx.Client(transport=httpx.MockTransport(handle), base_url="http://tallymark")
        lines = [
            '{"jsonrpc":"2.0","id":1,"method":"initialize"}\n',
            "\n",
            '{"jsonrpc":"2.0","id":2,"method":"tools/list"}\n',
        ]
        assert [json.loads(line)["id"] for line in bridge(client, lines)] == [1, 2]
        assert seen == [None, "2025-06-18"]

    def test_a_notification_has_no_answer(self):
        line = '{"jsonrpc":"2.0","method":"notifications/initialized"}'
        assert list(bridge(answered(202), [line])) == []

    def test_a_refusal_is_an_error_of_the_protocol(self):
        line = '{"jsonrpc":"2.0","id":7,"method":"tools/list"}'
        (told,) = bridge(answered(401, b'{"status":401,"error":"Unauthorized"}'), [line])
        assert json.loads(told) == {
            "jsonrpc": "2.0",
            "id": 7,
            "error": {"code": -32000, "message": "the server answered 401: Unauthorized"},
        }

    def test_so_is_a_server_that_is_not_there(self):
        def away(request):
            raise httpx.ConnectError("refused")

        client = httpx.Client(transport=httpx.MockTransport(away), base_url="http://tallymark")
        (told,) = bridge(client, ['{"jsonrpc":"2.0","id":1,"method":"ping"}'])
        assert json.loads(told)["error"]["message"] == "the server cannot be reached: refused"
