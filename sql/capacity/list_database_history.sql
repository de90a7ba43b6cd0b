-- One database day by day, under every name that it had. Days on which it was not expected have no row, nor have days that expired.
-- Parameters: instance_id, database_name (its newest holder), first_day, last_day (inclusive).
-- Returns: stat_date, total_bytes (NULL: missing), state, reasons (text[], why it is missing).
with lives as (
    select
        n.database_name,
        n.active_from,
        n.active_until
    from database_activity as n
    where
        n.instance_id = %(instance_id)s
        and n.database_id = (
            select newest.database_id from database_activity as newest
            where newest.instance_id = %(instance_id)s and newest.database_name = %(database_name)s
            order by newest.active_from desc
            limit 1
        )
),

expected as (
    select
        d.day::date as day,
        l.database_name
    from
        generate_series(
            greatest(%(first_day)s::date, (select min(stat_date) from instance_size_stats))::timestamp,
            %(last_day)s::timestamp,
            interval '1 day'
        ) as d (day)
    inner join lives as l on d.day >= l.active_from and (l.active_until is null or d.day < l.active_until)
    inner join instance_activity as i
        on i.instance_id = %(instance_id)s and d.day >= i.active_from and (i.active_until is null or d.day < i.active_until)
)

select
    e.day as stat_date,
    s.total_bytes,
    coalesce(s.provenance, 'missing') as state,
    case when s.instance_id is null then array[coalesce(g.reason, 'not_collected')] else '{}' end as reasons
from expected as e
left join database_size_stats as s
    on
        s.instance_id = %(instance_id)s
        and e.database_name = s.database_name
        and e.day = s.stat_date
        and s.stat_date between %(first_day)s and %(last_day)s
left join capacity_gaps as g
    on g.instance_id = %(instance_id)s and e.database_name = g.database_name and e.day = g.stat_date and g.closed_by is null
order by e.day
