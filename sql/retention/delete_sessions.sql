-- Delete sessions, with what is left of their records.
-- Parameters: expired (the statement list_expired_sessions, whose parameters are given too), most (so many at once).
-- Returns: one row per session.
delete from sync_sessions
where
    session_id = any(array(
        select e.session_id from ({expired}) as e
        order by e.started_at
        limit %(most)s
    ))
returning session_id
