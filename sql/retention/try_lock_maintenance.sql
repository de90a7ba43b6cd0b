-- Take the maintenance lock for the lifetime of the connection, without waiting.
-- Parameters: none.
-- Returns: is_locked, false when another one works. The number is arbitrary and ours alone.
select pg_try_advisory_lock(7400304) as is_locked
