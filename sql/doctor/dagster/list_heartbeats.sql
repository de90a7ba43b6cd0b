-- The latest heartbeat of each thread of Dagster's daemon. The body has it in UTC; the column beside it depends on the session.
-- Parameters: none. It runs in Dagster's database.
-- Returns: daemon_type, seen_at.
select
    daemon_type,
    to_timestamp((body::jsonb ->> 'timestamp')::double precision) as seen_at
from daemon_heartbeats
