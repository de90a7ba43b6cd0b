-- Write the gaps of an instance that could not be probed: every database of its inventory without a size for the day is a gap;
-- if no database was ever listed, the instance as a whole is.
-- Parameters: instance_id, day, reason, detail, session_id (NULL outside a session).
-- Returns: nothing.
insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, session_id, was_measurable)
select
    i.instance_id,
    d.database_name,
    %(day)s,
    %(reason)s,
    %(detail)s,
    %(session_id)s::uuid,
    coalesce(a.first_measured_date <= %(day)s, false)
from instances as i
left join instance_databases as d on i.instance_id = d.instance_id and d.is_active
left join database_activity as a on d.instance_id = a.instance_id and d.database_name = a.database_name and a.active_until is null
where
    i.instance_id = %(instance_id)s
    and (d.database_name is not null or not exists (select 1 from instance_databases as e where e.instance_id = i.instance_id))
    and not exists (
        select 1 from database_size_stats as s
        where s.instance_id = i.instance_id and s.database_name = d.database_name and s.stat_date = %(day)s
    )
on conflict (instance_id, database_name, stat_date) do update
    set
        reason = excluded.reason,
        detail = excluded.detail,
        session_id = excluded.session_id
    where capacity_gaps.closed_by is null
