"""The calendars of all partitioned assets: days, weeks, months and quarters in the time zone of the store, the running ones included."""

from collections.abc import Mapping

import dagster as dg

from whalefall_pipelines.domain.periods import PeriodType, floor
from whalefall_pipelines.settings import load_settings, machine_timezone

# Read when the code location loads, which needs no store: the partitions of an asset cannot change while it is loaded. What whalefall
# starts is told the store's zone; elsewhere it is the machine's, as when a store is made. A run is refused by a store of another zone.
_SETTINGS = load_settings()
ZONE = _SETTINGS.requested_timezone or machine_timezone()
TIMEZONE = ZONE.key
FIRST_DAY = _SETTINGS.start_date

DAYS = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone=TIMEZONE, end_offset=1)


def _periods(period_type: PeriodType, cron_schedule: str) -> dg.TimeWindowPartitionsDefinition:
    # Each calendar begins with the period in which the first day lies; Dagster would begin with the next.
    start = floor(period_type, FIRST_DAY).isoformat()
    return dg.TimeWindowPartitionsDefinition(start=start, fmt="%Y-%m-%d", cron_schedule=cron_schedule, timezone=TIMEZONE, end_offset=1)


CALENDARS: Mapping[PeriodType, dg.TimeWindowPartitionsDefinition] = {
    PeriodType.DAILY: DAYS,
    PeriodType.WEEKLY: _periods(PeriodType.WEEKLY, "0 0 * * 1"),
    PeriodType.MONTHLY: _periods(PeriodType.MONTHLY, "0 0 1 * *"),
    PeriodType.QUARTERLY: _periods(PeriodType.QUARTERLY, "0 0 1 1,4,7,10 *"),
}
