"""Writes forecasts, scores and changes by COPY. Forecasts and scores are never updated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.forecasts.arrays import Integers
from whalefall_pipelines.forecasts.candidates import HORIZONS
from whalefall_pipelines.forecasts.events import Change
from whalefall_pipelines.forecasts.model import CODE_VERSION, Chunk
from whalefall_pipelines.forecasts.replay import MODELS, Issue, Scores
from whalefall_pipelines.forecasts.states import STATES
from whalefall_pipelines.forecasts.store.binary import Blocks, Column, Numbers, Texts, day_number, encode, known_numbers, same
from whalefall_pipelines.store.copy_text import Lines, iso, number
from whalefall_pipelines.store.database import Cursor

_AT_ONCE = 1 << 20
_ORIGINS = ("replayed", "issued")


def write_issues(cursor: Cursor, chunk: Chunk, issues: Iterable[Issue]) -> None:
    """Write forecasts."""
    series = _Series.of(chunk)
    blocks = (block for issue in issues for block in encode(_issue_columns(chunk, series, issue)))
    cursor.copy(sql.SQL(queries.load("forecasts/copy_forecasts")), Blocks(blocks))


def write_scores(cursor: Cursor, chunk: Chunk, scores: Iterable[Scores]) -> None:
    """Write scores."""
    series = _Series.of(chunk)
    blocks = (block for some in scores for block in encode(_score_columns(chunk, series, some)))
    cursor.copy(sql.SQL(queries.load("forecasts/copy_scores")), Blocks(blocks))


def write_changes(cursor: Cursor, chunk: Chunk, changes: Iterable[Change]) -> None:
    """Write changes; those that are known stay."""
    cursor.execute(queries.load("forecasts/create_staging"))
    cursor.copy_from(Lines(_change_line(chunk, change) for change in changes), "staged_changes", size=_AT_ONCE)
    cursor.execute(queries.load("forecasts/insert_changes"))


def delete_superseded(cursor: Cursor, instance_ids: Sequence[int], days: Sequence[date]) -> None:
    """Delete the forecasts of these days."""
    cursor.execute(queries.load("forecasts/delete_superseded"), {"instance_ids": list(instance_ids), "days": list(days)})


@dataclass(frozen=True, slots=True)
class _Series:
    """The ids of the series of a chunk, by row; database 0 is the server."""

    instance_ids: Integers
    database_ids: Integers

    @classmethod
    def of(cls, chunk: Chunk) -> Self:
        """Those of a chunk."""
        return cls(np.array([each.instance_id for each in chunk.series]), np.array([each.database_id for each in chunk.series]))

    def columns(self, rows: Integers) -> tuple[Column, Column]:
        """The columns instance_id and database_id of these rows."""
        database_ids = self.database_ids[rows]
        return Numbers(">i4", self.instance_ids[rows]), Numbers(">i4", database_ids, database_ids != 0)


def _issue_columns(chunk: Chunk, series: _Series, issue: Issue) -> list[Column]:
    """A row for each series and horizon."""
    horizons = len(HORIZONS)
    count = len(issue.rows) * horizons
    candidates = issue.candidates.astype(np.int64).reshape(count, -1)
    return [
        *series.columns(np.repeat(issue.rows, horizons)),
        same(">i4", day_number(chunk.panel.day(issue.column)), count),
        Numbers(">i2", np.tile(HORIZONS, len(issue.rows))),
        Texts(_ORIGINS, np.full(count, int(issue.is_issued))),
        same(">i2", CODE_VERSION, count),
        Texts(MODELS, issue.model.reshape(count)),
        Texts(STATES, np.repeat(issue.state, horizons)),
        Numbers(">i8", np.repeat(issue.base.astype(np.int64), horizons)),
        Numbers(">i8", candidates[:, -1]),
        *(known_numbers(">i8", bound) for bound in issue.bounds.reshape(count, -1).T),
        Numbers(">i2", np.repeat(issue.known_days, horizons)),
        Numbers(">i4", issue.matured.reshape(count)),
        known_numbers(">f8", issue.error.reshape(count)),
        known_numbers(">f8", np.repeat(issue.skill, horizons)),
        Numbers(">i8", candidates),
    ]


def _score_columns(chunk: Chunk, series: _Series, scores: Scores) -> list[Column]:
    forecasts, count = scores.forecasts, len(scores.actual)
    return [
        *series.columns(forecasts.rows),
        same(">i4", day_number(chunk.panel.day(forecasts.made)), count),
        same(">i2", HORIZONS[forecasts.horizon], count),
        same(">i4", day_number(chunk.panel.day(forecasts.target)), count),
        Texts(_ORIGINS, forecasts.is_issued.astype(np.int64)),
        Numbers(">i8", forecasts.base.astype(np.int64)),
        Numbers(">i8", forecasts.candidates[:, -1].astype(np.int64)),
        *(known_numbers(">i8", bound) for bound in forecasts.bounds.T),
        Numbers(">i8", scores.actual.astype(np.int64)),
        Numbers(">f8", scores.residuals),
        Numbers(">i4", scores.matured),
        Numbers(">f8", scores.errors),
    ]


def _change_line(chunk: Chunk, change: Change) -> str:
    days = "\t".join(iso(chunk.panel.day(column)) for column in (change.from_column, change.to_column, change.known_column))
    return f"{_series(chunk, change.row)}\t{change.kind.value}\t{days}\t{change.change_bytes}\n"


def _series(chunk: Chunk, row: int) -> str:
    series = chunk.series[row]
    return f"{series.instance_id}\t{number(series.database_id or None)}"
