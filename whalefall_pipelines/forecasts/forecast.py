"""Makes the forecasts of a day for the whole fleet, scores what has matured, and names changes.

A series that was never forecast gets a year of replayed forecasts first; later only what is new is made. Servers are done in chunks, one
transaction each: a chunk is done entirely or not at all, and a day that was interrupted goes on where it stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from whalefall_pipelines.forecasts.arrays import Integers
from whalefall_pipelines.forecasts.events import Change, jump_events, slope_events
from whalefall_pipelines.forecasts.model import Chunk
from whalefall_pipelines.forecasts.replay import Issue, Replay, Scores, is_scored
from whalefall_pipelines.forecasts.slopes import NEW_DAYS
from whalefall_pipelines.forecasts.store import series as stored
from whalefall_pipelines.forecasts.store import write
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines.store.outage import retry_while_unavailable

TABLES = ("capacity_forecasts", "capacity_forecast_scores")
# Series whose arrays are in memory at once: about 100 MB.
CHUNK_SERIES = 1000
# Forecasts that are not scored are kept so long.
_KEPT_DAYS = 7
_SWEPT_DAYS = 28


@dataclass(frozen=True, slots=True)
class Made:
    """What was done: forecasts of all three horizons count as one."""

    forecasts: int = 0
    scores: int = 0
    changes: int = 0

    def __add__(self, other: "Made") -> "Made":
        return Made(self.forecasts + other.forecasts, self.scores + other.scores, self.changes + other.changes)


def forecast_day(
    database: Database, day: date, today: date, *, check: Callable[[], None] = lambda: None, chunk_series: int = CHUNK_SERIES
) -> Made:
    """Make the forecasts of a day that do not exist yet, from what was known on it.

    Those of `today` are issued, all others replayed. `check` is called before each chunk and stops the work by raising.
    """
    with database.transaction() as cursor:
        servers = stored.list_servers(cursor, day)
    replayed = [day - timedelta(days=age) for age in range(stored.REPLAYED_DAYS + 1)]
    retry_while_unavailable(lambda: ensure_months(database, replayed, TABLES))
    made = Made()
    for instance_ids in _chunks(servers, chunk_series):
        check()
        made += retry_while_unavailable(lambda ids=instance_ids: _forecast_chunk(database, ids, day, today))
    return made


def _forecast_chunk(database: Database, instance_ids: Sequence[int], day: date, today: date) -> Made:
    with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        chunk = stored.read_chunk(cursor, instance_ids, day)
        if chunk is None:
            return Made()
        column = chunk.panel.column(day)
        replay = Replay(chunk.panel, chunk.track, chunk.pending, issued_column=column if day == today else None)
        done = list(replay.run(_origins(chunk, column), column))
        issues, scores = [item for item in done if isinstance(item, Issue)], [item for item in done if isinstance(item, Scores)]
        changes = [*jump_events(replay.jumps, chunk.last_made, column), *_slope_changes(chunk, replay, issues)]
        write.write_issues(cursor, chunk, issues)
        write.write_scores(cursor, chunk, scores)
        write.write_changes(cursor, chunk, changes)
        write.delete_superseded(cursor, instance_ids, [other for other in _superseded(today) if other != day])
    return Made(sum(len(issue.rows) for issue in issues), sum(len(score.actual) for score in scores), len(changes))


def _origins(chunk: Chunk, last_column: int) -> dict[int, Integers]:
    """The days on which forecasts are missing: every scored day since the newest forecast of a series, and the last day."""
    first = last_column - stored.REPLAYED_DAYS
    scored = (column for column in range(max(first, 0), last_column) if is_scored(chunk.panel.day(column)))
    origins = {column: np.flatnonzero(chunk.last_made < column) for column in scored}
    return {**{column: rows for column, rows in origins.items() if len(rows)}, last_column: np.flatnonzero(chunk.wanted)}


def _slope_changes(chunk: Chunk, replay: Replay, issues: Sequence[Issue]) -> Iterator[Change]:
    """Each change of slope once: it stays clear for weeks."""
    known = chunk.slope_known
    for issue in issues:
        rows = issue.rows[known[issue.rows] < issue.column - 2 * NEW_DAYS]
        if len(rows):
            for change in slope_events(*replay.known_on(rows, issue.column), rows, issue.column):
                known[change.row] = issue.column
                yield change


def _chunks(servers: Sequence[tuple[int, int]], most: int) -> Iterator[list[int]]:
    """Whole servers, because the forecast of a server is the sum of those of its databases."""
    chunk, size = list[int](), 0
    for instance_id, series in servers:
        if chunk and size + series > most:
            yield chunk
            chunk, size = [], 0
        chunk.append(instance_id)
        size += series
    if chunk:
        yield chunk


def _superseded(today: date) -> list[date]:
    days = (today - timedelta(days=age) for age in range(_KEPT_DAYS + 1, _KEPT_DAYS + 1 + _SWEPT_DAYS))
    return [day for day in days if not is_scored(day)]
