-- A session for each simulated day; those of days long ago have no records any more.
-- Parameters: first_day, last_day (inclusive), instances (their number).
-- Returns: nothing.
insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, started_at, alive_at, total_instances)
select
    md5('simulated ' || d.day::date)::uuid,
    'capacity',
    'scheduled_task',
    d.day::date,
    d.day::date,
    d.day + interval '3 hours',
    d.day + interval '3 hours',
    %(instances)s
from generate_series(%(first_day)s::timestamp, %(last_day)s::timestamp, interval '1 day') as d (day)
