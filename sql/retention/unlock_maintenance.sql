-- Let the next maintenance work at once: the server would notice only a moment later that a connection was closed.
-- Parameters: none.
-- Returns: is_unlocked.
select pg_advisory_unlock(7400304) as is_unlocked
