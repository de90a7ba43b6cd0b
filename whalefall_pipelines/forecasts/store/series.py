"""Reads the series of servers into arrays: sizes, track records, and forecasts that have not matured."""

import io
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import numpy as np
from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.forecasts.arrays import Floats, Integers
from whalefall_pipelines.forecasts.candidates import HORIZONS, LOOKBACK_DAYS
from whalefall_pipelines.forecasts.model import NEVER, Chunk, Series
from whalefall_pipelines.forecasts.replay import Panel, Pending, is_scored
from whalefall_pipelines.forecasts.track import MOST_RESIDUALS, Track
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_as

REPLAYED_DAYS = 364
# PostgreSQL's binary COPY: a signature of 19 bytes, then rows of a field count and fields with their lengths, then -1 as a field count.
_HEADER_BYTES, _TRAILER_BYTES = 19, 2
_Rows = np.ndarray[Any, np.dtype[np.void]]


def _row(**columns: str) -> np.dtype[np.void]:
    """A row of these columns, each a name and a type of the same size in every row."""
    fields = [("fields", ">i2")]
    for name, kind in columns.items():
        fields += [(f"{name}_length", ">i4"), (name, kind)]
    return np.dtype(fields)


_SIZE = _row(instance=">i4", database=">i4", column=">i4", bytes=">i8")
_SCORE = _row(instance=">i4", database=">i4", horizon=">i4", column=">i4", matured=">i4", residual=">f8")


def list_servers(cursor: Cursor, day: date) -> list[tuple[int, int]]:
    """The servers that are active on a day, each with its number of series."""
    cursor.execute(queries.load("forecasts/list_servers"), {"day": day})
    return [(instance_id, series) for instance_id, series in cursor.fetchall()]


def read_chunk(cursor: Cursor, instance_ids: Sequence[int], day: date) -> Chunk | None:
    """Everything that forecasts of these servers read, up to and including a day; None if all of this day are made.

    A series without forecasts begins with `REPLAYED_DAYS` of them.
    """
    cursor.execute(queries.load("forecasts/lock_forecasts"))
    earliest = day - timedelta(days=REPLAYED_DAYS)
    parameters: dict[str, object] = {"instance_ids": list(instance_ids), "day": day}
    cursor.execute(queries.load("forecasts/list_series"), {**parameters, "first_day": earliest - timedelta(days=LOOKBACK_DAYS)})
    series = fetch_as(cursor, Series)
    resumed = [max(each.last_made_on or earliest, earliest) for each in series if each.is_wanted_on(day)]
    if not resumed:
        return None
    keys = np.array([_key(each.instance_id, each.database_id) for each in series])
    first_day = min(*resumed, day) - timedelta(days=LOOKBACK_DAYS)
    panel = _panel(series, _read_sizes(cursor, keys, (first_day, day), instance_ids), first_day)
    last_made = np.array([panel.column(each.last_made_on) if each.last_made_on else NEVER for each in series])
    return Chunk(
        series=series,
        panel=panel,
        track=_read_track(cursor, keys, instance_ids, day),
        pending=tuple(_read_pending(cursor, keys, panel, last_made, parameters)),
        last_made=last_made,
        wanted=np.array([each.is_wanted_on(day) for each in series]),
        slope_known=_read_slopes(cursor, keys, panel, parameters),
    )


def _key(instance_id: Any, database_id: Any) -> Any:
    return (instance_id << 32) + database_id


def _panel(series: Sequence[Series], sizes: Floats, first_day: date) -> Panel:
    servers = {each.instance_id: row for row, each in enumerate(series) if each.database_id == 0}
    return Panel(
        first_day=first_day,
        sizes=sizes,
        begins=np.array([(each.begins_on - first_day).days for each in series]),
        ends=np.array([(each.ends_on - first_day).days if each.ends_on else -NEVER for each in series]),
        server=np.array([servers[each.instance_id] if each.database_id else -1 for each in series]),
    )


def _read_sizes(cursor: Cursor, keys: Integers, days: tuple[date, date], instance_ids: Sequence[int]) -> Floats:
    rows, places = _of_series(keys, _copy(cursor, "copy_sizes", _SIZE, instance_ids, days))
    sizes = np.full((len(keys), (days[1] - days[0]).days + 1), np.nan)
    sizes[places, rows["column"]] = rows["bytes"]
    return sizes


def _copy(cursor: Cursor, name: str, row: np.dtype[np.void], instance_ids: Sequence[int], days: tuple[date, date]) -> _Rows:
    """What a statement copies out of these servers and days."""
    first_day, day = days
    statement = sql.SQL(queries.load(f"forecasts/{name}")).format(
        instance_ids=sql.Literal(list(instance_ids)), first_day=sql.Literal(first_day.isoformat()), day=sql.Literal(day.isoformat())
    )
    file = io.BytesIO()
    cursor.copy(statement, file)
    return np.frombuffer(file.getbuffer()[_HEADER_BYTES:-_TRAILER_BYTES], dtype=row)


def _of_series(keys: Integers, copied: _Rows) -> tuple[_Rows, Integers]:
    """The rows that are of one of the series, and the place of its series for each. The series are in the order of their keys."""
    wanted: Integers = _key(copied["instance"].astype(np.int64), copied["database"].astype(np.int64))
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    known = keys[places] == wanted
    return copied[known], places[known]


def _rows_of(keys: Integers, rows: Sequence[tuple[Any, ...]]) -> Integers:
    """The rows of the series whose ids begin these rows of a result."""
    return np.searchsorted(keys, np.array([_key(row[0], row[1]) for row in rows], dtype=np.int64))


def _read_track(cursor: Cursor, keys: Integers, instance_ids: Sequence[int], day: date) -> Track:
    """The track record by a day: of each series and horizon the last residuals, and what its newest score says."""
    # So many origins, eight days apart, and twice the longest horizon.
    first_day = day - timedelta(days=8 * MOST_RESIDUALS + 2 * max(HORIZONS))
    scores, rows = _of_series(keys, _copy(cursor, "copy_residuals", _SCORE, instance_ids, (first_day, day)))
    horizons = np.searchsorted(HORIZONS, scores["horizon"])
    both = rows * len(HORIZONS) + horizons
    order = np.lexsort((scores["column"], both))
    scores, rows, horizons, both = scores[order], rows[order], horizons[order], both[order]
    age = np.searchsorted(both, both, side="right") - np.arange(len(both))  # from 1, the newest
    kept, newest = age <= MOST_RESIDUALS, age == 1
    track = Track.empty(len(keys))
    track.residuals[rows[kept], horizons[kept], -age[kept]] = scores["residual"][kept]
    track.matured[rows[newest], horizons[newest]] = scores["matured"][newest]
    made_on = [first_day + timedelta(days=column) for column in np.unique(scores["column"][newest]).tolist()]
    cursor.execute(queries.load("forecasts/list_errors"), {"instance_ids": list(instance_ids), "made_on": made_on, "day": day})
    if errors := cursor.fetchall():  # they are wide, and only the newest are wanted
        track.errors[_rows_of(keys, errors), np.searchsorted(HORIZONS, [row[2] for row in errors])] = [row[3] for row in errors]
    return track


def _read_pending(cursor: Cursor, keys: Integers, panel: Panel, last_made: Integers, parameters: dict[str, object]) -> Iterator[Pending]:
    """Forecasts whose days came after the newest forecast of their series, which scored all that had matured by then."""
    last_column = panel.sizes.shape[1] - 1
    resumed = max(int(last_made[last_made < last_column].min(initial=last_column)), 0)
    days = [panel.day(column) for column in range(resumed - max(HORIZONS), last_column)]
    bounds = {"scored_days": [day for day in days if is_scored(day)], "first_target": panel.day(resumed + 1)}
    cursor.execute(queries.load("forecasts/list_pending"), {**parameters, **bounds})
    for (made_on, horizon_days), group in groupby(cursor.fetchall(), key=lambda row: (row[2], row[3])):
        rows = list(group)
        places = _rows_of(keys, rows)
        pending = Pending(
            made=panel.column(made_on),
            horizon=HORIZONS.index(horizon_days),
            is_issued=np.array([row[4] == "issued" for row in rows]),
            rows=places,
            base=np.array([row[5] for row in rows], dtype=np.float64),
            candidates=np.array([row[6] for row in rows], dtype=np.float64),
            bounds=np.array([row[7] for row in rows], dtype=np.float64),
        )
        yield pending.of(pending.target > last_made[places])


def _read_slopes(cursor: Cursor, keys: Integers, panel: Panel, parameters: dict[str, object]) -> Integers:
    known = np.full(len(keys), NEVER)
    cursor.execute(queries.load("forecasts/list_slope_changes"), parameters)
    rows = cursor.fetchall()
    known[_rows_of(keys, rows)] = [panel.column(known_on) for _, _, known_on in rows]
    return known
