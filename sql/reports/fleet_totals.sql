-- The size of the fleet on each day of the last year on which every server is complete, so that a silent server is no shrink.
-- Parameters: none.
-- Returns: time, total_bytes.
select
    stat_date::timestamptz as time,
    sum(total_bytes)::bigint as total_bytes
from instance_size_stats
where stat_date >= current_date - 365
group by stat_date
having bool_and(database_count = expected_count)
order by stat_date
