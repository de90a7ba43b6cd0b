"""`whalefall growth`: the fastest growing databases, and with `--by` a waterfall that adds up to the byte (`waterfall.py`)."""

from dataclasses import asdict
from datetime import date, timedelta

import click

from whalefall_pipelines.capacity.answers import Growth
from whalefall_pipelines.capacity.cli.since import since_option
from whalefall_pipelines.capacity.questions import GROWTH
from whalefall_pipelines.growth.attribute import parse_grouping
from whalefall_pipelines.growth.cli.waterfall import print_attribution
from whalefall_pipelines.growth.questions import WATERFALL
from whalefall_pipelines.runtime.source import Asking, Source, open_source
from whalefall_pipelines.terminal.output import Form, format_bytes, list_options, note, print_table

_EXACT = (
    *("instance_name", "engine", "database_name", "state", "reason", "from_date", "from_bytes", "to_date", "to_bytes"),
    *("is_estimated", "change_bytes", "change_percent", "bytes_a_day"),
)


@click.command(cls=Asking)
@since_option
@click.option("--by", metavar="database|instance|tag:KEY", help="Explain the growth of the fleet with a waterfall, and by these groups.")
@click.option("--within", metavar="instance:NAME|tag:KEY=VALUE", help="Explain only the growth of these servers.")
@click.option("--tables", "with_tables", is_flag=True, help="Show the tables behind the databases that changed the most.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Number of rows.")
@list_options
def growth(*, since: date | timedelta, by: str | None, within: str | None, with_tables: bool, limit: int, form: Form) -> None:
    """Show the fastest growing databases or, with --by, why the fleet is larger or smaller.

    The period ends on the newest day that has sizes. Without --by, a database that is younger, or that has no size on one of the two days,
    is compared between the nearest days within them that have one; without two such days its growth is unknown.

    With --by, every database that changed is in one bar, and the bars add up to the difference of the totals: growth and shrink, births
    and deaths, servers that joined or left, gaps that opened or closed, and databases that are now measured in another way. With --within,
    all of this is about some servers only: `--within tag:env=prod --by instance`, then `--within instance:orders`.
    """
    with open_source() as source:
        if by or within or with_tables:
            _explain(source, since, by or "database", within, with_tables=with_tables, limit=limit, form=form)
        else:
            _rank(source, since, limit, form)


def _explain(source: Source, since: date | timedelta, by: str, within: str | None, *, with_tables: bool, limit: int, form: Form) -> None:
    grouping = parse_grouping(by)
    answer = source.ask(WATERFALL, since=since, by=by, most=limit, with_tables=with_tables, within=within)
    print_attribution(answer, grouping.tag or grouping.by, form, limit=limit)


def _rank(source: Source, since: date | timedelta, limit: int, form: Form) -> None:
    answer = source.ask(GROWTH, since=since, most=limit)
    if form.is_exact:
        print_table(_EXACT, [_exact(row) for row in answer.rows], form=form)
        return
    rows = [_row(row, answer.first_day) for row in answer.rows]
    columns = ("instance", "database", "growth", "percent", "size", "a day", "state", "since")
    print_table(columns, rows, empty="No databases are expected.", droppable=("since", "a day", "percent", "state"))
    note(f"From {answer.first_day} to {answer.last_day}.")


def _exact(row: Growth) -> dict[str, object]:
    return {**asdict(row), "change_percent": row.change_percent, "bytes_a_day": row.bytes_a_day}


def _row(row: Growth, first_day: date) -> dict[str, object]:
    state = f"{row.state} ({row.reason})" if row.reason else row.state
    return {
        "instance": row.instance_name,
        "database": row.database_name or "(never listed)",
        "growth": format_bytes(row.change_bytes),
        "percent": None if row.change_percent is None else f"{row.change_percent} %",
        "size": format_bytes(row.to_bytes),
        "a day": format_bytes(row.bytes_a_day),
        "state": "estimated" if row.is_estimated and row.state != "missing" else state,
        "since": row.from_date if row.from_date != first_day else None,
    }
