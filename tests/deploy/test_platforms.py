"""porter.yaml and Qovery's Terraform: held against schemas written from the platforms' references, and what Tallymark understands."""

import json
import re
import shlex
from pathlib import Path

import hcl2
import jsonschema
import pytest
from hcl2.utils import SerializationOptions
from tests.deploy.conftest import PROBED, ROOT, check_command, read_yaml, unknown_variables

from tallymark.server import DRAIN_SECONDS
from tallymark.worker import LONGEST_STOP_SECONDS

QOVERY = ROOT / "deploy" / "qovery"
SCHEMAS = Path(__file__).parent / "schemas"


def schema(name):
    return json.loads((SCHEMAS / f"{name}.json").read_text())


def understood(line):
    words = shlex.split(line)
    assert words[0] == "tallymark"
    check_command(words[1:])


@pytest.fixture(scope="module")
def app():
    """What Porter reads."""
    return read_yaml(ROOT / "porter.yaml")


@pytest.fixture(scope="module")
def parsed():
    """The blocks of Qovery's Terraform, by kind."""
    options = SerializationOptions(with_comments=False, explicit_blocks=False, strip_string_quotes=True)
    found: dict[str, list] = {}
    for path in sorted(QOVERY.glob("*.tf")):
        for kind, blocks in hcl2.loads(path.read_text(), serialization_options=options).items():
            found.setdefault(kind, []).extend(blocks)
    return found


@pytest.fixture(scope="module")
def resources(parsed):
    """Its resources, by kind and name."""
    found: dict[str, dict] = {}
    for block in parsed["resource"]:
        for kind, named in block.items():
            found.setdefault(kind, {}).update(named)
    return found


class TestPorter:
    def test_is_as_its_reference_says(self, app):
        jsonschema.validate(app, schema("porter"))

    @pytest.mark.parametrize("change", [
        {"image": {"repository": "tallymark"}},
        {"version": "v1"},
        {"services": [{"name": "api", "type": "web", "run": "tallymark api", "cpuCores": 1, "ramMegabytes": 512}]},
        {"predeploy": {"command": "tallymark migrate"}},
    ])  # fmt: skip
    def test_would_be_refused_otherwise(self, app, change):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**app, **change}, schema("porter"))

    def test_builds_our_image(self, app):
        assert (ROOT / app["build"]["dockerfile"]).resolve() == ROOT / "deploy" / "container" / "Dockerfile"

    def test_migrates_before_services_are_replaced(self, app):
        understood(app["predeploy"]["run"])
        assert app["predeploy"]["run"].startswith("tallymark migrate ")
        assert app["autoRollback"] == {"enabled": False}, "the old release refuses the new schema"

    def test_runs_and_watches_api_and_worker(self, app):
        api, worker = app["services"]
        understood(api["run"])
        understood(worker["run"])
        assert {
            api[check]["httpPath"] for check in ("startupCheck", "readinessCheck", "livenessCheck")
        } <= PROBED
        understood(worker["livenessCheck"]["command"])
        drain = int(app["env"]["TALLYMARK_DRAIN_SECONDS"])
        assert api["terminationGracePeriodSeconds"] >= drain + DRAIN_SECONDS + 10
        assert worker["terminationGracePeriodSeconds"] >= LONGEST_STOP_SECONDS + 10
        assert unknown_variables(app["env"]) == []


class TestQovery:
    def test_is_as_the_providers_reference_says(self, resources):
        jsonschema.validate(resources, schema("qovery"))

    def test_would_be_refused_otherwise(self, resources):
        wrong = {"qovery_container": {"api": {**resources["qovery_container"]["api"], "image": "tallymark"}}}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema("qovery"))

    def test_refers_to_what_there_is(self, parsed, resources):
        text = (QOVERY / "main.tf").read_text()
        declared = {name for block in parsed["variable"] for name in block}
        assert set(re.findall(r"\bvar\.(\w+)", text)) == declared
        for kind, name in re.findall(r"\b(qovery_\w+)\.(\w+)\.id\b", text):
            assert name in resources[kind]
        secret = {
            name
            for block in parsed["variable"]
            for name, it in block.items()
            if it.get("sensitive") in (True, "true")
        }
        assert secret == {"qovery_access_token", "database_url"}

    def test_migrates_in_a_stage_before_the_services(self, resources):
        job = resources["qovery_job"]["migrate"]
        check_command(job["schedule"]["on_start"]["arguments"])
        assert "deployment_stage.migration.id" in job["deployment_stage_id"]
        assert "deployment_stage.migration.id" in resources["qovery_deployment_stage"]["services"]["is_after"]
        for container in resources["qovery_container"].values():
            assert "deployment_stage.services.id" in container["deployment_stage_id"]

    def test_runs_and_watches_api_and_worker(self, resources):
        api, worker = resources["qovery_container"]["api"], resources["qovery_container"]["worker"]
        check_command(api["arguments"])
        check_command(worker["arguments"])
        assert {probe["type"]["http"]["path"] for probe in api["healthchecks"].values()} <= PROBED
        command = worker["healthchecks"]["liveness_probe"]["type"]["exec"]["command"]
        assert command[0] == "tallymark"
        check_command(command[1:])

    def test_sets_what_tallymark_reads(self, parsed):
        (locals_,) = parsed["locals"]
        assert unknown_variables(it["key"] for it in locals_["settings"]) == []
        assert [it["key"] for it in locals_["secrets"]] == ["DATABASE_URL"]
