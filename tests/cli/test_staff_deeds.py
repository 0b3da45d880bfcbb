"""What the shell does to an installation is in the audit of staff: who, to what, what it was before and after."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
import typer
from psycopg.rows import dict_row
from typer.testing import CliRunner

from tallymark.cli import app
from tallymark.db.engine import Database
from tallymark.db.holding import Hold, add_hold
from tallymark.jobs.deeds import Verb
from tallymark.moving.opening import open_target
from tallymark.rooms.billing_entities.model import EntityInput
from tallymark.rooms.billing_entities.service import create_entity
from tallymark.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)

WRITING = frozenset(
    {
        "analytics grant", "analytics revoke", "import lago", "keys create", "keys delete", "keys permit", "keys rotate", "limits",
        "orgs archive-entity", "orgs create", "resume", "shadow", "staff link", "users create", "users reset-password",
    }
)  # fmt: skip
"""Each is tried below."""

ELSEWHERE = frozenset({"events archive", "events restore", "migrate", "restore", "up"})
"""Seen in tests/rooms/test_event_archives.py, tests/cli/test_first_run.py and tests/cli/test_backups.py."""

NOTES_NOTHING = {
    "it calls a server, which notes what it does": {"demo", "mcp"},
    "it reads": {
        "analytics describe", "analytics list", "audit", "backup", "doctor", "events archives", "explain fee", "explain invoice",
        "health", "keys list", "openapi", "orgs list", "settings", "users list", "version",
    },
    "it runs what serves": {"api", "worker"},
    "it writes to a Metabase": {"metabase provision"},
}  # fmt: skip


def names(command: Any, path: str = "") -> Iterator[str]:
    """Every command below one, as it is typed."""
    if not (below := getattr(command, "commands", None)):
        yield path
    else:
        for name, child in below.items():
            yield from names(child, f"{path} {name}".strip())


def test_every_command_is_tried_or_notes_nothing_for_a_reason():
    known = [*WRITING, *ELSEWHERE, *(name for some in NOTES_NOTHING.values() for name in some)]
    assert sorted(names(typer.main.get_command(app))) == sorted(known)


class Shell:
    """The operator's, on a database."""

    def __init__(self, url: str, data_dir: object) -> None:
        self.url, self._where = url, ["--database-url", url, "--data-dir", str(data_dir)]
        self.tried: set[str] = set()

    def run(self, command: str, *arguments: object) -> list[dict[str, Any]]:
        """Run a command; what is in the audit since."""
        before = len(self.deeds())
        done = CliRunner().invoke(app, [*command.split(), *map(str, arguments), *self._where])
        assert done.exit_code == 0, (done.output, done.exception)
        return self.since(before, command)

    def since(self, before: int, command: str) -> list[dict[str, Any]]:
        self.tried.add(command)
        return self.deeds()[before:]

    def deeds(self) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            found = connection.execute("SELECT * FROM staff_deeds ORDER BY id").fetchall()
        for one in found:
            who = one["subject"] if one["verb"] == "made_link" else "operator"
            assert (one["login"], one["via"]) == (who, "shell")
        return found


@pytest.fixture
def shell(database_url: str, tmp_path: Any) -> Shell:
    return Shell(database_url, tmp_path)


def told(deed: dict[str, Any]) -> tuple[Any, ...]:
    return deed["verb"], deed["subject_type"], deed["subject"], deed["before"], deed["after"]


def test_what_commands_do_is_noted(shell: Shell) -> None:
    (made,) = shell.run("orgs create", "--name", "Acme", "--test-clock", "2026-01-01T00:00:00Z")
    clock = {"name": "Acme", "email": None, "frozen_time": "2026-01-01T00:00:00+00:00"}
    assert told(made) == ("created", "organization", "Acme", None, clock)
    acme = made["about_organization_id"]
    here = ("--organization", acme)

    (made,) = shell.run("keys create", "--name", "k", "--allow", "event", *here)
    key, both = made["subject_id"], {"event": ["read", "write"]}
    was = {"id": key, "name": "k", "expires_at": None, "permissions": both}
    assert told(made) == ("created", "api_key", "k", None, was)
    (changed,) = shell.run("keys permit", key, "--everything", *here)
    now = was | {"permissions": None}
    assert told(changed) == ("changed", "api_key", "k", was, now)
    (rotated,) = shell.run("keys rotate", key, "--name", "l", *here)
    other = {"id": rotated["subject_id"], "name": "l", "expires_at": None, "permissions": None}
    assert told(rotated) == ("rotated", "api_key", "l", now, other)
    (deleted,) = shell.run("keys delete", rotated["subject_id"], *here)
    assert told(deleted) == ("deleted", "api_key", "l", other, None)

    (limited,) = shell.run("limits", "--set", "members=5", *here)
    assert told(limited) == ("limited", "limit", "members", {"own": None}, {"own": 5})
    user, admitted = shell.run("users create", "--email", "ann@acme.test", "--role", "finance", *here)
    assert told(user) == ("created", "user", "ann@acme.test", None, None)
    assert told(admitted) == ("admitted", "membership", "ann@acme.test", None, {"roles": ["finance"]})
    (given,) = shell.run("users reset-password", "--email", "ann@acme.test")
    assert told(given)[:3] == ("gave_password", "user", "ann@acme.test")
    (link,) = shell.run("staff link", "bob@ops.test", "--url", "http://office.test")
    assert told(link)[:3] == ("made_link", "staff", "bob@ops.test")

    role = f"reader_{acme.hex[:8]}"
    (granted,) = shell.run("analytics grant", role, *here)
    assert (told(granted)[:3], granted["about_organization_id"]) == (("granted", "database_role", role), acme)
    (revoked,) = shell.run("analytics revoke", role)
    assert told(revoked)[:3] == ("revoked", "database_role", role)

    asyncio.run(prepare(shell.url, acme))
    (archived,) = shell.run("orgs archive-entity", "second", *here)
    assert told(archived)[:3] == ("archived", "billing_entity", "second")
    (resumed,) = shell.run("resume")
    assert told(resumed)[:3] == ("resumed", "installation", "workers")
    assert shell.run("resume") == [], "nothing held them"

    # Both begin by the door that the commands take, and then ask a server elsewhere.
    for command, verb in (("import lago", Verb.IMPORTED), ("shadow", Verb.COMPARED)):
        before = len(shell.deeds())
        asyncio.run(enter(shell.url, acme, verb))
        (begun,) = shell.since(before, command)
        assert told(begun)[:3] == (verb.value, "organization", "Acme")
    assert shell.tried == WRITING


async def prepare(url: str, organization_id: UUID) -> None:
    """One more entity, and workers that are held back."""
    database = Database(url, pool_size=1)
    async with database.tenant(organization_id) as tx:
        await create_entity(tx, EntityInput(values={"code": "second", "name": "Second"}), now=NOW)
    async with database.system() as connection:
        await add_hold(connection, Hold(reason="a test", since=NOW))
    await database.close()


async def enter(url: str, organization_id: UUID, verb: Verb) -> None:
    async with open_target(Settings(), url, str(organization_id), doing=verb):
        pass
