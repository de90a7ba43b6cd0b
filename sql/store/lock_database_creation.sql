-- Let one program create the store's databases at a time; the lock ends with the connection.
-- Parameters: none.
-- Returns: one row, void.
select pg_advisory_lock(7400302)
