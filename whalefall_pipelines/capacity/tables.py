"""The partitioned tables of the area."""

STATS_TABLES = ("database_size_stats", "instance_size_stats")
