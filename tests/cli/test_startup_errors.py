"""What keeps Tallymark from starting is one clear line on stderr and the exit code 1."""

import socket
import subprocess
import sys

import pytest
from sqlalchemy import create_engine, text

from tallymark.db.embedded import embedded_postgres_server
from tallymark.db.engine import driver_url
from tallymark.db.migrate import migrate


def one_line(done) -> str:
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("tallymark: ")
    return lines[0]


def test_a_busy_port_is_told_before_the_database_is_touched(run, folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("up", "--port", port, "--data-dir", folder / "data")
    assert f"127.0.0.1:{port}: address already in use" in one_line(done)
    assert not (folder / "data").exists()


def test_what_starts_is_told_before_the_application_is_read():
    """Reading it takes seconds, in which nobody learns that the port is taken."""
    asked = "import sys, tallymark.server; print([one for one in sys.modules if one in ('tallymark.app', 'tallymark.worker')])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_host_of_another_machine(run, folder, port):
    done = run("up", "--host", "192.0.2.1", "--port", port, "--data-dir", folder / "data")
    assert f"cannot listen on 192.0.2.1:{port}" in one_line(done)


def test_a_data_directory_that_cannot_be_written(run, folder, port):
    (folder / "file").write_text("not a folder")
    done = run("up", "--port", port, "--data-dir", folder / "file" / "data")
    assert "cannot write to the data directory" in one_line(done)


def test_a_second_instance_on_the_same_data(run, start, port):
    server = start()
    done = run("up", "--port", port, "--data-dir", server.data_dir)
    assert f"another Tallymark is running on the data directory {server.data_dir}" in one_line(done)


@pytest.mark.parametrize(
    "arguments",
    [("up", "--port", 18789), ("api", "--port", 18790), ("worker",), ("migrate",), ("orgs", "list")],
)
def test_a_database_that_cannot_be_reached(run, arguments):
    done = run(*arguments, "--database-url", "postgres://me:secret@127.0.0.1:1/x")
    line = one_line(done)
    assert "cannot reach the database" in line
    assert "secret" not in line


@pytest.mark.parametrize("url", ["nonsense", "mysql://127.0.0.1/x"])
def test_a_database_url_of_something_else(run, url, port):
    assert "database URL" in one_line(run("up", "--port", port, "--database-url", url))


def test_a_database_of_a_newer_release(run, folder, port):
    with embedded_postgres_server(folder / "data") as url:
        migrate(url)
        engine = create_engine(driver_url(url))
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
            connection.execute(text("UPDATE schema_floor SET revision = '9999'"))
        engine.dispose()
        for command in ("up", "api"):
            line = one_line(run(command, "--port", port, "--database-url", url))
            assert "newer schema (9999)" in line
        assert "newer schema (9999)" in one_line(run("worker", "--database-url", url))


@pytest.mark.parametrize("command", ["api", "worker"])
def test_a_database_without_a_schema_sends_the_operator_to_migrate(run, folder, command, port):
    with embedded_postgres_server(folder / "data") as url:
        assert "run `tallymark migrate`" in one_line(
            run(command, "--database-url", url, TALLYMARK_PORT=str(port))
        )


@pytest.mark.parametrize("command", ["api", "worker"])
def test_parts_of_their_own_need_a_database_url(run, command):
    assert "--database-url" in one_line(run(command))


def test_a_setting_that_is_wrong(run):
    assert "TALLYMARK_PORT" in one_line(run("up", TALLYMARK_PORT="many"))
