-- What was forecast and scored on a day.
-- Parameters: day.
-- Returns: one row of counts; forecasts of all horizons count as one.
with made as (
    select
        state,
        count(database_id) as databases,
        count(*) as series
    from capacity_forecasts
    where made_on = %(day)s and horizon_days = 30
    group by state
),

states as (
    select
        coalesce(sum(databases), 0)::integer as databases,
        coalesce(sum(series - databases), 0)::integer as servers,
        coalesce(jsonb_object_agg(state, series), '{}') as states
    from made
),

scored as (
    select
        count(*) as scored,
        -- the interval of a flat series has no width and always holds
        count(*) filter (where upper_80_bytes > lower_80_bytes) as moving,
        count(*) filter (where upper_80_bytes > lower_80_bytes and actual_bytes between lower_80_bytes and upper_80_bytes) as held
    from capacity_forecast_scores
    where target_date = %(day)s
)

select
    t.databases,
    t.servers,
    t.states,
    s.scored,
    s.moving,
    s.held
from states as t
cross join scored as s
