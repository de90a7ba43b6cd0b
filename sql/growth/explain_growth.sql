-- Why the fleet, or some of its instances, are larger or smaller on one day than on another: the bars of the waterfall, of all or of each
-- group, and the databases that changed the most in either direction. Both are from one comparison of the two days, which is nearly all
-- it costs.
-- Parameters: first_day, last_day, by (fleet, instance or tag), tag (key; NULL unless by tag), most (databases; 0: none), instance_ids
-- (NULL: all).
-- Returns: one row: bars (jsonb, the fields of BarSum; group_name is NULL for the fleet, or without that tag; step_bytes is the part of
-- growth and shrink that came by confirmed steps), databases (jsonb, the fields of DatabaseBar).
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

compared as materialized (
    select
        d.*,
        case %(by)s::text when 'instance' then d.instance_name when 'tag' then d.tags ->> %(tag)s::text end as group_name,
        coalesce(s.step_bytes, 0) as step_bytes
    from capacity_attribution(%(first_day)s::date, %(last_day)s::date) as d
    left join steps as s on d.instance_id = s.instance_id and d.database_id = s.database_id
    where %(instance_ids)s::integer[] is null or d.instance_id = any(%(instance_ids)s::integer[])
),

bars as (
    select
        group_name,
        bar,
        false as is_held,
        count(*)::integer as databases,
        sum(change_bytes)::bigint as change_bytes,
        coalesce(sum(change_bytes) filter (where is_estimated), 0)::bigint as estimated_bytes,
        coalesce(sum(step_bytes) filter (where bar in ('growth', 'shrink')), 0)::bigint as step_bytes
    from compared
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
    from compared
    where held_bar is not null
    group by group_name, held_bar
),

largest as (
    select
        instance_id,
        instance_name,
        engine,
        tags,
        database_id,
        database_name,
        name_before,
        bar,
        change_bytes,
        first_bytes,
        last_bytes,
        is_estimated,
        case when bar in ('growth', 'shrink') then step_bytes else 0 end as step_bytes
    from compared
    where bar is not null
    order by abs(change_bytes) desc, instance_name, database_name
    limit %(most)s
)

select
    (select coalesce(jsonb_agg(b), '[]') from bars as b) as bars,
    (select coalesce(jsonb_agg(l order by abs(l.change_bytes) desc, l.instance_name, l.database_name), '[]') from largest as l) as databases
