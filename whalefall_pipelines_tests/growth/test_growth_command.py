"""`whalefall growth --by` on a fleet of which each database is in a bar of its own, and the asset of that day."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from whalefall_pipelines.dagster_base.metadata import shown_change
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.growth.assets import growth_of_day
from whalefall_pipelines.growth.checks import bars_add_up
from whalefall_pipelines.growth.model import in_cents
from whalefall_pipelines.growth.prices import parse_prices
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.cli.commands import refused, succeed
from whalefall_pipelines_tests.dagster_base.bound import bound
from whalefall_pipelines_tests.factories import DAY, FleetTest, query, server

BEFORE = DAY - timedelta(days=1)
MIB = 2**20


@pytest.fixture
def fleet(store: Database, tmp_path: Path) -> FleetTest:
    """Two days: `hidden` has no size today, `shown` had none yesterday, `same` has one size, the others are as called; a server left."""
    servers = {
        "a": server({"growing": 10 * MIB, "shrinking": 9 * MIB, "dropped": 5 * MIB, "hidden": 3 * MIB, "shown": None, "same": MIB}),
        "gone": server({"old": 7 * MIB}),
    }
    fleet = FleetTest(store, tmp_path, servers)
    fleet.now -= timedelta(days=1)
    fleet.collect(BEFORE)
    query(store, "update instances set is_active = false, deactivated_at = %s, updated_at = %s where name = 'gone' returning 1", DAY, DAY)
    query(store, "update instances set tags = '{\"env\": \"prod\"}' where name = 'a' returning 1")
    servers["a"].databases = {"growing": 14 * MIB, "shrinking": 8 * MIB, "born": 2 * MIB, "hidden": None, "shown": MIB, "same": MIB}
    fleet.now += timedelta(days=1)
    fleet.instances = fleet.instances[:1]
    fleet.collect(DAY)
    return fleet


def test_growth_within_servers_leaves_out_the_others(fleet: FleetTest, store_environment: dict[str, str]) -> None:
    """`gone` has no tag: what was in it is a bar of the servers without one."""
    assert fleet

    def changes(within: str) -> dict[str, int]:
        answer = json.loads(succeed(store_environment, "growth", "--since", "1d", "--within", within, "--json"))
        return {bar["bar"]: bar["change_bytes"] for bar in answer["bars"] if not bar["is_held"]}

    tagged = {"growth": 4 * MIB, "shrink": -MIB, "birth": 2 * MIB, "death": -5 * MIB, "gap_opened": -3 * MIB, "gap_closed": MIB}
    assert {bar: change for bar, change in changes("tag:env=prod").items() if change} == tagged
    assert changes("tag:env") == changes("instance:gone") == {"left": -7 * MIB}
    assert "No server has this name" in refused(store_environment, "growth", "--within", "instance:nowhere")
    assert "write instance:" in refused(store_environment, "growth", "--within", "prod")


def test_what_was_renamed_moved_or_copied_is_shown_as_that(store: Database, tmp_path: Path, store_environment: dict[str, str]) -> None:
    """Between servers that report no identifiers of databases."""
    servers = {"a": server({"old": 90 * MIB, "app": 300 * MIB, "big": 4000 * MIB}), "b": server({"other": MIB})}
    fleet = FleetTest(store, tmp_path, servers)
    fleet.now -= timedelta(days=1)
    fleet.collect(BEFORE)
    servers["a"].databases = {"new": 95 * MIB, "big": 4001 * MIB}
    servers["b"].databases = {"other": MIB, "app": 301 * MIB, "big": 4010 * MIB}
    fleet.now += timedelta(days=1)
    fleet.collect(DAY)
    shown = succeed(store_environment, "growth", "--since", "1d", "--by", "database")
    bars = {" ".join(line.split()[:2]): line for line in shown.splitlines()}
    assert f"+{5 * MIB:,}" in bars["renamed (guess)"]
    assert f"+{MIB:,}" in bars["moved (guess)"]
    assert f"+{4010 * MIB:,}" in next(line for line in shown.splitlines() if line.startswith("birth"))
    assert "death" not in shown.split("instance")[0]
    answer = json.loads(succeed(store_environment, "growth", "--since", "1d", "--by", "database", "--json"))
    assert sorted((guess["kind"], guess["name_before"], guess["database_name"], guess["instance_name"]) for guess in answer["guesses"]) == [
        ("copied", "big", "big", "b"),
        ("moved", "app", "app", "b"),
        ("renamed", "old", "new", "a"),
    ]
    assert sum(bar["change_bytes"] for bar in answer["bars"] if not bar["is_held"]) == answer["change_bytes"]


OBSERVED = (
    "insert into table_size_observations (instance_id, database_name, stat_date, collected_at, total_bytes, row_count, smaller_tables, "
    "smaller_partitions, sizes_digest) values (%s, 'growing', %s, now(), %s, 2, 0, 0, 'x') returning 1"
)
READ = (
    "insert into table_size_stats (instance_id, database_name, schema_name, table_name, partition_name, kind, stat_date, until_date, "
    "total_bytes, method) values (%s, 'growing', 'public', %s, '', 'table', %s, %s, %s, 'x') returning 1"
)


def add_tables(fleet: FleetTest) -> None:
    """The tables of `growing`, as they were read on both days."""
    ensure_months(fleet.store, [BEFORE, DAY], ("table_size_observations", "table_size_stats"))
    instance_id = fleet.instances[0].instance_id
    for day, lines in ((BEFORE, 4 * MIB), (DAY, 7 * MIB)):
        query(fleet.store, OBSERVED, instance_id, day, lines + 2 * MIB)
        for name, size in (("lines", lines), ("still", 2 * MIB)):
            query(fleet.store, READ, instance_id, name, day, DAY if day == BEFORE else None, size)


def test_every_database_is_in_its_bar(fleet: FleetTest, store_environment: dict[str, str]) -> None:
    answer = json.loads(succeed(store_environment, "growth", "--since", "1d", "--by", "database", "--json"))
    assert {row["database_name"]: (row["bar"], row["change_bytes"] // MIB) for row in answer["databases"]} == {
        "growing": ("growth", 4),
        "shrinking": ("shrink", -1),
        "born": ("birth", 2),
        "dropped": ("death", -5),
        "hidden": ("gap_opened", -3),
        "shown": ("gap_closed", 1),
        "old": ("left", -7),
    }
    assert answer["change_bytes"] == -9 * MIB == sum(bar["change_bytes"] for bar in answer["bars"] if not bar["is_held"])
    held = {bar["bar"]: bar["change_bytes"] // MIB for bar in answer["bars"] if bar["is_held"]}
    assert held == {"growth": 4, "shrink": -1, "birth": 2, "death": -5, "first_known": 1, "left": -7}


def test_a_person_sees_bars_groups_tables_and_prices(fleet: FleetTest, store_environment: dict[str, str]) -> None:
    add_tables(fleet)
    shown = succeed(store_environment, "growth", "--since", "1d", "--tables")
    assert "-9.4 MB (-9,437,184 bytes)" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["sum", "-9.4", "MB", "-9,437,184"] in [line[:4] for line in lines]
    place = next(number for number, line in enumerate(lines) if line[1:2] == ["growing"])
    assert lines[place + 1][1:5] == ["public.lines", "table", "3.1", "MB"]
    assert "1.0 MB" in shown.splitlines()[place + 2]  # of which no table tells
    priced = {**store_environment, "WHALEFALL_PRICES": "env=prod:1024, 512"}
    groups = succeed(priced, "growth", "--since", "1d", "--by", "tag:env")
    row = next(line for line in groups.splitlines() if line.startswith("prod"))
    # 29 MiB, of which 3 are held, at 1024 a GiB; they were 28, and one that was shown for the first time is 1 of them
    assert row.split()[-2:] == ["29.00", "+1.00"]
    assert "(no tag)" in groups
    by_instance = succeed(store_environment, "growth", "--since", "1d", "--by", "instance", "--limit", "1")
    assert "1 other" in by_instance


def test_what_cannot_be_grouped_or_priced_is_refused(fleet: FleetTest, store_environment: dict[str, str]) -> None:
    assert "--by is 'tag'" in refused(store_environment, "growth", "--by", "tag")
    priced = {**store_environment, "WHALEFALL_PRICES": "prod:1"}
    assert "WHALEFALL_PRICES has 'prod:1'" in refused(priced, "growth", "--by", "instance")
    for text in ("a=b:-1", "much", "nan", "=b:1"):
        with pytest.raises(InputError):
            parse_prices(text)


def test_cents_add_up() -> None:
    thirds = [Decimal(10) / 3] * 3
    assert in_cents(thirds) == [Decimal("3.34"), Decimal("3.33"), Decimal("3.33")]
    assert sum(in_cents(thirds)) == 10


def test_the_asset_shows_the_waterfalls(fleet: FleetTest, dagster_instance: dg.DagsterInstance) -> None:
    add_tables(fleet)
    result = dg.materialize(
        [growth_of_day, bars_add_up],
        partition_key=str(DAY),
        resources={"whalefall": bound(fleet.store, settings=load_settings({}))},
        instance=dagster_instance,
    )
    (event,) = result.get_asset_materialization_events()
    shown = {name: str(value.value) for name, value in event.step_materialization_data.materialization.metadata.items()}
    assert "| sum | -9.4\N{NO-BREAK SPACE}MB | -9,437,184 | – | – | 7 |" in shown["waterfall of a day"]
    grown = "+4.2\N{NO-BREAK SPACE}MB"
    assert f"| growth | {grown} | 4,194,304 | {shown_change(0)} | {grown} | 1 |" in shown["waterfall of a day"]
    assert "| – | … public.lines | table | +3.1\N{NO-BREAK SPACE}MB | – |" in shown["databases of a day"]
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    query(fleet.store, "update instance_size_stats set total_bytes = total_bytes + 5 where stat_date = %s returning 1", DAY)
    repeated = dg.materialize(
        [growth_of_day, bars_add_up],
        partition_key=str(DAY),
        resources={"whalefall": bound(fleet.store, settings=load_settings({}))},
        instance=dagster_instance,
    )
    (check,) = repeated.get_asset_check_evaluations()
    assert (check.passed, check.description) == (False, "5 bytes of the change are in no bar")
