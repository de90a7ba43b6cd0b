-- How many databases were measured, recovered, estimated and missing on each of the last 30 days.
-- Parameters: none.
-- Returns: time, measured, recovered, estimated, missing.
select
    stat_date::timestamptz as time,
    sum(measured) as measured,
    sum(recovered) as recovered,
    sum(estimated) as estimated,
    sum(missing) as missing
from capacity_coverage
where stat_date between current_date - 29 and current_date
group by stat_date
order by stat_date
