-- Sizes of these days that no server can mean: nothing at all, more than a pebibyte, or parts larger than the whole.
-- Parameters: days (date[]).
-- Returns: stat_date, instance_name, database_name, total_bytes, why.
select
    s.stat_date,
    i.name as instance_name,
    s.database_name,
    s.total_bytes,
    case
        when s.total_bytes = 0 then 'a database of no byte at all'
        when s.total_bytes > 1125899906842624 then 'more than a pebibyte'
        else 'data and log are more than the whole'
    end as why
from database_size_stats as s
inner join instances as i on s.instance_id = i.instance_id
where
    s.stat_date = any(%(days)s::date[])
    and (
        s.total_bytes = 0
        or s.total_bytes > 1125899906842624
        or coalesce(s.data_bytes, 0) + coalesce(s.log_bytes, 0) > s.total_bytes
    )
order by s.stat_date, i.name, s.database_name
