-- Open a record in an aggregation session for each instance with written rows, and count it. Instances that were never registered get none.
-- Parameters: session_id, instance_ids (integer[]).
-- Returns: nothing.
with opened as (
    insert into sync_instance_records (session_id, instance_id)
    select
        s.session_id,
        i.instance_id
    from sync_sessions as s
    cross join instances as i
    where s.session_id = %(session_id)s and i.instance_id = any(%(instance_ids)s::integer[])
    on conflict do nothing
    returning instance_id
)

update sync_sessions
set total_instances = total_instances + (select count(*) from opened)
where session_id = %(session_id)s and status = 'running'
