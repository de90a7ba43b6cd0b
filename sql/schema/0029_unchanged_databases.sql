-- A database whose size is the same on both days is in no bar: it was shown as one that shrank by nothing.
-- Parameters: none.
-- Returns: nothing.

-- Why the fleet is larger or smaller on one day than on another: each database with the bar of the waterfall that it is in, which is NULL
-- if its size is the same. The bars add up to the difference of the stored totals; the held bars to that of the totals in which a missing
-- database has its last known size.
create or replace function capacity_attribution(first_day date, last_day date)
returns table (
    instance_id integer,
    instance_name text,
    engine text,
    tags jsonb,
    database_id integer,
    database_name text,
    name_before text,
    bar text,
    change_bytes bigint,
    first_bytes bigint,
    last_bytes bigint,
    is_estimated boolean,
    held_bar text,
    held_change_bytes bigint
)
language sql stable
as $$
    with before as (
        select * from databases_on(first_day)
    ),

    after as (
        select * from databases_on(last_day)
    ),

    -- a server that was disabled on a day on which it had been measured is still in the fleet of that day
    fleet_before as (
        select a.instance_id
        from instance_activity as a
        where a.active_from <= first_day and (a.active_until is null or a.active_until > first_day)
        union
        select t.instance_id
        from instance_size_stats as t
        where t.stat_date = first_day
    ),

    fleet_after as (
        select a.instance_id
        from instance_activity as a
        where a.active_from <= last_day and (a.active_until is null or a.active_until > last_day)
        union
        select t.instance_id
        from instance_size_stats as t
        where t.stat_date = last_day
    ),

    compared as (
        select
            coalesce(b.instance_id, a.instance_id) as instance_id,
            coalesce(b.database_id, a.database_id) as database_id,
            coalesce(b.database_name, a.database_name) as database_name,
            nullif(a.database_name, b.database_name) as name_before,
            a.total_bytes as first_bytes,
            b.total_bytes as last_bytes,
            a.held_bytes as first_held,
            b.held_bytes as last_held,
            a.instance_id is not null as was_expected,
            b.instance_id is not null as is_expected,
            'estimated' in (a.provenance, b.provenance) as is_estimated,
            -- what was simulated or estimated was measured by no method
            a.method <> b.method
            and a.method <> all('{simulated,linear}')
            and b.method <> all('{simulated,linear}') as is_remeasured
        from before as a
        full join after as b on a.instance_id = b.instance_id and a.database_id = b.database_id and a.stray_name = b.stray_name
    )

    select
        c.instance_id,
        i.name,
        i.engine,
        i.tags,
        c.database_id,
        c.database_name,
        case when c.is_expected then c.name_before end,
        case
            when c.first_bytes is null and c.last_bytes is null then null
            when c.first_bytes is null then
                case when c.was_expected then 'gap_closed' when f.instance_id is null then 'joined' else 'birth' end
            when c.last_bytes is null then
                case when c.is_expected then 'gap_opened' when l.instance_id is null then 'left' else 'death' end
            when c.is_remeasured then 'measure_changed'
            when c.last_bytes > c.first_bytes then 'growth'
            when c.last_bytes < c.first_bytes then 'shrink'
        end,
        coalesce(c.last_bytes, 0) - coalesce(c.first_bytes, 0),
        c.first_bytes,
        c.last_bytes,
        coalesce(c.is_estimated, false),
        case
            when c.first_held is null and c.last_held is null then null
            when c.first_held is null then
                case when c.was_expected then 'first_known' when f.instance_id is null then 'joined' else 'birth' end
            when c.last_held is null then
                case when c.is_expected then 'no_longer_known' when l.instance_id is null then 'left' else 'death' end
            when c.is_remeasured then 'measure_changed'
            when c.last_held > c.first_held then 'growth'
            when c.last_held < c.first_held then 'shrink'
        end,
        coalesce(c.last_held, 0) - coalesce(c.first_held, 0)
    from compared as c
    inner join instances as i on c.instance_id = i.instance_id
    left join fleet_before as f on c.instance_id = f.instance_id
    left join fleet_after as l on c.instance_id = l.instance_id
    where c.first_held is not null or c.last_held is not null
$$;
