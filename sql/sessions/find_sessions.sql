-- Sessions whose id starts with these characters, as people type them.
-- Parameters: prefix (text).
-- Returns: session_id, at most two rows.
select session_id
from sync_sessions
where starts_with(session_id::text, %(prefix)s)
order by session_id
limit 2
