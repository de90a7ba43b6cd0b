-- The track record of series by a day: of each horizon the newest score, and the residuals up to it.
-- Parameters: instance_ids, day, most.
-- Returns: instance_id, database_id (0 for the server), horizon_days, matured, errors, residuals (oldest first).
with ranked as (
    select
        *,
        row_number() over (partition by instance_id, database_id, horizon_days order by made_on desc) as place
    from capacity_forecast_scores
    -- so many origins, eight days apart, and the longest horizon
    where instance_id = any(%(instance_ids)s) and made_on >= %(day)s::date - 8 * %(most)s - 180 and target_date <= %(day)s
)

select
    instance_id,
    coalesce(database_id, 0) as database_id,
    horizon_days,
    max(matured) as matured,
    max(errors) filter (where place = 1) as errors,
    array_agg(residual order by made_on) as residuals
from ranked
where place <= %(most)s
group by instance_id, database_id, horizon_days
