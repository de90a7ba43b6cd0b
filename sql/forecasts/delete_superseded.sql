-- Delete forecasts that are not scored and that newer ones have superseded.
-- Parameters: instance_ids, days.
-- Returns: nothing.
delete from capacity_forecasts
where instance_id = any(%(instance_ids)s) and made_on = any(%(days)s::date[])
