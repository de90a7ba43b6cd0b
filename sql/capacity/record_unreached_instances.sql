-- Write the gaps of instances that could not be probed: every database of their inventory without a size for the day is a gap; of an
-- instance none of whose databases was ever listed, the instance as a whole is.
-- Parameters: instance_ids (integer[]), reasons, details (text[], in the same order), day, session_id (NULL outside a session).
-- Returns: nothing.
insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, session_id, was_measurable)
select
    f.instance_id,
    d.database_name,
    %(day)s,
    f.reason,
    f.detail,
    %(session_id)s::uuid,
    coalesce(a.first_measured_date <= %(day)s, false)
from unnest(%(instance_ids)s::integer[], %(reasons)s::text[], %(details)s::text[]) as f (instance_id, reason, detail)
left join instance_databases as d on f.instance_id = d.instance_id and d.is_active
left join database_activity as a on d.instance_id = a.instance_id and d.database_name = a.database_name and a.active_until is null
where
    (d.database_name is not null or not exists (select 1 from instance_databases as e where e.instance_id = f.instance_id))
    and not exists (
        select 1 from database_size_stats as s
        where s.instance_id = f.instance_id and s.database_name = d.database_name and s.stat_date = %(day)s
    )
on conflict (instance_id, database_name, stat_date) do update
    set
        reason = excluded.reason,
        detail = excluded.detail,
        session_id = excluded.session_id
    where capacity_gaps.closed_by is null
