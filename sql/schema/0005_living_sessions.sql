-- A running session says every few seconds that its process lives, so that one whose process is gone can be told and closed.
-- Parameters: none.
-- Returns: nothing.
alter table sync_sessions add column alive_at timestamptz not null default clock_timestamp();
-- Without alive_at, so that saying it touches no index.
create index sync_sessions_running on sync_sessions (session_id) where status = 'running';
create index sync_sessions_by_retried on sync_sessions (retry_of) where retry_of is not null;
