"""The calendars of all partitioned assets: days, weeks, months and quarters in the time zone of the store, including the current ones."""

from collections.abc import Mapping

import dagster as dg

from whalefall_pipelines.domain.periods import PeriodType, floor
from whalefall_pipelines.settings import load_settings, machine_timezone

# Evaluated when the code location loads, without a store, because the Dagster partitions of an asset cannot change afterwards. Processes
# started by whalefall get the store's time zone; others use the machine's. A store with a different time zone refuses the run.
_SETTINGS = load_settings()
ZONE = _SETTINGS.timezone or machine_timezone()
TIMEZONE = ZONE.key
FIRST_DAY = _SETTINGS.start_date

DAYS = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone=TIMEZONE, end_offset=1)


def _periods(period_type: PeriodType, cron_schedule: str) -> dg.TimeWindowPartitionsDefinition:
    # Each calendar begins with the period that contains the first day; Dagster would begin with the next one.
    start = floor(period_type, FIRST_DAY).isoformat()
    return dg.TimeWindowPartitionsDefinition(start=start, fmt="%Y-%m-%d", cron_schedule=cron_schedule, timezone=TIMEZONE, end_offset=1)


CALENDARS: Mapping[PeriodType, dg.TimeWindowPartitionsDefinition] = {
    PeriodType.DAILY: DAYS,
    PeriodType.WEEKLY: _periods(PeriodType.WEEKLY, "0 0 * * 1"),
    PeriodType.MONTHLY: _periods(PeriodType.MONTHLY, "0 0 1 * *"),
    PeriodType.QUARTERLY: _periods(PeriodType.QUARTERLY, "0 0 1 1,4,7,10 *"),
}
