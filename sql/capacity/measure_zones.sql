-- How much of a day was obtained in these zones, of what is expected of their instances.
-- Parameters: day, zones (text[]; centre: instances without a zone).
-- Returns: measured, recovered, estimated, missing (a server whose databases were never listed counts as one); one row.
select
    coalesce(sum(c.measured), 0)::integer as measured,
    coalesce(sum(c.recovered), 0)::integer as recovered,
    coalesce(sum(c.estimated), 0)::integer as estimated,
    coalesce(sum(case when c.expected is null then 1 else c.missing end), 0)::integer as missing
from capacity_coverage as c
inner join instances as i on c.instance_id = i.instance_id
where c.stat_date = %(day)s and coalesce(i.zone, 'centre') = any(%(zones)s::text[])
