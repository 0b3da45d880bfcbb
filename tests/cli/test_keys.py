"""Several API keys of an organization, from the shell: made, listed, ended."""

import re

import httpx
import pytest

# Many processes, each of which reads the whole application first.
pytestmark = pytest.mark.timeout(300)


def value_of(output: str) -> str:
    found = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}(?=  \(shown)", output)
    assert found, output
    return found[0]


def rows(listed: str) -> dict[str, str]:
    """Ids by name."""
    return {line.split()[1]: line.split()[0] for line in listed.splitlines()[1:]}


def status(server, key: str) -> int:
    answer = httpx.get(f"{server.url}/api/v1/organizations", headers={"Authorization": f"Bearer {key}"})
    return answer.status_code


def test_keys_are_made_listed_and_ended(start, run):
    server = start()
    where = ("--organization", "my-organization", "--data-dir", server.data_dir)
    first = value_of(server.output)
    made = run("keys", "create", "--name", "second", *where)
    second = value_of(made.stdout)
    past = run("keys", "create", "--name", "past", "--expires-at", "2020-01-01", *where)
    assert [status(server, key) for key in (first, second, value_of(past.stdout))] == [200, 200, 401]

    listed = run("keys", "list", *where).stdout
    assert second not in listed
    assert set(rows(listed)) == {"default", "second"}, "keys that have ended are not shown"

    unseen = value_of(run("keys", "create", "--name", "unseen", *where).stdout)
    ids = rows(run("keys", "list", *where).stdout)
    assert run("keys", "delete", ids["unseen"], *where).returncode == 0
    assert status(server, unseen) == 401
    assert run("keys", "delete", ids["second"], *where).returncode == 0
    last = run("keys", "delete", ids["default"], *where)
    assert (last.returncode, "last_non_expiring_api_key" in last.stderr) == (1, True)


def test_permissions_and_rotation(start, run):
    server = start()
    where = ("--organization", "my-organization", "--data-dir", server.data_dir)
    made = run(
        "keys", "create", "--name", "reader", "--allow", "organization:read", "--allow", "event", *where
    )
    assert status(server, value_of(made.stdout)) == 200
    reader = rows(run("keys", "list", *where).stdout)["reader"]
    new = value_of(run("keys", "rotate", reader, "--name", "newer", *where).stdout)
    listed = run("keys", "list", *where).stdout
    assert set(rows(listed)) == {"default", "newer"}
    assert "event:read,write organization:read" in listed
    told = run("keys", "permit", rows(listed)["newer"], "--allow", "customer:write", *where)
    assert told.stdout == "It may: customer:write\n"
    assert status(server, new) == 403
    refused = run("keys", "permit", rows(listed)["newer"], "--allow", "coffee", *where)
    assert (refused.returncode, refused.stderr) == (1, "tallymark: contains forbidden keys: coffee\n")
    neither = run("keys", "permit", rows(listed)["newer"], *where)
    assert (neither.returncode, "--everything" in neither.stderr) == (1, True)
    told = run("keys", "permit", rows(listed)["newer"], "--everything", *where)
    assert told.stdout == "It may: everything\n"


def test_an_unknown_organization_is_told_in_one_line(run, folder):
    done = run("keys", "list", "--organization", "nobody", "--data-dir", folder / "data")
    assert (done.returncode, done.stderr) == (1, "tallymark: organization not found\n")
