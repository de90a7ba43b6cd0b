-- The servers that are active on a day, with the number of databases that a chunk with them has.
-- Parameters: day.
-- Returns: instance_id, series; in a fixed order.
select
    i.instance_id,
    1 + count(distinct d.database_id) as series
from instance_activity as i
left join database_activity as d on i.instance_id = d.instance_id
where i.active_from <= %(day)s and (i.active_until is null or i.active_until > %(day)s)
group by i.instance_id
order by i.instance_id
