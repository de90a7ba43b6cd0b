-- Days until each database and server reaches its limit, the nearest first, then those that name no date by headroom.
-- Parameters: newest_day (of all forecasts), with_all (boolean: also without a limit), most.
-- Returns: the columns of capacity_runway but the ids.
select
    instance_name,
    database_name,
    made_on,
    state,
    model,
    used_bytes,
    limit_bytes,
    limit_kind,
    headroom_bytes,
    p50_days,
    p10_days,
    p90_days,
    p50_date,
    p10_date,
    p90_date,
    point_30_bytes,
    point_90_bytes,
    matured_30,
    error_30,
    skill
from runway_on(%(newest_day)s::date)
where %(with_all)s or limit_bytes is not null
order by p50_days nulls last, headroom_bytes::numeric / nullif(limit_bytes, 0), used_bytes desc, instance_name, database_name nulls first
limit %(most)s
