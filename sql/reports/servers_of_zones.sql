-- Each zone with its servers, and how many of them have a total of today.
-- Parameters: none.
-- Returns: zone, servers, measured_today.
select
    coalesce(i.zone, 'centre') as zone,
    count(*) as servers,
    count(t.instance_id) as measured_today
from instances as i
left join instance_size_stats as t on i.instance_id = t.instance_id and t.stat_date = current_date
where i.is_active and i.deleted_at is null
group by i.zone
order by i.zone nulls first
