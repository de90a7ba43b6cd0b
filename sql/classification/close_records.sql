-- Close the records of a session with the accounts that were evaluated, and the assignments that began and ended. The records of
-- instances whose engine has a problem fail with it; those without any account are skipped.
-- Parameters: session_id, engines, messages (text[], in pairs: what failed), error_code.
-- Returns: nothing.
update sync_instance_records as r
set
    status = case when p.engine is null then 'completed' else 'failed' end,
    is_skipped = p.engine is null and a.instance_id is null,
    completed_at = clock_timestamp(),
    items_synced = coalesce(a.accounts, 0),
    items_created = coalesce(d.opened, 0),
    items_deleted = coalesce(d.closed, 0),
    error_code = case when p.engine is not null then %(error_code)s end,
    error_message = p.message
from sync_instance_records as s
inner join instances as i on s.instance_id = i.instance_id
left join (
    select
        instance_id,
        count(*) as accounts
    from classified_accounts
    group by instance_id
) as a on s.instance_id = a.instance_id
left join (
    select
        o.instance_id,
        count(*) filter (where c.is_match) as opened,
        count(*) filter (where not c.is_match) as closed
    from differences as c
    inner join instance_accounts as o on c.account_id = o.account_id
    group by o.instance_id
) as d on s.instance_id = d.instance_id
left join unnest(%(engines)s::text[], %(messages)s::text[]) as p (engine, message) on i.engine = p.engine
where s.session_id = %(session_id)s and r.session_id = s.session_id and r.instance_id = s.instance_id and r.status = 'running'
