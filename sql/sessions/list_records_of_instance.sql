-- What happened to one server in the newest sessions of these categories, newest first.
-- Parameters: instance_id, categories (text[]), sessions (how many of the newest are looked at), most (rows).
-- Returns: the fields of ProbeRecord.
select
    s.session_id,
    s.sync_category,
    s.first_day,
    s.last_day,
    case when r.is_skipped then 'skipped' else r.status end as status,
    coalesce(r.started_at, s.started_at) as started_at,
    r.attempts,
    r.error_code,
    r.error_message
from (
    select
        session_id,
        sync_category,
        first_day,
        last_day,
        started_at
    from sync_sessions
    where sync_category = any(%(categories)s::text[])
    order by started_at desc
    limit %(sessions)s
) as s
inner join sync_instance_records as r on s.session_id = r.session_id
where r.instance_id = %(instance_id)s
order by s.started_at desc
limit %(most)s
