-- Open a session with a pending record for each instance, unless it was cancelled before it began.
-- Parameters: session_id, run_id, sync_category, sync_type, first_day, last_day, retry_of, zone (NULL: the centre),
-- instance_ids (integer[]).
-- Returns: nothing.
with opened as (
    insert into sync_sessions (session_id, run_id, sync_category, sync_type, first_day, last_day, retry_of, zone, total_instances)
    values (
        %(session_id)s, %(run_id)s, %(sync_category)s, %(sync_type)s, %(first_day)s, %(last_day)s, %(retry_of)s, %(zone)s,
        cardinality(%(instance_ids)s::integer[])
    )
    on conflict (session_id) do nothing
    returning session_id
)

insert into sync_instance_records (session_id, instance_id)
select
    o.session_id,
    i.instance_id
from opened as o
cross join unnest(%(instance_ids)s::integer[]) as i (instance_id)
