"""What GitHub reads of the repository: held against actionlint and GitHub's schemas, and against what the repository has."""

import json
import re
import subprocess
from importlib.resources import files

import pytest
import yaml
from jsonschema import validators
from tests.deploy.conftest import ROOT, read_yaml, tool

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")

MADE = {"docs/site/build/site", "build/screenshots"}
"""What `make` leaves, and workflows take from there."""

TRUSTED = ("actions/", "github/", "docker/", "pypa/")
"""Whose actions run here: with what they may write, they could release anything."""

MANIFESTS = {
    "uv": "uv.lock",
    "npm": "package-lock.json",
    "docker": "Dockerfile",
    "docker-compose": "*.yaml",
    "github-actions": ".github/workflows/*.yml",
    "pip": "*.txt",
    "gomod": "go.mod",
    "terraform": "*.tf",
}


def schema(name):
    """GitHub's own schemas, as the package check-jsonschema packs them."""
    return json.loads((files("check_jsonschema.builtin_schemas.vendor") / f"{name}.json").read_text())


def hold(path, name):
    wanted = schema(name)
    validators.validator_for(wanted)(wanted).validate(read_yaml(path))


def triggers(workflow):
    """What starts it; YAML 1.1 reads the key `on` as true."""
    return workflow.get("on", workflow.get(True))


def steps(workflow):
    return [step for job in workflow["jobs"].values() for step in job.get("steps", [])]


def text_of(path):
    return "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def workflow(path):
    return read_yaml(path)


@pytest.fixture(scope="module")
def jobs():
    """Those of a release."""
    return read_yaml(GITHUB / "workflows" / "release.yml")["jobs"]


class TestWorkflows:
    def test_are_clean_to_actionlint(self):
        # Without shellcheck and pyflakes, which it would ask only where they happen to be.
        command = [tool("actionlint"), "-no-color", "-shellcheck=", "-pyflakes=", *map(str, WORKFLOWS)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")

    def test_are_all_there(self):
        assert [path.stem for path in WORKFLOWS] == ["changelog", "ci", "codeql", "release", "site"]

    def test_run_what_there_is(self, path, workflow):
        targets = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
        commands = "\n".join(step.get("run", "") for step in steps(workflow))
        assert set(re.findall(r"\bmake ([a-z-]+)", commands)) <= targets
        named = set(
            re.findall(
                r"(?<![\w./*-])(?:\./)?((?:\.ci|\.github|deploy|docs|web|src|build)/[\w./-]*[\w-])",
                text_of(path),
            )
        )
        assert [it for it in named - MADE if not (ROOT / it.removesuffix("/**")).exists()] == []

    def test_may_read_and_no_more_unless_a_job_says_so(self, workflow):
        assert workflow["permissions"] == {"contents": "read"}

    def test_of_pull_requests_can_neither_write_nor_see_a_secret(self, path, workflow):
        started = triggers(workflow)
        assert not {"pull_request_target", "workflow_run", "issue_comment"} & set(started)
        if "pull_request" not in started:
            return
        assert "secrets." not in text_of(path)
        written = {
            right
            for job in workflow["jobs"].values()
            for right, level in job.get("permissions", {}).items()
            if level == "write"
        }
        # Findings; GitHub takes even that from those of forks.
        assert written <= {"security-events"}

    def test_have_no_secret_of_ours(self, path):
        assert "secrets." not in text_of(path), "PyPI, ghcr.io and Pages trust the workflow itself"

    def test_put_nothing_that_strangers_write_into_a_script(self, workflow):
        for step in steps(workflow):
            assert "${{" not in step.get("run", ""), (
                "by `env`: an expression is pasted into the script as it is"
            )

    def test_end_and_leave_no_token_behind(self, workflow):
        for name, job in workflow["jobs"].items():
            assert "uses" in job or job["timeout-minutes"] <= 90, name
        for step in steps(workflow):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False

    def test_use_actions_of_few_at_a_major_version(self, workflow):
        """Or at a commit, which is how Dependabot keeps them where it is told to."""
        for job in workflow["jobs"].values():
            if "uses" in job:
                assert (ROOT / job["uses"]).exists()
        for used in (step["uses"] for step in steps(workflow) if "uses" in step):
            assert used.startswith(TRUSTED), used
            assert re.fullmatch(r"[\w./-]+@(v\d+|release/v\d+|[0-9a-f]{40})", used), used

    def test_use_each_action_in_one_version(self):
        used = {step["uses"] for path in WORKFLOWS for step in steps(read_yaml(path)) if "uses" in step}
        assert len({it.split("@")[0] for it in used}) == len(used), sorted(used)


class TestTheRelease:
    def test_is_made_of_tags_alone(self):
        assert triggers(read_yaml(GITHUB / "workflows" / "release.yml")) == {
            "push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}
        }

    def test_publishes_nothing_that_failed(self, jobs):
        def before(name):
            needs = jobs[name].get("needs", [])
            needs = [needs] if isinstance(needs, str) else needs
            return set(needs).union(*map(before, needs))

        for name in ("package", "pypi", "image-of-one-architecture", "image", "chart", "release"):
            assert {"agrees", "ci"} <= before(name)
        assert {"pypi", "image", "chart"} <= before("release")

    def test_signs_whatever_it_publishes(self, jobs):
        for name in ("package", "image", "chart"):
            assert (
                jobs[name]["permissions"]["id-token"] == jobs[name]["permissions"]["attestations"] == "write"
            )
            assert any("attest-build-provenance" in step.get("uses", "") for step in jobs[name]["steps"])
        (build,) = [step for step in jobs["image-of-one-architecture"]["steps"] if step.get("id") == "build"]
        assert build["with"]["provenance"] == "mode=max"
        assert build["with"]["sbom"] is True
        platforms = {
            it["architecture"] for it in jobs["image-of-one-architecture"]["strategy"]["matrix"]["include"]
        }
        assert platforms == {"amd64", "arm64"}

    def test_takes_nothing_from_a_cache(self, jobs):
        used = [step.get("uses", "") for job in jobs.values() for step in job.get("steps", [])]
        assert not [it for it in used if it.startswith("actions/cache")]


class TestCi:
    def test_runs_each_python_that_there_is(self):
        matrix = read_yaml(GITHUB / "workflows" / "ci.yml")["jobs"]["run"]["strategy"]["matrix"]
        project = (ROOT / "pyproject.toml").read_text()
        oldest = re.search(r'requires-python = ">=(.+)"', project)
        assert oldest is not None
        assert matrix["python"][0] == oldest[1]
        assert re.findall(r"Python :: (3\.\d+)\"", project) == matrix["python"]

    def test_runs_what_everybody_runs(self):
        assert ".ci/run" in [step.get("run") for step in steps(read_yaml(GITHUB / "workflows" / "ci.yml"))]


class TestDependabot:
    def test_is_as_github_reads_it(self):
        hold(GITHUB / "dependabot.yml", "dependabot")

    def test_looks_where_something_is(self):
        for update in read_yaml(GITHUB / "dependabot.yml")["updates"]:
            for folder in update.get("directories") or [update["directory"]]:
                pattern = MANIFESTS[update["package-ecosystem"]]
                assert list((ROOT / folder.lstrip("/")).glob(pattern)), (update["package-ecosystem"], folder)

    def test_looks_wherever_there_is_a_lock(self):
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
        if tracked.returncode != 0:
            pytest.skip("this is no checkout")
        locks = {"uv.lock", "package-lock.json", "go.mod"}
        watched = {
            f"{folder.lstrip('/')}/{MANIFESTS[update['package-ecosystem']]}".lstrip("/")
            for update in read_yaml(GITHUB / "dependabot.yml")["updates"]
            for folder in (update.get("directories") or [update["directory"]])
        }
        assert {it for it in tracked.stdout.splitlines() if it.rsplit("/", 1)[-1] in locks} <= watched


class TestIssues:
    @pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
    def test_have_forms_that_github_reads(self, form):
        hold(form, "github-issue-forms")
        body = read_yaml(form)["body"]
        ids = [it["id"] for it in body if it["type"] != "markdown"]
        assert len(set(ids)) == len(ids)
        for part in body:
            options = part["attributes"].get("options", [])
            assert all(isinstance(it, (str, dict)) for it in options), "YAML 1.1 reads a bare Yes as true"

    def test_of_wrong_amounts_ask_for_what_shows_them_again(self):
        form = read_yaml(GITHUB / "ISSUE_TEMPLATE" / "wrong_amount.yml")
        required = {it["id"] for it in form["body"] if it.get("validations", {}).get("required")}
        assert {"version", "expected", "actual", "arithmetic", "setup", "times"} <= required

    def test_of_vulnerabilities_go_elsewhere(self):
        config = GITHUB / "ISSUE_TEMPLATE" / "config.yml"
        hold(config, "github-issue-config")
        assert read_yaml(config)["blank_issues_enabled"] is False
        assert any(
            it["url"].endswith("/security/advisories/new") for it in read_yaml(config)["contact_links"]
        )


class TestReviews:
    def test_owners_own_what_there_is(self):
        lines = [
            line.split()
            for line in (GITHUB / "CODEOWNERS").read_text().splitlines()
            if line and line[0] != "#"
        ]
        assert lines[0][0] == "*", "everything has an owner"
        for pattern, *owners in lines:
            assert owners
            assert all(re.fullmatch(r"@[\w-]+/[\w-]+", owner) for owner in owners)
            assert pattern == "*" or (ROOT / pattern.strip("/")).exists(), pattern

    def test_templates_name_what_there_is(self):
        texts = [(GITHUB / "PULL_REQUEST_TEMPLATE.md").read_text(), *(path.read_text() for path in FORMS)]
        for named in re.findall(r"\b((?:docs/)?[\w/]+\.md|docs/\w+)\b", "\n".join(texts)):
            assert (ROOT / named).exists(), named


def test_every_file_of_github_is_yaml_or_text():
    for found in GITHUB.rglob("*.yml"):
        assert isinstance(yaml.safe_load(found.read_text()), dict), found
