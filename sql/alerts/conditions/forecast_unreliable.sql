-- How many intervals of 80 percent for 30 days held in the four weeks up to a day, of those that had a width.
-- Parameters: day.
-- Returns: instance_id, database_id (both NULL), occurred_on, figures.
select
    null::integer as instance_id,
    null::integer as database_id,
    null::date as occurred_on,
    jsonb_build_object(
        'scored', count(*), 'held', count(*) filter (where actual_bytes between lower_80_bytes and upper_80_bytes)
    ) as figures
from capacity_forecast_scores
where
    horizon_days = 30
    and target_date between %(day)s::date - 27 and %(day)s
    -- the months in which these forecasts were made
    and made_on between %(day)s::date - 57 and %(day)s::date - 30
    and upper_80_bytes > lower_80_bytes
