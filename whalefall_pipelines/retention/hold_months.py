"""Finds months of sizes that must not be dropped yet, because a period was not computed from them since their days changed.

`maintenance.py` plans the steps for them; `aggregation/aggregate.py` computes periods.
"""

from collections.abc import Sequence
from datetime import date

from whalefall_pipelines.aggregation.aggregate import find_stale_periods
from whalefall_pipelines.aggregation.known_days import find_known_days
from whalefall_pipelines.aggregation.model import how_to_compute
from whalefall_pipelines.domain.months import Month, months_of
from whalefall_pipelines.domain.periods import PeriodType
from whalefall_pipelines.store.database import Database


def find_held_months(database: Database, months: Sequence[Month], retention_months: int, today: date) -> dict[Month, str]:
    """Those of these months with a period that recomputing would change, and the commands that compute it.

    A period older than the retention of aggregations is not required. Daily periods are not required either, because they expire with
    their days, except that of the last day, with which the next day is compared.
    """
    known = find_known_days(database) if months else None
    if not known or known[0] > months[-1].last_day or known[1] < months[0].first_day:
        return {}
    days = (max(known[0], months[0].first_day), min(known[1], months[-1].last_day))
    oldest_kept = months_of([today])[0].plus(-retention_months)
    last_day = months[-1].last_day
    spans = dict.fromkeys(PeriodType, days) | {PeriodType.DAILY: (last_day, last_day)}
    stale = [
        period
        for period_type, span in spans.items()
        if known[0] <= span[0] <= span[1] <= known[1]
        for period in find_stale_periods(database, period_type, today, span)
        if months_of([period.start])[0] >= oldest_kept
    ]
    touching = {month: [period for period in stale if period.start <= month.last_day and period.end >= month.first_day] for month in months}
    why = "it is overdue, but aggregations do not match its daily data; compute them first: "
    commands = {month: how_to_compute(periods) for month, periods in touching.items() if periods}
    return {month: why + ", ".join(f"`{command}`" for command in listed) for month, listed in commands.items()}
