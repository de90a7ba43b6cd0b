"""`whalefall tables`: the largest tables of a database with their growth; `history.py` has the history of one."""

from collections.abc import Mapping
from typing import Any

import click

from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.tables import TableKind
from whalefall_pipelines.errors import SizesError, WhalefallError
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.sessions.collection import server_collection
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.tables.ask import split_table_target, tables_of
from whalefall_pipelines.tables.cli.coverage import coverage
from whalefall_pipelines.tables.cli.history import history
from whalefall_pipelines.tables.collect import TablesCollector
from whalefall_pipelines.tables.model import StoredTable, TablesOfDay, Wanted
from whalefall_pipelines.tables.settings import TablesSettings
from whalefall_pipelines.terminal.output import (
    FAILURE,
    PARTIAL,
    SUCCESS,
    Form,
    cell,
    format_bytes,
    leave,
    list_options,
    note,
    print_json,
    print_table,
)
from whalefall_pipelines.terminal.progress import error_console

_EXACT = (
    *("schema_name", "table_name", "partition_name", "kind", "total_bytes", "data_bytes", "index_bytes", "lob_bytes", "row_estimate"),
    *("change_bytes", "is_new", "method"),
)
_SHOWN = ("table", "kind", "total", "data", "index", "lob", "rows (est.)", "change")


class _ShowsByDefault(click.Group):
    """Takes what is no command for a database to show."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command `show` before the name of a database."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ShowsByDefault, subcommand_metavar="INSTANCE/DATABASE | history INSTANCE/DATABASE.SCHEMA.TABLE | coverage")
def tables() -> None:
    """Show the largest tables of a database."""


tables.add_command(history)
tables.add_command(coverage)


@tables.command()
@click.argument("target", metavar="INSTANCE/DATABASE")
@click.option("--refresh", is_flag=True, help="Ask the server now, and store the answer for today.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Maximum number of rows.")
@click.option("--schema", metavar="NAME", help="Show only the tables of this schema, or on Oracle of this owner.")
@click.option("--partitions", "with_partitions", is_flag=True, help="Also show table partitions; the row of their table contains them.")
@list_options
def show(*, target: str, refresh: bool, limit: int, schema: str | None, with_partitions: bool, form: Form) -> None:
    """Show the largest tables of a database, with their growth since the previous stored day.

    Exit codes: 0 success, 1 some tables have no size, 2 nothing can be shown.
    """
    settings = load_settings()
    with open_store(settings) as database:
        try:
            instance, database_name = split_table_target(database, target)
            if refresh:
                _refresh(settings, database, instance, database_name)
            answer = tables_of(database, instance, database_name, Wanted(schema, with_partitions, limit))
        except WhalefallError as error:
            if form is not Form.JSON:
                raise
            print_json({"code": error.code, "message": str(error)})
            leave(FAILURE)
    _print(answer, instance, database_name, form)
    leave(PARTIAL if answer.observation.missing else SUCCESS)


def _refresh(settings: Settings, database: Database, instance: Instance, database_name: str) -> None:
    """Read the tables now, without a session.

    Raises:
        TargetError: the server cannot be reached, or these tables cannot be read; the reason is stored.
    """
    (active,) = active_instances(database, [instance.name])
    with error_console().status(f"Asking {instance.name} …"):
        collector = TablesCollector(server_collection(settings, database), settings.of(TablesSettings).tables_at_most)
        outcome = collector.collect_instance(active, [database_name])
    if outcome.error:
        raise outcome.error
    (read,) = outcome.databases
    if read.reason:
        sentence = f"The tables of {instance.name}/{database_name} cannot be read ({read.reason}): {read.detail}"
        raise SizesError(sentence, reason=read.reason)


def _print(answer: TablesOfDay, instance: Instance, database_name: str, form: Form) -> None:
    observation, before = answer.observation, answer.before
    rows = [_row(answer, table) for table in answer.tables]
    if form is Form.JSON:
        print_json(
            {
                "code": "OPERATION_SUCCESS",
                "instance": instance.name,
                "database": database_name,
                "stat_date": observation.stat_date,
                "before_date": before.stat_date if before else None,
                "total_bytes": observation.total_bytes,
                "smaller_tables": observation.smaller_tables,
                "smaller_partitions": observation.smaller_partitions,
                "tables": rows,
                "missing": observation.missing,
            }
        )
        return
    if form is Form.CSV:
        print_table(_EXACT, rows, form=form)
        return
    since = f", change since {before.stat_date}" if before else ""
    click.echo(f"{cell(instance.name)}/{cell(database_name)} on {observation.stat_date}: {format_bytes(observation.total_bytes)}{since}\n")
    print_table(
        _SHOWN,
        [_shown(answer, table) for table in answer.tables],
        empty="No table.",
        droppable=("kind", "rows (est.)", "lob", "data", "index"),
    )
    for gap in observation.missing:
        note(f"missing: {_name(gap)} ({gap['reason']}): {gap['detail']}")
    if observation.smaller_partitions:
        smaller = counted(observation.smaller_partitions, "smaller table partition is", "smaller table partitions are")
        note(f"{smaller} not stored (WHALEFALL_TABLES_AT_MOST).")


def _row(answer: TablesOfDay, table: StoredTable) -> dict[str, object]:
    values = {name: getattr(table, name) for name in _EXACT if name not in {"change_bytes", "is_new"}}
    return {**values, "change_bytes": answer.change_bytes(table), "is_new": answer.is_new(table)}


def _shown(answer: TablesOfDay, table: StoredTable) -> dict[str, object]:
    change = answer.change_bytes(table)
    return {
        "table": _label(answer, table),
        "kind": table.kind,
        "total": format_bytes(table.total_bytes),
        "data": format_bytes(table.data_bytes),
        "index": format_bytes(table.index_bytes),
        "lob": format_bytes(table.lob_bytes),
        "rows (est.)": table.row_estimate,
        "change": f"{format_bytes(change)}{' (new)' if answer.is_new(table) else ''}",
    }


def _label(answer: TablesOfDay, table: StoredTable) -> str:
    if table.kind is TableKind.NO_TABLE:
        return "(in no table)"
    if table.kind is TableKind.SMALLER_TABLES:
        return f"({counted(answer.observation.smaller_tables or 0, 'smaller table')})"
    return _name({name: getattr(table, name) for name in ("schema_name", "table_name", "partition_name")})


def _name(names: Mapping[str, Any]) -> str:
    return ".".join(filter(None, (names["schema_name"], names["table_name"], names["partition_name"])))
