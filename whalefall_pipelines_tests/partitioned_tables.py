"""The partitioned tables of all areas, for tests."""

from whalefall_pipelines.areas import partitioned_table_names, partitioned_tables
from whalefall_pipelines.domain.months import Content

PARTITIONED_TABLES = partitioned_table_names()
# Those that hold days, which expire before the periods do.
DAY_TABLES = tuple(table.name for table in partitioned_tables() if table.content is Content.DAYS)
