-- What each day holds, fleet-wide. change_bytes compares only instances that are complete on both days, so that a missing database
-- never looks like a shrink; it is NULL where there is none.
-- Parameters: days (date[]), first_day, last_day (of the days).
-- Returns: stat_date, instances, databases, total_bytes, change_bytes, measured, recovered, estimated, missing.
with days as (
    select day from unnest(%(days)s::date[]) as d (day)
),

sizes as (
    select
        stat_date,
        instance_id,
        total_bytes,
        database_count,
        database_count = expected_count as is_complete
    from instance_size_stats
    where stat_date between %(first_day)s::date - 1 and %(last_day)s
),

totals as (
    select
        s.stat_date,
        count(*) as instances,
        sum(s.database_count) as databases,
        sum(s.total_bytes) as total_bytes,
        sum(s.total_bytes - b.total_bytes) filter (where s.is_complete and b.is_complete) as change_bytes
    from sizes as s
    left join sizes as b on s.instance_id = b.instance_id and s.stat_date = b.stat_date + 1
    group by s.stat_date
),

provenances as (
    select
        stat_date,
        count(*) filter (where provenance = 'measured') as measured,
        count(*) filter (where provenance = 'recovered') as recovered,
        count(*) filter (where provenance = 'estimated') as estimated
    from database_size_stats
    where stat_date between %(first_day)s and %(last_day)s
    group by stat_date
),

gaps as (
    select
        stat_date,
        count(*) as missing
    from capacity_gaps
    where closed_by is null and stat_date between %(first_day)s and %(last_day)s
    group by stat_date
)

select
    d.day as stat_date,
    coalesce(t.instances, 0)::integer as instances,
    coalesce(t.databases, 0)::integer as databases,
    t.total_bytes::bigint,
    t.change_bytes::bigint,
    coalesce(p.measured, 0)::integer as measured,
    coalesce(p.recovered, 0)::integer as recovered,
    coalesce(p.estimated, 0)::integer as estimated,
    coalesce(g.missing, 0)::integer as missing
from days as d
left join totals as t on d.day = t.stat_date
left join provenances as p on d.day = p.stat_date
left join gaps as g on d.day = g.stat_date
order by d.day
