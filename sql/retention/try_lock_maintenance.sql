-- Let one maintenance at a time work, for as long as its connection lives, and wait for none.
-- Parameters: none.
-- Returns: is_locked, false when another one works. The number is arbitrary and ours alone.
select pg_try_advisory_lock(7400304) as is_locked
