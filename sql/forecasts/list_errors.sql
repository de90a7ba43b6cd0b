-- The matured errors by a day, of forecasts that were made on these days; the newest last.
-- Parameters: instance_ids, made_on (the days), day.
-- Returns: instance_id, database_id (0 for the server), horizon_days, errors.
select
    instance_id,
    coalesce(database_id, 0) as database_id,
    horizon_days,
    errors
from capacity_forecast_scores
where instance_id = any(%(instance_ids)s) and made_on = any(%(made_on)s::date[]) and target_date <= %(day)s
order by made_on
