-- The days on which the tables of a database were asked for, with the size of one of them.
-- Parameters: instance_id, database_name, schema_name, table_name, partition_name.
-- Returns: stat_date, total_bytes, data_bytes, index_bytes, lob_bytes, row_estimate, method (NULLs where the table has no size on that
-- day), reason (why it has none: that of the database, or of the table; NULL where it was not there), is_below_limit (whether it may have
-- been one of the smaller tables).
select
    o.stat_date,
    s.total_bytes,
    s.data_bytes,
    s.index_bytes,
    s.lob_bytes,
    s.row_estimate,
    s.method,
    coalesce(o.reason, m.reason) as reason,
    s.total_bytes is null and coalesce(o.smaller_tables + o.smaller_partitions, 0) > 0 as is_below_limit
from table_size_observations as o
left join table_size_stats as s
    on
        o.reason is null
        and o.instance_id = s.instance_id
        and o.database_name = s.database_name
        and s.stat_date between date_trunc('month', o.stat_date)::date and o.stat_date
        and (s.until_date is null or s.until_date > o.stat_date)
        and s.schema_name = %(schema_name)s
        and s.table_name = %(table_name)s
        and s.partition_name = %(partition_name)s
left join lateral (
    select entry ->> 'reason' as reason
    from jsonb_array_elements(o.missing) as entry
    where
        entry ->> 'schema_name' = %(schema_name)s
        and entry ->> 'table_name' = %(table_name)s
        and entry ->> 'partition_name' = %(partition_name)s
    limit 1
) as m on true
where o.instance_id = %(instance_id)s and o.database_name = %(database_name)s
order by o.stat_date
