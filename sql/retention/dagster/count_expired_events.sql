-- The number of events that would be deleted.
-- Parameters: expired (the statement list_expired_events, whose parameters are given too). It runs in Dagster's database.
-- Returns: events.
select count(expired.id) as events
from ({expired}) as expired
