"""The server of the protocol: lists the tools that a caller's key may use, and carries calls out on the REST API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

import httpx
from mcp.server.lowlevel import Server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as ListedTool
from starlette.requests import Request
from starlette.types import ASGIApp

from tallymark import __version__
from tallymark.api.permissions import Right
from tallymark.domain.errors import Invalid
from tallymark.integrations.assistants.tools import TOOLS, TOOLS_BY_NAME, Tool

INSTRUCTIONS = (
    "Tallymark meters usage and bills it. Amounts that end in `_cents` are in the smallest unit of their currency. "
    "Ask `explain_invoice`, `explain_fee` or `explain_current_usage` for how an amount came to be; never compute one yourself."
)


class Rights(Protocol):
    """Tells what the key of a request may do; None is everything."""

    async def __call__(self, request: Request) -> frozenset[Right] | None: ...


def make_server(api: ASGIApp, rights: Rights) -> Server[dict[str, Any]]:
    """The tools on an API; each request carries the key that it is for."""

    async def list_tools(context: Any, asked: PaginatedRequestParams | None) -> ListToolsResult:  # noqa: ARG001 - the library calls it so
        held = await rights(context.request)
        return ListToolsResult(tools=[_listed(tool) for tool in TOOLS if held is None or tool.right in held])

    async def call_tool(context: Any, asked: CallToolRequestParams) -> CallToolResult:
        tool = TOOLS_BY_NAME.get(asked.name)
        if tool is None:
            return _answer({"error": f"there is no tool {asked.name}"}, is_error=True)
        return await _carry_out(api, tool, asked.arguments or {}, context.request)

    return Server(
        "tallymark",
        version=__version__,
        title="Tallymark",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _listed(tool: Tool) -> ListedTool:
    hints = ToolAnnotations(
        read_only_hint=not tool.writes, destructive_hint=tool.is_destructive, open_world_hint=False
    )
    return ListedTool(
        name=tool.name, description=tool.description, input_schema=tool.schema, annotations=hints
    )


async def _carry_out(
    api: ASGIApp, tool: Tool, arguments: Mapping[str, Any], request: Request
) -> CallToolResult:
    """Make the call as whoever asked for it: same key, same address."""
    try:
        call = tool.call(arguments)
    except Invalid as error:
        return _answer({"code": "validation_errors", "error_details": error.details}, is_error=True)
    address = (request.client.host, request.client.port) if request.client else ("127.0.0.1", 0)
    headers = {
        "Authorization": request.headers.get("authorization", ""),
        "User-Agent": request.headers.get("user-agent", "mcp"),
    }
    transport = httpx.ASGITransport(app=api, client=address)
    async with httpx.AsyncClient(transport=transport, base_url="http://tallymark") as client:
        try:
            asked = client.build_request(
                call.method, call.path, params=list(call.query), json=call.body, headers=headers
            )
        except httpx.InvalidURL:
            return _answer({"status": 414, "error": "URI Too Long"}, is_error=True)
        response = await client.send(asked)
    return _answer(response.json() if response.content else {}, is_error=response.status_code >= 400)


def _answer(found: Any, *, is_error: bool) -> CallToolResult:
    shown = found if isinstance(found, dict) else {"result": found}
    return CallToolResult(
        content=[TextContent(type="text", text=json.dumps(shown, ensure_ascii=False))],
        structured_content=shown,
        is_error=is_error,
    )
