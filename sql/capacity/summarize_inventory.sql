-- The inventory of each day. A renamed database counts as neither created nor deactivated.
-- Parameters: days (date[]), first_day, last_day (of the days).
-- Returns: stat_date, instances, databases, created, deactivated.
with days as (
    select d.day from unnest(%(days)s::date[]) as d (day)
),

lives as (
    select
        instance_id,
        database_id,
        active_from,
        active_until,
        lag(active_until) over life as ended_before,
        lead(active_from) over life as begins_again
    from database_activity
    where active_from <= %(last_day)s and (active_until is null or active_until >= %(first_day)s)
    window life as (partition by instance_id, database_id order by active_from)
)

select
    c.day as stat_date,
    count(distinct l.instance_id) filter (where l.active_until is null or l.active_until > c.day)::integer as instances,
    count(*) filter (where l.active_until is null or l.active_until > c.day)::integer as databases,
    count(*) filter (where l.active_from = c.day and l.ended_before is distinct from c.day)::integer as created,
    count(*) filter (where l.active_until = c.day and l.begins_again is distinct from c.day)::integer as deactivated
from days as c
left join lives as l on c.day >= l.active_from and (l.active_until is null or l.active_until >= c.day)
group by c.day
order by c.day
