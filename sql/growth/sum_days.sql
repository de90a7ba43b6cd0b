-- The stored totals of two days, which the bars between them must explain.
-- Parameters: first_day, last_day, instance_ids (NULL: all).
-- Returns: first_bytes, last_bytes (0 where nothing is stored).
select
    coalesce(sum(total_bytes) filter (where stat_date = %(first_day)s), 0)::bigint as first_bytes,
    coalesce(sum(total_bytes) filter (where stat_date = %(last_day)s), 0)::bigint as last_bytes
from instance_size_stats
where
    stat_date = any(array[%(first_day)s, %(last_day)s]::date[])
    and (%(instance_ids)s::integer[] is null or instance_id = any(%(instance_ids)s::integer[]))
