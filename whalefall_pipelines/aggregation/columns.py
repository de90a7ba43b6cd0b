"""The documented columns of the aggregations. A test compares them with the catalogue of the store."""

from collections.abc import Mapping

from whalefall_pipelines.area import Column

_PERIOD = (
    ("period_type", "text", "daily, weekly, monthly or quarterly"),
    ("period_start", "date", "the first day, which identifies the period"),
    ("period_end", "date", "the last day"),
    ("avg_bytes", "bigint", "the average of the days in bytes; NULL if no day is known"),
    ("max_bytes", "bigint", "the largest day"),
    ("min_bytes", "bigint", "the smallest day"),
    ("opening_bytes", "bigint", "the first known day"),
    ("closing_bytes", "bigint", "the last known day"),
    ("data_count", "integer", "the number of days that the figures are computed from; for an instance, its complete days"),
    ("expected_count", "integer", "the number of days of the period that have begun"),
    ("estimated_count", "integer", "the number of these days with an estimate"),
    ("change_bytes", "bigint", "the average minus the average of the previous period; NULL if either is unknown"),
    ("change_percent", "numeric", "the same as a percentage of the previous period"),
    ("is_final", "boolean", "whether the period is over"),
    ("calculated_at", "timestamp with time zone", "when a figure of this row last changed"),
)
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "database_size_aggregations": (
        ("instance_id", "integer", "key, with database_name, period_type and period_start"),
        ("database_name", "text", "as the server spells it"),
        *_PERIOD,
    ),
    "instance_size_aggregations": (
        ("instance_id", "integer", "key, with period_type and period_start"),
        *_PERIOD,
        ("avg_database_count", "numeric", "the average number of databases on complete days"),
        ("max_database_count", "integer", "the largest number of databases on a complete day"),
        ("min_database_count", "integer", "the smallest number of databases on a complete day"),
        ("trend_direction", "text", "growing above +5 %, shrinking below -5 %, else stable; NULL if unknown"),
    ),
}
