-- How many sessions would be deleted. A session that is retried by another one goes after it, in a later round, and is counted then.
-- Parameters: expired (the statement list_expired_sessions, whose parameters are given too).
-- Returns: sessions.
select count(expired.session_id) as sessions
from ({expired}) as expired
