-- The databases that changed the most between two days, in either direction, each with its bar.
-- Parameters: first_day, last_day, most (rows).
-- Returns: the fields of DatabaseBar.
with steps as (
    -- confirmed ones within the span; what recurs is no step
    select
        instance_id,
        database_id,
        sum(change_bytes)::bigint as step_bytes
    from capacity_changes
    where kind = 'step' and database_id is not null and from_date >= %(first_day)s and to_date <= %(last_day)s
    group by instance_id, database_id
)

select
    d.instance_id,
    d.instance_name,
    d.engine,
    d.tags,
    d.database_id,
    d.database_name,
    d.name_before,
    d.bar,
    d.change_bytes,
    d.first_bytes,
    d.last_bytes,
    d.is_estimated,
    case when d.bar in ('growth', 'shrink') then coalesce(s.step_bytes, 0) else 0 end as step_bytes
from capacity_attribution(%(first_day)s::date, %(last_day)s::date) as d
left join steps as s on d.instance_id = s.instance_id and d.database_id = s.database_id
where d.bar is not null
order by abs(d.change_bytes) desc, d.instance_name, d.database_name
limit %(most)s
