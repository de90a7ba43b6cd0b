-- The windows in which messages wait.
-- Parameters: none.
-- Returns: the fields of Blackout.
select
    blackout_name,
    cron,
    minutes,
    tags,
    passes_critical
from alert_blackouts
order by blackout_name
