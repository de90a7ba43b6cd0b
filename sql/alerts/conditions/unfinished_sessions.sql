-- Sessions that run for too long, or that have sent no heartbeat for long.
-- Parameters: now, silent_minutes, running_hours.
-- Returns: instance_id, database_id (both NULL), occurred_on, figures.
select
    null::integer as instance_id,
    null::integer as database_id,
    null::date as occurred_on,
    jsonb_build_object(
        'sessions', count(*), 'session_id', (array_agg(session_id order by started_at))[1],
        'category', (array_agg(sync_category order by started_at))[1]
    ) as figures
from sync_sessions
where
    status = 'running'
    and (
        alive_at < %(now)s::timestamptz - make_interval(mins => %(silent_minutes)s)
        or started_at < %(now)s::timestamptz - make_interval(hours => %(running_hours)s)
    )
having count(*) > 0
