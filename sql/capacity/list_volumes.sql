-- The volumes of servers on each day, where their engines tell them.
-- Parameters: instance_id (NULL: all), first_day, last_day (inclusive).
-- Returns: instance_name, stat_date, volume, total_bytes, free_bytes.
select
    i.name as instance_name,
    v.stat_date,
    v.volume,
    v.total_bytes,
    v.free_bytes
from instance_volume_stats as v
inner join instances as i on v.instance_id = i.instance_id
where v.stat_date between %(first_day)s and %(last_day)s and (%(instance_id)s::integer is null or v.instance_id = %(instance_id)s::integer)
order by i.name, v.stat_date, v.volume
