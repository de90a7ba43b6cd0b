-- Why the fleet is larger or smaller on one day than on another: the bars of the waterfall, of the whole fleet or of each of its groups.
-- Parameters: first_day, last_day, by (fleet, instance or tag), tag (key; NULL unless by tag).
-- Returns: group_name (NULL: the fleet, or without that tag), bar, is_held (whether missing databases have their last known size),
-- databases, change_bytes, estimated_bytes (the part of it that one of the two days estimates), step_bytes (the part of growth and shrink
-- that came by confirmed steps; the rest is trend).
with steps as (
    -- confirmed ones within the span; what recurs is no step
    select
        instance_id,
        database_id,
        sum(change_bytes)::bigint as step_bytes
    from capacity_changes
    where kind = 'step' and database_id is not null and from_date >= %(first_day)s and to_date <= %(last_day)s
    group by instance_id, database_id
),

databases as materialized (
    select
        case %(by)s::text when 'instance' then d.instance_name when 'tag' then d.tags ->> %(tag)s::text end as group_name,
        d.bar,
        d.change_bytes,
        d.held_bar,
        d.held_change_bytes,
        d.is_estimated,
        coalesce(s.step_bytes, 0) as step_bytes
    from capacity_attribution(%(first_day)s::date, %(last_day)s::date) as d
    left join steps as s on d.instance_id = s.instance_id and d.database_id = s.database_id
)

select
    group_name,
    bar,
    false as is_held,
    count(*)::integer as databases,
    sum(change_bytes)::bigint as change_bytes,
    coalesce(sum(change_bytes) filter (where is_estimated), 0)::bigint as estimated_bytes,
    coalesce(sum(step_bytes) filter (where bar in ('growth', 'shrink')), 0)::bigint as step_bytes
from databases
where bar is not null
group by group_name, bar
union all
select
    group_name,
    held_bar as bar,
    true as is_held,
    count(*)::integer as databases,
    sum(held_change_bytes)::bigint as change_bytes,
    coalesce(sum(held_change_bytes) filter (where is_estimated), 0)::bigint as estimated_bytes,
    coalesce(sum(step_bytes) filter (where held_bar in ('growth', 'shrink')), 0)::bigint as step_bytes
from databases
where held_bar is not null
group by group_name, held_bar
