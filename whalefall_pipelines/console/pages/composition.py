"""What a server consists of: its databases on each other, what fills its disk besides them, its volumes, and its last probes."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from whalefall_pipelines.capacity.ask import stacked_sizes
from whalefall_pipelines.capacity.disk import Disk
from whalefall_pipelines.console.blocks import Block, Picture, Table, Value, change, day, instant, number, size, text
from whalefall_pipelines.console.charts.stacked import Layer, stacked_chart
from whalefall_pipelines.console.urls import session_url
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import ProbeRecord
from whalefall_pipelines.inventory.registration import RegisteredInstance
from whalefall_pipelines.store.database import Database

_LAYERS = 8
_KEY = '<g class="layer layer-{}"><rect x="1" y="1" width="12" height="12"/></g>'


def stacked_picture(database: Database, registered: RegisteredInstance, first_day: date, last_day: date, beside_bytes: int) -> list[Block]:
    """The databases of a server on each other, day by day. A day on which one is missing is a gap: its sum would be a dip."""
    rows = stacked_sizes(database, registered.instance_id, first_day, last_day, most=_LAYERS)
    sizes: defaultdict[str, dict[date, int]] = defaultdict(dict)
    for row in rows:
        if row.is_complete:
            sizes[row.database_name or "all others"][row.stat_date] = row.total_bytes
    if not sizes:
        return []
    newest = max(max(layer) for layer in sizes.values())
    ranked = sorted(sizes.items(), key=lambda layer: (layer[0] == "all others", -layer[1].get(newest, 0), layer[0]))
    layers = [Layer(name, layer) for name, layer in ranked]
    begin = min(min(layer) for layer in sizes.values())
    days = [begin + timedelta(days=count) for count in range((last_day - begin).days + 1)]
    title = f"Its {counted(min(len(layers), _LAYERS), 'largest database')} on each other"
    drawing = stacked_chart(title, days, layers, registered.entry.capacity_limit_bytes, beside_bytes)
    legend = [(_KEY.format(count + 1), layer.name) for count, layer in enumerate(layers)]
    return [Picture(title, drawing, legend, _layers_table(layers))]


def _layers_table(layers: Sequence[Layer]) -> Table:
    days = sorted({stat_date for layer in layers for stat_date in layer.sizes}, reverse=True)
    rows = [(day(stat_date), *(size(layer.sizes.get(stat_date)) for layer in layers)) for stat_date in days]
    return Table("layers", "Its databases day by day", ("Day", *(layer.name for layer in layers)), rows)


def beside_databases(filled: Disk) -> int:
    """The bytes on the disk of a server that belong to no database; 0 if a part of it is unknown."""
    databases = next((part.total_bytes for part in filled.newest if part.part is None), None)
    return filled.total_bytes - databases if filled.total_bytes is not None and databases is not None else 0


def disk_tables(filled: Disk) -> list[Block]:
    """What fills the disk of a server, and its volumes, where the engine tells them."""
    volumes = [volume for volume in filled.volumes if volume.stat_date == max(known.stat_date for known in filled.volumes)]
    tables: list[Block] = [_parts(filled)]
    if volumes:
        rows = [
            (
                text(volume.volume),
                size(volume.total_bytes),
                size(volume.free_bytes),
                number(round(100 * (1 - volume.free_bytes / volume.total_bytes), 1) if volume.total_bytes else None, " %"),
            )
            for volume in volumes
        ]
        tables.append(Table("volumes", f"Volumes on {volumes[0].stat_date}", ("Volume", "Size", "Free", "Used"), rows))
    return tables


def _parts(filled: Disk) -> Table:
    rows: list[Sequence[Value]] = [
        (text(part.part or "all databases"), size(part.total_bytes), change(filled.change_bytes(part)), text(part.detail))
        for part in filled.newest
    ]
    if filled.newest:
        rows.append((text("together"), size(filled.total_bytes), change(None), text(None)))
    title = f"What fills its disk on {filled.last_day}"
    return Table("disk", title, ("Part", "Size", f"Change since {filled.first_day}", "Unknown because"), rows, "It was not measured yet.")


def probes_table(probes: Sequence[ProbeRecord], timezone: ZoneInfo) -> Table:
    """What happened to a server in the newest sessions, with the reason of each failure."""
    rows = [
        (
            Value(instant(probe.started_at, timezone).text, probe.started_at, url=session_url(probe.session_id)),
            text(probe.sync_category),
            text(str(probe.first_day) if probe.first_day == probe.last_day else f"{probe.first_day} to {probe.last_day}"),
            text(probe.status),
            number(probe.attempts),
            text(probe.error_code),
            text(probe.error_message),
        )
        for probe in probes
    ]
    columns = ("Started", "Category", "Days", "Status", "Attempts", "Code", "What happened")
    return Table("probes", "Last probes", columns, rows, "No session has asked it yet.")
