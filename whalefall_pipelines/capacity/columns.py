"""The columns of sizes and totals as the UI shows them. A test compares them with the catalogue of the store."""

from whalefall_pipelines.area import Column

COLUMNS: dict[str, tuple[Column, ...]] = {
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
}
