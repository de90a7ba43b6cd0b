-- The summary of each period at instance level, fleet-wide. change_bytes covers the instances whose change is known.
-- Parameters: period_type, first_start, last_start.
-- Returns: period_start, instances, databases, avg_bytes, closing_bytes, change_bytes, days_present, days_expected, days_estimated,
-- incomplete_instances, is_final.
select
    i.period_start,
    count(*)::integer as instances,
    (
        select count(*) from database_size_aggregations as d
        where d.period_type = %(period_type)s and d.period_start = i.period_start
    )::integer as databases,
    sum(i.avg_bytes)::bigint as avg_bytes,
    sum(i.closing_bytes)::bigint as closing_bytes,
    sum(i.change_bytes)::bigint as change_bytes,
    sum(i.data_count)::integer as days_present,
    sum(i.expected_count)::integer as days_expected,
    sum(i.estimated_count)::integer as days_estimated,
    (count(*) filter (where i.data_count < i.expected_count))::integer as incomplete_instances,
    bool_and(i.is_final) as is_final
from instance_size_aggregations as i
where i.period_type = %(period_type)s and i.period_start between %(first_start)s and %(last_start)s
group by i.period_start
order by i.period_start
