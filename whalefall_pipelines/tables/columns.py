"""The documented columns of the tables of table sizes. A test compares them with the catalogue of the store."""

from whalefall_pipelines.area import Column

COLUMNS: dict[str, tuple[Column, ...]] = {
    "table_size_stats": (
        ("instance_id", "integer", "key, with all names, kind and stat_date"),
        ("database_name", "text", "as the server spells it"),
        ("schema_name", "text", "the schema, or the owner on Oracle; empty on MySQL"),
        ("table_name", "text", "empty for what is not a table"),
        ("partition_name", "text", "empty for a table; the table's own row contains its partitions"),
        ("kind", "text", "table, partitioned, unlogged, materialized_view, foreign, no_table or smaller_tables"),
        ("stat_date", "date", "the first day of its month on which these values were read"),
        ("until_date", "date", "the day on which other values were read, at the latest the end of the month; NULL until then"),
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
        ("total_bytes", "bigint", "the size of the database, which all of its rows add up to; NULL while missing"),
        ("row_count", "integer", "the number of rows of this day"),
        ("smaller_tables", "integer", "the number of tables that are only in the row of the smaller tables"),
        ("smaller_partitions", "integer", "the number of partitions without a row"),
        ("missing", "jsonb", "the tables without a size, with their reasons"),
        ("sizes_digest", "text", "equal to the value of the previous observation if no size changed"),
        ("reason", "text", "why nothing was read; NULL if it was"),
        ("detail", "text", "the reason in words"),
        ("session_id", "uuid", "the session that wrote it; NULL if collected by hand"),
    ),
}
