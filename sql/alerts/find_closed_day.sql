-- The newest day that is closed: sizes were measured, a session of it has ended, and none is running. Only two weeks are looked at.
-- Parameters: now.
-- Returns: day, closed_at; no row if no day was closed.
select
    s.last_day as day,
    max(s.completed_at) as closed_at
from sync_sessions as s
where
    s.sync_category = 'capacity'
    and s.sync_type <> 'backfill'
    and s.started_at > %(now)s::timestamptz - interval '14 days'
group by s.last_day
having
    not bool_or(s.status = 'running')
    and bool_or(s.status in ('completed', 'failed'))
    and exists (
        select 1 from instance_size_stats as t
        where
            t.stat_date = s.last_day
            and t.stat_date between %(now)s::timestamptz::date - 15 and %(now)s::timestamptz::date + 1
            and t.provenance = 'measured'
    )
order by s.last_day desc
limit 1
