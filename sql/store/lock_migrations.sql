-- Let one program migrate at a time; the lock ends with the transaction.
-- Parameters: none.
-- Returns: one row, void. The number is arbitrary and ours alone.
select pg_advisory_xact_lock(7400301)
