"""What the commands of the area ask, here or of a server elsewhere."""

from datetime import date

from whalefall_pipelines.capacity import ask
from whalefall_pipelines.capacity.coverage import Coverage
from whalefall_pipelines.capacity.day_reports import read_coverage
from whalefall_pipelines.capacity.listing import OpenGap, SizeFilter, list_open_gaps
from whalefall_pipelines.domain.filters import Days
from whalefall_pipelines.runtime.source import Question
from whalefall_pipelines.store.database import Database


def _read_coverage(database: Database, *, start_date: date, end_date: date) -> tuple[Coverage, ...]:
    return tuple(read_coverage(database, (start_date, end_date)))


def _list_gaps(database: Database, *, start_date: date, end_date: date, reason: str | None) -> tuple[OpenGap, ...]:
    after = {"after_day": None, "after_id": None, "after_name": None}
    return list_open_gaps(database, SizeFilter(Days(start_date, end_date), reason=reason), after, {"most": None, "skipped": 0})


LARGEST_DATABASES = Question(ask.largest_databases, "/largest-databases")
LARGEST_GROUPS = Question(ask.largest_groups, "/largest-groups")
GROWTH = Question(ask.fastest_growth, "/growth")
HISTORY = Question(ask.history, "/history")
COVERAGE = Question(_read_coverage, "/coverage")
GAPS = Question(_list_gaps, "/gaps")
