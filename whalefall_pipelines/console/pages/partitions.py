"""The table partitions of the store: what is attached, due or archived, and the plan of the next maintenance."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from whalefall_pipelines.console.actions.partitions import CLEAN_UP, CREATE
from whalefall_pipelines.console.blocks import Block, Forms, Note, Page, Picture, Table, Tone, number, size, text
from whalefall_pipelines.console.charts.timeline import MonthCell, timeline_chart
from whalefall_pipelines.domain.months import TablePartition
from whalefall_pipelines.domain.quantities import counted, round_size
from whalefall_pipelines.errors import ArchiveError
from whalefall_pipelines.retention.archive import Manifest, list_archives
from whalefall_pipelines.retention.list_table_partitions import list_table_partitions
from whalefall_pipelines.retention.maintain_table_partitions import plan
from whalefall_pipelines.retention.maintenance import Step, StepKind
from whalefall_pipelines.retention.settings import RetentionSettings
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database

_MONTHS = 15
_STATES = {
    StepKind.EXPIRE: "due",
    StepKind.PRUNE: "due",
    StepKind.FINALIZE: "due",
    StepKind.HOLD: "held",
    StepKind.CONFLICT: "conflict",
    StepKind.CREATE: "due",
}
_KEY = '<g class="month {}"><rect x="1" y="1" width="12" height="12" rx="2"/></g>'
_LEGEND = (
    (_KEY.format("attached"), "attached"),
    (_KEY.format("ahead"), "created ahead"),
    (_KEY.format("due"), "due: the next maintenance changes it"),
    (_KEY.format("held"), "held: its periods are not final"),
    (_KEY.format("archived"), "archived: dropped from the store, kept in a file"),
    (_KEY.format("conflict"), "conflict"),
)


def partitions_page(database: Database, settings: Settings, today: date) -> Page:
    """All table partitions and what the maintenance of today would do."""
    rows = list_table_partitions(database, is_exact=False)
    steps = [step for step in plan(database, settings, today) if step.kind is not StepKind.KEEP]
    total = sum(table_partition.total_bytes for table_partition, _ in rows)
    due = sum(step.kind not in {StepKind.HOLD, StepKind.CONFLICT} for step in steps)
    note = (
        Note(Tone.GOOD, "Nothing is due.")
        if not due
        else Note(
            Tone.WARNING,
            f"{counted(due, 'step is', 'steps are')} due.",
            "The daily maintenance carries them out; this command shows the same plan.",
            "whalefall partitions plan",
        )
    )
    archives, archive_blocks = _archives(settings)
    answer = f"{counted(len(rows), 'table partition holds', 'table partitions hold')} {round_size(total)}."
    timeline = _timeline(rows, steps, archives, today)
    forms = Forms([CREATE.form(), CLEAN_UP.form()])
    return Page("Partitions", answer, [note, forms, timeline, _plan(steps), _table(rows), *archive_blocks])


def _archives(settings: Settings) -> tuple[Sequence[tuple[Path, Manifest]], list[Block]]:
    """The archived months that this process can read, and what the page says of them: nothing without a folder for archives."""
    folder = settings.of(RetentionSettings).archive_dir
    if folder is None:
        return (), []
    try:
        archives = list_archives(folder)
    except ArchiveError as error:
        return (), [Note(Tone.WARNING, "The archived months are unknown.", str(error))]
    return archives, [_archives_table(archives, folder)]


def _timeline(
    rows: Sequence[tuple[TablePartition, int | None]], steps: Sequence[Step], archives: Sequence[tuple[Path, Manifest]], today: date
) -> Picture:
    planned = {(step.table_name, str(step.month)): step for step in steps if step.month}
    cells: defaultdict[str, dict[str, MonthCell]] = defaultdict(dict)
    for file, manifest in archives:
        told = f"{file.name}: {counted(manifest.rows, 'row')}, {round_size(manifest.bytes)}"
        cells[manifest.table_name][manifest.month] = MonthCell("archived", round_size(manifest.bytes), told)
    for table_partition, _ in rows:
        if table_partition.month is None:
            continue
        step = planned.get((table_partition.table_name, str(table_partition.month)))
        cells[table_partition.table_name][str(table_partition.month)] = _cell(table_partition, step, today)
    months = sorted({month for row in cells.values() for month in row})[-_MONTHS:]
    shown: Mapping[str, Mapping[str, MonthCell]] = {
        table: {month: cell for month, cell in row.items() if month in months} for table, row in cells.items()
    }
    return Picture(f"The newest {counted(len(months), 'month')}", timeline_chart(months, shown), _LEGEND)


def _cell(table_partition: TablePartition, step: Step | None, today: date) -> MonthCell:
    told = f"{table_partition.name}: {round_size(table_partition.total_bytes)}"
    if step is not None:
        return MonthCell(_STATES[step.kind], step.kind, f"{told}. {step.why}")
    is_ahead = table_partition.first_day is not None and table_partition.first_day > today
    return MonthCell("ahead" if is_ahead else "attached", round_size(table_partition.total_bytes), told)


def _plan(steps: Sequence[Step]) -> Table:
    return Table(
        "plan",
        "Plan of the next maintenance",
        ("Step", "Table", "Table partition", "Why"),
        [(text(step.kind), text(step.table_name), text(step.name), text(step.why)) for step in steps],
        "The next maintenance changes nothing.",
    )


def _table(rows: Sequence[tuple[TablePartition, int | None]]) -> Table:
    return Table(
        "partitions",
        "Table partitions",
        ("Table", "Name", "Place", "First day", "Size", "Rows (estimate)"),
        [
            (
                text(table_partition.table_name),
                text(table_partition.name),
                text(table_partition.place),
                text(str(table_partition.first_day) if table_partition.first_day else None),
                size(table_partition.total_bytes),
                number(count),
            )
            for table_partition, count in rows
        ],
    )


def _archives_table(archives: Sequence[tuple[Path, Manifest]], folder: Path) -> Table:
    return Table(
        "archives",
        "Archived months",
        ("Table", "Month", "Rows", "Size", "Restore with"),
        [
            (
                text(manifest.table_name),
                text(manifest.month),
                number(manifest.rows),
                size(manifest.bytes),
                text(f"whalefall partitions restore {file}"),
            )
            for file, manifest in archives
        ],
        f"There is no archive in {folder}, as this process sees it.",
    )
