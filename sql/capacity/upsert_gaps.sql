-- Write what was expected of some instances on a day and not obtained. What has a size for that day stays measured.
-- Parameters: day; instance_ids (integer[]), database_names, reasons, details (text[]), an entry per gap; session_id (NULL outside a
-- session).
-- Returns: nothing.
insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, session_id, was_measurable)
select
    g.instance_id,
    g.database_name,
    %(day)s,
    g.reason,
    g.detail,
    %(session_id)s::uuid,
    coalesce(a.first_measured_date <= %(day)s, false)
from
    unnest(%(instance_ids)s::integer[], %(database_names)s::text[], %(reasons)s::text[], %(details)s::text[])
        as g (instance_id, database_name, reason, detail)
left join database_activity as a on g.instance_id = a.instance_id and g.database_name = a.database_name and a.active_until is null
where
    not exists (
        select 1 from database_size_stats as s
        where s.instance_id = g.instance_id and s.database_name = g.database_name and s.stat_date = %(day)s
    )
on conflict (instance_id, database_name, stat_date) do update
    set
        reason = excluded.reason,
        detail = excluded.detail,
        session_id = excluded.session_id
    where capacity_gaps.closed_by is null
