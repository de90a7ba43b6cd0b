-- The totals of these days: the exact sum of each day's database rows. expected_count leaves out what could not be measured by that day;
-- the provenance is that of the least certain row. A total whose database rows are gone goes too.
-- Parameters: instance_ids (integer[]); shared_bytes (bigint[], an entry for each instance: of the server, where it was just measured;
-- NULL keeps what is stored); first_day, last_day (inclusive); session_id (NULL outside a session).
-- Returns: nothing.
with gone as (
    delete from instance_size_stats as t
    where
        t.instance_id = any(%(instance_ids)s::integer[])
        and t.stat_date between %(first_day)s and %(last_day)s
        and not exists (
            select 1 from database_size_stats as d
            where
                d.instance_id = t.instance_id
                and d.stat_date = t.stat_date
                and d.stat_date between %(first_day)s and %(last_day)s
        )
)

insert into instance_size_stats (
    instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance, session_id, shared_bytes
)
select
    s.instance_id,
    s.stat_date,
    s.total_bytes,
    s.database_count,
    s.database_count + coalesce(g.missing_count, 0) as expected_count,
    s.collected_at,
    s.provenance,
    %(session_id)s::uuid,
    m.shared_bytes
from (
    select
        instance_id,
        stat_date,
        sum(total_bytes)::bigint as total_bytes,
        count(*)::integer as database_count,
        max(collected_at) as collected_at,
        case
            when bool_or(provenance = 'estimated') then 'estimated'
            when bool_or(provenance = 'recovered') then 'recovered'
            else 'measured'
        end as provenance
    from database_size_stats
    where instance_id = any(%(instance_ids)s::integer[]) and stat_date between %(first_day)s and %(last_day)s
    group by instance_id, stat_date
) as s
inner join unnest(%(instance_ids)s::integer[], %(shared_bytes)s::bigint[]) as m (instance_id, shared_bytes) on s.instance_id = m.instance_id
left join (
    select
        instance_id,
        stat_date,
        count(*)::integer as missing_count
    from capacity_gaps
    where
        closed_by is null
        and was_measurable
        and instance_id = any(%(instance_ids)s::integer[])
        and stat_date between %(first_day)s and %(last_day)s
    group by instance_id, stat_date
) as g on s.instance_id = g.instance_id and s.stat_date = g.stat_date
on conflict (instance_id, stat_date) do update
    set
        total_bytes = excluded.total_bytes,
        database_count = excluded.database_count,
        expected_count = excluded.expected_count,
        collected_at = excluded.collected_at,
        provenance = excluded.provenance,
        session_id = excluded.session_id,
        shared_bytes = coalesce(excluded.shared_bytes, instance_size_stats.shared_bytes)
    where
    (
        instance_size_stats.total_bytes, instance_size_stats.database_count, instance_size_stats.expected_count,
        instance_size_stats.collected_at, instance_size_stats.provenance, instance_size_stats.shared_bytes
    )
    is distinct from
    (
        excluded.total_bytes, excluded.database_count, excluded.expected_count, excluded.collected_at, excluded.provenance,
        coalesce(excluded.shared_bytes, instance_size_stats.shared_bytes)
    )
