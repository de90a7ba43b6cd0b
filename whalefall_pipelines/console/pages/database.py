"""One database: its size by day with the origin of each number and its forecast, its periods, its steps, and the tables inside it."""

from datetime import date, timedelta

from whalefall_pipelines.aggregation.listing import DatabasePeriod, PeriodFilter, list_database_periods
from whalefall_pipelines.capacity.answers import HistoryDay
from whalefall_pipelines.capacity.ask import history
from whalefall_pipelines.console.blocks import (
    Block,
    Field,
    Links,
    Note,
    Page,
    Search,
    Table,
    Tone,
    Value,
    change,
    day,
    number,
    size,
    text,
    yes_or_no,
)
from whalefall_pipelines.console.pages.history import DAYS, Outlook, changes_table, forecast_table, history_picture
from whalefall_pipelines.console.urls import explanation_url, server_url
from whalefall_pipelines.domain.filters import FleetFilter
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.periods import PeriodType
from whalefall_pipelines.domain.quantities import round_size
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.forecasts.ask import series_outlook
from whalefall_pipelines.inventory.fleet import show_instance
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.tables.ask import tables_of
from whalefall_pipelines.tables.model import StoredTable, TablesOfDay, Wanted

_PERIODS, _TABLES = 36, 50


def database_page(database: Database, today: date, instance_name: str, database_name: str, days: int = DAYS) -> Page:
    """The page of a database.

    Raises:
        NotFoundError: the instance is not registered, it has no such database, or nothing was measured yet.
    """
    title = f"{instance_name}/{database_name}"
    server = Links([text(f"Server {instance_name}", server_url(instance_name))])
    try:
        answer = history(database, today, title, timedelta(days=days))
    except InputError as error:
        return Page(title, "There is no history to show.", [Note(Tone.WARNING, "One day is not a history.", str(error)), server])
    instance = show_instance(database, instance_name)[0].instance
    forecasts, changes = series_outlook(database, instance.instance_id, database_name, answer.first_day)
    outlook = Outlook(forecasts, changes, lambda stat_date: explanation_url(instance_name, database_name, stat_date))
    hidden = (Field("server", "", instance_name, kind="hidden"), Field("name", "", database_name, kind="hidden"))
    blocks: list[Block] = [server, Search("Show", [*hidden, Field("days", "Days", str(days), kind="number")])]
    if answer.rows:
        blocks.append(history_picture(title, answer.rows, None, outlook))
    blocks += [forecast_table(forecasts), changes_table(changes), _periods(database, instance, database_name, today)]
    blocks.append(_tables(database, instance, database_name))
    return Page(title, _answer(answer.rows), blocks)


def _answer(days: tuple[HistoryDay, ...]) -> str:
    known = [row for row in days if row.is_complete and row.total_bytes is not None]
    if not known:
        return "No size is known for these days."
    first, last = known[0], known[-1]
    grown = (last.total_bytes or 0) - (first.total_bytes or 0)
    moved = f"{'grew' if grown >= 0 else 'shrank'} by {round_size(abs(grown))}"
    return f"{round_size(last.total_bytes or 0)} on {last.stat_date}; it {moved} since {first.stat_date}."


def _periods(database: Database, instance: Instance, database_name: str, today: date) -> Table:
    wanted = PeriodFilter(PeriodType.MONTHLY, FleetFilter((instance.instance_id,)), database_name=database_name)
    after = {"after_start": None, "after_id": None, "after_name": None}
    rows = list_database_periods(database, wanted, after, {"skipped": 0, "most": _PERIODS}, today)
    columns = ("Month", "Average", "Smallest", "Largest", "Change", "Percent", "Days known", "Days expected", "Final")
    return Table("periods", "Months", columns, [_period(row) for row in rows], "No month was computed yet.")


def _period(row: DatabasePeriod) -> tuple[Value, ...]:
    return (
        day(row.period_start),
        size(row.avg_bytes),
        size(row.min_bytes),
        size(row.max_bytes),
        change(row.change_bytes),
        number(None if row.change_percent is None else float(row.change_percent), " %"),
        number(row.data_count),
        number(row.expected_count),
        yes_or_no(row.is_final),
    )


def _tables(database: Database, instance: Instance, database_name: str) -> Block:
    try:
        read = tables_of(database, instance, database_name, Wanted(most=_TABLES))
    except NotFoundError as error:
        return Note(Tone.WARNING, "Its tables were not read yet.", str(error))
    since = f", change since {read.before.stat_date}" if read.before else ""
    title = f"Largest tables on {read.observation.stat_date}{since}"
    return Table(
        "tables", title, ("Schema", "Table", "Size", "Change", "Rows (estimate)", "Kind"), [_table(read, row) for row in read.tables]
    )


def _table(read: TablesOfDay, row: StoredTable) -> tuple[Value, ...]:
    return (
        text(row.schema_name or None),
        text(row.table_name or "(no table)"),
        size(row.total_bytes),
        change(read.change_bytes(row)),
        number(row.row_estimate),
        text(row.kind),
    )
