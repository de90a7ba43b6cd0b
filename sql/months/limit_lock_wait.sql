-- Give up a statement that waits for somebody's lock so long.
-- Parameters: lock_timeout, is_local (whether only for this transaction).
-- Returns: lock_timeout.
select set_config('lock_timeout', %(lock_timeout)s, %(is_local)s) as lock_timeout
