-- What is missing on these days and why.
-- Parameters: days (date[]), most (rows of each day).
-- Returns: stat_date, instance_name, database_name (NULL: never listed), reason, detail, missing_of_day (count of the whole day).
select
    ranked.stat_date,
    ranked.instance_name,
    ranked.database_name,
    ranked.reason,
    ranked.detail,
    ranked.missing_of_day::integer
from (
    select
        g.stat_date,
        i.name as instance_name,
        g.database_name,
        g.reason,
        g.detail,
        count(*) over (partition by g.stat_date) as missing_of_day,
        row_number() over (partition by g.stat_date order by i.name, g.database_name) as position
    from capacity_gaps as g
    inner join instances as i on g.instance_id = i.instance_id
    where g.closed_by is null and g.stat_date = any(%(days)s::date[])
) as ranked
where ranked.position <= %(most)s
order by ranked.stat_date, ranked.position
