-- Store the staged sizes that are not stored yet; those of a day replace earlier ones of the same day.
-- Parameters: instance_id, database_name, day, month_start.
-- Returns: nothing.
insert into table_size_stats (
    instance_id, database_name, schema_name, table_name, partition_name, kind, stat_date, total_bytes, data_bytes, index_bytes, lob_bytes,
    row_estimate, method
)
select
    %(instance_id)s,
    %(database_name)s,
    t.schema_name,
    t.table_name,
    t.partition_name,
    t.kind,
    %(day)s,
    t.total_bytes,
    t.data_bytes,
    t.index_bytes,
    t.lob_bytes,
    t.row_estimate,
    t.method
from staged_tables as t
left join table_size_stats as s
    on
        s.instance_id = %(instance_id)s
        and s.database_name = %(database_name)s
        and s.stat_date between %(month_start)s and %(day)s
        and s.until_date is null
        and t.schema_name = s.schema_name
        and t.table_name = s.table_name
        and t.partition_name = s.partition_name
        and t.kind = s.kind
where
    s.table_name is null
    or (s.total_bytes, s.data_bytes, s.index_bytes, s.lob_bytes, s.method)
    is distinct from (t.total_bytes, t.data_bytes, t.index_bytes, t.lob_bytes, t.method)
on conflict (instance_id, database_name, schema_name, table_name, partition_name, kind, stat_date) do update
    set
        until_date = null,
        total_bytes = excluded.total_bytes,
        data_bytes = excluded.data_bytes,
        index_bytes = excluded.index_bytes,
        lob_bytes = excluded.lob_bytes,
        row_estimate = excluded.row_estimate,
        method = excluded.method
