-- Take over sizes. A second measurement of a day replaces the first; an estimated or recovered value never replaces a measured one, and an
-- estimated one is replaced by nothing but a better one. The gaps of what has a size now are closed, and its databases count as measurable
-- from that day on.
-- Parameters: instance_ids, database_names, stat_dates, total_bytes, data_bytes, log_bytes, instants, provenances, methods,
-- growth_limit_bytes, used_bytes (arrays as text, an entry per size), instances (integer[], the instances of all of them: by it the planner
-- sees that it need not read the inventory of the whole fleet), session_id (NULL outside a session).
-- Returns: nothing.
with sizes as materialized (
    select *
    from
        unnest(
            %(instance_ids)s::integer[],
            %(database_names)s::text[],
            %(stat_dates)s::date[],
            %(total_bytes)s::bigint[],
            %(data_bytes)s::bigint[],
            %(log_bytes)s::bigint[],
            %(instants)s::timestamptz[],
            %(provenances)s::text[],
            %(methods)s::text[],
            %(growth_limit_bytes)s::bigint[],
            %(used_bytes)s::bigint[]
        ) as s (
            instance_id, database_name, stat_date, total_bytes, data_bytes, log_bytes, collected_at, provenance, method,
            growth_limit_bytes, used_bytes
        )
),

closed as (
    update capacity_gaps as g
    set closed_by = s.provenance
    from sizes as s
    where
        g.instance_id = any(%(instances)s::integer[])
        and g.instance_id = s.instance_id
        and g.stat_date = s.stat_date
        and (g.database_name = s.database_name or g.database_name is null)
        and g.closed_by is null
),

measurable as (
    update database_activity as d
    set first_measured_date = f.stat_date
    from (
        select
            instance_id,
            database_name,
            min(stat_date) as stat_date
        from sizes
        group by instance_id, database_name
    ) as f
    where
        d.instance_id = any(%(instances)s::integer[])
        and d.instance_id = f.instance_id
        and d.database_name = f.database_name
        and f.stat_date >= d.active_from
        and (d.active_until is null or f.stat_date < d.active_until)
        and (d.first_measured_date is null or d.first_measured_date > f.stat_date)
)

insert into database_size_stats (
    instance_id, database_name, stat_date, total_bytes, data_bytes, log_bytes, collected_at, provenance, method, session_id,
    growth_limit_bytes, used_bytes
)
select
    instance_id,
    database_name,
    stat_date,
    total_bytes,
    data_bytes,
    log_bytes,
    collected_at,
    provenance,
    method,
    %(session_id)s::uuid,
    growth_limit_bytes,
    used_bytes
from sizes
on conflict (instance_id, database_name, stat_date) do update
    set
        total_bytes = excluded.total_bytes,
        data_bytes = excluded.data_bytes,
        log_bytes = excluded.log_bytes,
        collected_at = excluded.collected_at,
        provenance = excluded.provenance,
        method = excluded.method,
        session_id = excluded.session_id,
        growth_limit_bytes = excluded.growth_limit_bytes,
        used_bytes = excluded.used_bytes
    where excluded.provenance = 'measured' or (excluded.provenance = 'recovered' and database_size_stats.provenance = 'estimated')
