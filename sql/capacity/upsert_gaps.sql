-- Take over the staged gaps of databases that have no size for that day; a day that was measured before stays measured.
-- Parameters: session_id (NULL outside a session).
-- Returns: nothing.
insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, session_id)
select
    g.instance_id,
    g.database_name,
    g.stat_date,
    g.reason,
    g.detail,
    %(session_id)s::uuid
from staged_gaps as g
where
    not exists (
        select 1 from database_size_stats as s
        where s.instance_id = g.instance_id and s.database_name = g.database_name and s.stat_date = g.stat_date
    )
on conflict (instance_id, database_name, stat_date) do update
    set
        reason = excluded.reason,
        detail = excluded.detail,
        session_id = excluded.session_id
    where capacity_gaps.closed_by is null
