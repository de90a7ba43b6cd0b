"""The columns of the public tables as the UI shows them. A test compares them with the store's catalogue."""

from collections.abc import Mapping

import dagster as dg

_PERIOD = (
    ("period_type", "text", "daily, weekly, monthly or quarterly"),
    ("period_start", "date", "the first day, by which the period is named"),
    ("period_end", "date", "the last day"),
    ("avg_bytes", "bigint", "average of the days in bytes; NULL when no day is known"),
    ("max_bytes", "bigint", "the largest day"),
    ("min_bytes", "bigint", "the smallest day"),
    ("opening_bytes", "bigint", "the first known day"),
    ("closing_bytes", "bigint", "the last known day"),
    ("data_count", "integer", "days that the figures are computed from; of an instance, its complete days"),
    ("expected_count", "integer", "days of the period that have begun"),
    ("estimated_count", "integer", "how many of data_count hold an estimate"),
    ("change_bytes", "bigint", "average minus that of the period before; NULL when either is unknown"),
    ("change_percent", "numeric", "the same as a percentage of the period before"),
    ("is_final", "boolean", "whether the period is over"),
    ("calculated_at", "timestamp with time zone", "when a figure of this row last changed"),
)
# By table: name, PostgreSQL type and description of each column.
COLUMNS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "instances": (
        ("instance_id", "integer", "key"),
        ("name", "text", "unique"),
        ("engine", "text", "postgresql, mysql (MariaDB too), sqlserver or oracle"),
        ("host", "text", "where it listens"),
        ("port", "integer", "where it listens"),
        ("default_database", "text", "the database to connect to; NULL is the engine's own"),
        ("credential_id", "integer", "the login, in credentials"),
        ("tags", "jsonb", "free labels"),
        ("capacity_limit_bytes", "bigint", "what the server may hold; NULL when not stated"),
        ("is_active", "boolean", "whether it is collected"),
        ("deleted_at", "timestamp with time zone", "when it was removed; its history stays"),
        ("server_version", "text", "as the server said when it was last reached"),
        ("last_connected_at", "timestamp with time zone", "when it was last reached"),
    ),
    "instance_databases": (
        ("instance_id", "integer", "key, with database_name"),
        ("database_name", "text", "as the server spells it"),
        ("is_active", "boolean", "whether it is expected on days to come"),
        ("first_seen_date", "date", "the first day on which it was listed"),
        ("last_seen_date", "date", "the last day on which it was listed"),
        ("deleted_at", "timestamp with time zone", "when it was found gone"),
    ),
    "database_size_stats": (
        ("instance_id", "integer", "key, with database_name and stat_date"),
        ("database_name", "text", "as the server spells it"),
        ("stat_date", "date", "the day in the configured time zone"),
        ("total_bytes", "bigint", "bytes on disk"),
        ("data_bytes", "bigint", "bytes of data; NULL when not told apart"),
        ("log_bytes", "bigint", "bytes of log; NULL when not told apart"),
        ("collected_at", "timestamp with time zone", "the instant of the measurement"),
        ("provenance", "text", "measured, recovered or estimated"),
        ("method", "text", "where the number comes from, such as pg_database_size"),
        ("growth_limit_bytes", "bigint", "how large its files may grow; NULL without a limit or unknown"),
        ("used_bytes", "bigint", "how much of data_bytes is in use; NULL where the server does not say so"),
        ("session_id", "uuid", "the session that wrote it; NULL when collected by hand"),
    ),
    "instance_size_stats": (
        ("instance_id", "integer", "key, with stat_date"),
        ("stat_date", "date", "the day in the configured time zone"),
        ("total_bytes", "bigint", "the exact sum of the day's database rows"),
        ("database_count", "integer", "databases in that sum"),
        ("expected_count", "integer", "databases that should be in it; more than database_count: incomplete"),
        ("collected_at", "timestamp with time zone", "the newest measurement in the sum"),
        ("provenance", "text", "that of the least certain row"),
        ("session_id", "uuid", "the session that wrote it"),
    ),
    "database_size_aggregations": (
        ("instance_id", "integer", "key, with database_name, period_type and period_start"),
        ("database_name", "text", "as the server spells it"),
        *_PERIOD,
    ),
    "instance_size_aggregations": (
        ("instance_id", "integer", "key, with period_type and period_start"),
        *_PERIOD,
        ("avg_database_count", "numeric", "databases on the average complete day"),
        ("max_database_count", "integer", "databases on the fullest complete day"),
        ("min_database_count", "integer", "databases on the emptiest complete day"),
        ("trend_direction", "text", "growing above +5 %, shrinking below -5 %, else stable; NULL when unknown"),
    ),
}


def column_schema(table_name: str) -> dg.TableSchema:
    """The documented columns of a public table."""
    return dg.TableSchema(columns=[dg.TableColumn(name, kind, description) for name, kind, description in COLUMNS[table_name]])
