"""The doctor on real stores: what it reports, what it leaves alone, and that it writes nothing."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from whalefall_pipelines.doctor.examine import examine, is_reached
from whalefall_pipelines.doctor.examined import Installation
from whalefall_pipelines.doctor.outcome import Outcome, Severity
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError
from whalefall_pipelines.fleet.fake import FakeFleet, FakeServer
from whalefall_pipelines.retention.maintain_table_partitions import create_table_partitions
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import query, register, server

_numbers = itertools.count()


@pytest.fixture
def installed(store: Database, store_environment: dict[str, str], postgres_server: PostgresCluster) -> Iterator[Installation]:
    """A store with its months, and an empty database in the place of Dagster's."""
    name = f"doctors_dagster_{next(_numbers)}"
    administer(postgres_server, f"create database {name}")
    configured = load_settings(store_environment | {"WHALEFALL_DAGSTER_DATABASE_URL": postgres_server.url(name)})
    create_table_partitions(store, configured, today(datetime.now(UTC), configured.timezone))
    yield Installation(configured, fleet=FakeFleet({}))
    administer(postgres_server, f"drop database {name} with (force)")


def bad(installation: Installation) -> dict[str, Outcome]:
    """The outcomes that are not fine, by check, except for Dagster's empty database."""
    return {
        outcome.check: outcome for outcome in examine(installation) if outcome.severity is not Severity.OK and outcome.check != "daemon"
    }


def with_fleet(installation: Installation, store: Database, **servers: FakeServer) -> Installation:
    register(store, *servers)
    return replace(installation, fleet=FakeFleet(servers))


def test_a_store_that_is_in_order_has_no_problem_and_nothing_is_written(store: Database, installed: Installation) -> None:
    shown: list[tuple[int, int]] = []
    whole = replace(with_fleet(installed, store, a=server(), b=server()), on_progress=lambda done, total: shown.append((done, total)))
    before = query(store, "select pg_snapshot_xmax(pg_current_snapshot())")
    outcomes = {outcome.check: outcome.severity for outcome in examine(whole)}
    assert query(store, "select pg_snapshot_xmax(pg_current_snapshot())") == before, "a transaction wrote something"
    assert outcomes.pop("daemon") is Severity.PROBLEM
    assert outcomes == dict.fromkeys(
        ("store", "schema", "time zone", "table partitions", "sessions", "alerts", "secrets", "instances"), Severity.OK
    )
    assert shown == [(1, 2), (2, 2)]


def test_an_empty_dagster_database_is_a_problem_with_the_command_that_fills_it(installed: Installation) -> None:
    (outcome,) = [outcome for outcome in examine(installed) if outcome.check == "daemon"]
    assert outcome.severity is Severity.PROBLEM
    assert "whalefall store migrate" in (outcome.next_step or "")


def test_a_missing_dagster_database_is_a_problem_and_the_rest_is_still_checked(store: Database, installed: Installation) -> None:
    gone = replace(
        installed, settings=installed.settings.model_copy(update={"dagster_database_url": "postgresql://nobody@127.0.0.1:9/dagster"})
    )
    outcomes = {outcome.check: outcome for outcome in examine(gone)}
    daemon = outcomes["daemon"]
    assert (daemon.severity, "instances" in outcomes) == (Severity.PROBLEM, True)
    assert "127.0.0.1:9/dagster" in daemon.sentence
    assert "WHALEFALL" not in daemon.sentence
    assert "correct WHALEFALL_DAGSTER_DATABASE_URL" in (daemon.next_step or "")
    assert "WHALEFALL_DATABASE_URL" not in (daemon.next_step or "")


def test_an_unnamed_dagster_database_is_looked_for_beside_the_store(installed: Installation) -> None:
    (outcome,) = [
        outcome
        for outcome in examine(replace(installed, settings=installed.settings.model_copy(update={"dagster_database_url": None})))
        if outcome.check == "daemon"
    ]
    assert 'database "dagster" does not exist' in outcome.sentence
    assert outcome.next_step == (
        "run `whalefall store migrate`, which creates it if it is missing, or set "
        "WHALEFALL_DAGSTER_DATABASE_URL to the database in your dagster.yaml."
    )


def test_an_unreachable_store_ends_the_checks(installed: Installation) -> None:
    away = replace(
        installed, settings=installed.settings.model_copy(update={"database_url": "postgresql://nobody:hidden@127.0.0.1:9/whalefall"})
    )
    (outcome,) = examine(away)
    assert (outcome.check, outcome.severity) == ("store", Severity.PROBLEM)
    assert "cannot be reached: " in outcome.sentence
    assert outcome.sentence.endswith("refused.")
    assert outcome.next_step == "start that server, or correct WHALEFALL_DATABASE_URL."
    assert not is_reached([outcome])


def test_an_embedded_store_that_never_ran_is_not_started(tmp_path: Path) -> None:
    (outcome,) = examine(Installation(load_settings({"WHALEFALL_HOME": str(tmp_path / "home")})))
    assert (outcome.severity, outcome.sentence) == (Severity.PROBLEM, f"There is no store in {tmp_path / 'home'} yet.")
    assert outcome.next_step == "run `whalefall store start` to create one, or set a different WHALEFALL_HOME."
    assert not (tmp_path / "home").exists()


def test_pending_migrations_are_a_problem_and_are_not_applied(store: Database, installed: Installation) -> None:
    with store.transaction() as cursor:
        cursor.execute("delete from schema_migrations where version = (select max(version) from schema_migrations)")
    before = query(store, "select count(*) from schema_migrations")
    outcomes = list(examine(installed))
    assert [(outcome.check, outcome.severity) for outcome in outcomes] == [
        ("store", Severity.OK),
        ("schema", Severity.PROBLEM),
        ("daemon", Severity.PROBLEM),
    ]
    assert "whalefall store migrate" in (outcomes[1].next_step or "")
    assert query(store, "select count(*) from schema_migrations") == before


def test_a_newer_schema_is_not_to_be_migrated_but_needs_the_newer_program(store: Database, installed: Installation) -> None:
    with store.transaction() as cursor:
        cursor.execute("insert into schema_migrations (version, name, checksum) values (9999, '9999_later', repeat('0', 64))")
    assert bad(installed)["schema"].next_step == "install the newer whalefall."


@pytest.mark.parametrize("command", ["set timezone to 'Europe/Berlin'", "reset timezone"])
def test_another_time_zone_of_the_database_is_a_problem(
    store: Database, installed: Installation, postgres_server: PostgresCluster, command: str
) -> None:
    administer(postgres_server, f"alter database {store.url.database} {command}")
    assert bad(installed)["time zone"].severity is Severity.PROBLEM


def test_a_missing_month_is_reported(store: Database, installed: Installation) -> None:
    (name,) = query(store, "select max(relid::text) from pg_partition_tree('instance_size_stats') where isleaf")[0]
    with store.transaction() as cursor:
        cursor.execute(f"drop table {name}")
    outcome = bad(installed)["table partitions"]
    assert (outcome.severity, str(name) in outcome.sentence) == (Severity.WARNING, True)


def test_a_session_whose_process_is_gone_is_reported(store: Database, installed: Installation) -> None:
    with store.transaction() as cursor:
        cursor.execute(
            "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day) "
            "values (gen_random_uuid(), 'capacity', 'manual_task', '2026-11-01', '2026-11-01')"
        )
    assert "sessions" not in bad(installed)
    assert bad(replace(installed, dead_after_seconds=0))["sessions"].severity is Severity.PROBLEM


def test_an_unreadable_password_is_reported_by_the_name_of_its_login(store: Database, installed: Installation) -> None:
    whole = with_fleet(installed, store, a=server())
    with store.transaction() as cursor:
        cursor.execute("update credentials set secret = 'env:MONITOR_NOWHERE'")
    outcomes = bad(whole)
    assert outcomes["secrets"].sentence.endswith("'MONITOR_NOWHERE' is not set or empty.")
    assert outcomes["secrets"].next_step == "set it here, and where Dagster's code server runs."
    assert (outcomes["instances"].severity, outcomes["instances"].next_step) == (Severity.PROBLEM, "follow the advice for secrets.")
    assert set(bad(replace(whole, with_instances=False))) == {"secrets", "alerts"}  # nor was this fleet ever collected


def test_each_server_answers_for_itself(store: Database, installed: Installation) -> None:
    refusal = LoginRejectedError("PostgreSQL at h:1 rejects the login; check the credential.", reason=Reason.AUTHENTICATION_FAILED)
    whole = with_fleet(installed, store, fine=server(), wrong=server(refusal=refusal), poor=server({"app": 1, "secret": None}))
    outcomes = [(outcome.sentence.partition(":")[0], outcome.severity) for outcome in examine(whole) if outcome.check == "instances"]
    assert outcomes == [
        ("wrong", Severity.PROBLEM),
        ("poor", Severity.PROBLEM),
        ("1 of 3 is reachable with all privileges.", Severity.OK),
    ]
    assert bad(whole)["instances"].next_step


def test_without_instances_no_server_is_probed(store: Database, installed: Installation) -> None:
    target = server()
    whole = with_fleet(installed, store, a=target)
    assert "instances" not in {finding.check for finding in examine(replace(whole, with_instances=False))}
    assert target.probes == 0
