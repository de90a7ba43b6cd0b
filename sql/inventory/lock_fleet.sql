-- Let one program change the registered fleet at a time; the lock ends with the transaction and holds up no collecting.
-- Parameters: none.
-- Returns: one row, void.
select pg_advisory_xact_lock(7400305)
