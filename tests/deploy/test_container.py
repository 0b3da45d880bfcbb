"""The image and the compose files: what they say, held against the tools that judge such files, and against what Tallymark understands."""

import json
import re
import subprocess

import jsonschema
import pytest
from deploy.container.dockerfile import Instruction, read
from deploy.container.try_in_a_root import ignored_patterns, is_ignored
from tests.deploy.conftest import ROOT, check_command, read_yaml, tool, tool_file, unknown_variables

DOCKERFILE = ROOT / "deploy" / "container" / "Dockerfile"
ONE_MACHINE = ROOT / "compose.yaml"
PRODUCTION = ROOT / "deploy" / "compose" / "production.yaml"
METABASE = ROOT / "deploy" / "compose" / "metabase.yaml"


class TestTheDockerfile:
    def test_is_clean_to_hadolint(self):
        done = subprocess.run(
            [tool("hadolint"), "--failure-threshold", "style", str(DOCKERFILE)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout + done.stderr) == (0, "")

    def test_ends_in_an_image_without_root_and_build_tools(self):
        build, final = read(DOCKERFILE)
        assert build.base == final.base == "debian:13-slim"
        assert final.last("USER") == Instruction("USER", "10001:10001"), (
            "by number: Kubernetes can see that it is not root"
        )
        installed = " ".join(one.rest for one in final.instructions if one.word == "RUN")
        assert "python3-venv" not in installed
        assert "pip" not in installed

    def test_runs_the_api_and_asks_whether_it_is_well(self):
        _, final = read(DOCKERFILE)
        assert final.last("ENTRYPOINT").as_list() == ["tallymark"]
        check_command(final.last("CMD").as_list())
        check = json.loads(final.last("HEALTHCHECK").rest.split(" CMD ")[1])
        assert check[0] == "tallymark"
        check_command(check[1:])
        assert final.last("STOPSIGNAL").rest == "SIGTERM"

    def test_sets_what_tallymark_reads(self):
        _, final = read(DOCKERFILE)
        ours = [name for name in final.env if name.startswith("TALLYMARK_")]
        assert len(ours) == 4
        assert unknown_variables(ours) == []
        assert final.last("VOLUME").as_list() == [final.env["TALLYMARK_DATA_DIR"]]

    def test_says_which_release_it_is(self):
        _, final = read(DOCKERFILE, {"VERSION": "1.2.3", "REVISION": "abc"})
        labels = final.last("LABEL").as_pairs()
        assert labels["org.opencontainers.image.version"] == "1.2.3"
        assert labels["org.opencontainers.image.revision"] == "abc"
        assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"

    def test_of_another_kind_is_not_guessed_at(self, tmp_path):
        other = tmp_path / "Dockerfile"
        other.write_text("FROM scratch\nADD x /\n")
        with pytest.raises(ValueError, match="this reads no ADD"):
            read(other)


@pytest.mark.parametrize(("name", "is_left_out"), [
    ("src/tallymark/cli/__init__.py", False),
    ("uv.lock", False),
    ("web/src/main.tsx", False),
    ("web/package-lock.json", False),
    ("src/tallymark/web/dist/index.html", True),
    ("src/tallymark/__pycache__/app.cpython-313.pyc", True),
    ("web/node_modules/react/index.js", True),
    ("deploy/compose/secrets/database_url", True),
    (".git/config", True),
    ("var/data/postgres/PG_VERSION", True),
])  # fmt: skip
def test_a_build_sees_what_it_needs(name, is_left_out):
    patterns = ignored_patterns((ROOT / ".dockerignore").read_text())
    assert is_ignored(name, patterns) is is_left_out


@pytest.mark.parametrize("path", [ONE_MACHINE, PRODUCTION, METABASE], ids=lambda path: path.name)
class TestEachComposeFile:
    def test_is_what_compose_takes(self, path):
        jsonschema.validate(read_yaml(path), tool_file("compose-spec.json"))

    def test_says_what_tallymark_understands(self, path):
        for name, service in read_yaml(path)["services"].items():
            if "tallymark" not in service["image"].lower():
                continue
            check_command(service["command"])
            assert unknown_variables(service["environment"]) == [], name
            check = service.get("healthcheck", {}).get("test")
            if check:
                assert check[:2] == ["CMD", "tallymark"]
                check_command(check[2:])

    def test_starts_again_and_runs_hardened(self, path):
        for name, service in read_yaml(path)["services"].items():
            if "profiles" in service:
                continue
            assert service["restart"] in {"unless-stopped", "on-failure:3"}, name
            if "tallymark" in service["image"].lower():
                assert service["read_only"] is True, name
                assert service["cap_drop"] == ["ALL"], name
                assert service["tmpfs"] == ["/tmp"], name

    def test_is_reached_from_this_machine_alone(self, path):
        published = [
            port for service in read_yaml(path)["services"].values() for port in service.get("ports", [])
        ]
        assert published == ["127.0.0.1:3000:3000" if path == METABASE else "127.0.0.1:8787:8787"]


class TestProduction:
    @pytest.mark.parametrize("path", [PRODUCTION, METABASE], ids=lambda path: path.name)
    def test_has_no_secret_in_the_environment(self, path):
        for name, service in read_yaml(path)["services"].items():
            for variable, value in service.get("environment", {}).items():
                is_secret = re.search("PASS|DATABASE_URL|SECRET|KEY", variable)
                assert not is_secret or value.startswith("/run/secrets/"), (name, variable)
                if is_secret:
                    assert value.removeprefix("/run/secrets/") in service["secrets"]

    @pytest.mark.parametrize("path", [PRODUCTION, METABASE], ids=lambda path: path.name)
    def test_limits_what_runs_all_the_time(self, path):
        for name, service in read_yaml(path)["services"].items():
            if name not in {"migrate", "restore"}:
                assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name

    def test_lets_the_server_read_the_backups_where_they_were_put_back_from(self):
        services = read_yaml(PRODUCTION)["services"]
        kept, seen, read = (
            [it for it in services[name]["volumes"] if it.split("}:")[-1].startswith("/backups")]
            for name in ("backup", "database", "restore")
        )
        assert kept == read
        assert seen == [f"{kept[0]}:ro"]

    def test_migrates_before_anything_is_served(self):
        services = read_yaml(PRODUCTION)["services"]
        for name in ("api", "worker"):
            assert services[name]["depends_on"] == {
                "migrate": {"condition": "service_completed_successfully"}
            }

    def test_keeps_as_many_connections_as_its_processes_open(self):
        """The pools of two api processes and of a worker, its queue's, and some to spare for helpers and people."""
        command = read_yaml(PRODUCTION)["services"]["database"]["command"]
        (most,) = [int(it.split("=")[1]) for it in command if it.startswith("--max_connections=")]
        assert most >= 2 * (10 + 4) + 1 * (10 + 4) + 50
