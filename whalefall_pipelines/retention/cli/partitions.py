"""`whalefall partitions`: what maintenance of the table partitions would do, doing it by hand, and getting an archived month back."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import click

from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.months import TablePartition, months_of
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.retention.archive import restore_archive
from whalefall_pipelines.retention.list_table_partitions import list_table_partitions
from whalefall_pipelines.retention.maintain_table_partitions import (
    Outcome,
    create_table_partitions,
    expire_table_partitions,
    plan,
    plan_additions,
    refuse_too_many,
)
from whalefall_pipelines.retention.maintenance import Step, StepKind, added_by, expired_by
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.terminal.output import (
    FAILURE,
    PARTIAL,
    SUCCESS,
    format_bytes,
    json_option,
    leave,
    note,
    print_json,
    print_table,
    yes_or_no,
)
from whalefall_pipelines.terminal.questions import confirm

dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")


@click.group()
def partitions() -> None:
    """Maintain the monthly table partitions by hand."""


@partitions.command("plan")
@click.option("--all", "is_whole", is_flag=True, help="Show the months that stay as they are, too.")
@json_option
def show_plan(*, is_whole: bool, as_json: bool) -> None:
    """Show what maintenance would do today.

    It would create, finalize, and expire; it keeps what its periods still need (hold), and names what is in its way (conflict).

    Exit codes: 0 nothing is held or in the way, 1 something is.
    """
    settings = load_settings()
    with open_store(settings) as database:
        steps = plan(database, settings, _today(database))
    shown = [step for step in steps if is_whole or step.kind is not StepKind.KEEP]
    _print_steps(shown, as_json=as_json, empty=f"Nothing is to be done: all {len(steps)} table partitions stay as they are.")
    leave(PARTIAL if any(step.kind in {StepKind.CONFLICT, StepKind.HOLD} for step in steps) else SUCCESS)


@partitions.command("list")
@click.option("--exact", is_flag=True, help="Count the rows, which reads them all, instead of showing PostgreSQL's estimate.")
@json_option
def show_list(*, exact: bool, as_json: bool) -> None:
    """List every table partition, with its bounds, size and rows."""
    with open_store(load_settings()) as database:
        partitions_with_rows = list_table_partitions(database, is_exact=exact)
    rows = [_row(partition, rows, as_json=as_json) for partition, rows in partitions_with_rows]
    columns = list(rows[0]) if rows else []
    print_table(columns, rows, as_json=as_json, empty="No month exists yet: `whalefall partitions create` makes the first ones.")


@partitions.command()
@click.option(
    "--month",
    "days",
    type=click.DateTime(["%Y-%m"]),
    metavar="YYYY-MM",
    multiple=True,
    help="A month more, for data that is to be loaded. Repeatable.",
)
@dry_run_option
@json_option
def create(days: Sequence[datetime], *, dry_run: bool, as_json: bool) -> None:
    """Create this month and those ahead, and fill holes.

    In all four tables; nothing is dropped.

    Exit codes: 0 all is there, 1 a part could not be created, 2 none of it.
    """
    settings = load_settings()
    months = months_of(days)
    with open_store(settings) as database:
        if dry_run:
            steps = added_by(plan_additions(database, settings, _today(database), months))
            _print_steps(steps, as_json=as_json, empty="Nothing is to be created.")
            return
        outcomes = create_table_partitions(database, settings, _today(database), months).outcomes
        oldest_kept = months_of([_today(database)])[0].plus(-settings.retention_months)
    for month in months:
        if month < oldest_kept:
            note(f"{month} is older than {oldest_kept}, the oldest month of sizes that is kept: it was not made there.")
    _finish(outcomes, as_json=as_json, empty="Nothing was to be created.")


@partitions.command()
@dry_run_option
@click.option("--yes", is_flag=True, help="Do not ask, and drop more than WHALEFALL_EXPIRE_AT_MOST at once. Needed without a terminal.")
@json_option
def expire(*, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Drop the months that are older than their retention.

    They are archived before where WHALEFALL_ARCHIVE_DIR is set. A month of aggregations is pruned first: its days, which are kept as
    long as the sizes that they repeat, go, and its weeks, months and quarters stay. What is taken away is what the plan shows: when the
    months change while a person reads it, nothing is.

    Exit codes: 0 all of them are gone, 1 a part is, 2 none.
    """
    settings = load_settings()
    with open_store(settings) as database:
        planned = plan(database, settings, _today(database))
        steps, held = expired_by(planned), [step for step in planned if step.kind is StepKind.HOLD]
        if dry_run or (steps and not as_json):
            _print_steps([*steps, *held], as_json=as_json, empty="Nothing is to be expired.")
        if dry_run:
            return
        refuse_too_many(steps, settings, beyond_limit=yes)
        if steps:
            if as_json and not yes:
                raise InputError(
                    "Nothing was dropped, because --json shows no plan to confirm: look at it with --dry-run, then give --yes."
                )
            where = f", archived to {settings.archive_dir}" if settings.archive_dir else ", without an archive"
            confirm(f"Drop or prune these {len(steps)} table partitions{where}?", is_confirmed=yes)
        outcomes = expire_table_partitions(database, settings, _today(database), confirmed=planned, beyond_limit=yes).outcomes
    _finish(outcomes, as_json=as_json, empty="Nothing was to be expired.")


@partitions.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def restore(file: Path, *, as_json: bool) -> None:
    """Make an archived month again, with all its rows. A month that exists is never written over."""
    with open_store(load_settings()) as database:
        manifest = restore_archive(database, file)
    if as_json:
        print_json({"table": manifest.table_name, "month": manifest.month, "rows": manifest.rows})
    else:
        click.echo(f"{manifest.table_name} has its {manifest.rows} rows of {manifest.month} again.")
        note("Where the retention is shorter than that, the next expiry takes the month away again: raise it to keep the month.")


def _today(database: Database) -> date:
    return today(system_clock(), database.timezone)


def _print_steps(steps: Sequence[Step], *, as_json: bool, empty: str) -> None:
    rows = [
        {
            "step": step.kind,
            "table": step.table_name,
            "month": str(step.month) if step.month else None,
            "name": step.name,
            "drops": step.drops if as_json else yes_or_no(step.drops),
            "total_bytes": _bytes(step.partition, as_json=as_json),
            "why": step.why,
        }
        for step in steps
    ]
    print_table(list(rows[0]) if rows else [], rows, as_json=as_json, empty=empty)


def _row(partition: TablePartition, rows: int | None, *, as_json: bool) -> dict[str, object]:
    return {
        "table": partition.table_name,
        "month": str(partition.month) if partition.month else None,
        "name": f"{partition.schema_name}.{partition.name}",
        "state": partition.place,
        "first_day": partition.first_day,
        "end_day": partition.end_day,
        "total_bytes": _bytes(partition, as_json=as_json),
        "rows": rows,
    }


def _bytes(partition: TablePartition | None, *, as_json: bool) -> object:
    if partition is None:
        return None
    return partition.total_bytes if as_json else format_bytes(partition.total_bytes)


def _finish(outcomes: Sequence[Outcome], *, as_json: bool, empty: str) -> None:
    """Print what was done and leave with the exit code for it."""
    rows = [
        {
            "step": outcome.step.kind,
            "name": outcome.step.name,
            "done": not outcome.error if as_json else yes_or_no(not outcome.error),
            "archive": str(outcome.archive) if outcome.archive else None,
            "message": str(outcome.error) if outcome.error else None,
        }
        for outcome in outcomes
    ]
    print_table(list(rows[0]) if rows else [], rows, as_json=as_json, empty=empty)
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed:
        leave(FAILURE if len(failed) == len(outcomes) else PARTIAL)
