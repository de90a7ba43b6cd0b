-- What fills the disk of a server besides its databases, by parts, and the volumes that its files are on, where an engine tells them.
-- And why the fleet is larger or smaller than on another day, database by database, exact to the byte.
-- Parameters: none.
-- Returns: nothing.

-- `shared_bytes` of `instance_size_stats` is the sum of the parts of the day; it is NULL where one of them is.
create table instance_shared_stats (
    instance_id integer not null,
    stat_date date not null,
    part text not null check (part <> ''),
    total_bytes bigint check (total_bytes >= 0),
    detail text,
    primary key (instance_id, stat_date, part),
    check ((total_bytes is null) = (detail is not null))
) partition by range (stat_date);

create table instance_volume_stats (
    instance_id integer not null,
    stat_date date not null,
    volume text not null,
    total_bytes bigint not null check (total_bytes >= 0),
    free_bytes bigint not null check (free_bytes between 0 and total_bytes),
    primary key (instance_id, stat_date, volume)
) partition by range (stat_date);

comment on table instance_shared_stats is 'What fills the disk of a server and belongs to no database, by parts';
comment on table instance_volume_stats is 'The volumes on which files of a server are, where the engine tells them';

-- Every database of a day: with a stored size, or expected without one. `database_id` is the same under every name that a database had; a
-- size that is in no inventory, as nothing writes it, has its name as `stray_name` instead, so that it is not lost. The held size of a
-- database without one is its last known size, which is at most 14 days old. The planner puts the body in place of a call.
create function databases_on(asked_day date)
returns table (
    instance_id integer,
    database_id integer,
    stray_name text,
    database_name text,
    total_bytes bigint,
    held_bytes bigint,
    provenance text,
    method text
)
language sql stable
as $$
    select
        s.instance_id,
        coalesce(n.database_id, 0),
        case when n.database_id is null then s.database_name else '' end,
        s.database_name,
        s.total_bytes,
        s.total_bytes,
        s.provenance,
        s.method
    from database_size_stats as s
    left join database_activity as n
        on
            s.instance_id = n.instance_id
            and s.database_name = n.database_name
            and n.active_from <= asked_day
            and (n.active_until is null or n.active_until > asked_day)
    where s.stat_date = asked_day
    union all
    select
        n.instance_id,
        n.database_id,
        '',
        n.database_name,
        null,
        k.total_bytes,
        k.provenance,
        k.method
    from database_activity as n
    inner join instance_activity as a
        on n.instance_id = a.instance_id and a.active_from <= asked_day and (a.active_until is null or a.active_until > asked_day)
    left join database_size_stats as s
        on n.instance_id = s.instance_id and n.database_name = s.database_name and s.stat_date = asked_day
    left join lateral (
        select
            h.total_bytes,
            h.provenance,
            h.method
        from database_activity as e
        inner join database_size_stats as h
            on
                e.instance_id = h.instance_id
                and e.database_name = h.database_name
                and h.stat_date >= e.active_from
                and (e.active_until is null or h.stat_date < e.active_until)
        where
            e.instance_id = n.instance_id
            and e.database_id = n.database_id
            and h.stat_date between asked_day - 14 and asked_day - 1
        order by h.stat_date desc
        limit 1
    ) as k on true
    where n.active_from <= asked_day and (n.active_until is null or n.active_until > asked_day) and s.instance_id is null
$$;
comment on function databases_on(date) is 'Every database of a day, with its size, or without one and held at its last known size';

-- Why the fleet is larger or smaller on one day than on another: each database with the bar of the waterfall that it is in. The bars add up
-- to the difference of the stored totals; the held bars to that of the totals in which a missing database has its last known size.
create function capacity_attribution(first_day date, last_day date)
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
            else 'shrink'
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
            else 'shrink'
        end,
        coalesce(c.last_held, 0) - coalesce(c.first_held, 0)
    from compared as c
    inner join instances as i on c.instance_id = i.instance_id
    left join fleet_before as f on c.instance_id = f.instance_id
    left join fleet_after as l on c.instance_id = l.instance_id
    where c.first_held is not null or c.last_held is not null
$$;
comment on function capacity_attribution(date, date) is 'Why the fleet is larger or smaller on the second day: each database with its bar';
