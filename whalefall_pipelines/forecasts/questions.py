"""What the commands of the area ask, here or of a server elsewhere."""

from datetime import date

from whalefall_pipelines.forecasts import ask
from whalefall_pipelines.forecasts.figures import TrackRecord
from whalefall_pipelines.runtime.source import Question
from whalefall_pipelines.store.database import Database


def _score_forecasts(database: Database, today: date, *, days: int, most: int) -> TrackRecord:
    return ask.track_record(database, today, days=days, most=most)


RUNWAY = Question(ask.nearest_runways, "/runway")
SCORE = Question(_score_forecasts, "/forecasts/score")
CHANGES = Question(ask.recent_changes, "/forecasts/changes")
