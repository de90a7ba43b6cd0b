"""What grew: from the total of one day to that of another by bars that add up to the byte, and the databases behind them."""

from collections.abc import Sequence
from datetime import date, timedelta

from whalefall_pipelines.console.blocks import (
    Block,
    Card,
    Cards,
    Field,
    Note,
    Page,
    Picture,
    Search,
    Table,
    Tone,
    Value,
    change,
    number,
    size,
    text,
)
from whalefall_pipelines.console.charts import waterfall
from whalefall_pipelines.console.charts.waterfall import waterfall_chart
from whalefall_pipelines.console.urls import database_url, growth_url, server_url
from whalefall_pipelines.domain.quantities import counted, round_size
from whalefall_pipelines.errors import NotFoundError
from whalefall_pipelines.growth.attribute import Grouping, attribute_span, parse_grouping, parse_within
from whalefall_pipelines.growth.model import Attribution, Bar, BarSum, DatabaseBar
from whalefall_pipelines.store.database import Database

DAYS = 30
_LISTED = 200
# The names of the bars, for people.
_NAMES = {
    Bar.JOINED: "Servers that joined",
    Bar.LEFT: "Servers that left",
    Bar.BIRTH: "New databases",
    Bar.DEATH: "Dropped databases",
    Bar.RENAMED: "Probably renamed",
    Bar.MOVED: "Probably moved",
    Bar.GROWTH: "Growth",
    Bar.SHRINK: "Shrink",
    Bar.MEASURE_CHANGED: "Measured differently",
    Bar.GAP_OPENED: "Missing now",
    Bar.GAP_CLOSED: "Missing before",
    Bar.FIRST_KNOWN: "First known",
    Bar.NO_LONGER_KNOWN: "No longer known",
}


def growth_page(database: Database, today: date, days: int, by: str, within: str) -> Page:
    """Why the total changed in these days; `by` is `database`, `instance` or `tag:KEY`.

    `within` is empty for the fleet, or names its servers: `instance:NAME`, `tag:KEY=VALUE`, or `tag:KEY` for those without the tag.

    Raises:
        InputError: `by` or `within` cannot be read, or the first day is not before the newest one.
    """
    grouping = parse_grouping(by)
    servers = parse_within(within) if within else None
    question = Search(
        "Show",
        [
            Field("days", "Days", str(days), "30", kind="number"),
            Field("by", "by", by, "database, instance or tag:env"),
            Field("within", "of", within, "tag:env=prod or instance:orders"),
        ],
    )
    try:
        span = timedelta(days=days)
        answer = attribute_span(database, today, span, grouping, most=_LISTED, with_tables=False, prices=None, within=servers)
    except NotFoundError as error:
        return Page("Growth", "There is nothing to compare.", [question, Note(Tone.WARNING, "No sizes are compared.", str(error))])
    blocks: list[Block] = [question, _cards(answer), _picture(answer)]
    blocks.append(_groups(answer, grouping, days) if answer.groups else _databases(answer))
    return Page("Growth", _answer(answer, within), blocks)


def _answer(answer: Attribution, within: str) -> str:
    subject = f"What is in {within}" if within else "The fleet"
    held = sum(bar.change_bytes for bar in answer.held)
    moved = f"{'grew' if held >= 0 else 'shrank'} by {round_size(abs(held))} from {answer.first_day} to {answer.last_day}"
    if held == answer.change_bytes:
        return f"{subject} {moved}."
    stored = round_size(answer.change_bytes)
    return f"{subject} {moved}, with missing databases at their last known size; the stored totals differ by {stored}."


def _cards(answer: Attribution) -> Cards:
    held = sum(bar.change_bytes for bar in answer.held)
    steps = sum(bar.step_bytes for bar in answer.exact)
    return Cards(
        [
            Card("Before", size(answer.first_bytes), f"measured on {answer.first_day}"),
            Card("After", size(answer.last_bytes), f"measured on {answer.last_day}{_without(answer)}"),
            Card("Change", change(held), "with missing databases at their last known size"),
            Card("In steps", change(steps), "of it came in sudden steps, the rest day by day"),
        ]
    )


def _without(answer: Attribution) -> str:
    missing = sum(bar.databases for bar in answer.exact if bar.bar is Bar.GAP_OPENED)
    return f", without {counted(missing, 'that is', 'that are')} missing" if missing else ""


def _picture(answer: Attribution) -> Picture:
    """The bars of the stored totals: what is missing on a day is a bar of its own, and no shrink."""
    bars = [
        waterfall.Bar(f"{_NAMES[bar.bar]} ({bar.databases})", bar.change_bytes, bar.bar.replace("_", "-"))
        for bar in answer.waterfall
        if bar.change_bytes
    ]
    table = Table(
        "bars",
        "Bars",
        ("Bar", "Change", "Estimated part", "In steps", "Databases"),
        [_bar_row(_NAMES[bar.bar], bar) for bar in answer.waterfall],
    )
    drawing = waterfall_chart("Growth", answer.first_bytes, bars, answer.last_bytes)
    return Picture("Before and after", drawing, table=table)


def _bar_row(name: str, bar: BarSum) -> Sequence[Value]:
    return (text(name), change(bar.change_bytes), change(bar.estimated_bytes), change(bar.step_bytes), number(bar.databases))


def _groups(answer: Attribution, grouping: Grouping, days: int) -> Table:
    """The bars of each group. A value of a tag leads to its servers, and a server to its databases."""
    rows = [
        (
            text(bar.group_name or "(none)", _inside(bar.group_name, grouping, days)),
            *_bar_row(_NAMES[bar.bar], bar),
        )
        for bar in sorted(answer.groups, key=lambda bar: -abs(bar.change_bytes))
        if not bar.is_held
    ]
    return Table("groups", "By group", ("Group", "Bar", "Change", "Estimated part", "In steps", "Databases"), rows)


def _inside(group_name: str | None, grouping: Grouping, days: int) -> str:
    if grouping.by == "instance":
        return growth_url(days, "database", f"instance:{group_name}")
    value = "" if group_name is None else f"={group_name}"
    return growth_url(days, "instance", f"tag:{grouping.tag}{value}")


def _databases(answer: Attribution) -> Table:
    return Table(
        "databases",
        "Databases that changed the most",
        ("Database", "Server", "Bar", "Change", "In steps", "Before", "After"),
        [_database_row(row) for row in answer.databases if row.change_bytes],
        "No database changed.",
    )


def _database_row(row: DatabaseBar) -> Sequence[Value]:
    name = f"{row.database_name} (was {row.name_before})" if row.name_before else row.database_name
    return (
        text(name, database_url(row.instance_name, row.database_name)),
        text(row.instance_name, server_url(row.instance_name)),
        text(_NAMES[row.bar]),
        change(row.change_bytes),
        change(row.step_bytes),
        size(row.first_bytes),
        size(row.last_bytes),
    )
