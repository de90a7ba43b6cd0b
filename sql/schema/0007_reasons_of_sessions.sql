-- Why a session failed or was cancelled as a whole, which no record tells of a session that has none. One whose instances failed has no
-- reason of its own.
-- Parameters: none.
-- Returns: nothing.
alter table sync_sessions add column error_code text;
alter table sync_sessions add column error_message text;
alter table sync_sessions add check (error_code is null or status in ('failed', 'cancelled'));
alter table sync_sessions add check ((error_code is null) = (error_message is null));
