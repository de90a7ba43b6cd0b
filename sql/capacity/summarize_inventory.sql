-- The inventory of each day as it is known now.
-- Parameters: days (date[]).
-- Returns: stat_date, instances, databases, created, deactivated.
select
    c.day as stat_date,
    count(distinct d.instance_id)::integer as instances,
    count(*) filter (where d.is_active or d.last_seen_date >= c.day)::integer as databases,
    count(*) filter (where d.first_seen_date = c.day)::integer as created,
    count(*) filter (where not d.is_active and d.last_seen_date = c.day - 1)::integer as deactivated
from unnest(%(days)s::date[]) as c (day)
left join instance_databases as d on c.day >= d.first_seen_date and (d.is_active or d.last_seen_date >= c.day - 1)
group by c.day
order by c.day
