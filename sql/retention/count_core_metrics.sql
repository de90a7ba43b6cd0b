-- How many rows the big tables got in each of these periods: days are averaged, periods are summed.
-- Parameters: period_type, starts, ends (date[], one pair for each period).
-- Returns: the columns of retention.months.CoreMetrics, in its order.
select
    p.period_start,
    p.period_end,
    coalesce(i.rows / nullif(i.days, 0), 0)::integer as instance_count,
    coalesce(d.rows / nullif(i.days, 0), 0)::integer as database_count,
    (
        select count(*) from instance_size_aggregations as a
        where a.period_type = %(period_type)s and a.period_start between p.period_start and p.period_end
    )::integer as instance_aggregations,
    (
        select count(*) from database_size_aggregations as a
        where a.period_type = %(period_type)s and a.period_start between p.period_start and p.period_end
    )::integer as database_aggregations
from unnest(%(starts)s::date[], %(ends)s::date[]) as p (period_start, period_end)
cross join
    lateral (
        select
            count(*) as rows,
            count(distinct s.stat_date) as days
        from instance_size_stats as s
        where s.stat_date between p.period_start and p.period_end
    ) as i
cross join
    lateral (
        select sum(s.database_count) as rows
        from instance_size_stats as s
        where s.stat_date between p.period_start and p.period_end
    ) as d
order by p.period_start
