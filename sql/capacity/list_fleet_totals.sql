-- The total of the fleet day by day. An instance that was not completely measured on a day counts with its newest complete total of at
-- most 14 days before, so that a silent server is no shrink.
-- Parameters: first_day, last_day (inclusive), days_held (14).
-- Returns: stat_date, total_bytes (NULL: no size is known), instances (active), held (with an older total), unknown (without any).
with
complete as materialized (
    select
        s.stat_date,
        count(*) as instances,
        sum(s.total_bytes) as total_bytes
    from instance_size_stats as s
    inner join instance_activity as a
        on s.instance_id = a.instance_id and s.stat_date >= a.active_from and (a.active_until is null or s.stat_date < a.active_until)
    where s.database_count = s.expected_count and s.stat_date between %(first_day)s::date and %(last_day)s::date
    group by s.stat_date
),

days as materialized (
    select
        c.day::date as stat_date,
        coalesce(k.instances, 0) as complete,
        k.total_bytes,
        (
            select count(*) from instance_activity as a
            where c.day::date >= a.active_from and (a.active_until is null or c.day::date < a.active_until)
        ) as instances
    from generate_series(%(first_day)s::date::timestamp, %(last_day)s::date::timestamp, interval '1 day') as c (day)
    left join complete as k on c.day::date = k.stat_date
),

-- instances are looked at one by one only on the days on which some are incomplete
held as (
    select
        d.stat_date,
        -- What was measured after the instance had left the fleet is not held.
        (
            select s.total_bytes
            from instance_size_stats as s
            inner join instance_activity as e
                on
                    s.instance_id = e.instance_id
                    and s.stat_date >= e.active_from
                    and (e.active_until is null or s.stat_date < e.active_until)
            where
                s.instance_id = a.instance_id
                and s.database_count = s.expected_count
                and s.stat_date between d.stat_date - %(days_held)s::integer and d.stat_date - 1
                and s.stat_date between %(first_day)s::date - %(days_held)s::integer and %(last_day)s::date
            order by s.stat_date desc
            limit 1
        ) as held_bytes
    from days as d
    inner join instance_activity as a
        on d.complete < d.instances and d.stat_date >= a.active_from and (a.active_until is null or d.stat_date < a.active_until)
    where
        not exists (
            select 1 from instance_size_stats as s
            where
                s.instance_id = a.instance_id
                and s.stat_date = d.stat_date
                and s.database_count = s.expected_count
                -- Bounds that prune table partitions.
                and s.stat_date between %(first_day)s::date and %(last_day)s::date
        )
),

summed as (
    select
        stat_date,
        sum(held_bytes) as held_bytes,
        count(held_bytes) as held,
        count(*) filter (where held_bytes is null) as unknown
    from held
    group by stat_date
)

select
    d.stat_date,
    case when d.total_bytes is not null or h.held_bytes is not null then coalesce(d.total_bytes, 0) + coalesce(h.held_bytes, 0) end::bigint
        as total_bytes,
    d.instances::integer,
    coalesce(h.held, 0)::integer as held,
    coalesce(h.unknown, 0)::integer as unknown
from days as d
left join summed as h on d.stat_date = h.stat_date
where d.instances > 0
order by d.stat_date
