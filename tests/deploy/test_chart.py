"""The Helm chart: what it makes of its values, held against Kubernetes' own schemas and against what Tallymark needs."""

import json
import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource
from tests.deploy.conftest import PROBED, ROOT, Chart, check_command, read_yaml, unknown_variables

from tallymark.server import DRAIN_SECONDS
from tallymark.worker import LONGEST_STOP_SECONDS

EXTERNAL = {
    "publicUrl": "https://billing.example.com",
    "database": {"existingSecret": "acme-database"},
    "files": {"url": "s3://acme-documents"},
}
IN_CLUSTER = {
    "publicUrl": "http://localhost:8787",
    "postgresql": {"enabled": True, "existingSecret": "acme-postgresql", "storageClassName": "fast"},
    "files": {"ephemeral": True},
}
PRODUCTION: dict[str, Any] = {
    **EXTERNAL,
    "image": {"digest": f"sha256:{'0' * 64}", "pullSecrets": ["registry"]},
    "settings": {"TALLYMARK_DISABLE_SIGNUP": "true", "TALLYMARK_DATABASE_POOL_SIZE": 20},
    "existingSecrets": ["acme-secrets"],
    "database": {"existingSecret": "acme-database", "key": "uri", "port": 6432},
    "serviceAccount": {
        "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/tallymark"}
    },
    "api": {
        "processes": 2,
        "drainSeconds": 20,
        "autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 20},
        "podAnnotations": {"a": "b"},
        "podLabels": {"team": "billing"},
        "nodeSelector": {"pool": "billing"},
        "tolerations": [{"key": "billing", "operator": "Exists"}],
        "priorityClassName": "high",
    },
    "worker": {"concurrency": 8, "autoscaling": {"enabled": True}},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "internal": {"serviceAnnotations": {"tailscale.com/expose": "true"}},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"},
        "hosts": ["billing.example.com"],
        "tls": [{"secretName": "billing-tls", "hosts": ["billing.example.com"]}],
    },
    "networkPolicy": {
        "ingressFrom": [
            {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
        ],
        "extraEgress": [{"ports": [{"port": 587}], "to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}]}],
    },
}
SMALL = {
    **EXTERNAL,
    "files": {"existingClaim": "documents"},
    "serviceAccount": {"create": False, "name": "billing"},
    "api": {"replicas": 1, "podDisruptionBudget": {"enabled": False}},
    "worker": {"replicas": 1, "podDisruptionBudget": {"enabled": False}},
    "migrations": {"enabled": False},
    "networkPolicy": {"enabled": False},
    "internal": {"enabled": False},
    "service": {"type": "LoadBalancer", "annotations": {"tailscale.com/expose": "true"}},
}
ALERTS = ROOT / "deploy" / "monitoring" / "prometheus" / "alerts.yaml"

MATRIX = {"external": EXTERNAL, "in-cluster": IN_CLUSTER, "production": PRODUCTION, "small": SMALL}

OLDEST, NEWEST = "1.27", "1.37"
"""The oldest Kubernetes that Chart.yaml takes, and the newest whose schemas there are."""


@pytest.fixture(scope="module")
def rendered(chart):
    """rendered("production") -> its manifests, rendered once."""
    known = {}

    def render(name):
        if name not in known:
            known[name] = chart.render(MATRIX[name])
        return known[name]

    return render


class Kubernetes:
    """The schemas of one version, of what its server accepts and nothing else, as the package kubernetes-validate packs them."""

    def __init__(self, version):
        self._folder = files("kubernetes_validate") / "kubernetes-json-schema" / f"v{version}.0-local-strict"
        definitions = Resource.from_contents(self._read("_definitions"))
        self._registry = (definitions @ Registry()).crawl()
        self._validators = {}

    def _read(self, name):
        return json.loads((self._folder / f"{name}.json").read_text())

    def validate(self, manifest):
        group = re.sub(r"^([^./]*)(\.[^/]*)?/", r"\1-", manifest["apiVersion"])
        name = f"{manifest['kind'].lower()}-{group}"
        if name not in self._validators:
            self._validators[name] = Draft202012Validator(self._read(name), registry=self._registry)
        self._validators[name].validate(manifest)


@cache
def kubernetes(version):
    return Kubernetes(version)


def one(manifests, kind, name):
    (found,) = [
        it for it in manifests if (it["kind"], it["metadata"]["name"]) == (kind, f"acme-tallymark{name}")
    ]
    return found


def names(manifests):
    return {(it["kind"], it["metadata"]["name"].removeprefix("acme-tallymark")) for it in manifests}


def pods(manifests):
    """The pods of every Deployment, Job, StatefulSet and test, with the name of what makes them."""
    for it in manifests:
        match it["kind"]:
            case "Deployment" | "StatefulSet" | "Job":
                yield it["metadata"]["name"], it["spec"]["template"]["spec"]
            case "Pod":
                yield it["metadata"]["name"], it["spec"]


def containers(pod):
    return [*pod.get("initContainers", []), *pod["containers"]]


def env(container):
    return {it["name"]: it.get("value", it.get("valueFrom")) for it in container["env"]}


def picks(selector, labels):
    return selector.items() <= labels.items()


@pytest.mark.parametrize("name", MATRIX)
class TestEveryKindOfInstallation:
    def test_is_clean_to_helm(self, chart, name):
        done = chart.run("lint", "--strict", values=MATRIX[name])
        assert done.returncode == 0, done.stdout + done.stderr

    @pytest.mark.parametrize("version", [OLDEST, NEWEST])
    def test_is_what_kubernetes_takes(self, rendered, name, version):
        for manifest in rendered(name):
            if not manifest["apiVersion"].startswith(
                "monitoring.coreos.com/"
            ):  # the operator's: in none of its schemas
                kubernetes(version).validate(manifest)

    def test_would_be_refused_otherwise(self, rendered, name):
        """The schemas are those that refuse what is none of theirs."""
        deployment = one(rendered(name), "Deployment", "-api")
        wrong = {**deployment, "spec": {**deployment["spec"], "replica": 2}}
        with pytest.raises(ValidationError, match="replica"):
            kubernetes(NEWEST).validate(wrong)

    def test_runs_without_privileges(self, rendered, name):
        for where, pod in pods(rendered(name)):
            assert pod["automountServiceAccountToken"] is False, where
            assert pod["securityContext"]["runAsNonRoot"] is True, where
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, where
            for container in containers(pod):
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                }, where

    def test_no_service_sets_a_variable(self, rendered, name):
        # That of a Service named tallymark would be TALLYMARK_PORT=tcp://...: a setting, and no port.
        for where, pod in pods(rendered(name)):
            assert pod["enableServiceLinks"] is False, where

    def test_sets_what_tallymark_reads_and_nothing_else(self, rendered, name):
        for where, pod in pods(rendered(name)):
            for container in containers(pod):
                assert unknown_variables(it["name"] for it in container.get("env", [])) == [], where

    def test_has_secrets_by_reference_alone(self, rendered, name):
        assert "Secret" not in {kind for kind, _ in names(rendered(name))}
        for where, pod in pods(rendered(name)):
            for container in (
                it for it in containers(pod) if it["image"].startswith("ghcr.io/") and "env" in it
            ):
                found = env(container)
                if name == "in-cluster":
                    assert (
                        found["DATABASE_URL"]
                        == "postgresql://tallymark@acme-tallymark-postgresql:5432/tallymark"
                    )
                    assert found["PGPASSWORD"] == {
                        "secretKeyRef": {"name": "acme-postgresql", "key": "password"}
                    }, where
                else:
                    key = "uri" if name == "production" else "database-url"
                    assert found["DATABASE_URL"] == {"secretKeyRef": {"name": "acme-database", "key": key}}, (
                        where
                    )

    def test_gives_the_image_words_that_it_understands(self, rendered, name):
        for _, pod in pods(rendered(name)):
            for container in containers(pod):
                if not container["image"].startswith("ghcr.io/tallymark/"):
                    continue
                check_command(container["args"])
                for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                    if command := container.get(probe, {}).get("exec", {}).get("command"):
                        assert command[0] == "tallymark"
                        check_command(command[1:])

    def test_asks_the_api_where_it_answers(self, rendered, name):
        (container,) = one(rendered(name), "Deployment", "-api")["spec"]["template"]["spec"]["containers"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert container[probe]["httpGet"]["path"] in PROBED
            assert container[probe]["httpGet"]["port"] == "http"
        assert container["livenessProbe"]["httpGet"]["path"] != "/health", "a restart brings no database back"
        assert container["readinessProbe"]["httpGet"]["path"] == "/health"

    def test_upgrades_without_a_gap(self, rendered, name):
        for component, least_seconds in (("api", DRAIN_SECONDS), ("worker", LONGEST_STOP_SECONDS)):
            deployment = one(rendered(name), "Deployment", f"-{component}")["spec"]
            assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
            pod = deployment["template"]["spec"]
            (container,) = pod["containers"]
            drain = int(container["lifecycle"]["preStop"]["exec"]["command"][1]) if component == "api" else 0
            assert pod["terminationGracePeriodSeconds"] >= drain + least_seconds + 10

    def test_selects_its_own_pods(self, rendered, name):
        manifests = rendered(name)
        labels = {
            component: one(manifests, "Deployment", f"-{component}")["spec"]["template"]["metadata"]["labels"]
            for component in ("api", "worker")
        }
        service = one(manifests, "Service", "")["spec"]["selector"]
        assert [picks(service, labels[it]) for it in ("api", "worker")] == [True, False]
        for component in ("api", "worker"):
            deployment = one(manifests, "Deployment", f"-{component}")["spec"]
            assert picks(deployment["selector"]["matchLabels"], labels[component])
            for kind in ("PodDisruptionBudget", "NetworkPolicy"):
                if (kind, f"-{component}") in names(manifests):
                    spec = one(manifests, kind, f"-{component}")["spec"]
                    chosen = spec.get("selector", spec.get("podSelector"))["matchLabels"]
                    assert [picks(chosen, labels[it]) for it in ("api", "worker")].count(True) == 1
                    assert picks(chosen, labels[component])


class TestMigrations:
    def test_run_before_the_pods_are_made_with_what_is_there_already(self, rendered):
        job = one(rendered("external"), "Job", "-migrate")
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
        pod = job["spec"]["template"]["spec"]
        assert pod["serviceAccountName"] == "default", "the chart's own is not there yet"
        assert pod["restartPolicy"] == "Never"
        assert pod["containers"][0]["args"] == ["migrate", "--wait", "120"]
        assert all("emptyDir" in volume for volume in pod["volumes"])
        for component in ("api", "worker"):
            assert (
                "initContainers"
                not in one(rendered("external"), "Deployment", f"-{component}")["spec"]["template"]["spec"]
            )

    def test_of_a_database_in_the_cluster_are_the_pods_at_first(self, rendered):
        """A job before the installation would wait for a server that is installed after it."""
        job = one(rendered("in-cluster"), "Job", "-migrate")
        assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-upgrade"
        for component in ("api", "worker"):
            (first,) = one(rendered("in-cluster"), "Deployment", f"-{component}")["spec"]["template"]["spec"][
                "initContainers"
            ]
            assert first["args"] == ["migrate", "--wait", "120"]

    def test_can_be_somebody_elses(self, rendered):
        assert ("Job", "-migrate") not in names(rendered("small"))


class TestScale:
    def test_is_a_number_or_an_autoscaler_never_both(self, rendered):
        for component, least, most in (("api", 3, 20), ("worker", 2, 6)):
            assert one(rendered("external"), "Deployment", f"-{component}")["spec"]["replicas"] == 2
            assert "replicas" not in one(rendered("production"), "Deployment", f"-{component}")["spec"]
            scaler = one(rendered("production"), "HorizontalPodAutoscaler", f"-{component}")["spec"]
            assert scaler["scaleTargetRef"]["name"] == f"acme-tallymark-{component}"
            assert (scaler["minReplicas"], scaler["maxReplicas"]) == (least, most)
        assert not [kind for kind, _ in names(rendered("external")) if kind == "HorizontalPodAutoscaler"]

    def test_inside_of_a_pod_is_the_values(self, rendered):
        (api,) = one(rendered("production"), "Deployment", "-api")["spec"]["template"]["spec"]["containers"]
        (worker,) = one(rendered("production"), "Deployment", "-worker")["spec"]["template"]["spec"][
            "containers"
        ]
        assert api["args"] == ["api", "--workers", "2"]
        assert env(worker)["TALLYMARK_WORKER_CONCURRENCY"] == "8"
        assert env(api)["TALLYMARK_DATABASE_POOL_SIZE"] == "20"
        assert api["envFrom"] == [{"secretRef": {"name": "acme-secrets"}}]


class TestNetworkPolicies:
    def rule(self, manifests, component):
        return one(manifests, "NetworkPolicy", f"-{component}")["spec"]

    def test_let_nobody_in_but_to_the_api(self, rendered):
        public, internal = self.rule(rendered("external"), "api")["ingress"]
        assert public == {"ports": [{"port": "http"}]}
        assert self.rule(rendered("external"), "worker")["ingress"] == [internal]
        assert self.rule(rendered("external"), "migrate")["ingress"] == []

    def test_let_those_who_watch_in_to_the_internal_port_alone(self, rendered):
        (internal,) = self.rule(rendered("external"), "worker")["ingress"]
        assert internal["ports"] == [{"port": "internal"}]
        (peer,) = internal["from"]
        assert peer == {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}

    def test_let_in_whom_the_values_name_and_the_test(self, rendered):
        rule, _ = self.rule(rendered("production"), "api")["ingress"]
        assert rule["from"][0] == PRODUCTION["networkPolicy"]["ingressFrom"][0]
        assert rule["from"][1]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "test"

    def test_let_out_to_names_database_and_the_public_world(self, rendered):
        dns, database, world, *more = self.rule(rendered("production"), "worker")["egress"]
        assert {it["port"] for it in dns["ports"]} == {53}
        assert database == {"ports": [{"port": 6432}]}
        v4, v6 = (it["ipBlock"] for it in world["to"])
        assert (v4["cidr"], v6["cidr"]) == ("0.0.0.0/0", "::/0")
        assert {"10.0.0.0/8", "169.254.0.0/16"} <= set(v4["except"]), "not to the metadata of the machine"
        assert more == PRODUCTION["networkPolicy"]["extraEgress"]
        assert len(self.rule(rendered("external"), "migrate")["egress"]) == 2

    def test_keep_the_database_in_the_cluster_to_its_users(self, rendered):
        rule = self.rule(rendered("in-cluster"), "postgresql")
        (peer,) = rule["ingress"][0]["from"]
        pod = one(rendered("in-cluster"), "Deployment", "-api")["spec"]["template"]["metadata"]["labels"]
        assert picks(peer["podSelector"]["matchLabels"], pod)
        assert rule["egress"] == []


class TestTheInternalPort:
    def test_is_that_of_each_api_and_worker_and_of_nothing_public(self, rendered):
        manifests = rendered("production")
        chosen = one(manifests, "Service", "-internal")["spec"]["selector"]
        for component in ("api", "worker"):
            template = one(manifests, "Deployment", f"-{component}")["spec"]["template"]
            assert picks(chosen, template["metadata"]["labels"])
            (container,) = template["spec"]["containers"]
            assert {"name": "internal", "containerPort": 8788} in container["ports"]
            assert env(container)["TALLYMARK_INTERNAL_PORT"] == "8788"
            assert env(container)["TALLYMARK_INTERNAL_HOST"] == "0.0.0.0"
        assert not picks(chosen, one(manifests, "Job", "-migrate")["spec"]["template"]["metadata"]["labels"])
        public = one(manifests, "Service", "")["spec"]["ports"]
        assert [port["targetPort"] for port in public] == ["http"]

    def test_is_shown_to_the_tailnet_where_its_operator_is_told(self, rendered):
        service = one(rendered("production"), "Service", "-internal")
        assert service["metadata"]["annotations"] == {"tailscale.com/expose": "true"}

    def test_is_read_by_prometheus(self, rendered):
        monitor = one(rendered("production"), "ServiceMonitor", "")
        service = one(rendered("production"), "Service", "-internal")
        assert monitor["apiVersion"] == "monitoring.coreos.com/v1"
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        assert picks(monitor["spec"]["selector"]["matchLabels"], service["metadata"]["labels"])
        assert not picks(
            monitor["spec"]["selector"]["matchLabels"],
            one(rendered("production"), "Service", "")["metadata"]["labels"],
        )
        (endpoint,) = monitor["spec"]["endpoints"]
        assert endpoint == {
            "port": service["spec"]["ports"][0]["name"],
            "path": "/metrics",
            "interval": "15s",
        }
        assert ("ServiceMonitor", "") not in names(rendered("external"))

    def test_has_the_alert_rules_judged_there(self, rendered, chart):
        """They are those of deploy/monitoring, whose job is called here as the Service is."""
        rule = one(rendered("production"), "PrometheusRule", "")
        assert rule["apiVersion"] == "monitoring.coreos.com/v1"
        assert rule["metadata"]["labels"]["release"] == "prometheus"
        assert (chart.PATH / "files" / "alerts.yaml").resolve() == ALERTS, "there is one source"
        source = ALERTS.read_text()
        assert source.count('job=~".*tallymark.*"') == 1
        named = source.replace('job=~".*tallymark.*"', 'job="acme-tallymark-internal",namespace="billing"')
        assert rule["spec"] == yaml.safe_load(named)
        assert one(rendered("production"), "Service", "-internal")
        assert ("PrometheusRule", "") not in names(rendered("external"))

    def test_takes_the_rules_as_they_are_where_somebody_else_reads_it(self, chart):
        rule = one(chart.render({**EXTERNAL, "prometheusRule": {"enabled": True}}), "PrometheusRule", "")
        assert rule["spec"] == yaml.safe_load(ALERTS.read_text())

    def test_leaves_alerts_out_that_are_named(self, chart):
        groups = yaml.safe_load(ALERTS.read_text())["groups"]
        jobs = next(group for group in groups if group["name"] == "tallymark-jobs")
        left_out = ["TallymarkRequestsSlow", *(rule["alert"] for rule in jobs["rules"])]
        values = {**EXTERNAL, "prometheusRule": {"enabled": True, "disabled": left_out}}
        found = one(chart.render(values), "PrometheusRule", "")["spec"]["groups"]
        assert [group["name"] for group in found] == [g["name"] for g in groups if g is not jobs]
        assert {rule["alert"] for group in found for rule in group["rules"]} == {
            rule["alert"] for group in groups for rule in group["rules"]
        } - set(left_out)
        unknown = {**EXTERNAL, "prometheusRule": {"enabled": True, "disabled": ["TallymarkNothing"]}}
        assert "there is no alert TallymarkNothing" in chart.refusal(unknown)

    def test_can_be_left_out(self, rendered):
        assert ("Service", "-internal") not in names(rendered("small"))
        (worker,) = one(rendered("small"), "Deployment", "-worker")["spec"]["template"]["spec"]["containers"]
        assert "TALLYMARK_INTERNAL_PORT" not in env(worker)
        assert "ports" not in worker


def test_documents_are_where_the_values_say(rendered):
    def volume(name):
        pod = one(rendered(name), "Deployment", "-worker")["spec"]["template"]["spec"]
        (found,) = [it for it in pod["volumes"] if it["name"] == "documents"]
        return found, env(pod["containers"][0]).get("TALLYMARK_FILES_URL")

    assert volume("external") == ({"name": "documents", "emptyDir": {}}, "s3://acme-documents")
    assert volume("small") == (
        {"name": "documents", "persistentVolumeClaim": {"claimName": "documents"}},
        None,
    )


def test_the_ingress_leads_to_the_service(rendered):
    ingress = one(rendered("production"), "Ingress", "")
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "billing.example.com"
    assert rule["http"]["paths"][0]["backend"]["service"] == {
        "name": "acme-tallymark",
        "port": {"name": "http"},
    }
    assert ingress["metadata"]["annotations"] == PRODUCTION["ingress"]["annotations"]


def test_an_account_of_somebody_elses_is_used(rendered):
    assert ("ServiceAccount", "") not in names(rendered("small"))
    assert (
        one(rendered("small"), "Deployment", "-api")["spec"]["template"]["spec"]["serviceAccountName"]
        == "billing"
    )


@pytest.mark.parametrize(("change", "told"), [
    ({"database": {"existingSecret": ""}}, "database.existingSecret is required"),
    ({"publicUrl": ""}, "publicUrl is required"),
    ({"files": {"url": ""}}, "say where documents are kept"),
    ({"postgresql": {"enabled": True}}, "postgresql.existingSecret is required"),
    ({"ingress": {"enabled": True}}, "ingress.hosts is empty"),
    ({"internal": {"enabled": False}, "serviceMonitor": {"enabled": True}}, "serviceMonitor needs internal.enabled"),
    ({"replicas": 3}, "replicas"),
    ({"api": {"replica": 3}}, "replica"),
    ({"worker": {"concurrency": 0}}, "concurrency"),
    ({"image": {"digest": "latest"}}, "digest"),
    ({"settings": {"DATABASE_URL": "postgresql://me:secret@db/x"}}, "invalid propertyName 'DATABASE_URL'"),
])  # fmt: skip
def test_values_that_make_no_installation_are_refused(chart, change, told):
    assert told in chart.refusal({**EXTERNAL, **change})


def test_the_chart_installs_the_release_that_it_lies_beside():
    described = read_yaml(Chart.PATH / "Chart.yaml")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert described["appVersion"] == project["version"]
    assert described["kubeVersion"] == f">={OLDEST}.0-0"


def test_its_page_tells_of_every_value():
    page = (Chart.PATH / "README.md").read_text()

    def leaves(values, path=""):
        for key, value in values.items():
            where = f"{path}.{key}" if path else key
            if (
                isinstance(value, dict)
                and value
                and where not in {"podSecurityContext", "securityContext"}
                and key != "resources"
            ):
                yield from leaves(value, where)
            else:
                yield where

    assert [it for it in leaves(read_yaml(Chart.PATH / "values.yaml")) if f"`{it}`" not in page] == []
