-- The share of the expected databases of these servers that have a size on a day, if it is too small.
-- Parameters: instance_ids, day, warning_percent.
-- Returns: instance_id, database_id (both NULL: the fleet), occurred_on, figures.
select
    null::integer as instance_id,
    null::integer as database_id,
    null::date as occurred_on,
    jsonb_build_object(
        'known', sum(measured + recovered), 'expected', sum(expected),
        'instances', count(*) filter (where missing > 0 or expected is null), 'day', %(day)s::date
    ) as figures
from capacity_coverage
where stat_date = %(day)s and instance_id = any(%(instance_ids)s)
having sum(measured + recovered) * 100 < sum(expected) * %(warning_percent)s
