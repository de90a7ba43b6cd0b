-- Implausible sizes of these days: zero bytes, or more than one pebibyte.
-- Parameters: days (date[]).
-- Returns: stat_date, instance_name, database_name, total_bytes, why.
select
    s.stat_date,
    i.name as instance_name,
    s.database_name,
    s.total_bytes,
    case
        when s.total_bytes = 0 then 'a database of no byte at all'
        else 'more than a pebibyte'
    end as why
from database_size_stats as s
inner join instances as i on s.instance_id = i.instance_id
where
    s.stat_date = any(%(days)s::date[])
    and (s.total_bytes = 0 or s.total_bytes > 1125899906842624)
order by s.stat_date, i.name, s.database_name
