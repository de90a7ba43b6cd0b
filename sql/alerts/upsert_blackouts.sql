-- Add or change windows by their names.
-- Parameters: blackouts (jsonb: the fields of Blackout).
-- Returns: nothing.
insert into alert_blackouts (blackout_name, cron, minutes, tags, passes_critical)
select
    b.blackout_name,
    b.cron,
    b.minutes,
    b.tags,
    b.passes_critical
from jsonb_populate_recordset(null::alert_blackouts, %(blackouts)s::jsonb) as b
on conflict (blackout_name) do update
    set
        cron = excluded.cron,
        minutes = excluded.minutes,
        tags = excluded.tags,
        passes_critical = excluded.passes_critical
