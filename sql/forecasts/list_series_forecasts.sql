-- The newest forecast of one series: of a database, or without a name of its server.
-- Parameters: instance_id, database_name (its newest holder; NULL: the server).
-- Returns: the fields of SeriesForecast, a row for each horizon.
with series as (
    select case when %(database_name)s::text is not null then (
        select a.database_id from database_activity as a
        where a.instance_id = %(instance_id)s and a.database_name = %(database_name)s::text
        order by a.active_from desc
        limit 1
    ) end as database_id
)

select
    f.made_on,
    f.horizon_days,
    f.state,
    f.model,
    f.base_bytes,
    f.point_bytes,
    f.lower_80_bytes,
    f.upper_80_bytes,
    f.matured,
    f.error
from capacity_forecasts as f
inner join series as s on f.database_id is not distinct from s.database_id
where
    f.instance_id = %(instance_id)s
    -- forecasts that are not scored are kept for a week
    and f.made_on between (select max(n.made_on) from capacity_forecasts as n) - 7 and (select max(n.made_on) from capacity_forecasts as n)
    and (%(database_name)s::text is null) = (f.database_id is null)
    and f.made_on = (
        select max(n.made_on) from capacity_forecasts as n
        where
            n.instance_id = f.instance_id
            and n.database_id is not distinct from f.database_id
            and n.made_on >= (select max(m.made_on) from capacity_forecasts as m) - 7
    )
order by f.horizon_days
