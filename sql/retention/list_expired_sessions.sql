-- The ended sessions that are older than sessions are kept and that nothing refers to: no day that is kept, whose sizes and gaps name the
-- session that wrote them, and no retry.
-- Parameters: before (date), oldest_day (the oldest day that is kept).
-- Returns: session_id, started_at.
select
    s.session_id,
    s.started_at
from sync_sessions as s
where
    s.started_at < %(before)s::date
    and s.status <> 'running'
    and (s.sync_category <> 'capacity' or s.last_day < %(oldest_day)s::date)
    and not exists (select 1 from sync_sessions as r where r.retry_of = s.session_id)
