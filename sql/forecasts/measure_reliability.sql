-- How many intervals of 80 percent for 30 days held, of those that were about the four weeks up to a day and had a width.
-- Parameters: day.
-- Returns: scored, held.
select
    count(*) as scored,
    count(*) filter (where actual_bytes between lower_80_bytes and upper_80_bytes) as held
from capacity_forecast_scores
where horizon_days = 30 and target_date between %(day)s::date - 27 and %(day)s and upper_80_bytes > lower_80_bytes
