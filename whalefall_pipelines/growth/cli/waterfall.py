"""How `whalefall growth` prints a waterfall, its groups, the databases and tables behind it, and what it costs."""

from dataclasses import asdict, fields
from decimal import Decimal

import click

from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.growth.model import ORDER, Attribution, Bar, BarSum, DatabaseBar, TableChange, in_cents
from whalefall_pipelines.terminal.output import Form, format_bytes, note, print_json, print_table

_GROUP = tuple(field.name for field in fields(BarSum))
_NO_TAG = "(no tag)"
# What is only probable says so.
_NAMES = {Bar.RENAMED: "renamed (guess)", Bar.MOVED: "moved (guess)"}


def print_attribution(answer: Attribution, kind: str, form: Form, *, limit: int) -> None:
    """Print the bars of the fleet and of `limit` groups of this kind, or everything as exact bytes."""
    if form is Form.JSON:
        print_json({**asdict(answer), "change_bytes": answer.change_bytes, "other_bytes": answer.other_bytes if answer.databases else None})
        return
    if form is Form.CSV:
        print_table(_GROUP, [asdict(bar) for bar in (answer.groups or answer.bars)], form=form)
        return
    click.echo(
        f"{answer.first_day} to {answer.last_day}: {format_bytes(answer.first_bytes)} to {format_bytes(answer.last_bytes)}, "
        f"{format_bytes(answer.change_bytes)} ({counted(answer.change_bytes, 'byte', is_change=True)})\n"
    )
    columns = ("bar", "change", "bytes", "by steps", "by trend", "estimated", "databases")
    print_table(columns, _bars(answer), droppable=("estimated", "by trend", "by steps"))
    if answer.groups:
        click.echo()
        _print_groups(answer, kind, limit)
    if answer.databases:
        click.echo()
        _print_databases(answer)
    _print_notes(answer)


def _bars(answer: Attribution) -> list[dict[str, object]]:
    shown = [bar for bar in answer.waterfall if bar.change_bytes or bar.bar in {Bar.RENAMED, Bar.MOVED}]
    rows = [{**_bar(_NAMES.get(bar.bar, bar.bar), bar.change_bytes, bar.databases), **_parts_of(bar)} for bar in shown]
    return [*rows, _bar("sum", answer.change_bytes, sum(bar.databases for bar in answer.waterfall))]


def _bar(name: str, change_bytes: int, databases: int) -> dict[str, object]:
    return {
        "bar": name.replace("_", " "),
        "change": format_bytes(change_bytes),
        "bytes": f"{change_bytes:+,}",
        "databases": databases,
    }


def _parts_of(bar: BarSum) -> dict[str, object]:
    has_trend = bar.bar in {Bar.GROWTH, Bar.SHRINK}
    return {
        "by steps": format_bytes(bar.step_bytes) if has_trend else None,
        "by trend": format_bytes(bar.trend_bytes) if has_trend else None,
        "estimated": format_bytes(bar.estimated_bytes) if bar.estimated_bytes else None,
    }


def _print_groups(answer: Attribution, kind: str, limit: int) -> None:
    bars = [bar for bar in answer.groups if not bar.is_held]
    shown = [bar for bar in ORDER if any(group.bar is bar and group.change_bytes for group in bars)]
    names = sorted({bar.group_name for bar in bars}, key=lambda name: (-abs(_change(bars, name)), name or ""))
    costs = _costs(answer)
    rows = [
        {kind: name or _NO_TAG, "change": format_bytes(_change(bars, name)), **_parts(bars, name, shown), **costs.get(name, {})}
        for name in names[:limit]
    ]
    others = names[limit:]
    if others:
        change = sum(_change(bars, name) for name in others)
        rows.append({kind: counted(len(others), "other"), "change": format_bytes(change)})
    columns = (kind, "change", *(bar.replace("_", " ") for bar in shown), *(("a month", "more a month") if costs else ()))
    print_table(columns, rows)


def _costs(answer: Attribution) -> dict[str | None, dict[str, object]]:
    """The price of a month of each group that has one, and how much more it is than on the first day; each column adds up in cents."""
    priced = [(cost.group_name, cost.monthly, cost.monthly_change) for cost in answer.costs if cost.monthly_change is not None]
    months = in_cents([monthly or Decimal() for _, monthly, _ in priced])
    changes = in_cents([change for _, _, change in priced])
    return {
        name: {"a month": month, "more a month": f"{change:+}"} for (name, _, _), month, change in zip(priced, months, changes, strict=True)
    }


def _parts(bars: list[BarSum], name: str | None, shown: list[Bar]) -> dict[str, object]:
    return {
        bar.replace("_", " "): format_bytes(sum(part.change_bytes for part in bars if part.bar is bar and part.group_name == name))
        for bar in shown
    }


def _change(bars: list[BarSum], name: str | None) -> int:
    return sum(bar.change_bytes for bar in bars if bar.group_name == name)


def _print_databases(answer: Attribution) -> None:
    rows: list[dict[str, object]] = []
    for database in answer.databases:
        rows.append(_database(database))
        tables = [table for table in answer.tables if (table.instance_id, table.database_name) == _key(database)]
        rows += _tables(database, tables)
    if answer.other_bytes:
        rows.append({"database": "(others)", "change": format_bytes(answer.other_bytes)})
    print_table(("instance", "database", "bar", "change", "size"), rows, droppable=("size",))


def _key(database: DatabaseBar) -> tuple[int, str]:
    return database.instance_id, database.database_name


def _database(database: DatabaseBar) -> dict[str, object]:
    renamed = f" (was {database.name_before})" if database.name_before else ""
    return {
        "instance": database.instance_name,
        "database": f"{database.database_name}{renamed}",
        "bar": f"{database.bar.replace('_', ' ')}{', estimated' if database.is_estimated else ''}",
        "change": format_bytes(database.change_bytes),
        "size": format_bytes(database.last_bytes),
    }


def _tables(database: DatabaseBar, tables: list[TableChange]) -> list[dict[str, object]]:
    """The tables of a database, and what of its change they do not explain, so that they add up to it."""
    named = [table for table in tables if table.table_name is not None]
    rows: list[dict[str, object]] = [
        {
            "database": f"  {'.'.join(filter(None, (table.schema_name, table.table_name)))}",
            "bar": "new table" if table.is_new else "dropped table" if table.is_gone else "table",
            "change": format_bytes(table.change_bytes),
        }
        for table in named
    ]
    if tables:
        read = f"  (the rest; tables were read on {tables[0].first_read} and {tables[0].last_read})"
        rest = database.change_bytes - sum(table.change_bytes or 0 for table in named)
        rows.append({"database": read, "change": format_bytes(rest)})
    return rows


def _print_notes(answer: Attribution) -> None:
    for guess in answer.guesses:
        before, after = f"{guess.instance_before}/{guess.name_before}", f"{guess.instance_name}/{guess.database_name}"
        note(f"Probably {guess.kind}: {before} to {after}, a guess based on its size.")
    if answer.exact != answer.held and any(bar.bar in {Bar.GAP_OPENED, Bar.GAP_CLOSED} for bar in answer.exact):
        held = sum(bar.change_bytes for bar in answer.held)
        note(f"With missing databases at their last known size (at most 14 days old), the fleet changed by {format_bytes(held)}.")
