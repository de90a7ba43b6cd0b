-- The periods that recomputing would change.
-- Parameters: compared (the statement compare_database_aggregations or compare_instance_aggregations, whose parameters are given too).
-- Returns: period_start.
select distinct s.period_start
from (
{compared}
) as s
order by s.period_start
