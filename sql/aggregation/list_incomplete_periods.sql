-- Final periods that lack days of an instance, and how many of those days nothing explains. Explained is a day with an open gap, which has
-- its reason, and a day before the first or after the last that any database of the instance was listed.
-- Parameters: period_type, first_start, last_start, end_day (the first day after the last period).
-- Returns: period_start, instance_name, missing_days, unexplained_days, reasons (text[]).
with incomplete as (
    select
        instance_id,
        period_start,
        period_end,
        expected_count - data_count as missing_days
    from instance_size_aggregations
    where
        period_type = %(period_type)s
        and period_start between %(first_start)s and %(last_start)s
        and is_final
        and data_count < expected_count
),

lives as (
    select
        d.instance_id,
        min(d.first_seen_date) as first_day,
        max(case when d.is_active and i.is_active then date 'infinity' else d.last_seen_date end) as last_day
    from instance_databases as d
    inner join instances as i on d.instance_id = i.instance_id
    group by d.instance_id
),

gaps as (
    select
        g.instance_id,
        g.stat_date,
        array_agg(distinct g.reason order by g.reason) as reasons
    from capacity_gaps as g
    left join instance_databases as d on g.instance_id = d.instance_id and g.database_name = d.database_name
    where
        g.closed_by is null
        and g.stat_date >= %(first_start)s
        and g.stat_date < %(end_day)s
        and (g.database_name is null or d.first_measured_date is not null)
    group by g.instance_id, g.stat_date
)

select
    p.period_start,
    i.name as instance_name,
    p.missing_days,
    greatest(p.missing_days - e.explained_days, 0) as unexplained_days,
    e.reasons
from incomplete as p
inner join instances as i on p.instance_id = i.instance_id
cross join
    lateral (
        select
            count(*)::integer as explained_days,
            coalesce(array_agg(distinct r.reason order by r.reason) filter (where r.reason is not null), '{}') as reasons
        from (
            select
                c.day,
                case when g.stat_date is null then 'not_expected' else g.reasons[1] end as reason
            from generate_series(p.period_start::timestamp, p.period_end::timestamp, interval '1 day') as c (day)
            left join lives as l on l.instance_id = p.instance_id
            left join gaps as g on g.instance_id = p.instance_id and g.stat_date = c.day::date
            where g.stat_date is not null or l.instance_id is null or c.day::date < l.first_day or c.day::date > l.last_day
        ) as r
    ) as e
order by p.period_start, i.name
