-- The coverage asks for the inventory only of those days of an instance of which nothing is known. It counted the databases of every
-- instance on every day before, which was half of its work.
-- Parameters: none.
-- Returns: nothing.
create or replace view capacity_coverage as
with calendar as (
    select day::date as stat_date
    from generate_series((select min(stat_date) from instance_size_stats)::timestamp, current_date::timestamp, interval '1 day') as day
),

-- What is known of an instance on a day, and that it was active. The condition on the day reaches each branch, so that months are pruned.
known as (
    select
        stat_date,
        instance_id,
        true as is_known
    from instance_size_stats  -- an instance has a total exactly on the days on which a database of it has a size
    union all
    select
        stat_date,
        instance_id,
        true
    from capacity_gaps
    where closed_by is null
    union all
    select
        c.stat_date,
        i.instance_id,
        false
    from calendar as c
    inner join instance_activity as i on c.stat_date >= i.active_from and (i.active_until is null or c.stat_date < i.active_until)
),

uncollected_instances as (
    select
        stat_date,
        instance_id
    from known
    group by stat_date, instance_id
    having not bool_or(is_known)
),

uncollected as (
    select
        stat_date,
        array_agg(instance_id) as instance_ids
    from uncollected_instances
    group by stat_date
),

outcomes as (
    select
        stat_date,
        instance_id,
        count(*) filter (where provenance = 'measured') as measured,
        count(*) filter (where provenance = 'recovered') as recovered,
        count(*) filter (where provenance = 'estimated') as estimated,
        0 as missing,
        null::text as reason
    from database_size_stats
    group by stat_date, instance_id
    union all
    select
        stat_date,
        instance_id,
        0,
        0,
        0,
        count(database_name),
        reason
    from capacity_gaps
    where closed_by is null
    group by stat_date, instance_id, reason
    union all
    select
        u.stat_date,
        d.instance_id,
        0,
        0,
        0,
        d.databases,
        'not_collected'
    from uncollected as u
    -- One look at the index for each day: a hash join would read what every database ever did. OFFSET 0 keeps it so.
    cross join
        lateral (
            select
                a.instance_id,
                count(*) as databases
            from database_activity as a
            where u.stat_date <@ daterange(a.active_from, a.active_until) and a.instance_id = any(u.instance_ids)
            group by a.instance_id
            offset 0
        ) as d
),

days as (
    select
        stat_date,
        instance_id,
        sum(measured)::integer as measured,
        sum(recovered)::integer as recovered,
        sum(estimated)::integer as estimated,
        sum(missing)::integer as missing,
        coalesce(array_agg(distinct reason order by reason) filter (where reason is not null), '{}') as reasons
    from outcomes
    group by stat_date, instance_id
)

select
    stat_date,
    instance_id,
    nullif(measured + recovered + estimated + missing, 0) as expected,
    measured,
    recovered,
    estimated,
    missing,
    reasons
from days;
