"""The partitioned tables of all areas, for tests."""

from whalefall_pipelines.areas import partitioned_table_names

PARTITIONED_TABLES = partitioned_table_names()
