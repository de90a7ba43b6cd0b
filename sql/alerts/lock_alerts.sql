-- Let one program at a time change alerts. The number is arbitrary and ours alone.
-- Parameters: none.
-- Returns: void.
select pg_advisory_xact_lock(740026)
