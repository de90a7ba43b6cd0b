-- The zones with servers whose own history a backfill without a zone did not ask for, because its worker does not reach them, while sizes
-- of theirs are missing or estimated. Only backfills that ended within a day.
-- Parameters: engines (text[]; those whose history may be read).
-- Returns: session_id, first_day, last_day, zone; one row for each session and zone.
select
    s.session_id,
    s.first_day,
    s.last_day,
    i.zone
from sync_sessions as s
inner join sync_instance_records as r on s.session_id = r.session_id
inner join instances as i on r.instance_id = i.instance_id
where
    s.sync_category = 'capacity'
    and s.sync_type = 'backfill'
    and s.zone is null
    and s.status in ('completed', 'failed')
    and s.started_at > now() - interval '1 day'
    and r.attempts = 0  -- it was not asked
    and (r.sync_details ->> 'still_missing')::integer + (r.sync_details ->> 'estimated')::integer > 0
    and i.zone is not null
    and i.is_active
    and i.deleted_at is null
    and i.engine = any(%(engines)s::text[])
group by s.session_id, s.first_day, s.last_day, i.zone
order by s.started_at, i.zone
