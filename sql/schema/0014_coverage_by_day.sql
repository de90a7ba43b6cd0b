-- The coverage asks an index for the databases of each day. The planner took a hash join on the instance instead, which read every database
-- that ever was: with five years of history, 30 days took three times as long as with one year.
-- Parameters: none.
-- Returns: nothing.
create or replace view capacity_coverage as
with calendar as (
    select day::date as stat_date
    from generate_series((select min(stat_date) from instance_size_stats)::timestamp, current_date::timestamp, interval '1 day') as day
),

outcomes as (
    select
        stat_date,
        instance_id,
        count(*) filter (where provenance = 'measured') as measured,
        count(*) filter (where provenance = 'recovered') as recovered,
        count(*) filter (where provenance = 'estimated') as estimated,
        0 as missing,
        0 as in_inventory,
        null::text as reason,
        true as is_known
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
        0,
        reason,
        true
    from capacity_gaps
    where closed_by is null
    group by stat_date, instance_id, reason
    union all
    select
        c.stat_date,
        d.instance_id,
        0,
        0,
        0,
        0,
        count(*),
        null,
        false
    from calendar as c
    -- One look at the index for each day: a hash join would read what every database ever did. OFFSET 0 keeps it so.
    cross join
        lateral (
            select
                instance_id,
                active_from
            from database_activity as a
            where c.stat_date <@ daterange(a.active_from, a.active_until)
            offset 0
        ) as d
    inner join instance_activity as i
        on d.instance_id = i.instance_id and c.stat_date >= i.active_from and (i.active_until is null or c.stat_date < i.active_until)
    group by c.stat_date, d.instance_id
),

days as (
    select
        stat_date,
        instance_id,
        sum(measured)::integer as measured,
        sum(recovered)::integer as recovered,
        sum(estimated)::integer as estimated,
        (case when bool_or(is_known) then sum(missing) else sum(in_inventory) end)::integer as missing,
        case
            when bool_or(is_known) then coalesce(array_agg(distinct reason order by reason) filter (where reason is not null), '{}')
            else '{not_collected}'
        end as reasons
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
