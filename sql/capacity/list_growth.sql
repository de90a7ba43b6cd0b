-- The fastest growing databases between two days. Where the first has no size, the first later one takes its place, so that a young
-- database has the growth of its life; where the last has none, the newest one of the 14 days before.
-- Parameters: first_day, last_day, most (rows).
-- Returns: the fields of Growth. Databases without two known days come last, with change_bytes NULL.
select
    f.instance_name,
    f.engine,
    f.database_name,
    f.state,
    f.reason,
    coalesce(b.stat_date, later.stat_date) as from_date,
    coalesce(b.total_bytes, later.total_bytes) as from_bytes,
    f.known_date as to_date,
    f.known_bytes as to_bytes,
    'estimated' in (coalesce(b.provenance, later.provenance), f.known_state) as is_estimated,
    case
        when coalesce(b.stat_date, later.stat_date) < f.known_date then f.known_bytes - coalesce(b.total_bytes, later.total_bytes)
    end as change_bytes
from fleet_on(%(last_day)s::date) as f
-- `database_histories` on one day. The conditions on the lives of that day let an index find them among all that ever were.
left join (
    select
        n.instance_id,
        n.database_id,
        s.stat_date,
        s.total_bytes,
        s.provenance
    from database_activity as n
    inner join database_size_stats as s
        on n.instance_id = s.instance_id and n.database_name = s.database_name and s.stat_date = %(first_day)s
    where n.active_from <= %(first_day)s and (n.active_until is null or n.active_until > %(first_day)s)
) as b on f.instance_id = b.instance_id and f.database_id = b.database_id
left join lateral (
    select
        h.stat_date,
        h.total_bytes,
        h.provenance
    from database_histories as h
    where
        b.instance_id is null
        and h.instance_id = f.instance_id
        and h.database_id = f.database_id
        and h.stat_date between %(first_day)s and %(last_day)s
    order by h.stat_date
    limit 1
) as later on true
order by change_bytes desc nulls last, to_bytes desc nulls last, f.instance_name asc, f.database_name asc
limit %(most)s
