-- End the stored sizes that are no longer so: of tables that are gone, are missing, or have another size. Those that began on this same day
-- never counted: the ones that are gone are deleted, and the others replaced by `insert_sizes`.
-- Parameters: instance_id, database_name, day, month_start.
-- Returns: nothing.
with ended as (
    select
        s.schema_name,
        s.table_name,
        s.partition_name,
        s.kind,
        s.stat_date,
        t.table_name is null as is_gone
    from table_size_stats as s
    left join staged_tables as t
        on
            s.schema_name = t.schema_name
            and s.table_name = t.table_name
            and s.partition_name = t.partition_name
            and s.kind = t.kind
    where
        s.instance_id = %(instance_id)s
        and s.database_name = %(database_name)s
        and s.stat_date between %(month_start)s and %(day)s
        and s.until_date is null
        and (
            t.table_name is null
            or (s.total_bytes, s.data_bytes, s.index_bytes, s.lob_bytes, s.method)
            is distinct from (t.total_bytes, t.data_bytes, t.index_bytes, t.lob_bytes, t.method)
        )
),

deleted as (
    delete from table_size_stats as s
    using ended as e
    where
        e.is_gone
        and e.stat_date = %(day)s
        and s.instance_id = %(instance_id)s
        and s.database_name = %(database_name)s
        and s.stat_date = %(day)s
        and s.schema_name = e.schema_name
        and s.table_name = e.table_name
        and s.partition_name = e.partition_name
        and s.kind = e.kind
)

update table_size_stats as s
set until_date = %(day)s
from ended as e
where
    e.stat_date < %(day)s
    and s.instance_id = %(instance_id)s
    and s.database_name = %(database_name)s
    and s.stat_date between %(month_start)s and %(day)s
    and s.stat_date = e.stat_date
    and s.schema_name = e.schema_name
    and s.table_name = e.table_name
    and s.partition_name = e.partition_name
    and s.kind = e.kind
