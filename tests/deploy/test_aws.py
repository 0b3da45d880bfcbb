"""The CDK app: the template that it writes without any account, held against cfn-lint and against what Tallymark needs."""

import fcntl
import json
import os
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
from deploy.aws import migration
from deploy.aws.parameters import Parameters, Refused
from tests.deploy.conftest import PROBED, ROOT, TOOLS, check_command, unknown_variables

from tallymark.server import DRAIN_SECONDS
from tallymark.worker import LONGEST_STOP_SECONDS

BINARIES = TOOLS / "aws" / "bin"
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"
LEAST = {
    "image": "ghcr.io/tallymark/tallymark:0.1.0",
    "publicUrl": "https://billing.example.com",
    "certificateArn": CERTIFICATE,
}
SMTP = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:smtp-AbCdEf"
CONTEXT = {
    **LEAST,
    "alarmEmail": "ops@example.com",
    "settings": {"TALLYMARK_SMTP_HOST": "smtp.example.com"},
    "secrets": {"TALLYMARK_SMTP_PASSWORD": SMTP},
}


def synthesize(context, folder):
    """Run the app as the CDK's command does: by a shell, in its folder."""
    aws = ROOT / "deploy" / "aws"
    described = json.loads((aws / "cdk.json").read_text())
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "CDK_CONTEXT_JSON": json.dumps({**described["context"], **context}),
        "CDK_OUTDIR": os.path.relpath(folder, aws),
    }
    return subprocess.run(
        described["app"], shell=True, cwd=aws, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The template's path; it is written once in a run."""
    if not (BINARIES / "cfn-lint").exists():
        pytest.skip("the CDK is not here: `make tools` gets it where it can be had")
    # Of all workers of this run: theirs are below one folder.
    among = "PYTEST_XDIST_WORKER" in os.environ
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if among else base) / "cdk"
    with (folder.with_suffix(".lock")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            done = synthesize(CONTEXT, folder)
            assert done.returncode == 0, done.stderr
            assert "WARNING" not in done.stdout + done.stderr
    return folder / "Tallymark.template.json"


@pytest.fixture(scope="module")
def template(written):
    return json.loads(written.read_text())


class Resources:
    """Those of a template, by kind."""

    def __init__(self, template):
        self.all = template["Resources"]

    def of(self, kind):
        return {name: it for name, it in self.all.items() if it["Type"] == f"AWS::{kind}"}

    def only(self, kind) -> dict[str, Any]:
        (found,) = self.of(kind).values()
        return found

    def task(self, command):
        """The task definition that runs this command, and its container."""
        (found,) = [
            it["Properties"]
            for it in self.of("ECS::TaskDefinition").values()
            if it["Properties"]["ContainerDefinitions"][0]["Command"][0] == command
        ]
        return found, found["ContainerDefinitions"][0]

    def service(self, name):
        (found,) = [it for key, it in self.of("ECS::Service").items() if key.startswith(name)]
        return found


@pytest.fixture(scope="module")
def made(template):
    return Resources(template)


class TestTheTemplate:
    def test_is_clean_to_cfn_lint(self, written):
        # W3005: the CDK says dependencies also where a reference has said them.
        done = subprocess.run(
            [BINARIES / "cfn-lint", "--ignore-checks", "W3005", "--", written],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout + done.stderr) == (0, "")

    def test_has_no_secret_in_it(self, made):
        for command in ("api", "worker", "migrate"):
            _, container = made.task(command)
            assert {it["Name"] for it in container["Secrets"]} == {
                "PGPASSWORD", "TALLYMARK_SECRET_KEY", "TALLYMARK_SMTP_PASSWORD",
            }  # fmt: skip
            assert not [
                it for it in container["Environment"] if "PASSWORD" in it["Name"] or "SECRET" in it["Name"]
            ]


class TestTheDatabase:
    def test_is_kept_encrypted_twice_and_backed_up(self, made):
        database = made.only("RDS::DBInstance")
        properties = database["Properties"]
        assert properties["StorageEncrypted"] is True
        assert properties["MultiAZ"] is True
        assert properties["BackupRetentionPeriod"] == 14
        assert properties["DeletionProtection"] is True
        assert properties["DeleteAutomatedBackups"] is False
        assert database["DeletionPolicy"] == database["UpdateReplacePolicy"] == "Snapshot"

    def test_is_reached_by_the_tasks_alone_and_by_tls(self, made):
        assert made.only("RDS::DBInstance")["Properties"]["PubliclyAccessible"] is False
        assert made.only("RDS::DBParameterGroup")["Properties"]["Parameters"]["rds.force_ssl"] == "1"
        let_in = [
            it["Properties"] for it in made.of("EC2::SecurityGroupIngress").values()
            if "Database" in json.dumps(it["Properties"]["GroupId"])
        ]  # fmt: skip
        assert len(let_in) == 3
        assert all("SourceSecurityGroupId" in it and "CidrIp" not in it for it in let_in)


class TestDocuments:
    def test_are_private_encrypted_and_versioned(self, made):
        bucket = made.only("S3::Bucket")
        assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["Properties"]["BucketEncryption"]
        assert bucket["DeletionPolicy"] == "Retain"
        (statement,) = made.only("S3::BucketPolicy")["Properties"]["PolicyDocument"]["Statement"]
        assert (statement["Effect"], statement["Condition"]) == (
            "Deny",
            {"Bool": {"aws:SecureTransport": "false"}},
        )


class TestTasks:
    @pytest.mark.parametrize("command", ["api", "worker", "migrate"])
    def test_say_what_tallymark_understands(self, made, command):
        _, container = made.task(command)
        check_command(container["Command"])
        names = [it["Name"] for it in [*container["Environment"], *container["Secrets"]]]
        assert unknown_variables(names) == []
        check = container.get("HealthCheck", {}).get("Command")
        if check:
            assert check[:2] == ["CMD", "tallymark"]
            check_command(check[2:])

    def test_have_time_to_end(self, made):
        _, api = made.task("api")
        _, worker = made.task("worker")
        (drain,) = [int(it["Value"]) for it in api["Environment"] if it["Name"] == "TALLYMARK_DRAIN_SECONDS"]
        assert api["StopTimeout"] >= drain + DRAIN_SECONDS + 10
        assert worker["StopTimeout"] >= LONGEST_STOP_SECONDS + 10

    def test_are_replaced_once_new_ones_are_well(self, made):
        for name in ("Api", "Worker"):
            properties = made.service(name)["Properties"]
            deployment = properties["DeploymentConfiguration"]
            assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)
            assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
            assert properties["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"

    def test_may_do_what_they_need_in_the_account_and_nothing_else(self, made):
        """Whatever is allowed on everything is what AWS can't narrow: what ECS Exec speaks."""
        allowed = [
            (action, statement["Resource"])
            for it in made.of("IAM::Policy").values()
            for statement in it["Properties"]["PolicyDocument"]["Statement"]
            for action in (
                [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            )
        ]
        assert not [action for action, _ in allowed if "*" in action]
        wide = {action for action, resource in allowed if resource == "*"}
        assert all(action.startswith(("ssmmessages:", "logs:")) for action in wide), wide
        managed = json.dumps(
            [it["Properties"].get("ManagedPolicyArns", []) for it in made.of("IAM::Role").values()]
        )
        assert "Administrator" not in managed
        assert "FullAccess" not in managed


class TestTheMigration:
    def test_comes_before_the_services_and_after_the_database(self, made):
        (name,) = [name for name, it in made.all.items() if it["Type"] == "Custom::TallymarkMigration"]
        for service in ("Api", "Worker"):
            assert name in made.service(service)["DependsOn"]
        (database,) = made.of("RDS::DBInstance")
        before = made.all[name]["DependsOn"]
        assert {database, "MigrateReachesDatabase"} <= set(before)

    def test_runs_anew_for_each_release(self, made):
        (custom,) = [it for it in made.all.values() if it["Type"] == "Custom::TallymarkMigration"]
        task = made.all[custom["Properties"]["TaskDefinition"]["Ref"]]
        assert task["Properties"]["ContainerDefinitions"][0]["Command"] == ["migrate", "--wait", "120"]

    def test_fits_into_a_template(self):
        assert len((ROOT / "deploy" / "aws" / "migration.py").read_text()) <= 4096


class TestTheBalancer:
    def test_speaks_tls_and_leads_there(self, made):
        listeners = {
            it["Properties"]["Port"]: it["Properties"]
            for it in made.of("ElasticLoadBalancingV2::Listener").values()
        }
        assert set(listeners) == {80, 443}
        assert listeners[443]["Certificates"] == [{"CertificateArn": CERTIFICATE}]
        assert "TLS13" in listeners[443]["SslPolicy"]
        (action,) = listeners[80]["DefaultActions"]
        assert action["RedirectConfig"]["Protocol"] == "HTTPS"

    def test_asks_what_no_database_takes_away(self, made):
        properties = made.only("ElasticLoadBalancingV2::TargetGroup")["Properties"]
        assert properties["HealthCheckPath"] == "/ready"
        assert properties["HealthCheckPath"] in PROBED


class TestAlarms:
    def test_reach_somebody(self, made):
        (topic,) = made.of("SNS::Topic")
        assert made.only("SNS::Subscription")["Properties"]["Endpoint"] == "ops@example.com"
        alarms = made.of("CloudWatch::Alarm")
        assert len(alarms) == 11
        for it in alarms.values():
            assert it["Properties"]["AlarmActions"] == it["Properties"]["OKActions"] == [{"Ref": topic}]

    def test_of_what_is_gone_fire_without_figures(self, made):
        missing = {
            name.removeprefix("Alarm")[:-8]: it["Properties"]["TreatMissingData"]
            for name, it in made.of("CloudWatch::Alarm").items()
        }
        assert missing["WorkerGone"] == missing["DatabaseFull"] == missing["ApiBusy"] == "breaching"


class TestParameters:
    def test_have_defaults_but_three(self):
        assert Parameters.of(LEAST.get).database_multi_az is True
        for name in LEAST:
            with pytest.raises(Refused, match=name):
                Parameters.of({**LEAST, name: ""}.get)

    def test_come_from_the_command_line_as_texts(self):
        given = {
            **LEAST,
            "apiTasks": "8",
            "databaseMultiAz": "false",
            "settings": '{"TALLYMARK_LOG_LEVEL": "debug"}',
        }
        read = Parameters.of(given.get)
        assert (read.api_tasks, read.api_tasks_most, read.database_multi_az) == (8, 8, False)
        assert read.settings == {"TALLYMARK_LOG_LEVEL": "debug"}

    @pytest.mark.parametrize(("name", "value"), [
        ("image", "ghcr.io/tallymark/tallymark"),
        ("publicUrl", "http://billing.example.com"),
        ("publicUrl", "https://billing.example.com/"),
        ("certificateArn", "billing.example.com"),
        ("architecture", "RISCV"),
        ("apiTasks", "0"),
        ("apiTasks", "two"),
        ("apiTasksMost", "1"),
        ("natGateways", "3"),
        ("databaseMultiAz", "yes"),
        ("databaseStorageMostGb", "54"),
        ("backupDays", "36"),
        ("settings", "{"),
        ("secrets", "[]"),
    ])  # fmt: skip
    def test_are_refused_where_they_cannot_be(self, name, value):
        with pytest.raises(Refused, match=name):
            Parameters.of({**LEAST, name: value}.get)


class Account:
    """What the migration asks of AWS."""

    def __init__(self, monkeypatch, *, status="UPDATE_IN_PROGRESS", tasks=(), failures=()):
        self.started = []
        self._answer = {"tasks": list(tasks), "failures": list(failures)}
        clients = {
            "ecs": SimpleNamespace(run_task=self._run, describe_tasks=lambda **_: self._answer),
            "cloudformation": SimpleNamespace(
                describe_stacks=lambda **_: {"Stacks": [{"StackStatus": status}]}
            ),
        }
        monkeypatch.setattr(migration, "boto3", SimpleNamespace(client=clients.__getitem__))

    def _run(self, **wanted):
        self.started.append(wanted["taskDefinition"])
        return self._answer


class TestTheHandlerOfTheMigration:
    PROPERTIES = {"Cluster": "c", "TaskDefinition": "migrate:7", "Subnets": ["s"], "SecurityGroup": "g"}
    TASK = "arn:aws:ecs:eu-central-1:123456789012:task/c/1"

    def event(self, kind="Update"):
        return {
            "RequestType": kind, "RequestId": "r", "StackId": "stack", "PhysicalResourceId": self.TASK,
            "ResourceProperties": self.PROPERTIES,
        }  # fmt: skip

    def test_starts_the_task_of_the_release(self, monkeypatch):
        account = Account(monkeypatch, tasks=[{"taskArn": self.TASK}])
        assert migration.on_event(self.event("Create"), None) == {"PhysicalResourceId": self.TASK}
        assert account.started == ["migrate:7"]

    def test_starts_none_on_the_way_back_or_at_the_end(self, monkeypatch):
        account = Account(monkeypatch, status="UPDATE_ROLLBACK_IN_PROGRESS")
        back = migration.on_event(self.event(), None)
        assert migration.is_complete({**self.event(), **back}, None) == {"IsComplete": True}
        assert migration.on_event(self.event("Delete"), None) == {"PhysicalResourceId": self.TASK}
        assert migration.is_complete(self.event("Delete"), None) == {"IsComplete": True}
        assert account.started == []

    def test_waits_and_tells_how_it_ended(self, monkeypatch):
        Account(monkeypatch, tasks=[{"lastStatus": "RUNNING", "containers": [{}]}])
        assert migration.is_complete(self.event(), None) == {"IsComplete": False}
        Account(monkeypatch, tasks=[{"lastStatus": "STOPPED", "containers": [{"exitCode": 0}]}])
        assert migration.is_complete(self.event(), None) == {"IsComplete": True}
        for container in ({"exitCode": 1}, {}):
            Account(monkeypatch, tasks=[{"lastStatus": "STOPPED", "containers": [container]}])
            with pytest.raises(RuntimeError, match="failed"):
                migration.is_complete(self.event(), None)

    def test_fails_where_it_could_not_start_or_is_lost(self, monkeypatch):
        Account(monkeypatch, failures=[{"reason": "RESOURCE:FARGATE"}])
        with pytest.raises(RuntimeError, match="RESOURCE:FARGATE"):
            migration.on_event(self.event(), None)
        with pytest.raises(RuntimeError, match="lost"):
            migration.is_complete(self.event(), None)
