-- Which months the runway reads is known only while it runs, so that planning it took as long as reading it. The function gets the day of
-- the newest forecasts as a constant, where the caller knows it.
-- Parameters: none.
-- Returns: nothing.

-- Every series that is forecast, as of its newest forecast up to the day of the newest of all. A limit of a server is on its disk, so what
-- belongs to no database counts.
create function runway_on(newest_day date)
returns table (
    instance_id integer,
    database_id integer,
    instance_name text,
    database_name text,
    made_on date,
    state text,
    model text,
    used_bytes bigint,
    limit_bytes bigint,
    headroom_bytes bigint,
    p50_days integer,
    p10_days integer,
    p90_days integer,
    p50_date date,
    p10_date date,
    p90_date date,
    point_30_bytes bigint,
    point_90_bytes bigint,
    matured_30 integer,
    error_30 double precision,
    skill double precision,
    limit_kind text
)
language sql stable
as $$
with latest as materialized (
    select
        instance_id,
        database_id,
        made_on,
        horizon_days,
        state,
        model,
        base_bytes,
        skill,
        point_bytes,
        lower_80_bytes,
        upper_80_bytes,
        matured,
        error
    from capacity_forecasts
    where made_on = newest_day
),

-- The forecasts of a day are made in parts, so that the newest day need not have every series yet.
absent as (
    select
        e.instance_id,
        e.database_id
    from (
        select distinct
            a.instance_id,
            a.database_id
        from database_activity as a
        where a.active_until is null or a.active_until > newest_day - 7
        union all
        select
            i.instance_id,
            null as database_id
        from instances as i
    ) as e
    where
        not exists (
            select 1 from latest as f
            where f.instance_id = e.instance_id and coalesce(f.database_id, 0) = coalesce(e.database_id, 0)
        )
),

recent as (
    select
        instance_id,
        database_id,
        made_on,
        horizon_days,
        state,
        model,
        base_bytes,
        skill,
        point_bytes,
        lower_80_bytes,
        upper_80_bytes,
        matured,
        error
    from latest
    union all
    select
        f.instance_id,
        f.database_id,
        f.made_on,
        f.horizon_days,
        f.state,
        f.model,
        f.base_bytes,
        f.skill,
        f.point_bytes,
        f.lower_80_bytes,
        f.upper_80_bytes,
        f.matured,
        f.error
    from absent as e
    cross join
        lateral (
            select
                o.*,
                max(o.made_on) over () as newest_on
            from capacity_forecasts as o
            where
                o.instance_id = e.instance_id
                and (o.database_id = e.database_id or (o.database_id is null and e.database_id is null))
                and o.made_on between newest_day - 7 and newest_day - 1
        ) as f
    where f.made_on = f.newest_on
),

series as (
    select
        f.instance_id,
        f.database_id,
        f.made_on,
        max(f.state) as forecast_state,
        max(f.model) filter (where f.horizon_days = 30) as model,
        max(f.base_bytes) as base_bytes,
        max(f.skill) as skill,
        max(f.point_bytes) filter (where f.horizon_days = 7) as point_7,
        max(f.point_bytes) filter (where f.horizon_days = 30) as point_30,
        max(f.point_bytes) filter (where f.horizon_days = 90) as point_90,
        max(f.lower_80_bytes) filter (where f.horizon_days = 7) as lower_7,
        max(f.lower_80_bytes) filter (where f.horizon_days = 30) as lower_30,
        max(f.lower_80_bytes) filter (where f.horizon_days = 90) as lower_90,
        max(f.upper_80_bytes) filter (where f.horizon_days = 7) as upper_7,
        max(f.upper_80_bytes) filter (where f.horizon_days = 30) as upper_30,
        max(f.upper_80_bytes) filter (where f.horizon_days = 90) as upper_90,
        max(f.matured) filter (where f.horizon_days = 30) as matured_30,
        max(f.error) filter (where f.horizon_days = 30) as error_30
    from recent as f
    group by f.instance_id, f.database_id, f.made_on
),

-- what belongs to no database, and the whole free space of its volumes, each of the newest day that tells it
disks as (
    select
        s.instance_id,
        t.shared_bytes,
        w.free_bytes
    from series as s
    left join lateral (
        select z.shared_bytes from instance_size_stats as z
        where
            z.instance_id = s.instance_id
            and z.shared_bytes is not null
            and z.stat_date between s.made_on - 7 and s.made_on
            and z.stat_date between newest_day - 14 and newest_day
        order by z.stat_date desc
        limit 1
    ) as t on true
    left join lateral (
        select sum(z.free_bytes)::bigint as free_bytes
        from instance_volume_stats as z
        where
            z.instance_id = s.instance_id
            and z.stat_date between s.made_on - 7 and s.made_on
            and z.stat_date between newest_day - 14 and newest_day
        group by z.stat_date
        order by z.stat_date desc
        limit 1
    ) as w on true
    where s.database_id is null
),

limited as (
    select
        s.*,
        i.name as instance_name,
        d.database_name,
        coalesce(k.shared_bytes, 0) as shared_bytes,
        case
            when s.database_id is null then i.capacity_limit_bytes
            when z.instance_id is not null then z.growth_limit_bytes
            else g.growth_limit_bytes
        end as own_limit_bytes,
        -- what others put on the volumes is not free, so that nothing need be known of it
        s.base_bytes + coalesce(k.shared_bytes, 0) + k.free_bytes as volume_limit_bytes
    from series as s
    inner join instances as i on s.instance_id = i.instance_id
    left join disks as k on s.instance_id = k.instance_id and s.database_id is null
    left join database_activity as d
        on
            s.instance_id = d.instance_id
            and s.database_id = d.database_id
            and s.made_on >= d.active_from
            and (d.active_until is null or s.made_on < d.active_until)
            -- A bound for the index: without it every database that ever was is read.
            and (d.active_until is null or d.active_until > newest_day - 7)
    -- The limit that is known of the newest day, nearly always; otherwise that of the newest day before. The bounds say which months are
    -- read.
    left join database_size_stats as z
        on
            s.instance_id = z.instance_id
            and d.database_name = z.database_name
            and s.made_on = z.stat_date
            and z.stat_date = newest_day
    left join lateral (
        select y.growth_limit_bytes from database_size_stats as y
        where
            z.instance_id is null
            and y.instance_id = s.instance_id
            and y.database_name = d.database_name
            and y.stat_date between s.made_on - 7 and s.made_on
            and y.stat_date between newest_day - 14 and newest_day
        order by y.stat_date desc
        limit 1
    ) as g on true
),

nearest as (
    select
        *,
        least(own_limit_bytes, volume_limit_bytes) as limit_bytes,
        case
            when volume_limit_bytes < own_limit_bytes or (own_limit_bytes is null and volume_limit_bytes is not null) then 'volumes'
            when own_limit_bytes is not null then case when database_id is null then 'capacity' else 'growth' end
        end as limit_kind
    from limited
),

dated as (
    select
        l.*,
        l.base_bytes + l.shared_bytes as used_bytes,
        days_until_limit(
            l.limit_bytes - l.shared_bytes, l.base_bytes, l.point_7, l.point_30, l.point_90
        ) as p50,
        days_until_limit(
            l.limit_bytes - l.shared_bytes, l.base_bytes, l.upper_7, l.upper_30, l.upper_90
        ) as p10,
        days_until_limit(
            l.limit_bytes - l.shared_bytes, l.base_bytes, l.lower_7, l.lower_30, l.lower_90
        ) as p90
    from nearest as l
),

told as (
    select
        *,
        case
            when limit_bytes is null then 'no_limit'
            when used_bytes >= limit_bytes then 'at_limit'
            when forecast_state <> 'ok' then forecast_state
            when p50 is null or p50 > 180 then 'beyond'
            else 'ok'
        end as state
    from dated
)

select
    instance_id,
    database_id,
    instance_name,
    database_name,
    made_on,
    state,
    model,
    used_bytes,
    limit_bytes,
    limit_bytes - used_bytes as headroom_bytes,
    case when state in ('ok', 'at_limit') then p50 end as p50_days,
    case when state in ('ok', 'at_limit') then p10 end as p10_days,
    case when state in ('ok', 'at_limit') and p90 <= 180 then p90 end as p90_days,
    case when state in ('ok', 'at_limit') then made_on + p50 end as p50_date,
    case when state in ('ok', 'at_limit') then made_on + p10 end as p10_date,
    case when state in ('ok', 'at_limit') and p90 <= 180 then made_on + p90 end as p90_date,
    point_30 + shared_bytes as point_30_bytes,
    point_90 + shared_bytes as point_90_bytes,
    matured_30,
    error_30,
    skill,
    limit_kind
from told
$$;
comment on function runway_on(date) is 'capacity_runway, of the forecasts of this day and the seven days before it';

create or replace view capacity_runway as
select
    r.instance_id,
    r.database_id,
    r.instance_name,
    r.database_name,
    r.made_on,
    r.state,
    r.model,
    r.used_bytes,
    r.limit_bytes,
    r.headroom_bytes,
    r.p50_days,
    r.p10_days,
    r.p90_days,
    r.p50_date,
    r.p10_date,
    r.p90_date,
    r.point_30_bytes,
    r.point_90_bytes,
    r.matured_30,
    r.error_30,
    r.skill,
    r.limit_kind
from (select max(made_on) as made_on from capacity_forecasts) as n
cross join lateral runway_on(n.made_on) as r;
