"""A Metabase to talk to: the calls that are made of it, as its API reference describes them, strict about every field.

It knows no more than that reference says. What it answers of a query is in another form than what was sent, as newer
releases do, so that nothing leans on reading its own queries back.
"""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

Json = dict[str, Any]

# Bodies by call: the fields that there have to be, and those that there may be; no others.
BODIES: dict[str, tuple[set[str], set[str]]] = {
    "POST /api/session": ({"username", "password"}, set()),
    "POST /api/database": (
        {"name", "engine", "details"},
        {"is_full_sync", "is_on_demand", "schedules", "auto_run_queries", "cache_ttl"},
    ),
    "PUT /api/database/:id": (
        set(),
        {"name", "engine", "details", "description", "caveats", "points_of_interest", "settings", "schedules", "refingerprint",
         "auto_run_queries", "cache_ttl"},
    ),
    "POST /api/database/:id/sync_schema": (set(), set()),
    "POST /api/collection": ({"name"}, {"description", "parent_id", "namespace", "authority_level"}),
    "POST /api/card": (
        {"name", "dataset_query", "display", "visualization_settings"},
        {"description", "collection_id", "collection_position", "parameters", "parameter_mappings", "result_metadata", "cache_ttl",
         "type"},
    ),
    "PUT /api/card/:id": (
        set(),
        {"name", "dataset_query", "display", "visualization_settings", "description", "collection_id", "collection_position",
         "parameters", "result_metadata", "cache_ttl", "type", "archived", "enable_embedding", "embedding_params",
         "collection_preview"},
    ),
    "POST /api/dashboard": (
        {"name"},
        {"description", "parameters", "cache_ttl", "collection_id", "collection_position"},
    ),
    "PUT /api/dashboard/:id": (
        set(),
        {"name", "description", "parameters", "dashcards", "tabs", "archived", "collection_id", "collection_position", "cache_ttl",
         "enable_embedding", "embedding_params", "caveats", "points_of_interest", "show_in_getting_started", "position"},
    ),
}  # fmt: skip
DASHCARD = (
    {"id", "size_x", "size_y", "row", "col"},
    {
        "card_id",
        "action_id",
        "dashboard_tab_id",
        "parameter_mappings",
        "visualization_settings",
        "inline_parameters",
        "series",
    },
)
PARAMETER = ({"id", "type"}, {"name", "slug", "sectionId", "default", "values_query_type", "isMultiSelect"})
MAPPING = ({"parameter_id", "target"}, {"card_id"})
TAG = ({"id", "name", "display-name", "type"}, {"required", "default"})
DISPLAYS = {"table", "line", "bar", "area", "row", "pie", "scalar"}
HIDDEN = "**MetabasePass**"


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        self.answer = httpx.Response(status, json={"message": message})
        super().__init__(message)


def check(found: Json, allowed: tuple[set[str], set[str]], where: str) -> None:
    needed, optional = allowed
    if missing := needed - found.keys():
        raise Refused(400, f"{where}: missing required {sorted(missing)}")
    if unknown := found.keys() - needed - optional:
        raise Refused(400, f"{where}: disallowed {sorted(unknown)}")


class MetabaseServer:
    """Answers requests; what was made is in `databases`, `collections`, `cards` and `dashboards`, by id."""

    def __init__(self, *, key: str = "mb_key", login: tuple[str, str] = ("ann@acme.test", "secret")) -> None:
        self.key, self.login = key, login
        self.sessions: set[str] = set()
        self.databases: dict[int, Json] = {}
        self.collections: dict[int, Json] = {}
        self.cards: dict[int, Json] = {}
        self.dashboards: dict[int, Json] = {}
        self.calls: list[str] = []
        self.reachable = True
        self._last = 0

    @property
    def client(self) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self), base_url="http://metabase.test")

    @property
    def writes(self) -> list[str]:
        """The calls that changed something, the trial of the connection left out."""
        return [
            call for call in self.calls
            if not call.startswith("GET ") and "/api/session" not in call and "/api/database" not in call
        ]  # fmt: skip

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, json.loads(request.content or b"{}")
        call = f"{request.method} {re.sub(r'/[0-9]+(?=/|$)', '/:id', path)}"
        ids = [int(part) for part in path.split("/") if part.isdigit()]
        self.calls.append(f"{request.method} {path}")
        try:
            if call != "POST /api/session":
                self._check_who(request)
            if request.method in ("POST", "PUT"):
                if call not in BODIES:
                    raise Refused(404, "API endpoint does not exist.")
                check(body, BODIES[call], call)
            found = self._answer(call, ids, body, dict(request.url.params))
        except Refused as refused:
            return refused.answer
        return httpx.Response(204) if found is None else httpx.Response(200, json=found)

    def _check_who(self, request: httpx.Request) -> None:
        key, session = request.headers.get("x-api-key"), request.headers.get("x-metabase-session")
        if key != self.key and session not in self.sessions:
            raise Refused(401, "Unauthenticated")

    def _answer(self, call: str, ids: list[int], body: Json, query: dict[str, str]) -> Any:
        match call:
            case "POST /api/session":
                if (body["username"], body["password"]) != self.login:
                    raise Refused(401, "did not match stored password")
                self.sessions.add("session-1")
                return {"id": "session-1"}
            case "DELETE /api/session":
                self.sessions.clear()
                return None
            case "GET /api/database":
                shown = [self._shown_database(one) for one in self.databases.values()]
                return {"data": shown, "total": len(shown)}
            case "POST /api/database":
                return self._shown_database(self._keep(self.databases, self._database(body)))
            case "PUT /api/database/:id":
                self._get(self.databases, ids[0]).update(self._database(body))
                return self._shown_database(self.databases[ids[0]])
            case "POST /api/database/:id/sync_schema":
                self._get(self.databases, ids[0])
                return {"status": "ok"}
            case "GET /api/collection":
                root = {"id": "root", "name": "Our analytics"}
                return [root, *(one for one in self.collections.values() if not one["archived"])]
            case "POST /api/collection":
                return self._keep(self.collections, {"description": None, **body})
            case "GET /api/collection/:id/items":
                return self._items(ids[0], query)
            case "POST /api/card":
                self._check_card(body)
                return self._shown_card(
                    self._keep(self.cards, {"description": None, "collection_id": None, **body})
                )
            case "PUT /api/card/:id":
                card = self._get(self.cards, ids[0])
                self._check_card({**card, **body})
                card.update(body)
                return self._shown_card(card)
            case "POST /api/dashboard":
                self._check_parameters(body.get("parameters") or [])
                made = {
                    "description": None,
                    "collection_id": None,
                    "parameters": [],
                    **body,
                    "dashcards": [],
                    "tabs": [],
                }
                return self._keep(self.dashboards, made)
            case "GET /api/dashboard/:id":
                return self._get(self.dashboards, ids[0])
            case "PUT /api/dashboard/:id":
                return self._change_dashboard(self._get(self.dashboards, ids[0]), body)
        raise Refused(404, "API endpoint does not exist.")

    def _keep(self, among: dict[int, Json], made: Json) -> Json:
        self._last += 1
        among[self._last] = {**made, "id": self._last, "archived": False}
        return among[self._last]

    def _get(self, among: dict[int, Json], wanted: int) -> Json:
        if wanted not in among:
            raise Refused(404, "Not found.")
        return among[wanted]

    def _database(self, body: Json) -> Json:
        if not self.reachable:
            raise Refused(400, "Connection refused.")
        if "engine" in body and body["engine"] not in {"postgres", "h2", "mysql"}:
            raise Refused(400, "engine: value must be a valid database engine.")
        return body

    def _shown_database(self, one: Json) -> Json:
        return {**one, "details": {**one["details"], "password": HIDDEN}}

    def _shown_card(self, card: Json) -> Json:
        native = card["dataset_query"]["native"]["query"]
        return {**card, "dataset_query": {"lib/type": "mbql/query", "stages": [{"native": native}]}}

    def _items(self, collection: int, query: dict[str, str]) -> Json:
        self._get(self.collections, collection)
        models = {"card": self.cards, "dashboard": self.dashboards}
        items = [
            {
                "id": one["id"],
                "name": one["name"],
                "description": one["description"],
                "model": query["models"],
            }
            for one in models[query["models"]].values()
            if one["collection_id"] == collection and not one["archived"]
        ]
        limit, offset = int(query["limit"]), int(query["offset"])
        return {"data": items[offset : offset + limit], "total": len(items), "limit": limit, "offset": offset}

    def _check_card(self, card: Json) -> None:
        query = card["dataset_query"]
        check(query, ({"type", "database", "native"}, set()), "dataset_query")
        check(query["native"], ({"query"}, {"template-tags"}), "native")
        self._get(self.databases, query["database"])
        tags = query["native"].get("template-tags", {})
        for name, tag in tags.items():
            check(tag, TAG, "template-tag")
            assert name == tag["name"]
        if used := set(re.findall(r"\{\{(\w+)\}\}", query["native"]["query"])) ^ tags.keys():
            raise Refused(400, f"template-tags are not those of the query: {sorted(used)}")
        if card["display"] not in DISPLAYS or not isinstance(card["visualization_settings"], dict):
            raise Refused(400, "display and visualization_settings")
        if card.get("description") == "" or not card["name"].strip():
            raise Refused(400, "value must be a non-blank string.")
        if card.get("collection_id") is not None:
            self._get(self.collections, card["collection_id"])

    def _check_parameters(self, parameters: list[Json]) -> None:
        for one in parameters:
            check(one, PARAMETER, "parameter")

    def _change_dashboard(self, board: Json, body: Json) -> Json:
        self._check_parameters(body.get("parameters") or [])
        told: list[Json] = body.get("parameters") or board["parameters"]
        parameters = {one["id"] for one in told}
        if "dashcards" in body:
            kept = {one["id"] for one in board["dashcards"]}
            wanted = [one["id"] for one in body["dashcards"]]
            if len(set(wanted)) != len(wanted):
                raise Refused(400, "value must be seq of maps in which ids are unique")
            body["dashcards"] = [self._dashcard(one, kept, parameters) for one in body["dashcards"]]
            body.setdefault("tabs", [])  # tabs that are not sent along with cards are gone
        for tab in body.get("tabs", []):
            check(tab, ({"id", "name"}, {"position"}), "tab")
        board.update(body)
        return board

    def _dashcard(self, one: Json, kept: set[int], parameters: set[str]) -> Json:
        check(one, DASHCARD, "dashcard")
        if one["id"] >= 0 and one["id"] not in kept:
            raise Refused(404, "no such dashcard")
        if (
            one["size_x"] < 1
            or one["size_y"] < 1
            or one["row"] < 0
            or not 0 <= one["col"] <= 24 - one["size_x"]
        ):
            raise Refused(400, "the card is not on the grid")
        card = self._get(self.cards, one["card_id"]) if one.get("card_id") else None
        mappings: list[Json] = one.get("parameter_mappings") or []
        for mapping in mappings:
            check(mapping, MAPPING, "parameter_mapping")
            # Without the card's id a mapping is passed over in silence.
            assert mapping["card_id"] == one["card_id"]
            assert mapping["parameter_id"] in parameters
            kind, (_, tag) = mapping["target"]
            assert kind == "variable"
            assert card is not None
            assert tag in card["dataset_query"]["native"]["template-tags"]
        if one["id"] >= 0:
            return one
        self._last += 1
        return {**one, "id": self._last}
