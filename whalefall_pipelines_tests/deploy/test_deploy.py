"""What `deploy/` has is checked by the tools that pip and apt carry. What was never run is named in docs/howto/containers.md."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from whalefall_pipelines.installation.grafana import DASHBOARDS, dashboard, statement
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.workers.launcher import ZoneRunLauncher
from whalefall_pipelines_tests.cli.trees import REPOSITORY
from whalefall_pipelines_tests.factories import FleetTest, query, register, server

DEPLOY = REPOSITORY / "deploy"
PROGRAMS = Path(sys.executable).parent
METRIC = re.compile(r"whalefall_\w+")


def load(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text())


def checked(*command: str | Path) -> str:
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def installed(program: str, how: str) -> str:
    path = shutil.which(program)
    assert path, f"{program} is not installed: {how}"
    return path


def test_the_dockerfile_is_linted_and_runs_as_nobody_special() -> None:
    checked(PROGRAMS / "hadolint", DEPLOY / "Dockerfile")
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    last_stage = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert [line for line in last_stage if line.startswith("USER ")] == ["USER 10001"]
    assert any(line.startswith("HEALTHCHECK ") for line in last_stage)


def test_what_the_dockerfile_copies_is_there() -> None:
    copies = [line.split()[1:-1] for line in (DEPLOY / "Dockerfile").read_text().splitlines() if line.startswith("COPY ")]
    assert [path for paths in copies if not paths[0].startswith("--") for path in paths if not (REPOSITORY / path).exists()] == []


def test_every_service_of_the_compose_file_has_what_it_needs() -> None:
    compose = load("compose.yaml")
    services = compose["services"]
    assert set(services) == {"store", "migrate", "code", "gate", "daemon", "redis", "worker-centre", "worker-zone"}
    assert {name for name, service in services.items() if service.get("profiles") == ["zones"]} == {"redis", "worker-centre", "worker-zone"}
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        files = [volume.split(":")[0] for volume in service.get("volumes", []) if volume.startswith(".")]
        assert [file for file in files if not (DEPLOY / file).exists()] == []
        named = [volume.split(":")[0] for volume in service.get("volumes", []) if not volume.startswith(".")]
        assert set(named) <= set(compose["volumes"])
    ours = [service for service in services.values() if service["image"].startswith("whalefall:")]
    assert all(service["user"] == "10001" and service["read_only"] for service in ours)


@pytest.mark.slow
def test_docker_reads_the_compose_file(tmp_path: Path) -> None:
    """With Compose itself, which neither pip nor apt of Debian 12 carries in a form that CI could rely on."""
    compose = installed("docker-compose", "it is an asset of each release of docker/compose")
    secrets = ("env", "STORE_PASSWORD=x", "WHALEFALL_SECRET_KEY=x")
    checked(*secrets, compose, "--file", DEPLOY / "compose.yaml", "--profile", "zones", "config", "-q")
    with pytest.raises(AssertionError, match="set STORE_PASSWORD"):
        checked("env", "WHALEFALL_SECRET_KEY=x", compose, "--file", DEPLOY / "compose.yaml", "config", "-q")
    misspelt = tmp_path / "compose.yaml"
    misspelt.write_text((DEPLOY / "compose.yaml").read_text().replace("{redis: {condition", "{reddis: {condition"))
    with pytest.raises(AssertionError, match="undefined service"):
        checked(*secrets, compose, "--project-directory", DEPLOY, "--file", misspelt, "--profile", "zones", "config", "-q")


@pytest.mark.slow
def test_prometheus_reads_the_alert_rules_and_each_fires_when_it_should(tmp_path: Path) -> None:
    promtool = installed("promtool", "apt-get install prometheus")
    rules, tests = (DEPLOY / "prometheus" / name for name in ("rules.yaml", "rules-test.yaml"))
    assert "6 rules found" in checked(promtool, "check", "rules", rules)
    checked(promtool, "test", "rules", tests)
    (tmp_path / rules.name).write_text(rules.read_text().replace("> 0.9\n", "> 0.99\n"))
    shutil.copy(tests, tmp_path)
    with pytest.raises(AssertionError, match="WhalefallServerNearlyFull"):
        checked(promtool, "test", "rules", tmp_path / tests.name)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_reads_the_unit_of_a_worker(tmp_path: Path) -> None:
    text = (DEPLOY / "systemd" / "whalefall-worker.service").read_text()
    unit = tmp_path / "whalefall-worker.service"
    unit.write_text(text.replace("/opt/whalefall/bin/whalefall", "/bin/true").replace("User=whalefall\n", ""))
    # It tells of what it does not know, and says nothing otherwise. The program of the unit is not installed here.
    assert "whalefall-worker.service" not in checked("systemd-analyze", "verify", unit)


@pytest.mark.parametrize(
    "document", list(yaml.safe_load_all((DEPLOY / "kubernetes" / "gate.yaml").read_text())), ids=lambda one: one["metadata"]["name"]
)
def test_kubernetes_knows_every_field_of_our_objects(document: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "object.yaml"
    file.write_text(yaml.safe_dump(document))
    checked(PROGRAMS / "kubernetes-validate", "--strict", file)
    document["spec"]["template"]["spec"]["containers"][0]["comand"] = ["misspelt"]
    file.write_text(yaml.safe_dump(document))
    with pytest.raises(AssertionError):
        checked(PROGRAMS / "kubernetes-validate", "--strict", file)


def test_the_dashboards_are_those_that_their_statements_make() -> None:
    for name in DASHBOARDS:
        assert json.loads((DEPLOY / "grafana" / f"{name}.json").read_text()) == dashboard(name), (
            "run whalefall_pipelines.installation.grafana"
        )


def test_the_reader_runs_every_panel_on_a_store_with_days(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000}), "b": server({"app": None})})
    fleet.collect()
    register(store, "never probed")
    role = f"reader_of_{store.url.database}"
    with store.transaction() as cursor:
        cursor.execute(f"create role {role}; grant select on all tables in schema public to {role}; set local role {role}")
        for _, panels in DASHBOARDS.values():
            for panel in panels:
                cursor.execute(statement(panel.report))
                cursor.fetchall()
                if panel.kind == "timeseries":
                    assert cursor.column_names()[0] == "time"
    assert query(store, statement("servers_of_zones")) == [("centre", 3, 0)]
    with store.transaction() as cursor:
        cursor.execute(f"drop owned by {role}; drop role {role}")


def test_alert_rules_ask_for_metrics_that_exist_and_each_has_a_test() -> None:
    (group,) = load("prometheus/rules.yaml")["groups"]
    tested = {
        each["alertname"] for test in load("prometheus/rules-test.yaml")["tests"] for each in test["alert_rule_test"] if each["exp_alerts"]
    }
    assert tested == {rule["alert"] for rule in group["rules"]}
    told = {name for path in (REPOSITORY / "whalefall_pipelines").glob("*/metrics.py") for name in METRIC.findall(path.read_text())}
    for rule in group["rules"]:
        assert set(METRIC.findall(rule["expr"])) <= told
        assert rule["expr"].count("(") == rule["expr"].count(")")
        assert {"alert", "expr", "for", "labels", "annotations"} == set(rule)


def test_the_dagster_configuration_of_zones_names_a_launcher_that_exists() -> None:
    configured = load("dagster-zones.yaml")
    launcher = configured["run_launcher"]
    assert (launcher["module"], launcher["class"]) == (ZoneRunLauncher.__module__, ZoneRunLauncher.__name__)
    limits = configured["concurrency"]["runs"]["tag_concurrency_limits"]
    assert limits == yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())["concurrency"]["runs"]["tag_concurrency_limits"]
