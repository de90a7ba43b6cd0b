-- The total of the fleet day by day. An instance that was not completely measured on a day counts with its newest complete total of at
-- most 14 days before, so that a silent server is no shrink.
-- Parameters: first_day, last_day (inclusive), days_held (14).
-- Returns: stat_date, total_bytes (NULL: no size is known), instances (active), held (with an older total), unknown (without any).
with
days as materialized (
    select
        c.day::date as stat_date,
        a.instance_id,
        s.total_bytes
    from generate_series(%(first_day)s::date::timestamp, %(last_day)s::date::timestamp, interval '1 day') as c (day)
    inner join instance_activity as a on c.day::date >= a.active_from and (a.active_until is null or c.day::date < a.active_until)
    left join instance_size_stats as s
        on
            a.instance_id = s.instance_id and c.day::date = s.stat_date and s.database_count = s.expected_count
            -- Bounds that prune table partitions.
            and s.stat_date between %(first_day)s::date and %(last_day)s::date
),

held as (
    select
        d.stat_date,
        d.instance_id,
        -- What was measured after the instance had left the fleet is not held.
        (
            select s.total_bytes
            from instance_size_stats as s
            inner join instance_activity as a
                on
                    s.instance_id = a.instance_id
                    and s.stat_date >= a.active_from
                    and (a.active_until is null or s.stat_date < a.active_until)
            where
                s.instance_id = d.instance_id
                and s.database_count = s.expected_count
                and s.stat_date between d.stat_date - %(days_held)s::integer and d.stat_date - 1
                and s.stat_date between %(first_day)s::date - %(days_held)s::integer and %(last_day)s::date
            order by s.stat_date desc
            limit 1
        ) as held_bytes
    from days as d
    where d.total_bytes is null
),

known as (
    select
        stat_date,
        total_bytes,
        false as is_held
    from days
    where total_bytes is not null
    union all
    select
        stat_date,
        held_bytes as total_bytes,
        true as is_held
    from held
)

select
    stat_date,
    sum(total_bytes)::bigint as total_bytes,
    count(*)::integer as instances,
    (count(total_bytes) filter (where is_held))::integer as held,
    (count(*) filter (where total_bytes is null))::integer as unknown
from known
group by stat_date
order by stat_date
