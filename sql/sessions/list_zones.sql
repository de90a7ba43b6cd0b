-- The zones of the active instances, and what sessions of a day did in them. A session counts for the zone of its run, and for the zones
-- of the instances in it. No row where no active instance has a zone.
-- Parameters: category, day.
-- Returns: zone (NULL: the centre), instances (active), has_session, has_ended (a session that was in it), is_asked_for (a
-- session was for the whole fleet).
with fleet as (
    select
        zone,
        count(*) as instances
    from instances
    where is_active and deleted_at is null
    group by zone
),

sessions as (
    select
        session_id,
        zone,
        status <> 'running' as has_ended,
        sync_type = 'scheduled_task' or (sync_type = 'manual_task' and zone is null) as is_asked_for
    from sync_sessions
    where
        sync_category = %(category)s
        and %(day)s between first_day and last_day
        and started_at > %(day)s::timestamp - interval '1 day'  -- no session begins before its day; the margin is for clocks that differ
        and exists (select 1 from fleet where zone is not null)
),

sessions_in_zones as (
    select
        zone,
        has_ended
    from sessions
    union all
    select
        i.zone,
        s.has_ended
    from sessions as s
    inner join sync_instance_records as r on s.session_id = r.session_id
    inner join instances as i on r.instance_id = i.instance_id
    group by i.zone, s.has_ended
)

select
    f.zone,
    f.instances::integer as instances,
    count(v.has_ended) > 0 as has_session,
    coalesce(bool_or(v.has_ended), false) as has_ended,
    exists(select 1 from sessions where is_asked_for) as is_asked_for
from fleet as f
left join sessions_in_zones as v on f.zone is not distinct from v.zone
where exists (select 1 from fleet where zone is not null)
group by f.zone, f.instances
order by f.zone nulls first
