-- Release the maintenance lock at once, because the server notices a closed connection only a moment later.
-- Parameters: none.
-- Returns: is_unlocked.
select pg_advisory_unlock(7400304) as is_unlocked
