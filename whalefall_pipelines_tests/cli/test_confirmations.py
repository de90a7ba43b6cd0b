"""Destructive commands: they do exactly what a person saw and confirmed, and without a terminal only --yes confirms."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.months import Month, months_between
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_month, read_catalogue
from whalefall_pipelines_tests.cli.commands import everything, succeed, whalefall
from whalefall_pipelines_tests.cli.terminals import at_a_terminal
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import query, register

TABLE = "instance_size_stats"


@pytest.fixture
def overdue(store: Database) -> Month:
    """The only overdue month, beside those that are kept."""
    day = today(datetime.now(UTC), TIMEZONE)
    this_month = Month(day.year, day.month)
    for month in months_between(this_month.plus(-13), this_month):
        ensure_month(store, TABLE, month)
    return this_month.plus(-13)


def months(store: Database) -> list[Month | None]:
    return [partition.month for partition in read_catalogue(store, [TABLE])]


@pytest.mark.process
def test_an_expiry_drops_the_plan_that_was_confirmed_and_no_other(
    store: Database, store_environment: dict[str, str], tmp_path: Path, overdue: Month
) -> None:
    def another() -> None:
        ensure_month(store, TABLE, overdue.plus(-1))

    code, shown = at_a_terminal(store_environment, tmp_path, "partitions", "expire", typed="y\n", meanwhile=another)
    assert (code, "changed after the plan was shown" in shown) == (2, True), shown
    assert {overdue, overdue.plus(-1)} <= set(months(store))
    code, shown = at_a_terminal(store_environment, tmp_path, "partitions", "expire", typed="n\n")
    assert (code, "Nothing was changed" in shown) == (2, True), shown
    assert {overdue, overdue.plus(-1)} <= set(months(store))
    code, shown = at_a_terminal(store_environment, tmp_path, "partitions", "expire", typed="y\n")
    assert (code, len(months(store))) == (0, 13), shown


@pytest.mark.process
def test_a_month_that_received_rows_while_its_plan_was_read_is_still_the_confirmed_one(
    store: Database, store_environment: dict[str, str], tmp_path: Path, overdue: Month
) -> None:
    def grow() -> None:
        rows = (
            f"insert into {TABLE} select n, '{overdue.first_day}', 1, 1, 1, now(), 'measured' from generate_series(1, 9999) n returning 1"
        )
        query(store, rows)

    code, shown = at_a_terminal(store_environment, tmp_path, "partitions", "expire", typed="y\n", meanwhile=grow)
    assert (code, overdue in months(store)) == (0, False), shown


@pytest.mark.process
def test_an_instance_that_was_changed_while_a_person_looked_at_it_is_not_removed(
    store: Database, store_environment: dict[str, str], tmp_path: Path
) -> None:
    register(store, "a", "b")

    def move() -> None:
        query(store, "update instances set host = 'elsewhere' where name = 'b' returning 1")

    code, shown = at_a_terminal(store_environment, tmp_path, "instances", "remove", "a", "b", typed="y\n", meanwhile=move)
    assert (code, "none was removed" in shown) == (2, True), shown
    assert len(active_instances(store)) == 2
    code, shown = at_a_terminal(store_environment, tmp_path, "instances", "remove", "a", "b", typed="y\n")
    assert (code, active_instances(store)) == (0, ()), shown


@pytest.mark.parametrize(
    "arguments",
    [["partitions", "expire"], ["partitions", "expire", "--json"], ["instances", "remove", "a"], ["instances", "import"]],
    ids=" ".join,
)
def test_without_a_terminal_only_yes_confirms(
    store: Database, store_environment: dict[str, str], tmp_path: Path, overdue: Month, arguments: Sequence[str]
) -> None:
    register(store, "a")
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text("- {name: b, engine: mysql, host: h, username: u}")
    command = [*arguments, str(fleet)] if "import" in arguments else arguments
    before = (months(store), query(store, "select name, host, deleted_at from instances"))
    result = whalefall(store_environment, *command)
    assert (result.exit_code, "--yes" in result.stderr) == (2, True), everything(result)
    assert (months(store), query(store, "select name, host, deleted_at from instances")) == before
    succeed(store_environment, *command, "--yes")
    assert (months(store), query(store, "select name, host, deleted_at from instances")) != before
