-- What fills the disk of servers on each day: their databases as one part, and the parts that belong to no database.
-- Parameters: instance_id (NULL: all), first_day, last_day (inclusive).
-- Returns: instance_name, stat_date, part (NULL: all databases), total_bytes (NULL: unknown), detail (why it is unknown).
select
    i.name as instance_name,
    s.stat_date,
    null as part,
    case when s.database_count = s.expected_count then s.total_bytes end as total_bytes,
    case
        when s.database_count < s.expected_count
            then 'missing databases: ' || s.expected_count - s.database_count || '; bytes of the others: ' || s.total_bytes
    end as detail
from instance_size_stats as s
inner join instances as i on s.instance_id = i.instance_id
where s.stat_date between %(first_day)s and %(last_day)s and (%(instance_id)s::integer is null or s.instance_id = %(instance_id)s::integer)
union all
select
    i.name as instance_name,
    p.stat_date,
    p.part,
    p.total_bytes,
    p.detail
from instance_shared_stats as p
inner join instances as i on p.instance_id = i.instance_id
where p.stat_date between %(first_day)s and %(last_day)s and (%(instance_id)s::integer is null or p.instance_id = %(instance_id)s::integer)
order by instance_name, stat_date, total_bytes desc nulls last, part
