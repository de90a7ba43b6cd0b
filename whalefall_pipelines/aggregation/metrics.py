"""What Prometheus is told of periods: how many are to be computed again."""

from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.domain.metrics import Metric, gauge
from whalefall_pipelines.domain.periods import PeriodType
from whalefall_pipelines.store.database import Database


def read_metrics(database: Database, today: date) -> tuple[Metric, ...]:
    """The stale periods of each type."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("aggregation/count_due_periods"), {"today": today})
        due = dict(cursor.fetchall())
    samples = [(due.get(period_type, 0), {"period_type": str(period_type)}) for period_type in PeriodType]
    return (gauge("whalefall_stale_periods", "Periods that are to be computed because a day of them changed.", samples),)
