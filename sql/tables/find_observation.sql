-- The newest observation of a database, of any day; with `before_day`, the newest one with sizes before that day.
-- Parameters: instance_id, database_name, before_day (NULL: any).
-- Returns: stat_date, collected_at, total_bytes, row_count, smaller_tables, smaller_partitions, missing, sizes_digest, reason, detail; no
-- row where there is none.
select
    stat_date,
    collected_at,
    total_bytes,
    row_count,
    smaller_tables,
    smaller_partitions,
    missing,
    sizes_digest,
    reason,
    detail
from table_size_observations
where
    instance_id = %(instance_id)s
    and database_name = %(database_name)s
    and (%(before_day)s::date is null or (stat_date < %(before_day)s::date and reason is null))
order by stat_date desc
limit 1
