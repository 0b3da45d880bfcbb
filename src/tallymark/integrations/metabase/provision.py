"""Bring a Metabase to what `content` says: made where it is missing, changed where it is another one, else left alone.

What is ours is known by a mark in its description, which holds its key and a digest of what it was made of. So a second run
changes nothing, a release changes what it has changed, and whatever people made is not touched, on our dashboards either.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy.engine import URL
from sqlalchemy.engine.url import make_url
from sqlalchemy.exc import ArgumentError

from tallymark.db.errors import StartupError
from tallymark.db.readers import SCHEMA
from tallymark.integrations.metabase.api import Json, Metabase
from tallymark.integrations.metabase.content import DASHBOARDS, FILTERS, QUESTIONS, WIDTH, Dashboard, Question

_MARK = re.compile(r"\[tallymark:(?P<key>[a-z_]+)(?:@(?P<digest>[0-9a-f]{12}))?\]\s*$")
_PARAMETERS = [
    {"id": name, "name": shown, "slug": name, "type": "string/=", "sectionId": "string"}
    for name, shown in FILTERS.items()
]
_OF_DASHCARDS = (
    "id", "card_id", "action_id", "dashboard_tab_id", "row", "col", "size_x", "size_y", "parameter_mappings",
    "visualization_settings", "inline_parameters",
)  # fmt: skip
"""What is sent of a card on a dashboard that is somebody else's, so that it stays as it is."""

Tell = Callable[[str, str, str], None]
"""Told of each thing: its kind, its name, and what was done: made, changed, or left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How Metabase reaches the database: as the read-only role."""

    host: str
    port: int
    database: str
    role: str
    password: str
    ssl_mode: str | None

    @property
    def details(self) -> Json:
        """The connection as Metabase keeps it: of the one schema alone."""
        return {
            "host": self.host,
            "port": self.port,
            "dbname": self.database,
            "user": self.role,
            "password": self.password,
            "ssl": self.ssl_mode is not None,
            **({"ssl-mode": self.ssl_mode} if self.ssl_mode else {}),
            "schema-filters-type": "inclusion",
            "schema-filters-patterns": SCHEMA,
        }


def read_connection(url: str) -> Connection:
    """A URL as Metabase will use it. Raises `StartupError` for one that lacks something.

    >>> read_connection("postgresql://metabase:secret@db.internal/tallymark?sslmode=require").ssl_mode
    'require'
    """
    try:
        parsed: URL = make_url(url.replace("postgres://", "postgresql://", 1))
    except ArgumentError:
        raise StartupError(
            "the database's URL is none: postgresql://ROLE:PASSWORD@HOST:5432/DATABASE"
        ) from None
    if not (parsed.get_backend_name() == "postgresql" and parsed.host and parsed.database):
        raise StartupError("Metabase reaches a database by postgresql://ROLE:PASSWORD@HOST:5432/DATABASE")
    if not (parsed.username and parsed.password):
        raise StartupError(
            "the database's URL lacks the role or its password, as `tallymark analytics grant` told them"
        )
    mode = parsed.query.get("sslmode")
    return Connection(
        host=parsed.host,
        port=parsed.port or 5432,
        database=parsed.database,
        role=parsed.username,
        password=str(parsed.password),
        ssl_mode=None if mode in (None, "disable", "allow", "prefer") else str(mode),
    )


@dataclass(slots=True, kw_only=True)
class Provision:
    """One run: `name` is that of the connection and of the collection, so that several installations may share a Metabase."""

    metabase: Metabase
    connection: Connection
    name: str
    tell: Tell
    _cards: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Connection, collection, questions, dashboards. Raises `StartupError`."""
        database_id = self._connect()
        collection_id = self._collect()
        self._keep(
            "question",
            "card",
            collection_id,
            {one.key: (one.name, one.description, _card(one, database_id)) for one in QUESTIONS},
            self._make_card,
        )
        self._keep(
            "dashboard",
            "dashboard",
            collection_id,
            {one.key: (one.name, one.description, self._layout(one)) for one in DASHBOARDS},
            self._make_dashboard,
        )

    def _connect(self) -> int:
        """The connection, which is tried each time: its password may have been rotated."""
        body = {
            "name": self.name,
            "engine": "postgres",
            "details": self.connection.details,
            "auto_run_queries": True,
        }
        known = [one for one in self.metabase.list_databases() if one["name"] == self.name]
        if any(one["engine"] != "postgres" for one in known):
            raise StartupError(
                f"Metabase has a database {self.name!r} that is no PostgreSQL: choose another --name"
            )
        if known:
            database_id = known[0]["id"]
            self.metabase.call("PUT", f"/api/database/{database_id}", body)
        else:
            database_id = self.metabase.call("POST", "/api/database", {**body, "is_full_sync": True})["id"]
        self.metabase.call("POST", f"/api/database/{database_id}/sync_schema")
        self.tell("connection", self.name, "left" if known else "made")
        return int(database_id)

    def _collect(self) -> int:
        """The collection; where it is moved to, and what it is called since, is people's business."""
        marked = f"[tallymark:collection] {self.name}"
        for one in self.metabase.list_collections():
            if (one.get("description") or "").endswith(marked):
                self.tell("collection", one["name"], "left")
                return int(one["id"])
        body = {
            "name": self.name,
            "description": f"What Tallymark earns, bills, is owed and measures. {marked}",
        }
        made = self.metabase.call("POST", "/api/collection", body)
        self.tell("collection", self.name, "made")
        return int(made["id"])

    def _keep(
        self,
        kind: str,
        model: str,
        collection_id: int,
        wanted: Mapping[str, tuple[str, str, Json]],
        make: Callable[[str, int | None, Json], int],
    ) -> None:
        """Make what is missing of one kind, and change what was made of something else."""
        known = _marked(self.metabase.list_items(collection_id, model))
        for key, (name, description, body) in wanted.items():
            digest = _digest({"name": name, "description": description, **body})
            found_id, found_digest = known.get(key, (None, None))
            if found_id is not None and found_digest == digest:
                self._note(kind, key, found_id)
                self.tell(kind, name, "left")
                continue
            text = f"{description} [tallymark:{key}@{digest}]"
            place = {} if found_id is not None else {"collection_id": collection_id}
            self._note(kind, key, make(key, found_id, {"name": name, "description": text, **place, **body}))
            self.tell(kind, name, "made" if found_id is None else "changed")

    def _note(self, kind: str, key: str, card_id: int) -> None:
        if kind == "question":
            self._cards[key] = card_id

    def _make_card(self, _: str, card_id: int | None, body: Json) -> int:
        if card_id is None:
            return int(self.metabase.call("POST", "/api/card", body)["id"])
        self.metabase.call("PUT", f"/api/card/{card_id}", body)
        return card_id

    def _layout(self, dashboard: Dashboard) -> Json:
        """The filters, and the cards in their places; cards that are new on a dashboard have negative ids."""
        placed: list[Json] = []
        row = 0
        for height, keys in dashboard.rows:
            width = WIDTH // len(keys)
            for index, key in enumerate(keys):
                placed.append(
                    {
                        "id": -len(placed) - 1,
                        "card_id": self._cards[key],
                        "row": row,
                        "col": index * width,
                        "size_x": width,
                        "size_y": height,
                        "parameter_mappings": _mappings(key, self._cards[key]),
                        "visualization_settings": {},
                        "series": [],
                    }
                )
            row += height
        return {"parameters": _PARAMETERS, "dashcards": placed}

    def _make_dashboard(self, _: str, dashboard_id: int | None, body: Json) -> int:
        if dashboard_id is None:
            made = {name: value for name, value in body.items() if name != "dashcards"}
            dashboard_id = int(self.metabase.call("POST", "/api/dashboard", made)["id"])
        there = self.metabase.call("GET", f"/api/dashboard/{dashboard_id}")
        ours = {
            one["card_id"]: one["id"] for one in there["dashcards"] if one["card_id"] in self._cards.values()
        }
        placed = [{**one, "id": ours.get(one["card_id"], one["id"])} for one in body["dashcards"]]
        theirs = [_as_it_is(one) for one in there["dashcards"] if one["card_id"] not in self._cards.values()]
        mine = {one["id"] for one in body["parameters"]}
        parameters = [*body["parameters"], *(one for one in there["parameters"] if one["id"] not in mine)]
        tabs = [{"id": tab["id"], "name": tab["name"]} for tab in there.get("tabs") or []]
        if tabs:  # people have divided the dashboard: what is ours is on the first part
            placed = [{**one, "dashboard_tab_id": tabs[0]["id"]} for one in placed]
        change = {
            "name": body["name"],
            "description": body["description"],
            "parameters": parameters,
            "dashcards": [*placed, *theirs],
            "tabs": tabs,
        }
        self.metabase.call("PUT", f"/api/dashboard/{dashboard_id}", change)
        return dashboard_id


def _card(question: Question, database_id: int) -> Json:
    """A question as Metabase keeps it: a native query with its variables, and its look."""
    tags = {
        name: {
            "id": str(uuid5(NAMESPACE_URL, f"tallymark:{question.key}:{name}")),
            "name": name,
            "display-name": FILTERS[name],
            "type": "text",
        }
        for name in question.variables
    }
    return {
        "display": question.display,
        "dataset_query": {
            "type": "native",
            "database": database_id,
            "native": {"query": question.sql, "template-tags": tags},
        },
        "visualization_settings": dict(question.settings),
    }


def _mappings(key: str, card_id: int) -> list[Json]:
    (question,) = (one for one in QUESTIONS if one.key == key)
    return [
        {"parameter_id": name, "card_id": card_id, "target": ["variable", ["template-tag", name]]}
        for name in question.variables
    ]


def _as_it_is(dashcard: Json) -> Json:
    """A card of somebody else's on a dashboard as it is sent back; of its further series only which they are."""
    kept = {name: dashcard[name] for name in _OF_DASHCARDS if name in dashcard}
    return {**kept, "series": [{"id": one["id"]} for one in dashcard.get("series") or []]}


def _marked(items: Sequence[Json]) -> dict[str, tuple[int, str | None]]:
    """What is ours of a collection's items: id and digest by key, the oldest where somebody made a copy."""
    found: dict[str, tuple[int, str | None]] = {}
    for item in sorted(items, key=lambda one: -one["id"]):
        if mark := _MARK.search(item.get("description") or ""):
            found[mark["key"]] = item["id"], mark["digest"]
    return found


def _digest(made_of: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:12]
