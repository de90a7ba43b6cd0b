-- Let one person at a time change rules; the lock ends with the transaction.
-- Parameters: none.
-- Returns: nothing.
select pg_advisory_xact_lock(7400361)
