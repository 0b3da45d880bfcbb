"""People who sign in, from the shell: made, listed, given another password."""

import re
import subprocess

import httpx
import pytest
from tests.cli.conftest import COMMAND, environment

# Many processes, each of which reads the whole application first.
pytestmark = pytest.mark.timeout(300)

HERE = ("--organization", "my-organization")


def password_of(output: str) -> str:
    (found,) = re.findall(r"Password: (\S{20})  \(shown this once\)", output)
    return found


def sign_in(server, email: str, password: str) -> int:
    body = {"email": email, "password": password}
    return httpx.post(f"{server.url}/app/v1/session", json=body).status_code


def with_input(text: str, *arguments: object) -> str:
    done = subprocess.run(
        [str(COMMAND), *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        check=True,
    )
    return done.stdout


def test_users_are_made_listed_and_given_another_password(start, run):
    server = start()
    where = ("--data-dir", server.data_dir)
    made = run("users", "create", "--email", "Ilse@Acme.test", *HERE, *where)
    first = password_of(made.stdout)
    assert sign_in(server, "ilse@acme.test", first) == 200
    told = with_input(
        "by hand\n",
        "users",
        "create",
        "--email",
        "bo@acme.test",
        "--role",
        "finance",
        "--password",
        *HERE,
        *where,
    )
    assert "Password" not in told
    assert sign_in(server, "bo@acme.test", "by hand") == 200

    listed = run("users", "list", *where).stdout.splitlines()[1:]
    assert [(line.split()[1], line.split()[-1]) for line in listed] == [
        ("bo@acme.test", "my-organization:finance"),
        ("ilse@acme.test", "my-organization:admin"),
    ]

    second = password_of(run("users", "reset-password", "--email", "ilse@acme.test", *where).stdout)
    assert (sign_in(server, "ilse@acme.test", first), sign_in(server, "ilse@acme.test", second)) == (422, 200)
    assert (
        with_input("n\n", "users", "reset-password", "--email", "bo@acme.test", "--password", *where)
        == "Done.\n"
    )
    assert sign_in(server, "bo@acme.test", "n") == 200


def test_what_can_not_be_is_told_in_one_line(start, run):
    where = ("--data-dir", start().data_dir)
    run("users", "create", "--email", "a@acme.test", *HERE, *where)
    for arguments, told in (
        (("create", "--email", "a@acme.test", *HERE), "a@acme.test belongs to my-organization already"),
        (("create", "--email", "a", *HERE), "email: invalid_email_format"),
        (("create", "--email", "b@acme.test", "--organization", "x"), "organization not found"),
        (
            ("create", "--email", "b@acme.test", "--role", "boss", *HERE),
            "there is no role boss: admin, finance, manager",
        ),
        (("reset-password", "--email", "b@acme.test"), "user not found"),
    ):
        done = run("users", *arguments, *where)
        assert (done.returncode, done.stderr) == (1, f"tallymark: {told}\n")
