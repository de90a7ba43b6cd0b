-- The notices of a session about databases that it measured.
-- Parameters: session_id.
-- Returns: instance_name, database_name, notice.
select
    i.name as instance_name,
    n.notice ->> 'database_name' as database_name,
    n.notice ->> 'notice' as notice
from sync_instance_records as r
inner join instances as i on r.instance_id = i.instance_id
cross join lateral jsonb_array_elements(r.sync_details -> 'notices') as n (notice)
where r.session_id = %(session_id)s
order by i.name, database_name
