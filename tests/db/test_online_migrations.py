"""Migrations run while everybody works, and the release before goes on working on what they leave (docs/operations/upgrades.md)."""

import json
import shutil
import subprocess
import sys
import uuid
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from tallymark.db import migrate as migrating
from tallymark.db import schema
from tallymark.db.engine import plain_url
from tallymark.db.errors import StartupError
from tallymark.db.migrate import migrate
from tallymark.db.schema import MIGRATIONS, newest_revision, require_current_schema

SQUAWK = Path(sys.executable).with_name("squawk")

LEFT_OUT = (
    "prefer-robust-stmts",  # each runs in a transaction of its own, or is told to be tried again
    "require-timeout-settings",
    "require-lock-timeout",  # `migrate` sets it for all of them
    "require-statement-timeout",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-text-field",
    "prefer-timestamp-tz",
    "require-concurrent-index-deletion",  # a short lock, under the lock's time-out
)

CONTRACTS = ("ban-drop-column", "ban-drop-table", "ban-drop-not-null")
"""Allowed where the migration says which release has not used them any more (`needs`)."""


def complaints(sql: str, *, needs: str | None = None) -> list[str]:
    """The rules that a migration's SQL breaks."""
    left_out = ",".join([*LEFT_OUT, *(CONTRACTS if needs else ())])
    command = [
        str(SQUAWK),
        "--reporter=json",
        "--pg-version=15",
        f"--exclude={left_out}",
        "--stdin-filepath=migration.sql",
    ]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return sorted({one["rule_name"] for one in json.loads(done.stdout)})


def statements_of(module) -> str:
    """A migration's SQL."""
    written = StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": written, "transactional_ddl": True}
    )
    with Operations.context(context), context.begin_transaction():
        module.upgrade()
    return written.getvalue()


ALL = sorted(ScriptDirectory(str(MIGRATIONS)).walk_revisions(), key=lambda script: script.revision)
FIRST = next(script.revision for script in ALL if script.path.endswith("_schema_floor.py"))
"""What came before ran offline, and stays as it is."""


class TestTheMigrationsThereAre:
    @pytest.mark.parametrize("script", [it for it in ALL if it.revision >= FIRST], ids=lambda it: it.revision)
    def test_lock_nothing_for_long_and_take_nothing_away_that_is_used(self, script):
        assert hasattr(script.module, "needs"), "it says which releases can work on what it leaves"
        assert script.module.needs in {None, *(other.revision for other in ALL)}
        assert complaints(statements_of(script.module), needs=script.module.needs) == []


LOCKING = {
    "CREATE INDEX a_idx ON invoices (a);": "require-concurrent-index-creation",
    "ALTER TABLE invoices ADD COLUMN a text NOT NULL;": "adding-required-field",
    "ALTER TABLE invoices ADD COLUMN a timestamptz DEFAULT clock_timestamp();": "adding-field-with-default",
    "ALTER TABLE invoices ALTER COLUMN a TYPE bigint;": "changing-column-type",
    "ALTER TABLE invoices ALTER COLUMN a SET NOT NULL;": "adding-not-nullable-field",
    "ALTER TABLE invoices ADD CONSTRAINT c CHECK (a > 0);": "constraint-missing-not-valid",
    "ALTER TABLE invoices ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES plans (id);": "adding-foreign-key-constraint",
    "ALTER TABLE invoices RENAME COLUMN a TO b;": "renaming-column",
    "ALTER TABLE invoices RENAME TO bills;": "renaming-table",
}
USED = {
    "ALTER TABLE invoices DROP COLUMN a;": "ban-drop-column",
    "DROP TABLE invoices;": "ban-drop-table",
}
ONLINE = """
CREATE TABLE news (id uuid PRIMARY KEY, plan_id uuid REFERENCES plans (id));
CREATE INDEX news_idx ON news (plan_id);
ALTER TABLE invoices ADD COLUMN a text;
ALTER TABLE invoices ADD COLUMN b integer NOT NULL DEFAULT 0;
ALTER TABLE invoices ADD CONSTRAINT c CHECK (b > 0) NOT VALID;
"""


class TestTheRules:
    @pytest.mark.parametrize("statement", LOCKING)
    def test_refuse_what_locks_for_long_or_renames(self, statement):
        assert LOCKING[statement] in complaints(statement, needs=FIRST)

    @pytest.mark.parametrize("statement", USED)
    def test_refuse_to_take_away_what_the_release_before_may_use(self, statement):
        assert complaints(statement) == [USED[statement]]
        assert complaints(statement, needs=FIRST) == []

    def test_let_pass_what_runs_online(self):
        assert complaints(f"BEGIN;{ONLINE}COMMIT;") == []
        assert complaints("CREATE INDEX CONCURRENTLY a_idx ON invoices (a);") == []


MIGRATION = '''"""Made up."""

from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None
needs = {needs!r}


def upgrade() -> None:
    {does}
'''


class NewerRelease:
    """A release with more migrations than this one."""

    def __init__(self, folder):
        self.folder = folder / "migrations"
        shutil.copytree(MIGRATIONS, self.folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.newest = newest_revision()

    def add(self, does: str, *, needs: str | None = None) -> str:
        before, self.newest = self.newest, f"{int(self.newest) + 1:04d}"
        text = MIGRATION.format(revision=self.newest, before=before, needs=needs, does=does)
        (self.folder / "versions" / f"{self.newest}_made_up.py").write_text(text)
        return self.newest

    def migrate(self, url: str) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(schema, "MIGRATIONS", self.folder)
            return migrate(url)


@pytest.fixture
def url(server_url):
    """A database of this release's schema, for one test that changes it."""
    name = f"rolling_{uuid.uuid4().hex[:12]}"
    maintenance = plain_url(make_url(server_url).set(database="postgres"))
    with psycopg.connect(maintenance, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE tallymark')
        yield plain_url(make_url(server_url).set(database=name))
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class TestTheReleaseBefore:
    def test_works_on_a_newer_schema_until_that_takes_away_what_it_needs(self, url, tmp_path):
        newer = NewerRelease(tmp_path)
        expanded = newer.add('op.execute("ALTER TABLE plans ADD COLUMN made_up text")')
        assert newer.migrate(url) == expanded
        require_current_schema(url)
        assert migrate(url) == expanded, "it leaves what is newer as it is"
        still = newer.add('op.execute("DROP TABLE holds")', needs=newest_revision())
        assert newer.migrate(url) == still
        require_current_schema(url)
        contracted = newer.add('op.execute("ALTER TABLE plans DROP COLUMN made_up")', needs=expanded)
        assert newer.migrate(url) == contracted
        for refuse in (require_current_schema, migrate):
            with pytest.raises(
                StartupError, match=rf"newer schema \({contracted}\) than this release .* can work on"
            ):
                refuse(url)


class TestATableInUse:
    def test_is_waited_for_and_nobody_waits_behind_for_long(self, url, tmp_path, monkeypatch):
        """The migration gives up its place in the queue, and comes again once the long transaction is over."""
        newer = NewerRelease(tmp_path)
        wanted = newer.add('op.execute("ALTER TABLE plans ADD COLUMN made_up text")')
        monkeypatch.setattr(migrating, "LOCK_TIMEOUT", "50ms")
        with psycopg.connect(url) as report:
            report.execute("SELECT count(*) FROM plans")
            pauses = []

            def pause(seconds):
                pauses.append(seconds)
                report.rollback()

            monkeypatch.setattr("tallymark.db.migrate.time.sleep", pause)
            assert newer.migrate(url) == wanted
        assert set(pauses) == {3.0}

    def test_for_too_long_is_told(self, url, tmp_path, monkeypatch):
        newer = NewerRelease(tmp_path)
        newer.add('op.execute("ALTER TABLE plans ADD COLUMN made_up text")')
        monkeypatch.setattr(migrating, "LOCK_TIMEOUT", "50ms")
        monkeypatch.setattr(migrating, "PATIENCE_SECONDS", 0)
        with psycopg.connect(url) as report:
            report.execute("SELECT count(*) FROM plans")
            with pytest.raises(StartupError, match=r"did not get its tables .* pg_stat_activity"):
                newer.migrate(url)
        require_current_schema(url)
