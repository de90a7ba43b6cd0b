-- The databases and servers that reach a limit first, or why there is no date.
-- Parameters: none.
-- Returns: instance_name, database_name (NULL: the server), state, used_bytes, limit_bytes, p50_date, p10_date, p90_date (NULL: no date).
select
    instance_name,
    database_name,
    state,
    used_bytes,
    limit_bytes,
    p50_date,
    p10_date,
    p90_date
from capacity_runway
where state <> 'no_limit'
order by p50_date asc nulls last, instance_name asc, database_name asc
limit 50
