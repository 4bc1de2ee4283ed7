"""What is in deploy/ parses, passes its linters, and names nothing that the code does not have."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from adapters.metrics import Metrics
from adapters.roles import Role
from adapters.settings import AppSettings
from adapters.web.probes import probe_routes
from adapters.web.uploads import MOST_BODY_BYTES
from bot.errors import PromptError
from tests.packaging.hygiene import ROOT

DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
BIN = Path(sys.executable).parent
SETTINGS = {name.upper() for name in AppSettings.model_fields}
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
ALERTS = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "parley.json").read_text())
PARLEYS = {name: each for name, each in COMPOSE["services"].items() if each["image"] == "parley"}
PORT = AppSettings.model_fields["parley_port"].default
PROMETHEUS_S_OWN = {"up"}
PROMTOOL = shutil.which("promtool")


def lint(*command: str) -> None:
    ended = subprocess.run([BIN / command[0], *command[1:]], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def manifests() -> list[Path]:
    """Every manifest that is sent to a cluster."""
    return [path for path in KUBERNETES.rglob("*.yaml") if path.name != "kustomization.yaml"]


def resources() -> Iterator[dict[str, Any]]:
    for path in manifests():
        yield from yaml.safe_load_all(path.read_text())


def pods() -> dict[str, dict[str, Any]]:
    """The pod of each workload, by the workload's name."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in resources()
        if "template" in each.get("spec", {})
    }


def expressions() -> list[str]:
    """Everything that is asked of Prometheus; Grafana's own variable made a duration."""
    rules = [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]
    targets = [target for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
    shown = [target["expr"].replace("$__rate_interval", "1m") for target in targets]
    return [*rules, *shown]


def figures() -> set[str]:
    """The name of every figure, with the endings that a counter or histogram is asked by."""
    endings = {
        "counter": ("_total",),
        "histogram": ("_bucket", "_count", "_sum"),
        "gauge": ("",),
        "info": ("_info",),
        "unknown": ("",),
    }
    families = list(text_string_to_metric_families(Metrics().text().decode()))
    return {f"{each.name}{ending}" for each in families for ending in endings[each.type]}


def test_the_dockerfile_is_without_a_fault() -> None:
    lint("hadolint", "--failure-threshold", "info", str(DEPLOY / "Dockerfile"))


def test_the_compose_file_keeps_to_its_schema() -> None:
    lint(
        "check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(DEPLOY / "compose.yaml")
    )


def test_the_manifests_keep_to_kubernetes_schemas() -> None:
    lint("kubernetes-validate", "--strict", "--quiet", *map(str, manifests()))


def test_every_manifest_is_in_its_kustomization() -> None:
    for path in manifests():
        listed = yaml.safe_load((path.parent / "kustomization.yaml").read_text())["resources"]
        assert path.name in listed


def test_what_kustomizations_name_is_there() -> None:
    for path in KUBERNETES.rglob("kustomization.yaml"):
        asked = yaml.safe_load(path.read_text())
        for name in [*asked["resources"], *asked.get("components", ())]:
            assert (path.parent / name).exists(), f"{path}: {name}"


def test_no_environment_name_is_made_up() -> None:
    named = {name for each in PARLEYS.values() for name in each["environment"]}
    for path in KUBERNETES.rglob("kustomization.yaml"):
        for made in yaml.safe_load(path.read_text()).get("configMapGenerator", ()):
            named |= {literal.partition("=")[0] for literal in made["literals"]}
    named |= set(re.findall(r"\b(PARLEY_[A-Z_]+|DATABASE_URL)\b", DOCKERFILE))
    assert named - {"PARLEY_INSTALL"} <= SETTINGS


def test_what_the_compose_file_asks_for_is_in_its_example() -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))
    example = (DEPLOY / "compose.env.example").read_text()
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == asked


def test_ports_are_the_code_s() -> None:
    assert f"EXPOSE {PORT}\n" in DOCKERFILE
    assert PARLEYS["parley"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    for name, pod in pods().items():
        for port in pod["containers"][0].get("ports", ()):
            assert port == {"name": "http", "containerPort": PORT}, name


def test_probes_ask_for_what_is_served() -> None:
    served = {route.path for route in probe_routes({}, bytes)}
    probes = ("startupProbe", "livenessProbe", "readinessProbe")
    containers = [pod["containers"][0] for pod in pods().values()]
    asked = {c[probe]["httpGet"]["path"] for c in containers for probe in probes if probe in c}
    assert asked == {"/healthz", "/readyz"}
    assert asked <= served
    assert "/healthz" in DOCKERFILE.split("HEALTHCHECK")[1]


def test_every_workload_that_serves_has_all_three_probes() -> None:
    for name, pod in pods().items():
        probes = {key for key in pod["containers"][0] if key.endswith("Probe")}
        assert len(probes) == (0 if name == "parley-migrate" else 3), name


def test_processes_are_started_with_roles_that_exist() -> None:
    commands = [pod["containers"][0]["args"] for pod in pods().values()]
    commands += [each.get("command", ["up"]) for each in PARLEYS.values()]
    for command in commands:
        assert command in (["up"], ["migrate"]) or command[:2] == ["up", "--only"]
        assert set(command[2:]) <= set(Role)
    run = {role for command in commands for role in command[2:]}
    assert run == set(Role)


@pytest.mark.parametrize("name", ["parley-slack", "parley-web"])
def test_a_pod_that_ends_serves_until_the_balancer_knows(name: str) -> None:
    pod = pods()[name]
    pause_s = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pause_s + 20 < pod["terminationGracePeriodSeconds"]  # 20: what running turns have to end


def test_the_ingress_lets_through_what_the_page_takes() -> None:
    (ingress,) = (each for each in resources() if each["kind"] == "Ingress")
    size = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    assert int(size.removesuffix("m")) * 2**20 > MOST_BODY_BYTES


@pytest.mark.parametrize("name", sorted(pods()))
def test_pods_are_restricted(name: str) -> None:
    pod = pods()[name]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]


def test_secrets_are_only_referred_to() -> None:
    assert not [each for each in resources() if each["kind"] == "Secret"]
    for pod in pods().values():
        assert {"secretRef": {"name": "parley"}} in pod["containers"][0]["envFrom"]


@pytest.mark.parametrize("name", sorted(COMPOSE["services"]))
def test_containers_are_locked_down(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["cpus"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_the_image_is_run_by_nobody_special_with_what_the_manifests_say() -> None:
    assert "\nUSER 10001:10001\n" in DOCKERFILE
    assert {pod["securityContext"]["runAsUser"] for pod in pods().values()} == {10001}


def test_the_image_takes_everything_the_program_is_made_of() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    taken = {line[1:] for line in lines if line.startswith("!")}
    assert {"parley", "pyproject.toml", "models.toml", "adapters", "bot", "storage"} <= taken
    assert {path.name for path in ROOT.glob("requirements*.lock")} <= taken
    assert all((ROOT / name).exists() for name in taken)


def test_the_demo_packages_are_the_project_s() -> None:
    """The demo model's packages are taken from the lock by name, with their hashes."""
    (pattern,) = re.findall(r"keep = /\^\(([^)]+)\)", DOCKERFILE)
    text = (ROOT / "pyproject.toml").read_text()
    (group,) = re.findall(r"^demo = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert set(pattern.split("|")) == set(re.findall(r'"([a-z0-9-]+)', group))
    lock = (ROOT / "requirements.lock").read_text()
    assert all(re.search(rf"^{name}==", lock, re.MULTILINE) for name in pattern.split("|"))


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_every_question_to_prometheus_is_about_a_figure_that_exists(expression: str) -> None:
    promql_parser.parse(expression)
    asked = set(re.findall(r"\b((?:parley|process)_\w+|up)\b", expression))
    assert asked
    assert asked - PROMETHEUS_S_OWN <= figures()


def test_labels_in_expressions_exist() -> None:
    text = (ROOT / "adapters" / "metrics.py").read_text()
    for expression in expressions():
        for listed in re.findall(r"by \(([^)]*)\)", expression):
            for label in listed.split(","):
                is_known = f'"{label.strip()}"' in text
                assert is_known or label.strip() in ("le", "instance", "service"), expression


def test_every_alert_says_what_to_do() -> None:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"]
            assert rule["annotations"]["remedy"]
            assert rule["labels"]["severity"] in ("page", "ticket")


def test_nobody_is_called_for_what_people_mistyped() -> None:
    (asked,) = (e for e in expressions() if "turn_errors_total{error!~" in e)
    people_s = {"BudgetExceededError", "NotAllowedError", "TooManyPromptsError", "PromptError"}
    people_s |= {kind.__name__ for kind in PromptError.__subclasses__()}
    assert set(re.findall(r"\w+Error\b", asked)) == people_s


def test_prometheus_reads_every_process_with_the_token() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (job,) = config["scrape_configs"]
    (found,) = job["dns_sd_configs"]
    assert set(found["names"]) == {name for name in PARLEYS if name != "migrate"}
    assert found["port"] == PORT
    token_file = job["authorization"]["credentials_file"]
    service = COMPOSE["services"]["prometheus"]
    assert f'"$$PARLEY_METRICS_TOKEN" >{token_file} ' in service["entrypoint"][2]
    assert service["tmpfs"][0].startswith(str(Path(token_file).parent) + ":")
    assert {"source_labels": ["__meta_dns_name"], "target_label": "service"} in job[
        "relabel_configs"
    ]
    (DEPLOY / "prometheus" / config["rule_files"][0]).read_text()


def test_no_secret_is_to_be_copied_into_a_read_only_container() -> None:
    """Compose copies one that is not a file of its own, and Docker refuses that at the start."""
    assert "secrets" not in COMPOSE
    assert not [name for name, each in COMPOSE["services"].items() if "secrets" in each]


@pytest.mark.skipif(PROMTOOL is None, reason="promtool comes with Prometheus, not from PyPI")
@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", "--syntax-only", str(DEPLOY / "prometheus" / "prometheus.yml")),
        ("check", "rules", str(DEPLOY / "prometheus" / "alerts.yml")),
        ("test", "rules", str(Path(__file__).with_name("alerts.test.yml"))),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_promtool_finds_no_fault(command: tuple[str, ...]) -> None:
    ended = subprocess.run([str(PROMTOOL), *command], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_alert_has_a_series_that_rings_it() -> None:
    cases = yaml.safe_load(Path(__file__).with_name("alerts.test.yml").read_text())["tests"]
    asked = [question for case in cases for question in case["alert_rule_test"]]
    rung = {each["alertname"] for each in asked if each.get("exp_alerts")}
    silent = {each["alertname"] for each in asked if not each.get("exp_alerts")}
    alerts = {rule["alert"] for group in ALERTS["groups"] for rule in group["rules"]}
    assert rung == silent == alerts


def test_the_service_unit_runs_the_installed_program() -> None:
    unit = (DEPLOY / "systemd" / "parley.service").read_text()
    assert "parley up\n" in unit
    assert "ProtectSystem=strict" in unit
    assert "NoNewPrivileges=yes" in unit
    (limit,) = re.findall(r"TimeoutStopSec=(\d+)", unit)
    assert int(limit) > 20  # what running turns have to end, and some to spare
    assert "ProcSubset" not in unit  # without /proc/stat there are no process_… figures
