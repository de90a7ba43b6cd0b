-- What days that are over expected and never got, of instances for which nothing is stored on them: the inventory of the day is missing.
-- Days before the first that is stored have expired, or are before the first collection.
-- Parameters: first_day, last_day (inclusive), session_id (NULL outside a session).
-- Returns: nothing.
insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, session_id)
select
    d.instance_id,
    d.database_name,
    c.day::date,
    'not_collected',
    'nothing was collected on this day, and a day that is over cannot be measured any more',
    %(session_id)s::uuid
from generate_series(%(first_day)s::timestamp, %(last_day)s::timestamp, interval '1 day') as c (day)
inner join instance_databases as d on c.day::date >= d.first_seen_date and (d.is_active or c.day::date <= d.last_seen_date)
inner join instances as i on d.instance_id = i.instance_id and (i.deactivated_at is null or c.day::date < i.deactivated_at::date)
where
    c.day::date >= (select min(t.stat_date) from instance_size_stats as t)
    and not exists (
        select 1 from database_size_stats as s
        where s.instance_id = d.instance_id and s.stat_date = c.day::date and s.stat_date between %(first_day)s and %(last_day)s
    )
    and not exists (
        select 1 from capacity_gaps as g
        where g.instance_id = d.instance_id and g.stat_date = c.day::date and g.closed_by is null
    )
on conflict (instance_id, database_name, stat_date) do update
    set
        reason = excluded.reason,
        detail = excluded.detail,
        session_id = excluded.session_id,
        closed_by = null
