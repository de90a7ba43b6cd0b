-- What is known of each active instance on a day: its newest complete total, and how many of its databases have a size.
-- Parameters: day (the newest that has sizes), days_held (14: how old a total may be).
-- Returns: the columns of capacity.metrics.InstanceMetrics, in its order.
select
    i.name as instance_name,
    i.engine,
    i.capacity_limit_bytes,
    t.total_bytes,
    t.collected_at,
    c.measured,
    c.recovered,
    c.estimated,
    c.missing
from instance_activity as a
inner join instances as i on a.instance_id = i.instance_id
left join lateral (
    select
        s.total_bytes,
        s.collected_at
    from instance_size_stats as s
    where
        s.instance_id = a.instance_id
        and s.stat_date between %(day)s::date - %(days_held)s::integer and %(day)s::date
        and s.database_count = s.expected_count
    order by s.stat_date desc
    limit 1
) as t on true
left join capacity_coverage as c on a.instance_id = c.instance_id and c.stat_date = %(day)s::date
where %(day)s::date >= a.active_from and (a.active_until is null or %(day)s::date < a.active_until)
order by i.instance_id
