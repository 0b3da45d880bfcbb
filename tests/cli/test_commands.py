"""The commands that do one thing and end."""

import json
import subprocess
import tomllib
from pathlib import Path

import httpx
import pytest

from tallymark.api.tenant_limits import Limit
from tallymark.cli.limits import read_limit
from tallymark.db.embedded import embedded_postgres_server
from tallymark.db.errors import StartupError

ROOT = Path(__file__).parents[2]
HOOLI = ("orgs", "create", "--name", "Hooli Inc", "--email", "ops@hooli.test", "--json")


def made(done: subprocess.CompletedProcess[str]) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class TestOrganizations:
    def test_are_made_beside_a_running_server(self, run, start):
        server = start()
        answer = made(run(*HOOLI, "--test-clock", "2023-06-29T00:00:00Z", "--data-dir", server.data_dir))
        assert answer["organization"]["name"] == "Hooli Inc"
        assert answer["organization"]["test_clock"] == {"frozen_time": "2023-06-29T00:00:00Z"}
        headers = {"Authorization": f"Bearer {answer['api_key']}"}
        clock = httpx.get(f"{server.url}/api/v1/test_clock", headers=headers)
        assert clock.json()["test_clock"]["frozen_time"] == "2023-06-29T00:00:00Z"
        body = {"billing_entity": {"code": "second", "name": "Second"}}
        assert httpx.post(f"{server.url}/api/v1/billing_entities", headers=headers, json=body).is_success
        where = ("--organization", "hooli-inc", "--data-dir", server.data_dir)
        archived = run("orgs", "archive-entity", "second", *where)
        assert archived.stdout == "Second (second) is archived.\n", archived.stderr
        listed = run("orgs", "list", "--data-dir", server.data_dir).stdout
        assert "My organization" in listed
        assert "Hooli Inc" in listed

    def test_are_made_without_a_server_and_are_there_when_it_starts(self, run, start, folder):
        answer = made(run(*HOOLI, "--data-dir", folder / "data"))
        assert answer["organization"]["test_clock"] is None
        server = start()
        headers = {"Authorization": f"Bearer {answer['api_key']}"}
        seen = httpx.get(f"{server.url}/api/v1/organizations", headers=headers)
        assert seen.json()["organization"]["lago_id"] == answer["organization"]["lago_id"]
        # The new user has an organization already, so none is made at the first start.
        assert "API key" not in server.output

    def test_answer_like_the_admin_api(self, run, start):
        server = start(TALLYMARK_ADMIN_API_KEY="adm")
        by_command = made(run(*HOOLI, "--data-dir", server.data_dir))
        by_api = httpx.post(
            f"{server.url}/admin/organizations",
            headers={"X-Admin-API-Key": "adm"},
            json={"name": "Hooli Inc", "email": "ops@hooli.test"},
        ).json()
        assert by_command.keys() == by_api.keys()
        different = {"lago_id", "slug", "created_at", "document_number_prefix"}
        assert {k: v for k, v in by_command["organization"].items() if k not in different} == {
            k: v for k, v in by_api["organization"].items() if k not in different
        }

    def test_may_have_limits_of_their_own(self, run, folder):
        data = ("--data-dir", folder / "data")
        made(run(*HOOLI, *data))
        asked = ("limits", "--organization", "hooli-inc", *data)
        variables = {"TALLYMARK_LIMIT_API_KEYS": "3", "TALLYMARK_LIMIT_MEMBERS": "9"}
        told = run(*asked, "--set", "members=5", "--set", "events_per_month=0", **variables).stdout
        rows = [" ".join(line.split()) for line in told.splitlines()[1:]]
        assert rows == [
            "events_per_minute any number settings",
            "events_per_month any number its own",
            "members 5 its own",
            "api_keys 3 settings",
            "exports_under_way any number settings",
        ]

    def test_with_a_wrong_clock_are_refused(self, run, folder):
        done = run(*HOOLI, "--test-clock", "yesterday", "--data-dir", folder / "data")
        assert done.returncode == 1
        assert done.stderr == "tallymark: frozen_time: invalid_date\n"
        assert not (folder / "data").exists()


class TestLimits:
    def test_are_read_as_they_are_written(self):
        known = {limit.value: limit for limit in Limit}
        assert read_limit("members=5", known) == (Limit.MEMBERS, 5)
        assert read_limit("members=default", known) == (Limit.MEMBERS, None)

    @pytest.mark.parametrize(
        ("written", "why"),
        [
            ("seats=1", "seats is no limit"),
            ("members", "a whole number"),
            ("members=-1", "a whole number"),
            ("members=\u0661", "a whole number"),
        ],
    )
    def test_that_are_none_are_refused(self, written, why):
        with pytest.raises(StartupError, match=why):
            read_limit(written, {limit.value: limit for limit in Limit})


def test_migrate_can_be_run_twice_and_api_starts_after_it(run, folder):
    with embedded_postgres_server(folder / "data") as url:
        first, second = run("migrate", "--database-url", url), run("migrate", "--database-url", url)
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout
    assert first.stdout.startswith("The database is at schema 0")


def test_openapi_needs_no_database_and_is_all_there_is_on_stdout(run):
    done = run("openapi", DATABASE_URL="postgres://127.0.0.1:1/none")
    document = json.loads(done.stdout)
    assert document["openapi"].startswith("3.1")
    assert "/api/v1/organizations" in document["paths"]
    assert done.returncode == 0


class TestSettings:
    def test_name_every_variable(self, run):
        told = run("settings").stdout
        for variable in ("TALLYMARK_HOST", "DATABASE_URL", "LAGO_API_URL", "TALLYMARK_ADMIN_API_KEY"):
            assert variable in told

    def test_page_is_what_the_command_prints(self, run):
        page = (ROOT / "docs" / "settings.md").read_text()
        assert run("settings", "--markdown").stdout == page, (
            "make it anew: .venv/bin/tallymark settings --markdown > docs/settings.md"
        )


def test_version_and_help(run):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert run("version").stdout.strip() == project["version"]
    assert "up" in run("--help").stdout
