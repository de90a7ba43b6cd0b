-- Let one evaluation at a time swap assignments; the lock ends with the transaction.
-- Parameters: none.
-- Returns: nothing.
select pg_advisory_xact_lock(7400360)
