"""`whalefall partitions`: plan and run the maintenance of the table partitions by hand, and restore archived months."""

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import click

from whalefall_pipelines.aggregation.settings import KeptMonthsSettings
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.months import TablePartition, months_of
from whalefall_pipelines.domain.quantities import counted
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
from whalefall_pipelines.retention.settings import RetentionSettings
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.terminal.output import (
    FAILURE,
    PARTIAL,
    SUCCESS,
    Form,
    format_bytes,
    json_option,
    leave,
    list_options,
    note,
    print_json,
    print_table,
)
from whalefall_pipelines.terminal.questions import confirm

dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")


@click.group()
def partitions() -> None:
    """Maintain the monthly table partitions by hand."""


@partitions.command("plan")
@click.option("--all", "is_whole", is_flag=True, help="Also show the months that need nothing.")
@list_options
def show_plan(*, is_whole: bool, form: Form) -> None:
    """Show what maintenance would do today.

    Maintenance creates, finalizes and expires months. It keeps a month that its periods still need (hold), and reports a table that is
    in the way (conflict).

    Exit codes: 0 no month is held or conflicts, 1 some are.
    """
    settings = load_settings()
    with open_store(settings) as database:
        steps = plan(database, settings, _today(database))
    shown = [step for step in steps if is_whole or step.kind is not StepKind.KEEP]
    _print_steps(shown, form=form, empty=f"Nothing to do: all {len(steps)} table partitions are in order.")
    leave(PARTIAL if any(step.kind in {StepKind.CONFLICT, StepKind.HOLD} for step in steps) else SUCCESS)


@partitions.command("list")
@click.option("--exact", is_flag=True, help="Count the rows, which reads all of them, instead of showing PostgreSQL's estimate.")
@list_options
def show_list(*, exact: bool, form: Form) -> None:
    """List every table partition, with its bounds, size and rows."""
    with open_store(load_settings()) as database:
        table_partitions_with_rows = list_table_partitions(database, is_exact=exact)
    rows = [_row(table_partition, rows, form=form) for table_partition, rows in table_partitions_with_rows]
    columns = list(rows[0]) if rows else []
    print_table(columns, rows, form=form, empty="No months exist yet. `whalefall partitions create` creates the first ones.")


@partitions.command()
@click.option(
    "--month",
    "days",
    type=click.DateTime(["%Y-%m"]),
    metavar="YYYY-MM",
    multiple=True,
    help="An additional month, for data to be loaded. Can be repeated.",
)
@dry_run_option
@list_options
def create(days: Sequence[datetime], *, dry_run: bool, form: Form) -> None:
    """Create the current month and the months ahead, and fill holes.

    This covers all four tables. Nothing is dropped.

    Exit codes: 0 every month exists, 1 some could not be created, 2 none could.
    """
    settings = load_settings()
    months = months_of(days)
    with open_store(settings) as database:
        if dry_run:
            steps = added_by(plan_additions(database, settings, _today(database), months))
            _print_steps(steps, form=form, empty="Nothing to create.")
            return
        outcomes = create_table_partitions(database, settings, _today(database), months).outcomes
        oldest_kept = months_of([_today(database)])[0].plus(-settings.of(KeptMonthsSettings).retention_months)
    for month in months:
        if month < oldest_kept:
            note(f"{month} is older than {oldest_kept}, the oldest month for which sizes are kept, so it was not created for them.")
    _finish(outcomes, form=form, empty="There was nothing to create.")


@partitions.command()
@dry_run_option
@click.option(
    "--yes", is_flag=True, help="Skip the confirmation, and allow more than WHALEFALL_EXPIRE_AT_MOST months. Required without a terminal."
)
@list_options
def expire(*, dry_run: bool, yes: bool, form: Form) -> None:
    """Drop the months that are older than their retention.

    They are archived first if WHALEFALL_ARCHIVE_DIR is set. A month of aggregations is pruned first. Its daily rows, which are kept as long
    as the sizes they repeat, are deleted, and its weeks, months and quarters stay. Exactly the plan that was shown is applied. If the
    months change while you read it, nothing is dropped.

    Exit codes: 0 all of them were dropped, 1 some were, 2 none were.
    """
    settings = load_settings()
    with open_store(settings) as database:
        planned = plan(database, settings, _today(database))
        steps, held = expired_by(planned), [step for step in planned if step.kind is StepKind.HOLD]
        if dry_run or (steps and not form.is_exact):
            _print_steps([*steps, *held], form=form, empty="Nothing to expire.")
        if dry_run:
            return
        refuse_too_many(steps, settings, beyond_limit=yes)
        if steps:
            if form.is_exact and not yes:
                raise InputError(
                    "Nothing was dropped, because --json and --csv show no plan. Review the plan with --dry-run, then pass --yes."
                )
            archive_dir = settings.of(RetentionSettings).archive_dir
            where = f", archived to {archive_dir}" if archive_dir else ", without an archive"
            confirm(f"Drop or prune {counted(len(steps), 'table partition')}{where}?", is_confirmed=yes)
        outcomes = expire_table_partitions(database, settings, _today(database), confirmed=planned, beyond_limit=yes).outcomes
    _finish(outcomes, form=form, empty="There was nothing to expire.")


@partitions.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def restore(file: Path, *, as_json: bool) -> None:
    """Recreate an archived month with all its rows. An existing month is never overwritten."""
    with open_store(load_settings()) as database:
        manifest = restore_archive(database, file)
    if as_json:
        print_json({"table": manifest.table_name, "month": manifest.month, "rows": manifest.rows})
    else:
        click.echo(f"Restored {counted(manifest.rows, 'row')} of {manifest.month} to {manifest.table_name}.")
        note("If the retention is shorter than that, the next expiry drops the month again. Raise the retention to keep it.")


def _today(database: Database) -> date:
    return today(system_clock(), database.timezone)


def _print_steps(steps: Sequence[Step], *, form: Form, empty: str) -> None:
    rows = [
        {
            "step": step.kind,
            "table": step.table_name,
            "month": str(step.month) if step.month else None,
            "name": step.name,
            "drops": step.drops,
            "total_bytes": _bytes(step.table_partition, form=form),
            "why": step.why,
        }
        for step in steps
    ]
    print_table(list(rows[0]) if rows else [], rows, form=form, empty=empty)


def _row(table_partition: TablePartition, rows: int | None, *, form: Form) -> dict[str, object]:
    return {
        "table": table_partition.table_name,
        "month": str(table_partition.month) if table_partition.month else None,
        "name": f"{table_partition.schema_name}.{table_partition.name}",
        "state": table_partition.place,
        "first_day": table_partition.first_day,
        "end_day": table_partition.end_day,
        "total_bytes": _bytes(table_partition, form=form),
        "rows": rows,
    }


def _bytes(table_partition: TablePartition | None, *, form: Form) -> object:
    if table_partition is None:
        return None
    return table_partition.total_bytes if form.is_exact else format_bytes(table_partition.total_bytes)


def _finish(outcomes: Sequence[Outcome], *, form: Form, empty: str) -> None:
    """Print what was done, and exit with the matching code."""
    rows = [
        {
            "step": outcome.step.kind,
            "name": outcome.step.name,
            "done": not outcome.error,
            "archive": str(outcome.archive) if outcome.archive else None,
            "message": str(outcome.error) if outcome.error else None,
        }
        for outcome in outcomes
    ]
    print_table(list(rows[0]) if rows else [], rows, form=form, empty=empty)
    failed = [outcome for outcome in outcomes if outcome.error]
    if failed:
        leave(FAILURE if len(failed) == len(outcomes) else PARTIAL)
