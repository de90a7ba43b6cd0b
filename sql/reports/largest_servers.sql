-- The largest servers by their newest complete day of the last week.
-- Parameters: none.
-- Returns: instance_name, zone, stat_date, total_bytes, capacity_limit_bytes, used_percent (NULL without a limit).
select
    i.name as instance_name,
    coalesce(i.zone, 'centre') as zone,
    t.stat_date,
    t.total_bytes,
    i.capacity_limit_bytes,
    round(100.0 * t.total_bytes / i.capacity_limit_bytes, 1) as used_percent
from (
    select distinct on (instance_id)
        instance_id,
        stat_date,
        total_bytes
    from instance_size_stats
    where stat_date >= current_date - 7 and database_count = expected_count
    order by instance_id asc, stat_date desc
) as t
inner join instances as i on t.instance_id = i.instance_id
where i.is_active
order by t.total_bytes desc
limit 20
