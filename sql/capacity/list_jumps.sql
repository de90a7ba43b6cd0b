-- Databases that on one of these days are far from the day before: by more than so many percent and more than so many bytes. A renamed
-- database is compared with itself under its old name, one that was dropped and created again with nothing.
-- Parameters: days (date[]), days_before (date[], the day before each: the planner sees by it which months are read), percent, bytes.
-- Returns: stat_date, instance_name, database_name, bytes_before, total_bytes.
select
    s.stat_date,
    i.name as instance_name,
    s.database_name,
    b.total_bytes as bytes_before,
    s.total_bytes
from database_size_stats as s
left join database_starts as n on s.instance_id = n.instance_id and s.database_name = n.database_name and s.stat_date = n.active_from
inner join database_size_stats as b
    on
        s.instance_id = b.instance_id
        and b.database_name = case when n.instance_id is null then s.database_name else n.name_before end
        and b.stat_date = s.stat_date - 1
        and b.stat_date = any(%(days_before)s::date[])
inner join instances as i on s.instance_id = i.instance_id
where
    s.stat_date = any(%(days)s::date[])
    and abs(s.total_bytes - b.total_bytes) > %(bytes)s
    and abs(s.total_bytes - b.total_bytes)::numeric * 100 > b.total_bytes::numeric * %(percent)s
order by abs(s.total_bytes - b.total_bytes) desc, s.stat_date, i.name, s.database_name
