"""The drill: a database is lost, and put back to its last moment, and to an earlier one."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from tests.cli.conftest import short_folder
from tests.deploy.conftest import ROOT

from tallymark.db.embedded import SYSTEM_USER, binaries

KEEP, RESTORE = (ROOT / "deploy" / "backup" / name for name in ("keep", "restore"))


class Machine:
    """A folder with a server's data and sockets and the backups of it, all of which belong to who runs the server."""

    def __init__(self, folder):
        self.folder = folder
        self.data, self.backups, self.sockets = folder / "data", folder / "backups", folder / "run"
        self.scripts = folder / "scripts"
        self.scripts.mkdir()
        for script in (KEEP, RESTORE):
            shutil.copy(script, self.scripts)  # the checkout may be where nobody else may look
        for made in (self.backups, self.sockets):
            made.mkdir()
        self.user = SYSTEM_USER if os.geteuid() == 0 else None
        for path in (folder, *folder.rglob("*")):
            if self.user:
                shutil.chown(path, self.user)
        self.env = {
            "PATH": f"{binaries()}:{os.environ['PATH']}",
            "PGHOST": str(self.sockets),
            "PGUSER": "tallymark",
            "BACKUPS": str(self.backups),
            "PAUSE_SECONDS": "0.2",
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *command, check=True):
        return subprocess.run(
            list(map(str, command)),
            env=self.env,
            user=self.user,
            cwd="/",
            capture_output=True,
            text=True,
            check=check,
        )

    @contextmanager
    def doing(self, *command):
        log = (self.folder / "log").open("a")
        process = subprocess.Popen(
            list(map(str, command)),
            env=self.env,
            user=self.user,
            cwd="/",
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            log.close()

    def serving(self):
        options = {"listen_addresses": "", "unix_socket_directories": self.sockets, "fsync": "off"}
        return self.doing(
            "postgres",
            "-D",
            self.data,
            *(part for it in options.items() for part in ("-c", "{}={}".format(*it))),
        )

    def keeping(self):
        return self.doing("bash", self.scripts / "keep")

    def restore(self, *arguments, check=True):
        return self.run(
            "bash",
            self.scripts / "restore",
            "--from",
            self.backups,
            "--into",
            self.data,
            *arguments,
            check=check,
        )

    def restore_as_root(self, *arguments):
        """As in a container, whose folders above the data are root's; whoever is not root is the server's own user."""
        owner, self.user = self.user, None
        self.restore(*arguments, *(("--owner", owner) if owner else ()))
        self.user = owner

    def sql(self, statement):
        with psycopg.connect(
            host=str(self.sockets), user="tallymark", dbname="postgres", autocommit=True
        ) as connection:
            found = connection.execute(statement)
            return found.fetchall() if found.description else None

    def bases(self):
        return sorted(self.backups.glob("series-*/base/2*Z"))

    def everything_is_kept(self):
        """Whether all that is written by now is with the backup, too."""
        return self.sql(
            "SELECT coalesce(bool_and(flush_lsn >= pg_current_wal_flush_lsn()), false) FROM pg_stat_replication"
        )[0][0]


def until(found, *, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if found():
                return
        except psycopg.OperationalError:
            pass
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


@pytest.fixture
def machine(server_url):
    """One with an empty database; the user that its server runs as is there, since another server runs already."""
    with short_folder() as folder:
        made = Machine(folder)
        made.run(
            "initdb",
            "-D",
            made.data,
            "-U",
            "tallymark",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        yield made


def events(machine):
    return [name for (name,) in machine.sql("SELECT name FROM events ORDER BY name")]


def test_a_lost_database_is_put_back_to_any_moment(machine):
    with machine.serving() as server, machine.keeping():
        until(lambda: machine.sql("CREATE TABLE IF NOT EXISTS events (name text)") is None)
        machine.sql("INSERT INTO events VALUES ('before the base backup')")
        until(machine.bases)
        machine.sql("INSERT INTO events VALUES ('after it')")
        time.sleep(0.05)
        between = datetime.now(UTC)
        time.sleep(0.05)
        machine.sql("INSERT INTO events VALUES ('the last of all')")
        until(machine.everything_is_kept)
        server.kill()
        server.wait()
    shutil.rmtree(machine.data)

    refused = machine.restore("--until", "2001-01-01 00:00:00+00", check=False)
    assert "no base backup in" in refused.stderr, "it is told, and no other is taken in its place"
    assert not machine.data.exists()
    machine.restore()
    hidden = machine.backups.rename(machine.folder / "elsewhere")
    with machine.serving() as server:
        assert server.wait(30) != 0, "without the log it may not take the base backup for all there is"
    hidden.rename(machine.backups)
    with machine.serving() as server, machine.keeping():
        until(lambda: machine.sql("SELECT NOT pg_is_in_recovery()")[0][0])
        assert events(machine) == ["after it", "before the base backup", "the last of all"]
        # What comes after is another history, and is kept as one.
        until(lambda: len({base.parts[-3] for base in machine.bases()}) == 2)
        machine.sql("INSERT INTO events VALUES ('in the second life')")
        until(machine.everything_is_kept)
        server.terminate()
        server.wait()

    refused = machine.restore("--until", between.isoformat(), check=False)
    assert refused.returncode == 1
    assert "is not empty; --move-old keeps what is there beside it" in refused.stderr
    told = machine.restore("--until", between.isoformat(), "--move-old")
    assert "What was there is kept at" in told.stdout
    with machine.serving() as server:
        until(lambda: machine.sql("SELECT NOT pg_is_in_recovery()")[0][0])
        assert events(machine) == ["after it", "before the base backup"]
        server.terminate()
        server.wait()

    machine.restore_as_root("--move-old")
    with machine.serving() as server:
        until(lambda: machine.sql("SELECT NOT pg_is_in_recovery()")[0][0])
        assert events(machine)[-2:] == ["in the second life", "the last of all"], "the newest series counts"
        server.terminate()
        server.wait()


def test_what_no_moment_of_the_kept_days_needs_is_forgotten(machine):
    """Of base backups that are older than the kept days, the newest stays: moments after it begin there."""
    machine.env |= {"KEPT_DAYS": "0", "BASE_HOURS": "0"}
    with machine.serving(), machine.keeping() as keeper:
        until(machine.bases)
        base = machine.bases()[0]
        log = base.parents[1] / "wal"
        segment = min(log.iterdir())
        machine.sql("SELECT pg_switch_wal()")
        until(lambda: not base.exists() and not segment.exists())
        assert 1 <= len(machine.bases()) <= 2
        keeper.terminate()
        assert keeper.wait(20) == 0


def test_what_cannot_receive_is_not_healthy(machine):
    told = machine.folder / "log"
    with machine.serving():
        with machine.keeping() as keeper:
            until(lambda: machine.bases() and (machine.backups / "healthy").exists())
            keeper.terminate()
            keeper.wait()
        log = machine.bases()[0].parents[1] / "wal"
        shutil.rmtree(log)
        log.write_text("no folder")
        (machine.backups / "healthy").unlink()
        with machine.keeping():
            until(lambda: told.read_text().count("could not open directory") > 1)
            assert not (machine.backups / "healthy").exists()
