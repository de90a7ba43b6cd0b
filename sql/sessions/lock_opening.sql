-- Lock the opening of sessions, so that two sessions for the same days see each other. Held until the transaction ends.
-- Parameters: none.
-- Returns: one row.
select pg_advisory_xact_lock(hashtextextended('sync_sessions', 0))
