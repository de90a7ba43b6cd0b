-- Sessions are opened one after the other, so that two that want the same days see each other. Held until the transaction ends.
-- Parameters: none.
-- Returns: one row.
select pg_advisory_xact_lock(hashtextextended('sync_sessions', 0))
