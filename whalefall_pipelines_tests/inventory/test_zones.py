"""Zones of registered servers: in fleet files, by options, and in lists."""

from collections.abc import Callable
from pathlib import Path

import pytest

from whalefall_pipelines.inventory.fleet import active_instances, active_zones
from whalefall_pipelines.inventory.fleet_file import parse_fleet_csv, parse_fleet_yaml
from whalefall_pipelines.inventory.register_instances import carry_out, plan_fleet
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import document, succeed, whalefall

YAML = """
defaults: {engine: postgresql, username: monitor, zone: dmz}
instances:
  - {name: a, host: 192.0.2.1}
  - {name: b, host: 192.0.2.2, zone: berlin}
  - {name: c, host: 192.0.2.3, zone: centre}
  - {name: d, host: 192.0.2.4, zone: null}
"""
CSV = (
    "name,engine,host,username,zone\n"
    "a,postgresql,192.0.2.1,monitor,dmz\n"
    "b,postgresql,192.0.2.2,monitor,berlin\nc,postgresql,192.0.2.3,monitor,\n"
)


@pytest.mark.parametrize(("text", "parse"), [(YAML, parse_fleet_yaml), (CSV, parse_fleet_csv)], ids=["yaml", "csv"])
def test_a_fleet_file_names_the_zone_and_adds_it(store: Database, text: str, parse: Callable[..., object]) -> None:
    entries = parse(text, "fleet")
    carry_out(store, entries, plan_fleet(store, entries))  # type: ignore[arg-type]
    assert [(each.name, each.zone) for each in active_instances(store)][:3] == [("a", "dmz"), ("b", "berlin"), ("c", None)]
    assert active_zones(store) == (None, "berlin", "dmz")
    assert [each.name for each in active_instances(store, zones=frozenset({"dmz", "berlin"}))] == ["a", "b"]
    assert plan_fleet(store, entries).is_empty  # type: ignore[arg-type]


def test_the_commands_set_list_and_cover_by_zone(store_environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text(YAML)
    succeed(store_environment, "instances", "import", str(file), "--yes", "--offline")
    assert "zone dmz → berlin" in whalefall(store_environment, "instances", "set", "a", "--zone", "berlin", "--offline").stderr
    assert "zone berlin → –" in whalefall(store_environment, "instances", "set", "b", "--zone", "centre", "--offline").stderr
    assert listed(store_environment) == {"a": "berlin", "b": None, "c": None, "d": None}
    assert listed(store_environment, "--zone", "berlin") == {"a": "berlin"}
    assert listed(store_environment, "--zone", "centre", "--zone", "dmz").keys() == {"b", "c", "d"}
    assert "zone" in whalefall(store_environment, "instances", "list").stdout.splitlines()[0]
    assert document(store_environment, "instances", "show", "a")["zone"] == "berlin"
    assert document(store_environment, "coverage", "--zone=berlin", "--days", "1") == []
    assert document(store_environment, "sessions", "list", "--zone", "berlin") == []


def listed(environment: dict[str, str], *options: str) -> dict[str, str | None]:
    return {row["name"]: row["zone"] for row in document(environment, "instances", "list", *options)}
