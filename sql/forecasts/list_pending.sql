-- Forecasts whose day is between two days, and that have no score.
-- Parameters: instance_ids, scored_days, first_target, day.
-- Returns: instance_id, database_id (0 for the server), made_on, horizon_days, origin, base_bytes, candidate_bytes, the bounds.
select
    instance_id,
    coalesce(database_id, 0) as database_id,
    made_on,
    horizon_days,
    origin,
    base_bytes,
    candidate_bytes,
    array[lower_80_bytes, upper_80_bytes, lower_90_bytes, upper_90_bytes] as bounds
from capacity_forecasts as f
where
    instance_id = any(%(instance_ids)s)
    and made_on = any(%(scored_days)s::date[])
    and made_on + horizon_days between %(first_target)s and %(day)s
    and not exists (
        select 1 from capacity_forecast_scores as s
        where
            s.instance_id = f.instance_id
            and coalesce(s.database_id, 0) = coalesce(f.database_id, 0)
            and s.made_on = f.made_on
            and s.horizon_days = f.horizon_days
            and s.target_date between %(first_target)s and %(day)s
    )
order by made_on, horizon_days, instance_id, database_id
