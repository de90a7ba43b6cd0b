-- The tables of a database on a day on which they were read, largest first, with their sizes on an earlier such day.
-- Parameters: instance_id, database_name, day, month_start (of the day), before_day, before_month_start (NULL: there is no earlier day),
-- schema_name (NULL: all), with_partitions, most (rows).
-- Returns: schema_name, table_name, partition_name, kind, total_bytes, data_bytes, index_bytes, lob_bytes, row_estimate, method,
-- before_bytes (NULL: the table was not there, or had no size).
with earlier as (
    select
        schema_name,
        table_name,
        partition_name,
        kind in ('no_table', 'smaller_tables') as is_special,
        kind,
        total_bytes
    from table_size_stats
    where
        instance_id = %(instance_id)s
        and database_name = %(database_name)s
        and stat_date between %(before_month_start)s::date and %(before_day)s::date
        and (until_date is null or until_date > %(before_day)s::date)
)

select
    s.schema_name,
    s.table_name,
    s.partition_name,
    s.kind,
    s.total_bytes,
    s.data_bytes,
    s.index_bytes,
    s.lob_bytes,
    s.row_estimate,
    s.method,
    e.total_bytes as before_bytes
from table_size_stats as s
left join earlier as e
    on
        s.schema_name = e.schema_name
        and s.table_name = e.table_name
        and s.partition_name = e.partition_name
        -- a table that became unlogged or partitioned is the same table
        and case when s.kind in ('no_table', 'smaller_tables') then s.kind = e.kind else not e.is_special end
where
    s.instance_id = %(instance_id)s
    and s.database_name = %(database_name)s
    and s.stat_date between %(month_start)s and %(day)s
    and (s.until_date is null or s.until_date > %(day)s)
    and (%(schema_name)s::text is null or s.schema_name = %(schema_name)s)
    and (%(with_partitions)s or s.partition_name = '')
order by s.total_bytes desc, s.schema_name, s.table_name, s.partition_name, s.kind
limit %(most)s
