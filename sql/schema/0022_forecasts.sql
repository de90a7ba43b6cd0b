-- Forecasts of databases and servers, what came true of them, changes of the sizes, and the day on which a limit is reached.
-- Parameters: none.
-- Returns: nothing.

-- Never updated. A series is a database, or with database_id NULL its server. Forecasts that are scored are kept, the others for a week.
create table capacity_forecasts (
    instance_id integer not null,
    database_id integer,
    made_on date not null,
    horizon_days smallint not null check (horizon_days in (7, 30, 90)),
    origin text not null check (origin in ('issued', 'replayed')),
    code_version smallint not null,
    model text not null,
    state text not null check (state in ('ok', 'too_young', 'stale', 'flat', 'regime_changed', 'no_skill', 'too_rough')),
    -- the newest known size, from which the forecast begins
    base_bytes bigint not null check (base_bytes >= 0),
    point_bytes bigint not null check (point_bytes >= 0),
    -- NULL until enough forecasts have matured
    lower_80_bytes bigint check (lower_80_bytes <= point_bytes),
    upper_80_bytes bigint check (upper_80_bytes >= point_bytes),
    lower_90_bytes bigint check (lower_90_bytes <= lower_80_bytes),
    upper_90_bytes bigint check (upper_90_bytes >= upper_80_bytes),
    known_days smallint not null,
    -- what had matured by then: how many forecasts, their mean error, and that error as a share of the last value's
    matured integer not null,
    error double precision,
    skill double precision,
    -- what every candidate said, last what was issued: when the day has come, each of them is scored
    candidate_bytes bigint[] not null,
    unique nulls not distinct (instance_id, database_id, made_on, horizon_days)
) partition by range (made_on);
create index capacity_forecasts_by_day on capacity_forecasts (made_on);

-- One row for each scored forecast whose day was measured or recovered. It has all that the report needs, so that it outlives both.
create table capacity_forecast_scores (
    instance_id integer not null,
    database_id integer,
    made_on date not null,
    horizon_days smallint not null,
    target_date date not null check (target_date = made_on + horizon_days),
    origin text not null check (origin in ('issued', 'replayed')),
    base_bytes bigint not null,
    point_bytes bigint not null,
    lower_80_bytes bigint,
    upper_80_bytes bigint,
    lower_90_bytes bigint,
    upper_90_bytes bigint,
    actual_bytes bigint not null check (actual_bytes >= 0),
    -- actual minus forecast, as a share of base_bytes
    residual double precision not null,
    -- the track record with this forecast: how many, and the mean absolute error of each candidate, last of what was issued
    matured integer not null check (matured > 0),
    errors double precision[] not null,
    unique nulls not distinct (instance_id, database_id, made_on, horizon_days)
) partition by range (made_on);
create index capacity_forecast_scores_by_target on capacity_forecast_scores (target_date);

create table capacity_changes (
    instance_id integer not null,
    database_id integer,
    kind text not null check (kind in ('step', 'slope', 'outlier', 'recurring')),
    -- it happened after the first and by the second day
    from_date date not null,
    to_date date not null check (to_date > from_date),
    known_on date not null check (known_on >= to_date),
    -- of a step or an outlier: what the usual change does not explain; of a slope: bytes a day, after minus before
    change_bytes bigint not null,
    unique nulls not distinct (instance_id, database_id, kind, to_date)
);
create index capacity_changes_by_day on capacity_changes (known_on);

-- The days until a limit is reached, on the straight lines between the size now and in 7, 30 and 90 days, and on with the last of them.
create function days_until_limit(limit_bytes bigint, now_bytes bigint, in_7 bigint, in_30 bigint, in_90 bigint)
returns integer
language sql immutable
as $$
    select ceil(case
        when now_bytes >= limit_bytes then 0
        when in_7 >= limit_bytes then 7.0 * (limit_bytes - now_bytes) / (in_7 - now_bytes)
        when in_30 >= limit_bytes then 7 + 23.0 * (limit_bytes - in_7) / (in_30 - in_7)
        when in_90 >= limit_bytes then 30 + 60.0 * (limit_bytes - in_30) / (in_90 - in_30)
        when in_90 > in_30 and (limit_bytes - in_90) / (in_90 - in_30) < 2 then 90 + 60.0 * (limit_bytes - in_90) / (in_90 - in_30)
    end)::integer
$$;
comment on function days_until_limit(bigint, bigint, bigint, bigint, bigint) is 'Days until a limit is reached; NULL if beyond 210 days';

-- Every series that is forecast, as of its newest forecast. A limit of a server is on its disk, so what belongs to no database counts.
create view capacity_runway as
with recent as (
    select
        *,
        max(made_on) over (partition by instance_id, database_id) as newest_on
    from capacity_forecasts
    where made_on >= (select max(f.made_on) - 7 from capacity_forecasts as f)
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
    where f.made_on = f.newest_on
    group by f.instance_id, f.database_id, f.made_on
),

limited as (
    select
        s.*,
        i.name as instance_name,
        d.database_name,
        coalesce(t.shared_bytes, 0) as shared_bytes,
        case when s.database_id is null then i.capacity_limit_bytes else g.growth_limit_bytes end as limit_bytes
    from series as s
    inner join instances as i on s.instance_id = i.instance_id
    left join database_activity as d
        on
            s.instance_id = d.instance_id
            and s.database_id = d.database_id
            and s.made_on >= d.active_from
            and (d.active_until is null or s.made_on < d.active_until)
    -- the newest day that says it; the bounds say which months are read
    left join lateral (
        select z.growth_limit_bytes from database_size_stats as z
        where
            z.instance_id = s.instance_id and z.database_name = d.database_name and z.stat_date between s.made_on - 7 and s.made_on
        order by z.stat_date desc
        limit 1
    ) as g on true
    left join lateral (
        select z.shared_bytes from instance_size_stats as z
        where
            s.database_id is null
            and z.instance_id = s.instance_id
            and z.shared_bytes is not null
            and z.stat_date between s.made_on - 7 and s.made_on
        order by z.stat_date desc
        limit 1
    ) as t on true
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
    from limited as l
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
    skill
from told;

comment on view capacity_runway is 'Days until each database and server reaches its limit, or the state that says why there is no date';
comment on column capacity_runway.instance_id is 'the server, in instances';
comment on column capacity_runway.database_id is 'the database within its server; NULL for the server itself';
comment on column capacity_runway.instance_name is 'the name of the server';
comment on column capacity_runway.database_name is 'as the server spells it now; NULL for the server itself';
comment on column capacity_runway.made_on is 'the day of the forecast';
comment on column capacity_runway.state is 'ok, at_limit, beyond, no_limit, or the state of the forecast';
comment on column capacity_runway.model is 'the forecaster of 30 days, which its own matured errors chose';
comment on column capacity_runway.used_bytes is 'the newest known size; for a server with what belongs to no database';
comment on column capacity_runway.limit_bytes is 'capacity_limit_bytes of the server, growth_limit_bytes of the database';
comment on column capacity_runway.headroom_bytes is 'limit_bytes minus used_bytes';
comment on column capacity_runway.p50_days is 'days from made_on until the forecast reaches the limit; NULL without a date';
comment on column capacity_runway.p10_days is 'the same for the upper bound of 80 %: one chance in ten to be earlier';
comment on column capacity_runway.p90_days is 'the same for the lower bound: one chance in ten to be later; NULL beyond 180 days';
comment on column capacity_runway.p50_date is 'made_on plus p50_days';
comment on column capacity_runway.p10_date is 'made_on plus p10_days';
comment on column capacity_runway.p90_date is 'made_on plus p90_days';
comment on column capacity_runway.point_30_bytes is 'the forecast for 30 days later, comparable with limit_bytes';
comment on column capacity_runway.point_90_bytes is 'the forecast for 90 days later';
comment on column capacity_runway.matured_30 is 'how many forecasts of 30 days have matured';
comment on column capacity_runway.error_30 is 'their mean absolute error as a share of the size, older ones counting less';
comment on column capacity_runway.skill is 'their error as a share of the error of the last value; below 0.8 a date is named';

alter table sync_sessions drop constraint sync_sessions_sync_category_check;
alter table sync_sessions add constraint sync_sessions_sync_category_check check (
    sync_category in ('capacity', 'aggregation', 'account', 'classification', 'partition', 'tables', 'forecast')
);
