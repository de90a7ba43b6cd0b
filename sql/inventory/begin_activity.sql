-- Begin the intervals of databases that were added, came back or were renamed on this day. A database that came back on the day on which it
-- left keeps its interval.
-- Parameters: instance_id, day, begun, predecessors (text[], an entry per database: its name, and the name that it had before; NULL for a
-- new database).
-- Returns: nothing.
with begun as (
    select
        b.database_name,
        b.predecessor
    from unnest(%(begun)s::text[], %(predecessors)s::text[]) as b (database_name, predecessor)
),

reopened as (
    update database_activity as a
    set active_until = null
    from begun as b
    where
        a.instance_id = %(instance_id)s
        and a.database_name = b.database_name
        and b.predecessor = b.database_name
        and a.active_until >= %(day)s
    returning a.database_name
),

latest as (
    select distinct on (database_name)
        database_name,
        database_id,
        first_measured_date
    from database_activity
    where instance_id = %(instance_id)s
    order by database_name, active_from desc
),

highest as (
    select coalesce(max(database_id), 0) as database_id
    from latest
)

insert into database_activity (instance_id, database_name, active_from, database_id, first_measured_date)
select
    %(instance_id)s,
    b.database_name,
    %(day)s,
    coalesce(l.database_id, h.database_id + row_number() over (order by b.database_name)),
    l.first_measured_date
from begun as b
cross join highest as h
left join latest as l on b.predecessor = l.database_name
where b.database_name not in (select r.database_name from reopened as r)
on conflict (instance_id, database_name, active_from) do update
    set
        active_until = null,
        database_id = excluded.database_id,
        first_measured_date = excluded.first_measured_date
