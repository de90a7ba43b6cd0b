-- One instance day by day, with the coverage of its databases: what `capacity_coverage` says, which compares the days of every instance.
-- Days on which nothing was expected have no row.
-- Parameters: instance_id, first_day, last_day (inclusive).
-- Returns: total_bytes (of the databases that have a size; NULL: none has), and the fields of Coverage.
with sizes as (
    select
        stat_date,
        count(*) filter (where provenance = 'measured') as measured,
        count(*) filter (where provenance = 'recovered') as recovered,
        count(*) filter (where provenance = 'estimated') as estimated
    from database_size_stats
    where instance_id = %(instance_id)s and stat_date between %(first_day)s and %(last_day)s
    group by stat_date
),

gaps as (
    select
        stat_date,
        count(database_name) as missing,
        array_agg(distinct reason order by reason) as reasons
    from capacity_gaps
    where closed_by is null and instance_id = %(instance_id)s and stat_date between %(first_day)s and %(last_day)s
    group by stat_date
),

-- the days of the fleet, on which an active instance was to be collected
calendar as (
    select c.day::date as stat_date
    from
        generate_series(
            greatest(%(first_day)s::date, (select min(stat_date) from instance_size_stats))::timestamp,
            least(%(last_day)s::date, current_date)::timestamp,
            interval '1 day'
        ) as c (day)
    inner join instance_activity as a
        on
            a.instance_id = %(instance_id)s
            and c.day::date >= a.active_from
            and (a.active_until is null or c.day::date < a.active_until)
),

uncollected as (
    select
        c.stat_date,
        d.missing
    from calendar as c
    cross join
        lateral (
            select count(*) as missing
            from database_activity as d
            where
                d.instance_id = %(instance_id)s
                and c.stat_date >= d.active_from
                and (d.active_until is null or c.stat_date < d.active_until)
        ) as d
    where
        d.missing > 0
        and not exists (select 1 from sizes as s where s.stat_date = c.stat_date)
        and not exists (select 1 from gaps as g where g.stat_date = c.stat_date)
),

days as (
    select
        coalesce(s.stat_date, g.stat_date) as stat_date,
        coalesce(s.measured, 0) as measured,
        coalesce(s.recovered, 0) as recovered,
        coalesce(s.estimated, 0) as estimated,
        coalesce(g.missing, 0) as missing,
        coalesce(g.reasons, array[]::text[]) as reasons
    from sizes as s
    full join gaps as g on s.stat_date = g.stat_date
    union all
    select
        stat_date,
        0 as measured,
        0 as recovered,
        0 as estimated,
        missing,
        array['not_collected'] as reasons
    from uncollected
)

select
    t.total_bytes,
    i.name as instance_name,
    d.stat_date,
    nullif(d.measured + d.recovered + d.estimated + d.missing, 0)::integer as expected,
    d.measured::integer,
    d.recovered::integer,
    d.estimated::integer,
    d.missing::integer,
    d.reasons
from days as d
inner join instances as i on i.instance_id = %(instance_id)s
left join instance_size_stats as t
    on t.instance_id = %(instance_id)s and d.stat_date = t.stat_date and t.stat_date between %(first_day)s and %(last_day)s
order by d.stat_date
