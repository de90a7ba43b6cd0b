-- Final periods with missing days of an instance, and how many of those days nothing explains. A day is explained by an open gap, which
-- has its reason, and where nothing was expected: the instance was not active, or had no database.
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

gaps as (
    select
        instance_id,
        stat_date,
        array_agg(distinct reason order by reason) as reasons
    from capacity_gaps
    where
        closed_by is null
        and stat_date >= %(first_start)s
        and stat_date < %(end_day)s
        and (database_name is null or was_measurable)
    group by instance_id, stat_date
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
            left join gaps as g on g.instance_id = p.instance_id and g.stat_date = c.day::date
            where
                g.stat_date is not null
                or not exists (
                    select 1
                    from database_activity as d
                    inner join instance_activity as a on d.instance_id = a.instance_id
                    where
                        d.instance_id = p.instance_id
                        and c.day::date >= d.active_from and (d.active_until is null or c.day::date < d.active_until)
                        and c.day::date >= a.active_from and (a.active_until is null or c.day::date < a.active_until)
                )
        ) as r
    ) as e
order by p.period_start, i.name
