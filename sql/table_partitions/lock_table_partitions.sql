-- Let one program at a time create or drop months, and wait for nobody's table locks for long.
-- Parameters: none.
-- Returns: lock_timeout, void. The number is arbitrary and ours alone.
select
    set_config('lock_timeout', '5s', true) as lock_timeout,
    pg_advisory_xact_lock(7400303)
