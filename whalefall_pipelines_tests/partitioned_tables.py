"""The partitioned tables of all areas, for tests."""

from whalefall_pipelines.areas import partitioned_table_names, partitioned_tables
from whalefall_pipelines.domain.months import Content

PARTITIONED_TABLES = partitioned_table_names()
# Sizes wait for their periods before they expire; other days do not.
SIZE_TABLES = tuple(table.name for table in partitioned_tables() if table.content is Content.AGGREGATED_DAYS)
OTHER_DAY_TABLES = tuple(table.name for table in partitioned_tables() if table.content is Content.DAYS)
