-- Let one program at a time create months; held for one transaction of milliseconds.
-- Parameters: none.
-- Returns: void. The number is arbitrary and ours alone.
select pg_advisory_xact_lock(7400303)
