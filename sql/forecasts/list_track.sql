-- The track record of series by a day: of each horizon the newest score, and the residuals up to it.
-- Parameters: instance_ids, day, most.
-- Returns: instance_id, database_id (0 for the server), horizon_days, matured, errors, residuals (oldest first).
with scored as (
    -- without the errors, which are wide and are of the newest score only
    select
        instance_id,
        database_id,
        horizon_days,
        max(made_on) as newest_on,
        array_agg(residual order by made_on) as residuals
    from capacity_forecast_scores
    -- so many origins, eight days apart, and the longest horizon
    where instance_id = any(%(instance_ids)s) and made_on >= %(day)s::date - 8 * %(most)s - 180 and target_date <= %(day)s
    group by instance_id, database_id, horizon_days
)

select
    s.instance_id,
    coalesce(s.database_id, 0) as database_id,
    s.horizon_days,
    n.matured,
    n.errors,
    s.residuals[greatest(cardinality(s.residuals) - %(most)s + 1, 1):] as residuals
from scored as s
-- by the unique index
cross join
    lateral (
        select
            d.matured,
            d.errors
        from capacity_forecast_scores as d
        where
            d.instance_id = s.instance_id
            and d.database_id = s.database_id
            and d.made_on = s.newest_on
            and d.horizon_days = s.horizon_days
        union all
        select
            t.matured,
            t.errors
        from capacity_forecast_scores as t
        where
            s.database_id is null
            and t.instance_id = s.instance_id
            and t.database_id is null
            and t.made_on = s.newest_on
            and t.horizon_days = s.horizon_days
    ) as n
