"""The migrations make the schema that the code sees, and no database of a newer release is touched."""

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from tallymark.db.engine import driver_url
from tallymark.db.errors import StartupError
from tallymark.db.migrate import migrate
from tallymark.db.tables import metadata


def test_the_migrated_database_is_what_the_tables_say(database_url):
    engine = create_engine(driver_url(database_url))

    def is_ours(name, kind, *_):
        return not (kind == "table" and name and name.startswith("procrastinate_"))

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_migrating_twice_changes_nothing(database_url):
    assert migrate(database_url) == migrate(database_url)


def test_a_newer_schema_is_refused_in_one_line(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        try:
            with pytest.raises(StartupError, match="newer schema"):
                migrate(database_url)
        finally:
            connection.execute("UPDATE alembic_version SET version_num = '0001'")


def test_an_unreachable_server_is_told_in_one_line(tmp_path):
    with pytest.raises(StartupError, match="cannot reach the database") as error:
        migrate(f"postgresql://nobody@/none?host={tmp_path}")
    assert "\n" not in str(error.value)
