-- Let one program at a time make forecasts: the second then sees that they are made. The number is arbitrary and ours alone.
-- Parameters: none.
-- Returns: void.
select pg_advisory_xact_lock(740022)
