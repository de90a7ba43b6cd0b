-- Write down that the outside was told of a day.
-- Parameters: day, now.
-- Returns: nothing.
update alert_evaluations
set heartbeat_at = %(now)s
where day = %(day)s
