-- Delete the sizes of this same day of tables that a second reading does not find: they never counted.
-- Parameters: instance_id, database_name, day.
-- Returns: nothing.
delete from table_size_stats as s
where
    s.instance_id = %(instance_id)s
    and s.database_name = %(database_name)s
    and s.stat_date = %(day)s
    and not exists (
        select 1
        from staged_tables as t
        where
            s.schema_name = t.schema_name
            and s.table_name = t.table_name
            and s.partition_name = t.partition_name
            and s.kind = t.kind
    )
