-- From which to which day anything is known: measured or missing, and at the end aggregated. Aggregations outlive the days from which they
-- could be computed again, so they are no beginning.
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
