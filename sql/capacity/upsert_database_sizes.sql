-- Take over the staged sizes. A second measurement of a day replaces the first; an estimated or recovered value never
-- replaces a measured one, and an estimated one is replaced by nothing but a better one. The gaps of what is staged are closed,
-- and its databases count as measurable from that day on. The instances are named apart, because the planner knows nothing of the
-- staging table and would read the inventory of the whole fleet for each of them.
-- Parameters: session_id (NULL outside a session).
-- Returns: nothing.
with staged_instances as (
    select array_agg(s.instance_id) as instance_ids
    from (select distinct instance_id from staged_sizes) as s
),

closed as (
    update capacity_gaps as g
    set closed_by = s.provenance
    from staged_sizes as s
    where
        g.instance_id = any((select instance_ids from staged_instances)::integer[])
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
        from staged_sizes
        group by instance_id, database_name
    ) as f
    where
        d.instance_id = any((select instance_ids from staged_instances)::integer[])
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
from staged_sizes
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
