-- End the stored sizes of earlier days that are no longer so: of tables that are gone, are missing, or have another size.
-- Parameters: instance_id, database_name, day, month_start.
-- Returns: nothing.
update table_size_stats as s
set until_date = %(day)s
where
    s.instance_id = %(instance_id)s
    and s.database_name = %(database_name)s
    and s.stat_date >= %(month_start)s
    and s.stat_date < %(day)s
    and s.until_date is null
    and not exists (
        select 1
        from staged_tables as t
        where
            s.schema_name = t.schema_name
            and s.table_name = t.table_name
            and s.partition_name = t.partition_name
            and s.kind = t.kind
            and (s.total_bytes, s.data_bytes, s.index_bytes, s.lob_bytes, s.method)
            is not distinct from (t.total_bytes, t.data_bytes, t.index_bytes, t.lob_bytes, t.method)
    )
