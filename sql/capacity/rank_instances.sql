-- The largest instances of each day with their coverage; change is NULL unless both days are complete.
-- Parameters: days (date[]), days_before (date[], the day before each: the planner sees by it which months are read), most (rows of each
-- day).
-- Returns: stat_date, instance_name, engine, total_bytes, shared_bytes (NULL: unknown), change_bytes, database_count, expected_count.
select
    ranked.stat_date,
    ranked.instance_name,
    ranked.engine,
    ranked.total_bytes,
    ranked.shared_bytes,
    ranked.change_bytes,
    ranked.database_count,
    ranked.expected_count
from (
    select
        s.stat_date,
        i.name as instance_name,
        i.engine,
        s.total_bytes,
        s.shared_bytes,
        case
            when s.database_count = s.expected_count and b.database_count = b.expected_count then s.total_bytes - b.total_bytes
        end as change_bytes,
        s.database_count,
        s.expected_count,
        row_number() over (partition by s.stat_date order by s.total_bytes desc, i.name) as position
    from instance_size_stats as s
    inner join instances as i on s.instance_id = i.instance_id
    left join instance_size_stats as b
        on s.instance_id = b.instance_id and b.stat_date = s.stat_date - 1 and b.stat_date = any(%(days_before)s::date[])
    where s.stat_date = any(%(days)s::date[])
) as ranked
where ranked.position <= %(most)s
order by ranked.stat_date, ranked.position
