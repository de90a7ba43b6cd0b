-- The records of one session, failures first.
-- Parameters: session_id.
-- Returns: the columns of domain.sessions.InstanceRecord, in its order.
select
    r.instance_id,
    i.name as instance_name,
    r.status,
    r.is_skipped,
    r.attempts,
    r.started_at,
    r.completed_at,
    r.items_synced,
    r.items_created,
    r.items_updated,
    r.items_deleted,
    r.error_code,
    r.error_message,
    r.sync_details
from sync_instance_records as r
inner join instances as i on r.instance_id = i.instance_id
where r.session_id = %(session_id)s
order by r.status = 'failed' desc, i.name
