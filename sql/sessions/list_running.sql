-- Every running session, and whether its process is alive. No heartbeat can arrive during an outage, so all are alive after a start.
-- Parameters: dead_after_seconds.
-- Returns: session_id, run_id, is_alive.
select
    session_id,
    run_id,
    greatest(alive_at, pg_postmaster_start_time()) > clock_timestamp() - make_interval(secs => %(dead_after_seconds)s) as is_alive
from sync_sessions
where status = 'running'
order by started_at
