-- The first and the last day with any data: measured, missing or (for the last day) aggregated. Aggregations outlive their days, so they do
-- not determine the first day.
-- Parameters: none.
-- Returns: first_day, last_day (NULL when nothing is).
select
    min(k.first_day) as first_day,
    max(k.last_day) as last_day
from (
    select
        min(stat_date) as first_day,
        max(stat_date) as last_day
    from instance_size_stats
    union all
    select
        min(stat_date),
        max(stat_date)
    from capacity_gaps
    union all
    select
        null,
        max(period_start)
    from instance_size_aggregations
    where period_type = 'daily'
) as k
