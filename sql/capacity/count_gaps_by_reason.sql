-- How many databases are missing on a day, by reason. A server whose databases were never listed counts as one.
-- Parameters: day.
-- Returns: reason, missing.
select
    reason,
    count(*)::integer as missing
from capacity_gaps
where stat_date = %(day)s::date and closed_by is null
group by reason
order by reason
