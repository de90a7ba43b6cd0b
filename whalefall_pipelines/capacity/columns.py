"""The documented columns of sizes and totals. A test compares them with the catalogue of the store."""

from whalefall_pipelines.area import Column

COLUMNS: dict[str, tuple[Column, ...]] = {
    "database_size_stats": (
        ("instance_id", "integer", "key, with database_name and stat_date"),
        ("database_name", "text", "as the server spells it"),
        ("stat_date", "date", "the day in the configured time zone"),
        ("total_bytes", "bigint", "bytes on disk"),
        ("data_bytes", "bigint", "bytes of data; NULL if data and log are not distinguished"),
        ("log_bytes", "bigint", "bytes of log; NULL if data and log are not distinguished"),
        ("collected_at", "timestamp with time zone", "the instant of the measurement"),
        ("provenance", "text", "measured, recovered or estimated"),
        ("method", "text", "the source of the number, such as pg_database_size"),
        ("growth_limit_bytes", "bigint", "the size up to which its files may grow; NULL if unlimited or unknown"),
        ("used_bytes", "bigint", "the part of data_bytes that is in use; NULL if the server does not report it"),
        ("session_id", "uuid", "the session that wrote it; NULL if collected by hand"),
    ),
    "instance_size_stats": (
        ("instance_id", "integer", "key, with stat_date"),
        ("stat_date", "date", "the day in the configured time zone"),
        ("total_bytes", "bigint", "the exact sum of the day's database rows"),
        ("database_count", "integer", "the number of databases in the sum"),
        ("expected_count", "integer", "the number of expected databases; the day is incomplete if it exceeds database_count"),
        ("shared_bytes", "bigint", "bytes on the server's disk that belong to no database; NULL if unknown"),
        ("collected_at", "timestamp with time zone", "the newest measurement in the sum"),
        ("provenance", "text", "the provenance of the least certain row in the sum"),
        ("session_id", "uuid", "the session that wrote it"),
    ),
    "capacity_gaps": (
        ("instance_id", "integer", "key, with database_name and stat_date"),
        ("database_name", "text", "the missing database; NULL for a server whose databases were never listed"),
        ("stat_date", "date", "the day"),
        ("reason", "text", "why the size is missing"),
        ("detail", "text", "what happened, and what to do"),
        ("was_measurable", "boolean", "whether the database had been measured by that day, so that it counts in expected_count"),
        ("session_id", "uuid", "the session that met the gap; NULL if collected by hand"),
        ("closed_by", "text", "NULL while the size is missing; else measured, recovered or estimated"),
    ),
    "capacity_coverage": (
        ("stat_date", "date", "the day"),
        ("instance_id", "integer", "the server"),
        ("expected", "integer", "the number of expected databases; NULL if the databases of the server were never listed"),
        ("measured", "integer", "how many of them were measured"),
        ("recovered", "integer", "how many were recovered from the server's own history"),
        ("estimated", "integer", "how many were estimated"),
        ("missing", "integer", "how many are missing"),
        ("reasons", "text[]", "the reasons of the missing ones"),
    ),
}
