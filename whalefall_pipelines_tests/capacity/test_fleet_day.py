"""The day assets as Dagster runs them: single days, ranges, subsets, partial failure, and what people see of it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import dagster as dg

from whalefall_pipelines.capacity.assets import INVENTORY, SIZES, TOTALS, fleet_day
from whalefall_pipelines.capacity.checks import every_expected_database_has_a_size
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.dagster_base.runs import MOST_WARNINGS
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.sessions import SessionStatus, SyncType
from whalefall_pipelines.errors import UnreachableError
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.inventory.assets import instances
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.dagster_base.bound import bound, bound_servers
from whalefall_pipelines_tests.factories import FleetTest, query, server


def now_and_today() -> tuple[datetime, date]:
    now = datetime.now(UTC)
    return now, today(now, ZONE)


def run(
    fleet: FleetTest,
    dagster_instance: dg.DagsterInstance,
    first: date,
    last: date | None = None,
    *,
    select: list[dg.AssetKey] | None = None,
    run_config: dict[str, object] | None = None,
    tags: dict[str, str] | None = None,
    settings: dict[str, str] | None = None,
    succeeds: bool = True,
) -> dg.ExecuteInProcessResult:
    keys = select or [INVENTORY, SIZES, TOTALS]
    spans = {"dagster/asset_partition_range_start": str(first), "dagster/asset_partition_range_end": str(last)} if last else {}
    result = dg.materialize(
        [instances, fleet_day, every_expected_database_has_a_size],
        selection=dg.AssetSelection.assets(*keys),
        partition_key=None if last else str(first),
        tags=spans | (tags or {}),
        run_config=run_config or {},
        resources={
            "whalefall": bound(fleet.store, settings=load_settings(settings or {})),
            "servers": bound_servers(fleet.store, fleet.collection),
        },
        instance=dagster_instance,
        raise_on_error=succeeds,
    )
    assert result.success == succeeds
    return result


def metadata(result: dg.ExecuteInProcessResult, key: dg.AssetKey) -> dict[str, dict[str, object]]:
    by_day: dict[str, dict[str, object]] = {}
    for event in result.get_asset_materialization_events():
        materialization = event.step_materialization_data.materialization
        if materialization.asset_key == key:
            by_day[str(materialization.partition)] = {name: value.value for name, value in materialization.metadata.items()}
    return by_day


def session_of(fleet: FleetTest, result: dg.ExecuteInProcessResult, dagster_instance: dg.DagsterInstance) -> sessions.Session:
    stored = dagster_instance.get_run_by_id(result.run_id)
    assert stored is not None
    return sessions.get_session(fleet.store, UUID(stored.tags["whalefall/session_id"]))


def test_today_is_measured_and_shown(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    now, day = now_and_today()
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "shop": 500}), "b": server({"crm": 1})}, now=now)
    result = run(fleet, dagster_instance, day, select=[dg.AssetKey("instances"), INVENTORY, SIZES, TOTALS])
    shown = metadata(result, SIZES)[str(day)]
    assert (shown["databases"], shown["total_bytes"], shown["missing"], shown["measured"]) == (3, 1501, 0, 3)
    assert "change_bytes" not in shown  # unknown is not 0
    assert "| a | app | 1.0\N{NO-BREAK SPACE}kB | – |" in str(shown["largest"])
    assert metadata(result, TOTALS)[str(day)]["instances"] == 2
    assert metadata(result, INVENTORY)[str(day)]["created"] == 3
    session = session_of(fleet, result, dagster_instance)
    assert shown["session_id"] == str(session.session_id)
    assert (session.run_id, session.status, session.sync_type) == (result.run_id, SessionStatus.COMPLETED, SyncType.MANUAL_TASK)
    (check,) = result.get_asset_check_evaluations()
    assert check.passed


def test_missing_sizes_fail_the_check_by_name_but_the_day_is_materialized(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    now, day = now_and_today()
    dead = server(refusal=UnreachableError("no route", reason="timeout"))
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "crm": 500, "secret": None}), "dead": dead}, now=now)
    result = run(fleet, dagster_instance, day)
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.ERROR
    assert check.description == "2 missing: a/secret (no_permission), dead/* (timeout)"
    shown = metadata(result, SIZES)[str(day)]
    assert list(shown)[:2] == ["missing", "missing, with reasons"]
    assert shown["missing"] == 2
    assert (shown["held_total_bytes"], shown["held_total_gb"]) == (1500, 0.000002)
    assert str(shown["missing, with reasons"]).splitlines() == [
        r"- **a**: secret (no\_permission)",
        "",
        r"  GRANT pg\_monitor TO monitor;",
        "- **dead**: (never listed) (timeout)",
        "",
        "  no route",
    ]
    assert session_of(fleet, result, dagster_instance).status is SessionStatus.FAILED
    (finished,) = dagster_instance.get_runs()
    assert {name: finished.tags[name] for name in ("days", "missing")} == {"days": str(day), "missing": "2 of 4"}


def test_a_day_below_the_required_coverage_is_red_until_a_retry_heals_it(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    now, day = now_and_today()
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "x": None, "y": None})}, now=now)
    result = run(fleet, dagster_instance, day, succeeds=False)
    (failure,) = (event.step_failure_data for event in result.all_events if event.is_step_failure)
    assert failure.user_failure_data is not None
    assert f"{day}: too few of the expected databases were measured" in str(failure.user_failure_data.description)
    assert "Missing: 2." in str(failure.user_failure_data.description)
    assert "missing, with reasons" in failure.user_failure_data.metadata
    assert metadata(result, SIZES) == {}
    assert fleet.sizes(day) == {("a", "app"): 1000}  # what was measured is stored
    assert session_of(fleet, result, dagster_instance).error_code is None

    fleet.servers["a"] = server({"app": 1000, "x": 1, "y": None})
    healed = run(fleet, dagster_instance, day)
    assert metadata(healed, SIZES)[str(day)]["missing"] == 1
    assert dagster_instance.get_materialized_partitions(SIZES) == {str(day)}


def test_the_required_coverage_is_a_setting(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    now, day = now_and_today()
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "x": 1, "y": None})}, now=now)
    run(fleet, dagster_instance, day, settings={"WHALEFALL_FAIL_BELOW_COVERAGE": "0.7"}, succeeds=False)
    fleet.servers["a"] = server({"app": None})
    run(fleet, dagster_instance, day, settings={"WHALEFALL_FAIL_BELOW_COVERAGE": "0"})


def test_a_range_with_a_red_day_materializes_its_other_days(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    now, day = now_and_today()
    before, yesterday = day - timedelta(days=2), day - timedelta(days=1)
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "x": 1})}, now=now - timedelta(days=2))
    fleet.collect(before)
    fleet.now = now
    fleet.servers["a"] = server(refusal=UnreachableError("no route", reason="timeout"))
    run(fleet, dagster_instance, before, day, succeeds=False)
    assert dagster_instance.get_materialized_partitions(SIZES) == {str(before), str(yesterday)}


def test_a_plot_of_the_total_does_not_dip_when_a_server_is_silent(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    now, day = now_and_today()
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000}), "b": server({"crm": 500})}, now=now - timedelta(days=1))
    fleet.collect(day - timedelta(days=1))
    fleet.now = now
    fleet.servers["b"].refusal = UnreachableError("no route", reason="timeout")
    shown = metadata(run(fleet, dagster_instance, day), SIZES)[str(day)]
    assert "total_bytes" not in shown
    assert (shown["held_total_bytes"], shown["held_total_gb"]) == (1500, 0.000002)


def test_a_day_without_notices_or_growth_shows_no_empty_tables(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    now, day = now_and_today()
    shown = metadata(run(FleetTest(store, tmp_path, {"a": server({"app": 1000})}, now=now), dagster_instance, day), SIZES)[str(day)]
    assert not {"notices", "missing, with reasons", "fastest growing"} & shown.keys()


def test_databases_of_an_instance_that_are_missing_for_the_same_reason_share_a_line(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    now, day = now_and_today()
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1, "crm": 2}), "b": server({"c": 1, "d": 1})}, now=now - timedelta(days=1))
    fleet.collect(day - timedelta(days=1))
    fleet.now = now
    fleet.servers["b"].refusal = UnreachableError("no route", reason="timeout")
    shown = metadata(run(fleet, dagster_instance, day), SIZES)[str(day)]
    assert str(shown["missing, with reasons"]).splitlines() == ["- **b**: c, d (timeout)", "", "  no route"]


def test_a_notice_about_a_database_that_was_measured_is_shown(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    now, day = now_and_today()
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000})}, now=now)
    fleet.servers["a"].notices = {"app": "an interrupted DROP DATABASE left it"}
    shown = metadata(run(fleet, dagster_instance, day), SIZES)[str(day)]
    assert "| a | app | an interrupted DROP DATABASE left it |" in str(shown["notices"])


def test_a_range_shows_each_day_its_own_figures_and_measures_only_today(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    now, day = now_and_today()
    before, yesterday = day - timedelta(days=2), day - timedelta(days=1)
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "shop": 5})}, now=now - timedelta(days=2))
    fleet.collect(before)
    fleet.now = now
    fleet.servers["a"] = server({"app": 1300, "shop": 5})
    result = run(fleet, dagster_instance, before, day)
    shown = metadata(result, SIZES)
    assert {key: value["databases"] for key, value in shown.items()} == {str(before): 2, str(yesterday): 2, str(day): 2}
    assert {key: value["measured"] for key, value in shown.items()} == {str(before): 2, str(yesterday): 0, str(day): 2}
    assert {key: value["estimated"] for key, value in shown.items()} == {str(before): 0, str(yesterday): 2, str(day): 0}
    assert {key for key, value in shown.items() if "seconds" in value} == {str(day)}
    assert fleet.sizes(before) == {("a", "app"): 1000, ("a", "shop"): 5}
    assert fleet.sizes(yesterday) == {("a", "app"): 1150, ("a", "shop"): 5}
    assert fleet.gaps(yesterday) == {}
    assert fleet.sizes(day) == {("a", "app"): 1300, ("a", "shop"): 5}
    session = session_of(fleet, result, dagster_instance)
    assert (session.first_day, session.last_day, session.sync_type) == (before, day, SyncType.BACKFILL)
    (check,) = result.get_asset_check_evaluations()
    assert check.passed
    assert dagster_instance.get_materialized_partitions(SIZES) == {str(before), str(yesterday), str(day)}


def test_a_past_day_keeps_its_measured_sizes(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    now, day = now_and_today()
    old = day - timedelta(days=5)
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000})}, now=now - timedelta(days=5))
    fleet.collect(old)
    before = query(store, "select * from database_size_stats")
    fleet.now = now
    fleet.servers["a"] = server({"app": 9999})
    result = run(fleet, dagster_instance, old)
    assert fleet.servers["a"].probes == 0
    assert query(store, "select * from database_size_stats") == before
    assert session_of(fleet, result, dagster_instance).skipped_instances == 1


def test_the_inventory_alone_lists_and_does_not_measure(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    now, day = now_and_today()
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000})}, now=now)
    result = run(fleet, dagster_instance, day, select=[INVENTORY])
    assert set(metadata(result, INVENTORY)) == {str(day)}
    assert metadata(result, SIZES) == {}
    assert query(store, "select database_name from instance_databases") == [("app",)]
    assert fleet.sizes(day) == {}


def test_the_totals_alone_are_recomputed_from_the_stored_day(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    now, day = now_and_today()
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000})}, now=now)
    fleet.collect(day)
    with store.transaction() as cursor:
        cursor.execute("update instance_size_stats set total_bytes = 7")
    run(fleet, dagster_instance, day, select=[TOTALS])
    assert query(store, "select total_bytes from instance_size_stats") == [(1000,)]
    assert fleet.servers["a"].probes == 1


def test_only_the_named_instances_are_probed(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    now, day = now_and_today()
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1}), "b": server({"app": 2})}, now=now)
    result = run(fleet, dagster_instance, day, run_config={"ops": {"fleet_day": {"config": {"instances": ["b"]}}}})
    assert fleet.sizes(day) == {("b", "app"): 2}
    assert session_of(fleet, result, dagster_instance).sync_type is SyncType.MANUAL_BATCH


def test_a_scheduled_run_and_a_given_session_id_are_recognised(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    now, day = now_and_today()
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1})}, now=now)
    wanted = "11111111-2222-3333-4444-555555555555"
    result = run(fleet, dagster_instance, day, tags={"whalefall/session_id": wanted, "dagster/schedule_name": "collect_every_night"})
    session = session_of(fleet, result, dagster_instance)
    assert (str(session.session_id), session.sync_type) == (wanted, SyncType.SCHEDULED_TASK)


def test_hostile_names_stay_in_their_table_cell(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    now, day = now_and_today()
    fleet = FleetTest(store, tmp_path, {"a|b": server({"x\n| y": 1000, "<script>": 2})}, now=now)
    result = run(fleet, dagster_instance, day)
    lines = str(metadata(result, SIZES)[str(day)]["largest"]).splitlines()
    assert len(lines) == 4
    assert "\\<script\\>" in lines[3]


def test_the_log_of_a_run_does_not_grow_with_its_fleet_and_names_what_failed(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    now, day = now_and_today()
    refusal = UnreachableError("refused", reason="connection_refused")
    servers = {f"server {number}": server() for number in range(30)} | {
        "down": server(refusal=refusal),
        "half": server({"a": 1, "b": None, "c": 1}),
    }
    result = run(FleetTest(store, tmp_path, servers, now=now), dagster_instance, day)
    lines = [entry.user_message for entry in dagster_instance.all_logs(result.run_id) if not entry.is_dagster_event]
    assert sorted(line.partition(":")[0] for line in lines) == [str(day), "32 of 32 instances done, 2 with a problem", "down", "half"]
    assert f"{day}: databases missing: 2 of 64" in lines


def test_a_fleet_that_is_completely_down_is_summarized(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    now, day = now_and_today()
    refusal = UnreachableError("refused", reason="connection_refused")
    servers = {f"server {number}": server(refusal=refusal) for number in range(MOST_WARNINGS + 10)}
    fleet = FleetTest(store, tmp_path, servers, now=now)
    fleet.deadlines = Deadlines(instance_seconds=0)
    run(fleet, dagster_instance, day, succeeds=False)
    (finished,) = dagster_instance.get_runs()
    lines = [entry.user_message for entry in dagster_instance.all_logs(finished.run_id) if not entry.is_dagster_event]
    assert len(lines) == MOST_WARNINGS + 4  # Dagster adds one for the check that is not executed
    assert f"{len(servers)} of {len(servers)} instances done, {len(servers)} with a problem" in lines
