"""Writes forecasts, scores and changes by COPY. Forecasts and scores are never updated."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import numpy as np

from whalefall_pipelines import queries
from whalefall_pipelines.forecasts.candidates import HORIZONS
from whalefall_pipelines.forecasts.events import Change
from whalefall_pipelines.forecasts.model import CODE_VERSION, Chunk
from whalefall_pipelines.forecasts.replay import MODELS, Issue, Scores
from whalefall_pipelines.forecasts.states import STATES
from whalefall_pipelines.store.copy_text import Lines, iso, number
from whalefall_pipelines.store.database import Cursor

_AT_ONCE = 1 << 20


def write_issues(cursor: Cursor, chunk: Chunk, issues: Iterable[Issue]) -> None:
    """Write forecasts."""
    cursor.copy_from(Lines(line for issue in issues for line in _issue_lines(chunk, issue)), "capacity_forecasts", size=_AT_ONCE)


def write_scores(cursor: Cursor, chunk: Chunk, scores: Iterable[Scores]) -> None:
    """Write scores."""
    cursor.copy_from(Lines(line for score in scores for line in _score_lines(chunk, score)), "capacity_forecast_scores", size=_AT_ONCE)


def write_changes(cursor: Cursor, chunk: Chunk, changes: Iterable[Change]) -> None:
    """Write changes; those that are known stay."""
    cursor.execute(queries.load("forecasts/create_staging"))
    cursor.copy_from(Lines(_change_line(chunk, change) for change in changes), "staged_changes", size=_AT_ONCE)
    cursor.execute(queries.load("forecasts/insert_changes"))


def delete_superseded(cursor: Cursor, instance_ids: Sequence[int], days: Sequence[date]) -> None:
    """Delete the forecasts of these days."""
    cursor.execute(queries.load("forecasts/delete_superseded"), {"instance_ids": list(instance_ids), "days": list(days)})


def _issue_lines(chunk: Chunk, issue: Issue) -> Iterator[str]:
    made_on, origin = iso(chunk.panel.day(issue.column)), "issued" if issue.is_issued else "replayed"
    candidates, bounds, models = issue.candidates.astype(np.int64).tolist(), issue.bounds.tolist(), issue.model.tolist()
    errors, matured, skills = issue.error.tolist(), issue.matured.tolist(), issue.skill.tolist()
    bases, states, known_days = (
        issue.base.astype(np.int64).tolist(),
        issue.state.tolist(),
        issue.known_days.tolist(),
    )
    for place, row in enumerate(issue.rows.tolist()):
        series = _series(chunk, row)
        for ahead, horizon in enumerate(HORIZONS):
            points = candidates[place][ahead]
            yield (
                f"{series}\t{made_on}\t{horizon}\t{origin}\t{CODE_VERSION}\t{MODELS[models[place][ahead]]}\t{STATES[states[place]]}"
                f"\t{bases[place]}\t{points[-1]}\t{_whole(bounds[place][ahead])}\t{known_days[place]}\t{matured[place][ahead]}"
                f"\t{_share(errors[place][ahead])}\t{_share(skills[place])}\t{{{','.join(map(str, points))}}}\n"
            )


def _score_lines(chunk: Chunk, scores: Scores) -> Iterator[str]:
    forecasts = scores.forecasts
    days = f"{iso(chunk.panel.day(forecasts.made))}\t{HORIZONS[forecasts.horizon]}\t{iso(chunk.panel.day(forecasts.target))}"
    columns = zip(
        forecasts.rows.tolist(),
        forecasts.is_issued.tolist(),
        forecasts.base.astype(np.int64).tolist(),
        forecasts.candidates[:, -1].astype(np.int64).tolist(),
        forecasts.bounds.tolist(),
        scores.actual.astype(np.int64).tolist(),
        scores.residuals.tolist(),
        scores.matured.tolist(),
        scores.errors.tolist(),
        strict=True,
    )
    for row, is_issued, base, point, bounds, actual, residual, matured, errors in columns:
        origin = "issued" if is_issued else "replayed"
        yield (
            f"{_series(chunk, row)}\t{days}\t{origin}\t{base}\t{point}\t{_whole(bounds)}\t{actual}\t{residual!r}\t{matured}"
            f"\t{{{','.join(map(repr, errors))}}}\n"
        )


def _change_line(chunk: Chunk, change: Change) -> str:
    days = "\t".join(iso(chunk.panel.day(column)) for column in (change.from_column, change.to_column, change.known_column))
    return f"{_series(chunk, change.row)}\t{change.kind.value}\t{days}\t{change.change_bytes}\n"


def _series(chunk: Chunk, row: int) -> str:
    series = chunk.series[row]
    return f"{series.instance_id}\t{number(series.database_id or None)}"


def _whole(bounds: Sequence[float]) -> str:
    return "\t".join("\\N" if math.isnan(bound) else str(int(bound)) for bound in bounds)


def _share(value: float) -> str:
    return "\\N" if math.isnan(value) else repr(value)
