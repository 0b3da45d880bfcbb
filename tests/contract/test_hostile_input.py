"""Whatever is sent to whatever route is answered as the contract says, and leaves nothing behind where it is refused.

All routes come from the API's description: a new one is held at once.
"""

from __future__ import annotations

import io
import itertools
import os
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from random import Random
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pypdf
import pytest
from tests import kit
from tests.api.test_statements_of_lists import fill
from tests.conftest import ADMIN_KEY
from tests.contract.hostile import (
    NO_BODIES,
    NO_NAMES,
    NO_VALUES,
    OF_ANOTHER_KIND,
    OUTLANDISH,
    SECRETS_OF_THE_HOUSE,
    Ledger,
    changed,
    complaint,
    fields,
    filled,
    put,
    written,
)
from tests.contract.world import Json, Known, settle, singular
from tests.people import sign_up

from tallymark.app import Running
from tallymark.integrations.assistants.tools import TOOLS
from tallymark.rooms.organizations import service as organizations

JSON = {"content-type": "application/json"}
SECRET = "hidden_9f3a"
"""The code of somebody else's billing entity."""

OTHER_BODIES = {
    "POST /api/v1/event_backfills/{lago_id}/events": {
        "events": [{"transaction_id": "t", "properties": {"value": 1}}]
    },
    "POST /api/v1/invoices/{lago_id}/adjusted_fees": {"adjusted_fee": {"fee_id": "x", "units": "1"}},
    "POST /api/v1/invoices/{lago_id}/regenerate": {"fees": [{"units": "1"}]},
    "PUT /api/v1/credit_notes/{lago_id}": {"credit_note": {"refund_status": "succeeded"}},
}
"""Good bodies of operations that nothing in the worlds takes, or that take no more of them."""

VALUES_A_FIELD = 1
"""Of either list of values, each field gets so many, the next one each time; all of them in a long run."""

NAMES_A_PARAMETER = 6
"""Of what names nothing, each parameter gets so many, the next ones each time."""

IS_LONG_RUN = float(os.environ.get("TALLYMARK_FUZZ_MINUTES", "0")) >= 10
"""Whether somebody takes the time for all values: `make fuzz` does, CI with its few minutes does not."""

pytestmark = pytest.mark.timeout(3_600 if IS_LONG_RUN else 300)


@dataclass(frozen=True)
class Operation:
    """An operation of the API's description."""

    method: str
    path: str
    described: Json = field(hash=False, compare=False)

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"\{([^}]*)\}", self.path)

    @property
    def body(self) -> Json:
        """The schema of its body, or None."""
        found = self.described.get("requestBody", {}).get("content", {}).get("application/json", {})
        return found.get("schema")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


DOCUMENT = kit.description()
ALL = [
    Operation(method.upper(), path, described)
    for path, item in DOCUMENT["paths"].items()
    for method, described in item.items()
]
OF_TENANTS = [one for one in ALL if one.path.startswith("/api/v1/")]
OF_PEOPLE = [one for one in ALL if one.path.startswith("/app/v1/")]


@dataclass
class World:
    """An organization in which everything is, and what its callers know; beside it, another one."""

    client: httpx.AsyncClient
    nobody: httpx.AsyncClient
    organization_id: UUID
    known: Known
    foreign: Known
    ledger: Ledger
    application: Running
    faults: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def names(self, operation: Operation, **other: str) -> dict[str, str]:
        """Names of records that there are for an operation's path, some of them others."""
        chance = Random(str(operation))
        return {
            name: other.get(name) or self.known.for_path(operation.path, name, chance) or "x"
            for name in operation.parameters
        }

    def good_body(self, operation: Operation) -> Json:
        """A body that it takes, if one is known."""
        taken = self.known.taken(operation.method, operation.path)
        return taken[0] if taken else OTHER_BODIES.get(str(operation), {})

    def content(self, operation: Operation) -> bytes:
        """The same as it is sent."""
        return written(self.good_body(operation)) if operation.body else b""

    async def send(self, operation: Operation, what: object, **request) -> httpx.Response:
        """Send something, and note whatever is wrong with the answer."""
        names = request.pop("names", None) or self.names(operation)
        client = request.pop("client", self.client)
        path = request.pop("path", None) or filled(operation.path, names)
        answer = await client.request(operation.method, f"http://test{path}", **request)
        self.statuses[answer.status_code] += 1
        found = complaint(answer)
        if SECRET in answer.text:
            found = "tells of another organization"
        if found:
            self.fault(operation, what, found)
        return answer

    async def read_ledger(self) -> dict[str, tuple[int, int]]:
        """What is stored, once everything that earlier calls left to be done is done."""
        clock = (await kit.get(self.client, "/test_clock"))["test_clock"]["frozen_time"]
        await kit.post(self.client, "/test_clock/advance", {"test_clock": {"to": clock}})
        return await self.ledger.read()

    def fault(self, operation: Operation, what: object, found: str) -> None:
        self.faults.append(f"{operation} {str(what)[:60]!a}: {found}")


@pytest.fixture(scope="module")
async def settled(application: Running) -> AsyncIterator[World]:
    """The worlds, filled once; their laws of money hold in the end."""
    transport = httpx.ASGITransport(application.asgi, raise_app_exceptions=False)

    def client_of(key: str | None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", headers=headers)

    async def make(name: str) -> tuple[httpx.AsyncClient, UUID, Known]:
        body = {"name": name, "email": "a@b.test", "test_clock": {"frozen_time": "2026-01-01T00:00:00Z"}}
        headers = {"X-Admin-API-Key": ADMIN_KEY}
        answer = await nobody.post("http://test/admin/organizations", json=body, headers=headers)
        made = answer.json()
        client = client_of(made["api_key"])
        return client, UUID(made["organization"]["lago_id"]), await settle(client, DOCUMENT)

    async with client_of(None) as nobody:
        client, organization_id, known = await make("Acme")
        other, _, foreign = await make(SECRET)
        await fill(other, range(2, 3))
        yield World(
            client, nobody, organization_id, known, foreign, Ledger(application.database), application
        )
        await kit.assert_audit_clean(application.database, organization_id)
        await client.aclose()
        await other.aclose()


@pytest.fixture
def world(settled: World) -> Iterator[World]:
    """The worlds, held at the end of each test to what was answered in it."""
    settled.faults.clear()
    settled.statuses.clear()
    yield settled
    print(settled.statuses)
    assert not settled.faults, "\n".join(sorted(set(settled.faults)))


def places(operation: Operation) -> list[tuple[str | int, ...]]:
    return sorted(set(fields(DOCUMENT, operation.body)), key=str)


async def test_paths_name_what_there_is(world: World) -> None:
    odd = itertools.cycle(NO_NAMES)
    before = await world.read_ledger()
    for operation in OF_TENANTS:
        content = world.content(operation)
        for parameter in operation.parameters:
            for name in ("x", *itertools.islice(odd, NAMES_A_PARAMETER)):
                names = world.names(operation, **{parameter: name})
                path = f"{filled(operation.path, names)}?external_subscription_id=s0"
                answer = await world.send(
                    operation, (parameter, name), path=path, content=content, headers=JSON
                )
                if answer.status_code not in refusals(operation, 400, 404):
                    world.fault(operation, (parameter, name), f"{answer.status_code}: {answer.text[:60]}")
    if tables := changed(before, await world.read_ledger()):
        world.faults.append(f"paths wrote {tables}")


def refusals(operation: Operation, *statuses: int) -> set[int]:
    """What an operation may answer to a name of nothing: before it is looked for, some of them refuse what is asked."""
    if operation.path.endswith("/past_usage"):
        # A reading of fees: of nobody there are none (metering §9.3).
        return {*statuses, 200}
    if not operation.body:
        # Adjusted fees are a feature that an organization may lack.
        return {*statuses, 403} if "adjusted_fees" in operation.path else {*statuses}
    return {*statuses, 400, 403, 422}


async def test_queries_hold_whatever_they_like(world: World) -> None:
    odd = itertools.cycle(NO_VALUES)
    before = await world.read_ledger()
    for operation in OF_TENANTS:
        if operation.method != "GET":
            continue
        queries = [one["name"] for one in operation.described.get("parameters", ()) if one["in"] == "query"]
        for query in queries:
            for value in itertools.islice(odd, 4):
                path = f"{filled(operation.path, world.names(operation))}?{query}={value}"
                await world.send(operation, (query, value), path=path)
        if "per_page" in queries and not operation.parameters and "security_logs" not in operation.path:
            for page in (
                "page=-1",
                "page=0",
                "per_page=0",
                "per_page=-5",
                "page=1e9&per_page=99999999999999999999",
                "page=9223372036854775807",
            ):
                answer = await world.send(operation, page, path=f"{operation.path}?{page}")
                if answer.status_code != 200:
                    world.fault(operation, page, f"{answer.status_code}: {answer.text[:60]}")
    if tables := changed(before, await world.read_ledger()):
        world.faults.append(f"queries wrote {tables}")
    assert world.statuses[200] > 100


async def test_callers_have_a_key_that_is_valid(world: World, application: Running) -> None:
    async with application.database.tenant(world.organization_id) as tx:
        now = (await organizations.get_test_clock(tx)).frozen_time
        over, value = await organizations.create_api_key(tx, name="over", now=now)
        await organizations.delete_api_key(tx, over.id, now=now)
    before = await world.read_ledger()
    for operation in OF_TENANTS:
        for header in (
            None,
            "",
            "Bearer",
            f"Bearer {uuid4()}",
            f"Bearer {value}",
            "Bearer ' OR 1=1;--",
            "Bearer \xff",
            "Basic Og==",
        ):
            headers = {**JSON, **({} if header is None else {"Authorization": header.encode("latin-1")})}
            content = world.content(operation)
            answer = await world.send(
                operation, header, client=world.nobody, content=content, headers=headers
            )
            if answer.status_code != 401:
                world.fault(operation, header, f"answers {answer.status_code}")
    if tables := changed(before, await world.read_ledger()):
        world.faults.append(f"strangers wrote {tables}")


async def test_records_of_others_are_none(world: World) -> None:
    own = {text for names in world.known.names.values() for text in names}
    before = await world.read_ledger()
    for operation in OF_TENANTS:
        for parameter in operation.parameters:
            theirs = world.foreign.for_path(operation.path, parameter, Random(0))
            kind = singular(operation.path.split("{" + parameter)[0].rstrip("/").rsplit("/", 1)[-1])
            for name in [
                one for one in world.foreign.names.get((kind, parameter), [theirs]) if one and one not in own
            ][-2:]:
                names = world.names(operation, **{parameter: name.replace("/", "%2F")})
                content = world.content(operation)
                answer = await world.send(
                    operation, (parameter, name), names=names, content=content, headers=JSON
                )
                if answer.status_code not in refusals(operation, 404):
                    world.fault(operation, (parameter, name), f"{answer.status_code}: {answer.text[:60]}")
    assert world.statuses[404] > 80
    if tables := changed(before, await world.read_ledger()):
        world.faults.append(f"others' names wrote {tables}")


async def test_other_methods_are_no_routes(world: World) -> None:
    """Platform §1.1: an unknown path or method is answered 404 `resource_not_found`."""
    shown = {(one.method, re.sub(r"\{[^}]*\}", "{}", one.path)) for one in ALL}
    # The twins of changes, and what the clients send besides (platform §2).
    hidden = {("PATCH", path) for method, path in shown if method == "PUT"}
    hidden.add(("PUT", "/api/v1/invoices/{}/lose_dispute"))
    for path in sorted({one.path for one in ALL}):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if (method, re.sub(r"\{[^}]*\}", "{}", path)) in shown | hidden:
                continue
            nothing = Operation(method, path, {})
            answer = await world.send(nothing, "no such route", content=b"{}", headers=JSON)
            # A code may have slashes: of what may be one, a body is missed before it is looked for.
            if answer.status_code != 404 and (answer.status_code != 400 or method not in ("PUT", "PATCH")):
                world.fault(nothing, "no such route", f"answers {answer.status_code}: {answer.text[:60]}")
    assert world.statuses[404] > 300


async def test_people_are_let_in_by_nothing_forged(world: World, application: Running) -> None:
    """Doors of the web app: without a session, with a forged one, with bodies and tokens of any kind."""
    person = await sign_up(application)
    odd = itertools.cycle((*NO_NAMES, "0" * 40, "f" * 40))
    values = itertools.cycle((*OF_ANOTHER_KIND, *OUTLANDISH))
    before = await world.read_ledger()
    for operation in OF_PEOPLE:
        for cookie in (
            "",
            "tallymark_session=x",
            f"tallymark_session={uuid4()}",
            "tallymark_session=" + "é" * 10,
        ):
            headers = {
                **JSON,
                "Cookie": cookie.encode("latin-1"),
                "X-Lago-Organization": person.organization_id,
            }
            names = {name: next(odd) for name in operation.parameters}
            answer = await world.send(
                operation, cookie, client=world.nobody, names=names, content=b"{}", headers=headers
            )
            is_open = any(door in operation.path for door in OPEN_DOORS)
            if answer.status_code == 200 and not is_open:
                world.fault(operation, cookie, "lets in")
    if tables := changed(before, await world.read_ledger()):
        world.faults.append(f"strangers wrote {tables}")
    person.browser.headers["X-Lago-Organization"] = person.organization_id
    for operation in OF_PEOPLE:
        if operation.body is None or operation.method == "DELETE" or str(operation) in LAST_DOORS:
            continue
        for place in places(operation):
            for value in itertools.islice(values, 4):
                names = {name: next(odd) for name in operation.parameters}
                request = {"content": written(put({}, place, value)), "headers": JSON}
                await world.send(operation, (place, value), client=person.browser, names=names, **request)
        for content in NO_BODIES:
            names = dict.fromkeys(operation.parameters, "x")
            await world.send(
                operation, content[:20], client=person.browser, names=names, content=content, headers=JSON
            )
    await ask_as_somebody(world, person.browser)
    await person.browser.aclose()


async def ask_as_somebody(world: World, browser: httpx.AsyncClient) -> None:
    """Whoever has signed in asks for whatever they like, also for records of another organization."""
    values, theirs = itertools.cycle(NO_VALUES), await records_of_another(world)
    before = await world.read_ledger()
    for operation in OF_PEOPLE:
        names = dict.fromkeys(operation.parameters, "x")
        queries = [one["name"] for one in operation.described.get("parameters", ()) if one["in"] == "query"]
        for query in queries if operation.method == "GET" else ():
            for value in itertools.islice(values, 6):
                path = f"{filled(operation.path, names)}?{query}={value}"
                await world.send(operation, (query, value), client=browser, path=path)
        kind = operation.path.removeprefix("/app/v1/").split("/")[0]
        for theirs_of_kind in theirs.get(kind, ()) if operation.parameters else ():
            names = dict.fromkeys(operation.parameters, theirs_of_kind)
            request = {"names": names, "content": b'{"roles": ["admin"], "name": "x"}', "headers": JSON}
            answer = await world.send(operation, theirs_of_kind, client=browser, **request)
            if answer.status_code != 404:
                world.fault(operation, theirs_of_kind, f"{answer.status_code}: {answer.text[:60]}")
    if tables := changed(before, await world.read_ledger()):
        world.faults.append(f"a stranger wrote {tables}")


async def records_of_another(world: World) -> dict[str, list[str]]:
    """Ids of what somebody else's organization has at the web app, by the first part of their paths."""
    other = await sign_up(world.application)
    browser = other.browser
    browser.headers["X-Lago-Organization"] = other.organization_id
    await kit.post(browser, "/invites", {"email": "c@d.test", "roles": ["admin"]})
    role = {"code": "theirs", "name": "Theirs", "permissions": ["plans:view"]}
    await kit.post(browser, "/roles", role)
    endpoint = {"webhook_url": "https://hooks.test/b", "signature_algo": "hmac"}
    await kit.post(browser, "http://test/api/v1/webhook_endpoints", {"webhook_endpoint": endpoint})
    await kit.post(browser, "http://test/api/v1/customers", {"customer": {"external_id": "c"}})
    await world.application.courier.deliver(UUID(other.organization_id))
    found = {"roles": ["theirs"]}
    for kind in ("members", "invites", "api_keys", "webhook_deliveries"):
        found[kind] = [one["lago_id"] for one in (await kit.get(browser, f"/{kind}"))[kind]]
        assert found[kind], kind
    await browser.aclose()
    return found


OPEN_DOORS = ("/configuration", "/session", "/password_resets", "/sso/")
"""What answers somebody without a session, too: with nothing, or alike whoever asks."""

LAST_DOORS = ("PUT /app/v1/authentication_methods", "POST /app/v1/sign_ups", "POST /app/v1/session")
"""What would end the session, or is counted against guessers."""


OF_OPERATORS = [one for one in ALL if one.path.startswith("/admin/")]


async def test_operators_come_in_by_their_key_alone(world: World) -> None:
    before = await world.read_ledger()
    for operation in OF_OPERATORS:
        names = dict.fromkeys(operation.parameters, str(world.organization_id))
        bearer = world.client.headers["Authorization"]
        for key in ("", "x", ADMIN_KEY.upper(), "é", bearer):
            headers = {**JSON, "X-Admin-API-Key": key.encode(), "Authorization": bearer}
            request = {"content": b'{"name": "x"}', "headers": headers}
            answer = await world.send(operation, key, client=world.nobody, names=names, **request)
            if answer.status_code != 401:
                world.fault(operation, key, "lets in")
    assert not changed(before, await world.read_ledger())


async def test_operators_change_nothing_by_what_is_none(world: World) -> None:
    """Also where the key is right: names, bodies and values of any kind, and ids of another kind of record."""
    headers = {**JSON, "X-Admin-API-Key": ADMIN_KEY}
    kinds = ("customer", "plan", "invoice", "credit_note")
    ids = [one for kind in kinds for one in world.known.names[kind, "lago_id"][:1]]
    before = await world.read_ledger()
    for operation in OF_OPERATORS:
        for name in (*NO_NAMES, *ids) if operation.parameters else ():
            if name in world.known.names["invoice", "lago_id"] and "invoices" in operation.path:
                continue
            names = dict.fromkeys(operation.parameters, name)
            request = {"content": b'{"name": "x"}', "headers": headers}
            answer = await world.send(operation, name, client=world.nobody, names=names, **request)
            if answer.status_code not in (400, 404):
                world.fault(operation, name, f"{answer.status_code}: {answer.text[:60]}")
        if operation.body is None:
            continue
        names = dict.fromkeys(operation.parameters, str(world.organization_id))
        for content in NO_BODIES:
            request = {"content": content, "headers": headers}
            answer = await world.send(operation, content[:20], client=world.nobody, names=names, **request)
            if answer.status_code == 200:
                world.fault(operation, content[:20], "is taken")
    assert not changed(before, await world.read_ledger())
    for operation in OF_OPERATORS:
        good = {"name": "Acme"} if operation.parameters else {"name": "x", "email": "a@b.test"}
        names = dict.fromkeys(operation.parameters, str(world.organization_id))
        refused = []
        for place in places(operation) if operation.body else ():
            for value in (*OF_ANOTHER_KIND, *OUTLANDISH):
                request = {"content": written(put(good, place, value)), "headers": headers}
                answer = await world.send(
                    operation, (place, value), client=world.nobody, names=names, **request
                )
                if answer.status_code != 200:
                    refused.append(request)
                elif place[-1] in ("frozen_time", "user_id", "organization_id"):
                    assert value is None, (place, value)
        before = await world.read_ledger()
        for request in refused:
            await world.send(operation, "again", client=world.nobody, names=names, **request)
        if tables := changed(before, await world.read_ledger()):
            world.fault(operation, "refusals", f"wrote {tables}")


async def test_files_need_their_signature(world: World) -> None:
    (files,) = [one for one in ALL if one.path.startswith("/files/")]
    for signature in ("", "x", "0" * 64, "%00", "é"):
        for key in ("invoices/x.pdf", "..%2F..%2Fetc%2Fpasswd", "%00", "x" * 3000, "a.exe"):
            path = f"/files/{world.organization_id}/{key}?signature={signature}"
            answer = await world.send(files, path, client=world.nobody, path=path)
            assert answer.status_code in (400, 404), path


MCP = Operation("POST", "/mcp", {})
MCP_HEADERS = {**JSON, "Accept": "application/json, text/event-stream"}
REFUSED_BY_PROTOCOL = (-32700, -32600, -32601, -32602)
"""Codes of JSON-RPC for what is no message, no request, no method and no parameters."""


async def use(world: World, tool: str, arguments: Json, what: object) -> Json:
    """Have a tool used by the organization's key; what it answered, None where the protocol itself refuses."""
    asked = {"name": tool, "arguments": arguments}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked}
    answer = await world.client.post("http://test/mcp", content=written(message), headers=MCP_HEADERS)
    if answer.status_code not in (200, 400) or SECRET in answer.text:
        world.fault(MCP, (tool, what), f"{answer.status_code}: {answer.text[:80]}")
        return None
    if any(inside in answer.text for inside in SECRETS_OF_THE_HOUSE):
        world.fault(MCP, (tool, what), f"tells of its inside: {answer.text[:80]}")
    found = answer.json()
    if isinstance(found.get("error"), dict) and found["error"]["code"] not in REFUSED_BY_PROTOCOL:
        world.fault(MCP, (tool, what), f"{found['error']}")
    if "result" not in found:
        return None
    return found["result"]


async def test_assistants_are_refused_like_everybody(world: World) -> None:
    """`/mcp`: without a key nothing; with one, messages that are none, and arguments of any kind, write nothing where refused."""
    before = await world.read_ledger()
    for content in NO_BODIES:
        answer = await world.send(MCP, content[:20], client=world.nobody, content=content, headers=JSON)
        assert answer.status_code == 401
        answer = await world.client.post("http://test/mcp", content=content, headers=MCP_HEADERS)
        if answer.status_code >= 500 or answer.status_code == 200:
            world.fault(MCP, content[:20], f"{answer.status_code}: {answer.text[:80]}")
    assert await use(world, "drop_tables", {}, "no tool") != {}
    for tool in TOOLS:
        odd: tuple[Json, ...] = (None, [], "x", 5, {"colour": "red"}, {"": None}, {"__class__": "x"})
        for arguments in odd:
            found = await use(world, tool.name, arguments, arguments)
            if found is not None and tool.required and not found.get("isError"):
                world.fault(MCP, (tool.name, arguments), "is taken")
    assert not changed(before, await world.read_ledger())


LEADING_ELSEWHERE = (".", "..", "../customers", "a/../b", "%2e%2e", "?a=b", "#", "x" * 70_000)
"""Texts that would be another path than they look like."""


async def test_assistants_may_say_anything_in_an_argument(world: World) -> None:
    values = itertools.cycle((*OF_ANOTHER_KIND, *OUTLANDISH))
    theirs = {text for names in world.foreign.names.values() for text in names}
    theirs -= {text for names in world.known.names.values() for text in names}
    for tool in TOOLS:
        good = dict.fromkeys(tool.required, "nobody")
        refused = []
        for argument in tool.schema["properties"]:
            foreign = sorted(theirs)[:2] if argument in tool.required else ()
            odd = itertools.islice(values, 50 if IS_LONG_RUN else 6)
            in_path = LEADING_ELSEWHERE if f"{{{argument}}}" in tool.path else ()
            for value in (*odd, *in_path, *foreign):
                arguments = {**good, argument: value}
                found = await use(world, tool.name, arguments, (argument, value))
                if found is None or found.get("isError"):
                    refused.append((arguments, (argument, value)))
                elif in_path or (value in foreign and tool.writes and tool.name not in TAKES_ANY_NAME):
                    world.fault(MCP, (tool.name, argument, value), f"is something: {str(found)[:80]}")
        if tool.writes:
            before = await world.read_ledger()
            for arguments, what in refused:
                await use(world, tool.name, arguments, what)
            if tables := changed(before, await world.read_ledger()):
                world.fault(MCP, (tool.name, "refusals"), f"wrote {tables}")


TAKES_ANY_NAME = ("save_customer", "send_event")
"""A customer may be called as another's is, and events are taken whatever they name."""


ACTIVE = (
    "{{6007*7001}}", "${6007*7001}", "#{6007*7001}", "<%= 6007*7001 %>", "#let x = 6007*7001; #x", "$6007*7001$ *bold* _it_",
    "#eval(\"6007*7001\")", "<script>alert(1)</script>", "'; DROP TABLE customers; --", "%s %n %d", "{0.__class__}", "=6007*7001",
)  # fmt: skip
"""Texts that somebody would carry out who took them for more than that."""

CARRIED_OUT = str(6007 * 7001)
"""What comes of them then: longer than any number that a page prints by chance."""


@pytest.mark.parametrize("active", ACTIVE)
async def test_texts_are_nothing_but_texts(world: World, active: str) -> None:
    """Stored and shown as they are, in answers, filters, documents and e-mails."""
    client, name = world.client, f"{active} {uuid4().hex[:6]}"
    made = await kit.customer(
        client,
        external_id=name,
        name=name,
        legal_name=name,
        city=name,
        metadata=[{"key": "k", "value": active}],
    )
    path = f"/customers/{quote(name, safe='')}"
    read = (await kit.get(client, path))["customer"]
    assert [read[of] for of in ("external_id", "name", "legal_name", "city")] == [name] * 4
    assert read["metadata"][0]["value"] == active
    assert [one["name"] for one in (await kit.get(client, "/customers", search_term=name))["customers"]] == [
        name
    ]
    fees = [{"add_on_code": "addon_0", "invoice_display_name": name, "description": active}]
    one_off = {"external_customer_id": made["external_id"], "currency": "EUR", "fees": fees}
    bill = (await kit.post(client, "/invoices", {"invoice": one_off}))["invoice"]
    shown = (await kit.get(client, f"/invoices/{bill['lago_id']}"))["invoice"]
    assert (shown["customer"]["legal_name"], shown["fees"][0]["description"]) == (name, active)
    url = (await kit.post(client, f"/invoices/{bill['lago_id']}/download", {}))["invoice"]["file_url"]
    document = await world.nobody.get(url)
    pages = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(document.content)).pages)
    assert bare(active) in bare(pages)
    assert CARRIED_OUT not in bare(pages)


def bare(text: str) -> str:
    """A text without spaces, which a page may break anywhere."""
    return re.sub(r"\s", "", text)


# Last: what is stored by these has names that no path holds.


async def test_bodies_hold_an_object(world: World) -> None:
    for operation in OF_TENANTS:
        if operation.body is None:
            continue
        before = await world.read_ledger()
        for content in NO_BODIES:
            answer = await world.send(operation, content[:20], content=content, headers=JSON)
            if answer.status_code == 200:
                before = await world.read_ledger()
        for kind in (
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "application/octet-stream",
            "x",
        ):
            content = written(world.good_body(operation))
            answer = await world.send(operation, kind, content=content, headers={"content-type": kind})
            if answer.status_code == 200:
                before = await world.read_ledger()
        if tables := changed(before, await world.read_ledger()):
            world.fault(operation, "bodies", f"wrote {tables}")
    assert world.statuses[400] > 1000


async def test_fields_take_no_value_of_another_kind(world: World) -> None:
    other, odd = itertools.cycle(OF_ANOTHER_KIND), itertools.cycle(OUTLANDISH)

    def next_values() -> list[Json]:
        return [*itertools.islice(other, VALUES_A_FIELD), *itertools.islice(odd, VALUES_A_FIELD)]

    for operation in OF_TENANTS:
        if operation.body is None or operation.path.endswith("/test_clock/advance"):
            continue
        good = world.good_body(operation)
        refused = []
        for place in places(operation):
            tried = (*OF_ANOTHER_KIND, *OUTLANDISH) if IS_LONG_RUN else next_values()
            for value in tried:
                content = written(put(good, place, value))
                answer = await world.send(operation, (place, value), content=content, headers=JSON)
                if answer.status_code != 200:
                    refused.append((place, value, content))
        before = await world.read_ledger()
        for place, value, content in refused[::5]:
            answer = await world.send(operation, (place, value), content=content, headers=JSON)
            if answer.status_code == 200:
                before = await world.read_ledger()
        if tables := changed(before, await world.read_ledger()):
            world.fault(operation, "refusals", f"wrote {tables}")
    assert world.statuses[422] > 500
