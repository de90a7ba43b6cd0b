-- The total of the fleet day by day. An instance that was not completely measured on a day counts with its newest complete total of at
-- most 14 days before, so that a silent server is no shrink.
-- Parameters: first_day, last_day (inclusive), days_held (14).
-- Returns: stat_date, total_bytes (NULL: no size is known), instances (active), held (with an older total), unknown (without any).
with
calendar as (
    select d::date as stat_date
    from generate_series(%(first_day)s::date - %(days_held)s::integer, %(last_day)s::date, interval '1 day') as d
),

days as (
    select
        a.instance_id,
        c.stat_date,
        s.total_bytes,
        -- The number of complete days so far: the same for a complete day and the incomplete ones after it.
        count(s.total_bytes) over (partition by a.instance_id order by c.stat_date) as run
    from instance_activity as a
    inner join calendar as c on c.stat_date >= a.active_from and (a.active_until is null or c.stat_date < a.active_until)
    left join instance_size_stats as s
        on
            a.instance_id = s.instance_id and c.stat_date = s.stat_date and s.database_count = s.expected_count
            -- Bounds that prune table partitions.
            and s.stat_date between %(first_day)s::date - %(days_held)s::integer and %(last_day)s::date
),

held as (
    select
        instance_id,
        stat_date,
        total_bytes,
        first_value(total_bytes) over complete_day as held_bytes,
        stat_date - first_value(stat_date) over complete_day as days_held
    from days
    window complete_day as (partition by instance_id, run order by stat_date)
)

select
    stat_date,
    (sum(held_bytes) filter (where days_held <= %(days_held)s::integer))::bigint as total_bytes,
    count(*)::integer as instances,
    (count(*) filter (where total_bytes is null and held_bytes is not null and days_held <= %(days_held)s::integer))::integer as held,
    (count(*) filter (where held_bytes is null or days_held > %(days_held)s::integer))::integer as unknown
from held
where stat_date >= %(first_day)s::date
group by stat_date
order by stat_date
