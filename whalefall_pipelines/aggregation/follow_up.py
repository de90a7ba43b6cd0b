"""What `whalefall collect` does for the periods after it measured a day, so that they need not wait for Dagster's daemon."""

from datetime import date
from uuid import uuid4

from whalefall_pipelines.aggregation.aggregate import aggregate_sizes
from whalefall_pipelines.aggregation.model import first_kept_daily
from whalefall_pipelines.aggregation.settings import KeptMonthsSettings
from whalefall_pipelines.aggregation.store import list_due_periods
from whalefall_pipelines.domain.periods import PeriodType, periods_between, spans
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


def follow_up(database: Database, settings: Settings, today: date) -> None:
    """Compute every period that is due according to the ledger of changes. It is safe beside the daemon, which does the same."""
    for period_type in PeriodType:
        due = list_due_periods(
            database, period_type, today, daily_from=first_kept_daily(settings.of(KeptMonthsSettings).retention_months, today)
        )
        for first, last in spans(due):
            periods = periods_between(period_type, first.start, last.start)
            plan = SessionPlan(uuid4(), SyncCategory.AGGREGATION, SyncType.MANUAL_TASK, first.start, min(last.end, today))
            with sync_session(database, plan, []):  # records are added for the instances that changed
                aggregate_sizes(database, periods, today, plan.session_id)
