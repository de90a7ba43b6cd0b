-- Periods of databases that begin on these days, of all types.
-- Parameters: first_day, last_day (inclusive), instance_ids (NULL for all).
-- Returns: the columns of the export.
select
    a.period_type,
    a.period_start,
    a.period_end,
    a.instance_id,
    i.name as instance_name,
    i.engine,
    a.database_name,
    a.avg_bytes,
    a.max_bytes,
    a.min_bytes,
    a.opening_bytes,
    a.closing_bytes,
    a.data_count,
    a.expected_count,
    a.estimated_count,
    a.change_bytes,
    a.change_percent,
    a.is_final,
    a.calculated_at
from database_size_aggregations as a
inner join instances as i on a.instance_id = i.instance_id
where
    a.period_start between %(first_day)s and %(last_day)s
    and (%(instance_ids)s::integer[] is null or a.instance_id = any(%(instance_ids)s::integer[]))
