-- The living database of which each of these births is probably a copy: its size differed by at most one percent on the first day of
-- the birth, and it is on the same server or has the same name. The nearest in size is taken.
-- Parameters: instance_ids (integer[]), database_names (text[]), days (date[]), sizes (bigint[]), one of each for a birth; last_day.
-- Returns: the fields of Source; place counts the births from 0.
with births as (
    select *
    from unnest(%(instance_ids)s::integer[], %(database_names)s::text[], %(days)s::date[], %(sizes)s::bigint[]) with ordinality
        as u (instance_id, database_name, stat_date, total_bytes, number)
),

older as (
    select
        b.number,
        b.stat_date,
        b.total_bytes,
        a.instance_id,
        a.database_name
    from births as b
    inner join database_activity as a on b.instance_id = a.instance_id and b.database_name <> a.database_name
    where a.active_from < b.stat_date and (a.active_until is null or a.active_until > %(last_day)s)
    union all
    select
        b.number,
        b.stat_date,
        b.total_bytes,
        a.instance_id,
        a.database_name
    from births as b
    inner join database_activity as a on b.database_name = a.database_name and b.instance_id <> a.instance_id
    where a.active_from < b.stat_date and (a.active_until is null or a.active_until > %(last_day)s)
)

select distinct on (o.number)
    o.number::integer - 1 as place,
    i.name as instance_name,
    o.database_name
from older as o
inner join database_size_stats as s
    on o.instance_id = s.instance_id and o.database_name = s.database_name and o.stat_date = s.stat_date
inner join instances as i on o.instance_id = i.instance_id
where abs(s.total_bytes - o.total_bytes) <= o.total_bytes / 100
order by o.number, abs(s.total_bytes - o.total_bytes), i.name, o.database_name
