"""The calendar of all partitioned assets: days in the configured time zone, the running one included."""

import dagster as dg

from whalefall_pipelines import settings

# Read when the code location loads: the partitions of an asset cannot change while it is loaded.
SETTINGS = settings.load()
TIMEZONE = SETTINGS.timezone.key

DAYS = dg.DailyPartitionsDefinition(start_date=SETTINGS.start_date.isoformat(), timezone=TIMEZONE, end_offset=1)
