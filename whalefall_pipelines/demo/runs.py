"""The runs of a day of the demo that Dagster still needs."""

from datetime import date, timedelta

from whalefall_pipelines.demo.history import HISTORY_DAYS
from whalefall_pipelines.domain.periods import PeriodType, periods_between
from whalefall_pipelines.domain.runs import Run, aggregation, collection
from whalefall_pipelines.domain.sessions import Session, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.sessions.show_sessions import newest_sessions
from whalefall_pipelines.store.database import Database

_NAMES = {PeriodType.DAILY: "days", PeriodType.WEEKLY: "weeks", PeriodType.MONTHLY: "months", PeriodType.QUARTERLY: "quarters"}


def find_runs(database: Database, day: date) -> list[tuple[str, Run]]:
    """The runs that Dagster still needs, each with a message.

    The history and all periods are done once, accounts, classes, tables and forecasts once a day, sizes always.
    """
    newest = newest_sessions(database, limit=1000)
    told = [
        session.sync_category for session in newest if session.sync_type is SyncType.BACKFILL and session.status is SessionStatus.COMPLETED
    ]
    first_day, yesterday = day - timedelta(days=HISTORY_DAYS), day - timedelta(days=1)
    runs = [(f"collecting {day} through Dagster", collection(day, day))]
    if not any(_is_done(session, SyncCategory.ACCOUNT, day) and session.successful_instances for session in newest):
        runs.append(("reading accounts through Dagster", Run("sync_accounts", SyncCategory.ACCOUNT, day, day)))
    if not any(_is_done(session, SyncCategory.CLASSIFICATION, day) for session in newest):
        runs.append(("putting accounts into classes through Dagster", Run("classify_accounts", SyncCategory.CLASSIFICATION, day, day)))
    if not any(_is_done(session, SyncCategory.FORECAST, day) for session in newest):
        runs.append(("forecasting through Dagster: a year of forecasts is replayed and scored", _forecasts(day)))
    if not any(_is_done(session, SyncCategory.TABLES, day) for session in newest):
        runs.append(("reading tables through Dagster", Run("collect_tables", SyncCategory.TABLES, day, day)))
    if SyncCategory.CAPACITY not in told:
        runs.insert(0, ("reporting the history to Dagster: a backfill that reads the stored days", collection(first_day, yesterday)))
    if told.count(SyncCategory.AGGREGATION) < len(PeriodType):
        for period_type in PeriodType:
            periods = periods_between(period_type, first_day, day)
            runs.append((f"computing {_NAMES[period_type]} through Dagster", aggregation(periods[0], periods[-1])))
    return runs


def _is_done(session: Session, category: SyncCategory, day: date) -> bool:
    return session.sync_category is category and session.first_day == day and session.completed_at is not None


def _forecasts(day: date) -> Run:
    return Run("make_forecasts", SyncCategory.FORECAST, day, day)
