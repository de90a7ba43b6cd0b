-- The newest sessions; a running one counts what is done so far. Records are read of these sessions only.
-- Parameters: session_id, sync_category, sync_type, status, zone (NULL for all; centre: sessions without one), after_start and after_id
-- (the last session of the page before, or NULL), skipped, most (row limit).
-- Returns: the columns of domain.sessions.Session, in its order.
select
    s.session_id,
    s.run_id,
    s.sync_category,
    s.sync_type,
    s.status,
    s.total_instances,
    case when s.status = 'running' then c.successful else s.successful_instances end as successful_instances,
    case when s.status = 'running' then c.failed else s.failed_instances end as failed_instances,
    case when s.status = 'running' then c.skipped else s.skipped_instances end as skipped_instances,
    s.first_day,
    s.last_day,
    s.started_at,
    s.completed_at,
    s.retry_of,
    s.error_code,
    s.error_message,
    f.failures,
    s.zone
from (
    select * from sync_sessions
    where
        (%(session_id)s::uuid is null or session_id = %(session_id)s::uuid)
        and (%(sync_category)s::text is null or sync_category = %(sync_category)s::text)
        and (%(sync_type)s::text is null or sync_type = %(sync_type)s::text)
        and (%(status)s::text is null or status = %(status)s::text)
        and (%(zone)s::text is null or coalesce(zone, 'centre') = %(zone)s::text)
        and (
            %(after_start)s::timestamptz is null
            or started_at < %(after_start)s::timestamptz
            or (started_at = %(after_start)s::timestamptz and session_id > %(after_id)s::uuid)
        )
    order by started_at desc, session_id
    limit %(most)s offset %(skipped)s
) as s
left join lateral (
    select
        count(*) filter (where r.status = 'completed' and not r.is_skipped) as successful,
        count(*) filter (where r.status = 'failed') as failed,
        count(*) filter (where r.is_skipped) as skipped
    from sync_instance_records as r
    where r.session_id = s.session_id and s.status = 'running'
) as c on true
left join lateral (
    select coalesce(jsonb_object_agg(e.error_code, e.instances), '{}') as failures
    from (
        select
            r.error_code,
            count(*) as instances
        from sync_instance_records as r
        -- a session that counts no failure has no record that is read
        where r.session_id = s.session_id and r.status = 'failed' and (s.failed_instances > 0 or s.status = 'running')
        group by r.error_code
    ) as e
) as f on true
order by s.started_at desc, s.session_id
