"""Roles that read the analytics views and nothing else: made, bound to the organizations that they see, and ended."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Composed, Identifier, Literal

from tallymark.db.engine import INGEST_ROLE, TENANT_ROLE, plain_url
from tallymark.db.errors import StartupError

SCHEMA = "analytics"

HABITS = {
    "default_transaction_read_only": "on",
    # A reader that hangs keeps dead rows from being cleared away, and the next release's migration waiting.
    "statement_timeout": "120s",
    "idle_in_transaction_session_timeout": "60s",
    "search_path": SCHEMA,
}
"""Settings that a reader's sessions begin with. What they may read does not hang on them: a session may change them."""

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_LOCK = "tallymark_analytics_readers"

_FOUND = """
    SELECT rolcanlogin, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS is_mighty,
           rolname = current_user AS is_own
    FROM pg_roles WHERE rolname = %s
"""
_MEMBERSHIPS = """
    SELECT of.rolname FROM pg_auth_members m JOIN pg_roles of ON of.oid = m.roleid JOIN pg_roles r ON r.oid = m.member
    WHERE r.rolname = %s ORDER BY of.rolname
"""
_READABLE = """
    SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      AND (has_any_column_privilege(%(role)s, c.oid, 'SELECT, INSERT, UPDATE') OR has_table_privilege(%(role)s, c.oid, 'DELETE, TRUNCATE'))
    ORDER BY 1 LIMIT 3
"""

_COUNT = "ANALYZE analytics_readers, organizations, test_clocks, billing_entities, billable_metrics, plans"
"""Every view joins some of these, which mostly are too small for the server to count by itself: it would guess, and at joins that never end."""

_COLUMNS = """
    SELECT c.relname, obj_description(c.oid, 'pg_class'), a.attname, format_type(a.atttypid, NULL), col_description(c.oid, a.attnum)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE n.nspname = %s AND c.relkind = 'v' ORDER BY c.oid, a.attnum
"""


Note = Callable[[Connection], None]
"""Notes what is done with a role, on the connection that does it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A view as it describes itself: its columns by their names, each with its type and what it is."""

    name: str
    says: str
    columns: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A role, and the one organization that it sees; None is all of them, those that are still to come among them."""

    role: str
    organization_id: UUID | None
    granted_at: datetime
    is_there: bool
    """Whether the server has the role: another one, onto which a backup was restored, may not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What granting came to: the password that was set, if any was, and what the owner may not do by itself."""

    is_new: bool
    password: str | None
    left_to_do: Sequence[str]
    """Statements for somebody who may change the role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a role is to be: `password` None makes one up where the role is new or `rotates`, and else leaves what it has."""

    role: str
    organization_id: UUID | None
    password: str | None = None
    rotates: bool = False


def grant(url: str, asked: Grant, *, note: Note | None = None, now: datetime) -> Granted:
    """Make a role a reader of one organization or of all; made again it is as asked for, with the password that it had.

    `note` is called in the same transaction.

    Raises `StartupError` for a name that is none, a role that may do more than read the views, an organization that is
    not there, and a user who may not make roles.
    """
    _check_name(asked.role)
    with _connected(url) as connection:
        is_new = _find(connection, asked.role) is None
        password = asked.password or (secrets.token_urlsafe(24) if is_new or asked.rotates else None)
        if is_new:
            _make(connection, asked.role)
        _check_harmless(connection, asked.role)
        if password is not None:
            _set_password(connection, asked.role, password)
        _allow(connection, asked.role)
        _bind(connection, asked, now=now)
        connection.execute(_COUNT)
        if note is not None:
            note(connection)
        return Granted(is_new=is_new, password=password, left_to_do=_form_habits(connection, asked.role))


def revoke(url: str, role: str, *, note: Note | None = None) -> bool:
    """Let a role see nothing any more, and drop it; False where it has to stay, for other things lean on it or it is somebody else's.

    Sessions that are open see nothing from now on. Raises `StartupError` where there is no such reader.
    """
    _check_name(role)
    with _connected(url) as connection:
        gone = connection.execute("DELETE FROM analytics_readers WHERE role_name = %s", [role])
        if not gone.rowcount:
            raise StartupError(f"{role} reads no analytics")
        if note is not None:
            note(connection)
        if _find(connection, role) is None:
            return True
        connection.execute(_about("REVOKE CONNECT ON DATABASE {database} FROM {role}", role, connection))
        try:
            with connection.transaction():
                connection.execute(SQL("DROP ROLE {}").format(Identifier(role)))
        except (psycopg.errors.DependentObjectsStillExist, InsufficientPrivilege):
            return False
        return True


def list_readers(url: str) -> list[Reader]:
    """Every reader, by its role's name."""
    with _connected(url) as connection:
        rows = connection.execute(
            "SELECT role_name, organization_id, granted_at, rolname IS NOT NULL FROM analytics_readers"
            " LEFT JOIN pg_roles ON rolname = role_name ORDER BY role_name"
        )
        return [
            Reader(role=role, organization_id=of, granted_at=at, is_there=is_there)
            for role, of, at, is_there in rows
        ]


def describe(url: str) -> list[View]:
    """Every view that readers may read, in the order in which they were made."""
    found: dict[str, View] = {}
    with _connected(url) as connection:
        for name, says, column, kind, what in connection.execute(_COLUMNS, [SCHEMA]):
            known = found.get(name) or View(name=name, says=says or "", columns={})
            found[name] = replace(known, columns={**known.columns, column: (kind, what or "")})
    return list(found.values())


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    with psycopg.connect(plain_url(url)) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_LOCK])
        yield connection


def _check_name(role: str) -> None:
    if not _NAME.fullmatch(role) or role.startswith("pg_") or role in (TENANT_ROLE, INGEST_ROLE, "public"):
        raise StartupError(
            f"{role!r} is no name for a reader's role: small letters, digits and _, and none of Tallymark's own"
        )


def _find(connection: Connection, role: str) -> tuple[bool, bool, bool] | None:
    return connection.execute(_FOUND, [role]).fetchone()


def _make(connection: Connection, role: str) -> None:
    try:
        connection.execute(
            SQL(
                "CREATE ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION NOINHERIT CONNECTION LIMIT 20"
            ).format(Identifier(role))
        )
    except InsufficientPrivilege:
        raise StartupError(
            f"the database user may not make roles: give it CREATEROLE, or have one who may run CREATE ROLE {role} LOGIN PASSWORD '...'"
            " and grant again"
        ) from None


def _check_harmless(connection: Connection, role: str) -> None:
    """Refuse a role that could read past the views, or become one that sees other organizations."""
    found = _find(connection, role)
    assert found is not None
    can_login, is_mighty, is_own = found
    if is_own or is_mighty:
        raise StartupError(f"the role {role} may do more than read: name one that is made for this")
    if not can_login:
        raise StartupError(f"the role {role} can't log in: name one that is made for this")
    groups = [name for (name,) in connection.execute(_MEMBERSHIPS, [role])]
    if groups:
        raise StartupError(f"the role {role} is a member of {', '.join(groups)}, and may become it")
    tables = [name for (name,) in connection.execute(_READABLE, {"role": role})]
    if tables:
        raise StartupError(
            f"the role {role} may already read or write tables themselves: {', '.join(tables)}"
        )


def _set_password(connection: Connection, role: str, password: str) -> None:
    """Set a password as what is derived from it, so that no log of the server ever shows it."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    try:
        connection.execute(SQL("ALTER ROLE {} PASSWORD {}").format(Identifier(role), Literal(verifier)))
    except InsufficientPrivilege:
        raise StartupError(
            f"the database user may not change the role {role}, which somebody else made"
        ) from None


def _allow(connection: Connection, role: str) -> None:
    """Let a role into the database where not everybody may; that it may ask the views, the migrations have said."""
    if not _may_connect(connection, role):
        connection.execute(_about("GRANT CONNECT ON DATABASE {database} TO {role}", role, connection))


def _may_connect(connection: Connection, role: str) -> bool:
    row = connection.execute(
        "SELECT has_database_privilege(%s, current_database(), 'CONNECT')", [role]
    ).fetchone()
    return bool(row and row[0])


def _bind(connection: Connection, asked: Grant, *, now: datetime) -> None:
    connection.execute(
        "INSERT INTO analytics_readers (role_name, organization_id, granted_at) VALUES (%s, %s, %s)"
        " ON CONFLICT (role_name) DO UPDATE SET organization_id = EXCLUDED.organization_id, granted_at = EXCLUDED.granted_at",
        [asked.role, asked.organization_id, now],
    )


def _form_habits(connection: Connection, role: str) -> list[str]:
    """Set what sessions begin with; returns what somebody else has to set, whose role it is."""
    statements = [
        _about("ALTER ROLE {role} IN DATABASE {database} SET ", role, connection)
        + SQL("{} = {}").format(Identifier(name), Literal(value))
        for name, value in HABITS.items()
    ]
    try:
        with connection.transaction():
            for statement in statements:
                connection.execute(statement)
    except InsufficientPrivilege:
        return [statement.as_string(connection) for statement in statements]
    return []


def _about(statement: LiteralString, role: str, connection: Connection) -> Composed:
    return SQL(statement).format(role=Identifier(role), database=Identifier(connection.info.dbname))
