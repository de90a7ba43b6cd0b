-- The day of the newest forecasts.
-- Parameters: none.
-- Returns: newest_day (NULL: there are none).
select max(made_on) as newest_day from capacity_forecasts
