-- How much is known of each instance on each of these days, or with many instances of each group: those with the same first tag. It says
-- the same as `capacity_coverage` without the counts of each provenance, for which every size would be read: the total of an instance has
-- the number of its sizes and the provenance of the least certain one.
-- Parameters: first_day, last_day (inclusive), instance_id (NULL: every), most_rows (instances beyond which groups are told).
-- Returns: the fields of CoveredDay: a row for each state that instances of the row have on a day, none where nothing was expected.
with calendar as (
    select day::date as stat_date
    from generate_series(
        greatest(%(first_day)s::date, (select min(stat_date) from instance_size_stats))::timestamp,
        least(%(last_day)s::date, current_date)::timestamp,
        interval '1 day'
    ) as day
),

totals as materialized (
    select
        stat_date,
        instance_id,
        database_count,
        provenance
    from instance_size_stats
    where stat_date between %(first_day)s and %(last_day)s and (%(instance_id)s::integer is null or instance_id = %(instance_id)s::integer)
),

gaps as materialized (
    select
        stat_date,
        instance_id,
        count(database_name)::integer as missing,
        string_agg(distinct reason, ', ' order by reason) as reasons
    from capacity_gaps
    where
        closed_by is null
        and stat_date between %(first_day)s and %(last_day)s
        and (%(instance_id)s::integer is null or instance_id = %(instance_id)s::integer)
    group by stat_date, instance_id
),

-- the days of active instances of which nothing is known
uncollected as (
    select
        u.stat_date,
        array_agg(u.instance_id) as instance_ids
    from (
        select
            c.stat_date,
            a.instance_id
        from calendar as c
        inner join instance_activity as a
            on
                c.stat_date >= a.active_from
                and (a.active_until is null or c.stat_date < a.active_until)
                and (%(instance_id)s::integer is null or a.instance_id = %(instance_id)s::integer)
    ) as u
    where
        not exists (select 1 from totals as t where t.stat_date = u.stat_date and t.instance_id = u.instance_id)
        and not exists (select 1 from gaps as g where g.stat_date = u.stat_date and g.instance_id = u.instance_id)
    group by u.stat_date
),

days as (
    select
        coalesce(t.stat_date, g.stat_date) as stat_date,
        coalesce(t.instance_id, g.instance_id) as instance_id,
        coalesce(t.database_count, 0) as known,
        coalesce(g.missing, 0) as missing,
        t.provenance as least_certain,
        g.reasons
    from totals as t
    full join gaps as g on t.stat_date = g.stat_date and t.instance_id = g.instance_id
    union all
    select
        u.stat_date,
        d.instance_id,
        0 as known,
        d.missing,
        null as least_certain,
        'not_collected' as reasons
    from uncollected as u
    -- One look at the index for each day: a hash join would read what every database ever did. OFFSET 0 keeps it so.
    cross join
        lateral (
            select
                a.instance_id,
                count(*)::integer as missing
            from database_activity as a
            where u.stat_date <@ daterange(a.active_from, a.active_until) and a.instance_id = any(u.instance_ids)
            group by a.instance_id
            offset 0
        ) as d
),

-- the name of a row: the instance, or the first of its tags
names as materialized (
    select
        i.instance_id,
        case
            when %(instance_id)s::integer is not null or count(*) filter (where i.deleted_at is null) over () <= %(most_rows)s then i.name
            else coalesce((select t.key || '=' || t.value from jsonb_each_text(i.tags) as t order by t.key limit 1), 'without a tag')
        end as row_name
    from instances as i
)

select
    n.row_name,
    d.stat_date,
    case when d.known = 0 then 'missing' when d.missing > 0 then 'partly missing' else d.least_certain end as state,
    count(*)::integer as instances,
    sum(d.known)::integer as known,
    sum(d.missing)::integer as missing,
    max(d.reasons) as reasons
from days as d
inner join names as n on d.instance_id = n.instance_id
group by n.row_name, d.stat_date, state
order by n.row_name, d.stat_date
