-- Why databases are missing, on each of the last 30 days.
-- Parameters: none.
-- Returns: time, metric (the reason), missing.
select
    stat_date::timestamptz as time,
    reason as metric,
    count(*) as missing
from capacity_gaps
where closed_by is null and stat_date >= current_date - 29
group by stat_date, reason
order by stat_date, reason
