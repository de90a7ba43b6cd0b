"""The partitioned tables of the area."""

STATS_TABLES = ("database_size_stats", "instance_size_stats")
# No period is computed from these.
DISK_TABLES = ("instance_shared_stats", "instance_volume_stats")
