-- What each day holds, fleet-wide. change_bytes compares only instances that are complete on both days, so that a missing database
-- never looks like a shrink; it is NULL where there is none. So that the sum does not dip either, held_total_bytes has every database
-- without a size at its last known one, which is at most 14 days old.
-- Parameters: days (date[]), first_day, last_day (of the days).
-- Returns: stat_date, instances, databases, total_bytes (of what has a size), held_total_bytes, is_complete (every database that was ever
-- measured has a size), shared_bytes (NULL where it is unknown for one of the instances), change_bytes, measured, recovered, estimated,
-- missing.
with days as (
    select day from unnest(%(days)s::date[]) as d (day)
),

sizes as (
    select
        stat_date,
        instance_id,
        total_bytes,
        shared_bytes,
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
        case when count(s.shared_bytes) = count(*) then sum(s.shared_bytes) end as shared_bytes,
        sum(s.total_bytes - b.total_bytes) filter (where s.is_complete and b.is_complete) as change_bytes
    from sizes as s
    left join sizes as b on s.instance_id = b.instance_id and s.stat_date = b.stat_date + 1
    group by s.stat_date
),

absent as (
    select
        d.day,
        n.instance_id,
        n.database_id
    from days as d
    -- One look at the index of ranges for each day. A join may read every database that ever was, depending on the sample of the
    -- statistics; OFFSET 0 keeps it a look.
    cross join
        lateral (
            select
                a.instance_id,
                a.database_id,
                a.database_name
            from database_activity as a
            where d.day <@ daterange(a.active_from, a.active_until) and a.first_measured_date <= d.day
            offset 0
        ) as n
    inner join instance_activity as i
        on n.instance_id = i.instance_id and d.day >= i.active_from and (i.active_until is null or d.day < i.active_until)
    left join database_size_stats as s
        on
            n.instance_id = s.instance_id
            and n.database_name = s.database_name
            and d.day = s.stat_date
            and s.stat_date between %(first_day)s and %(last_day)s
    where s.instance_id is null
),

held as (
    select
        a.day,
        count(*) as absent_count,
        sum(k.total_bytes) as held_bytes
    from absent as a
    left join lateral (
        select h.total_bytes
        from database_histories as h
        where
            h.instance_id = a.instance_id
            and h.database_id = a.database_id
            and h.stat_date between a.day - 14 and a.day - 1
            and h.stat_date between %(first_day)s::date - 14 and %(last_day)s::date - 1
        order by h.stat_date desc
        limit 1
    ) as k on true
    group by a.day
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
    case when t.stat_date is not null or h.held_bytes is not null then coalesce(t.total_bytes, 0) + coalesce(h.held_bytes, 0) end::bigint
        as held_total_bytes,
    h.day is null as is_complete,
    t.shared_bytes::bigint,
    t.change_bytes::bigint,
    coalesce(p.measured, 0)::integer as measured,
    coalesce(p.recovered, 0)::integer as recovered,
    coalesce(p.estimated, 0)::integer as estimated,
    coalesce(g.missing, 0)::integer as missing
from days as d
left join totals as t on d.day = t.stat_date
left join held as h on d.day = h.day
left join provenances as p on d.day = p.stat_date
left join gaps as g on d.day = g.stat_date
order by d.day
