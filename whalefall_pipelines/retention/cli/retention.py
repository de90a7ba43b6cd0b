"""`whalefall retention`: expired gaps, sessions, requests and Dagster events, and the disk space that everything uses."""

from collections.abc import Sequence
from datetime import date

import click

from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.retention.expire_rows import Databases, expire_rows, open_databases, plan_rows, read_footprint
from whalefall_pipelines.retention.expired_rows import ExpiredRows
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.terminal.output import Form, format_bytes, list_options, print_table
from whalefall_pipelines.terminal.progress import error_console
from whalefall_pipelines.terminal.questions import confirm


@click.group()
def retention() -> None:
    """Delete expired rows, and show the disk usage.

    `whalefall partitions` expires months of sizes and aggregations.
    """


@retention.command("plan")
@list_options
def show_plan(*, form: Form) -> None:
    """Show what would be deleted today: gaps, sessions with their records, audited requests, ended tokens, and Dagster events."""
    settings = load_settings()
    with open_databases(settings) as databases:
        _print(plan_rows(databases, settings, _today(databases)), form=form)


@retention.command()
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
@click.option("--yes", is_flag=True, help="Skip the confirmation. Required without a terminal.")
@list_options
def expire(*, dry_run: bool, yes: bool, form: Form) -> None:
    """Delete rows that are older than their retention.

    Running sessions, sessions that a kept day or a retry refers to, gaps of kept days, and events of assets and checks are kept. The next
    deletion continues an interrupted one.
    """
    settings = load_settings()
    with open_databases(settings) as databases:
        day = _today(databases)
        planned = plan_rows(databases, settings, day)
        rows = sum(expired.rows for expired in planned)
        if dry_run or (rows and not form.is_exact):
            _print(planned, form=form)
        if dry_run:
            return
        if rows:
            if form.is_exact and not yes:
                raise InputError(
                    "Nothing was deleted, because --json and --csv show no plan. Review the plan with --dry-run, then pass --yes."
                )
            confirm(f"Delete {counted(rows, 'row')}?", is_confirmed=yes)
        with error_console().status("Deleting …"):
            deleted = expire_rows(databases, settings, day, confirmed=planned)
    _print(deleted, form=form)


@retention.command()
@list_options
def footprint(*, form: Form) -> None:
    """Show the disk usage and growth of the store and of Dagster's database."""
    settings = load_settings()
    with open_databases(settings) as databases:
        measured = read_footprint(databases, _today(databases))
    rows = [
        {"kind": kind, "total_bytes": _bytes(size, form=form), "bytes_a_day": _bytes(measured.growth_bytes([kind]), form=form)}
        for kind, size in measured.sizes.items()
    ]
    print_table(("kind", "total_bytes", "bytes_a_day"), rows, form=form)


def _today(databases: Databases) -> date:
    return today(system_clock(), databases.store.timezone)


def _print(rows: Sequence[ExpiredRows], *, form: Form) -> None:
    shown = [{"what": expired.kind, "before": expired.before, "rows": expired.rows, "why": expired.why} for expired in rows]
    print_table(tuple(shown[0]), shown, form=form)


def _bytes(size: int | None, *, form: Form) -> object:
    return size if form.is_exact else format_bytes(size)
