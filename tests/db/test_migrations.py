"""The migrations make the schema that the code sees, and no database of a newer release is touched."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from tallymark.db.engine import INGEST_ROLE, TENANT_ROLE, driver_url, plain_url
from tallymark.db.errors import StartupError
from tallymark.db.migrate import migrate
from tallymark.db.schema import MIGRATIONS, RIGHT_USER, require_current_schema
from tallymark.db.tables import metadata
from tallymark.db.waiting import wait_for_server
from tallymark.doctor import Verdict, examine
from tallymark.doctor.database import examine_database
from tallymark.settings import Settings


def test_the_migrated_database_is_what_the_tables_say(database_url):
    engine = create_engine(driver_url(database_url))

    def is_ours(name, kind, *_):
        # The months of events are made as time goes by.
        return not (
            kind == "table" and name and re.match(r"procrastinate_|events_(rest$|\d{4}_\d{2}$)", name)
        )

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_migrating_twice_changes_nothing(database_url):
    assert migrate(database_url) == migrate(database_url)


def test_a_newer_schema_is_refused_in_one_line(database_url):
    current = migrate(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE schema_floor SET revision = '9998'")
        try:
            with pytest.raises(StartupError, match="newer schema"):
                migrate(database_url)
        finally:
            connection.execute("UPDATE alembic_version SET version_num = %s", [current])
            connection.execute("UPDATE schema_floor SET revision = %s", [current])


def test_a_user_who_may_not_prepare_the_schema_is_told_in_one_line(server_url, database_url, tmp_path):
    maintenance = plain_url(make_url(server_url).set(database="postgres"))
    name = f"weak_{uuid4().hex[:8]}"
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
        connection.execute(f"CREATE DATABASE {name} OWNER {name}")
        weak = plain_url(make_url(server_url).set(database=name, username=name))
        with pytest.raises(StartupError, match="may not prepare the schema") as error:
            migrate(weak)
        assert "\n" not in str(error.value)
        # Nor may they look at what another prepared.
        elsewhere = plain_url(make_url(database_url).set(username=name))
        with pytest.raises(StartupError, match="may not read the schema: permission denied") as refused:
            require_current_schema(elsewhere)
        assert "\n" not in str(refused.value)
        told = [
            one
            for one in examine(Settings(database_url=elsewhere, data_dir=tmp_path), [])
            if one.about == "database"
        ]
        assert [(one.verdict, one.remedy) for one in told] == [(Verdict.FAILING, RIGHT_USER)]
        # The roles are there, made by another user for another database: what is told to be run is enough, with CREATEROLE or without.
        (remedy,) = re.findall(r"run: (GRANT \w+, \w+ TO \w+)$", str(error.value))
        connection.execute(remedy)
        migrate(weak)
        connection.execute(f"DROP DATABASE {name}")
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"REVOKE {TENANT_ROLE}, {INGEST_ROLE} FROM {name}")
        connection.execute(f"DROP ROLE {name}")


def test_an_owner_who_is_no_superuser_may_act_as_tenants(server_url):
    """From PostgreSQL 16 on whoever makes a role becomes its member with the right to grant it, and with no other."""
    maintenance = plain_url(make_url(server_url).set(database="postgres"))
    name = f"owner_{uuid4().hex[:8]}"
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN CREATEROLE")
        connection.execute(f"CREATE DATABASE {name} OWNER {name}")
        for role in (TENANT_ROLE, INGEST_ROLE):
            # What CREATE ROLE gives whoever makes it; here it was made by another.
            connection.execute(f"GRANT {role} TO {name} WITH ADMIN TRUE, SET FALSE, INHERIT FALSE")
        owned = plain_url(make_url(server_url).set(database=name, username=name))
        migrate(owned)
        with psycopg.connect(owned) as as_owner:
            for role in (TENANT_ROLE, INGEST_ROLE):
                as_owner.execute(f"SET ROLE {role}")
        connection.execute(f"DROP DATABASE {name}")
        for role in (TENANT_ROLE, INGEST_ROLE):
            connection.execute(f"REVOKE {role} FROM {name} GRANTED BY {name} CASCADE")
            connection.execute(f"REVOKE {role} FROM {name}")
        connection.execute(f"DROP ROLE {name}")


def test_an_unreachable_server_is_told_in_one_line(tmp_path):
    with pytest.raises(StartupError, match="cannot reach the database") as error:
        migrate(f"postgresql://nobody@/none?host={tmp_path}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_not_every_name_fits_into_is_refused_in_one_line(server_url, encoding):
    """Both are what a server gives that was set up under the locale C, or another of before UTF-8."""
    name = f"narrow_{uuid4().hex[:8]}"
    maintenance = plain_url(make_url(server_url).set(database="postgres"))
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
        narrow = plain_url(make_url(server_url).set(database=name))
        try:
            with pytest.raises(StartupError, match=f"the database's encoding is {encoding}") as error:
                migrate(narrow)
            assert "\n" not in str(error.value)
            with pytest.raises(StartupError, match="has no schema yet"):
                require_current_schema(narrow)
            found = asyncio.run(examine_database(Settings(), narrow, lambda: datetime.now(UTC)))
            assert [one.says for one in found if one.about == "database" and "encoding" in one.says] == [
                f"the database's encoding is {encoding}: names and properties may not fit into it"
            ]
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_migrations_that_start_at_once_wait_for_each_other(server_url):
    """Several containers that start together all run `tallymark migrate`."""
    name = f"fresh_{uuid4().hex[:8]}"
    maintenance = plain_url(make_url(server_url).set(database="postgres"))
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            url = plain_url(make_url(server_url).set(database=name))
            with ThreadPoolExecutor(2) as pool:
                revisions = list(pool.map(migrate, [url, url]))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert revisions == [ScriptDirectory(str(MIGRATIONS)).get_current_head()] * 2


class TestWaitingForAServer:
    def test_ends_as_soon_as_it_answers(self, server_url):
        wait_for_server(server_url, seconds=60)

    def test_asks_for_nothing_by_default(self):
        wait_for_server("postgresql://127.0.0.1:1/nothing", seconds=0)

    def test_ends_with_what_is_wrong(self):
        with pytest.raises(StartupError, match=r"did not answer for 0.1 seconds: .*refused"):
            wait_for_server("postgresql://me:secret@127.0.0.1:1/x", seconds=0.1)
