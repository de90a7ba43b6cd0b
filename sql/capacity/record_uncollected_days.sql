-- Write gaps for past days on which nothing was stored for an instance: the whole inventory of the day is missing.
-- Days before the first stored one have expired, or are before the first collection.
-- Parameters: first_day, last_day (inclusive), zones (text[]; centre: instances without a zone), session_id (NULL outside a session).
-- Returns: nothing.
insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, session_id, was_measurable)
select
    d.instance_id,
    d.database_name,
    c.day::date,
    'not_collected',
    'nothing was collected on this day, and a day that is over cannot be measured any more',
    %(session_id)s::uuid,
    coalesce(d.first_measured_date <= c.day::date, false)
from generate_series(%(first_day)s::timestamp, %(last_day)s::timestamp, interval '1 day') as c (day)
-- One look at the index of ranges for each day. A join may read every database that ever was, depending on the sample of the statistics;
-- OFFSET 0 keeps it a look.
cross join
    lateral (
        select
            a.instance_id,
            a.database_name,
            a.first_measured_date
        from database_activity as a
        where c.day::date <@ daterange(a.active_from, a.active_until)
        offset 0
    ) as d
inner join instance_activity as i
    on d.instance_id = i.instance_id and c.day::date >= i.active_from and (i.active_until is null or c.day::date < i.active_until)
where
    c.day::date >= (select min(t.stat_date) from instance_size_stats as t)
    -- an array is made once and no reason for another order of the joins
    and d.instance_id = any(array(select n.instance_id from instances as n where coalesce(n.zone, 'centre') = any(%(zones)s::text[])))
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
