-- The coverage read and counted every size of its days. The total of a server has the number of its sizes and the provenance of the least
-- certain one: where that is measured, all of them are. Now sizes are read only for servers and days on which one is not measured.
-- Parameters: none.
-- Returns: nothing.

-- Both days are bounds in each part, so that the planner leaves out the other months.
create function coverage_between(first_day date, last_day date)
returns table (
    stat_date date,
    instance_id integer,
    expected integer,
    measured integer,
    recovered integer,
    estimated integer,
    missing integer,
    reasons text[]
)
language sql stable
as $$
    with calendar as (
        select day::date as stat_date
        from generate_series(
            -- NULL while nothing is stored, and no day then
            (
                select case when first_day > min(t.stat_date) then first_day else min(t.stat_date) end
                from instance_size_stats as t
            )::timestamp,
            least(last_day, current_date)::timestamp,
            interval '1 day'
        ) as day
    ),

    -- what is known of an instance on a day, and that it was active
    known as (
        select
            t.stat_date,
            t.instance_id,
            true as is_known
        from instance_size_stats as t  -- an instance has a total exactly on the days on which a database of it has a size
        where t.stat_date between first_day and last_day
        union all
        select
            g.stat_date,
            g.instance_id,
            true
        from capacity_gaps as g
        where g.closed_by is null and g.stat_date between first_day and last_day
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
            k.stat_date,
            k.instance_id
        from known as k
        group by k.stat_date, k.instance_id
        having not bool_or(k.is_known)
    ),

    uncollected as (
        select
            u.stat_date,
            array_agg(u.instance_id) as instance_ids
        from uncollected_instances as u
        group by u.stat_date
    ),

    outcomes as (
        select
            t.stat_date,
            t.instance_id,
            t.database_count as measured,
            0 as recovered,
            0 as estimated,
            0 as missing,
            null::text as reason
        from instance_size_stats as t
        where t.provenance = 'measured' and t.stat_date between first_day and last_day
        union all
        select
            t.stat_date,
            t.instance_id,
            s.measured,
            s.recovered,
            s.estimated,
            0,
            null
        from instance_size_stats as t
        cross join
            lateral (
                select
                    count(*) filter (where d.provenance = 'measured') as measured,
                    count(*) filter (where d.provenance = 'recovered') as recovered,
                    count(*) filter (where d.provenance = 'estimated') as estimated
                from database_size_stats as d
                where d.instance_id = t.instance_id and d.stat_date = t.stat_date and d.stat_date between first_day and last_day
            ) as s
        where t.provenance <> 'measured' and t.stat_date between first_day and last_day
        union all
        select
            g.stat_date,
            g.instance_id,
            0,
            0,
            0,
            count(g.database_name),
            g.reason
        from capacity_gaps as g
        where g.closed_by is null and g.stat_date between first_day and last_day
        group by g.stat_date, g.instance_id, g.reason
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
            o.stat_date,
            o.instance_id,
            sum(o.measured)::integer as measured,
            sum(o.recovered)::integer as recovered,
            sum(o.estimated)::integer as estimated,
            sum(o.missing)::integer as missing,
            coalesce(array_agg(distinct o.reason order by o.reason) filter (where o.reason is not null), '{}') as reasons
        from outcomes as o
        group by o.stat_date, o.instance_id
    )

    select
        d.stat_date,
        d.instance_id,
        nullif(d.measured + d.recovered + d.estimated + d.missing, 0),
        d.measured,
        d.recovered,
        d.estimated,
        d.missing,
        d.reasons
    from days as d
$$;
comment on function coverage_between(date, date) is
'How many databases of each server were expected on each of these days, and what is known of them';

create or replace view capacity_coverage as
select
    c.stat_date,
    c.instance_id,
    c.expected,
    c.measured,
    c.recovered,
    c.estimated,
    c.missing,
    c.reasons
from coverage_between('-infinity', 'infinity') as c;
