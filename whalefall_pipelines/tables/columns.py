"""The documented columns of the tables of table sizes. A test compares them with the catalogue of the store."""

from whalefall_pipelines.area import Column

COLUMNS: dict[str, tuple[Column, ...]] = {
    "table_size_stats": (
        ("instance_id", "integer", "key, with all names, kind and stat_date"),
        ("database_name", "text", "as the server spells it"),
        ("schema_name", "text", "the schema, or the owner on Oracle; empty on MySQL"),
        ("table_name", "text", "empty for what is no table"),
        ("partition_name", "text", "empty for a table; the table's own row contains its partitions"),
        ("kind", "text", "table, partitioned, unlogged, materialized_view, foreign, no_table or smaller_tables"),
        ("stat_date", "date", "the first day in its month on which this was read"),
        ("until_date", "date", "the day on which something else was read; NULL until then, at most to the end of the month"),
        ("total_bytes", "bigint", "bytes on disk"),
        ("data_bytes", "bigint", "bytes of rows; NULL if not distinguished"),
        ("index_bytes", "bigint", "bytes of indexes; NULL if not distinguished"),
        ("lob_bytes", "bigint", "bytes of TOAST or LOB segments; NULL if not distinguished"),
        ("row_estimate", "bigint", "the server's own estimate on stat_date; NULL without one"),
        ("method", "text", "the source of the number, such as pg_table_size"),
    ),
    "table_size_observations": (
        ("instance_id", "integer", "key, with database_name and stat_date"),
        ("database_name", "text", "as the server spells it"),
        ("stat_date", "date", "the day in the configured time zone"),
        ("collected_at", "timestamp with time zone", "the instant of the answer"),
        ("total_bytes", "bigint", "the size of the database, which its tables and what is no table add up to; NULL while missing"),
        ("row_count", "integer", "the rows of this day"),
        ("smaller_tables", "integer", "how many tables are only in the row of the smaller tables"),
        ("smaller_partitions", "integer", "how many partitions have no row"),
        ("missing", "jsonb", "the tables without a size, with their reasons"),
        ("sizes_digest", "text", "equal to that of the observation before where no size changed"),
        ("reason", "text", "why nothing was read; NULL if it was"),
        ("detail", "text", "the reason in words"),
        ("session_id", "uuid", "the session that wrote it; NULL if collected by hand"),
    ),
}
