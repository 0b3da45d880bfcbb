"""Who reads the analytics views sees what they were granted and nothing else, whatever they try."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import make_url
from tests import kit

from tallymark.db import readers
from tallymark.db.engine import plain_url
from tallymark.db.errors import StartupError
from tallymark.db.readers import Grant
from tallymark.db.tables import metadata
from tallymark.integrations.metabase.content import FILTERS, QUESTIONS

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def granted(url, organization_id=None, **more):
    """A reader of its own; its role's name."""
    role = f"reader_{uuid4().hex[:10]}"
    readers.grant(url, Grant(role=role, organization_id=organization_id, **more), now=NOW)
    try:
        yield role
    finally:
        readers.revoke(url, role)


@contextmanager
def connected(url, role):
    with psycopg.connect(plain_url(make_url(url).set(username=role)), autocommit=True) as connection:
        yield connection


def views(connection):
    rows = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'analytics' AND c.relkind = 'v' ORDER BY 1"
    )
    return [name for (name,) in rows]


@pytest.fixture
async def two(make_organization):
    """Two organizations with something in each view that an hour of theirs fills."""
    made = []
    for name in ("mine", "theirs"):
        one = await make_organization("2026-01-10T00:00:00Z", name=name)
        who = await kit.customer(one.client, external_id=name, currency="EUR")
        plan = await kit.plan(one.client, code=name, amount_cents=3100, pay_in_advance=True)
        await kit.subscribe(one.client, who, plan, external_id=name)
        made.append(one)
    return made


class TestOfOneOrganization:
    async def test_no_view_shows_a_row_of_another(self, database_url, two):
        mine, _ = two
        with granted(database_url, mine.id) as role, connected(database_url, role) as connection:
            filled = 0
            for view in views(connection):
                column = "id" if view == "organizations" else "organization_id"
                seen = {of for (of,) in connection.execute(f"SELECT DISTINCT {column} FROM analytics.{view}")}
                assert seen <= {mine.id}, view
                filled += bool(seen)
            assert filled > 10

    async def test_a_function_that_tells_of_its_arguments_hears_of_no_other(self, database_url, two):
        """A condition that leaks what it is asked about is asked about what the role may see, and no more."""
        mine, _ = two
        with granted(database_url, mine.id) as role, connected(database_url, role) as connection:
            heard = []
            connection.add_notice_handler(lambda notice: heard.append(notice.message_primary))
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(
                "CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS"
                " $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$"
            )
            # All of a table is read first, and what belongs to the role is looked for among it.
            for way in ("nestloop", "indexscan", "bitmapscan", "mergejoin"):
                connection.execute(f"SET enable_{way} = off")
            connection.execute("SELECT count(*) FROM analytics.customers WHERE pg_temp.tell(external_id)")
            assert heard == ["mine"]

    async def test_nothing_that_a_session_may_set_shows_more(self, database_url, two):
        mine, theirs = two
        with granted(database_url, mine.id) as role, connected(database_url, role) as connection:
            for attempt in (
                f"SET tallymark.organization_id = '{theirs.id}'",
                f"SELECT set_config('tallymark.organization_id', '{theirs.id}', false)",
                "SET search_path = public, analytics",
                "SET row_security = off",
                "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
            ):
                connection.execute(attempt)
                seen = connection.execute("SELECT id FROM analytics.organizations").fetchall()
                assert seen == [(mine.id,)], attempt

    async def test_what_is_not_for_readers_is_refused(self, database_url, two):
        mine, _ = two
        with granted(database_url, mine.id) as role, connected(database_url, role) as connection:
            connection.execute("SET default_transaction_read_only = off")
            for attempt in (
                "SET ROLE tallymark_tenant",
                "SET ROLE tallymark",
                "SET SESSION AUTHORIZATION tallymark",
                "SELECT * FROM public.analytics_scope",
                "SELECT * FROM public.analytics_running",
                "SELECT * FROM public.analytics_readers",
                "UPDATE public.analytics_readers SET organization_id = NULL",
                "SELECT public.tallymark_expressions()",
                "SELECT pg_read_file('/etc/passwd')",
                "COPY (SELECT 1) TO PROGRAM 'true'",
                "CREATE TABLE public.mine (id int)",
                "CREATE VIEW analytics.mine AS SELECT 1",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(attempt)

    async def test_no_table_is_read_or_written(self, database_url, two):
        """Keys, passwords' hashes, sessions and whatever else there is."""
        with granted(database_url, two[0].id) as role, connected(database_url, role) as connection:
            connection.execute("SET default_transaction_read_only = off")
            for table in metadata.tables:
                for statement in (f"SELECT 1 FROM public.{table}", f"DELETE FROM public.{table}"):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        connection.execute(statement)

    async def test_no_view_is_written_through(self, database_url, two):
        with granted(database_url, two[0].id) as role, connected(database_url, role) as connection:
            connection.execute("SET default_transaction_read_only = off")
            for view in views(connection):
                with pytest.raises(
                    (psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectNotInPrerequisiteState)
                ):
                    connection.execute(f"DELETE FROM analytics.{view}")

    async def test_of_functions_that_act_for_their_owner_none_may_be_called(self, database_url, two):
        with granted(database_url, two[0].id) as role, connected(database_url, role) as connection:
            found = connection.execute(
                "SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
                " WHERE n.nspname IN ('public', 'analytics') AND p.prosecdef AND p.prorettype <> 'trigger'::regtype"
                " AND has_function_privilege(p.oid, 'EXECUTE')"
            ).fetchall()
            assert found == []


class TestOfAll:
    async def test_organizations_that_are_made_later_are_seen_too(self, database_url, make_organization):
        with granted(database_url) as role, connected(database_url, role) as connection:
            made = await make_organization(name="later")
            names = {name for (name,) in connection.execute("SELECT name FROM analytics.organizations")}
            assert "later" in names
            assert made.id in {of for (of,) in connection.execute("SELECT id FROM analytics.organizations")}

    async def test_every_view_stands_behind_a_barrier(self, database_url):
        with psycopg.connect(database_url) as connection:
            found = connection.execute(
                "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'analytics'"
                " AND c.relkind = 'v' AND NOT coalesce('security_barrier=true' = ANY(c.reloptions), false)"
            ).fetchall()
        assert found == []


@pytest.fixture(scope="module")
def reader(database_url, application):
    """A connection as a role that sees all organizations."""
    with granted(database_url) as role, connected(database_url, role) as connection:
        yield connection


class TestQuestions:
    """Every question of Metabase is run as its role, as it is without filters and with each of them."""

    @pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.key)
    async def test_runs_as_the_role_and_names_the_columns_that_it_draws(self, reader, question):
        for values in ({}, dict.fromkeys(FILTERS, "x")):
            shown = reader.execute(filled(question.sql, values))
            columns = {column.name for column in shown.description}
            drawn = {
                *question.settings.get("graph.dimensions", ()),
                *question.settings.get("graph.metrics", ()),
            }
            assert drawn <= columns

    async def test_filters_narrow(self, reader, make_organization):
        """22 of 31 days don't matter: what recurs is a month's worth."""
        made = await make_organization("2026-01-10T00:00:00Z", name="narrowed")
        who = await kit.customer(made.client, currency="EUR")
        plan = await kit.plan(made.client, amount_cents=3100, pay_in_advance=True)
        await kit.subscribe(made.client, who, plan)
        mrr = next(one for one in QUESTIONS if one.key == "mrr_by_month")
        (row,) = reader.execute(filled(mrr.sql, {"organization": "narrowed"})).fetchall()
        assert (row[1], row[2]) == ("EUR", 31)
        narrower = filled(mrr.sql, {"organization": "narrowed", "currency": "USD"})
        assert reader.execute(narrower).fetchall() == []

    async def test_the_last_days_of_usage_are_found_by_an_index(self, reader):
        """However many days are kept: those of months ago are not taken apart."""
        top = next(one for one in QUESTIONS if one.key == "top_customers_by_usage")
        with reader.transaction():
            reader.execute("SET LOCAL enable_seqscan = off")
            plan = "\n".join(row for (row,) in reader.execute(f"EXPLAIN {filled(top.sql, {})}"))
        (condition,) = re.findall(r"daily_usages_day_idx on .*\n +Index Cond: (.*)", plan)
        assert "organization_id = " in condition
        assert "usage_date > " in condition


def filled(sql, values):
    """A question as Metabase runs it: optional parts without their variable are left out."""

    def part(found):
        names = re.findall(r"\{\{(\w+)\}\}", found[1])
        return found[1] if all(name in values for name in names) else ""

    whole = re.sub(r"\[\[(.*?)\]\]", part, sql)
    return re.sub(r"\{\{(\w+)\}\}", lambda found: f"'{values[found[1]]}'", whole)


class TestGranting:
    def test_again_keeps_the_password_and_binds_anew(self, database_url, organization):
        role = f"reader_{uuid4().hex[:10]}"
        first = readers.grant(database_url, Grant(role=role, organization_id=None), now=NOW)
        kept = stored(database_url, role)
        again = readers.grant(database_url, Grant(role=role, organization_id=organization.id), now=NOW)
        try:
            assert (first.is_new, again.is_new, again.password) == (True, False, None)
            assert first.password is not None
            assert len(first.password) >= 30
            assert stored(database_url, role) == kept
            assert kept.startswith("SCRAM-SHA-256$"), "the password itself was never sent"
            (reader,) = [one for one in readers.list_readers(database_url) if one.role == role]
            assert reader.organization_id == organization.id
            rotated = readers.grant(
                database_url, Grant(role=role, organization_id=organization.id, rotates=True), now=NOW
            )
            assert rotated.password not in (None, first.password)
            assert stored(database_url, role) != kept
            given = Grant(role=role, organization_id=organization.id, password="of my own")
            assert readers.grant(database_url, given, now=NOW).password == "of my own"
        finally:
            assert readers.revoke(database_url, role)
        assert stored(database_url, role) is None

    def test_makes_the_role_anew_where_a_backup_came_without_it(self, database_url, application):
        with granted(database_url) as role:
            with psycopg.connect(database_url, autocommit=True) as owner:
                owner.execute(f"DROP ROLE {role}")
            (gone,) = [one for one in readers.list_readers(database_url) if one.role == role]
            assert not gone.is_there
            again = readers.grant(database_url, Grant(role=role, organization_id=None), now=NOW)
            assert (again.is_new, again.password is None) == (True, False)
            (there,) = [one for one in readers.list_readers(database_url) if one.role == role]
            assert there.is_there

    def test_sets_habits_that_spare_the_server(self, database_url, application):
        with granted(database_url) as role, connected(database_url, role) as connection:
            for name, value in readers.HABITS.items():
                (found,) = connection.execute(SQL("SHOW {}").format(Identifier(name))).fetchone()
                assert found in (value, {"120s": "2min", "60s": "1min"}.get(value)), name

    def test_has_the_server_count_what_every_view_joins(self, database_url, organization):
        """It never counts tables of a few rows by itself, and took minutes over customers times days for that."""
        with granted(database_url), psycopg.connect(database_url) as owner:
            for table in ("analytics_readers", "organizations"):
                count = SQL("SELECT count(*) FROM {}").format(Identifier(table))
                ((there,),) = owner.execute(count).fetchall()
                ((known,),) = owner.execute(
                    "SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table]
                ).fetchall()
                assert known == there > 0, table

    async def test_whoever_was_granted_nothing_sees_nothing(self, database_url, organization):
        """The views may be asked by everybody: a dump names no reader, and is restored where there is none."""
        await kit.customer(organization.client, external_id="unseen")
        role = f"nobody_{uuid4().hex[:8]}"
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute(f"CREATE ROLE {role} LOGIN")
            try:
                with connected(database_url, role) as connection:
                    for view in views(connection):
                        found = connection.execute(f"SELECT count(*) FROM analytics.{view}").fetchone()
                        assert found == (0,), view
            finally:
                owner.execute(f"DROP ROLE {role}")

    def test_no_right_names_a_reader(self, database_url, application):
        with granted(database_url) as role, psycopg.connect(database_url) as owner:
            named = owner.execute(
                "SELECT 1 FROM (SELECT relacl AS acl FROM pg_class UNION ALL SELECT nspacl FROM pg_namespace"
                " UNION ALL SELECT proacl FROM pg_proc UNION ALL SELECT defaclacl FROM pg_default_acl) rights,"
                " aclexplode(acl) WHERE grantee = %s::regrole",
                [role],
            ).fetchall()
            assert named == []

    def test_revoked_sees_nothing_in_a_session_that_is_open(self, database_url, organization):
        role = f"reader_{uuid4().hex[:10]}"
        readers.grant(database_url, Grant(role=role, organization_id=None), now=NOW)
        with connected(database_url, role) as connection:
            assert connection.execute("SELECT count(*) FROM analytics.organizations").fetchone() != (0,)
            readers.revoke(database_url, role)
            with pytest.raises(psycopg.Error):
                connection.execute("SELECT count(*) FROM analytics.organizations")
        with pytest.raises(StartupError, match="reads no analytics"):
            readers.revoke(database_url, role)

    @pytest.mark.parametrize(
        ("name", "options", "message"),
        [
            ("mighty", "LOGIN SUPERUSER", "may do more than read"),
            ("passing", "LOGIN BYPASSRLS", "may do more than read"),
            ("making", "LOGIN CREATEROLE", "may do more than read"),
            ("mute", "NOLOGIN", "can't log in"),
            ("member", "LOGIN IN ROLE tallymark_tenant", "is a member of tallymark_tenant"),
        ],
    )
    def test_a_role_that_may_more_is_refused(self, database_url, application, name, options, message):
        role = f"{name}_{uuid4().hex[:8]}"
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute(f"CREATE ROLE {role} {options}")
            try:
                with pytest.raises(StartupError, match=message):
                    readers.grant(database_url, Grant(role=role, organization_id=None), now=NOW)
                assert role not in {one.role for one in readers.list_readers(database_url)}
            finally:
                owner.execute(f"DROP ROLE {role}")

    def test_a_role_that_reads_tables_is_refused(self, database_url, application):
        role = f"reads_{uuid4().hex[:8]}"
        with psycopg.connect(database_url, autocommit=True) as owner:
            owner.execute(f"CREATE ROLE {role} LOGIN")
            owner.execute(f"GRANT SELECT (name) ON customers TO {role}")
            try:
                with pytest.raises(
                    StartupError, match="may already read or write tables themselves: customers"
                ):
                    readers.grant(database_url, Grant(role=role, organization_id=None), now=NOW)
            finally:
                owner.execute(f"DROP OWNED BY {role}")
                owner.execute(f"DROP ROLE {role}")

    @pytest.mark.parametrize(
        "name", ["", "Metabase", "a-b", "pg_reader", "tallymark_tenant", "public", "x" * 64, 'a"; DROP']
    )
    def test_names_that_are_none(self, database_url, name):
        with pytest.raises(StartupError, match="is no name for a reader's role"):
            readers.grant(database_url, Grant(role=name, organization_id=None), now=NOW)


class TestOnAManagedServer:
    """There the owner of the database is no superuser, as on RDS."""

    @pytest.fixture
    def owned(self, database_url, application):
        """The database's URL as an owner without CREATEROLE."""
        owner = f"owner_{uuid4().hex[:8]}"
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {owner} LOGIN")
            connection.execute(f"ALTER TABLE analytics_readers OWNER TO {owner}")
            yield plain_url(make_url(database_url).set(username=owner)), owner
            connection.execute("ALTER TABLE analytics_readers OWNER TO tallymark")
            connection.execute(f"DROP OWNED BY {owner}")
            connection.execute(f"DROP ROLE {owner}")

    def test_who_may_make_no_roles_is_told_what_is_needed(self, owned):
        url, _ = owned
        with pytest.raises(StartupError, match=r"give it CREATEROLE, or have one who may run CREATE ROLE"):
            readers.grant(url, Grant(role=f"reader_{uuid4().hex[:8]}", organization_id=None), now=NOW)

    def test_a_role_that_somebody_else_made_is_taken(self, owned, database_url):
        url, _ = owned
        role = f"made_{uuid4().hex[:8]}"
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {role} LOGIN")
            done = readers.grant(url, Grant(role=role, organization_id=None), now=NOW)
            assert (done.is_new, done.password) == (False, None)
            assert done.left_to_do[0].startswith(f'ALTER ROLE "{role}" IN DATABASE ')
            with pytest.raises(StartupError, match="may not change the role"):
                readers.grant(url, Grant(role=role, organization_id=None, rotates=True), now=NOW)
            assert readers.revoke(url, role) is False, "whose role it is may drop it"
            connection.execute(f"DROP ROLE {role}")


def stored(url, role):
    """What the server keeps of a role's password; None without a role."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role]).fetchone()
    return row[0] if row else None
