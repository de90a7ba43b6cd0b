-- What is missing today, with its reason and what to do.
-- Parameters: none.
-- Returns: instance_name, zone, database_name (NULL: never listed), reason, detail.
select
    i.name as instance_name,
    coalesce(i.zone, 'centre') as zone,
    g.database_name,
    g.reason,
    g.detail
from capacity_gaps as g
inner join instances as i on g.instance_id = i.instance_id
where g.closed_by is null and g.stat_date = current_date
order by i.name, g.database_name
limit 500
