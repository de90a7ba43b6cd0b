-- Delete events.
-- Parameters: expired (the statement list_expired_events, whose parameters are given too). It runs in Dagster's database.
-- Returns: one row per event.
delete from event_logs
where id = any(array({expired}))
returning id
