-- Where the size of a database on a day comes from, or why there is none: its row or its gap, the session, and the known days around it.
-- Parameters: instance_id, database_name, day.
-- Returns: the columns of capacity.explain.Evidence, in its order; no row where the instance does not exist.
select
    i.instance_id,
    i.name as instance_name,
    i.engine,
    i.server_version,
    d.first_seen_date,
    d.last_seen_date,
    s.total_bytes,
    s.provenance,
    s.method,
    s.collected_at,
    g.reason,
    g.detail,
    n.session_id,
    n.run_id,
    n.sync_type,
    n.started_at as session_started_at,
    b.stat_date as before_day,
    b.total_bytes as before_bytes,
    a.stat_date as after_day,
    a.total_bytes as after_bytes
from instances as i
left join instance_databases as d on i.instance_id = d.instance_id and d.database_name = %(database_name)s::text
left join database_size_stats as s
    on i.instance_id = s.instance_id and s.database_name = %(database_name)s::text and s.stat_date = %(day)s::date
left join capacity_gaps as g
    on
        i.instance_id = g.instance_id
        and g.database_name = %(database_name)s::text
        and g.stat_date = %(day)s::date
        and g.closed_by is null
left join sync_sessions as n on coalesce(s.session_id, g.session_id) = n.session_id
left join lateral (
    select
        k.stat_date,
        k.total_bytes
    from database_size_stats as k
    where
        k.instance_id = i.instance_id
        and k.database_name = %(database_name)s::text
        and k.stat_date < %(day)s::date
        and k.provenance <> 'estimated'
    order by k.stat_date desc
    limit 1
) as b on true
left join lateral (
    select
        k.stat_date,
        k.total_bytes
    from database_size_stats as k
    where
        k.instance_id = i.instance_id
        and k.database_name = %(database_name)s::text
        and k.stat_date > %(day)s::date
        and k.provenance <> 'estimated'
    order by k.stat_date
    limit 1
) as a on true
where i.instance_id = %(instance_id)s and i.deleted_at is null
