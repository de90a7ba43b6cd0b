"""`whalefall top`: the largest databases, instances or tags."""

from dataclasses import asdict, fields

import click

from whalefall_pipelines.capacity.answers import LargeDatabase, LargeGroup
from whalefall_pipelines.capacity.ask import Answer
from whalefall_pipelines.capacity.questions import LARGEST_DATABASES, LARGEST_GROUPS
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.runtime.source import Asking, open_source
from whalefall_pipelines.terminal.output import Form, format_bytes, list_options, note, print_table


@click.command(cls=Asking)
@click.option("--by", default="database", show_default=True, metavar="database|instance|tag:KEY", help="What to rank.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Number of rows, largest first.")
@list_options
def top(*, by: str, limit: int, form: Form) -> None:
    """Show the largest databases, servers or tags. The sizes are from the newest day that has any. A missing database is ranked by its
    last known size, which is at most 14 days old, and is marked as missing.
    """
    kind, _, tag = by.partition(":")
    if by not in {"database", "instance"} and not (kind == "tag" and tag):
        raise InputError(f"--by is {by!r}; write database, instance, or tag: and the key of a tag, like tag:env.")
    with open_source() as source:
        if by == "database":
            _print_databases(source.ask(LARGEST_DATABASES, most=limit), form)
        else:
            _print_groups(source.ask(LARGEST_GROUPS, tag=tag or None, most=limit), tag or "instance", form)


def _print_databases(answer: Answer[LargeDatabase], form: Form) -> None:
    if form.is_exact:
        columns = ["stat_date", *(field.name for field in fields(LargeDatabase))]
        print_table(columns, [{"stat_date": answer.last_day, **asdict(row)} for row in answer.rows], form=form)
        return
    rows = [
        {
            "instance": row.instance_name,
            "database": row.database_name or "(never listed)",
            "size": format_bytes(row.known_bytes),
            "of": row.known_date,
            "state": f"{row.state} ({row.reason})" if row.reason else row.state,
            "engine": row.engine,
        }
        for row in answer.rows
    ]
    columns = ("instance", "database", "size", "of", "state", "engine")
    print_table(columns, rows, empty="No databases are expected.", droppable=("engine", "of"))
    _tell(answer.last_day, sum(row.total_bytes is None for row in answer.rows))


def _print_groups(answer: Answer[LargeGroup], kind: str, form: Form) -> None:
    if form.is_exact:
        columns = ["stat_date", *(field.name for field in fields(LargeGroup))]
        print_table(columns, [{"stat_date": answer.last_day, **asdict(row)} for row in answer.rows], form=form)
        return
    rows = [
        {
            kind: row.group_name,
            "size": format_bytes(row.known_bytes),
            "databases": row.databases,
            "missing": row.missing,
            "estimated": row.estimated,
            "instances": row.instances,
        }
        for row in answer.rows
    ]
    columns = (kind, "size", "databases", "missing", "estimated", *(("instances",) if kind != "instance" else ()))
    print_table(columns, rows, empty="No databases are expected.", droppable=("instances", "estimated"))
    _tell(answer.last_day, sum(row.missing for row in answer.rows))


def _tell(day: object, missing: int) -> None:
    last_known = counted(missing, "database is missing; its last known size", "databases are missing; their last known size")
    note(f"Sizes of {day}." + (f" {last_known} is shown if there is one." if missing else ""))
