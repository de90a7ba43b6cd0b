-- The number of sessions that would be deleted. A session with a retry is deleted after the retry, in a later round, and is counted then.
-- Parameters: expired (the statement list_expired_sessions, whose parameters are given too).
-- Returns: sessions.
select count(expired.session_id) as sessions
from ({expired}) as expired
